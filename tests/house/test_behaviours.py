"""tests/context/behaviours.txt against the tests: every number is in the name of a test that runs, or is explained."""

import glob
import re
import unittest

from house import SOURCE, read

LINES = [line.split(None, 1) for line in read("tests", "context", "behaviours.txt").splitlines() if not line.startswith("#")]
EXPLAINED = {line[0]: line[1] for line in LINES if len(line) > 1}
EXPECTED = {line[0] for line in LINES} - set(EXPLAINED)


def tested():
    """The numbers in the names of the tests that are registered."""
    found = set()
    for path in glob.glob(f"{SOURCE}/tests/*/test_*.c"):
        with open(path, encoding="utf-8") as file:
            for name in re.findall(r"cmocka_unit_test\w*\(\s*(\w+)", file.read()):
                found |= set(re.findall(r"T\d{3}", name))
    return found


class Behaviours(unittest.TestCase):
    def test_the_list_is_whole(self):
        self.assertEqual(len(LINES), 150)
        self.assertEqual(len({line[0] for line in LINES}), 150)

    def test_each_is_tested_or_explained(self):
        self.assertEqual(EXPECTED - tested(), set(), "neither tested nor explained")

    def test_what_is_explained_away_is_not_tested(self):
        self.assertEqual(set(EXPLAINED) & tested(), set(), "tested by now: take the words out of the list")

    def test_no_test_has_a_number_of_its_own(self):
        self.assertEqual(tested() - EXPECTED - set(EXPLAINED), set())


if __name__ == "__main__":
    not_yet = sum(why.startswith("not yet") for why in EXPLAINED.values())
    print(f"{len(EXPECTED)} behaviours are tested, {len(EXPLAINED)} explained, of these {not_yet} not there yet")
    unittest.main(verbosity=2)
