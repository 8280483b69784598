#!/usr/bin/env python3
"""docs/compliance.md, read; and, for ./run test, held against what has run.

  compliance.py RESULTS             after the suites: every test that the page names must have passed somewhere, or its program has
                                    said what it leaves out and why. What tally.py noted in RESULTS is what ran; what of that the page
                                    needs is noted there in turn
  compliance.py RESULTS WHY         the same where not everything was to run, and why: what is missing was left out
"""

import os
import re
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROW = re.compile(r"^\| (\d+\.\d+) \| (\S+) \| (.+?) \| (yes|in part|no|n\.a\.) \| (.*?) \| (.*?) \| (.*?) \|$")
TEST = re.compile(r"`(\w+): (\w+)`")


class Row:
    """One requirement: its number, level, words; whether it is met, how or why not, and by which tests (program, case)."""

    def __init__(self, match):
        self.number, self.level, self.words, self.met, self.how, tests, self.without = match.groups()
        self.tests = TEST.findall(tests)
        self.rest = TEST.sub("", tests).replace(",", "").strip()


def rows(text):
    return [Row(match) for match in map(ROW.match, text.splitlines()) if match]


def page():
    with open(f"{SOURCE}/docs/compliance.md", encoding="utf-8") as file:
        return file.read()


def numbers():
    """All there are, in order."""
    with open(f"{SOURCE}/tests/house/requirements.txt", encoding="utf-8") as file:
        return [number for line in file if not line.startswith("#") for number in line.split()]


def noted(results):
    """(the cases that passed, the programs that have left something out, as what they need is not here)"""
    with open(results, encoding="utf-8") as file:
        fields = [line.rstrip("\n").split("\t") for line in file]
    passed = {tuple(field[1:3]) for field in fields if field[0] == "case"}
    return passed, {match[1] for field in fields if field[0] == "omitted" and (match := re.search(r", in (\w+): ", field[2]))}


def main(results, partly=""):
    passed, short = noted(results)
    sections = {}
    left_out = []
    for row in rows(page()):
        if not row.tests:
            continue
        missing = [f"{program}: {case}" for program, case in row.tests if (program, case) not in passed]
        excused = all(test.split(":")[0] in short for test in missing)
        section = sections.setdefault(row.number.split(".")[0], [0, 0, []])
        if not missing:
            section[0] += 1
        elif partly or excused:
            left_out.append(row.number)
        else:
            section[1] += 1
            section[2].append(f"{row.number} ({', '.join(missing)})")
    with open(results, "a", encoding="utf-8") as file:
        good, bad = (sum(section[i] for section in sections.values()) for i in (0, 1))
        why = "; ".join(words for section in sections.values() for words in section[2])
        print("ran", "compliance", "requirements", good, bad, "0.0", why, sep="\t", file=file)
        if left_out:
            print("omitted", "compliance", f"the tests of {', '.join(left_out)}: {partly or 'what they need is not here'}", sep="\t", file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
