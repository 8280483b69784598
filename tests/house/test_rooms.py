#!/usr/bin/env python3
"""The rooms: base <- context <- trace <- { propagate, exporters } <- main. What is built on the library sees its public face."""

import json
import os
import shlex
import unittest

import house

# Whose private headers a room may include, besides its own.
SEES = {
    "base": (),
    "context": ("base",),
    "trace": ("base", "context"),
    "propagate": ("base", "context", "trace"),
    "exporters": ("base", "context", "trace"),
    "main": ("base", "context", "trace", "propagate", "exporters"),
    "otlp": (),
    "integrations": (),
}

# The public headers that it may include; main, and what is built on the library, may include any. An exporter is known to the
# provider that calls it by the structure in exporters.h.
READS = {
    "base": ("base",),
    "context": ("base", "context", "wait", "work", "live", "test"),
    "exporters": ("base", "context", "trace", "set", "resource", "exporters", "names"),
}


def room_of(path):
    """The room of a file by its path below the root, or None."""
    parts = path.split(os.sep)
    if parts[:2] == ["exporters", "otlp"]:
        return "otlp"
    return parts[0] if parts[0] in SEES else None


def sources():
    """(room, path) of every source and header of every room."""
    for folder in ("base", "context", "trace", "propagate", "exporters", "main", "integrations"):
        for place, _, names in os.walk(os.path.join(house.SOURCE, folder)):
            for name in names:
                if name.endswith((".c", ".h")):
                    path = os.path.relpath(os.path.join(place, name), house.SOURCE)
                    yield room_of(path), path


def private_headers():
    """{room: ["room/name.h"]}"""
    headers = {}
    for room, path in sources():
        before, inside, after = path.partition(os.sep + "include" + os.sep)
        if inside and before:
            headers.setdefault(room, []).append(after)
    return headers


def compile_flags():
    """{room: how the build compiles its sources, without the names of files}"""
    with open(os.path.join(house.BUILD, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    flags = {}
    for entry in commands:
        path = os.path.relpath(entry["file"], house.SOURCE)
        room = None if path.startswith(("..", "build" + os.sep)) else room_of(path)
        if room and room not in flags:
            words = shlex.split(entry["command"])
            output = words.index("-o")
            words = words[:output] + words[output + 2:]
            flags[room] = [word for word in words if word not in ("-c", entry["file"])]
    return flags


class Rooms(unittest.TestCase):
    def test_every_room_is_built(self):
        present = {room for room, path in sources() if path.endswith(".c")}
        missing = present - set(compile_flags()) - {"otlp", "integrations"}  # these can be left out
        self.assertEqual(missing, set())

    def test_the_build_refuses_an_include_against_the_arrows(self):
        flags, headers = compile_flags(), private_headers()
        self.assertIn("context/node.h", headers["context"])
        for room in flags:
            for other in headers:
                for header in headers[other]:
                    with self.subTest(room=room, header=header):
                        allowed = other == room or other in SEES[room]
                        said = house.run(*flags[room], "-x", "c", "-fsyntax-only", "-", ok=allowed, cwd="/",
                                         input=f'#include "{header}"\n')
                        if not allowed:
                            self.assertRegex(said, "No such file|not found")

    def test_sources_include_only_what_their_room_may(self):
        headers = private_headers()
        owner = {header: room for room in headers for header in headers[room]}
        for room, path in sources():
            quoted, _ = house.includes(house.read(path))
            for name in quoted:
                with self.subTest(path=path, include=name):
                    self.assertNotIn("..", name)
                    self.assertFalse(name.startswith("whence/"), "public headers have angle brackets")
                    if owner.get(name, room) != room:
                        self.assertIn(owner[name], SEES[room])

    def test_sources_include_only_the_public_headers_of_their_room_and_before(self):
        for room, path in sources():
            _, angled = house.includes(house.read(path))
            for name in angled:
                if room in READS and name.startswith("whence/"):
                    with self.subTest(path=path, include=name):
                        self.assertIn(name, [f"whence/{header}.h" for header in READS[room]])


if __name__ == "__main__":
    unittest.main(verbosity=2)
