#!/usr/bin/env python3
"""Tests of query.py that need no Jaeger."""

import math
import sys
import unittest

sys.dont_write_bytecode = True
import query  # noqa: E402


def span_v1(span_id, *references):
    """A span of Jaeger's JSON; a reference is "id" for CHILD_OF and "~id" for FOLLOWS_FROM."""
    return {
        "spanID": span_id,
        "references": [
            {"refType": "FOLLOWS_FROM" if r[0] == "~" else "CHILD_OF", "traceID": "t", "spanID": r.lstrip("~")}
            for r in references
        ],
    }


class Values(unittest.TestCase):
    def check(self, any_value, expected):
        got = query.value(any_value)
        self.assertEqual(got, expected)
        self.assertIs(type(got), type(expected))

    def test_each_kind(self):
        self.check({"stringValue": ""}, "")
        self.check({"boolValue": False}, False)
        self.check({"intValue": "-9223372036854775808"}, -(2**63))
        self.check({"intValue": 7}, 7)
        self.check({"doubleValue": 1}, 1.0)
        self.check({"doubleValue": "-Infinity"}, -math.inf)
        self.assertTrue(math.isnan(query.value({"doubleValue": "NaN"})))
        self.check({"bytesValue": "AAH/"}, b"\x00\x01\xff")
        self.check({"arrayValue": {}}, [])
        self.check({"arrayValue": {"values": [{"intValue": "1"}, {}, {"arrayValue": {"values": []}}]}}, [1, None, []])
        self.check({"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": True}}]}}, {"k": True})
        self.assertIsNone(query.value({}))
        self.assertIsNone(query.value(None))

    def test_refuses(self):
        with self.assertRaises(ValueError):
            query.value({"otherValue": 1})
        with self.assertRaises(ValueError):
            query.value({"stringValue": "a", "intValue": "1"})
        with self.assertRaisesRegex(ValueError, "'k' comes twice"):
            query.attributes([{"key": "k", "value": {"intValue": "1"}}, {"key": "k", "value": {"intValue": "1"}}])


