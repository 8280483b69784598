#!/usr/bin/env python3
"""Every public function of the context's headers is called in tests/context/scenarios.c: so each is swept and measured."""

import os
import re
import unittest

import house

HEADERS = ("context", "work", "wait", "live", "test")  # those that there are
DECLARED = re.compile(r"WH_API\b[^;{]*?\b(wh_[a-z_]+)\(", re.DOTALL)


def public():
    """{header: its functions, by the names of their macros, if they have some}"""
    found = {}
    for header in HEADERS:
        if os.path.exists(os.path.join(house.SOURCE, "include", "whence", f"{header}.h")):
            text = re.sub(r"/\*.*?\*/", "", house.read("include", "whence", f"{header}.h"), flags=re.DOTALL)
            names = {name for name in DECLARED.findall(text) if not name.endswith("_")}
            found[header] = {re.sub("_at$", "", name) for name in names}
    return found


class Scenarios(unittest.TestCase):
    def test_the_headers_are_understood(self):
        self.assertLessEqual({"wh_with_cancel", "wh_cancelf", "wh_stop_wait", "wh_with_signals"}, public()["context"])

    def test_no_call_is_missing(self):
        called = set(re.findall(r"\b(wh_[a-z_]+?)(?:_at)?\(", house.read("tests", "context", "scenarios.c")))
        for header, names in public().items():
            with self.subTest(header=header):
                self.assertEqual(names - called, set(), "neither swept nor measured")


if __name__ == "__main__":
    unittest.main(verbosity=2)
