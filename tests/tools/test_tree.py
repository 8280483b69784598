"""whence tree: drawings of fixed traces, held against golden files; and what a terminal must not be told.

Usage: test_tree.py WHENCE SCENES [unittest's arguments]. WHENCE_GOLDEN=write writes the golden files anew.
"""

import os
import unittest

from test_why import chain_of_three
from tool import TRACE, cancelled, lines, main, run, span, span_id

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")


def everything():
    """One span for each thing that can be said of one."""
    return (
        span(1, 0, "GET /order", "gateway", 0, 100, "server", "error", "no order", error__type="502", whence__failure__site="gateway.c:70 fill",
             whence__deadline__asked_ms=200.0, whence__deadline__budget_ms=110.0, whence__deadline__remaining_ms=10.0,
             whence__deadline__source="own", whence__deadline__nearly_late=True, whence__kept=True, whence__kept__because="failed",
             whence__kept__alike=7),
        span(2, 1, "GET /price", "gateway", 1, 60, "client", "error", "status 502", error__type="502", whence__callee__reason="connect_refused",
             whence__callee__message="nobody listens", whence__callee__site="rates.c:12 dial"),
        span(3, 1, "GET /stock", "gateway", 2, 90, "client", links=[(TRACE, 2), ("f" * 32, 9)], whence__cancel__suppressed="shutdown at main.c:9 main +0.3 ms",
             whence__cancel__suppressed_count=2, **cancelled(61, "sibling_failed", 2, "shop.c:33 shop_get", "status 502", depth=1)),
        span(4, 1, "wait for a place", "gateway", 3, 53, status="error", message="busy", whence__gave_up="semaphore",
             events=[("whence.semaphore.gave_up", 53, {"waited_ms": 50.0, "weight": 1, "size": 4, "taken": 4})]),
        span(5, 1, "audit", "gateway", 3, 100, whence__leaked=True, whence__leaked__site="audit.c:3 audit", whence__leaked__age_ms=97.0),
        span(6, 1, "convert", "gateway", 4, 90, whence__child__ended_by="signal", whence__child__signal="SIGKILL",
             whence__child__stopped_for="sibling_failed"),
        span(8, 7, "elsewhere", "rates", 20, 40, "server", flags=0x301),
    )


def deep():
    return tuple(span(i, i - 1, f"level {i}", "deep", i / 10, 100 - i / 10) for i in range(1, 40))


class Drawings(unittest.TestCase):
    maxDiff = None

    def check(self, name, spans, *arguments, locale="C.UTF-8", **environment):
        out, err = run("tree", "-", *arguments, text=lines(*spans), locale=locale, **environment)
        self.assertEqual(err, "")
        path = os.path.join(GOLDEN, f"{name}.txt")
        if os.environ.get("WHENCE_GOLDEN") == "write":
            with open(path, "w", encoding="utf-8") as file:
                file.write(out)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(out, file.read())
        return out

    def test_a_chain_over_processes(self):
        self.check("chain.utf8.120", chain_of_three(), "--width", "120")
        self.check("chain.utf8.80", chain_of_three(), "--width=80")
        self.check("chain.ascii.100", chain_of_three(), "--ascii", "--width", "100")
        self.check("chain.colour.100", chain_of_three(), "--color", "--width", "100", TERM="xterm")

    def test_everything_that_can_be_said(self):
        self.check("everything.utf8.120", everything(), "--width", "120")
        self.check("everything.ascii.80", everything(), "--width", "80", locale="C")

    def test_a_deep_one(self):
        out = self.check("deep.utf8.80", deep(), "--width", "80")
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()))

    def test_every_line_keeps_to_the_width(self):
        for width in (40, 60, 100, 200):
            for spans in (chain_of_three(), everything()):
                out, _ = run("tree", "-", f"--width={width}", text=lines(*spans))
                self.assertLessEqual(max(map(len, out.splitlines())), max(width, 60), width)

    def test_without_a_terminal_there_is_no_colour_and_with_no_color_neither(self):
        self.assertNotIn("\033", run("tree", "-", text=lines(*chain_of_three()))[0])
        self.assertIn("\033", run("tree", "--color", "-", text=lines(*chain_of_three()))[0])

    def test_strangers_text_is_harmless(self):
        evil = "a\x1b[2Jb\x07\u202ec\u0085d\ne"
        spans = (span(1, 0, evil, evil, 0, 9, "server", "error", evil, error__type=evil, whence__failure__site=evil,
                      whence__kept=True, whence__kept__because=evil, **cancelled(5, evil, 0, evil, evil)),
                 span(2, 1, evil, evil, 0, 9, whence__cancel__suppressed=evil, whence__callee__reason=evil, whence__gave_up=evil,
                      whence__leaked=True, whence__leaked__site=evil, whence__child__ended_by=evil, whence__child__stopped_for=evil,
                      whence__cause__chain=[evil, evil], whence__cause__root__reason=evil, whence__cause__root__span_name=evil,
                      **cancelled(5, evil, 7, evil, evil)))
        for command in ("tree", "why", "top"):
            for more in ((), ("--ascii",)) + ((("--json",),) if command != "tree" else ()):
                out, _ = run(command, "-", *more, text=lines(*spans))
                for character in "\x1b\x07\u202e\u0085":
                    self.assertNotIn(character, out, (command, more))
                if "--ascii" in more:
                    self.assertTrue(out.isascii())


class Shapes(unittest.TestCase):
    def names(self, *spans):
        out, _ = run("tree", "--ascii", "--width", "100", "-", text=lines(*spans))
        return [line for line in out.splitlines()[2:] if "+" in line]

    def test_circles_and_spans_that_are_their_own_parents_are_drawn(self):
        self.assertEqual(len(self.names(span(1, 2, "one", "a", 0, 9), span(2, 1, "two", "a", 1, 8), span(3, 3, "three", "a", 2, 7))), 3)

    def test_a_span_that_was_sent_twice_is_drawn_once(self):
        self.assertEqual(len(self.names(span(1, 0, "one", "a", 0, 9), span(1, 0, "one", "a", 0, 9), span(1, 0, "another", "a", 0, 9))), 2)


if __name__ == "__main__":
    main()
