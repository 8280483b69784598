"""docs/compliance.md against the list of requirements and the tests: every number is there, every test that it names is too."""

import glob
import os
import re
import unittest

import compliance
from house import SOURCE, read

ROWS = compliance.rows(compliance.page())


def cases():
    """(program, case) of every test that is registered, by the names that ctest and the frameworks print."""
    found = set()
    for path in glob.glob(f"{SOURCE}/tests/*/test_*.*"):
        room, file = path.split(os.sep)[-2:]
        subject, kind = os.path.splitext(file)
        program = f"{room}_{subject.removeprefix('test_')}"
        text = read("tests", room, file)
        if kind == ".c":
            names = [name for name in re.findall(r"^static void (\w+)\(void \*\*\w+\)", text, re.MULTILINE)
                     if len(re.findall(rf"\b{name}\b", text)) > 1]
        elif kind == ".py":
            names = re.findall(r"^    def (test_\w+)\(self", text, re.MULTILINE)
        else:
            names = []
        found |= {(program, name) for name in names}
    return found


class Compliance(unittest.TestCase):
    def test_every_requirement_is_there_once_and_in_order(self):
        self.assertEqual([row.number for row in ROWS], compliance.numbers())

    def test_no_line_of_a_table_is_malformed(self):
        lines = [line for line in compliance.page().splitlines() if re.match(r"^\| *\d", line)]
        self.assertEqual(len(lines), len(ROWS), [line for line in lines if not compliance.ROW.match(line)])

    def test_what_is_met_names_its_tests(self):
        bare = [row.number for row in ROWS if row.met in ("yes", "in part") and not row.tests]
        self.assertEqual(bare, [], "met, but which test shows it?")

    def test_what_is_not_met_says_why(self):
        silent = [row.number for row in ROWS if row.met != "yes" and len(row.how) < 10]
        self.assertEqual(silent, [])

    def test_every_named_test_exists(self):
        there = cases()
        wrong = [f"{row.number}: {program}: {case}" for row in ROWS for program, case in row.tests if (program, case) not in there]
        self.assertEqual(wrong, [])
        self.assertEqual([row.number for row in ROWS if row.rest], [], "something that is no name of a test")

    def test_the_sums_are_true(self):
        said = {met: int(n) for met, n in re.findall(r"^\| (yes|in part|no|n\.a\.) \| (\d+) \|$", compliance.page(), re.MULTILINE)}
        self.assertEqual(said, {met: sum(row.met == met for row in ROWS) for met in ("yes", "in part", "no", "n.a.")})


if __name__ == "__main__":
    unittest.main(verbosity=2)
