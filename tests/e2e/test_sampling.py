"""Remote sampling by a real Jaeger, whose file of strategies changes while the program runs.

Usage: test_sampling.py PROGRAM [unittest's arguments]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
JAEGER_SH = os.path.join(HERE, "..", "jaeger", "jaeger.sh")
sys.path.insert(0, os.path.join(HERE, "..", "jaeger"))

from query import Jaeger  # noqa: E402
from shop import start_jaeger, stop_jaeger  # noqa: E402

PROGRAM = None
SERVICE = "sampled by jaeger"


class Sampling(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="whence-e2e-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.file = os.path.join(cls.folder, "strategies.json")
        cls.write(probability(0))
        os.environ["WHENCE_JAEGER_STRATEGIES"] = cls.file
        cls.addClassCleanup(os.environ.pop, "WHENCE_JAEGER_STRATEGIES")
        cls.process = start_jaeger(JAEGER_SH)
        cls.addClassCleanup(shutil.rmtree, cls.process["DIR"], ignore_errors=True)
        cls.addClassCleanup(stop_jaeger, JAEGER_SH, cls.process)
        cls.program = subprocess.Popen([PROGRAM, cls.process["SAMPLING"], cls.process["OTLP_HTTP"], SERVICE], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        cls.addClassCleanup(cls.stop)

    @classmethod
    def stop(cls):
        cls.program.stdin.close()
        try:
            cls.program.wait(60)
        finally:
            cls.program.kill()
            cls.program.wait()
            cls.program.stdout.close()
            cls.program.stderr.close()

    @classmethod
    def write(cls, strategy):
        """As a whole, so that nobody reads half of it."""
        with open(cls.file + ".new", "w", encoding="utf-8") as file:
            json.dump({"service_strategies": [{"service": SERVICE, **strategy}], "default_strategy": probability(0)}, file)
        os.replace(cls.file + ".new", cls.file)

    def sampled(self, operation, count):
        self.program.stdin.write(f"{operation} {count}\n")
        self.program.stdin.flush()
        return int(self.program.stdout.readline())

    def until(self, operation, holds):
        """Asks again and again until what is sampled of 200 is as it should be."""
        deadline = time.monotonic() + 60
        while not holds(self.sampled(operation, 200)):
            self.assertLess(time.monotonic(), deadline, operation)
            time.sleep(0.05)

    def test_the_file_changes_and_so_does_what_is_sampled(self):
        self.write(probability(1))
        self.until("any", lambda n: n == 200)
        self.write(probability(0))
        self.until("any", lambda n: n == 0)
        self.write(probability(0.5))
        self.until("any", lambda n: n > 0)
        self.assertTrue(1700 <= self.sampled("any", 4000) <= 2300)  # 2000, and nine standard deviations
        self.write(probability(0))
        self.until("any", lambda n: n == 0)

    def test_operations_have_their_own(self):
        self.write({**probability(0), "operation_strategies": [{"operation": "checkout", **probability(1)},
                                                               {"operation": "half", **probability(0.5)}]})
        self.until("checkout", lambda n: n == 200)
        self.assertTrue(1700 <= self.sampled("half", 4000) <= 2300)
        self.assertEqual(self.sampled("health", 1000), 0)
        self.write({**probability(1), "operation_strategies": [{"operation": "checkout", **probability(0)}]})
        self.until("checkout", lambda n: n == 0)
        self.assertEqual(self.sampled("health", 200), 200)
        self.write(probability(0))
        self.until("health", lambda n: n == 0)

    def test_rates_are_kept(self):
        self.write({"type": "ratelimiting", "param": 5})
        self.until("any", lambda n: n > 0)
        self.assertLessEqual(self.sampled("any", 1000), 10)
        self.until("any", lambda n: 0 < n <= 10)
        self.write(probability(0))
        self.until("any", lambda n: n == 0)

    def test_what_was_sampled_arrives_and_nothing_else(self):
        self.write({**probability(0), "operation_strategies": [{"operation": "kept", **probability(1)}]})
        self.until("kept", lambda n: n == 200)
        self.assertEqual(self.sampled("dropped", 200), 0)
        self.assertEqual(self.sampled("kept-all", 200), 0)
        jaeger = Jaeger(self.process["QUERY"])
        deadline = time.monotonic() + 60
        while not jaeger.search(SERVICE, operation="kept", limit=1):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        self.assertEqual(jaeger.search(SERVICE, operation="dropped"), [])
        self.write(probability(0))
        self.until("kept", lambda n: n == 0)


def probability(param):
    return {"type": "probabilistic", "param": param}


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
