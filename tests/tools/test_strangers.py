"""Traces that Whence has not written: what can be told of them, and what is said not to be known.

Usage: test_strangers.py WHENCE SCENES [unittest's arguments]
"""

import unittest

from tool import lines, main, run, span


def exception(at, kind, message):
    return [("exception", at, {"exception.type": kind, "exception.message": message, "exception.stacktrace": "..."})]


class Strangers(unittest.TestCase):
    def why(self, *spans, **options):
        return run("why", "-", text=lines(*spans, **options))[0].splitlines()

    def test_python_with_an_exception(self):
        told = self.why(
            span(1, 0, "GET /order", "orders", 0, 1010, "server", "error", "ReadTimeout: timed out"),
            span(2, 1, "GET", "orders", 5, 1005, "client", "error", "ReadTimeout: timed out",
                 events=exception(1005, "requests.exceptions.ReadTimeout", "timed out"), error__type="ReadTimeout"),
            sdk="opentelemetry", language="python")
        self.assertEqual(told[0], 'GET /order (orders) failed after 1.01 s, probably because GET (orders) failed after 1 s: ReadTimeout, '
                                  '"ReadTimeout: timed out".')
        self.assertIn("Not known: 2 of 2 spans are not Whence's (SDK for python); by whom and where one of them was stopped, they do not say.", told)

    def test_go_with_a_context_that_was_canceled(self):
        told = self.why(
            span(1, 0, "/shop.Orders/Get", "orders", 0, 100, "server", "error", "context deadline exceeded", rpc__grpc__status_code=4),
            span(2, 1, "/shop.Stock/Get", "orders", 1, 99, "client", "error", "context deadline exceeded"),
            span(3, 2, "/shop.Stock/Get", "stock", 2, 400, "server"),
            sdk="opentelemetry", language="go")
        self.assertEqual(told[0], '/shop.Orders/Get (orders) failed after 100 ms, probably because /shop.Stock/Get (orders) failed after 98 ms: '
                                  '"context deadline exceeded".')
        self.assertEqual(told[1], 'Reason: timeout "context deadline exceeded".')
        self.assertIn("Work for nobody: /shop.Stock/Get (stock) ran on for 301 ms after its caller /shop.Stock/Get (orders) had ended, if their "
                      "clocks agree.", told)

    def test_a_gap(self):
        told = self.why(span(1, 0, "job", "a", 0, 100, "server", "error", "late"), span(2, 1, "read", "a", 0, 20), span(3, 1, "write", "a", 80, 100),
                        sdk="opentelemetry", language="java")
        self.assertIn("Gap: nothing ran below job (a) for 60 ms, from 20 ms on.", told)

    def test_messages_are_no_work_for_nobody(self):
        told = self.why(span(1, 0, "send", "a", 0, 1, "producer"), span(2, 1, "receive", "b", 50, 90, "consumer"), sdk="opentelemetry")
        self.assertFalse([line for line in told if line.startswith("Work for nobody")])

    def test_of_several_attempts_the_last_one_counts(self):
        told = self.why(span(1, 0, "job", "a", 0, 100, "server", "error", "gave up"), span(2, 1, "first", "a", 0, 20, status="error", message="one"),
                        span(3, 1, "second", "a", 30, 50, status="error", message="two"))
        self.assertEqual(told[0], 'job (a) failed after 100 ms, probably because second (a) failed after 20 ms: "two".')

    def test_of_those_side_by_side_the_first_one_counts(self):
        told = self.why(span(1, 0, "job", "a", 0, 100, "server", "error", "gave up"), span(2, 1, "first", "a", 0, 20, status="error", message="one"),
                        span(3, 1, "second", "a", 10, 50, status="error", message="two"))
        self.assertEqual(told[0], 'job (a) failed after 100 ms, probably because first (a) failed after 20 ms: "one".')


if __name__ == "__main__":
    main()
