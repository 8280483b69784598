"""The program asks a real Jaeger: for a trace by its id, and for what was cancelled.

Usage: test_jaeger.py WHENCE SCENES [unittest's arguments]
"""

import json
import os
import shutil
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
JAEGER_SH = os.path.join(HERE, "..", "jaeger", "jaeger.sh")
sys.path += [os.path.join(HERE, "..", "jaeger"), os.path.join(HERE, "..", "e2e")]

import tool  # noqa: E402
from query import Jaeger  # noqa: E402
from shop import start_jaeger, stop_jaeger  # noqa: E402
from test_why import chain_of_three  # noqa: E402
from tool import TRACE, document, main, run, span  # noqa: E402


def moved(spans, by):
    """The same spans, so many nanoseconds later: a search finds what is not old."""
    for _, fields in spans:
        for holder in [fields, *fields["events"]]:
            for key in ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano"):
                if key in holder:
                    holder[key] = str(int(holder[key]) + by)
    return spans


class AJaeger(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process = start_jaeger(JAEGER_SH)
        cls.addClassCleanup(shutil.rmtree, cls.process["DIR"], ignore_errors=True)
        cls.addClassCleanup(stop_jaeger, JAEGER_SH, cls.process)
        cls.url = cls.process["QUERY"]
        jaeger = Jaeger(cls.url, cls.process["OTLP_HTTP"])
        by = time.time_ns() - tool.START - 10**9
        cls.spans = moved(chain_of_three(), by)
        for s in (*cls.spans, *moved((span(1, 0, "GET /", "gateway", 0, 5, trace="f" * 32),), by)):
            jaeger.send(document(s))
        jaeger.wait_trace(TRACE, 4)
        jaeger.wait_trace("f" * 32, 1)

    def test_a_trace_by_its_id_is_what_a_file_would_say(self):
        expected, _ = run("why", "-", text=json.dumps(document(*self.spans)))
        self.assertEqual(run("why", "--jaeger", self.url, TRACE)[0], expected)
        self.assertEqual(run("why", f"--jaeger={self.url}/", TRACE)[0], expected)

    def test_what_was_cancelled_of_a_service_or_of_all(self):
        expected, _ = run("why", "-", text=json.dumps(document(*self.spans)))
        self.assertEqual(run("why", "--jaeger", self.url)[0], expected)
        self.assertEqual(run("why", "--jaeger", self.url, "--service", "stock", "--since", "5m", "--limit", "3")[0], expected)
        (row,) = run("top", "--json", "--jaeger", self.url)[0].splitlines()
        row = json.loads(row)
        self.assertEqual((row["reason"], row["operation"], row["times"], row["spans"], row["example"]), ("deadline_exceeded", "GET /order", 1, 4, TRACE))

    def test_a_search_that_finds_nothing_and_a_trace_that_is_not_there(self):
        self.assertIn("no spans", run("why", "--jaeger", self.url, "--service", "nobody", status=1)[1])
        self.assertIn("there is no such trace", run("why", "--jaeger", self.url, "e" * 32, status=1)[1])
        self.assertIn("wants all 32 digits", run("why", "--jaeger", self.url, "4bf9", status=2)[1])

    def test_nobody_there_and_no_jaeger(self):
        self.assertIn("whence: http://127.0.0.1:1/", run("why", "--jaeger", "127.0.0.1:1", TRACE, status=2)[1])
        self.assertRegex(run("top", "--jaeger", self.url + "/api/v3", status=2)[1], "no JSON: is it a Jaeger|HTTP 4|neither OTLP")

    def test_what_its_older_interface_says_can_be_read_from_a_file(self):
        trace = Jaeger(self.url).traces_v1(TRACE)
        out, _ = run("why", "-", text=json.dumps({"data": [trace]}))
        self.assertTrue(out.startswith("GET /order (gateway) was stopped after 300 ms by its own deadline of 300 ms"), out)
        self.assertIn("Hit: 3 spans were stopped because of it, in 2 services", out)


if __name__ == "__main__":
    main()
