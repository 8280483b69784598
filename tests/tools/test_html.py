"""The page that `whence html` writes, as a real browser shows it.

Usage: test_html.py WHENCE [DEMO] [unittest's arguments]
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import otlp
from browser import Browser, find_chromium

TOOL = DEMO = None

# Where things lie on the page, in pixels of the screen; the timeline's own left edge is 0 for bars.
GEOMETRY = """(() => {
  const box = (n) => { const r = n.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
  const one = (row, what) => { const n = row.querySelector(what); return n ? box(n) : null; };
  const rows = [...document.querySelectorAll("#rows .row")].map((row) => ({
      span: row.dataset.span, at: Number(row.dataset.row), box: box(row), time: one(row, ".time"), bar: one(row, ".bar"),
      over: one(row, ".over"), cut: one(row, ".cut"), origin: one(row, ".origin"), unknown: one(row, "i.unknown"),
      deadline: one(row, ".deadline:not(.beyond)"), beyond: one(row, ".deadline.beyond"),
      text: row.querySelector(".name").textContent}));
  const arrows = [...document.querySelectorAll(".arrow")].map((a) => {
      const line = a.querySelector(".line"), m = line.getScreenCTM();
      const end = (at) => { const p = line.getPointAtLength(at).matrixTransform(m); return [p.x, p.y]; };
      return {led: a.classList.contains("led"), from: a.dataset.from, to: a.dataset.to, head: end(0), tip: end(line.getTotalLength())};
  });
  return {rows: rows.sort((a, b) => a.at - b.at), arrows};
})()"""


def spans_of(path):
    """{trace id: [span]}, each with its attributes as a dict."""
    traces = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            for resource in json.loads(line)["resourceSpans"]:
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        said = {a["key"]: next(iter(a["value"].values()), None) for a in span.get("attributes", [])}
                        traces.setdefault(span["traceId"], []).append(
                            {"id": span["spanId"], "parent": span.get("parentSpanId", ""), "name": span["name"], "attrs": said,
                             "start": int(span["startTimeUnixNano"]), "end": int(span["endTimeUnixNano"])})
    return traces


class Html(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assert find_chromium(), "there is no Chromium (Debian: chromium)"
        cls.folder = tempfile.mkdtemp(prefix="whence-html-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    # ---- making and opening pages ----

    def make(self, *arguments, ok=True):
        """The path of a page."""
        path = os.path.join(self.folder, f"{self.id().rsplit('.', 1)[-1]}-{len(os.listdir(self.folder))}.html")
        done = subprocess.run([TOOL, "html", "-o", path, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60)
        if ok:
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        return path

    def data(self, *traces):
        return otlp.write(os.path.join(self.folder, f"{self.id().rsplit('.', 1)[-1]}.jsonl"), *traces)

    def show(self, path, address="", **options):
        page = self.browser.open(f"file://{path}{address}", **options).ready()
        self.addCleanup(page.close)
        self.addCleanup(self.assertQuiet, page)
        return page

    def show_traces(self, *traces, address="", **options):
        return self.show(self.make(self.data(*traces)), address, **options)

    def assertQuiet(self, page):
        """Nothing was said, thrown or refused, and nobody was asked for anything."""
        self.assertEqual(page.complaints(), [])
        self.assertEqual(page.requests(), [])

    def geometry(self, page):
        page.frame()
        seen = page.eval(GEOMETRY)
        seen["by"] = {row["span"]: row for row in seen["rows"]}
        return seen

    def rows(self, page):
        page.frame()
        return [row["span"] for row in page.eval(GEOMETRY)["rows"]]

    def chosen(self, page):
        page.frame()
        return page.eval("(document.querySelector('.row[aria-selected=true]') || {dataset: {}}).dataset.span || null")

    # ---- what a picture must say ----

    def assertPicture(self, seen, spans):
        """Bars, what was run on, deadlines and arrows lie where the attributes of the spans say."""
        begin, end = min(s["start"] for s in spans), max(s["end"] for s in spans)
        widest = max(spans, key=lambda s: s["end"] - s["start"])
        bar = seen["by"][widest["id"]]["bar"]
        scale = (bar[2] - bar[0]) / (widest["end"] - widest["start"])
        left = bar[0] - (widest["start"] - begin) * scale
        by_id = {s["id"]: s for s in spans}
        expected = set()
        for span in spans:
            row, said = seen["by"][span["id"]], span["attrs"]
            self.assertAlmostEqual(row["bar"][0], left + (span["start"] - begin) * scale, delta=1.5)
            self.assertAlmostEqual(row["bar"][2] - row["bar"][0], max((span["end"] - span["start"]) * scale, 2), delta=1.5)
            if "whence.cancelled" in said:
                over = float(said["whence.cancel.overrun_ms"]) * 1e6
                at = left + (span["end"] - over - begin) * scale
                self.assertAlmostEqual((row["cut"][0] + row["cut"][2]) / 2, at, delta=1.5)
                self.assertEqual(row["over"] is None, over == 0)
                if row["over"]:
                    self.assertAlmostEqual(row["over"][2] - row["over"][0], max(over * scale, 2), delta=1.5)
                    self.assertAlmostEqual(row["over"][0], at, delta=1.5)
                origin = said.get("whence.cancel.origin.span_id")
                self.assertEqual(row["unknown"] is None, origin is None or origin in by_id)
                if origin in by_id and origin != span["id"]:
                    expected.add((origin, span["id"]))
            else:
                self.assertIsNone(row["over"])
                self.assertIsNone(row["cut"])
            if "whence.deadline.budget_ms" in said:
                at = span["start"] + float(said["whence.deadline.budget_ms"]) * 1e6
                self.assertEqual(row["deadline"] is None, row["beyond"] is not None)
                if at <= end:
                    self.assertIsNotNone(row["deadline"])
                if row["deadline"]:
                    self.assertAlmostEqual((row["deadline"][0] + row["deadline"][2]) / 2, left + (at - begin) * scale, delta=1.5)
            else:
                self.assertIsNone(row["deadline"] or row["beyond"])
        solid = [(a["from"], a["to"]) for a in seen["arrows"] if not a["led"]]
        self.assertEqual(sorted(solid), sorted(expected))
        for arrow in seen["arrows"]:
            origin, victim = seen["by"][arrow["from"]], seen["by"][arrow["to"]]
            for row, (x, y) in ((origin, arrow["head"]), (victim, arrow["tip"])):
                self.assertTrue(row["box"][1] < y < row["box"][3], (arrow, row))
                self.assertTrue(row["bar"][0] - 2 <= x <= row["bar"][2] + 4, (arrow, row))
            instant = (victim["cut"][0] + victim["cut"][2]) / 2 if victim["cut"] else victim["bar"][2]
            self.assertAlmostEqual(arrow["tip"][0], instant, delta=4)

    def assertTree(self, seen, spans):
        """Every span has a row, below its parent."""
        self.assertEqual(sorted(seen["by"]), sorted(s["id"] for s in spans))
        for span in spans:
            if span["parent"] in seen["by"]:
                self.assertGreater(seen["by"][span["id"]]["at"], seen["by"][span["parent"]]["at"])

    # ---- the shop, as its own programs have written it ----

    def test_the_shops_traces_are_drawn_as_they_say(self):
        done = subprocess.run([DEMO], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        file = re.search(r"OTLP JSON lines: (\S+)", done.stdout)[1]
        self.addCleanup(shutil.rmtree, os.path.dirname(file), ignore_errors=True)
        traces = spans_of(file)
        self.assertEqual(len(traces), 7)
        page = self.show(self.make(file))
        self.assertEqual(page.eval("document.querySelectorAll('button.trace').length"), 7)
        stopped = 0
        for trace_id, spans in traces.items():
            with self.subTest(trace=trace_id):
                page.eval(f"document.querySelector('button.trace[data-trace=\"{trace_id}\"]').click()")
                seen = self.geometry(page)
                self.assertTree(seen, spans)
                self.assertPicture(seen, spans)
                hit = [s for s in spans if "whence.cancelled" in s["attrs"]]
                stopped += bool(hit)
                if not hit:
                    self.assertIn("Nobody was stopped", page.eval("document.getElementById('verdict').textContent"))
        self.assertEqual(stopped, 6)
        page.eval("document.getElementById('only').click()")
        self.assertEqual(page.eval("document.querySelectorAll('button.trace').length"), 6)
        for query in ("sort", "duration", "start"):
            page.eval(f"document.getElementById('sort').value = '{query}'; document.getElementById('sort').dispatchEvent(new Event('change'))")
            self.assertEqual(page.eval("document.querySelectorAll('button.trace').length"), 6)

    # ---- who is to blame ----

    def incident(self):
        """rates gave up for its own 100 ms, so price failed, so its sibling was stopped, which ran on for 200 ms."""
        t = otlp.Trace(0xabc)
        root = t.span("GET /order", "gateway", took=400, kind=2, attrs={"whence.deadline.budget_ms": 430.0})
        price = t.span("fetch price", "gateway", root, start=5, took=105, kind=3, error="price: no rate",
                       attrs={"error.type": "502", "whence.failure.site": "gateway.c:41 fill", "whence.callee.reason": "deadline_exceeded",
                              "whence.callee.site": "rates.c:40 handle", "whence.callee.trace_id": t.id,
                              "whence.callee.span_id": f"{3:016x}", "whence.callee.span_name": "GET /rate", "whence.callee.service": "rates"})
        t.stopped("GET /rate", None, 106, site="rates.c:40 handle", service="rates", parent=price, start=6, took=101, kind=2,
                  error="deadline of 100 ms exceeded", attrs={"whence.deadline.budget_ms": 100.0})
        stock = t.stopped("fetch stock", price, 110, reason="sibling_failed", site="group.c:7 run", service="gateway", parent=root, start=5, took=305,
                          kind=3)
        t.stopped("SELECT", price, 110, reason="sibling_failed", site="group.c:7 run", service="stock", parent=stock, start=20, took=90)
        t.span("lucky", "stock", root, start=20, took=96, attrs={"whence.deadline.budget_ms": 100.0, "whence.deadline.nearly_late": True})
        t.span("lost", "stock", root, start=20, took=96, attrs={"whence.leaked": True})
        return t

    def test_the_verdict_is_that_of_whence_why(self):
        trace = self.incident()
        page = self.show_traces(trace)
        told = page.eval("document.getElementById('verdict').innerText")
        why = subprocess.run([TOOL, "why", self.data(trace)], stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout
        for line in why.splitlines():
            if line and not line.startswith("Trace: "):
                with self.subTest(line=line):
                    self.assertIn(re.sub("^[A-Z][a-z ]+: ", "", line), told)
        self.assertRegex(told, r"(?s)100 ms.*rates\.c:40 handle.*deadline_exceeded")
        self.assertRegex(told, r"it began at\s+GET /rate \(rates\)\s+longest for nobody \(200 ms\):\s+fetch stock \(gateway\)")

    def test_the_way_back_to_where_it_began(self):
        page = self.show_traces(self.incident())
        page.eval("document.querySelector('#verdict button.jump').click()")
        self.assertEqual(self.chosen(page), f"{3:016x}")
        seen = self.geometry(page)
        self.assertEqual([row["span"] for row in seen["rows"] if row["origin"]], [f"{3:016x}"])
        self.assertIn("nearly late", seen["by"][f"{6:016x}"]["text"])
        self.assertIn("leaked", seen["by"][f"{7:016x}"]["text"])
        self.assertEqual([(a["from"], a["to"]) for a in seen["arrows"] if a["led"]], [(f"{3:016x}", f"{2:016x}")])
        page.eval(f"document.querySelector('.row[data-span=\"{5:016x}\"]').click()")
        on = page.eval("[...document.querySelectorAll('.arrow.on')].map((a) => [a.dataset.from, a.dataset.to])")
        self.assertEqual(sorted(on), [[f"{2:016x}", f"{5:016x}"], [f"{3:016x}", f"{2:016x}"]], "the way back to where it began")
        path = page.eval("[...document.querySelectorAll('#detail .path li')].map((li) => li.innerText)")
        self.assertEqual(len(path), 3)
        for words, said in zip((r"GET /rate.*deadline_exceeded.*rates\.c:40", r"fetch price.*HTTP 502.*no rate.*gateway\.c:41",
                                r"SELECT.*sibling_failed.*group\.c:7"), path):
            self.assertRegex(said.replace("\n", " "), words)
        page.eval("document.querySelector('#detail .path button').click()")
        self.assertEqual(self.chosen(page), f"{3:016x}")
        self.assertIn("It stopped", page.eval(f"document.querySelector('.row[data-span=\"{2:016x}\"]').click(), document.getElementById('detail').innerText"))

    def test_the_picture_of_an_incident_is_to_scale(self):
        trace = self.incident()
        page = self.show_traces(trace)
        spans = spans_of(self.data(trace))[trace.id]
        for width in (1280, 900, 400):
            page.size(width, 800)
            with self.subTest(width=width):
                seen = self.geometry(page)
                self.assertTree(seen, spans)
                self.assertPicture(seen, spans)
                self.assertLessEqual(page.eval("document.documentElement.scrollWidth"), width)

    def test_an_origin_elsewhere_is_marked_as_unknown(self):
        t = otlp.Trace(7)
        root = t.stopped("GET /", f"{99:016x}", 30, reason="client_gone", took=40)
        t.stopped("work", root, 30, reason="client_gone", parent=root, took=35)
        t.span("orphan", parent=f"{98:016x}", took=1)
        page = self.show_traces(t)
        seen = self.geometry(page)
        self.assertPicture(seen, spans_of(self.data(t))[t.id])
        self.assertIn("not here", seen["by"][root]["text"])
        self.assertIn("parent not here", seen["by"][f"{3:016x}"]["text"])
        self.assertIn(f"{99:016x}", page.eval("document.getElementById('verdict').textContent"))

    def test_a_cause_without_end_comes_to_one(self):
        t = otlp.Trace(8)
        t.stopped("a", f"{2:016x}", 5)
        t.stopped("b", f"{1:016x}", 5, parent=f"{1:016x}")
        t.span("ring one", parent=f"{4:016x}")
        t.span("ring two", parent=f"{3:016x}")
        page = self.show_traces(t)
        self.assertEqual(len(self.rows(page)), 4)
        page.eval("document.querySelector('.row').click()")
        self.assertLess(page.eval("document.querySelectorAll('#detail .path li').length"), 5)

    def test_traces_of_other_sdks_are_shown_too(self):
        t = otlp.Trace(9)
        root = t.span("GET /", "js", took=50, kind=2)
        t.span("query", "db", root, took=20, error="connection refused",
               events=[("exception", 3, {"exception.type": "ConnectionError", "exception.message": "refused"})])
        page = self.show_traces(t)
        self.assertRegex(page.eval("document.getElementById('verdict').textContent"), "query \\(db\\) failed.*connection refused")
        page.eval("document.querySelectorAll('.row')[1].click()")
        self.assertRegex(page.eval("document.getElementById('detail').innerText"), r"(?s)exception.*ConnectionError")

    # ---- finding ----

    def test_a_search_narrows_to_what_it_finds(self):
        fine = otlp.Trace(1)
        fine.span("GET /fine", attrs={"user": "zoe"})
        page = self.show_traces(self.incident(), fine)
        every = self.rows(page)
        self.assertEqual(len(every), 7)
        for query, traces, found in (("SELECT", 1, 1), ("service=stock", 1, 3), ("whence.cancel.overrun_ms>100", 1, 1),
                                     ('"fetch price"', 1, 1), ("whence.cancel.reason=sibling_* stock", 1, 2), ("user=zoe", 1, 1),
                                     ("whence.leaked=*", 1, 1), ("kind=server", 1, 2), ("duration>=400", 1, 1), ("nothing-like-it", 0, None),
                                     ("name!=SELECT", 2, None), ("rates.c:40", 1, 2), ("RaTeS", 1, 2)):
            with self.subTest(query=query):
                page.key("/")
                self.assertEqual(page.eval("document.activeElement.id"), "q")
                page.eval("document.getElementById('q').select()")
                page.type(query)
                page.wait(f"location.hash.includes(new URLSearchParams({{q: {json.dumps(query)}}}).toString())")
                self.assertEqual(page.eval("document.querySelectorAll('button.trace').length"), traces)
                if found is not None:
                    self.assertEqual(len(self.rows(page)) - page.eval("document.querySelectorAll('.row.way').length"), found)
                    self.assertIn(f"{found} of ", page.eval("document.getElementById('note').textContent"))
                page.key("Enter")
        page.key("/")
        page.key("Escape")
        self.assertEqual(page.eval("document.getElementById('q').value"), "")
        self.assertEqual(page.eval("document.querySelectorAll('button.trace').length"), 2)

    def test_an_address_leads_to_a_span(self):
        trace, other = self.incident(), otlp.Trace(1)
        other.span("GET /fine")
        path = self.make(self.data(trace, other))
        page = self.show(path, f"#trace={trace.id}&span={5:016x}&q=stock")
        self.assertEqual(self.chosen(page), f"{5:016x}")
        self.assertEqual(page.eval("document.getElementById('q').value"), "stock")
        self.assertIn("SELECT", page.eval("document.querySelector('#detail h3').textContent"))
        page.eval(f"location.hash = '#trace={other.id}'")
        page.wait("document.querySelector('#head h2').textContent === 'GET /fine'")
        page.eval("location.hash = '#trace=nonsense&span=%22%3E&q='")
        self.assertEqual(page.eval("document.querySelectorAll('button.trace').length"), 2)
        page.eval("document.querySelector('button.trace').click()")
        page.eval("document.querySelectorAll('.row')[2].click()")
        address = page.eval("location.hash")
        self.assertEqual(self.chosen(self.show(path, address)), self.chosen(page))

    # ---- by hand ----

    def test_keys_lead_through_the_tree(self):
        page = self.show_traces(self.incident())
        every = self.rows(page)
        page.eval("document.getElementById('grid').focus()")
        for key, expected in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowRight", 2), ("ArrowUp", 1), ("End", 6), ("Home", 0),
                              ("ArrowRight", 1), ("ArrowLeft", 1)):
            page.key(key)
            self.assertEqual(self.chosen(page), every[expected], key)
        self.assertEqual(len(self.rows(page)), 6, "the last key has folded it")
        self.assertEqual(page.eval("document.querySelector('[aria-selected=true]').getAttribute('aria-expanded')"), "false")
        page.key("ArrowLeft")
        self.assertEqual(self.chosen(page), every[0], "and then leads to its parent")
        page.key("ArrowLeft")
        self.assertEqual(self.rows(page), every[:1])
        page.key("c")
        self.assertEqual(self.chosen(page), f"{3:016x}", "it is unfolded for that")
        self.assertEqual(len(self.rows(page)), 6, "the other one stays folded")
        self.assertFalse(page.eval("document.getElementById('detail').hidden"))
        page.key("Escape")
        self.assertTrue(page.eval("document.getElementById('detail').hidden"))
        page.key("Enter")
        self.assertEqual(page.eval("document.activeElement.id"), "detail")
        page.key("Escape")
        self.assertEqual(page.eval("document.activeElement.id"), "grid")
        self.assertEqual(page.eval("document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).dataset.span"),
                         f"{3:016x}")
        page.key("z")
        bar, time_ = (self.geometry(page)["by"][f"{3:016x}"][what] for what in ("bar", "time"))
        self.assertGreater((bar[2] - bar[0]) / (time_[2] - time_[0]), 0.75, "the span fills the timeline")
        page.key("z")
        page.key("?")
        self.assertTrue(page.eval("document.getElementById('keys').open"))
        page.eval("document.querySelector('#keys button').click()")
        self.assertFalse(page.eval("document.getElementById('keys').open"))

    def test_folding_and_hovering_by_pointer(self):
        page = self.show_traces(self.incident())
        twist = page.eval("(() => { const r = document.querySelector('.twist').getBoundingClientRect(); return [r.x + 5, r.y + 5]; })()")
        page.click(*twist)
        self.assertEqual(len(self.rows(page)), 1)
        page.click(*twist)
        seen = self.geometry(page)
        self.assertEqual(len(seen["rows"]), 7)
        over = seen["by"][f"{4:016x}"]["over"]
        page.move((over[0] + over[2]) / 2, (over[1] + over[3]) / 2)
        page.frame()
        self.assertRegex(page.eval("document.getElementById('tip').innerText"), r"(?s)fetch stock.*stopped at \+110 ms, ran on 200 ms")

    # ---- how it looks ----

    CONTRAST = """(() => {
      const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
      const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
          return [...canvas.getImageData(0, 0, 1, 1).data]; };
      const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
          .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const behind = (n) => { for (; n; n = n.parentElement) { const c = rgb(getComputedStyle(n).backgroundColor); if (c[3] > 250) return c; }
          return [255, 255, 255, 255]; };
      const bad = [];
      for (const n of document.querySelectorAll("body *")) {
          if (![...n.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim()) || !n.checkVisibility() || n.closest("svg, script, .way")) continue;
          const [a, b] = [light(rgb(getComputedStyle(n).color)), light(behind(n))].sort((x, y) => y - x);
          const ratio = (a + 0.05) / (b + 0.05);
          if (ratio < 4.5 || parseFloat(getComputedStyle(n).fontSize) < 11) bad.push(`${n.tagName}.${n.className} ${n.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
      }
      return bad;
    })()"""

    def test_light_and_dark_are_both_readable(self):
        page = self.show_traces(self.incident(), otlp_fine())
        colour = "getComputedStyle(document.body).backgroundColor"
        page.eval("document.querySelector('.row').click()")
        light = page.eval(colour)
        self.assertEqual(page.eval(self.CONTRAST), [])
        page.scheme("dark")
        page.frame()
        dark = page.eval(colour)
        self.assertNotEqual(light, dark)
        self.assertEqual(page.eval(self.CONTRAST), [])
        for name, expected in (("light", light), ("dark", dark), ("auto", dark)):
            page.eval("document.getElementById('theme').click()")
            self.assertEqual(page.eval("document.getElementById('theme').textContent"), name)
            self.assertEqual(page.eval(colour), expected)

    def test_who_cannot_see_it_is_told(self):
        page = self.show_traces(self.incident(), otlp_fine())
        self.assertEqual(page.eval("document.getElementById('grid').getAttribute('aria-rowcount')"), "8")
        self.assertEqual(page.eval("[...document.querySelectorAll('.row')].map((r) => r.getAttribute('aria-level')).join('')"), "1232322")
        nodes = page.call("Accessibility.getFullAXTree")["nodes"]
        roles = {}
        for node in nodes:
            if not node.get("ignored"):
                roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
        self.assertEqual(roles["treegrid"], ["Spans of the trace"])
        self.assertEqual(len(roles["row"]), 8)
        self.assertTrue(any("stopped" in name and "SELECT" in name for name in roles["row"]), roles["row"])
        for role in ("button", "searchbox", "checkbox", "navigation"):
            self.assertTrue(roles.get(role), role)
            self.assertFalse([name for name in roles[role] if not name], role)

    def test_printing_shows_every_row(self):
        t = otlp.Trace(3)
        root = t.span("root", took=500)
        for i in range(300):
            t.span(f"part {i}", parent=root, start=i, took=1)
        page = self.show_traces(t)
        self.assertLess(len(self.rows(page)), 100)
        page.eval("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(len(self.rows(page)), 301)
        page.eval("dispatchEvent(new Event('afterprint'))")
        self.assertLess(len(self.rows(page)), 100)

    # ---- strangers ----

    def test_hostile_texts_do_nothing(self):
        evil = "</script><script>window.hit = 1</script><img src=x onerror=hit=1><!--<script>&amp;\u2028\u2029'\"\\"
        turned = "abc\u202egnp.exe\u2066\u200b\x00\x1b[31m\ud83d"
        t = otlp.Trace(5)
        root = t.span(evil, evil, took=30, attrs={evil: evil, "big": "x" * (1 << 20), "__proto__": evil, "constructor": "y"},
                      events=[(evil, 3, {evil: evil})], error=evil)
        t.stopped(turned.replace("\x00", "").encode("utf-8", "replace").decode(), root, 5, reason=evil, site=evil, parent=root,
                  attrs={"whence.cancel.message": evil, "whence.deadline.budget_ms": "soon", "whence.cause.chain": [evil]})
        path = self.make("--title", evil, self.data(t))
        page = self.show(path)
        self.assertEqual(page.eval("document.title"), evil.replace("\u2028", "⟨2028⟩").replace("\u2029", "⟨2029⟩"))
        page.eval("document.querySelectorAll('.row')[1].click()")
        page.eval("document.querySelectorAll('.row')[0].click()")
        page.frame()
        self.assertEqual(page.eval("typeof window.hit"), "undefined")
        self.assertEqual(page.eval("document.querySelectorAll('img, script').length"), 2)
        shown = page.eval("document.body.innerText")
        self.assertNotRegex(shown, "[\u202a-\u202e\u2066-\u2069\u200b]")
        self.assertIn("⟨202E⟩", shown)
        self.assertIn("</script><script>", page.eval("document.querySelector('#head h2').textContent"))
        self.assertLess(len(shown), 60000)
        page.eval("document.querySelector('#detail .more').click()")
        self.assertGreater(page.eval("document.getElementById('detail').textContent.length"), 1 << 20)
        page.eval(f"location.hash = '#q=' + encodeURIComponent({json.dumps(evil)})")
        page.frame()
        self.assertEqual(page.eval("typeof window.hit"), "undefined")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(len(re.findall(r"</?script", file.read())), 4)

    def test_the_policy_lets_no_other_script_run(self):
        with open(self.make(self.data(self.incident())), encoding="utf-8") as file:
            text = file.read()
        path = os.path.join(self.folder, "broken-into.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("<main", "<script>window.hit = 1</script><img src='https://example.invalid/x.png' onerror='window.hit = 2'><main"))
        page = self.browser.open(f"file://{path}").ready()
        self.addCleanup(page.close)
        self.assertEqual(page.eval("typeof window.hit"), "undefined")
        self.assertTrue(any("script-src" in said for said in page.eval("window.violations")))
        page.eval("try { document.body.innerHTML = '<b>x</b>'; } catch { window.refused = true; }")
        self.assertTrue(page.eval("window.refused"), "not even its own script can make HTML of text")

    def test_a_page_that_was_cut_off_says_so(self):
        path = self.make(self.data(self.incident()))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace('"strings":[', '"strings":[,'))
        page = self.browser.open(f"file://{path}")
        self.addCleanup(page.close)
        page.wait("document.getElementById('trouble') && !document.getElementById('trouble').hidden")
        self.assertIn("cannot be read", page.eval("document.getElementById('trouble').textContent"))

    # ---- many ----

    def many(self, spans, arrows):
        t = otlp.Trace(0xb16)
        root = t.stopped("root", None, 900, took=1000, attrs={"whence.deadline.budget_ms": 900.0})
        above = root
        for i in range(1, spans):
            attrs = {"http.route": "/things/{id}", "thing.id": i, "peer": f"host-{i % 50}"}
            if i <= arrows:
                made = t.stopped(f"stopped {i % 100}", root, 900, service=f"service-{i % 7}", parent=above, start=i % 500, took=990 - i % 500, attrs=attrs)
            else:
                made = t.span(f"work {i % 100}", f"service-{i % 7}", above, start=i % 900, took=1 + i % 97, attrs=attrs)
            if i % 40 == 0:
                above = made if i % 400 else root
        return t

    def test_ten_thousand_spans_are_few_in_the_document(self):
        page = self.show_traces(self.many(10_000, 3_000))
        nodes = "document.querySelectorAll('*').length"
        self.assertEqual(page.eval("document.getElementById('grid').getAttribute('aria-rowcount')"), "10001")
        self.assertLess(page.eval(nodes), 3000)
        page.eval("document.getElementById('grid').focus()")
        page.key("End")
        self.assertEqual(page.eval("document.querySelector('[aria-selected=true]').getAttribute('aria-rowindex')"), "10001")
        page.frame()
        self.assertLess(page.eval(nodes), 3000)
        self.assertEqual(self.geometry(page)["arrows"], [])
        page.key("Home")
        page.frame()
        arrows = self.geometry(page)["arrows"]
        self.assertTrue(0 < len(arrows) <= 200, len(arrows))
        self.assertIn("only those of the chosen span", page.eval("document.getElementById('note').textContent"))
        page.eval("document.getElementById('q').focus()")
        page.type("thing.id=9876")
        page.wait("document.getElementById('note').textContent.startsWith('1 of 10,000')")

    def test_a_hundred_thousand_spans_open(self):
        path = self.make(self.data(self.many(100_000, 20_000)))
        begun = time.monotonic()
        page = self.show(path)
        opened = time.monotonic() - begun
        scrolled = page.eval("""new Promise((done) => { const g = document.getElementById("grid"), t = []; let n = 0, last = performance.now();
            const step = () => { const now = performance.now(); t.push(now - last); last = now;
                if (++n > 30) return done(t.sort((a, b) => a - b)[15]);
                g.scrollTop = n * 90000; requestAnimationFrame(step); };
            requestAnimationFrame(step); })""")
        searched = page.eval("""(() => { const q = document.getElementById("q"), t = performance.now();
            q.value = "host-49"; q.dispatchEvent(new Event("input"));
            return new Promise((done) => { const look = () => (document.getElementById("note").textContent.startsWith("2,000 of 100,000")
                ? done(performance.now() - t) : setTimeout(look, 5)); look(); }); })()""")
        self.assertLess(page.eval("document.querySelectorAll('*').length"), 3000)
        sys.stderr.write(f"[{os.path.getsize(path) / 1e6:.1f} MB, open in {opened:.2f} s, a frame while scrolling {scrolled:.0f} ms, "
                         f"a search {searched:.0f} ms] ")

    def test_many_traces_are_listed_a_part_at_a_time(self):
        traces = []
        for i in range(700):
            traces.append(otlp.Trace(i + 1))
            traces[-1].span(f"GET /{i}", took=1 + i)
        page = self.show_traces(*traces)
        self.assertEqual(page.eval("document.querySelectorAll('button.trace').length"), 200)
        page.eval("document.getElementById('more').click()")
        self.assertEqual(page.eval("document.querySelectorAll('button.trace').length"), 700)
        page.key("]")
        page.key("]")
        page.key("[")
        page.frame()
        self.assertEqual(page.eval("document.querySelectorAll('button.trace')[1].getAttribute('aria-current')"), "true")


def otlp_fine():
    t = otlp.Trace(1)
    t.span("GET /fine")
    return t


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-") and os.path.exists(sys.argv[1]):
        DEMO = sys.argv.pop(1)
    unittest.main(verbosity=2)
