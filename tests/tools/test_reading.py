"""What the program reads: files, standard input, forms of JSON, and what is none; and what its exit status says.

Usage: test_reading.py WHENCE SCENES [unittest's arguments]
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import tool
from test_why import chain_of_three
from tool import TRACE, cancelled, document, lines, main, run, span, span_id

HEAD = "GET /order (gateway) was stopped after 300 ms by its own deadline of 300 ms, set at gateway.c:68 handle."


def head(text, *arguments, **options):
    return run("why", "-", *arguments, text=text, **options)[0].split("\n", 1)[0]


def walk(node, change):
    """The same JSON with every object changed."""
    if isinstance(node, list):
        return [walk(item, change) for item in node]
    return change({key: walk(item, change) for key, item in node.items()}) if isinstance(node, dict) else node


class Forms(unittest.TestCase):
    def test_a_document_a_line_or_one_over_many_lines(self):
        whole = document(*chain_of_three())
        self.assertEqual(head(json.dumps(whole)), HEAD)
        self.assertEqual(head(json.dumps(whole, indent=2)), HEAD)
        self.assertEqual(head("".join(lines(s) for s in chain_of_three())), HEAD)
        self.assertEqual(head("\n\n" + "\r\n".join(lines(s).strip() for s in reversed(chain_of_three()))), HEAD)

    def test_what_jaeger_answers(self):
        whole = document(*chain_of_three())
        self.assertEqual(head(json.dumps({"result": whole})), HEAD)
        self.assertEqual(head("".join(json.dumps({"result": document(s)}) for s in chain_of_three())), HEAD)

    def test_jaegers_own_json(self):
        kinds = {2: "server", 3: "client", 1: "internal"}
        spans, processes = [], {}
        for service, s in chain_of_three():
            tags = [{"key": "span.kind", "type": "string", "value": kinds[s["kind"]]}]
            for pair in s["attributes"]:
                ((form, content),) = pair["value"].items()
                tags.append({"key": pair["key"], "type": {"boolValue": "bool", "doubleValue": "float64", "intValue": "int64"}.get(form, "string"),
                             "value": int(content) if form == "intValue" else content})
            if "status" in s:
                tags += [{"key": "otel.status_code", "type": "string", "value": "ERROR"}, {"key": "error", "type": "bool", "value": True},
                         {"key": "otel.status_description", "type": "string", "value": s["status"]["message"]}]
            processes[service] = {"serviceName": service, "tags": []}
            spans.append({"traceID": TRACE, "spanID": s["spanId"], "operationName": s["name"], "processID": service, "tags": tags,
                          "references": [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": s["parentSpanId"]}] if "parentSpanId" in s else [],
                          "startTime": int(s["startTimeUnixNano"]) // 1000,
                          "duration": (int(s["endTimeUnixNano"]) - int(s["startTimeUnixNano"])) // 1000,
                          "logs": [{"timestamp": int(e["timeUnixNano"]) // 1000, "fields": [{"key": "event", "type": "string", "value": e["name"]}]}
                                   for e in s["events"]]})
        answer = {"data": [{"traceID": TRACE, "spans": spans, "processes": processes}]}
        expected = run("why", "-", text=json.dumps(document(*chain_of_three())))[0]
        self.assertEqual(run("why", "-", text=json.dumps(answer))[0], expected)

    def test_names_of_enumerations_numbers_and_fields_as_protobuf_may_write_them(self):
        kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]

        def change(node):
            if "spanId" in node and "kind" in node:
                node["kind"] = f"SPAN_KIND_{kinds[node['kind']]}"
                node["spanId"] = node["spanId"].upper()
            if "code" in node:
                node["code"] = "STATUS_CODE_ERROR"
            return {re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), key): item for key, item in node.items()}

        whole = walk(document(*chain_of_three()), change)
        self.assertEqual(head(json.dumps(whole)), HEAD)

    def test_ids_in_base64(self):
        def change(node):
            for key in ("traceId", "spanId", "parentSpanId"):
                if key in node:
                    node[key] = base64.b64encode(bytes.fromhex(node[key])).decode()
            return node

        self.assertEqual(head(json.dumps(walk(document(*chain_of_three()), change))), HEAD)

    def test_every_type_of_attribute(self):
        whole = document(span(1, 0, "a", "b", 0, 1))
        whole["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [
            {"key": "n", "value": {"doubleValue": "NaN"}}, {"key": "b", "value": {"bytesValue": "AAH/"}}, {"key": "e", "value": {}}, {"key": "none"},
            {"key": "m", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"arrayValue": {"values": [{"intValue": "1"}, {}]}}}]}}},
            {"key": "a", "value": {"arrayValue": {}}}, {"value": {"intValue": 5}}, {"key": "whence.cancel.depth", "value": {"intValue": "9" * 40}},
            {"key": "whence.deadline.budget_ms", "value": {"doubleValue": 1e300}}, {"key": "whence.cause.chain", "value": {"stringValue": "[1,[2"}}]
        self.assertIn("a (b) was not stopped", head(json.dumps(whole)))


class Choosing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="whence-tool.")
        self.addCleanup(folder.cleanup)
        self.paths = [os.path.join(folder.name, name) for name in ("one.jsonl", "two.jsonl")]
        for path, trace in zip(self.paths, ("a" * 32, "ab" * 16)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(lines(span(1, 0, f"GET /{trace[1]}", "web", 0, 9, trace=trace, **cancelled(5, "client_gone", 0))))

    def test_several_files_and_traces_by_their_first_digits(self):
        out, _ = run("why", *self.paths)
        self.assertEqual(out.count("was stopped"), 2)
        out, _ = run("why", *self.paths, "abab")
        self.assertTrue(out.startswith("GET /b (web)"))
        out, _ = run("tree", "--trace=aaaa", "--file", self.paths[0], f"--file={self.paths[1]}")
        self.assertIn("GET /a", out)
        self.assertNotIn("GET /b", out)

    def test_a_service_over_several_files_is_one_trace(self):
        gateway, stock = chain_of_three()[:2], chain_of_three()[2:]
        for path, spans in zip(self.paths, (gateway, stock)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(lines(*spans))
        self.assertIn("Hit: 3 spans were stopped because of it, in 2 services", run("why", *self.paths)[0])

    def test_what_is_not_there(self):
        self.assertIn("there is no such trace: dead", run("why", self.paths[0], "dead", status=1)[1])
        self.assertIn("neither a file nor", run("why", "/nowhere/at/all", status=2)[1])
        self.assertIn("No such file", run("why", "--file=/nowhere/at/all", status=2)[1])
        self.assertIn("a directory", run("why", "/tmp", status=2)[1])
        self.assertIn("no spans", run("why", "-", text="{}", status=1)[1])
        self.assertIn("no spans", run("tree", "-", text="", status=1)[1])

    def test_more_than_one(self):
        with open(self.paths[1], "w", encoding="utf-8") as file:
            file.write(lines(span(1, 0, "x", "y", 0, 1, trace="a" * 31 + "0")))
        self.assertIn("more than one trace id begins so", run("why", *self.paths, "aaaa", status=1)[1])

    def test_a_jaeger_is_not_asked_for_the_beginning_of_an_id(self):
        for command in ("why", "tree"):
            _, err = run(command, "--jaeger", "127.0.0.1:1", "4bf92f", status=2)
            if "without libcurl" not in err:
                self.assertEqual(err, "whence: a Jaeger wants all 32 digits of a trace id, and here are 6; the first of them are enough "
                                      "for files: 4bf92f\n")

    def test_usage(self):
        self.assertIn("usage: whence COMMAND", run("help")[0])
        self.assertRegex(run("--version")[0], r"^whence \d+\.\d+\.\d+\n$")
        for arguments in ([], ["dance"], ["why", "--dance"], ["why", "--limit", "none", "-"], ["tree", "--width=3", "-"], ["why", "--jaeger"],
                          ["top", "--since", "1y", "-"]):
            self.assertTrue(run(*arguments, status=2)[1], arguments)

    def test_a_reader_that_goes_away_and_a_disk_that_is_full(self):
        full = os.open("/dev/full", os.O_WRONLY)
        self.addCleanup(os.close, full)
        done = subprocess.run([tool.TOOL, "why", self.paths[0]], stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"standard output", done.stderr)


class Hostile(unittest.TestCase):
    """Nothing crashes it; what it cannot read it names, with file and line, and reads the rest."""

    def test_a_torn_line_is_named_and_the_others_are_read(self):
        good = lines(*chain_of_three())
        for text, number in ((good + good[:200] + "\n" + good, 2), (good + "\n\n" + good[:-300], 4), ("not json\n" + good, 1), (good + "[1]\n", 2)):
            out, err = run("why", "-", text=text)
            self.assertEqual(out.split("\n", 1)[0], HEAD)
            self.assertRegex(err, rf"^whence: standard input:{number}: what begins in column \d+ .*; passed over\n$")

    def test_a_file_with_nothing_that_can_be_read(self):
        for text in ("hello\n", "[1, 2]", "{\n\"resourceSpans\": [\n{]\n}", '{"a": 1}', "\x00\x00", "nul", '"', "{" * 5000, "[" * 5000):
            _, err = run("why", "-", text=text, status=2)
            self.assertRegex(err, r"standard input:\d+: ")

    def test_where_a_whole_file_is_broken(self):
        text = json.dumps(document(*chain_of_three()), indent=1)
        at = text.index('"flags"')
        _, err = run("why", "-", text=text[:at] + "?" + text[at:], status=2)
        self.assertEqual(int(re.search(r"input:(\d+):", err)[1]), text[:at].count("\n") + 1)

    def test_many_broken_lines_are_not_all_told(self):
        _, err = run("why", "-", text=lines(*chain_of_three()) + "x\n" * 1000)
        self.assertLess(err.count("\n"), 12)
        self.assertIn("1000 lines in all could not be read", err)

    def test_depth_is_bounded(self):
        deep = '{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":' + '{"arrayValue":{"values":[' * 5000
        run("why", "-", text=deep, status=2)
        nested = '{"arrayValue":{"values":[' * 200 + "{}" + "]}}" * 200
        text = lines(span(1, 0, "a", "b", 0, 1)).replace('"attributes": [', '"attributes": [{"key":"deep","value":' + nested + "},", 1)
        self.assertIn("was not stopped", head(text))
        run("why", "-", text='{"result":' * 50 + "{}" + "}" * 50, status=2)

    def test_types_that_nobody_expects(self):
        good = json.dumps(document(*chain_of_three()))
        fields = re.findall(r'"[A-Za-z]+": ', good)
        for field in sorted(set(fields)):
            for junk in ("null", "{}", "[[]]", '"x"', "-1", "1e400"):
                text = re.sub(re.escape(field) + r'("[^"]*"|[0-9.]+|true)', lambda m: field + junk, good)
                done = subprocess.run([tool.TOOL, "why", "-"], input=text.encode(), capture_output=True, timeout=60)
                self.assertIn(done.returncode, (0, 1, 2), (field, junk, done.stderr))
        for container in ("resourceSpans", "scopeSpans", "spans", "attributes", "events", "links", "status", "resource", "scope", "value"):
            for junk in ("null", "1", '"x"', "[[1]]", '{"a":{"b":1}}'):
                text = re.sub(rf'"{container}": ', f'"{container}": {junk}, "was": ', good)
                done = subprocess.run([tool.TOOL, "tree", "-"], input=text.encode(), capture_output=True, timeout=60)
                self.assertIn(done.returncode, (0, 1, 2), (container, junk, done.stderr))

    def test_times_that_cannot_be(self):
        whole = document(span(1, 0, "a", "b", 0, 1, **cancelled(0.5, "x", 1)), span(2, 1, "c", "b", 0, 1), span(3, 1, "d", "b", 0, 1, **cancelled(0.5, "x", 1)))
        spans = whole["resourceSpans"][0]["scopeSpans"][0]["spans"]
        spans[0]["startTimeUnixNano"], spans[0]["endTimeUnixNano"] = "0", "18446744073709551615"
        spans[1]["startTimeUnixNano"], spans[1]["endTimeUnixNano"] = "18446744073709551615", "1"
        for command in ("tree", "why", "top"):
            run(command, "-", text=json.dumps(whole))

    def test_invalid_utf8(self):
        text = lines(span(1, 0, "NAME", "b", 0, 9, **cancelled(5, "x", 1))).encode().replace(b"NAME", b"a\xff\xc3(\xed\xa0\x80b")
        for command in (["tree"], ["why"], ["why", "--json"], ["top"]):
            run(*command, "-", text=text)


class Growth(unittest.TestCase):
    @staticmethod
    def why_not():
        """Why instructions cannot be counted here; None if they can."""
        if not shutil.which("valgrind"):
            return "there is no valgrind"
        with open(tool.TOOL, "rb") as file:
            program = file.read()
        sanitized = b"__asan_init" in program or b"__tsan_init" in program
        return "valgrind does not run what is built with a sanitizer" if sanitized else None

    def instructions(self, command, text):
        """Those of the program, the library's and its start's among them; the kernel's are not seen."""
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", tool.TOOL, command, "-"]
        done = subprocess.run(valgrind, input=text.encode(), capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return int(re.search(rb"Collected : (\d+)", done.stderr)[1])

    def test_the_work_grows_with_the_spans(self):
        """A trace of ten times as many spans, all of them stopped, takes less than ten times the instructions, for the program's start
        is the same: looking at each span once for each other one would take a hundred times."""
        why_not = self.why_not()
        if why_not:
            print(f"\nleft out: how the work of the tool grows, in instructions: {why_not}", flush=True)
            return
        texts = ["".join(lines(*(span(i, max(1, i // 2) if i > 1 else 0, f"op {i % 50}", "svc", 0, 99, **cancelled(50, "shutdown", 1))
                                 for i in range(first, first + 500))) for first in range(1, count, 500)) for count in (500, 5000)]
        for command in ("why", "top", "tree"):
            with self.subTest(command):
                few, many = [self.instructions(command, text) for text in texts]
                self.assertLess(many, 10 * few)
                self.assertGreater(many, 5000 * 1000)  # something was counted


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    main()
