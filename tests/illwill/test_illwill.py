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
    """What holds of all of them; and gets a test for each scenario below, of what comes of that one."""

    @classmethod
    def setUpClass(cls):
        sys.setswitchinterval(0.0005)  # else servers that flood leave the others little time
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            cls.outcomes = {outcome.scenario.name: outcome for outcome in pool.map(play, ALL)}
        write_matrix(cls.outcomes.values())

    def of_each(self, check):
        """For every outcome that came to an end; of the others their own tests tell."""
        for name, outcome in self.outcomes.items():
            if outcome.end:
                with self.subTest(collector=name):
                    check(outcome, outcome.end)

    def test_flush_and_shutdown_keep_to_their_limits(self):
        def check(outcome, end):
            for step, said in (("flush", outcome.flush), ("shutdown", end)):
                limit = outcome.scenario.settings.get(step, LIMITS[step]) / 1000
                self.assertLess(said["ms"] / 1000, limit + SLACK, step)
        self.of_each(check)

    def test_nobody_who_ends_a_span_is_ever_held_up(self):
        def check(outcome, end):
            self.assertEqual(end["blocked"], 0)
        self.of_each(check)

    def test_memory_stays_bounded(self):
        def check(outcome, end):
            if not end["sanitized"]:
                self.assertLess(end["peak_kib"], MOST_KIB)
        self.of_each(check)

    def test_every_span_is_accounted_for(self):
        def check(outcome, end):
            spans = outcome.scenario.spans
            self.assertTrue(end["settled"])
            self.assertEqual((end["started"], end["ended"]), (spans, spans))
            self.assertEqual(end["started"], end["exported"] + sum(end[reason] for reason in DROPPED))
            self.assertEqual(end["dropped_memory"], 0)
        self.of_each(check)

    def test_the_server_took_as_many_as_the_exporter_says(self):
        """Or more, where its word may have been lost on the way; and none twice, where it was not."""
        def check(outcome, end):
            server, accepted = outcome.server, sum(outcome.server.accepted.values())
            if outcome.scenario.accepted == "==":
                self.assertEqual((accepted, len(server.ids)), (end["exported"],) * 2)
            else:
                self.assertGreaterEqual(accepted, end["exported"])
        self.of_each(check)

    def test_nothing_is_sent_to_another_host(self):
        def check(outcome, end):
            self.assertEqual(outcome.server.trap.connections, 0)
        self.of_each(check)

    def test_an_outage_is_a_few_lines_and_none_of_them_moves_a_cursor(self):
        def check(outcome, end):
            self.assertLessEqual(end["lines"], 8, outcome.log)
            self.assertEqual(end["rude"], 0, outcome.log)
        self.of_each(check)

    def check(self, scenario):
        outcome = self.outcomes[scenario.name]
        end = outcome.end
        self.assertEqual(outcome.status, 0, outcome.log)
        self.assertEqual(outcome.server.troubles, [])
        expected = scenario.exported
        if callable(expected):
            expected = expected(outcome.server)
        if expected is not None:
            self.assertEqual(end["exported"], {"all": scenario.spans, "none": 0}.get(expected, expected), outcome.log)
        if scenario.most_requests is not None:
            self.assertLessEqual(outcome.server.requests, scenario.most_requests)


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
