"""What is asked of every trace that Jaeger gives back, and of the spans of a cancelled one. For a unittest.TestCase that has
`jaeger`, a query.Jaeger."""

from query import flatten, ui_roots


class Reading:
    def read_trace(self, trace_id, spans):
        """The spans of the trace, so many (None: any number). It is also looked at as Jaeger's UI would: it must have one root, and show every span;
        and nothing may have needed repair."""
        v1 = self.jaeger.traces_v1(trace_id)
        self.assertIsNotNone(v1)
        roots, visible, invisible = ui_roots(v1["spans"])
        self.assertEqual(len(roots), 1)
        self.assertFalse(invisible)
        self.assertFalse(v1["warnings"])
        for span in v1["spans"]:
            # This API of Jaeger knows hosts by a tag "ip" only, so it suspects the clock of a callee that outlives its caller.
            self.assertFalse([w for w in span.get("warnings") or () if not w.startswith("clock skew adjustment disabled")], span)
        trace = flatten(self.jaeger.trace_v3(trace_id))
        self.assertEqual(len(trace), spans or len(v1["spans"]), [(s["service"], s["name"]) for s in trace])
        for span in trace:
            self.assertNotIn("@jaeger@warnings", span["attributes"])
            self.assertEqual(span["resource"]["telemetry.sdk.name"], "whence")
            self.assertEqual(span["resource"]["telemetry.sdk.language"], "c")
            self.assertTrue(span["resource"]["host.name"])
        # the newer API knows them by host.name, and has nothing to say
        for span in flatten(self.jaeger.trace_v3(trace_id, raw=False)):
            self.assertNotIn("@jaeger@warnings", span["attributes"])
        return trace

    def span(self, trace, service, name):
        found = [s for s in trace if s["service"] == service and s["name"] == name]
        self.assertEqual(len(found), 1, [(s["service"], s["name"]) for s in trace])
        return found[0]

    def assertChild(self, child, parent, remote):
        self.assertEqual(child["parent_span_id"], parent["span_id"])
        self.assertEqual(child["trace_id"], parent["trace_id"])
        self.assertEqual(child["flags"] & 0x300, 0x300 if remote else 0x100)

    def assertLinks(self, span, *targets):
        self.assertEqual([link["span_id"] for link in span["links"]], [t["span_id"] for t in targets])

    def assertUntouched(self, span):
        self.assertFalse([name for name in span["attributes"] if name.startswith("whence.cancel")], span)
        self.assertFalse([e for e in span["events"] if e["name"] == "whence.cancel.received"])
        self.assertEqual(span["links"], [])

    def assertCancelled(self, span, reason, origin, depth=None, site=None, message=None):
        """The cause in attributes, and an event at its instant, from which the span ran on for as long as it says."""
        a = span["attributes"]
        self.assertIs(a["whence.cancelled"], True)
        self.assertEqual(a["whence.cancel.reason"], reason)
        self.assertEqual(a["whence.cancel.origin.trace_id"], origin["trace_id"])
        self.assertEqual(a["whence.cancel.origin.span_id"], origin["span_id"])
        if depth is not None:
            self.assertEqual(a["whence.cancel.depth"], depth)
        self.assertRegex(a["whence.cancel.site"], site or r"^[a-z_]+\.c:\d+ [a-z_]+$")
        if message:
            self.assertRegex(a["whence.cancel.message"], message)
        received = [e for e in span["events"] if e["name"] == "whence.cancel.received"]
        self.assertEqual(len(received), 1)
        self.assertEqual(received[0]["attributes"], {"whence.cancel.reason": reason})
        overrun = (span["end_ns"] - max(received[0]["time_ns"], span["start_ns"])) / 1e6
        self.assertAlmostEqual(a["whence.cancel.overrun_ms"], overrun, delta=0.01)
        self.assertGreaterEqual(a["whence.cancel.overrun_ms"], 0)

    def assertBenign(self, span):
        self.assertEqual(span["status_code"], "UNSET")
        self.assertNotIn("error.type", span["attributes"])

    def assertBudget(self, span, most_ms, asked_ms=None):
        a = span["attributes"]
        self.assertLessEqual(a["whence.deadline.budget_ms"], most_ms)
        self.assertGreater(a["whence.deadline.budget_ms"], most_ms - 100)
        self.assertAlmostEqual(a["whence.deadline.budget_ms"] - a["whence.deadline.remaining_ms"],
                               (span["end_ns"] - span["start_ns"]) / 1e6, delta=0.01)
        self.assertEqual(a.get("whence.deadline.asked_ms"), asked_ms)

    def assertRoot(self, span, reason, culprit, links=None):
        """The chain of causes of a span, as its attributes say it: the first cause last, and by itself."""
        a = span["attributes"]
        self.assertEqual(a["whence.cause.root.reason"], reason)
        self.assertEqual(a["whence.cause.root.trace_id"], culprit["trace_id"])
        self.assertEqual(a["whence.cause.root.span_id"], culprit["span_id"])
        self.assertEqual(a["whence.cause.root.span_name"], culprit["name"])
        self.assertEqual(a["whence.cause.root.service"], culprit["service"])
        chain = a["whence.cause.chain"]
        self.assertLessEqual(len(chain), 8)
        self.assertTrue(chain[-1].startswith(reason), chain)
        self.assertIn(culprit["span_id"], chain[-1])
        if links:
            self.assertEqual([link.split()[0] for link in chain], links)

    def assertCallee(self, client, reason, server):
        """What the callee's answer said of why it gave up: it names the callee's own span."""
        a = client["attributes"]
        self.assertEqual(a["whence.callee.reason"], reason)
        self.assertEqual(a["whence.callee.span_id"], server["span_id"])
        self.assertEqual(a["whence.callee.trace_id"], server["trace_id"])
        self.assertEqual(a["whence.callee.span_name"], server["name"])
        self.assertEqual(a["whence.callee.service"], server["service"])
        self.assertRegex(a["whence.callee.site"], r"^[a-z_]+\.c:\d+ [a-z_]+$")

    def assertSource(self, source, *spans):
        """Whose deadline holds."""
        for span in spans:
            self.assertEqual(span["attributes"]["whence.deadline.source"], source)

    def event(self, span, name):
        (found,) = [event for event in span["events"] if event["name"] == name]
        return found["attributes"]
