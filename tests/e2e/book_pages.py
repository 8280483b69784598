"""docs/incidents.md and docs/jaeger.md, held to what happens: for the TestCase of the book, once it was played."""

import json
import os
import re
import shlex
import subprocess

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")


def read(page):
    with open(os.path.join(DOCS, page), encoding="utf-8") as file:
        return file.read()


def rows(text, columns):
    """The rows of all tables that have so many columns, without their headings."""
    found = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line.startswith("|")]
    return [row for row in found if len(row) == columns and not set("".join(row)) <= set("-: ")]


def general(sentence):
    """What stays the same from run to run: no durations, ids, numbers of lines and of processes; who is listed, in any order."""
    sentence = re.sub(r"-?\d[\d.]* (ns|us|ms|s)\b", "T", sentence.strip())
    sentence = re.sub(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{16}\b", "ID", sentence)
    sentence = re.sub(r"\b([a-z_]+\.c):\d+", r"\1:N", sentence)
    sentence = re.sub(r"process \d+", "process N", sentence)
    # card and address are refused at the same instant, and either may be first
    for one, other in (("check card", "check address"), ("check_card", "check_address"), ("card_refused", "no_such_street"),
                       ("card refused", "no such street")):
        sentence = sentence.replace(other, one)
    if sentence.startswith("Hit: "):
        head, _, names = sentence.rstrip(".").rpartition(": ")
        sentence = head + ": " + ("some" if names.endswith(" more") else ", ".join(sorted(names.split(", "))))
    return sentence


class Pages:
    def in_general(self, name):
        """Each line of `whence why`; nothing, of what is not in Jaeger."""
        said = self.why(name) if self.trace_ids[name] else "(nothing was recorded)"
        return [general(line) for line in said.splitlines()]

    def test_the_page_lists_what_can_be_played(self):
        listed = subprocess.run([os.path.join(self.programs, "demo"), "--list"], capture_output=True, text=True).stdout
        listed = [line.split(None, 2) for line in listed.splitlines()]
        page = [[number, re.fullmatch(r"\[`\./run incident ([a-z-]+)`\]\(#(\d+)-\1\)", how)[1], title]
                for number, title, how, _ in rows(read("incidents.md"), 4) if number]
        self.assertEqual(page, listed)
        self.assertEqual([name for _, name, _ in page], list(self.NAMES))

    def test_the_page_says_what_whence_why_says(self):
        for _, _, how, sentences in [row for row in rows(read("incidents.md"), 4) if row[0]]:
            name = re.search(r"incident ([a-z-]+)", how)[1]
            with self.subTest(incident=name):
                lines = self.in_general(name)
                first, *others = [general(sentence) for sentence in sentences.split("<br>")]
                self.assertEqual(first, lines[0])
                for sentence in others:
                    self.assertIn(sentence, lines)

    def test_what_the_page_quotes_below_is_said_too(self):
        for section in re.split(r"^### ", read("incidents.md"), flags=re.M)[1:]:
            name = section.split()[1]
            quoted = re.findall(r"^> (.*?)(?:<br>)?$", section, re.M)
            with self.subTest(incident=name):
                self.assertTrue(quoted or name == "not-sampled")
                lines = self.in_general(name)
                for sentence in quoted:
                    self.assertIn(general(sentence), lines)

    # ---- docs/jaeger.md ----

    def search(self, service, search):
        """The incidents whose traces Jaeger finds."""
        fields, tags = {}, {}
        for word in shlex.split(search):
            name, _, value = word.partition("=")
            (fields if name in ("operation", "minDuration", "maxDuration") else tags)[name] = self.of_this_source(value)
        found = {trace["traceID"] for trace in self.jaeger.search(service, tags=tags, **fields)}
        return {name for name, trace_id in self.trace_ids.items() if trace_id in found}

    def of_this_source(self, value):
        """A line of code is where it is today."""
        site = re.fullmatch(r"([a-z_]+\.c):\d+ ([a-z_]+)", value)
        if not site:
            return value
        sites = {found for name in self.NAMES if self.trace_ids[name]
                 for found in re.findall(rf"\b{re.escape(site[1])}:\d+ {site[2]}\b", self.why(name))}
        self.assertEqual(len(sites), 1, value)
        return sites.pop()

    def test_every_search_finds_what_the_page_says(self):
        searches = [row for row in rows(read("jaeger.md"), 4) if row[2].startswith("`")]
        self.assertGreater(len(searches), 20)
        for what, service, search, finds in searches:
            with self.subTest(what=what, search=search):
                expected = set() if finds == "nothing" else set(finds.split(", "))
                found = self.search(service, search.strip("`"))
                if "..." in expected:  # others too, by chance
                    expected = expected - {"..."} | found
                self.assertEqual(found, expected)

    def test_whence_top_knows_who_ran_on(self):
        command = [self.tool, "top", "--json", "--jaeger", self.jaeger_process["QUERY"]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        groups = [json.loads(line) for line in done.stdout.splitlines()]
        ran_on = {group["operation"] for group in groups if group["wasted_max_ms"] > 100}
        self.assertLessEqual({"GET /find/{words}", "GET /order/{sku}"}, ran_on)  # deaf-callee and stubborn-job
