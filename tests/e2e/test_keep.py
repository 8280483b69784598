"""Nothing is sampled, and what ends badly arrives in a real Jaeger all the same, whole.

Usage: test_keep.py PROGRAM [unittest's arguments]
"""

import os
import shutil
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
JAEGER_SH = os.path.join(HERE, "..", "jaeger", "jaeger.sh")
sys.path.insert(0, os.path.join(HERE, "..", "jaeger"))

from query import Jaeger  # noqa: E402
from shop import start_jaeger, stop_jaeger  # noqa: E402

PROGRAM = None
SERVICE = "keeps what ends badly"


class Keep(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process = start_jaeger(JAEGER_SH)
        cls.addClassCleanup(shutil.rmtree, cls.process["DIR"], ignore_errors=True)
        cls.addClassCleanup(stop_jaeger, JAEGER_SH, cls.process)
        cls.jaeger = Jaeger(cls.process["QUERY"])

    def setUp(self):
        self.program = subprocess.Popen([PROGRAM, self.process["OTLP_HTTP"], SERVICE], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.stop)

    def stop(self):
        self.program.stdin.close()
        try:
            self.program.wait(60)
        finally:
            self.program.kill()
            self.program.wait()
            self.program.stdout.close()
            self.program.stderr.close()

    def handled(self, how, count):
        """Trace ids, and how many traces were kept and only counted since the beginning."""
        self.program.stdin.write(f"{how} {count}\n")
        self.program.stdin.flush()
        *ids, kept, alike = self.program.stdout.readline().split()
        self.assertEqual(len(ids), count)
        return ids, int(kept), int(alike)

    def assertKept(self, trace_id, because):
        spans = {span["name"]: span for span in self.jaeger.wait_trace(trace_id, 4, timeout=60)}
        self.assertEqual(sorted(spans), ["GET /order", "authenticate", "fetch price", "fetch stock"])
        root = spans.pop("GET /order")
        self.assertTrue(root["attributes"]["whence.kept"])
        self.assertEqual(root["attributes"]["whence.kept.because"], because)
        for span in spans.values():
            self.assertEqual(span["parent_span_id"], root["span_id"])
            self.assertNotIn("whence.kept", span["attributes"])

    def test_a_cancelled_and_a_failed_request_arrive_whole_and_a_good_one_does_not(self):
        good, _, _ = self.handled("good", 20)
        (cancelled,), _, _ = self.handled("cancelled", 1)
        (failed,), kept, _ = self.handled("failed", 1)
        also_good, _, _ = self.handled("good", 20)
        self.assertEqual(kept, 2)
        self.assertKept(cancelled, "cancelled")
        self.assertKept(failed, "failed")
        for trace_id in good + also_good:
            self.assertIsNone(self.jaeger.trace_v3(trace_id))
        (found,) = self.jaeger.search(SERVICE, tags={"whence.kept": True, "whence.kept.because": "cancelled"})
        self.assertEqual(found["traceID"], cancelled)

    def test_many_that_are_alike_are_one_trace_and_a_number(self):
        ids, kept, alike = self.handled("cancelled", 500)
        self.assertEqual((kept, alike), (1, 499))
        self.assertKept(ids[0], "cancelled")
        for trace_id in ids[1:]:
            self.assertIsNone(self.jaeger.trace_v3(trace_id))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
