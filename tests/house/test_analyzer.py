#!/usr/bin/env python3
"""docs/analyzer.md: gcc's -fanalyzer reports a context that is never ended, and nothing where WH_AUTO ends it."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

import house

PAGE = house.read("docs", "analyzer.md")
FORGETS = re.search(r"^`forgets\.c`:\n\n```c\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
RIGHT = FORGETS.replace("    wh_ctx *op", "    WH_AUTO wh_ctx *op").replace("    wh_end(op);\n", "")


def gcc_that_analyzes():
    for compiler in house.CC:
        said = house.run(compiler, "--version", ok=None)
        version = house.run(compiler, "-dumpversion", ok=None).strip().split(".")[0]
        if "Free Software Foundation" in said and version.isdigit() and int(version) >= 12:
            return compiler
    return None


class Analyzer(unittest.TestCase):
    def analyze(self, program):
        """What gcc says, as (the line, the warning's name)."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "forgets.c")
            with open(path, "w", encoding="utf-8") as file:
                file.write(program)
            done = subprocess.run([GCC, "-std=c11", "-fanalyzer", "-O1", "-Wall", "-I", f"{house.SOURCE}/include", "-c", path, "-o",
                                   f"{path}.o"], capture_output=True, text=True, timeout=120, check=True,
                                  env={**os.environ, "LC_ALL": "C"})
        return [(int(line), name) for line, name in re.findall(r"(?m)^\S*forgets\.c:(\d+):\d+: warning: .*\[-W([\w-]+)\]$", done.stderr)]

    def test_what_is_never_ended(self):
        line = FORGETS.split("\n").index("    if (key < 0) return -1;") + 1
        self.assertEqual(set(self.analyze(FORGETS)), {(line, "analyzer-malloc-leak")})

    def test_what_wh_auto_ends(self):
        self.assertIn("WH_AUTO", RIGHT)
        self.assertEqual(self.analyze(RIGHT), [])

    def test_what_is_ended_by_hand(self):
        self.assertEqual(self.analyze(FORGETS.replace("return -1;", "{ wh_end_because(op, WH_CANCELED); return -1; }")), [])

    def test_what_is_ended_twice_and_looked_at_afterwards(self):
        twice = FORGETS.replace("return -1;", "{ wh_end(op); wh_end(op); return -1; }")
        self.assertIn("analyzer-double-free", [name for _, name in self.analyze(twice)])
        late = FORGETS.replace("    return err;", "    return err + (int)wh_deadline(op);")
        self.assertIn("use-after-free", [name for _, name in self.analyze(late)])

    def test_the_page_shows_what_gcc_says(self):
        shown = re.findall(r"(?m)^forgets\.c:(\d+):\d+: warning: .*\[-W([\w-]+)\]$", PAGE)
        self.assertEqual(set((int(line), name) for line, name in shown), set(self.analyze(FORGETS)))


if __name__ == "__main__":
    GCC = gcc_that_analyzes()
    if not GCC:
        print("left out: what gcc's -fanalyzer reports: there is no gcc 12 or newer")
        sys.exit(0)
    unittest.main(verbosity=2)
