"""Collectors of ill will: nobody is blocked, memory stays bounded, and every span is accounted for.

Usage: test_illwill.py DRIVER [unittest's arguments]
All scenarios run at once, each with a server and a program of its own; then every one is a test. The matrix goes to standard
output, and to illwill.md in the build folder.
"""

import concurrent.futures
import os
import sys
import time
import unittest

from driving import DROPPED, Driver
from scenarios import ALL
from server import Server

PROGRAM = None
AT_ONCE = 24
SLACK = 20               # seconds beyond a limit before it counts as ignored: other programs want the processor, too
MOST_KIB = 64 << 10      # of a program whose collector sends a gigabyte
LIMITS = {"flush": 1500, "shutdown": 2000}  # the driver's own


class Outcome:
    """What came of one scenario: the driver's words by the side that said them, and the server."""

    def __init__(self, scenario, server, driver, seconds):
        self.scenario, self.server, self.status, self.log, self.seconds = scenario, server, driver.status, driver.log, seconds
        said = {line["side"]: line for line in driver.lines}
        self.flush, self.end = said.get("flush"), said.get("end")


def play(scenario):
    trap = Server(lambda c: c.hold())
    server = Server(scenario.behave)
    server.trap = trap
    begun = time.monotonic()
    driver = Driver(PROGRAM, endpoint=f"http{'s' if scenario.tls else ''}://127.0.0.1:{server.port}", **scenario.settings)
    try:
        driver.finish()
    finally:
        server.stop()
        trap.stop()
    return Outcome(scenario, server, driver, time.monotonic() - begun)


class IllWill(unittest.TestCase):
    """Gets a test for each scenario below."""

    @classmethod
    def setUpClass(cls):
        sys.setswitchinterval(0.0005)  # else servers that flood leave the others little time
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            cls.outcomes = {outcome.scenario.name: outcome for outcome in pool.map(play, ALL)}
        write_matrix(cls.outcomes.values())

    def check(self, scenario):
        outcome = self.outcomes[scenario.name]
        self.assertEqual(outcome.status, 0, outcome.log)
        self.assertEqual(outcome.server.troubles, [])
        self.check_time(outcome)
        self.check_memory(outcome.end)
        self.check_counts(outcome)
        self.check_server(outcome)
        self.assertEqual(outcome.end["rude"], 0, outcome.log)
        self.assertLessEqual(outcome.end["lines"], 8, outcome.log)

    def check_time(self, outcome):
        for step, limit in LIMITS.items():
            said = outcome.end if step == "shutdown" else outcome.flush
            limit = outcome.scenario.settings.get(step, limit) / 1000
            self.assertLess(said["ms"] / 1000, limit + SLACK, step)
        self.assertEqual(outcome.end["blocked"], 0)

    def check_memory(self, end):
        if not end["sanitized"]:
            self.assertLess(end["peak_kib"], MOST_KIB)

    def check_counts(self, outcome):
        end, spans = outcome.end, outcome.scenario.spans
        self.assertTrue(end["settled"])
        self.assertEqual(end["started"], spans)
        self.assertEqual(end["ended"], spans)
        self.assertEqual(end["started"], end["exported"] + sum(end[reason] for reason in DROPPED))
        self.assertEqual(end["dropped_memory"], 0)
        expected = outcome.scenario.exported
        if callable(expected):
            expected = expected(outcome.server)
        if expected is not None:
            self.assertEqual(end["exported"], {"all": spans, "none": 0}.get(expected, expected), outcome.log)

    def check_server(self, outcome):
        scenario, server = outcome.scenario, outcome.server
        accepted = sum(server.accepted.values())
        self.assertEqual(server.trap.connections, 0)
        if scenario.accepted == "==":
            self.assertEqual(accepted, outcome.end["exported"])
            self.assertEqual(len(server.ids), accepted)
        else:
            self.assertGreaterEqual(accepted, outcome.end["exported"])
        if scenario.most_requests is not None:
            self.assertLessEqual(server.requests, scenario.most_requests)


for one in ALL:
    setattr(IllWill, f"test_{one.name}", lambda self, scenario=one: self.check(scenario))


# ---- the matrix ----

def row(outcome):
    end, flush = outcome.end, outcome.flush
    cells = [outcome.scenario.name.replace("_", " ")]
    if not end:
        return cells + ["it did not come to its end"] + [""] * 8
    cells += [end["started"], end["exported"], *(end[reason] for reason in DROPPED)]
    return cells + [f"{flush['ms'] / 1000:.2f}", f"{end['ms'] / 1000:.2f}", end["longest_us"], f"{end['peak_kib'] / 1024:.0f}"]


def write_matrix(outcomes):
    heads = ["collector", "started", "exported", "queue", "memory", "export", "shutdown", "flush, s", "shutdown, s",
             "longest span, us", "MiB"]
    rows = [heads, ["---"] + ["---:"] * (len(heads) - 1)] + [[str(cell) for cell in row(outcome)] for outcome in outcomes]
    text = "".join("| " + " | ".join(cells) + " |\n" for cells in rows)
    print(text, flush=True)
    with open(os.path.join(os.environ.get("WHENCE_BUILD", "."), "illwill.md"), "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
