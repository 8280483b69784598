"""The first program that a newcomer runs, with each of the exporters that need no server.

Usage: test_first.py PROGRAM [unittest's arguments]
"""

import json
import os
import subprocess
import sys
import unittest

PROGRAM = None


def run(exporter):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "WHENCE_"))}
    env.update(OTEL_TRACES_EXPORTER=exporter, LC_ALL="C.UTF-8")
    done = subprocess.run([PROGRAM], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60, check=True)
    return done.stdout.decode(), done.stderr.decode()


class First(unittest.TestCase):
    def test_it_says_why(self):
        stdout, _ = run("console")
        why = stdout.splitlines()
        self.assertRegex(why[0], r"^timed out: deadline_exceeded at first\.c:\d+ main, [0-9.]+ (us|ms) ago$")
        self.assertRegex(why[1], r'^  origin   "find it" started at first\.c:\d+, this one, span [0-9a-f]{16}$')
        self.assertEqual(why[2], "  deadline 100 ms asked, passed")

    def test_without_an_exporter_it_says_why_as_well(self):
        stdout, stderr = run("none")
        self.assertEqual(stderr, "")
        self.assertIn("origin   a context started at first.c:", stdout)

    def test_the_tree(self):
        _, tree = run("console")
        self.assertIn("2 spans of first", tree)
        self.assertIn("timeout: deadline of 100 ms exceeded", tree)
        self.assertIn("deadline_exceeded, its own deadline, set at first.c:", tree)
        self.assertIn("deadline_exceeded, the deadline of «find it»", tree)

    def test_the_spans(self):
        stdout, _ = run("otlp/stdout")
        lines = [json.loads(line) for line in stdout.splitlines() if line.startswith("{")]
        spans = {span["name"]: span for line in lines for r in line["resourceSpans"] for s in r["scopeSpans"] for span in s["spans"]}
        self.assertEqual(set(spans), {"find it", "look through the shelves"})
        inner = {a["key"]: a["value"] for a in spans["look through the shelves"]["attributes"]}
        self.assertGreaterEqual(int(inner["shelf"]["intValue"]), 1)
        self.assertEqual(inner["whence.cancel.reason"], {"stringValue": "deadline_exceeded"})
        self.assertEqual(spans["look through the shelves"]["parentSpanId"], spans["find it"]["spanId"])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
