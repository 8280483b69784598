#!/usr/bin/env python3
"""Installs into an empty prefix, moves it, and builds and runs programs against it as users do: by pkg-config, by find_package,
statically; as C11 and as C++17; with every compiler that is here."""

import filecmp
import glob
import http.server
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
import unittest

import house

HERE = os.path.join(house.SOURCE, "tests", "install")
COMPONENTS = [name.removeprefix("whence-") for name in house.LIBRARIES if name != "whence"]
TOOL = os.path.exists(f"{house.BUILD}/tools/whence")  # the program that reads traces
INTEGRATIONS = {"curl", "microhttpd", "sqlite"} <= set(COMPONENTS)
PLAIN = {name: value for name, value in os.environ.items()
         if not name.startswith(("OTEL_", "WHENCE_", "PKG_CONFIG", "CMAKE_")) and name not in ("CFLAGS", "CXXFLAGS", "LDFLAGS", "DESTDIR")}


def setUpModule():
    global folder, prefix, libdir
    folder = tempfile.mkdtemp(prefix="whence-install.")
    unittest.addModuleCleanup(shutil.rmtree, folder)
    install(f"{folder}/first")
    prefix = f"{folder}/moved"
    os.rename(f"{folder}/first", prefix)
    (library,) = glob.glob(f"{prefix}/**/libwhence.so", recursive=True)
    libdir = os.path.dirname(library)


def install(into, **environment):
    house.run("cmake", "--install", house.BUILD, "--prefix", into, env={**PLAIN, **environment})


def pkg_config(*args, **options):
    return shlex.split(house.run("pkg-config", *args, env={**PLAIN, "PKG_CONFIG_PATH": f"{libdir}/pkgconfig"}, **options))


