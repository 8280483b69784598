"""The demo, as a stranger sees it: eight incidents, each with a sentence, a tree and what the services say, and a file.

Usage: test_demo.py PROGRAM [unittest's arguments]
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

PROGRAM = None
UNSAMPLED = "4bf92f3577b34da6a3ce929d0e0e4736"


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        begun = time.monotonic()
        done = subprocess.run([PROGRAM], env=dict(os.environ, LC_ALL="C.UTF-8", COLUMNS="140"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        cls.seconds = time.monotonic() - begun
        cls.status = done.returncode
        cls.output = done.stdout.decode()
        parts = re.split(r"^(\d)\. ", cls.output, flags=re.M)
        cls.incidents = dict(zip(map(int, parts[1::2]), parts[2::2]))
        path = re.search(r"OTLP JSON lines: (\S+)", cls.output)
        cls.file = path.group(1) if path else None
        if cls.file:
            cls.addClassCleanup(shutil.rmtree, os.path.dirname(cls.file), ignore_errors=True)

    def told(self, number, *expected, never=()):
        told = " ".join(self.incidents[number].split())
        for words in expected:
            self.assertRegex(told, words)
        for words in never:
            self.assertNotRegex(told, words)

    def test_it_ends_by_itself(self):
        self.assertEqual(self.status, 0, self.output)
        self.assertLess(self.seconds, 60)
        self.assertEqual(sorted(self.incidents), list(range(1, 9)), self.output)

    def test_1_all_is_well(self):
        self.told(1, "ok .* 7 spans in 3 services", "the client got 200", never=["⊘", "✗", "cancel"])

    def test_2_the_client_hangs_up(self):
        self.told(2, r"\[gateway\] GET /order/{sku}.*client_gone \"connection closed\", began here, at order\.c:\d+ order",
                  r"\[stock\] GET /stock/{sku}.*client_gone.*by «GET /stock/{sku}» of gateway",
                  r"\[price\] GET /price/{sku}.*client_gone.*by «GET /price/{sku}» of gateway",
                  r"SELECT \(client\).*⊘ client_gone", "(stopped within|ran on) [0-9.]+ (us|ms)", "the client is gone",
                  r"gateway \| canceled: client_gone")

    def test_3_the_gateways_budget_ends(self):
        self.told(3, "timeout: deadline of 300 ms exceeded", "deadline_exceeded, its own deadline, set at order",
                  "deadline_exceeded, the deadline of «GET /order/{sku}»", "the client got 504",
                  r"gateway \| timed out: deadline_exceeded")

    def test_4_price_fails(self):
        self.told(4, r"GET /rate.*✗ .*500", r"sibling_failed .*by «GET /price/{sku}», at order\.c:\d+", "the client got 502")

    def test_5_a_black_hole(self):
        self.told(5, r"\[gateway\] GET /order/{sku}.*deadline 1 s, [0-9.]+ ms left.*timeout: deadline of 200 ms exceeded",
                  "the client got 502", never=["deadline of 1 s exceeded"])

    def test_6_sigterm(self):
        self.told(6, r"shutdown \"SIGTERM from process \d+\"", "the client got 503", "left with status 0")

    def test_7_not_sampled(self):
        self.told(7, r"\(no spans\)", "the client got 504", f"trace={UNSAMPLED}", "stock: GET /stock (499|504)")

    def test_8_for_nobody(self):
        self.told(8, r"count by hand.*ran on [0-9.]+ ms for nobody", "the client got 504")

    def test_at_its_end_the_tool_says_why(self):
        if "whence why " not in self.output:
            self.skipTest("the program whence is not built")
        told = self.output.split("whence why ", 1)[1]
        self.assertRegex(told, r"GET /order/{sku} \(gateway\) was stopped after [0-9.]+ ms by its own deadline of 300 ms, set at order\.c:\d+ order\.")
        self.assertRegex(told, r"Ran on: (count by hand|GET /stock/{sku}) \(stock\) ran on for [0-9.]+ ms")

    def test_the_file(self):
        with open(self.file, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        spans = [span for line in lines for r in line["resourceSpans"] for s in r["scopeSpans"] for span in s["spans"]]
        shown = set(re.findall(r"trace ([0-9a-f]{32})$", self.output, flags=re.M))
        self.assertEqual(len(shown), 7)
        self.assertEqual({span["traceId"] for span in spans}, shown)
        self.assertNotIn(UNSAMPLED, shown)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
