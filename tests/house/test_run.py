#!/usr/bin/env python3
"""The door: what ./run says and how it ends, on a machine that has nothing but bash and the tools every machine has."""

import os
import shutil
import subprocess
import tempfile
import unittest

import house

TOOLS = ("basename", "bash", "cat", "chmod", "cut", "dirname", "env", "grep", "head", "id", "ls", "mkdir", "mktemp", "mv", "nice",
         "nproc", "readlink", "rm", "sed", "sleep", "tail", "tee", "uname")
BUILDING = {"gcc", "libc6-dev", "cmake", "ninja-build", "pkg-config", "libcurl4-openssl-dev", "libprotobuf-c-dev", "libcjson-dev",
            "protobuf-c-compiler", "zlib1g-dev"}
SERVING = {"libmicrohttpd-dev", "libsqlite3-dev"}
TESTING = {"g++", "libcmocka-dev", "openssl", "python3"}
NOBODY = 65534


class Door(unittest.TestCase):
    def setUp(self):
        # With blanks, as some paths have. A Go that was asked its version may still be writing its telemetry there.
        folder = tempfile.TemporaryDirectory(prefix="whence run ", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.tree = os.path.join(self.folder, "tree")
        for path in ("run", ".ci/run", "tests/jaeger/jaeger.sh"):
            os.makedirs(os.path.dirname(os.path.join(self.tree, path)), exist_ok=True)
            shutil.copy(os.path.join(house.SOURCE, path), os.path.join(self.tree, path))
        self.bin = os.path.join(self.folder, "bin")
        os.mkdir(self.bin)
        for tool in TOOLS:
            os.symlink(shutil.which(tool), os.path.join(self.bin, tool))
        for path in (self.folder, self.bin, self.tree):
            os.chmod(path, 0o755)

    def door(self, *args, path=None, **options):
        """(exit status, stdout, stderr); it must leave nothing in the tree."""
        before = sorted(os.listdir(self.tree))
        done = subprocess.run([path or os.path.join(self.tree, "run"), *args], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, env={"PATH": self.bin, "HOME": self.folder}, cwd="/", **options)
        self.assertEqual(sorted(os.listdir(self.tree)), before)
        return done.returncode, done.stdout, done.stderr

    def packages(self, said):
        return said.strip().rpartition(": ")[2].split()

    def test_help(self):
        for args in ((), ("help",), ("--help",), ("-h",)):
            status, out, err = self.door(*args)
            self.assertEqual((status, err), (0, ""))
            for command in ("demo", "incident", "test", "bench", "experiment", "fuzz", "help"):
                self.assertRegex(out, rf"(?m)^\./run {command}\b")

    def test_help_names_every_option(self):
        _, out, _ = self.door("help")
        for options in (r"demo \[--jaeger\]", r"incident \[NAME\] \[--jaeger\]", r"test \[--quick\] \[--long\]",
                        r"bench \[--json FILE\] \[--quick\] \[--peers\]"):
            self.assertRegex(out, rf"(?m)^\./run {options}")
        for option in ("--jaeger", "--quick", "--long", "--peers"):
            self.assertRegex(out, rf"{option}:")

    def test_what_it_does_not_know(self):
        for args, word in ((["nonsense"], "nonsense"), (["test", "--fast"], "--fast"), (["demo", "--jeager"], "--jeager"),
                           (["incident", "--jeager"], "--jeager"), (["fuzz"], "seconds"), (["fuzz", "0"], "seconds")):
            status, out, err = self.door(*args)
            self.assertEqual((status, out), (1, ""), args)
            self.assertIn(word, err.splitlines()[-1])

    def test_ci_is_the_tests(self):
        status, _, err = self.door("--fast", path=os.path.join(self.tree, ".ci", "run"))
        self.assertEqual((status, err), (1, "run: test: unknown argument: --fast\n"))

    def test_without_apt_the_missing_packages_are_named(self):
        for args, expected in ((["demo"], BUILDING | SERVING), (["incident"], BUILDING | SERVING | {"libcjson-dev"}),
                               (["bench"], BUILDING), (["test", "--quick"], BUILDING | SERVING | TESTING),
                               (["test", "--long", "--quick"], BUILDING | SERVING | TESTING),
                               (["fuzz", "1"], BUILDING | TESTING | {"clang", "libclang-rt-dev"})):
            status, out, err = self.door(*args)
            self.assertEqual((status, out), (1, ""), args)
            self.assertIn("there is no apt-get here", err)
            self.assertEqual(len(err.splitlines()), 1, err)
            self.assertEqual(sorted(self.packages(err)), sorted(expected))

    def test_through_a_link_from_elsewhere(self):
        link = os.path.join(self.folder, "door")
        os.symlink(os.path.join(self.tree, "run"), link)
        status, _, err = self.door("test", path=link)
        self.assertEqual(status, 1)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertLessEqual(BUILDING | SERVING | TESTING | {"valgrind", "libc6-dbg"}, set(self.packages(err)))

    def test_what_is_here_is_not_named(self):
        os.symlink(shutil.which("cmake"), os.path.join(self.bin, "cmake"))
        _, _, err = self.door("demo")
        self.assertEqual(sorted(self.packages(err)), sorted((BUILDING | SERVING) - {"cmake"}))

    def test_without_root_and_sudo_apt_is_left_alone(self):
        apt, trace = os.path.join(self.bin, "apt-get"), os.path.join(self.folder, "installed")
        with open(apt, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n: >'{trace}'\n")
        os.chmod(apt, 0o755)
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        status, out, err = self.door("demo", **options)
        self.assertEqual((status, out), (1, ""))
        self.assertIn("neither root nor sudo", err)
        self.assertEqual(sorted(self.packages(err)), sorted(BUILDING | SERVING))
        self.assertFalse(os.path.exists(trace))


if __name__ == "__main__":
    unittest.main(verbosity=2)
