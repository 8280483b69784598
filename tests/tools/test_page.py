"""What `whence html` writes, without a browser: everything that was read, and nothing that a browser would obey."""

import base64
import hashlib
import json
import os
import re
import tempfile
import unittest

import tool


def page_of(*arguments, **options):
    """(the text of the page, its data)"""
    text, _ = tool.run("html", *arguments, **options)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1]
    return text, json.loads(data)


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scenes, folder = tool.scenes()
        cls.addClassCleanup(folder.cleanup)

    def texts(self, data, attributes):
        words = [data["strings"][number] for number in attributes]
        return sorted(zip(words[::2], words[1::2]))

    def said(self, attributes):
        """As OTLP has it, plainly; arrays are another test's."""
        result = []
        for one in attributes:
            kind, value = next(iter(one["value"].items()))
            if kind in ("stringValue", "intValue"):
                result.append((one["key"], value))
        return sorted(result)

    def test_everything_that_was_read_is_in_it(self):
        for name, path in self.scenes.items():
            _, data = page_of(path)
            spans = {(trace["id"], span[0]): (int(trace["t0"]), span) for trace in data["traces"] for span in trace["spans"]}
            with open(path, encoding="utf-8") as file:
                documents = [json.loads(line) for line in file]
            count = 0
            for resource in (r for d in documents for r in d["resourceSpans"]):
                for span in (s for scope in resource["scopeSpans"] for s in scope["spans"]):
                    with self.subTest(scene=name, span=span["name"]):
                        count += 1
                        t0, got = spans[span["traceId"], span["spanId"]]
                        self.assertEqual(got[1], span.get("parentSpanId", ""))
                        self.assertEqual(data["strings"][got[2]], span["name"])
                        self.assertEqual(got[4], span["kind"])
                        self.assertEqual(t0 + got[5], int(span["startTimeUnixNano"]))
                        self.assertEqual(t0 + got[5] + got[6], int(span["endTimeUnixNano"]))
                        self.assertEqual(got[7], span.get("status", {}).get("code", 0))
                        self.assertLessEqual(set(self.said(span.get("attributes", []))), set(self.texts(data, got[10])))
                        self.assertEqual(len(got[10]), 2 * len(span.get("attributes", [])))
                        self.assertEqual([data["strings"][event[1]] for event in got[11]], [e["name"] for e in span.get("events", [])])
                        self.assertEqual([link[1] for link in got[12]], [link["spanId"] for link in span.get("links", [])])
                        service, attributes = data["resources"][got[3]]
                        self.assertIn(("service.name", data["strings"][service]), self.texts(data, attributes))
            self.assertEqual(count, len(spans))

    def test_the_verdicts_are_those_of_why(self):
        for name, path in self.scenes.items():
            with self.subTest(scene=name):
                _, data = page_of(path)
                for trace in data["traces"]:
                    why = json.loads(tool.run("why", "--json", path, trace["id"])[0])
                    self.assertEqual([one["said"] for one in trace["incidents"]], [one["headline"] for one in why["incidents"]])
                    self.assertEqual([one["told"] for one in trace["incidents"]], [one["told"] for one in why["incidents"]])
                    self.assertEqual(trace["told"], why["told"])
                    for one, other in zip(trace["incidents"], why["incidents"]):
                        self.assertEqual([trace["spans"][i][0] for i in one["hit"]], [hit["span_id"] for hit in other["hit"]])
                        if one["cause"] >= 0:
                            self.assertEqual(trace["spans"][one["cause"]][0], other["cause"]["span_id"])

    def test_its_policy_names_its_own_style_and_script(self):
        text, _ = page_of(text=tool.lines(tool.span(1, 0, "a", "s", 0, 1)))
        policy = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
        self.assertIn("default-src 'none'", policy)
        for tag, rule in (("style", "style-src"), ("script", "script-src")):
            inside = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.S)
            self.assertEqual(len(inside), 1)
            hashed = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
            self.assertIn(f"{rule} 'sha256-{hashed}';", policy)
        self.assertNotRegex(text, r"https?://(?!www\.w3\.org/2000/svg)")
        self.assertNotRegex(text, r"\son[a-z]+\s*=\s*[\"']|innerHTML|eval\(")

    def test_nothing_in_the_data_ends_it(self):
        evil = "</script><script>alert(1)</script><!--"
        text, data = page_of("--title", evil, text=tool.lines(tool.span(1, 0, evil, evil, 0, 1, a=evil, status="error", message=evil)))
        self.assertEqual(len(re.findall("</?script", text)), 4)
        self.assertIn(evil, data["strings"])
        self.assertNotIn("<!--", text)

    def test_bytes_that_are_no_text(self):
        line = tool.lines(tool.span(1, 0, "NAME", "s", 0, 1)).encode().replace(b"NAME", b"a\xff\xc3")
        _, data = page_of(text=line)
        self.assertEqual(len(data["traces"][0]["spans"]), 1)

    def test_clocks_that_say_anything(self):
        spans = [tool.span(1, 0, "long ago", "s", 0, 1), tool.span(2, 1, "late", "s", 0, 1)]
        spans[0][1].update(startTimeUnixNano="0", endTimeUnixNano="18446744073709551615")
        _, data = page_of(text=tool.lines(*spans))
        self.assertEqual(data["traces"][0]["t0"], "0")
        self.assertEqual(data["traces"][0]["spans"][0][6], 18446744073709551615)

    def test_one_trace_of_many_and_where_it_goes(self):
        other = "0af7651916cd43dd8448eb211c80319c"
        text = tool.lines(tool.span(1, 0, "a", "s", 0, 1), tool.span(1, 0, "b", "s", 0, 1, trace=other))
        page, data = page_of(other[:8], text=text)
        self.assertEqual([trace["id"] for trace in data["traces"]], [other])
        self.assertIn(f"<title>trace {other[:8]}</title>", page)
        page, data = page_of(text=text)
        self.assertIn("<title>2 traces</title>", page)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "page.html")
            out, _ = tool.run("html", "-o", path, text=text)
            self.assertEqual(out, "")
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), page)
            _, err = tool.run("html", "-o", os.path.join(folder, "no", "page.html"), text=text, status=2)
            self.assertIn("No such file", err)
        _, err = tool.run("html", "-o", "/dev/full", text=text, status=2)
        self.assertIn("No space left", err)
        tool.run("html", "beef", text=text, status=1)


if __name__ == "__main__":
    tool.main()
