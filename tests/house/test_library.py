#!/usr/bin/env python3
"""The libraries as the dynamic linker sees them: what they need, what they show, how large they are."""

import os
import re
import tempfile
import unittest

import house
from house import LIBRARIES

MOST_BYTES = 400_000
MOST_BYTES_UNOPTIMIZED = 440_000

# What each of them needs, besides libc.
NEEDS = {
    "whence": set(),
    "whence-otlp": {"libwhence", "libcurl", "libprotobuf-c", "libz"},
    "whence-curl": {"libwhence", "libcurl"},
    "whence-microhttpd": {"libwhence", "libmicrohttpd"},
    "whence-sqlite": {"libwhence", "libsqlite3"},
}


def dynamic(path, tag):
    return re.findall(rf"\({tag}\).*\[(.*)\]", house.run("readelf", "-dW", path))


def symbols(path):
    """[(name, version, binding, whether it is defined here)] of the dynamic symbol table."""
    found = []
    for line in house.run("readelf", "--dyn-syms", "-W", path).splitlines():
        words = line.split()
        if len(words) >= 8 and words[0].rstrip(":").isdigit():
            name, _, version = words[7].partition("@")
            found.append((name, version.lstrip("@"), words[4], words[6] != "UND"))
    return found


def exported(path):
    return {name for name, version, _, defined in symbols(path) if defined and version}


def declared(header):
    """The functions and objects that a public header declares as the library's own."""
    text = house.run(house.CC[0], "-E", "-P", "-x", "c", "-I", f"{house.SOURCE}/include", *house.public_cflags(),
                     f"{house.SOURCE}/include/whence/{header}.h")
    names = set()
    for declaration in re.findall(r'__attribute__\(\(visibility\("default"\)\)\)([^;{]*);', text):
        declaration = re.sub(r"__attribute__\s*\(\(.*?\)\)(?!\))", "", declaration)
        function = re.search(r"(\w+)\s*\(", declaration)
        names.update([function[1]] if function else re.findall(r"(\w+)\s*(?:,|$)", declaration))
    return names


class Library(unittest.TestCase):
    def test_needs_these_and_no_others(self):
        for name, path in LIBRARIES.items():
            with self.subTest(library=name):
                needed = dynamic(path, "NEEDED")
                self.assertEqual({library.partition(".")[0] for library in needed}, NEEDS[name] | {"libc"})
                self.assertEqual([library for library in needed if library.startswith("libwhence")],
                                 ["libwhence.so.0"] if "libwhence" in NEEDS[name] else [])

    def test_is_found_wherever_it_lies(self):
        for tag in ("RPATH", "RUNPATH"):
            self.assertEqual(dynamic(LIBRARIES["whence"], tag), [])

    def test_soname(self):
        for name, path in LIBRARIES.items():
            self.assertEqual(dynamic(path, "SONAME"), [f"lib{name}.so.0"])

    def test_exports_what_the_headers_declare(self):
        core = declared("whence")
        self.assertGreater(len(core), 80)
        self.assertIn("wh_reason_shutdown", core)
        otlp = {name for name in core if name.startswith(("wh_otlp_", "wh_jaeger_sampler_"))}
        for name, path in LIBRARIES.items():
            component = name.removeprefix("whence-")
            with self.subTest(library=name):
                if component == "whence":
                    expected = core - otlp
                elif component == "otlp":
                    expected = otlp
                else:
                    expected = declared(component) - core
                self.assertTrue(expected)
                self.assertEqual(exported(path) - {"WHENCE_0"}, expected)

    def test_exports_carry_the_first_version_and_our_prefix(self):
        for name, path in LIBRARIES.items():
            for symbol, version, _, defined in symbols(path):
                if defined:
                    self.assertEqual(version or symbol, "WHENCE_0", f"{name}: {symbol}")
                    self.assertRegex(symbol, r"^(wh_(?!_)|WHENCE_0$)", name)

    def test_the_exporter_is_a_weak_reference(self):
        found = [(binding, defined) for name, _, binding, defined in symbols(LIBRARIES["whence"]) if name.startswith("wh_otlp_")]
        self.assertEqual(found, [("WEAK", False)])

    def test_archives_define_only_our_names(self):
        for name, path in LIBRARIES.items():
            archive = re.sub(r"\.so(\.[0-9.]+)?$", ".a", path)
            found = re.findall(r"^[0-9a-f]+ [A-Z] (\S+)$", house.run("nm", "-g", "--defined-only", archive), re.MULTILINE)
            self.assertTrue(found)
            self.assertEqual([symbol for symbol in found if not symbol.startswith("wh_")], [], name)

    def test_is_small(self):
        with tempfile.TemporaryDirectory() as folder:
            stripped = os.path.join(folder, "stripped.so")
            house.run("strip", "-o", stripped, LIBRARIES["whence"])
            with open(os.path.join(house.BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
                optimized = "CMAKE_BUILD_TYPE:STRING=Debug\n" not in cache.read()
            self.assertLess(os.path.getsize(stripped), MOST_BYTES if optimized else MOST_BYTES_UNOPTIMIZED)


if __name__ == "__main__":
    unittest.main(verbosity=2)
