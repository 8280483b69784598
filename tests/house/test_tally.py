#!/usr/bin/env python3
"""The verdict of ./run test: nothing that went wrong may count as passed."""

import contextlib
import io
import os
import tempfile
import unittest

import tally

END = "100% tests passed, 0 tests failed out of 1\n"


def log(output, state="Passed", name="room_subject"):
    """What ctest --verbose prints of one test."""
    mark = "" if state == "Passed" else "***"
    lines = "".join(f"7: {line}\n" for line in output.split("\n"))
    return f"test 7\n      Start  7: {name}\n\n7: Test command: /x\n{lines}1/1 Test #7: {name} .......   {mark}{state}    0.52 sec\n"


def cmocka(*cases, end=True):
    text = f"[==========] Running {len(cases)} test(s).\n"
    for i, case in enumerate(cases):
        text += f"[ RUN      ] case_{i}\n"
        text += {"ok": "[       OK ] ", "bad": "[  FAILED  ] ", "skip": "[  SKIPPED ] "}[case] + f"case_{i}\n"
    return text + (f"[==========] {len(cases)} test(s) run.\n" if end else "")


class Counting(unittest.TestCase):
    def check(self, text, passed, failed):
        tests, _ = tally.read(text.splitlines(keepends=True))
        (test,) = tests.values()
        self.assertEqual(test.count(), (passed, failed))

    def test_cmocka(self):
        self.check(log(cmocka("ok", "ok", "ok")), 3, 0)
        self.check(log(cmocka("ok", "bad", "ok"), "Failed"), 2, 1)
        self.check(log(cmocka("ok") + cmocka("ok", "ok")), 3, 0)

    def test_cmocka_after_a_line_without_an_end(self):
        self.check(log("[==========] Running 1 test(s).\n[ RUN      ] a\nhello[       OK ] a"), 1, 0)

    def test_the_names_of_those_that_passed(self):
        text = cmocka("ok", "bad", "ok") + "hello[       OK ] late\n"
        text += "test_a (__main__.A.test_a) ... ok\ntest_b (__main__.A.test_b)\nA docstring. ... ok\n"
        text += "test_c (__main__.A.test_c) ... FAIL\ntest_d (__main__.A.test_d) ... it says this\nok\n"
        text += "test_g (__main__.A.test_g) ... \n12 spans ok\ntest_h (__main__.A.test_h) ... all is ok\nFAIL\n"
        text += "test_e (__main__.A.test_e) ... skipped 'why'\ntest_f (__main__.A.test_f) ... "
        tests, _ = tally.read(log(text, "Failed").splitlines(keepends=True))
        (test,) = tests.values()
        self.assertEqual(test.passed_cases(), ["case_0", "case_2", "late", "test_a", "test_b", "test_d", "test_g"])

    def test_skipped_is_failed(self):
        self.check(log(cmocka("ok", "skip")), 1, 1)
        self.check(log("...s\n" + "-" * 70 + "\nRan 4 tests in 0.001s\n\nOK (skipped=1)"), 3, 1)

    def test_crash_in_the_middle(self):
        text = "[==========] Running 5 test(s).\n[ RUN      ] a\n[       OK ] a\n[ RUN      ] b"
        self.check(log(text, "Exception: SegFault"), 1, 4)

    def test_crash_before_and_after_all_cases(self):
        self.check(log("", "Exception: Illegal"), 0, 1)
        self.check(log(cmocka("ok", "ok"), "Failed"), 2, 1)  # a leak, found at exit

    def test_time_limit(self):
        self.check(log("[==========] Running 2 test(s).\n[ RUN      ] a", "Timeout"), 0, 2)
        self.check(log("", "Timeout"), 0, 1)

    def test_exit_status_0_in_spite_of_a_failed_case(self):
        self.check(log(cmocka("ok", "bad")), 1, 1)

    def test_not_run(self):
        for state in ("Not Run", "Not Run (Disabled)", "Skipped"):
            self.check(f"1/1 Test #7: a .......***{state}   0.00 sec\n", 0, 1)

    def test_unittest(self):
        self.check(log("..\n----\nRan 2 tests in 0.003s\n\nOK"), 2, 0)
        self.check(log("F.E\n----\nRan 3 tests in 0.003s\n\nFAILED (failures=1, errors=1)", "Failed"), 1, 2)
        self.check(log("----\nRan 1 test in 1.2s\n\nFAILED (failures=6)", "Failed"), 0, 6)
        self.check(log("----\nRan 0 tests in 0.0s\n\nFAILED (errors=1)", "Failed"), 0, 1)
        self.check(log("Traceback", "Failed"), 0, 1)

    def test_other_programs_are_one_case(self):
        self.check(log("fine"), 1, 0)
        self.check(log("not fine", "Failed"), 0, 1)

    def test_output_that_looks_like_a_result(self):
        self.check(log("1/1 Test #7: room_subject .......   Passed    0.52 sec", "Failed"), 0, 1)

    def test_started_and_never_ended(self):
        self.check("      Start  7: a\n7: [==========] Running 1 test(s).\n", 0, 1)


