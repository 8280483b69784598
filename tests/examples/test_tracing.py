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

FOLDER = None


def run(name, *args, exporter="none"):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "WHENCE_"))}
    env.update(OTEL_TRACES_EXPORTER=exporter, LC_ALL="C.UTF-8")
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


if __name__ == "__main__":
    FOLDER = sys.argv.pop(1)
    unittest.main(verbosity=2)