def execute(program, *arguments, library_path=None, **environment):
    """(what it printed, what it complained of); it must return 0 in a minute."""
    env = {**PLAIN, "OTEL_TRACES_EXPORTER": "none", **environment}
    if library_path:
        env["LD_LIBRARY_PATH"] = library_path
    done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise AssertionError(f"{program}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def dynamic(path):
    return house.run("readelf", "-dW", path)


class Collector:
    """Accepts spans over HTTP, and keeps what it was sent."""

    def __enter__(self):
        bodies = self.bodies = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


class Programs:
    """What each of the programs must do, however it was built."""

    def check_consumer(self, program, library_path=None):
        out, err = execute(program, library_path=library_path)
        self.assertIn("client_gone", out)
        self.assertIn("closed the window", out)
        self.assertEqual(out.splitlines()[-1], version())
        self.assertEqual(err, "")
        out, err = execute(program, library_path=library_path, OTEL_TRACES_EXPORTER="console")
        self.assertIn("place order", err)
        self.assertIn("charge card", err)

    def check_order(self, program, library_path=None):
        self.assertEqual(execute(program, library_path=library_path), ("served\n", ""))

    def check_exporter(self, program, library_path=None):
        with Collector() as collector:
            _, err = execute(program, library_path=library_path, OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
                             no_proxy="*")
            self.assertEqual(err, "")
            self.assertEqual([path for path, _ in collector.bodies], ["/v1/traces"])
            self.assertIn(b"place order", collector.bodies[0][1])

    def check_integrations(self, program, library_path=None):
        self.assertEqual(execute(program, library_path=library_path), ("here\n", ""))


def version():
    return "".join(pkg_config("--modversion", "whence"))


class PkgConfig(unittest.TestCase, Programs):
    def each(self, language, source, flags, check):
        """Builds the program with every compiler of that language, and checks it."""
        for i, (compiler, name, standard) in enumerate(house.LANGUAGES):
            if name == language:
                with self.subTest(compiler=compiler, source=source):
                    program = f"{folder}/{self.id()}.{source}.{i}"
                    house.run(compiler, standard, "-O1", "-D_GNU_SOURCE", *house.WARNINGS, "-x", language, f"{HERE}/{source}",
                              "-x", "none", "-Wl,--as-needed", *flags, "-o", program, env=PLAIN)
                    check(program)

    def shared(self, language):
        flags = pkg_config("--cflags", "--libs", "whence")
        self.each(language, "consumer.c", flags, lambda program: self.check_consumer(program, libdir))
        self.each(language, "consumer.c", flags, lambda program: self.assertIn("libwhence.so.0", dynamic(program)))
        self.each(language, "order_service.c", flags, lambda program: self.check_order(program, libdir))

    def static(self, language):
        flags = ["-static", *pkg_config("--static", "--cflags", "--libs", "whence")]
        self.each(language, "consumer.c", flags, self.check_consumer)
        self.each(language, "consumer.c", flags, lambda program: self.assertNotIn("NEEDED", dynamic(program)))
        self.each(language, "order_service.c", flags, self.check_order)

    def test_shared_as_c11(self):
        self.shared("c")

    def test_shared_as_cxx17(self):
        self.shared("c++")

    def test_static_as_c11(self):
        self.static("c")

    def test_static_as_cxx17(self):
        self.static("c++")

    if "otlp" in COMPONENTS:
        def test_exporter_is_there_though_nobody_refers_to_it(self):
            flags = pkg_config("--cflags", "--libs", "whence-otlp")
            self.each("c", "consumer.c", flags, lambda program: self.check_exporter(program, libdir))

        def test_exporter_from_the_archive(self):
            # Only the libraries of ours: Debian has no static libcurl without a dozen packages more.
            archives = f"{folder}/archives"
            shutil.copytree(prefix, archives, symlinks=True, ignore=shutil.ignore_patterns("*.so*"))
            flags = [flag.replace(prefix, archives) for flag in pkg_config("--cflags", "--libs", "whence-otlp")]
            flags += [*pkg_config("--libs", "libcurl", "libprotobuf-c", "zlib"), "-pthread"]
            self.each("c", "consumer.c", flags, self.check_exporter)
            self.each("c", "consumer.c", flags, lambda program: self.assertNotIn("libwhence", dynamic(program)))

    if INTEGRATIONS:
        def test_integrations(self):
            flags = pkg_config("--cflags", "--libs", "whence-curl", "whence-microhttpd", "whence-sqlite")
            for language in ("c", "c++"):
                self.each(language, "integrations.c", flags, lambda program: self.check_integrations(program, libdir))


class FindPackage(unittest.TestCase, Programs):
    def configure(self, name, language, compiler, components, ok=True):
        build = f"{folder}/{name}"
        said = house.run("cmake", "-S", f"{HERE}/project", "-B", build, "-G", "Ninja", f"-DLANGUAGE={language}",
                         f"-DCMAKE_{language}_COMPILER={compiler}", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DSOURCES={HERE}",
                         f"-DCOMPONENTS={';'.join(components)}", ok=ok, env=PLAIN)
        return build, said

    def check(self, language, compilers):
        for compiler in compilers:
            with self.subTest(compiler=compiler):
                build, _ = self.configure(f"{self.id()}.{os.path.basename(compiler)}", language, compiler, COMPONENTS)
                house.run("cmake", "--build", build, env=PLAIN)
                # CMake has written the path of the shared library into the program.
                for kind in ("", "-static"):
                    self.check_consumer(f"{build}/consumer{kind}")
                    self.check_order(f"{build}/order{kind}")
                    if "otlp" in COMPONENTS:
                        self.check_exporter(f"{build}/exporter{kind}")
                    if INTEGRATIONS:
                        self.check_integrations(f"{build}/integrations{kind}")
                for program in glob.glob(f"{build}/*-static"):
                    self.assertNotIn("libwhence", dynamic(program))

    def test_as_c11(self):
        self.check("C", house.CC)

    def test_as_cxx17(self):
        self.check("CXX", house.CXX)

    def test_a_component_that_is_not_there(self):
        _, said = self.configure(self.id(), "C", house.CC[0], ["telepathy"], ok=False)
        self.assertIn("installed without telepathy", " ".join(said.split()))


class Installed(unittest.TestCase):
    def test_these_files_and_no_others(self):
        ours = "|".join(["whence"] + [f"whence-{name}" for name in COMPONENTS])
        expected = re.compile(
            rf"include/whence/({'|'.join(house.public_headers())})\.h"
            rf"|lib({ours})\.(a|so|so\.0|so\.{re.escape(version())})"
            rf"|pkgconfig/({ours})\.pc"
            rf"|cmake/whence/(whence-config(-version)?|({ours})-(component|targets(-\w+)?))\.cmake")
        found = []
        for place, _, names in os.walk(prefix):
            if os.path.relpath(place, prefix).split(os.sep)[0] in ("bin", "share"):
                continue  # below
            top = prefix if os.path.relpath(place, prefix).startswith("include") else libdir
            found += [os.path.relpath(os.path.join(place, name), top) for name in names]
        self.assertEqual([path for path in found if not expected.fullmatch(path)], [])
        self.assertEqual(len(found), len(house.public_headers()) + 2 + (1 + len(COMPONENTS)) * (4 + 1 + 3))

    @unittest.skipUnless(TOOL, "the program whence was not built")
    def test_the_program_and_its_manual(self):
        self.assertEqual(self.below(f"{prefix}/bin"), ["whence"])
        self.assertEqual(self.below(f"{prefix}/share"), ["man/man1/whence.1"])
        self.assertNotRegex(dynamic(f"{prefix}/bin/whence"), r"RPATH|RUNPATH|NEEDED.*libwhence")
        self.assertEqual(execute(f"{prefix}/bin/whence", "--version")[0], f"whence {version()}\n")
        spans = os.path.join(house.SOURCE, "tests", "fuzz", "corpus", "whence_tool", "chain")
        self.assertRegex(execute(f"{prefix}/bin/whence", "why", spans)[0], r"^GET /order \(gateway\) was stopped after 300 ms by its own deadline")

    def test_knows_nothing_of_where_it_was_built(self):
        for path in glob.glob(f"{prefix}/**", recursive=True):
            if path.endswith((".pc", ".cmake", ".h")):
                self.assertForgot(path, path)
            elif ".so" in path and not os.path.islink(path):
                self.assertNotRegex(dynamic(path), "RPATH|RUNPATH", path)
                house.run("strip", "-o", f"{folder}/stripped", path)  # what is for debuggers does say where the sources were
                self.assertForgot(f"{folder}/stripped", path)

    def assertForgot(self, path, name):
        with open(path, "rb") as file:
            text = file.read()
        for place in (house.BUILD, house.SOURCE, f"{folder}/first"):
            self.assertFalse(os.fsencode(place) in text, f"{name} knows of {place}")

    def test_a_package_is_built_in_a_folder_of_its_own(self):
        install("/opt/whence of nobody", DESTDIR=f"{folder}/package")
        self.assertFalse(os.path.exists("/opt/whence of nobody"))
        self.assertEqual(os.listdir(f"{folder}/package"), ["opt"])
        package = f"{folder}/package/opt/whence of nobody"
        self.assertEqual(self.below(package), self.below(prefix))
        for path in self.below(prefix):
            self.assertTrue(filecmp.cmp(f"{prefix}/{path}", f"{package}/{path}", shallow=False), path)

    @staticmethod
    def below(top):
        return sorted(os.path.relpath(os.path.join(place, name), top) for place, _, names in os.walk(top) for name in names)

    def test_the_version_is_the_same_everywhere(self):
        header = house.read("include", "whence", "base.h")
        self.assertEqual(re.search(r'#define WH_VERSION "(.*)"', header)[1], version())
        numbers = [re.search(rf"#define WH_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH")]
        self.assertEqual(".".join(numbers), version())

    def test_writes_nothing_into_the_source_tree(self):
        before = self.tree()
        install(f"{folder}/again")
        finder = FindPackage()
        build, _ = finder.configure("untouched", "C", house.CC[0], [])
        house.run("cmake", "--build", build, env=PLAIN)
        self.assertEqual(sorted(self.tree() - before), [])

    @staticmethod
    def tree():
        found = set()
        for place, folders, names in os.walk(house.SOURCE):
            folders[:] = [name for name in folders if os.path.join(place, name) not in (house.BUILD, f"{house.SOURCE}/build",
                                                                                       f"{house.SOURCE}/.git")]
            found.update(os.path.join(place, name) for name in names)
        return found


if __name__ == "__main__":
    unittest.main(verbosity=2)
