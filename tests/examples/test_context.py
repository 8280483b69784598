"""What people copy: every program of examples/context is run, and prints what its file in tests/examples/context says.

Usage: test_context.py FOLDER [unittest's arguments]; with --write in place of these, the files are written anew.

What differs from run to run is replaced on both sides: line numbers, times that were measured, ids of processes and spans, and
the words of the C library for an error.
"""

import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import unittest

SOURCE = os.environ["WHENCE_SOURCE"]
EXPECTED = f"{SOURCE}/tests/examples/context"
FOLDER = None
DURATION = r"[0-9.]+ (?:ns|us|ms|s|min|h)\b"

VARIES = (
    (r"(?:[\w./-]*/)?\b(\w+\.c):\d+", r"\1:#"),
    (rf"{DURATION} (ago|left|old|after it began)", r"# \1"),
    (rf"(\+|after |since ){DURATION}", r"\1#"),
    (r"\b(process|thread|port) \d+", r"\1 #"),
    (r"\b[0-9a-f]{16}\b", "#"),
    (r"Operation timed out", "Connection timed out"),  # musl, glibc
    (r"^(whence-timeout|header whence-timeout): \w+", r"\1: #"),
)
# Programs that end otherwise than well, on purpose.
STATUS = {"ctrl_c": 130}
ARGUMENTS = {"ctrl_c": ["itself"]}


def names(top, ending):
    return {path[len(top) + 1:-len(ending)] for path in glob.glob(f"{top}/**/*{ending}", recursive=True)}


def normal(text):
    for pattern, replacement in VARIES:
        text = re.sub(pattern, replacement, text, flags=re.M)
    return text


def run(name):
    """(exit status, what it printed, what it complained of)"""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "WHENCE_"))}
    env.update(OTEL_TRACES_EXPORTER="none", LC_ALL="C.UTF-8")
    done = subprocess.run([f"{FOLDER}/{name}", *ARGUMENTS.get(name, [])], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Examples(unittest.TestCase):
    maxDiff = None

    def test_each_prints_what_it_should(self):
        programs = names(f"{SOURCE}/examples/context", ".c")
        if not os.path.exists(f"{FOLDER}/sqlite_query"):  # built only where SQLite is
            programs -= {name for name in programs if name.startswith("sqlite_")}
        programs = sorted(programs)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:  # most of them sleep
            results = list(pool.map(run, programs))
        for name, (status, printed, complaints) in zip(programs, results):
            with self.subTest(program=name):
                with open(f"{EXPECTED}/{name}.expected", encoding="utf-8") as file:
                    expected = file.read()
                self.assertEqual((normal(printed), status), (normal(expected), STATUS.get(name, 0)), complaints)

    def test_there_is_a_program_for_every_file(self):
        self.assertEqual(names(EXPECTED, ".expected"), names(f"{SOURCE}/examples/context", ".c"))

    def test_the_table_names_every_program_and_every_pattern(self):
        with open(f"{SOURCE}/examples/context/README.md", encoding="utf-8") as file:
            page = file.read()
        linked = set(re.findall(r"\]\((?:\./)?([\w/]+)\.c\)", page))
        self.assertEqual(linked, names(f"{SOURCE}/examples/context", ".c"))
        self.assertEqual([int(n) for n in re.findall(r"^\| (\d+) \|.*\]\(", page, flags=re.M)], [*range(1, 38), *range(1, 8)])


def write():
    for name in sorted(names(f"{SOURCE}/examples/context", ".c")):
        status, printed, complaints = run(name)
        if status != STATUS.get(name, 0):
            sys.exit(f"{name}: exit status {status}\n{complaints}")
        with open(f"{EXPECTED}/{name}.expected", "w", encoding="utf-8") as file:
            file.write(normal(printed))


if __name__ == "__main__":
    FOLDER = sys.argv.pop(1)
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main(verbosity=2)
