"""whence top: many traces, by what they have in common.

Usage: test_top.py WHENCE SCENES [unittest's arguments]
"""

import json
import unittest

from tool import cancelled, lines, main, run, span


def traces():
    """Six: three of one line of one service, of which the second stands for ten more; two of another line; one in which all is well."""
    out = ""
    for i, (site, reason, wasted, alike) in enumerate([("a.c:1 f", "client_gone", 10, 0), ("a.c:1 f", "client_gone", 30, 10),
                                                       ("a.c:1 f", "client_gone", 20, 0), ("b.c:2 g", "deadline_exceeded", 7, 0),
                                                       ("b.c:2 g", "client_gone", 1, 0)]):
        trace = f"{i + 1:032x}"
        more = {"whence__kept": True, "whence__kept__alike": alike} if alike else {}
        cause = cancelled(50, reason, 0, site, **more)
        out += lines(span(1, 0, f"GET /{i % 2}", "web", 0, 50 + wasted, "server", trace=trace, **cause),
                     span(2, 1, "work", "web", 0, 50, trace=trace, **cancelled(50, reason, 0, site)))
    return out + lines(span(1, 0, "GET /", "web", 0, 5, trace="f" * 32))


class Top(unittest.TestCase):
    def top(self, *arguments):
        out, _ = run("top", "--json", "-", *arguments, text=traces())
        return [json.loads(line) for line in out.splitlines()]

    def test_by_reason_site_and_operation_and_by_waste(self):
        rows = self.top()
        self.assertEqual([(r["reason"], r["site"], r["operation"], r["wasted_ms"]) for r in rows],
                         [("client_gone", "a.c:1 f", "GET /1", 30), ("client_gone", "a.c:1 f", "GET /0", 30),
                          ("deadline_exceeded", "b.c:2 g", "GET /1", 7), ("client_gone", "b.c:2 g", "GET /0", 1)])

    def test_those_that_were_only_counted_count(self):
        (row,) = [r for r in self.top("--by", "site") if r["site"] == "a.c:1 f"]
        self.assertEqual(row, {"site": "a.c:1 f", "times": 13, "kept": 3, "spans": 6, "wasted_ms": 60, "wasted_p50_ms": 20, "wasted_max_ms": 30,
                               "example": f"{2:032x}"})

    def test_by_each_key(self):
        for key, values in {"reason": 2, "site": 2, "operation": 2, "service": 1, "root": 2}.items():
            rows = self.top("--by", key)
            self.assertEqual(len({row[key] for row in rows}), values)
            self.assertEqual(sum(row["kept"] for row in rows), 5)
            self.assertEqual(sum(row["wasted_ms"] for row in rows), 68)

    def test_the_table(self):
        out, _ = run("top", "--by=reason", "-", text=traces())
        self.assertEqual(out, "TIMES  SPANS  WASTED    P50    MAX  REASON             EXAMPLE\n"
                              f"   14      8   61 ms  10 ms  30 ms  client_gone        {2:032x}\n"
                              f"    1      2    7 ms   7 ms   7 ms  deadline_exceeded  {4:032x}\n")

    def test_nothing_to_tell_and_a_key_that_there_is_not(self):
        self.assertIn("nothing was stopped", run("top", "-", text=lines(span(1, 0, "a", "b", 0, 1)), status=1)[1])
        self.assertIn("--by is reason", run("top", "--by", "colour", "-", text=traces(), status=2)[1])


if __name__ == "__main__":
    main()
