"""Five services in a chain, each a process with a clock of its own, hours apart; what becomes of the one in the middle is read back from
a real Jaeger.

Usage: test_chain.py LINK [unittest's arguments]
"""

import glob
import http.client
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time
import unittest
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
JAEGER_SH = os.path.join(HERE, "..", "jaeger", "jaeger.sh")
sys.path.insert(0, os.path.join(HERE, "..", "jaeger"))

from query import Jaeger, flatten, ui_roots  # noqa: E402
from relay import Relay  # noqa: E402
from shop import Service, start_jaeger, stop_jaeger  # noqa: E402

LINK = None
CLOCKS = {"a": 0, "b": 1, "c": -1, "d": 0.5, "e": -2}  # hours
HOUR = 3_600_000_000_000


def faketime():
    """libfaketime, of the package faketime."""
    for pattern in ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1",
                    "/usr/local/lib/faketime/libfaketimeMT.so.1"):
        for path in glob.glob(pattern):
            return path
    raise RuntimeError("libfaketime is not here: install the package faketime")


class Chain:
    """a asks b, which asks c through a relay, which asks d, which asks e."""

    def __init__(self, endpoint):
        self.links = {}
        url = None
        try:
            for name in "edcba":
                self.links[name] = self.start(name, url, endpoint)
                url = self.links[name].url
                if name == "c":
                    self.relay = Relay(self.links[name].port)
                    url = self.relay.url
        except BaseException:
            self.close()
            raise

    @staticmethod
    def start(name, url, endpoint):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "WHENCE_", "FAKETIME"))}
        env.update(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="50",
                   OTEL_RESOURCE_ATTRIBUTES=f"host.name=machine-{name},host.id=machine-{name}",
                   LD_PRELOAD=faketime(), FAKETIME=f"{CLOCKS[name]:+}h", FAKETIME_DONT_FAKE_MONOTONIC="1",
                   DONT_FAKE_MONOTONIC="1", FAKETIME_NO_CACHE="1")
        return Service(os.path.dirname(LINK), os.path.basename(LINK), env=env, before=[name], *([url] if url else []))

    def close(self):
        for link in self.links.values():
            if link.process.poll() is None:
                link.process.send_signal(signal.SIGCONT)
            link.stop()
            link.log.close()
        if hasattr(self, "relay"):
            self.relay.close()

    def ask(self, query):
        """The status of a's answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.links["a"].port, timeout=60)
        try:
            connection.request("GET", f"/chain?{query}", headers={"X-Request-Id": uuid.uuid4().hex})
            return connection.getresponse().status
        finally:
            connection.close()

    def trace_at(self, name, timeout=30):
        """The trace id of the request, once it has reached that link."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            found = re.findall(r"^reached ([0-9a-f]{32})$", self.links[name].logged(), re.M)
            if found:
                return found[-1]
            time.sleep(0.01)
        raise RuntimeError(f"nothing has reached {name}")


class Asking(threading.Thread):
    """A request to the chain, while other things happen."""

    def __init__(self, chain, query):
        super().__init__()
        self.chain, self.query, self.status = chain, query, None
        self.start()

    def run(self):
        self.status = self.chain.ask(self.query)


