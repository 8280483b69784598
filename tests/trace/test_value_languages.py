#!/usr/bin/env python3
"""Every type of value, from C and from C++ with every compiler there is: what is set is what comes out."""

import json
import os
import tempfile
import unittest

import house

LIBRARY = house.LIBRARIES["whence"]


def values_of(compiler, language, standard):
    """The attributes of the span that the program records: {key: AnyValue}; and those of its events."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "every_value")
        house.run(compiler, standard, "-x", language, *house.WARNINGS, "-I", f"{house.SOURCE}/include",
                  f"{house.SOURCE}/tests/trace/every_value.c", "-x", "none", "-o", program, LIBRARY,
                  f"-Wl,-rpath,{os.path.dirname(LIBRARY)}")
        line = json.loads(house.run(program))
    span, = line["resourceSpans"][0]["scopeSpans"][0]["spans"]
    plain = lambda attributes: {attribute["key"]: attribute["value"] for attribute in attributes}
    return plain(span["attributes"]), {event["name"]: plain(event["attributes"]) for event in span["events"]}


def items(*values):
    return {"arrayValue": {"values": list(values)} if values else {}}


def entries(**values):
    return {"kvlistValue": {"values": [{"key": key, "value": value} for key, value in values.items()]}}


def integer(value):
    return {"intValue": str(value)}


INTS = items(integer(1), integer(-2))
STRINGS = items({"stringValue": "a"}, {})
BYTES = {"bytesValue": "AAEC"}
ATTRIBUTES = {
    "at the start": items(integer(1), BYTES), "bool": {"boolValue": True}, "char": integer(65), "short": integer(-7),
    "int": integer(-42), "unsigned": integer(4000000000), "long": integer(-5), "long long": integer(5),
    "unsigned long": {"stringValue": "18446744073709551615"}, "float": {"doubleValue": 0.5}, "double": {"doubleValue": -0.25},
    "char *": {"stringValue": "changeable"}, "const char *": {"stringValue": "text"}, "str": {"stringValue": "piece"},
    "bytes": BYTES, "null": {}, "ints": INTS, "doubles": items({"doubleValue": 0.5}, {"doubleValue": 1.25}),
    "bools": items({"boolValue": True}, {"boolValue": False}), "strings": STRINGS, "no items": items(),
    "items": items(integer(1), {"stringValue": "two"}, {"boolValue": True}, {}, items({"doubleValue": 3.5})),
    "map": entries(a=INTS, b=entries(c={})),
}
EVENTS = {
    "event": {"map": entries(k=STRINGS)},
    "exception": {"exception.type": {"stringValue": "type"}, "exception.message": {"stringValue": "message"}, "code": integer(7)},
}


class Languages(unittest.TestCase):
    def check(self, wanted):
        for compiler, language, standard in house.LANGUAGES:
            if language != wanted:
                continue
            with self.subTest(compiler):
                attributes, events = values_of(compiler, language, standard)
                self.assertEqual(attributes, ATTRIBUTES)
                self.assertEqual(events, EVENTS)

    def test_every_type_of_value_from_c(self):
        self.check("c")

    def test_every_type_of_value_from_cpp(self):
        self.check("c++")


if __name__ == "__main__":
    unittest.main(verbosity=2)
