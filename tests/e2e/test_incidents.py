"""The eight incidents of the shop, played with real services and read back from a real Jaeger.

Usage: test_incidents.py FOLDER_OF_THE_SHOPS_PROGRAMS [unittest's arguments]
"""

import os
import shutil
import sqlite3
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
JAEGER_SH = os.path.join(HERE, "..", "jaeger", "jaeger.sh")
sys.path.insert(0, os.path.join(HERE, "..", "jaeger"))

from query import Jaeger  # noqa: E402
from reading import Reading  # noqa: E402
from shop import Shop, start_jaeger, stop_jaeger  # noqa: E402

PROGRAMS = None


class Incidents(Reading, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="whence-e2e-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.jaeger_process = start_jaeger(JAEGER_SH)
        cls.addClassCleanup(shutil.rmtree, cls.jaeger_process["DIR"], ignore_errors=True)
        cls.addClassCleanup(stop_jaeger, JAEGER_SH, cls.jaeger_process)
        cls.jaeger = Jaeger(cls.jaeger_process["QUERY"], cls.jaeger_process["OTLP_HTTP"])
        cls.shop = Shop(PROGRAMS, cls.jaeger_process["OTLP_HTTP"], cls.folder)
        cls.addClassCleanup(cls.shop.close)

    # ---- reading ----

    def trace_of(self, request_id, spans, timeout=15):
        """The spans of the one trace whose gateway span has that request id, once there are so many."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.jaeger.search("gateway", tags={"whence.request_id": request_id})
            self.assertLessEqual(len(found), 1)
            if found and len(found[0]["spans"]) >= spans:
                break
            if time.monotonic() > deadline:
                self.fail(f"{len(found[0]['spans']) if found else 0} spans of {spans} after {timeout} s")
            time.sleep(0.1)
        time.sleep(0.3)  # one too many would come about now
        return self.read_trace(found[0]["traceID"], spans)

    def assertLogged(self, words, service, timeout=10):
        """A service may write a little after its answer."""
        deadline = time.monotonic() + timeout
        while words not in service.logged() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertIn(words, service.logged())

    def audits(self):
        with sqlite3.connect(self.shop.database) as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            return db.execute("SELECT count(*) FROM audits").fetchone()[0]

    # ---- the incidents ----

    def test_1_all_well(self):
        status, request_id, _ = self.shop.order(headers=["X-Client: a"])
        self.assertEqual(status, 200)
        trace = self.trace_of(request_id, 7)
        self.assertEqual({s["service"] for s in trace}, {"gateway", "stock", "price"})
        for span in trace:
            self.assertUntouched(span)
            self.assertEqual(span["status_code"], "UNSET")
        gateway = self.span(trace, "gateway", "GET /order/{sku}")
        self.assertEqual(gateway["kind"], "SERVER")
        self.assertEqual(gateway["parent_span_id"], "")
        to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
        to_price = self.span(trace, "gateway", "GET /price/{sku}")
        stock = self.span(trace, "stock", "GET /stock/{sku}")
        price = self.span(trace, "price", "GET /price/{sku}")
        query = self.span(trace, "stock", "SELECT")
        to_rates = self.span(trace, "price", "GET /rate")
        self.assertChild(to_stock, gateway, remote=False)
        self.assertChild(to_price, gateway, remote=False)
        self.assertChild(stock, to_stock, remote=True)
        self.assertChild(price, to_price, remote=True)
        self.assertChild(query, stock, remote=False)
        self.assertChild(to_rates, price, remote=False)
        for client in (to_stock, to_price, to_rates, query):
            self.assertEqual(client["kind"], "CLIENT")
        for server in (stock, price):
            self.assertEqual(server["kind"], "SERVER")
            self.assertEqual(server["attributes"]["whence.request_id"], request_id)
        expected = {"http.request.method": "GET", "url.path": "/order/sku42", "url.scheme": "http", "http.route": "/order/{sku}",
                    "http.response.status_code": 200, "server.address": "shop.example", "server.port": 80,
                    "user_agent.original": "e2e/1.0", "client.address": "127.0.0.1", "network.peer.address": "127.0.0.1",
                    "shop.sku": "sku42"}
        self.assertEqual(expected, {name: gateway["attributes"].get(name) for name in expected})
        expected = {"http.request.method": "GET", "server.address": "127.0.0.1", "server.port": self.shop.stock.port,
                    "http.response.status_code": 200, "network.protocol.version": "1.1",
                    "url.full": f"{self.shop.stock.url}/stock/sku42?stock=&rates="}
        self.assertEqual(expected, {name: to_stock["attributes"].get(name) for name in expected})
        expected = {"db.system.name": "sqlite", "db.operation.name": "SELECT", "db.namespace": "stock.db",
                    "db.query.text": "SELECT sum(count) FROM stock WHERE sku = ?1"}
        self.assertEqual(expected, {name: query["attributes"].get(name) for name in expected})
        self.assertBudget(gateway, 300, asked_ms=300)
        self.assertBudget(stock, 300, asked_ms=10000)  # asked for ten seconds, and has what the gateway has left
        self.assertBudget(to_rates, 200, asked_ms=200)
        self.assertEqual(gateway["resource"]["service.version"], "1.0")

    def test_2_the_client_hangs_up(self):
        audits = self.audits()
        _, request_id, _ = self.shop.order("stock=slow&rates=slow", give_up_after=0.08)
        trace = self.trace_of(request_id, 9)
        gateway = self.span(trace, "gateway", "GET /order/{sku}")
        to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
        to_price = self.span(trace, "gateway", "GET /price/{sku}")
        stock = self.span(trace, "stock", "GET /stock/{sku}")
        price = self.span(trace, "price", "GET /price/{sku}")
        to_rates = self.span(trace, "price", "GET /rate")
        query = self.span(trace, "stock", "SELECT")
        # at the gateway's hang-up watch, which order.c has set up
        self.assertCancelled(gateway, "client_gone", origin=gateway, depth=0, site=r"^order\.c:\d+ order$",
                             message="^connection (closed|reset)$")
        for span in (to_stock, to_price):
            self.assertCancelled(span, "client_gone", origin=gateway, site=r"^order\.c:\d+ order$")
            self.assertGreater(span["attributes"]["whence.cancel.depth"], 0)
            self.assertLinks(span)  # its parent is the origin
        # both callees, by their remote callers
        self.assertCancelled(stock, "client_gone", origin=to_stock, site=r"^stock\.c:\d+ handle$")
        self.assertCancelled(price, "client_gone", origin=to_price, site=r"^price\.c:\d+ handle$")
        self.assertCancelled(query, "client_gone", origin=to_stock)
        self.assertCancelled(to_rates, "client_gone", origin=to_price)
        for span in (gateway, stock, price):
            self.assertLinks(span)  # a local root links to nothing
        self.assertLinks(query, to_stock)
        self.assertLinks(to_rates, to_price)
        for span in (gateway, to_stock, to_price, stock, price, query, to_rates):
            self.assertBenign(span)
            self.assertLess(span["attributes"]["whence.cancel.overrun_ms"], 1000)
        self.assertEqual(gateway["attributes"]["http.response.status_code"], 499)
        # SQLite stopped in the middle, and its transaction was rolled back
        self.assertIn("transaction rolled back", [e["name"] for e in stock["events"]])
        self.assertUntouched(self.span(trace, "stock", "BEGIN"))
        self.assertUntouched(self.span(trace, "stock", "INSERT"))
        self.assertEqual(self.audits(), audits)

    def test_3_the_gateways_budget_ends(self):
        audits = self.audits()
        status, request_id, seconds = self.shop.order("stock=slow")
        self.assertEqual(status, 504)
        self.assertGreaterEqual(seconds, 0.3)
        trace = self.trace_of(request_id, 9)
        gateway = self.span(trace, "gateway", "GET /order/{sku}")
        to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
        stock = self.span(trace, "stock", "GET /stock/{sku}")
        query = self.span(trace, "stock", "SELECT")
        self.assertCancelled(gateway, "deadline_exceeded", origin=gateway, depth=0, site=r"^order\.c:\d+ order$")
        self.assertEqual(gateway["status_code"], "ERROR")
        self.assertEqual(gateway["status_message"], "deadline of 300 ms exceeded")
        self.assertEqual(gateway["attributes"]["error.type"], "timeout")
        self.assertEqual(gateway["attributes"]["http.response.status_code"], 504)
        self.assertBudget(gateway, 300, asked_ms=300)
        self.assertLessEqual(gateway["attributes"]["whence.deadline.remaining_ms"], 0)
        self.assertCancelled(to_stock, "deadline_exceeded", origin=gateway)
        self.assertBenign(to_stock)
        self.assertBudget(to_stock, 300)
        # stock is told by the end of the same budget, or by the gateway that hangs up, whichever comes first
        for span in (stock, query):
            reason = span["attributes"]["whence.cancel.reason"]
            self.assertIn(reason, ("deadline_exceeded", "client_gone"))
            self.assertCancelled(span, reason, origin=to_stock)
            self.assertBenign(span)
        self.assertBudget(stock, 300, asked_ms=10000)
        for span in trace:
            if span["service"] == "price" or span["name"] == "GET /price/{sku}":
                self.assertUntouched(span)
        self.assertEqual(self.audits(), audits)

    def test_4_price_fails_at_once(self):
        status, request_id, seconds = self.shop.order("stock=slow&rates=fail")
        self.assertEqual(status, 502)
        self.assertLess(seconds, 5)
        trace = self.trace_of(request_id, 9)
        gateway = self.span(trace, "gateway", "GET /order/{sku}")
        to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
        to_price = self.span(trace, "gateway", "GET /price/{sku}")
        price = self.span(trace, "price", "GET /price/{sku}")
        to_rates = self.span(trace, "price", "GET /rate")
        stock = self.span(trace, "stock", "GET /stock/{sku}")
        for span, error in ((to_rates, "500"), (price, "502"), (to_price, "502"), (gateway, "502")):
            self.assertEqual(span["status_code"], "ERROR")
            self.assertEqual(span["attributes"]["error.type"], error)
            self.assertUntouched(span)
        self.assertEqual(to_price["status_message"], "status 502")
        self.assertCancelled(to_stock, "sibling_failed", origin=to_price, site=r"^order\.c:\d+ fetch_price$", message="^status 502$")
        self.assertEqual(to_stock["attributes"]["whence.cancel.origin.span_name"], "GET /price/{sku}")
        self.assertLinks(to_stock, to_price)
        self.assertBenign(to_stock)
        self.assertCancelled(stock, "client_gone", origin=to_stock)
        self.assertBenign(stock)

    def test_5_rates_is_a_black_hole(self):
        status, request_id, seconds = self.shop.order("rates=hole")
        self.assertEqual(status, 502)
        self.assertGreaterEqual(seconds, 0.2)
        trace = self.trace_of(request_id, 7)
        gateway = self.span(trace, "gateway", "GET /order/{sku}")
        price = self.span(trace, "price", "GET /price/{sku}")
        to_rates = self.span(trace, "price", "GET /rate")
        self.assertCancelled(to_rates, "deadline_exceeded", origin=to_rates, depth=0, site=r"^price\.c:\d+ ask_rates$")
        self.assertEqual(to_rates["status_code"], "ERROR")
        self.assertEqual(to_rates["attributes"]["error.type"], "timeout")
        self.assertBudget(to_rates, 200, asked_ms=200)     # what it asked for is what it got
        self.assertBudget(price, 300, asked_ms=1000)       # it asked for a second, and got what the gateway had
        self.assertBudget(gateway, 300, asked_ms=300)
        self.assertGreater(gateway["attributes"]["whence.deadline.remaining_ms"], 0)  # its own was not over
        for span in (gateway, price):
            self.assertUntouched(span)
        self.assertEqual(price["attributes"]["http.response.status_code"], 504)

    def test_6_sigterm_in_mid_request(self):
        status, request_id, exit_status, seconds = self.shop.order_and_terminate("stock=slow", after=0.15)
        try:
            self.assertEqual(status, 503)
            self.assertEqual(exit_status, 0)
            self.assertLess(seconds, 10)
            trace = self.trace_of(request_id, 9)
            gateway = self.span(trace, "gateway", "GET /order/{sku}")
            to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
            for span in (gateway, to_stock):
                a = span["attributes"]
                self.assertEqual(a["whence.cancel.reason"], "shutdown")
                self.assertRegex(a["whence.cancel.message"], rf"^SIGTERM from process {os.getpid()}$")
                self.assertRegex(a["whence.cancel.site"], r"^gateway\.c:\d+ main$")
                self.assertNotIn("whence.cancel.origin.span_id", a)  # no span: the program itself
                self.assertBenign(span)
            self.assertEqual(gateway["attributes"]["http.response.status_code"], 503)
            self.assertIn("SIGTERM", self.shop.gateway.logged())
        finally:
            self.shop.open_gateway()

    def test_7_not_sampled(self):
        trace_id = os.urandom(16).hex()
        headers = [f"Traceparent: 00-{trace_id}-00f067aa0ba902b7-00", "Tracestate: shop=closed"]
        status, request_id, seconds = self.shop.order("stock=slow", headers=headers)
        self.assertEqual(status, 504)  # cancellation works just the same
        self.assertGreaterEqual(seconds, 0.3)
        for service in (self.shop.gateway, self.shop.stock, self.shop.price):
            self.assertLogged(f"request={request_id} trace={trace_id}", service)  # the same headers went on
        self.assertIn("deadline_exceeded", self.shop.gateway.logged())
        time.sleep(1)
        self.assertIsNone(self.jaeger.traces_v1(trace_id))
        self.assertEqual(self.jaeger.search("gateway", tags={"whence.request_id": request_id}), [])

    def test_8_a_job_that_ignores_its_context(self):
        status, request_id, seconds = self.shop.order("stock=stubborn")
        self.assertEqual(status, 504)
        self.assertLess(seconds, 0.5)
        trace = self.trace_of(request_id, 7)
        to_stock = self.span(trace, "gateway", "GET /stock/{sku}")
        stock = self.span(trace, "stock", "GET /stock/{sku}")
        job = self.span(trace, "stock", "count by hand")
        for span in (stock, job):
            self.assertCancelled(span, span["attributes"]["whence.cancel.reason"], origin=to_stock)
            self.assertGreater(span["attributes"]["whence.cancel.overrun_ms"], 100)  # about 200: it ran on for nobody
            self.assertLess(span["attributes"]["whence.cancel.overrun_ms"], 1000)
        self.assertLess(to_stock["attributes"]["whence.cancel.overrun_ms"], 100)      # who listened did not
        self.assertLinks(job, to_stock)

    def test_9_found_by_jaegers_own_search(self):
        _, request_id, _ = self.shop.order("stock=slow", give_up_after=0.05)
        trace = self.trace_of(request_id, 9)
        for tags in ({"whence.cancelled": "true"}, {"whence.cancelled": "true", "whence.cancel.reason": "client_gone"}):
            found = self.jaeger.search("gateway", tags=tags)
            self.assertIn(trace[0]["trace_id"], [t["traceID"] for t in found])
        _, well, _ = self.shop.order()
        trace = self.trace_of(well, 7)
        found = self.jaeger.search("gateway", tags={"whence.cancelled": "true"})
        self.assertNotIn(trace[0]["trace_id"], [t["traceID"] for t in found])


if __name__ == "__main__":
    PROGRAMS = sys.argv.pop(1)
    unittest.main(verbosity=2)
