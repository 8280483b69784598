"""whence why: the sentences, of what real programs have exported, and of chains over processes.

Usage: test_why.py WHENCE SCENES [unittest's arguments]
"""

import json
import unittest

from tool import TRACE, cancelled, lines, main, run, scenes, span, span_id, timeless


class Programs(unittest.TestCase):
    """What programs on this machine have exported, just now."""

    @classmethod
    def setUpClass(cls):
        cls.files, folder = scenes()
        cls.addClassCleanup(folder.cleanup)

    def why(self, name):
        out, err = run("why", self.files[name])
        self.assertEqual(err, "")
        return timeless(out).splitlines()

    def test_a_deadline(self):
        told = self.why("deadline")
        self.assertRegex(told[0], r"^GET /order \(shop\) was stopped after T by its own deadline of T, set at scenes\.c:\d+ deadline\.$")
        self.assertRegex(told[1], r'^Reason: deadline_exceeded "deadline of T exceeded" at scenes\.c:\d+ deadline\.$')
        self.assertEqual(told[2], "Hit: 1 span was stopped because of it, in 1 service: SELECT (shop).")
        self.assertRegex(told[3], r"^Ran on: (GET /order|SELECT) \(shop\) ran on for T after it was told to stop; T of work for nobody in all\.$")
        self.assertIn("Budget: T was too small for GET /order (shop): SELECT (shop) was still running, and ended at T; what it needs is not known.", told)
        self.assertIn("Budget: SELECT (shop) asked for T, and a deadline from above left it T.", told)
        self.assertEqual(told[-1], "Trace: I, 2 spans in 1 service, T, D UTC.")

    def test_a_failed_sibling(self):
        told = self.why("sibling")
        self.assertRegex(told[0], r'^GET /order \(shop\) failed after T because fetch price \(shop\) failed after T: EIO, '
                                  r'"disk on fire", at scenes\.c:\d+ fails\.$')
        self.assertIn("Hit: 1 span was stopped and 1 failed because of it, in 1 service: ", told[2])
        self.assertIn("fetch stock (shop)", told[2])

    def test_a_lost_race(self):
        told = self.why("race")
        self.assertRegex(told[0], r'^ask the far one \(shop\) was stopped after T: it lost a race in GET /nearest \(shop\) \("wins was first"\), '
                                  r"at scenes\.c:\d+ race\.$")

    def test_a_client_that_went_away(self):
        told = self.why("client_gone")
        self.assertRegex(told[0], r'^GET /order \(shop\) was stopped after T when its client went away \("connection reset"\), '
                                  r"seen at scenes\.c:\d+ client_gone\.$")

    def test_two_at_once_are_told_one_by_one(self):
        told = self.why("two")
        heads = [line for line in told if " was stopped after " in line and not line.startswith("Hit")]
        self.assertEqual([head.split(" (")[0] for head in heads], ["first", "second"])

    def test_all_is_well(self):
        self.assertEqual(self.why("well")[0], "GET /order (shop) was not stopped, and nothing in it failed: it took T.")


def chain_of_three():
    """A gateway whose client span was stopped by its own deadline; the callee, in another process, because its caller went; and a job of
    the callee, by that."""
    return (
        span(1, 0, "GET /order", "gateway", 0, 301, "server", "error", "deadline of 300 ms exceeded", error__type="timeout",
             whence__deadline__asked_ms=300.0, whence__deadline__budget_ms=300.0, whence__deadline__remaining_ms=-1.0,
             **cancelled(300, "deadline_exceeded", 1)),
        span(2, 1, "GET /stock", "gateway", 1, 301, "client", **cancelled(300, "deadline_exceeded", 1, depth=1)),
        span(3, 2, "GET /stock", "stock", 5, 320, "server", flags=0x301, whence__deadline__asked_ms=10000.0,
             whence__deadline__budget_ms=295.0, whence__deadline__source="caller", **cancelled(302, "client_gone", 2, "stock.c:30 handle")),
        span(4, 3, "count by hand", "stock", 10, 504, **cancelled(302, "client_gone", 2, "stock.c:30 handle", depth=1)),
    )


