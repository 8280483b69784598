"""The programs of examples/tracing do what they say.

Usage: test_tracing.py FOLDER [unittest's arguments]
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "jaeger"))

from query import flatten  # noqa: E402

FOLDER = None


def run(name, *args, exporter="none", file=None):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "WHENCE_"))}
    env.update(OTEL_TRACES_EXPORTER=exporter, LC_ALL="C.UTF-8")
    if file:
        env["WHENCE_TRACES_FILE"] = file
    done = subprocess.run([f"{FOLDER}/tracing_{name}", *args], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=60, check=True)
    return done.stdout.decode()


class Tracing(unittest.TestCase):
    def test_a_provider_made_in_code(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run("provider", f"{folder}/spans.jsonl"), "2 spans started, 2 exported\n")
            with open(f"{folder}/spans.jsonl", encoding="utf-8") as file:
                batches = [resource for line in file for resource in json.loads(line)["resourceSpans"]]
        about = {a["key"]: a["value"] for a in batches[0]["resource"]["attributes"]}
        self.assertEqual(about["service.name"], {"stringValue": "billing"})
        self.assertIn("process.pid", about)
        scopes = [scope for batch in batches for scope in batch["scopeSpans"]]
        self.assertEqual({scope["scope"]["name"] for scope in scopes}, {"example/billing"})
        spans = [span for scope in scopes for span in scope["spans"]]
        self.assertEqual([span["name"] for span in spans], ["charge", "charge"])

    def test_a_processor(self):
        self.assertEqual(run("processor"), "slow: yearly report, of acme\n")

    def test_a_child_goes_on_with_the_trace(self):
        parent, child, stopped = run("child", exporter="console").splitlines()
        trace = re.fullmatch(r"parent: trace ([0-9a-f]{32})", parent)[1]
        self.assertNotEqual(trace, 32 * "0")
        self.assertEqual(child, f"child:  trace {trace}, customer ada, some time left")
        self.assertRegex(stopped, r"^parent: timed out: deadline_exceeded at child\.c:\d+, ")

    def test_messages_go_through_a_queue_with_their_deadline(self):
        with tempfile.TemporaryDirectory() as folder:
            lines = run("queue", file=f"{folder}/spans.jsonl").splitlines()
            with open(f"{folder}/spans.jsonl", encoding="utf-8") as file:
                spans = [span for line in file for span in flatten(json.loads(line))]
        sent = dict(re.fullmatch(r"order (\d) sent: trace ([0-9a-f]{32})", line).groups() for line in lines if "sent" in line)
        self.assertEqual(sorted(sent), ["1", "2", "3"])
        self.assertEqual(len(set(sent.values())), 3)
        for number in ("1", "3"):
            self.assertIn(f"order {number} done: trace {sent[number]}", lines)
        dropped = [line for line in lines if "dropped" in line]
        self.assertEqual(len(dropped), 1)
        self.assertRegex(dropped[0], rf"^order 2 dropped: trace {sent['2']}, timed out: deadline_exceeded ")
        for number, trace in sent.items():
            server, producer, consumer = (
                next(s for s in spans if s["trace_id"] == trace and s["kind"] == kind) for kind in ("SERVER", "PRODUCER", "CONSUMER"))
            self.assertEqual([producer["parent_span_id"], consumer["parent_span_id"]], [server["span_id"], producer["span_id"]])
            self.assertEqual([producer["name"], consumer["name"]], ["send orders", "process orders"])
            said = consumer["attributes"]
            self.assertEqual(said["messaging.message.id"], number)
            self.assertEqual(said["messaging.operation.type"], "process")
            self.assertEqual(consumer["status_code"], "UNSET")
            waited = (consumer["start_ns"] - producer["start_ns"]) / 1e6
            budget = producer["attributes"]["whence.deadline.budget_ms"] - said["whence.deadline.budget_ms"]
            if number == "3":  # headers know nothing of the time in the queue
                self.assertLess(budget, waited - 90)
            else:  # the wall clocks of the spans say the same as the monotonic one of the message
                self.assertAlmostEqual(budget, waited, delta=50)
            self.assertGreater(budget, -0.01)  # it never grows
            self.assertEqual(said.get("whence.cancel.reason"), "deadline_exceeded" if number == "2" else None)
            if number == "2":
                self.assertEqual(said["whence.cancel.origin.span_id"], producer["span_id"])
                self.assertLess(said["whence.deadline.budget_ms"], 0)


if __name__ == "__main__":
    FOLDER = sys.argv.pop(1)
    unittest.main(verbosity=2)
