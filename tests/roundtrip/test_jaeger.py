#!/usr/bin/env python3
"""Random spans, sent to a real Jaeger by every protocol and read back from it: what was asked for must be there.

Usage: test_jaeger.py PROGRAM [unittest's arguments]      PROGRAM: spans.c
"""

import calendar
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, *(os.path.join(HERE, "..", folder) for folder in ("jaeger", "e2e"))]

import plain  # noqa: E402
from model import Truth, compare  # noqa: E402
from query import Jaeger  # noqa: E402
from shop import start_jaeger, stop_jaeger  # noqa: E402

PROGRAM = None
JAEGER_SH = os.path.join(HERE, "..", "jaeger", "jaeger.sh")
SEED = int(os.environ.get("WHENCE_SEED") or (time.time_ns() % 2**32 if os.environ.get("WHENCE_LONG") else 2))
SPANS = 2000 * (5 if os.environ.get("WHENCE_LONG") else 1)
DEEPEST = "130"
SECOND = 10**9

# ---- what Jaeger repairs on arrival, and says in an attribute ----

WARNINGS = "@jaeger@warnings"
SANITIZED = re.compile(r"Negative duration detected, sanitizing end timestamp\. Original end timestamp: "
                       r"(\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+)(?:\.(\d+))? \+0000 UTC, adjusted to: .*")


def unrepaired(span):
    """The span as it was sent: one that ends before it starts was given an end one nanosecond after the start."""
    if WARNINGS not in span["attributes"]:
        return span
    ((kind, warnings),) = [span["attributes"].pop(WARNINGS)]
    assert kind == "a" and len(warnings) == 1, warnings
    match = SANITIZED.fullmatch(warnings[0][1])
    assert match and span["end"] == span["start"] + 1, (warnings, span)
    *date, fraction = match.groups(default="")
    return {**span, "end": calendar.timegm(tuple(map(int, date))) * SECOND + int(fraction.ljust(9, "0"))}


class ThroughJaeger(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="whence-roundtrip-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.process = start_jaeger(JAEGER_SH)
        cls.addClassCleanup(shutil.rmtree, cls.process["DIR"], ignore_errors=True)
        cls.addClassCleanup(stop_jaeger, JAEGER_SH, cls.process)
        cls.jaeger = Jaeger(cls.process["QUERY"])

    def send(self, seed, exporter):
        path = os.path.join(self.folder, "truth.jsonl")
        before = time.time_ns() - time.monotonic_ns()
        done = subprocess.run([PROGRAM, str(seed), str(SPANS), DEEPEST, path, exporter], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.walls = sorted((before, time.time_ns() - time.monotonic_ns()))
        return Truth(path)

    def read(self, truth):
        """Jaeger has stored them before it answers, so they are there."""
        for trace_id in {span["trace_id"] for span in truth.spans.values()}:
            trace = self.jaeger.trace_v3(trace_id)
            self.assertIsNotNone(trace, f"trace {trace_id} is not there")
            yield from plain.spans(trace)

    def check(self, number, exporter):
        truth = self.send(SEED + number, exporter)
        arrived = []
        for resource, scope, span in self.read(truth):
            arrived.append(unrepaired(span))
            self.check_surroundings(truth, resource, scope, span)
        wrong, clocks = compare(truth, arrived)
        self.assertEqual(wrong[:20], [])
        self.assertEqual(clocks.wrong(self.walls[0] - SECOND, self.walls[1] + SECOND), [])
        self.assertGreater(len(arrived), SPANS * 0.6)
        print(f"\n{len(arrived)} spans from WHENCE_SEED={SEED}", end=" ")

    def check_surroundings(self, truth, resource, scope, span):
        want, of_scope = truth.surroundings(span["span_id"])
        for key, value in want.items():
            self.assertEqual(resource["attributes"].get(key), value, key)
        if of_scope:  # schema URLs are not kept
            self.assertEqual({**scope, "schema_url": ""}, {**of_scope, "schema_url": ""})
        else:
            self.assertEqual((scope["name"], scope["attributes"]), ("whence", {}))

    def test_what_goes_by_http_and_protobuf_comes_back(self):
        self.check(0, f"protobuf:{self.process['OTLP_HTTP']}")

    def test_what_goes_in_gzip_comes_back(self):
        self.check(1, f"protobuf+gzip:{self.process['OTLP_HTTP']}")


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
