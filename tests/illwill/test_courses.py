"""Longer courses: a collector that comes and goes, a fork in mid export, one ill collector beside a well one.

Usage: test_courses.py DRIVER [unittest's arguments]
"""

import os
import sys
import time
import unittest

import http1
from driving import DROPPED, Driver
from scenarios import PATIENT
from server import Server

PROGRAM = None


class Courses(unittest.TestCase):
    def serve(self, behave, is_open=True):
        server = Server(behave, is_open)
        self.addCleanup(server.stop)
        return server

    def drive(self, server, **settings):
        driver = Driver(PROGRAM, endpoint=f"http://127.0.0.1:{server.port}", **settings)
        self.addCleanup(driver.kill)
        return driver

    def phase(self, driver):
        driver.go()
        said = driver.said()
        self.assertEqual(said.get("side"), "flush")
        return said

    def end(self, driver, *servers):
        """The last line, when all is over and well. The servers are those of the exporters."""
        driver.finish()
        for server in servers:
            self.assertEqual(server.troubles, [])
        self.assertEqual(driver.status, 0, driver.log)
        end = driver.lines[-1]
        self.assertTrue(end["settled"])
        self.assertExact(end, len(servers))
        self.assertEqual(end["blocked"], 0)
        return end

    def assertExact(self, said, exporters=1):
        self.assertEqual(exporters * said["started"], said["exported"] + sum(said[reason] for reason in DROPPED))

    # ---- a collector that comes and goes ----

    def test_down_then_up_then_down_then_up(self):
        server = self.serve(http1.well, is_open=False)
        driver = self.drive(server, **dict(PATIENT, phases=4, spans=200, export_timeout=1500))
        self.assertEqual(self.phase(driver)["exported"], 0)
        server.open()
        self.assertEqual(self.phase(driver)["exported"], 200)
        server.shut()
        self.assertEqual(self.phase(driver)["exported"], 200)
        server.open()
        self.assertEqual(self.phase(driver)["exported"], 400)
        end = self.end(driver, server)
        self.assertEqual(end["dropped_export"], 400)
        self.assertEqual(server.accepted, {"span": 400})
        self.assertEqual(len(server.ids), 400)
        self.assertLessEqual(end["lines"], 8, driver.log)

    def test_a_restart_loses_nothing(self):
        server = self.serve(http1.well)
        driver = self.drive(server, **dict(PATIENT, phases=2, spans=200))
        self.assertEqual(self.phase(driver)["exported"], 200)
        server.shut()
        driver.go()
        time.sleep(0.3)  # so that some try is in vain; if none was, the test shows less, and still holds
        server.open()
        self.assertEqual(driver.said()["exported"], 400)
        self.end(driver, server)
        self.assertEqual(server.accepted, {"span": 400})
        self.assertEqual(len(server.ids), 400)

    # ---- one ill, beside one that is well ----

    def test_one_that_does_not_answer_does_not_hold_up_another(self):
        ill, well = self.serve(http1.held_until_released), self.serve(http1.well)
        driver = self.drive(ill, **dict(PATIENT, timeout=60000, second=f"http://127.0.0.1:{well.port}"))
        self.assertTrue(ill.holding.wait(60))
        deadline = time.monotonic() + 50
        while well.accepted["span"] < 600 and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual((well.accepted["span"], ill.accepted["span"]), (600, 0))
        ill.released.set()
        self.assertEqual(self.end(driver, ill, well)["exported"], 1200)
        self.assertEqual((len(well.ids), len(ill.ids)), (600, 600))

    def test_one_that_fails_takes_nothing_from_another(self):
        ill, well = self.serve(http1.reset_in_body), self.serve(http1.well)
        driver = self.drive(ill, **dict(PATIENT, second=f"http://127.0.0.1:{well.port}"))
        end = self.end(driver, ill, well)
        self.assertEqual((end["exported"], end["dropped_export"]), (600, 600))
        self.assertEqual((len(well.ids), len(ill.ids)), (600, 0))

    # ---- a fork in mid export ----

    def fork(self, what):
        """The parent forks while its first request waits for an answer, and its threads go on. When its child has ended, it
        gets its answer, and loses nothing."""
        server = self.serve(http1.held_until_released)
        driver = self.drive(server, **dict(PATIENT, timeout=60000, fork=what, pace=20000))
        self.assertTrue(server.holding.wait(60))
        driver.go()
        child = driver.said() if what == "record" else None
        forked = driver.said()
        server.released.set()
        end = self.end(driver, server)
        self.assertEqual(forked, {"side": "forked", "status": 0}, driver.log)
        self.assertEqual((end["started"], end["exported"]), (600, 600))
        self.assertEqual(server.accepted["span"], 600)
        self.assertEqual(len(server.ids), sum(server.accepted.values()))
        return server, child

    def test_a_child_that_exits(self):
        server, _ = self.fork("exit")
        self.assertEqual(server.accepted, {"span": 600})

    def test_a_child_that_becomes_another_program(self):
        server, _ = self.fork("exec")
        self.assertEqual(server.accepted, {"span": 600})

    def test_a_child_with_spans_of_its_own(self):
        server, child = self.fork("record")
        self.assertEqual(child["side"], "child")
        self.assertExact(child)
        self.assertEqual((child["started"], child["exported"], child["blocked"]), (300, 300, 0))
        self.assertEqual(server.accepted, {"span": 600, "child": 300})


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
