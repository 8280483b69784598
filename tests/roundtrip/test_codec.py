#!/usr/bin/env python3
"""Random spans, as Whence encodes them and as others decode them: what was asked for must be there, field by field.

Usage: test_codec.py PROGRAM [unittest's arguments]      PROGRAM: spans.c
WHENCE_SEED=<number> begins with other spans; WHENCE_LONG makes ten times as many.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]

import model  # noqa: E402
import packages  # noqa: E402
import plain  # noqa: E402
from capture import Capture  # noqa: E402
from model import Truth, compare  # noqa: E402

PROGRAM = None
SEED = int(os.environ.get("WHENCE_SEED") or (time.time_ns() % 2**32 if os.environ.get("WHENCE_LONG") else 1))
SPANS = 2000 * (10 if os.environ.get("WHENCE_LONG") else 1)
# As deep as decoders of protobuf go by default, a hundred messages: a map in a map takes three.
DEEPEST = "28"
SECOND = 10**9


def wall():
    """What the wall clock is ahead of the monotonic one."""
    return time.time_ns() - time.monotonic_ns()


def depth(content):
    """How many arrays and maps are within each other."""
    parts = content[1] if content[0] == "a" else content[1].values() if content[0] == "m" else None
    return 0 if parts is None else 1 + max(map(depth, parts), default=0)


class Recording:
    """One run of the program, for all tests."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="whence-roundtrip-")
        unittest.addModuleCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.captures = {kind: Capture() for kind in ("protobuf", "protobuf+gzip", "json", "json+gzip")}
        for capture in self.captures.values():
            unittest.addModuleCleanup(capture.close)
        self.lines = os.path.join(self.folder, "spans.jsonl")
        path = os.path.join(self.folder, "truth.jsonl")
        self.walls = [wall()]
        done = subprocess.run([PROGRAM, str(SEED), str(SPANS), DEEPEST, path, f"file:{self.lines}",
                               *(f"{kind}:{capture.url}" for kind, capture in self.captures.items())],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
        self.walls.append(wall())
        if done.returncode:
            raise AssertionError(f"{PROGRAM}: exit status {done.returncode}\n{done.stdout}")
        self.truth = Truth(path)

    def read_lines(self):
        with open(self.lines, "rb") as file:
            return file.readlines()


recording = None


class Comparison(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        global recording
        recording = recording or Recording()
        cls.truth, cls.walls, cls.captures = recording.truth, recording.walls, recording.captures

    def check(self, requests, spans):
        """All that was asked for is in the requests, whose spans this gives, and nothing else."""
        arrived = []
        for request in requests:
            for resource, scope, span in spans(request):
                arrived.append(span)
                self.check_surroundings(resource, scope, span)
        wrong, clocks = compare(self.truth, arrived)
        self.assertEqual(wrong[:20], [])
        self.assertEqual(clocks.wrong(min(self.walls) - SECOND, max(self.walls) + SECOND), [])
        self.assertEqual(len(arrived), len(self.truth.spans))
        self.assertGreater(len(arrived), SPANS * 0.6)
        print(f"\n{len(arrived)} spans from WHENCE_SEED={SEED}", end=" ")

    def check_surroundings(self, resource, scope, span):
        want, of_scope = self.truth.surroundings(span["span_id"])
        got = resource["attributes"]
        for key, value in want.items():
            self.assertEqual(got.get(key), value, key)
        self.assertEqual(got["telemetry.sdk.name"], ("s", "whence"))
        self.assertEqual(got["telemetry.sdk.language"], ("s", "c"))
        if of_scope:
            self.assertEqual(scope, of_scope)
        else:
            self.assertEqual((scope["name"], scope["schema_url"], scope["attributes"]), ("whence", "", {}))


class Plain(Comparison):
    """Without anybody's help."""

    def test_lines_of_the_file_are_what_was_asked_for(self):
        self.check([json.loads(line) for line in recording.read_lines()], plain.spans)

    def test_everything_comes_about(self):
        """Among so many spans there is each thing that this is about."""
        spans = list(self.truth.spans.values())
        things = [content for span in spans for holder in [span, *span["events"], *span["links"]]
                  for content in holder["attributes"].values()]
        for kind in "sybidnam":
            self.assertGreater(sum(content[0] == kind for content in things), 100, kind)
        self.assertGreater(max(map(depth, things)), 20)
        for content in (("i", 2**63 - 1), ("i", -2**63), ("d", b"NaN"), model.real(float("inf")), model.real(-0.0), ("s", ""), ("y", b"")):
            self.assertIn(content, things)
        for counted in ("dropped_attributes", "dropped_events", "dropped_links", "state", "parent_span_id", "events", "links"):
            self.assertGreater(sum(bool(span[counted]) for span in spans), 4, counted)
        self.assertEqual({span["kind"] for span in spans}, {1, 2, 3, 4, 5})
        self.assertEqual({span["status"][0] for span in spans}, {0, 1, 2})
        self.assertEqual({span["flags"] for span in spans}, {0x101, 0x103, 0x301, 0x303})
        self.assertGreater(self.truth.not_recorded, 20)

    def test_a_difference_is_found(self):
        arrived = [span for line in recording.read_lines() for _, _, span in plain.spans(json.loads(line))]
        self.assertEqual(compare(self.truth, arrived)[0], [])
        self.assertEqual(len(compare(self.truth, arrived[1:])[0]), 1)
        self.assertEqual(len(compare(self.truth, arrived + arrived[:1])[0]), 1)
        for field, other in (("flags", 7), ("state", "z=z"), ("name", "\0"), ("kind", 0), ("dropped_links", 99), ("status", (3, "")),
                             ("parent_span_id", "0" * 16), ("attributes", {"none": ("n",)})):
            changed = [{**arrived[0], field: other}, *arrived[1:]]
            self.assertNotEqual(compare(self.truth, changed)[0], [], field)
        late = [{**arrived[0], "end": arrived[0]["end"] + 3600 * SECOND}, *arrived[1:]]
        self.assertEqual(len(compare(self.truth, late)[1].wrong(min(self.walls) - SECOND, max(self.walls) + SECOND)), 1)


class Codec(Comparison):
    """By decoders of others."""

    def bodies(self, kind):
        return self.captures[kind].bodies("application/json" if "json" in kind else "application/x-protobuf", "gzip" in kind)

    def test_protobuf_over_http_is_what_the_official_package_decodes(self):
        self.check(map(decode.protobuf, self.bodies("protobuf")), decode.spans)

    def test_protobuf_in_gzip_is_what_the_official_package_decodes(self):
        self.check(map(decode.protobuf, self.bodies("protobuf+gzip")), decode.spans)

    def test_protobuf_is_what_protoc_decodes(self):
        program = shutil.which("protoc") or shutil.which("protoc-c")
        self.assertTrue(program, "neither protoc nor protoc-c is here")
        # Requests that follow each other are one request with all that both hold: protoc is started once.
        self.check([decode.protoc(b"".join(self.bodies("protobuf")), program, HERE)], decode.spans)

    def test_json_over_http_is_what_the_official_package_decodes(self):
        self.check(map(decode.otlp_json, self.bodies("json")), decode.spans)

    def test_json_in_gzip_is_what_the_official_package_decodes(self):
        self.check(map(decode.otlp_json, self.bodies("json+gzip")), decode.spans)

    def test_lines_of_the_file_are_what_the_official_package_decodes(self):
        self.check(map(decode.otlp_json, recording.read_lines()), decode.spans)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    try:
        sys.path.insert(0, packages.python(os.path.join(HERE, "requirements.txt")))
        import decode
    except packages.Unavailable as error:
        print(f"left out: the round trip through the official package for OTLP: {error}", flush=True)
        del Codec
    unittest.main(verbosity=2)
