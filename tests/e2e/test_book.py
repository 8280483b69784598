"""The incidents of docs/incidents.md beyond the first eight (test_incidents.py has those): played on real services, and asserted from
what Jaeger gives back, and from nothing else.

Usage: test_book.py FOLDER_OF_THE_SHOPS_PROGRAMS THE_PROGRAM_WHENCE [unittest's arguments]

Nothing here waits for a time to be right: who is to be stopped blocks until he is, and what must come first is waited for. So spans
may take as long as they like, within the half minute that the player gives them.
"""

import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "jaeger"))

from book import Book  # noqa: E402
from book_pages import Pages  # noqa: E402

LATE = ("deadline_exceeded", "client_gone")  # a callee knows the deadline of its caller, and sees it hang up: one is first


class BookOfIncidents(Pages, Book, unittest.TestCase):
    NAMES = ("all-well", "client-gone", "deadline", "sibling-failed", "silent-upstream", "sigterm", "not-sampled", "stubborn-job",
             "retry-storm", "hedged", "starved", "leak", "strict-callee", "short-caller", "patient-call", "fan-out-sigterm",
             "slow-consumer", "deaf-callee", "rolled-back", "black-hole", "double-failure", "nearly-late", "kept")

    def named(self, trace, service, name):
        return [span for span in trace if span["service"] == service and span["name"] == name]

    def assertFailed(self, span, error):
        self.assertEqual(span["status_code"], "ERROR")
        self.assertEqual(span["attributes"]["error.type"], error)

    def assertOwnDeadline(self, span, asked_ms):
        """Its own deadline has fired: it is the origin, and it is its error."""
        self.assertCancelled(span, "deadline_exceeded", origin=span, depth=0)
        self.assertFailed(span, "timeout")
        text = f"{asked_ms // 1000} s" if asked_ms % 1000 == 0 else f"{asked_ms} ms"
        self.assertEqual(span["status_message"], f"deadline of {text} exceeded")
        self.assertEqual(span["attributes"]["whence.deadline.asked_ms"], asked_ms)
        self.assertLessEqual(span["attributes"]["whence.deadline.remaining_ms"], 0)

    # ---- the incidents, by their numbers in the book ----

    def test_9_a_retry_storm_ends_with_the_budget(self):
        self.assertEqual(self.status("retry-storm"), 502)
        trace = self.read_trace(self.trace_ids["retry-storm"], None)
        price = self.span(trace, "price", "GET /price/{sku}")
        attempts = sorted(self.named(trace, "price", "GET /rate"), key=lambda span: span["start_ns"])
        self.assertIn(len(attempts), range(2, 6))  # at 0, 50, 150, 350 and 750 ms; the next would be at 1550 of 1000
        for before, after in zip(attempts, attempts[1:]):
            self.assertGreaterEqual(after["start_ns"] - before["end_ns"], 50e6)
        for span in attempts:
            self.assertChild(span, price, remote=False)
            self.assertFailed(span, "500")
            self.assertUntouched(span)
        self.assertFailed(price, "502")
        self.assertUntouched(price)  # it gave up by itself, in time
        self.assertGreater(price["attributes"]["whence.deadline.remaining_ms"], 0)
        self.assertSource("own", price)
        self.assertEqual(price["attributes"]["whence.gave_up"], "retry")
        self.assertEqual(self.event(price, "whence.retry.gave_up"), {"attempts": len(attempts), "why": "no_time", "last_error": "EIO"})
        self.assertRoot(price, "500", attempts[-1])
        self.assertRoot(self.span(trace, "gateway", "GET /price/{sku}"), "500", attempts[-1])
        self.assertRoot(self.span(trace, "gateway", "GET /order/{sku}"), "500", attempts[-1])

    def test_10_the_loser_of_a_hedge_is_cancelled(self):
        self.assertEqual(self.status("hedged"), 200)
        trace = self.trace("hedged", 7)
        gateway = self.span(trace, "gateway", "GET /find/{words}")
        first, second = sorted(self.named(trace, "gateway", "GET /search/{words}"), key=lambda span: span["start_ns"])
        self.assertUntouched(gateway)
        self.assertIn("hedged", [event["name"] for event in gateway["events"]])
        self.assertGreaterEqual(second["start_ns"] - gateway["start_ns"], 30e6)
        self.assertCancelled(first, "race_lost", origin=gateway, site=r"^find\.c:\d+ ask_both$")
        self.assertUntouched(second)
        loser = [span for span in self.named(trace, "search", "GET /search/{words}") if span["parent_span_id"] == first["span_id"]][0]
        scan = [span for span in self.named(trace, "search", "scan the index") if span["parent_span_id"] == loser["span_id"]][0]
        for span in (loser, scan):
            self.assertCancelled(span, "client_gone", origin=first)
        for span in trace:
            self.assertBenign(span)
        self.assertEqual(len([span for span in trace if "whence.cancelled" in span["attributes"]]), 3)

    def test_11_a_semaphore_starves_the_fourth(self):
        self.assertEqual(self.status("starved"), 504)
        trace = self.trace("starved", 14)
        gateway = self.span(trace, "gateway", "GET /compare/{sku}")
        shops = self.named(trace, "gateway", "ask a shop")
        calls = {span["parent_span_id"] for span in self.named(trace, "gateway", "GET /search/{words}")}
        starved = [span for span in shops if span["span_id"] not in calls]
        self.assertEqual((len(shops), len(starved)), (4, 1))
        self.assertOwnDeadline(gateway, 1000)
        for span in shops + self.named(trace, "gateway", "GET /search/{words}"):
            self.assertCancelled(span, "deadline_exceeded", origin=gateway)
            self.assertBenign(span)
            self.assertSource("ancestor", span)
        self.assertEqual([span["span_id"] for span in trace if "whence.gave_up" in span["attributes"]], [starved[0]["span_id"]])
        self.assertEqual(starved[0]["attributes"]["whence.gave_up"], "semaphore")
        said = self.event(starved[0], "whence.semaphore.gave_up")
        self.assertEqual((said["weight"], said["size"], said["taken"]), (1, 3, 3))
        self.assertGreater(said["waited_ms"], 0)

    def test_12_a_context_leaks(self):
        self.assertEqual(self.status("leak"), 200)
        trace = self.trace("leak", 8)
        (leaked,) = [span for span in trace if span["attributes"].get("whence.leaked")]
        stock = self.span(trace, "stock", "GET /stock/{sku}")
        self.assertEqual((leaked["service"], leaked["name"]), ("stock", "read the list of the cellar"))
        self.assertChild(leaked, stock, remote=False)
        self.assertRegex(leaked["attributes"]["whence.leaked.site"], r"^count\.c:\d+ add_cellar$")
        self.assertGreater(leaked["attributes"]["whence.leaked.age_ms"], 0)
        self.assertFailed(leaked, "ENOENT")
        self.assertEqual(leaked["status_message"], "no list of the cellar")
        self.assertGreaterEqual(leaked["end_ns"], stock["end_ns"])  # it ended with the program

    def test_13_the_callees_limit_is_the_shorter_one(self):
        self.assertEqual(self.status("strict-callee"), 502)
        trace = self.trace("strict-callee", 9)
        gateway = self.span(trace, "gateway", "GET /order/{sku}")
        to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
        stock = self.span(trace, "stock", "GET /stock/{sku}")
        self.assertOwnDeadline(stock, 200)
        self.assertEqual(stock["attributes"]["whence.deadline.budget_ms"], 200)
        self.assertCancelled(self.span(trace, "stock", "SELECT"), "deadline_exceeded", origin=stock)
        self.assertSource("own", stock)
        self.assertUntouched(to_stock)
        self.assertFailed(to_stock, "504")
        self.assertCallee(to_stock, "deadline_exceeded", stock)
        self.assertRoot(to_stock, "deadline_exceeded", stock, ["504", "deadline_exceeded"])
        self.assertUntouched(gateway)
        self.assertFailed(gateway, "502")
        self.assertRoot(gateway, "deadline_exceeded", stock)

    def test_14_the_callers_rest_is_the_shorter_one(self):
        self.assertEqual(self.status("short-caller"), 504)
        trace = self.trace("short-caller", 9)
        gateway = self.span(trace, "gateway", "GET /order/{sku}")
        to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
        stock = self.span(trace, "stock", "GET /stock/{sku}")
        for span in (gateway, stock):
            self.assertEqual(span["attributes"]["whence.deadline.asked_ms"], 10000)
            self.assertLessEqual(span["attributes"]["whence.deadline.budget_ms"], 400)
            self.assertBenign(span)
            self.assertSource("caller", span)
        self.assertEqual(gateway["attributes"]["whence.cancel.reason"], "deadline_exceeded")
        self.assertNotIn("whence.cancel.origin.span_id", gateway["attributes"])  # the client has no span
        self.assertIn(stock["attributes"]["whence.cancel.reason"], LATE)
        self.assertCancelled(stock, stock["attributes"]["whence.cancel.reason"], origin=to_stock)

    def test_15_a_patient_call_in_a_shorter_request(self):
        self.assertEqual(self.status("patient-call"), 504)
        trace = self.trace("patient-call", 9)
        gateway = self.span(trace, "gateway", "GET /order/{sku}")
        to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
        self.assertOwnDeadline(gateway, 300)
        self.assertCancelled(to_stock, "deadline_exceeded", origin=gateway)
        self.assertBenign(to_stock)
        self.assertSource("own", gateway)
        self.assertSource("ancestor", to_stock)
        self.assertEqual(to_stock["attributes"]["whence.deadline.asked_ms"], 30000)
        self.assertLessEqual(to_stock["attributes"]["whence.deadline.budget_ms"], 300)

    def test_16_shutdown_during_a_fan_out(self):
        self.assertEqual(self.status("fan-out-sigterm"), 503)
        self.assertIn("the gateway has left with status 0", self.said["fan-out-sigterm"])
        trace = self.trace("fan-out-sigterm", 13)
        gateway = self.span(trace, "gateway", "GET /compare/{sku}")
        calls = self.named(trace, "gateway", "GET /search/{words}")
        self.assertEqual(len(calls), 3)
        instants = set()
        for span in [gateway, *self.named(trace, "gateway", "ask a shop"), *calls]:
            attributes = span["attributes"]
            self.assertEqual(attributes["whence.cancel.reason"], "shutdown")
            self.assertRegex(attributes["whence.cancel.message"], r"^SIGTERM from process \d+$")
            self.assertRegex(attributes["whence.cancel.site"], r"^gateway\.c:\d+ main$")
            self.assertNotIn("whence.cancel.origin.span_id", attributes)
            self.assertBenign(span)
            instants |= {event["time_ns"] for event in span["events"] if event["name"] == "whence.cancel.received"}
        self.assertEqual(len(instants), 1)  # all at the same instant, none by another's failure
        for span in self.named(trace, "search", "GET /search/{words}"):
            self.assertCancelled(span, "client_gone", origin=[c for c in calls if c["span_id"] == span["parent_span_id"]][0])

    def test_17_a_message_that_has_waited_too_long(self):
        self.assertEqual(self.status("slow-consumer"), 200)
        trace = self.trace("slow-consumer", 11)
        self.assertUntouched(self.span(trace, "gateway", "GET /checkout/{sku}"))
        mails = {span["attributes"]["mail.text"]: span for span in self.named(trace, "mail", "send mail")}
        posts = {span["span_id"]: span for span in self.named(trace, "gateway", "post mail")}
        self.assertEqual({span["kind"] for span in mails.values()}, {"CONSUMER"})
        self.assertEqual({span["kind"] for span in posts.values()}, {"PRODUCER"})
        self.assertUntouched(mails["newsletter"])  # it has no deadline, and took its time
        late = mails["confirmation"]
        post = posts[late["parent_span_id"]]
        self.assertChild(late, post, remote=True)
        self.assertCancelled(late, "deadline_exceeded", origin=post)
        self.assertBenign(late)
        self.assertSource("caller", late)
        self.assertLessEqual(late["attributes"]["whence.deadline.remaining_ms"], 0)
        self.assertIn("dropped", [event["name"] for event in late["events"]])
        self.assertGreaterEqual(late["start_ns"], mails["newsletter"]["end_ns"])
        self.assertGreaterEqual(late["start_ns"], self.span(trace, "gateway", "GET /checkout/{sku}")["start_ns"] + 500e6)

    def test_18_a_callee_that_ignores_the_cancel(self):
        self.assertEqual(self.status("deaf-callee"), 200)
        trace = self.trace("deaf-callee", 7)
        gateway = self.span(trace, "gateway", "GET /find/{words}")
        first, _ = sorted(self.named(trace, "gateway", "GET /search/{words}"), key=lambda span: span["start_ns"])
        self.assertCancelled(first, "race_lost", origin=gateway)
        deaf = [span for span in self.named(trace, "search", "GET /search/{words}") if span["parent_span_id"] == first["span_id"]][0]
        scan = [span for span in self.named(trace, "search", "scan the index") if span["parent_span_id"] == deaf["span_id"]][0]
        for span in (deaf, scan):
            self.assertCancelled(span, "client_gone", origin=first)
            self.assertGreater(span["attributes"]["whence.cancel.overrun_ms"], 0)
        self.assertGreaterEqual(scan["end_ns"] - scan["start_ns"], 599e6)  # it did not look before its piece was done

    def test_19_a_transaction_is_rolled_back(self):
        self.assertIsNone(self.status("rolled-back"))
        trace = self.trace("rolled-back", 10)
        gateway = self.span(trace, "gateway", "GET /order/{sku}")
        to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
        reserve = self.span(trace, "stock", "reserve")
        self.assertCancelled(gateway, "client_gone", origin=gateway, depth=0, message="^connection (closed|reset)$")
        self.assertCancelled(to_stock, "client_gone", origin=gateway)
        for span in (self.span(trace, "stock", "GET /stock/{sku}"), reserve, self.span(trace, "stock", "SELECT")):
            self.assertCancelled(span, "client_gone", origin=to_stock)
        self.assertUntouched(self.span(trace, "stock", "UPDATE"))  # it had been done
        self.assertIn("transaction rolled back", [event["name"] for event in reserve["events"]])
        for span in trace:
            self.assertBenign(span)

    def test_20_a_connection_that_never_stands(self):
        self.assertEqual(self.status("black-hole"), 502)
        trace = self.trace("black-hole", 7)
        price = self.span(trace, "price", "GET /price/{sku}")
        to_nowhere = self.span(trace, "price", "GET /rate")
        self.assertOwnDeadline(to_nowhere, 200)
        self.assertNotIn("http.response.status_code", to_nowhere["attributes"])
        self.assertNotIn("network.protocol.version", to_nowhere["attributes"])
        self.assertSource("own", to_nowhere)
        self.assertNotIn("whence.callee.reason", to_nowhere["attributes"])  # nobody was there to say anything
        self.assertUntouched(price)
        self.assertFailed(price, "504")
        for span in (price, self.span(trace, "gateway", "GET /price/{sku}"), self.span(trace, "gateway", "GET /order/{sku}")):
            self.assertRoot(span, "deadline_exceeded", to_nowhere)

    def test_21_two_failures_at_once(self):
        self.assertEqual(self.status("double-failure"), 502)
        trace = self.trace("double-failure", 9)
        to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
        checks = {span["span_id"]: span for span in trace if span["name"] in ("check card", "check address")}
        first = checks.pop(to_stock["attributes"]["whence.cancel.origin.span_id"])
        (second,) = checks.values()
        self.assertFailed(self.span(trace, "gateway", "check card"), "card_refused")
        self.assertFailed(self.span(trace, "gateway", "check address"), "no_such_street")
        self.assertCancelled(to_stock, "sibling_failed", origin=first, site=r"^checkout\.c:\d+ check_(card|address)$",
                             message=f"^{first['status_message']}$")
        self.assertBenign(to_stock)
        self.assertLinks(to_stock, first)
        hold = self.span(trace, "gateway", "hold the goods")
        self.assertCancelled(hold, "sibling_failed", origin=first)
        self.assertGreaterEqual(hold["attributes"]["whence.cancel.overrun_ms"], 100)
        late = re.escape(second["attributes"]["whence.failure.site"])
        self.assertEqual(hold["attributes"]["whence.cancel.suppressed_count"], 1)
        self.assertRegex(hold["attributes"]["whence.cancel.suppressed"], rf"^sibling_failed at {late} \+[\d.]+ \w+$")
        for span in (hold, to_stock):
            self.assertRoot(span, first["attributes"]["error.type"], first, ["sibling_failed", first["attributes"]["error.type"]])

    def test_22_nearly_too_late(self):
        self.assertEqual(self.status("nearly-late"), 200)
        trace = self.trace("nearly-late", 5)
        for span in trace:
            self.assertUntouched(span)
            self.assertIs(span["attributes"]["whence.deadline.nearly_late"], True)
            self.assertGreaterEqual(span["attributes"]["whence.deadline.remaining_ms"], 0)
            self.assertLess(span["attributes"]["whence.deadline.remaining_ms"], span["attributes"]["whence.deadline.budget_ms"] / 10)

    def test_23_not_sampled_and_kept(self):
        self.assertEqual(self.status("kept"), 504)
        trace = self.read_trace(self.trace_ids["kept"], None)
        gateway = self.span(trace, "gateway", "GET /order/{sku}")
        stock = self.span(trace, "stock", "GET /stock/{sku}")
        self.assertOwnDeadline(gateway, 300)
        for span in (gateway, stock):  # the root of what each of them has of the trace
            self.assertIs(span["attributes"]["whence.kept"], True)
            self.assertEqual(span["attributes"]["whence.kept.because"], "cancelled")
        self.assertFalse([span for span in trace if span["service"] == "price"])  # there, all was well


if __name__ == "__main__":
    Book.programs = sys.argv.pop(1)
    Book.tool = sys.argv.pop(1)
    unittest.main(verbosity=2)