class Chains(unittest.TestCase):
    def test_a_sibling_that_was_stopped_did_not_need_the_budget(self):
        told = "\n".join(self.why(
            span(1, 0, "GET /order", "gateway", 0, 100),
            span(2, 1, "ask upstream", "gateway", 1, 22, "client", "error", "deadline of 20 ms exceeded", error__type="timeout",
                 whence__deadline__asked_ms=20.0, whence__deadline__budget_ms=20.0, **cancelled(21, "deadline_exceeded", 2)),
            span(3, 1, "scan", "gateway", 1, 90, **cancelled(22, "sibling_failed", 2, depth=1))))
        self.assertNotIn("was still running", told)
        self.assertIn("Ran on: scan (gateway)", told)

    def why(self, *spans, arguments=(), **options):
        out, _ = run("why", "-", *arguments, text=lines(*spans, **options))
        return out.splitlines()

    def test_over_processes_to_the_first_cause(self):
        self.assertEqual(self.why(*chain_of_three()), [
            "GET /order (gateway) was stopped after 300 ms by its own deadline of 300 ms, set at gateway.c:68 handle.",
            'Reason: deadline_exceeded "deadline of 300 ms exceeded" at gateway.c:68 handle.',
            "Hit: 3 spans were stopped because of it, in 2 services: GET /stock (gateway), GET /stock (stock), count by hand (stock).",
            "Ran on: count by hand (stock) ran on for 202 ms after it was told to stop; 203 ms of work for nobody in all.",
            "Budget: 300 ms was too small for GET /order (gateway): count by hand (stock) was still running, and ended at 504 ms; what it needs is not known.",
            "Budget: GET /stock (stock) asked for 10 s, and its caller left it 295 ms.",
            f"Trace: {TRACE}, 4 spans in 2 services, 504 ms, 2026-09-21 12:06:31.204 UTC.",
        ])

    def test_what_was_wasted_counts_no_instant_of_a_span_and_again_of_its_child(self):
        out, _ = run("why", "--json", "-", text=lines(*chain_of_three()))
        incident = json.loads(out)["incidents"][0]
        wasted = {s["span_id"]: s["wasted_ms"] for s in incident["hit"] + [incident["cause"]]}
        # 3 runs on from 302 to 320, and its child all that time; 1 from 300 to 301, and 2, too
        self.assertEqual(wasted, {span_id(1): 0, span_id(2): 1, span_id(3): 0, span_id(4): 202})
        self.assertEqual(incident["wasted_ms"], 203)
        self.assertEqual(sum(wasted.values()), incident["wasted_ms"])

    def test_children_side_by_side_are_both_counted_and_their_parent_only_where_none_ran(self):
        told = run("why", "--json", "-", text=lines(
            span(1, 0, "root", "a", 0, 100, **cancelled(50, "shutdown", 1)),
            span(2, 1, "left", "a", 0, 70, **cancelled(50, "shutdown", 1)),
            span(3, 1, "right", "a", 0, 80, **cancelled(50, "shutdown", 1)),
            span(4, 1, "late", "a", 90, 95, **cancelled(90, "shutdown", 1))))[0]
        self.assertEqual(json.loads(told)["incidents"][0]["wasted_ms"], 20 + 30 + 5 + (50 - 30 - 5))

    def test_a_caller_that_never_arrived(self):
        told = self.why(span(3, 2, "GET /stock", "stock", 5, 40, "server", flags=0x301, **cancelled(30, "client_gone", 2, "stock.c:30 handle")))
        self.assertEqual(told[0], f"GET /stock (stock) was stopped after 25 ms when its client span {span_id(2)} ended for a reason that is unknown: "
                                  "peer vanished, or it went away, seen at stock.c:30 handle; its span is not here.")
        self.assertIn(f"Not known: span {span_id(2)}, the parent of GET /stock (stock), is not here.", told)

    def test_a_caller_that_is_not_here_is_not_said_to_have_vanished_where_the_victim_knows_the_reason(self):
        for reason, said in (("deadline_exceeded", f"by the deadline of 25 ms that span {span_id(2)} left it, set at stock.c:30 handle"),
                             ("sibling_failed", f"by span {span_id(2)}: sibling_failed, at stock.c:30 handle"),
                             ("race_lost", f": it lost a race in span {span_id(2)}, at stock.c:30 handle")):
            stopped = span(3, 2, "GET /stock", "stock", 5, 40, "server", flags=0x301, whence__deadline__budget_ms=25.0,
                           **cancelled(30, reason, 2, "stock.c:30 handle"))
            told = self.why(stopped)
            before = "" if said.startswith(":") else " "
            self.assertEqual(told[0], f"GET /stock (stock) was stopped after 25 ms{before}{said}; its span is not here.")
            self.assertNotIn("vanished", "\n".join(told))
            self.assertNotIn("unknown", "\n".join(told))

    def test_a_failure_below_which_somebody_was_stopped_by_who_is_not_here(self):
        told = self.why(
            span(2, 1, "fill", "stock", 0, 50, status="error", message="no order", whence__cause__root__span_id=span_id(3),
                 whence__cause__root__trace_id=TRACE, whence__cause__root__reason="deadline_exceeded"),
            span(3, 2, "count", "stock", 5, 40, whence__deadline__budget_ms=25.0, **cancelled(30, "deadline_exceeded", 9, "stock.c:30 handle")))
        self.assertEqual(told[0], "fill (stock) failed after 50 ms because count (stock) was stopped after 25 ms by the deadline of 25 ms that "
                                  f"span {span_id(9)} left it, set at stock.c:30 handle; its span is not here.")

    def test_a_callee_of_which_nothing_is_known_but_its_id(self):
        told = self.why(span(1, 0, "GET /", "gateway", 0, 50, status="error", whence__callee__span_id=span_id(9), whence__callee__trace_id=TRACE))
        self.assertEqual(told[0], f"GET / (gateway) failed after 50 ms because span {span_id(9)} ended, nobody says why; its span is not here.")

    def test_a_callee_that_vanished(self):
        told = self.why(
            span(1, 0, "GET /order", "gateway", 0, 50, "server", "error", "status 502", error__type="502"),
            span(2, 1, "GET /stock", "gateway", 1, 49, "client", "error", "connection reset", error__type="ECONNRESET",
                 whence__callee__reason="unknown", whence__callee__message="peer vanished"))
        self.assertEqual(told[0], "GET /order (gateway) failed after 50 ms, probably because a callee ended for a reason that is unknown: "
                                  "peer vanished; its span never arrived.")
        self.assertIn('Callee: GET /stock (gateway) was told only: unknown ("peer vanished"); the callee\'s span is not here.', told)

    def test_a_callee_whose_span_is_here_is_followed(self):
        told = self.why(
            span(1, 0, "GET /order", "gateway", 0, 50, "server", "error", "no order", error__type="502", whence__failure__site="gateway.c:70 fill",
                 whence__cause__root__span_id=span_id(3), whence__cause__root__trace_id=TRACE, whence__cause__root__reason="deadline_exceeded"),
            span(2, 1, "GET /rate", "gateway", 1, 49, "client", "error", "status 504", error__type="504", whence__callee__reason="deadline_exceeded",
                 whence__callee__span_id=span_id(3), whence__callee__trace_id=TRACE, whence__callee__service="rates"),
            span(3, 2, "GET /rate", "rates", 2, 48, "server", "error", "deadline of 40 ms exceeded", error__type="timeout",
                 whence__deadline__asked_ms=40.0, whence__deadline__budget_ms=40.0, **cancelled(42, "deadline_exceeded", 3, "rates.c:40 handle")))
        self.assertEqual(told[0], "GET /order (gateway) failed after 50 ms because GET /rate (rates) was stopped after 40 ms by its own deadline "
                                  "of 40 ms, set at rates.c:40 handle.")

    def test_a_first_cause_that_is_known_by_name_only(self):
        told = self.why(span(2, 0, "fill", "gateway", 0, 50, status="error", message="no order", whence__cause__root__reason="connect_refused",
                             whence__cause__root__site="rates.c:12 dial", whence__cause__root__span_name="GET /rate",
                             whence__cause__root__service="rates", whence__cause__chain=["a at b.c:1 f", "connect_refused at rates.c:12 dial"]))
        self.assertEqual(told[0], "fill (gateway) failed after 50 ms because GET /rate (rates) ended with connect_refused, at rates.c:12 dial; "
                                  "its span is not here.")
        self.assertEqual(told[2:4], ["As told: a at b.c:1 f", "  because connect_refused at rates.c:12 dial"])

    def test_what_was_late_before_it_began(self):
        told = self.why(span(1, 0, "post mail", "gateway", 0, 2, "producer"),
                        span(2, 1, "send mail", "mail", 50, 51, "consumer", whence__deadline__budget_ms=-0.04, whence__deadline__source="caller",
                             **cancelled(50, "deadline_exceeded", 1, "mail.c:23 take")))
        self.assertEqual(told[0], "send mail (mail) was stopped after 0 ns: the time that post mail (gateway) left it was over before it began, "
                                  "taken up at mail.c:23 take.")

    def test_what_is_said_briefly_belongs_to_the_same_first_cause(self):
        brief = {"whence__cancelled": True, "whence__cancel__brief": True, "whence__cancel__reason": "shutdown", "whence__cancel__depth": 1}
        told = self.why(span(1, 0, "GET /", "a", 0, 9, "server", **cancelled(5, "shutdown", 0, "main.c:9 main")),
                        span(2, 1, "part", "a", 0, 7, whence__cancel__overrun_ms=2.0, **brief),
                        span(3, 2, "part of it", "a", 0, 6, whence__cancel__overrun_ms=1.0, **brief))
        self.assertIn("Hit: 2 spans were stopped because of it, in 1 service: part (a), part of it (a).", told)

    def test_circles_end(self):
        told = self.why(span(1, 0, "a", "x", 0, 9, **cancelled(5, "canceled", 2)), span(2, 1, "b", "x", 0, 9, **cancelled(5, "canceled", 1)))
        self.assertIn("was stopped after 5 ms", told[0])

    def test_two_traces_are_one_story(self):
        other = "f" * 32
        out, _ = run("why", "-", TRACE, text=lines(
            span(1, 0, "consume", "worker", 10, 60, "consumer", links=[(other, 9)], **{**cancelled(40, "client_gone", 0),
                 "whence__cancel__origin__span_id": span_id(9), "whence__cancel__origin__trace_id": other}),
            span(9, 0, "publish", "shop", 0, 30, "producer", trace=other, **cancelled(30, "shutdown", 0, "shop.c:9 main", "SIGTERM"))))
        self.assertEqual(out.splitlines()[0], 'consume (worker) was stopped after 30 ms because publish (shop) was stopped after 30 ms by a shutdown '
                                              '("SIGTERM"), watched for at shop.c:9 main.')


