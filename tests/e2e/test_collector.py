"""A tier of Collectors, as docs/collector.md has it: a service, a Collector that samples by what became of a trace, and Jaeger.

Usage: test_collector.py PROGRAM_THAT_MAKES_TRACES [unittest's arguments]
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
JAEGER_SH = os.path.join(HERE, "..", "jaeger", "jaeger.sh")
CONFIGURATION = os.path.join(HERE, "..", "..", "examples", "collector", "collector.yaml")
sys.path.insert(0, os.path.join(HERE, "..", "jaeger"))

from query import Jaeger, flatten  # noqa: E402
from shop import start_jaeger, stop_jaeger  # noqa: E402

PROGRAM = None
TRACES = 1000
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_ports(count):
    """So many that nobody has now; somebody may have one a moment later."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Collector:
    """Jaeger's binary, with the configuration that the page shows."""

    def __init__(self, folder, jaeger_endpoint):
        binary = subprocess.run([JAEGER_SH, "path"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        self.log = open(os.path.join(folder, "collector.log"), "wb")
        for _ in range(5):
            grpc, http, health = free_ports(3)
            path = f"/status/{uuid.uuid4().hex}"  # which only this one answers
            env = dict(os.environ, WHENCE_COLLECTOR_OTLP_GRPC_PORT=str(grpc), WHENCE_COLLECTOR_OTLP_HTTP_PORT=str(http),
                       WHENCE_COLLECTOR_HEALTH_PORT=str(health), WHENCE_COLLECTOR_HEALTH_PATH=path,
                       WHENCE_COLLECTOR_JAEGER=jaeger_endpoint, WHENCE_COLLECTOR_DECISION_WAIT="5s")
            self.endpoint = f"http://127.0.0.1:{http}"
            self.process = subprocess.Popen([binary, "--config", f"file:{CONFIGURATION}"], cwd=folder, env=env,
                                            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
            if self._is_ready(f"http://127.0.0.1:{health}{path}"):
                return
            self.stop()
        raise RuntimeError("the Collector does not start: " + self.logged())

    def _is_ready(self, health):
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with opener.open(health, timeout=5):
                    return True
            except OSError:
                time.sleep(0.1)
        return False

    def logged(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            return log.read()[-3000:]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Tier(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="whence-tier-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        process = start_jaeger(JAEGER_SH)
        cls.addClassCleanup(shutil.rmtree, process["DIR"], ignore_errors=True)
        cls.addClassCleanup(stop_jaeger, JAEGER_SH, process)
        collector = Collector(folder, process["OTLP_GRPC"].removeprefix("http://"))
        cls.addClassCleanup(collector.log.close)
        cls.addClassCleanup(collector.stop)
        words = subprocess.run([PROGRAM, collector.endpoint, str(TRACES)], check=True, stdout=subprocess.PIPE, text=True,
                               timeout=120).stdout.splitlines()
        cls.made = {"cancelled": set(), "failed": set(), "well": set()}
        for kind, trace_id in (line.split() for line in words):
            cls.made[kind].add(trace_id)
        cls.jaeger = Jaeger(process["QUERY"], request_timeout=60)
        cls.wait_for(words[-1].split()[1])
        cls.wait_for_all(cls.made["cancelled"] | cls.made["failed"])

    @classmethod
    def wait_for(cls, trace_id):
        """The last one, which was cancelled: when it is there, the Collector has judged all."""
        cls.jaeger.wait_trace(trace_id, at_least_spans=3, timeout=90)

    @classmethod
    def wait_for_all(cls, wanted):
        deadline = time.monotonic() + 60
        while True:
            cls.kept = {trace["traceID"]: trace["spans"] for trace in cls.jaeger.search("traces", limit=2 * TRACES)}
            if time.monotonic() > deadline or wanted <= {i for i, spans in cls.kept.items() if len(spans) >= 3}:
                return
            time.sleep(0.2)

    def test_the_service_made_what_it_should(self):
        self.assertEqual({kind: len(ids) for kind, ids in self.made.items()}, {"cancelled": 100, "failed": 20, "well": 880})

    def test_every_trace_in_which_something_was_cancelled_is_there_whole(self):
        self.check_whole("cancelled", {"GET /order": False, "reserve stock": True, "SELECT": True})

    def test_every_trace_that_failed_is_there_whole(self):
        self.check_whole("failed", {"GET /order": False, "reserve stock": False, "SELECT": False})

    def check_whole(self, kind, expected):
        """expected: name of each span, and whether it says that it was cancelled."""
        for trace_id in self.made[kind]:
            spans = flatten(self.jaeger.trace_v3(trace_id))
            said = {span["name"]: span["attributes"].get("whence.cancelled", False) for span in spans}
            self.assertEqual((len(spans), said), (3, expected), trace_id)
            ids = {span["span_id"] for span in spans}
            self.assertEqual(sum(span["parent_span_id"] in ids for span in spans), 2, trace_id)
            if kind == "failed":
                self.assertIn("ERROR", {span["status_code"] for span in spans})

    def test_of_the_others_few_are_there(self):
        """One in a hundred of 880 is 9, give or take 3. That it were 88 has a chance of less than 1 in 10^50; and that it is
        none happens once in 7,000 runs, which is why nothing is asked of the lower end."""
        others = self.made["well"] & self.kept.keys()
        print(f"\nof {len(self.made['well'])} others, {len(others)} are there", file=sys.stderr)
        self.assertLess(len(others), 88)
        for trace_id in others:
            self.assertEqual(len(self.kept[trace_id]), 3)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