class Flatten(unittest.TestCase):
    def test_everything(self):
        full = {
            "traceId": "0af7651916cd43dd8448eb211c80319c",
            "spanId": "b7ad6b7169203331",
            "parentSpanId": "00f067aa0ba902b7",
            "traceState": "a=b",
            "flags": 257,
            "name": "n",
            "kind": 2,
            "startTimeUnixNano": "1800000000000000001",
            "endTimeUnixNano": "1800000000000000002",
            "status": {"code": 2, "message": "bad"},
            "attributes": [{"key": "i", "value": {"intValue": "9007199254740993"}}],
            "droppedAttributesCount": 1,
            "events": [{"name": "e", "timeUnixNano": "5", "attributes": [{"key": "b", "value": {"boolValue": True}}],
                        "droppedAttributesCount": 2}],
            "droppedEventsCount": 3,
            "links": [{"traceId": "t", "spanId": "s", "traceState": "x=y", "flags": 1, "droppedAttributesCount": 4,
                       "attributes": [{"key": "d", "value": {"doubleValue": 0.5}}]}],
            "droppedLinksCount": 5,
        }
        data = {"resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "svc"}}], "droppedAttributesCount": 7},
            "schemaUrl": "r",
            "scopeSpans": [{
                "scope": {"name": "sc", "version": "1", "attributes": [{"key": "a", "value": {"stringValue": "b"}}],
                          "droppedAttributesCount": 6},
                "schemaUrl": "s",
                "spans": [full],
            }],
        }]}
        expected = {
            "service": "svc",
            "resource": {"service.name": "svc"},
            "resource_dropped_attributes": 7,
            "resource_schema_url": "r",
            "scope": {"name": "sc", "version": "1", "attributes": {"a": "b"}, "dropped_attributes": 6, "schema_url": "s"},
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "span_id": "b7ad6b7169203331",
            "parent_span_id": "00f067aa0ba902b7",
            "trace_state": "a=b",
            "flags": 257,
            "name": "n",
            "kind": "SERVER",
            "start_ns": 1800000000000000001,
            "end_ns": 1800000000000000002,
            "status_code": "ERROR",
            "status_message": "bad",
            "attributes": {"i": 9007199254740993},
            "dropped_attributes": 1,
            "events": [{"name": "e", "time_ns": 5, "attributes": {"b": True}, "dropped_attributes": 2}],
            "dropped_events": 3,
            "links": [{"trace_id": "t", "span_id": "s", "trace_state": "x=y", "flags": 1, "attributes": {"d": 0.5},
                       "dropped_attributes": 4}],
            "dropped_links": 5,
        }
        self.assertEqual(query.flatten(data), [expected])
        self.assertEqual(query.flatten({"result": data}), [expected])

    def test_absent_fields_are_defaults(self):
        (span,) = query.flatten({"resourceSpans": [{"scopeSpans": [{"spans": [{"spanId": "a"}]}]}]})
        self.assertIsNone(span["service"])
        self.assertEqual((span["kind"], span["status_code"], span["status_message"]), ("UNSPECIFIED", "UNSET", ""))
        self.assertEqual((span["attributes"], span["events"], span["links"]), ({}, [], []))
        self.assertEqual((span["parent_span_id"], span["flags"], span["start_ns"], span["dropped_links"]), ("", 0, 0, 0))

    def test_enums(self):
        def one(**fields):
            return query.flatten({"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]})[0]

        self.assertEqual([one(kind=k)["kind"] for k in range(6)], list(query.KINDS))
        self.assertEqual(one(kind="SPAN_KIND_CLIENT")["kind"], "CLIENT")
        self.assertEqual(one(kind=-1)["kind"], "UNKNOWN(-1)")
        self.assertEqual(one(status={"code": "STATUS_CODE_OK"})["status_code"], "OK")
        self.assertEqual(one(status={"code": 3})["status_code"], "UNKNOWN(3)")

    def test_order_and_emptiness(self):
        data = {"resourceSpans": [
            {"scopeSpans": [{"spans": [{"name": "1"}, {"name": "2"}]}, {"spans": [{"name": "3"}]}]},
            {},
            {"scopeSpans": [{"spans": [{"name": "4"}]}, {}]},
        ]}
        self.assertEqual([span["name"] for span in query.flatten(data)], ["1", "2", "3", "4"])
        for nothing in (None, {}, {"resourceSpans": []}, {"result": {}}):
            self.assertEqual(query.flatten(nothing), [])


class UiRoots(unittest.TestCase):
    def check(self, spans, roots, visible, invisible):
        self.assertEqual(query.ui_roots(spans), (roots, set(visible), set(invisible)))

    def test_plain_tree(self):
        self.check([span_v1("r"), span_v1("c", "r"), span_v1("g", "c")], ["r"], "rcg", "")

    def test_root_links_to_grandchild(self):
        self.check([span_v1("r", "~g"), span_v1("c", "r"), span_v1("g", "c")], [], "", "rcg")

    def test_server_with_remote_parent_links_to_its_child(self):
        self.check([span_v1("s", "elsewhere", "~c"), span_v1("c", "s")], [], "", "sc")

    def test_child_links_to_sibling(self):
        self.check([span_v1("r"), span_v1("a", "r", "~b"), span_v1("b", "r")], ["r"], "rab", "")

    def test_child_links_to_its_own_child(self):
        self.check([span_v1("r"), span_v1("a", "r", "~b"), span_v1("b", "a")], ["r"], "rab", "")

    def test_one_of_two_roots_on_a_cycle(self):
        self.check([span_v1("r"), span_v1("o", "~k"), span_v1("k", "o"), span_v1("below", "k")], ["r"], ["r"], ["o", "k", "below"])

    def test_root_links_to_another_tree(self):
        self.check([span_v1("r"), span_v1("o", "~r")], ["r"], "ro", "")

    def test_link_to_oneself(self):
        self.check([span_v1("r", "~r")], [], "", "r")

    def test_absent_parents_and_other_traces(self):
        self.check([span_v1("a", "gone"), span_v1("b", "~gone")], ["a", "b"], "ab", "")

    def test_no_references(self):
        self.check([{"spanID": "a"}, {"spanID": "b", "references": None}], ["a", "b"], "ab", "")

    def test_same_id_twice(self):
        self.check([span_v1("r"), span_v1("c", "r"), span_v1("c", "r"), span_v1("g", "c")], ["r"], ["r", "c", "c_1", "g"], [])

    def test_deep_trace(self):
        spans = [span_v1("0")] + [span_v1(str(i), str(i - 1)) for i in range(1, 5000)]
        self.assertEqual(len(query.ui_roots(spans)[1]), 5000)

    def test_nothing(self):
        self.check([], [], "", "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
