"""Random trees of processes and cancels: what must hold of every trace is asserted over all of them (rules.py).

Usage: test_trees.py NODE [--whence PROGRAM] [--jaeger] [--seed N] [--rounds N] [--keep FOLDER] [unittest's arguments]

A round is five processes on which ten requests with a seed each work at once; now and then a client hangs up, or a process is
terminated or killed. WHENCE_LONG=1: a hundred times as many. Of a round that fails the seed is said: --seed N --rounds 1 plays it
again, as far as the scheduler does. Python 3, standard library only.
"""

import argparse
import glob
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "jaeger"), os.path.join(HERE, "..", "e2e")]

from query import Jaeger, flatten, ui_roots  # noqa: E402
from shop import start_jaeger, stop_jaeger  # noqa: E402
from rules import Check, overruns_ms, wasted_ms  # noqa: E402

PROCESSES, REQUESTS = 5, 10
LONG = os.environ.get("WHENCE_LONG")
options = None


class Process:
    def __init__(self, name, listening, ports, folder):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "WHENCE_"))}
        env.update(OTEL_TRACES_EXPORTER="none", WHENCE_TRACES_FILE=os.path.join(folder, name + ".jsonl"), OTEL_BSP_SCHEDULE_DELAY="20",
                   OTEL_BSP_MAX_QUEUE_SIZE="20000", OTEL_LOG_LEVEL="error")
        self.name, self.told = name, False
        self.process = subprocess.Popen([options.node, name, str(listening.fileno()), *map(str, ports)], env=env,
                                        pass_fds=[listening.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def wait_until_ready(self):
        with self.process.stdout as lines:
            if lines.readline() != b"ready\n":
                raise AssertionError(f"{self.name} is not ready")

    def send(self, number):
        self.told = True
        self.process.send_signal(number)

    def stop(self):
        if not self.told:  # a second SIGTERM would not wait for the spans
            self.send(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def ask(port, seed, chance):
    """One request as a client that knows of traces, or does not; it may lose patience. Returns the id of its span, or None."""
    span_id = f"{chance.getrandbits(64) | 1:016x}" if chance.random() < 0.5 else None
    patience = chance.uniform(0.002, 0.05) if chance.random() < 0.3 else 30
    lines = [f"CALL {seed} 2"]
    if span_id:
        lines.append(f"traceparent: 00-{chance.getrandbits(128) | 1:032x}-{span_id}-03")
    if chance.random() < 0.3:
        lines.append(f"whence-timeout: {chance.randrange(3, 80)}m")
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(("\n".join(lines) + "\n\n").encode())
            connection.settimeout(patience)
            connection.recv(100)
    except OSError:
        pass
    return span_id


def play(seed, folder):
    """One round: (spans, what `whence top` says was wasted, ids of the clients' spans, names of those killed)."""
    chance = random.Random(seed)
    sockets = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(PROCESSES)]
    ports = [s.getsockname()[1] for s in sockets]
    processes = [Process(f"node{i}", s, ports, folder) for i, s in enumerate(sockets)]
    for s in sockets:
        s.close()
    for process in processes:
        process.wait_until_ready()
    clients = [threading.Thread(target=lambda c=random.Random(chance.random()), n=n: outside.append(ask(ports[n % PROCESSES], seed * 1000 + n, c)))
               for n in range(REQUESTS)]
    outside, killed = [], set()
    fate = chance.random()
    for client in clients:
        client.start()
    if fate < 0.5:
        time.sleep(chance.uniform(0, 0.06))
        victim = chance.choice(processes)
        victim.send(signal.SIGKILL if fate < 0.25 else signal.SIGTERM)
        if fate < 0.25:
            killed.add(victim.name)
    for client in clients:
        client.join()
    statuses = {process.name: process.stop() for process in processes}
    for name, status in statuses.items():
        if status != (-signal.SIGKILL if name in killed else 0):
            raise AssertionError(f"{name} ended with {status}")
    return read(folder), asked_whence(folder), {span_id for span_id in outside if span_id}, killed


def files(folder):
    return sorted(glob.glob(os.path.join(folder, "*.jsonl")))


def asked_whence(folder):
    """What `whence top` says was wasted, in milliseconds; None without it."""
    if not options.whence:
        return None
    done = subprocess.run([options.whence, "top", "--json", *files(folder)], stdout=subprocess.PIPE, timeout=60)
    if done.returncode not in (0, 1):
        raise AssertionError(f"whence top ended with {done.returncode}")
    return sum(json.loads(line)["wasted_ms"] for line in done.stdout.splitlines())


def read(folder):
    spans = []
    for path in files(folder):
        with open(path, encoding="utf-8") as file:
            for line in file:
                spans += flatten(json.loads(line))
    return spans


class InJaeger(unittest.TestCase):
    """The same traces as a real Jaeger has them: nothing is lost, nothing hidden, nothing had to be repaired."""

    def setUp(self):
        if not options.jaeger:
            self.skipTest("without --jaeger")
        script = os.path.join(HERE, "..", "jaeger", "jaeger.sh")
        process = start_jaeger(script)
        self.addCleanup(shutil.rmtree, process["DIR"], ignore_errors=True)
        self.addCleanup(stop_jaeger, script, process)
        self.jaeger = Jaeger(process["QUERY"], process["OTLP_HTTP"])

    def test_every_tree_is_shown_whole(self):
        trees = 0
        for seed in range(options.seed, options.seed + 3):
            folder = tempfile.mkdtemp(prefix="whence-trees-")
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
            spans, _, outside, killed = play(seed, folder)
            for path in files(folder):
                with open(path, encoding="utf-8") as file:
                    for line in file:
                        self.jaeger.send(json.loads(line))
            traces = {}
            for span in spans:
                traces.setdefault(span["trace_id"], []).append(span)
            for trace_id, written in traces.items():
                read_back = self.jaeger.wait_trace(trace_id, len(written), 30)
                self.assertEqual({s["span_id"] for s in read_back}, {s["span_id"] for s in written})
                self.assertEqual(Check(read_back, outside, killed, ui_roots).all(), [], f"--seed {seed}")
                for span in read_back:
                    self.assertNotIn("@jaeger@warnings", span["attributes"])
                _, visible, invisible = ui_roots(self.jaeger.traces_v1(trace_id)["spans"])
                self.assertFalse(invisible, f"--seed {seed}: {trace_id}")
                self.assertEqual(len(visible), len(written))
            trees += len(traces)
        print(f"{trees} trees", file=sys.stderr)


class Trees(unittest.TestCase):
    def test_every_rule_holds_for_every_tree(self):
        seen, trees, wasted, most = {}, 0, 0, 0
        for number in range(options.rounds):
            seed = options.seed + number
            folder = tempfile.mkdtemp(prefix="whence-trees-", dir=options.keep)
            try:
                spans, told, outside, killed = play(seed, folder)
            finally:
                if not options.keep:
                    shutil.rmtree(folder, ignore_errors=True)
            traces = {}
            for span in spans:
                traces.setdefault(span["trace_id"], []).append(span)
            for trace_id, of_trace in traces.items():
                check = Check(of_trace, outside, killed, ui_roots)
                wrong = check.all()
                self.assertFalse(wrong, f"--seed {seed} --rounds 1: trace {trace_id}\n" + "\n".join(wrong[:5]))
                said, counted = overruns_ms(of_trace)
                self.assertAlmostEqual(said, counted, delta=0.0011 * max(1, len(of_trace)))
                most = max(most, len(of_trace))
                for what, count in check.seen.items():
                    seen[what] = seen.get(what, 0) + count
            wasted += wasted_ms(spans)
            if told is not None:
                self.assertAlmostEqual(told, wasted_ms(spans), delta=0.001 * max(1, len(spans)), msg=f"--seed {seed} --rounds 1")
            trees += len(traces)
        print(f"{trees} trees, the largest of {most} spans, {wasted:.0f} ms wasted: {dict(sorted(seen.items()))}", file=sys.stderr)
        if options.rounds >= 20:
            for what in ("canceled", "deadline_exceeded", "client_gone", "sibling_failed", "race_lost", "shutdown", "ended", "leaked",
                         "depth counted", "depth compared", "budget"):
                self.assertGreater(seen.get(what, 0), 0, f"no {what} in {trees} trees")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("node")
    parser.add_argument("--whence", help="the program whence: it is to say the same")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--rounds", type=int, default=3000 if LONG else 30)
    parser.add_argument("--jaeger", action="store_true", help="some of them also through a real Jaeger")
    parser.add_argument("--keep", help="a folder where the files of all rounds stay")
    options, rest = parser.parse_known_args()
    unittest.main(argv=sys.argv[:1] + rest, verbosity=2)
