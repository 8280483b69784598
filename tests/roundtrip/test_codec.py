#!/usr/bin/env python3
"""Random spans, as Whence encodes them and as others decode them: what was asked for must be there, field by field.

Usage: test_codec.py PROGRAM [unittest's arguments]      PROGRAM: spans.c
WHENCE_SEED=<number> begins with other spans; WHENCE_LONG makes ten times as many.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]

import packages  # noqa: E402

PROGRAM = None
SEED = int(os.environ.get("WHENCE_SEED") or (time.time_ns() % 2**32 if os.environ.get("WHENCE_LONG") else 1))
SPANS = 3000 * (10 if os.environ.get("WHENCE_LONG") else 1)
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


class Codec(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="whence-roundtrip-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.captures = {kind: Capture() for kind in ("protobuf", "protobuf+gzip")}
        for capture in cls.captures.values():
            cls.addClassCleanup(capture.close)
        cls.lines = os.path.join(cls.folder, "spans.jsonl")
        path = os.path.join(cls.folder, "truth.jsonl")
        cls.walls = [wall()]
        done = subprocess.run([PROGRAM, str(SEED), str(SPANS), DEEPEST, path, f"file:{cls.lines}",
                               *(f"{kind}:{capture.url}" for kind, capture in cls.captures.items())],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        cls.walls.append(wall())
        if done.returncode:
            raise AssertionError(f"{PROGRAM}: exit status {done.returncode}\n{done.stdout}")
        cls.truth = Truth(path)

    def check(self, requests):
        """All that was asked for is in the requests, and nothing else."""
        arrived = []
        for request in requests:
            for resource, scope, span in decode.spans(request):
                arrived.append(span)
                self.check_surroundings(resource, scope, span)
        wrong, clocks = compare(self.truth, arrived)
        self.assertEqual(wrong[:20], [])
        self.assertEqual(clocks.wrong(min(self.walls) - SECOND, max(self.walls) + SECOND), [])
        self.assertEqual(len(arrived), len(self.truth.spans))
        self.assertGreater(len(arrived), SPANS * 0.6)
        print(f"\n{len(arrived)} spans in {len(requests)} requests from WHENCE_SEED={SEED}", end=" ")

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

    # ---- what the exporters wrote ----

    def test_protobuf_over_http_is_what_the_official_package_decodes(self):
        self.check([decode.protobuf(body) for body in self.captures["protobuf"].bodies("application/x-protobuf", False)])

    def test_protobuf_in_gzip_is_what_the_official_package_decodes(self):
        self.check([decode.protobuf(body) for body in self.captures["protobuf+gzip"].bodies("application/x-protobuf", True)])

    def test_protobuf_is_what_protoc_decodes(self):
        program = shutil.which("protoc") or shutil.which("protoc-c")
        self.assertTrue(program, "neither protoc nor protoc-c is here")
        bodies = self.captures["protobuf"].bodies("application/x-protobuf", False)
        # Requests that follow each other are one request with all that both hold: protoc is started once.
        self.check([decode.protoc(b"".join(bodies), program, HERE)])

    def test_lines_of_the_file_are_what_the_official_package_decodes(self):
        with open(self.lines, "rb") as file:
            self.check([decode.otlp_json(line) for line in file])

    # ---- that it is looked at ----

    def test_a_difference_is_found(self):
        bodies = self.captures["protobuf"].bodies("application/x-protobuf", False)
        arrived = [span for body in bodies for _, _, span in decode.spans(decode.protobuf(body))]
        self.assertEqual(compare(self.truth, arrived)[0], [])
        self.assertEqual(len(compare(self.truth, arrived[1:])[0]), 1)
        self.assertEqual(len(compare(self.truth, arrived + arrived[:1])[0]), 1)
        for field, other in (("flags", 7), ("state", "z=z"), ("name", "\0"), ("kind", 0), ("dropped_links", 99), ("status", (3, "")),
                             ("parent_span_id", "0" * 16), ("attributes", {"none": ("n",)})):
            changed = [{**arrived[0], field: other}, *arrived[1:]]
            self.assertNotEqual(compare(self.truth, changed)[0], [], field)
        early = [{**arrived[0], "end": arrived[0]["start"] - 1}, *arrived[1:]]
        self.assertEqual(len(compare(self.truth, early)[1].wrong(min(self.walls) - SECOND, max(self.walls) + SECOND)), 1)

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
            self.assertGreater(sum(bool(span[counted]) for span in spans), 20, counted)
        self.assertEqual({span["kind"] for span in spans}, {1, 2, 3, 4, 5})
        self.assertEqual({span["status"][0] for span in spans}, {0, 1, 2})
        self.assertEqual({span["flags"] for span in spans}, {0x101, 0x103, 0x301, 0x303})
        self.assertGreater(self.truth.not_recorded, 20)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    try:
        sys.path.insert(0, packages.python(os.path.join(HERE, "requirements.txt")))
        from capture import Capture
        import decode
        import model
        from model import Truth, compare
    except packages.Unavailable as error:
        print(f"left out: the round trip through the official package for OTLP: {error}", flush=True)
        del Codec
    unittest.main(verbosity=2)