class Chains(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        process = start_jaeger(JAEGER_SH)
        cls.addClassCleanup(shutil.rmtree, process["DIR"], ignore_errors=True)
        cls.addClassCleanup(stop_jaeger, JAEGER_SH, process)
        cls.jaeger = Jaeger(process["QUERY"], process["OTLP_HTTP"])
        cls.endpoint = process["OTLP_HTTP"]

    def setUp(self):
        self.chain = Chain(self.endpoint)
        self.addCleanup(self.chain.close)

    # ---- reading ----

    def spans(self, trace_id, names="abcde", lost=""):
        """The spans of the trace as {("b", "SERVER"): span}: of each link the server's, and the client's but of the last of all.
        Of a link that is lost there are none. Every span is shown by Jaeger's UI, below one root, or one more behind each
        link that is lost."""
        expected = {(name, "SERVER") for name in names if name not in lost}
        expected |= {(name, "CLIENT") for name in names[:-1] if name not in lost}
        self.jaeger.wait_trace(trace_id, len(expected), timeout=30)
        time.sleep(0.3)  # one too many would come about now
        found = {(s["service"], s["kind"]): s for s in flatten(self.jaeger.trace_v3(trace_id))}
        self.assertEqual(set(found), expected)
        v1 = self.jaeger.traces_v1(trace_id)
        roots, _, invisible = ui_roots(v1["spans"])
        self.assertEqual(len(v1["spans"]), len(expected))
        self.assertEqual(len(roots), 1 + len(lost))
        self.assertFalse(invisible)
        self.assertIn(found["a", "SERVER"]["span_id"], roots)
        for span in v1["spans"]:
            # Jaeger sees that the clocks differ, and moves nothing; and that the parent of who is behind a lost one is not there
            expected = "invalid parent span IDs" if span["spanID"] in roots else "clock skew adjustment disabled"
            self.assertFalse([w for w in span.get("warnings") or () if not w.startswith(expected)], span)
        self.check_clocks(found)
        self.check_tree(found, names, lost)
        return found

    def check_clocks(self, spans):
        """Every process has stamped its spans by its own clock."""
        here = time.time_ns()
        for (name, _), span in spans.items():
            self.assertAlmostEqual((span["start_ns"] - here) / HOUR, CLOCKS[name], delta=0.1)

    def check_tree(self, spans, names, lost):
        """Each below the one before it. The budget never grows from there to here, whatever the clocks say: but for what a
        microsecond is rounded up to on the wire."""
        order = [key for name in names for key in ((name, "SERVER"), (name, "CLIENT")) if key in spans]
        self.assertEqual(spans[order[0]]["parent_span_id"], "")
        for above, below in zip(order, order[1:]):
            if below[0] in lost or above[0] != below[0] and chr(ord(above[0]) + 1) != below[0]:
                continue  # what is between was never told
            self.assertEqual(spans[below]["parent_span_id"], spans[above]["span_id"])
        budgets = [spans[key]["attributes"].get("whence.deadline.budget_ms") for key in order]
        for above, below in zip(budgets, budgets[1:]):
            if above is not None:
                self.assertLessEqual(below, above + 0.001)

    def assertUntouched(self, span):
        self.assertFalse([name for name in span["attributes"] if name.startswith("whence.cancel")], span)

    def assertCancelled(self, span, reasons, origin=None):
        """For one of these reasons, by the span that is the origin. Returns the attributes."""
        said = span["attributes"]
        self.assertIs(said.get("whence.cancelled"), True, said)
        self.assertIn(said["whence.cancel.reason"], reasons)
        if origin:
            self.assertEqual(said["whence.cancel.origin.trace_id"], span["trace_id"])
            self.assertEqual(said["whence.cancel.origin.span_id"], origin["span_id"])
        return said

    def assertToldToStop(self, spans, names, reasons):
        """Each was stopped because its caller had stopped, as it says."""
        for name in names:
            caller = spans.get((chr(ord(name) - 1), "CLIENT"))
            for kind in ("SERVER", "CLIENT"):
                if (name, kind) not in spans:
                    continue
                self.assertCancelled(spans[name, kind], reasons, origin=caller)
                self.assertEqual(spans[name, kind]["status_code"], "UNSET")

    # ---- what becomes of the one in the middle ----

    def test_all_well(self):
        self.assertEqual(self.chain.ask("limit=a:5000"), 200)
        spans = self.spans(self.chain.trace_at("e"))
        for (name, kind), span in spans.items():
            self.assertUntouched(span)
            self.assertEqual(span["status_code"], "UNSET")
            source = "caller" if name != "a" else "own" if kind == "SERVER" else "ancestor"
            self.assertEqual(span["attributes"]["whence.deadline.source"], source)
            self.assertLessEqual(span["attributes"]["whence.deadline.budget_ms"], 5000.001)
            self.assertGreater(span["attributes"]["whence.deadline.budget_ms"], 0)

    def test_the_client_hangs_up(self):
        with socket.create_connection(("127.0.0.1", self.chain.links["a"].port)) as connection:
            connection.sendall(b"GET /chain?slow=e HTTP/1.1\r\nHost: here\r\n\r\n")
            trace_id = self.chain.trace_at("e")
        spans = self.spans(trace_id)
        for kind in ("SERVER", "CLIENT"):
            self.assertCancelled(spans["a", kind], ["client_gone"], origin=spans["a", "SERVER"])
        self.assertToldToStop(spans, "bcde", ["client_gone"])

    def test_its_own_deadline_passes(self):
        self.assertEqual(self.chain.ask("slow=e&limit=c:1500"), 504)
        spans = self.spans(self.chain.trace_at("e"))
        said = self.assertCancelled(spans["c", "SERVER"], ["deadline_exceeded"], origin=spans["c", "SERVER"])
        self.assertEqual(spans["c", "SERVER"]["status_code"], "ERROR")
        self.assertEqual(said["error.type"], "timeout")
        self.assertEqual(said["whence.deadline.source"], "own")
        self.assertToldToStop(spans, "de", ["deadline_exceeded", "client_gone"])  # whichever is first
        self.assertFirstCause(spans, "deadline_exceeded", r"^link\.c:\d+ handle$")

    def test_somebody_cancels_it(self):
        asking = Asking(self.chain, "slow=e")
        trace_id = self.chain.trace_at("e")
        connection = http.client.HTTPConnection("127.0.0.1", self.chain.links["c"].port, timeout=30)
        connection.request("GET", "/cancel")
        connection.getresponse().read()
        connection.close()
        asking.join()
        self.assertEqual(asking.status, 502)
        spans = self.spans(trace_id)
        said = self.assertCancelled(spans["c", "SERVER"], ["drained"], origin=spans["c", "SERVER"])
        self.assertEqual(said["whence.cancel.message"], "this machine is taken out of service")
        self.assertEqual(spans["c", "SERVER"]["status_code"], "UNSET")
        self.assertToldToStop(spans, "de", ["client_gone"])
        self.assertFirstCause(spans, "drained", r"^link\.c:\d+ cancel_it$")

    def assertFirstCause(self, spans, reason, site):
        """Those above c failed because of what happened there, and say so; none of them was cancelled."""
        to_c = spans["b", "CLIENT"]["attributes"]
        self.assertEqual(to_c["whence.callee.reason"], reason)
        self.assertRegex(to_c["whence.callee.site"], site)
        self.assertEqual(to_c["whence.callee.service"], "c")
        self.assertEqual(to_c["whence.callee.span_id"], spans["c", "SERVER"]["span_id"])
        for key in (("b", "CLIENT"), ("b", "SERVER"), ("a", "CLIENT"), ("a", "SERVER")):
            self.assertUntouched(spans[key])
            self.assertEqual(spans[key]["status_code"], "ERROR")
            said = spans[key]["attributes"]
            self.assertEqual(said["whence.cause.root.reason"], reason, key)
            self.assertEqual(said["whence.cause.root.service"], "c")
            self.assertEqual(said["whence.cause.root.span_id"], spans["c", "SERVER"]["span_id"])

    def test_it_is_killed(self):
        asking = Asking(self.chain, "slow=e")
        trace_id = self.chain.trace_at("e")
        self.chain.links["c"].process.kill()
        asking.join()
        self.assertEqual(asking.status, 502)
        spans = self.spans(trace_id, lost="c")  # what it knew died with it
        self.assertToldToStop(spans, "de", ["client_gone"])
        to_c = spans["b", "CLIENT"]["attributes"]
        self.assertEqual(to_c["whence.callee.reason"], "unknown")
        self.assertEqual(to_c["whence.callee.message"], "peer vanished")
        self.assertNotIn("whence.callee.span_id", to_c)
        for key in (("b", "CLIENT"), ("b", "SERVER"), ("a", "CLIENT"), ("a", "SERVER")):
            self.assertUntouched(spans[key])
            self.assertEqual(spans[key]["status_code"], "ERROR")
            self.assertEqual(spans[key]["attributes"]["whence.cause.root.reason"], "unknown", key)
            self.assertEqual(spans[key]["attributes"]["whence.cause.root.message"], "peer vanished")

    def test_it_is_partitioned_from_its_caller(self):
        asking = Asking(self.chain, "slow=e&limit=a:4000")
        trace_id = self.chain.trace_at("e")
        self.chain.relay.partition()
        asking.join()
        self.assertEqual(asking.status, 504)
        spans = self.spans(trace_id)
        self.assertTimeIsOver(spans)
        # nobody has told c: it knows the time by its own clock, which is two hours behind its caller's
        self.assertToldToStop(spans, "c", ["deadline_exceeded"])

    def test_it_stands_still(self):
        asking = Asking(self.chain, "slow=e&limit=a:4000")
        trace_id = self.chain.trace_at("e")
        self.chain.links["c"].process.send_signal(signal.SIGSTOP)
        asking.join()
        self.assertEqual(asking.status, 504)
        self.jaeger.wait_trace(trace_id, 7, timeout=30)  # all but its own: a, b, d and e need it for nothing
        time.sleep(0.5)
        self.chain.links["c"].process.send_signal(signal.SIGCONT)
        spans = self.spans(trace_id)
        self.assertTimeIsOver(spans)
        said = self.assertCancelled(spans["c", "SERVER"], ["deadline_exceeded", "client_gone"], origin=spans["b", "CLIENT"])
        self.assertLess(said["whence.deadline.remaining_ms"], -400)  # so long after the end of its time
        self.assertToldToStop(spans, "d", ["deadline_exceeded"])     # nobody could tell it

    def assertTimeIsOver(self, spans):
        """The deadline is a's. Whom no news reaches keeps it all the same."""
        for kind in ("SERVER", "CLIENT"):
            self.assertCancelled(spans["a", kind], ["deadline_exceeded"], origin=spans["a", "SERVER"])
        self.assertEqual(spans["a", "SERVER"]["status_code"], "ERROR")
        self.assertEqual(spans["a", "SERVER"]["attributes"]["error.type"], "timeout")
        self.assertToldToStop(spans, "bcde", ["deadline_exceeded", "client_gone"])
        for name in "bcde":
            self.assertEqual(spans[name, "SERVER"]["attributes"]["whence.deadline.source"], "caller")


if __name__ == "__main__":
    LINK = sys.argv.pop(1)
    unittest.main(verbosity=2)
