#!/usr/bin/env python3
"""Scripted cases and random programs on Whence and on Go's own package context: both must say what is written there.

Usage: test_go.py PROGRAM [unittest's arguments]      PROGRAM: cases/cases.c
WHENCE_SEED=<number> begins the random programs with another one.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from house import SOURCE, run

PROGRAM = None
HERE = os.path.join(SOURCE, "tests", "context")
CASES = sorted(glob.glob(os.path.join(HERE, "cases", "*.txt")))
RANDOM = 3000 * (10 if os.environ.get("WHENCE_LONG") else 1)
SEED = os.environ.get("WHENCE_SEED") or (str(time.time_ns() % 2**32 | 1) if os.environ.get("WHENCE_LONG") else "1")
AT_LEAST = (1, 21)  # WithoutCancel, AfterFunc, WithDeadlineCause


def find_go():
    """A Go that is new enough, and its version; else None, and why."""
    why = "there is no Go"
    for go in filter(None, (shutil.which("go"), "/usr/local/go/bin/go")):
        if os.access(go, os.X_OK):
            said = run(go, "env", "GOVERSION", ok=None, env={**os.environ, "GOTOOLCHAIN": "local"}).strip()
            version = re.search(r"go(\d+)\.(\d+)", said)
            if version and (int(version[1]), int(version[2])) >= AT_LEAST:
                return go, said
            why = f"Go is older than {AT_LEAST[0]}.{AT_LEAST[1]}"
    return None, why


def read_cases(path):
    """For each line with a result: (what Whence says, what Go may say, the case)."""
    lines, case = {}, None
    with open(path, encoding="utf-8") as file:
        text = file.read().split("\n")
    for number, line in enumerate(text, 1):
        if line.startswith("case "):
            case = line
        differs = re.match(r"\s+go -> (.*?) : (\S.*)$", line)
        if differs:
            before = max(lines)
            assert before == number - 1, f"{path}:{number}: belongs to no line"
            lines[before] = (lines[before][0], [word.strip() for word in differs[1].split("|")], case)
        elif "->" in line and not line.startswith("#"):
            assert not line.lstrip().startswith("go "), f"{path}:{number}: why is it not the same?"
            expected = line.partition("->")[2].strip()
            lines[number] = (expected, [expected], case)
    return lines


def results(program, paths):
    """{path: {line: what it came to}}"""
    found = {path: {} for path in paths}
    done = subprocess.run([program, *paths], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise AssertionError(f"exit status {done.returncode}\n{done.stderr}")
    for line in done.stdout.splitlines():
        where, _, said = line.partition("\t")
        path, _, number = where.rpartition(":")
        found[path][int(number)] = said.strip()
    return found


# Foreign contexts are not to be had in C (7, 11, 12); 10 is a race (test_race.c); 22 prints, which nothing here does.
NOT_IN_CASES = {7, 10, 11, 12, 22}


class Comparison(unittest.TestCase):
    maxDiff = None

    def compare(self, path, said, who):
        """who: 0 is Whence, 1 is Go."""
        wrong = []
        expected = read_cases(path)
        for number, (whence, go, case) in sorted(expected.items()):
            may = [whence] if who == 0 else go
            if "*" not in may and said.get(number, "") not in may:
                wrong.append(f"{path}:{number}: {case}: {said.get(number)!r}, not {' or '.join(map(repr, may))}")
        self.assertEqual(wrong[:20], [])
        return len(expected)


class Cases(Comparison):
    def test_there_are_as_many_as_one_thinks(self):
        names = [case for path in CASES for case in {case for _, _, case in read_cases(path).values()}]
        rules = {int(rule) for name in names for rule in re.findall(r"\bR(\d+)\b", name)}
        self.assertGreaterEqual(len(names), 60)
        self.assertEqual(rules, set(range(1, 27)) - NOT_IN_CASES)

    def test_whence_says_what_is_written(self):
        said = results(PROGRAM, CASES)
        lines = sum(self.compare(path, said[path], 0) for path in CASES)
        print(f"\n{lines} lines of {len(CASES)} files", end=" ")


class Go(Comparison):
    """The same, on Go."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="whence-go-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.program = os.path.join(folder.name, "cases")
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "whence", "go-build")
        run(GO, "build", "-o", cls.program, ".", cwd=os.path.join(HERE, "go"),
            env={**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOCACHE": cache, "GOWORK": "off",
                 "CGO_ENABLED": "0", "GOPROXY": "off"})

    def test_go_says_what_is_written(self):
        said = results(self.program, CASES)
        for path in CASES:
            self.compare(path, said[path], 1)

    def test_go_says_the_same_of_random_programs(self):
        path = os.path.join(self.folder, "random.txt")
        with open(path, "w", encoding="utf-8") as file:
            subprocess.run([PROGRAM, "--random", str(RANDOM), SEED], stdout=file, timeout=300, check=True)
        lines = self.compare(path, results(self.program, [path])[path], 1)
        print(f"\n{RANDOM} programs from WHENCE_SEED={SEED}, {lines} lines", end=" ")
        self.assertGreater(lines, 5 * RANDOM)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    GO, said_of_go = find_go()
    if GO:
        print(f"compared with {said_of_go}")
    else:
        print(f"left out: the comparison with Go's own contexts: {said_of_go}", flush=True)
        del Go
    unittest.main(verbosity=2)
