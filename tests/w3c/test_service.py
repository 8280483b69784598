"""Talks to the service as the W3C's suite does: what it is sent comes back, as the text asks.

Usage: test_service.py PROGRAM [unittest's arguments]
"""

import http.client
import http.server
import json
import re
import subprocess
import sys
import threading
import unittest

PROGRAM = None
TRACEPARENT = re.compile("^00-([0-9a-f]{32})-([0-9a-f]{16})-0[0-3]$")


class Harness(http.server.BaseHTTPRequestHandler):
    seen = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Harness.seen.append((dict(self.headers.items()), body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Service(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.harness = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Harness)
        threading.Thread(target=cls.harness.serve_forever, daemon=True).start()
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
        cls.service = subprocess.Popen([PROGRAM, "0"], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        cls.port = int(cls.service.stdout.readline().split()[-1])

    @classmethod
    def tearDownClass(cls):
        cls.service.terminate()
        status = cls.service.wait(20)
        cls.service.stdout.close()
        cls.harness.shutdown()
        cls.harness.server_close()
        assert status == 0

    def call(self, headers, times=1):
        Harness.seen = []
        url = f"http://127.0.0.1:{self.harness.server_port}/"
        body = json.dumps([{"url": url, "arguments": [{"n": i}]} for i in range(times)])
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest("POST", "/test")
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode())
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        self.assertEqual([body for _, body in Harness.seen], [[{"n": i}] for i in range(times)])
        return [{name.lower(): value for name, value in headers.items()} for headers, _ in Harness.seen]

    def test_the_trace_goes_on_with_new_span_ids(self):
        answers = self.call([("Traceparent", "00-12345678901234567890123456789012-1234567890123456-01"), ("Tracestate", "a=1"),
                             ("TraceState", "b=2")], times=3)
        ids = [TRACEPARENT.match(a["traceparent"]).groups() for a in answers]
        self.assertEqual({trace for trace, _ in ids}, {"12345678901234567890123456789012"})
        self.assertEqual(len({span for _, span in ids} - {"1234567890123456"}), 3)
        self.assertEqual({a["tracestate"] for a in answers}, {"a=1,b=2"})

    def test_two_traceparents_are_none(self):
        (answer,) = self.call([("traceparent", "00-12345678901234567890123456789012-1234567890123456-01"),
                               ("traceparent", "00-12345678901234567890123456789013-1234567890123456-01"), ("tracestate", "a=1")])
        self.assertNotIn("1234567890123456789012345678901", answer["traceparent"])
        self.assertNotIn("tracestate", answer)

    def test_without_one_a_new_trace_begins(self):
        (one,), (two,) = self.call([]), self.call([("tracestate", "a=1")])
        self.assertTrue(TRACEPARENT.match(one["traceparent"]))
        self.assertNotEqual(one["traceparent"][:35], two["traceparent"][:35])
        self.assertNotIn("tracestate", two)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
