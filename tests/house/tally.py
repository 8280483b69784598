#!/usr/bin/env python3
"""Counts test cases in what ctest printed, for ./run test.

  tally.py show                     lets through, from stdin, what a person wants to see of `ctest --verbose` while it runs
  tally.py add RESULTS NAME LOG     notes what became of the tests in LOG, and shows the output of those that failed
  tally.py fail RESULTS NAME ROOM WHY   notes something that failed before there was a test
  tally.py omit RESULTS NAME WHY    notes what was left out on purpose
  tally.py end RESULTS              prints the table and "N passed, N failed"; exit status 0 only if nothing failed

What a test leaves out of itself, since something it compares with is not here, it says in a line "left out: WHAT: WHY".

A case counts as passed only if it said so itself: what was skipped, what a crash or a time limit cut off, and what never started
has failed. A program that is neither cmocka nor unittest is one case.
"""

import re
import sys

RESULT = re.compile(r"^ *\d+/\d+ Test +#(\d+): (\S+) \.*\s*(?:\*\*\*)?(.+?) +([0-9.]+) sec")
OUTPUT = re.compile(r"^(\d+): (.*)$")
LEFT_OUT = re.compile(r"^left out: (\S.*): (\S.*)$")
START = re.compile(r"^ +Start +(\d+): (\S+)")
END = re.compile(r"^\d+% tests passed, \d+ tests failed out of (\d+)")
FIRST_LINES, LAST_LINES = 60, 140  # what is shown of a failure: what broke first, and how it ended


class Test:
    """One test of ctest's: a program with any number of cases."""

    def __init__(self, name):
        self.name = name
        self.state = "did not end"
        self.seconds = 0.0
        self.lines = []

    def count(self):
        """(passed, failed)"""
        text = "\n".join(self.lines)
        passed, total = self._cmocka(text)
        more_passed, more_total = self._unittest(text)
        passed, total = passed + more_passed, total + more_total
        if self.state == "Passed":
            return (passed, total - passed) if total else (1, 0)
        return passed, max(total - passed, 1)

    def passed_cases(self):
        """Their names, as cmocka and unittest print them. What a test writes, or its docstring, may stand before the verdict."""
        text = "\n".join(self.lines)
        cases = re.findall(r"\[       OK \] (\w+)", text)
        for part in re.split(r"^(?=test_\w+ \()|^(?=[-=]{70}$)", text, flags=re.MULTILINE):
            if match := re.match(r"(test_\w+) \([\w.]+\)", part):
                verdicts = re.findall(r"(?:^|\s)(ok|FAIL|ERROR|skipped '.*'|expected failure|unexpected success)$", part, re.MULTILINE)
                if verdicts and verdicts[-1] == "ok":
                    cases.append(match[1])
        return cases

    @staticmethod
    def _cmocka(text):
        # A test may write without a newline: what cmocka says need not begin a line.
        total = sum(int(n) for n in re.findall(r"\[==========\] Running (\d+) test\(s\)", text))
        return min(text.count("[       OK ] "), total), total

    @staticmethod
    def _unittest(text):
        passed, total = 0, 0
        for ran, verdict in re.findall(r"^Ran (\d+) tests? in [0-9.]+s\n\n(.*)$", text, re.MULTILINE):
            bad = sum(int(n) for n in re.findall(r"(?:failures|errors|skipped|unexpected successes)=(\d+)", verdict))
            good = max(int(ran) - bad, 0) if re.match(r"OK|FAILED", verdict) else 0
            passed, total = passed + good, total + good + max(bad, int(ran) - good)
        return passed, total


def read(lines):
    """(the tests by their numbers, whether ctest ran to its end)"""
    tests, ended = {}, False
    for line in lines:
        line = line.rstrip("\n")
        if match := OUTPUT.match(line):
            tests.setdefault(match[1], Test("?")).lines.append(match[2])
        elif match := START.match(line):
            tests.setdefault(match[1], Test("?")).name = match[2]
        elif match := RESULT.match(line):
            test = tests.setdefault(match[1], Test("?"))
            test.name, test.state, test.seconds = match[2], match[3], float(match[4])
        elif match := END.match(line):
            ended = int(match[1]) == len(tests)
    return tests, ended


def note(results, *fields):
    with open(results, "a", encoding="utf-8") as file:
        print(*fields, sep="\t", file=file)


def add(results, name, log):
    with open(log, encoding="utf-8", errors="replace") as file:
        tests, ended = read(file)
    rooms = {}
    for test in tests.values():
        passed, failed = test.count()
        room = rooms.setdefault(test.name.split("_")[0], [0, 0, 0.0, []])
        for i, n in enumerate((passed, failed, test.seconds)):
            room[i] += n
        if failed:
            room[3].append(test.name)
            show_failure(name, test, failed)
        for case in test.passed_cases():
            note(results, "case", test.name, case)
        for what, why in (match.groups() for match in map(LEFT_OUT.match, test.lines) if match):
            note(results, "omitted", name, f"{what}, in {test.name}: {why}")
    for room, (passed, failed, seconds, names) in sorted(rooms.items()):
        note(results, "ran", name, room, passed, failed, f"{seconds:.1f}", ", ".join(names))
    if not tests:
        note(results, "ran", name, "-", 0, 1, "0.0", "there are no such tests")
    elif not ended:
        note(results, "ran", name, "ctest", 0, 1, "0.0", "did not run to its end")


def show_failure(name, test, failed):
    print(f"\n---- {name}: {test.name}: {test.state}, {failed} failed ----")
    # What ctest itself says of a test comes first, and ends with its time limit.
    begin = next((i + 1 for i, line in enumerate(test.lines) if line.startswith("Test timeout computed")), 0)
    lines = test.lines[begin:]
    if len(lines) > FIRST_LINES + LAST_LINES:
        lines[FIRST_LINES:-LAST_LINES] = [f"({len(lines) - FIRST_LINES - LAST_LINES} lines more)"]
    print("\n".join(lines))
    print("----", flush=True)


def end(results):
    with open(results, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    ran = [row[1:] for row in rows if row[0] == "ran"]
    print(f"\n{'':10} {'':14} {'passed':>7} {'failed':>7} {'seconds':>8}")
    for name, room, passed, failed, seconds, why in ran:
        print(f"{name:10} {room:14} {passed:>7} {failed:>7} {seconds:>8}  {why}".rstrip())
    for _, name, why in (row for row in rows if row[0] == "omitted"):
        print(f"{name:10} not run: {why}")
    passed, failed = (sum(int(row[i]) for row in ran) for i in (2, 3))
    print(f"\n{passed} passed, {failed} failed")
    return 0 if ran and failed == 0 and passed else 1


def main(args):
    command, args = args[0], args[1:]
    if command == "show":
        for line in sys.stdin:
            if RESULT.match(line) or line.startswith(("Errors while", "No tests were found")):
                print(line, end="", flush=True)
    elif command == "add":
        add(*args)
    elif command == "fail":
        results, name, room, why = args
        note(results, "ran", name, room, 0, 1, "0.0", why)
    elif command == "omit":
        results, name, why = args
        note(results, "omitted", name, why)
    elif command == "end":
        return end(*args)
    else:
        sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")
    sys.stdin.reconfigure(errors="replace")
    try:
        sys.exit(main(sys.argv[1:] or ["help"]))
    except KeyboardInterrupt:
        sys.exit(130)
