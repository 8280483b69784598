"""docs/compliance.md against the list of requirements and the tests: every number is there, every test that it names is too."""

import glob
import os
import re
import tempfile
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


class WhatHasRun(unittest.TestCase):
    def judge(self, *notes):
        """What is noted of a run in which all tests of the page have passed, with these notes in place of some."""
        missing = {tuple(note[1:]) for note in notes if note[0] == "missing"}
        with tempfile.TemporaryDirectory() as folder:
            results = os.path.join(folder, "results.tsv")
            with open(results, "w", encoding="utf-8") as file:
                for test in {test for row in ROWS for test in row.tests} - missing:
                    print("case", *test, sep="\t", file=file)
                for note in (note for note in notes if note[0] != "missing"):
                    print(*note, sep="\t", file=file)
            compliance.main(results)
            with open(results, encoding="utf-8") as file:
                return [line.rstrip("\n").split("\t") for line in file if not line.startswith("case")]

    def test_all_has_passed(self):
        (ran,) = self.judge()
        self.assertEqual(ran[:5], ["ran", "compliance", "requirements", str(sum(bool(row.tests) for row in ROWS)), "0"])

    def test_one_that_did_not_pass_fails_its_requirement(self):
        program, case = ROWS[0].tests[0]
        (ran,) = self.judge(("missing", program, case))
        self.assertNotEqual(ran[4], "0")
        self.assertIn(f"{ROWS[0].number} ({program}: {case})", ran[6])

    def test_one_whose_program_has_left_something_out_is_left_out(self):
        program, case = ROWS[0].tests[0]
        notes = self.judge(("missing", program, case), ("omitted", "e2e", f"the SDK, in {program}: no network"))
        self.assertEqual([note[4] for note in notes if note[0] == "ran"], ["0"])
        self.assertIn(ROWS[0].number, notes[-1][2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