class Facts(unittest.TestCase):
    """Each attribute of whence.* that has a sentence."""

    def told(self, *spans):
        return run("why", "-", text=lines(*spans))[0]

    def test_nearly_late(self):
        told = self.told(span(1, 0, "GET /", "a", 0, 95, "server", whence__deadline__budget_ms=100.0, whence__deadline__remaining_ms=5.0,
                              whence__deadline__nearly_late=True))
        self.assertIn("GET / (a) was not stopped, and nothing in it failed: it took 95 ms.\n", told)
        self.assertIn("Nearly late: GET / (a) had 5 ms left of 100 ms.\n", told)

    def test_nearly_late_and_nobody_says_by_how_much(self):
        told = self.told(span(1, 0, "GET /", "a", 0, 95, "server", whence__deadline__budget_ms=100.0, whence__deadline__nearly_late=True),
                         span(2, 1, "lucky", "stock", 0, 95, whence__deadline__nearly_late=True))
        self.assertIn("Nearly late: GET / (a) had little left of 100 ms.\n", told)
        self.assertIn("Nearly late: lucky (stock).\n", told)

    def test_too_late(self):
        told = self.told(span(1, 0, "GET /", "a", 0, 9, **cancelled(5, "client_gone", 1), whence__cancel__suppressed_count=2,
                              whence__cancel__suppressed="sibling_failed at order.c:77 fill +0.3 ms"))
        self.assertIn("Too late: 2 more cancels of GET / (a) came to nothing, the first: sibling_failed at order.c:77 fill +0.3 ms.\n", told)

    def test_leaked(self):
        leaked = {"whence__leaked": True, "whence__leaked__site": "job.c:3 run", "whence__leaked__age_ms": 12000.0}
        told = self.told(span(1, 0, "GET /", "a", 0, 9, "server", status="error"), span(2, 1, "job", "a", 0, 9, **leaked))
        self.assertTrue(told.startswith("GET / (a) failed after 9 ms.\n"))
        self.assertIn("Leaked: job (a), started at job.c:3 run, was never ended; it was 12 s old at shutdown.\n", told)

    def test_a_leak_is_the_headline_where_nobody_was_hurt(self):
        leaked = {"whence__leaked": True, "whence__leaked__site": "job.c:3 run", "whence__leaked__age_ms": 12000.0}
        sentence = "job (a) leaked: it was started at job.c:3 run and never ended; it was 12 s old at shutdown."
        server, race = span(1, 0, "GET /", "a", 0, 9, "server"), span(3, 1, "loser", "a", 0, 9, **cancelled(5, "race_lost", 1))
        alone = self.told(server, span(2, 1, "job", "a", 0, 9, **leaked)).splitlines()
        self.assertEqual((alone[0], len(alone)), (sentence, 2))
        told = self.told(server, race, span(2, 1, "job", "a", 0, 99, status="error", message="no list", error__type="ENOENT",
                                            **leaked, **cancelled(9, "handler_returned", 1))).splitlines()
        self.assertEqual(told[0], sentence)
        self.assertEqual(told[2], "job (a) was stopped after 9 ms when the handler of GET / (a) had returned, at gateway.c:68 handle.")
        self.assertFalse([line for line in told if line.startswith("Leaked")])
        drawn = run("tree", "-", "--width", "120", text=lines(server, span(2, 1, "job", "a", 0, 9, **leaked)))[0]
        self.assertTrue(drawn.startswith(sentence), drawn)
        hurt = self.told(server, span(2, 1, "job", "a", 0, 9, **leaked), span(4, 1, "slow", "a", 0, 9, **cancelled(5, "client_gone", 1)))
        self.assertTrue(hurt.startswith("slow (a) was stopped"), hurt)

    def test_a_semaphore_that_was_given_up(self):
        told = self.told(span(1, 0, "job", "a", 0, 50, status="error", message="busy", whence__gave_up="semaphore",
                              events=[("whence.semaphore.gave_up", 50, {"waited_ms": 50.0, "weight": 1, "size": 4, "taken": 4})]))
        self.assertIn('job (a) gave up after 50 ms for a semaphore: it wanted 1 of 4, 4 were taken, and waited 50 ms: "busy".\n', told)

    def test_a_retry_that_was_given_up(self):
        told = self.told(span(1, 0, "job", "a", 0, 50, status="error", whence__gave_up="retry",
                              events=[("whence.retry.gave_up", 50, {"attempts": 3, "why": "no budget", "last_error": "EIO"})]))
        self.assertIn("job (a) gave up after 50 ms trying again, after 3 attempts: no budget, the last error EIO.\n", told)

    def test_the_last_of_several_attempts(self):
        def job(attempts):
            return span(1, 0, "job", "a", 0, 50, status="error", message="no rate", whence__gave_up="retry",
                        events=[("whence.retry.gave_up", 40, {"attempts": attempts, "why": "no_time", "last_error": "EIO"})])

        def ask(number, begin, end, name="GET /rate"):
            return span(number, 1, name, "a", begin, end, "client", "error", "status 500", error__type="500")

        tries = [ask(2, 0, 10), ask(3, 15, 20), ask(4, 30, 40)]
        self.assertIn("because GET /rate (a), the last of 3 attempts, failed after 10 ms: HTTP 500.\n", self.told(job(3), *tries))
        # somebody else's failure below the same span; more attempts than are here; no number; one only
        self.assertIn("because tell (a) failed after 3 ms: HTTP 500.\n", self.told(job(3), *tries, ask(5, 45, 48, "tell")))
        self.assertIn("because GET /rate (a) failed after 3 ms: HTTP 500.\n", self.told(job(3), *tries, ask(5, 45, 48)))
        self.assertIn("because GET /rate (a) failed after 10 ms: HTTP 500.\n", self.told(job(4), *tries))
        self.assertIn("because GET /rate (a) failed after 10 ms: HTTP 500.\n", self.told(job("many"), *tries))
        self.assertIn("because GET /rate (a) failed after 10 ms: HTTP 500.\n", self.told(job(1), tries[2]))

    def test_a_child_process(self):
        told = self.told(span(1, 0, "convert", "a", 0, 50, whence__child__ended_by="signal", whence__child__signal="SIGKILL",
                              whence__child__stopped_for="deadline_exceeded"))
        self.assertIn("Child process: convert (a) was ended by SIGKILL, stopped for deadline_exceeded.\n", told)

    def test_kept(self):
        told = self.told(span(1, 0, "GET /", "a", 0, 9, **cancelled(5, "client_gone", 1), whence__kept=True, whence__kept__because="cancelled",
                              whence__kept__alike=120))
        self.assertIn("Kept: although it was not sampled, because it was cancelled in a; 120 more like it were only counted.\n", told)


if __name__ == "__main__":
    main()