class Verdict(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.results, self.log = os.path.join(folder.name, "results"), os.path.join(folder.name, "log")

    def tally(self, *args):
        """(exit status, what was printed)"""
        with contextlib.redirect_stdout(io.StringIO()) as out:
            status = tally.main(args)
        return status, out.getvalue()

    def add(self, text):
        with open(self.log, "w", encoding="utf-8") as file:
            file.write(text)
        return self.tally("add", self.results, "release", self.log)[1]

    def end(self):
        status, text = self.tally("end", self.results)
        return status, text.splitlines()[-1]

    def test_all_well(self):
        self.assertEqual(self.add(log(cmocka("ok", "ok")) + END), "")
        self.assertEqual(self.end(), (0, "2 passed, 0 failed"))

    def test_a_failure_is_shown_and_counted(self):
        shown = self.add(log("because\n" + cmocka("ok", "bad"), "Failed") + "0% tests passed, 1 tests failed out of 1\n")
        self.assertIn("because", shown)
        self.assertEqual(self.end(), (1, "1 passed, 1 failed"))
        self.assertRegex(self.tally("end", self.results)[1], r"(?m)^release +room +1 +1 +[0-9.]+  room_subject$")

    def test_of_a_long_failure_its_begin_and_its_end_are_shown(self):
        shown = self.add(log("\n".join(f"line {i}" for i in range(1000)), "Failed") + END).splitlines()
        self.assertIn("line 0", shown)
        self.assertIn("line 999", shown)
        self.assertNotIn("line 500", shown)
        self.assertEqual(len(shown), tally.FIRST_LINES + tally.LAST_LINES + 4)

    def test_ctest_that_did_not_end(self):
        self.add(log(cmocka("ok")))
        self.assertEqual(self.end(), (1, "1 passed, 1 failed"))

    def test_no_tests_at_all(self):
        self.add("No tests were found!!!\n")
        self.assertEqual(self.end(), (1, "0 passed, 1 failed"))

    def test_what_failed_before_its_tests_and_what_was_left_out(self):
        self.add(log(cmocka("ok")) + END)
        self.tally("omit", self.results, "tsan", "--quick")
        self.assertEqual(self.end(), (0, "1 passed, 0 failed"))
        self.tally("fail", self.results, "asan", "build", "does not build")
        self.assertIn("not run: --quick", self.tally("end", self.results)[1])
        self.assertEqual(self.end(), (1, "1 passed, 1 failed"))

    def test_what_a_test_says_that_it_left_out(self):
        self.add(log("left out: half of it: there is no Go\n" + cmocka("ok")) + END)
        self.assertEqual(self.end(), (0, "1 passed, 0 failed"))
        self.assertRegex(self.tally("end", self.results)[1], r"(?m)^release +not run: half of it, in room_subject: there is no Go$")

    def test_rooms_of_one_configuration(self):
        self.add(log(cmocka("ok")) + log(cmocka("ok", "ok"), name="other_subject").replace("7", "8") + END.replace("1\n", "2\n"))
        status, text = self.tally("end", self.results)
        self.assertRegex(text, r"release +other +2 +0 +0\.5\nrelease +room +1 +0 +0\.5\n")
        self.assertEqual(status, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
