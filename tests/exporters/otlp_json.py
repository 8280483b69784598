#!/usr/bin/env python3
"""Reads a file of OTLP JSON lines as one who knows the encoding by heart, and prints how many lines and spans it has.

  otlp_json.py FILE

Fails at the first field that the encoding does not know, or whose value is not of its kind.
"""

import json
import re
import sys


class Bad(Exception):
    pass


def need(ok, what):
    if not ok:
        raise Bad(what)


def text(v):
    need(isinstance(v, str), v)


def u32(v):
    need(type(v) is int and 0 <= v < 2**32, v)


def code(v):
    need(type(v) is int, v)


def boolean(v):
    need(type(v) is bool, v)


def digits(v):
    need(isinstance(v, str) and re.fullmatch("-?[0-9]+", v), v)


def number(v):
    need(type(v) in (int, float) or v in ("NaN", "Infinity", "-Infinity"), v)


def base64(v):
    need(re.fullmatch("([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", v), v)


def hexed(n):
    return lambda v: need(isinstance(v, str) and re.fullmatch("[0-9a-f]{%d}" % n, v), v)


def many(check):
    def check_all(v):
        need(isinstance(v, list) and v, v)
        for x in v:
            check(x)
    return check_all


def obj(**fields):
    def check(v):
        need(isinstance(v, dict), v)
        for k in v:
            need(k in fields, k)
            fields[k](v[k])
    return check


def value(v):
    need(len(v) <= 1, v)
    obj(stringValue=text, boolValue=boolean, intValue=digits, doubleValue=number, bytesValue=base64,
        arrayValue=obj(values=many(value)), kvlistValue=obj(values=attributes))(v)


def attributes(v):
    many(obj(key=text, value=value))(v)


def refuse(constant):
    raise Bad(constant)


event = obj(timeUnixNano=digits, name=text, attributes=attributes, droppedAttributesCount=u32)
link = obj(traceId=hexed(32), spanId=hexed(16), traceState=text, attributes=attributes, droppedAttributesCount=u32,
           flags=u32)
span = obj(traceId=hexed(32), spanId=hexed(16), parentSpanId=hexed(16), traceState=text, flags=u32, name=text, kind=code,
           startTimeUnixNano=digits, endTimeUnixNano=digits, attributes=attributes, droppedAttributesCount=u32,
           events=many(event), droppedEventsCount=u32, links=many(link), droppedLinksCount=u32,
           status=obj(message=text, code=code))
scope = obj(name=text, version=text, attributes=attributes, droppedAttributesCount=u32)
resource = obj(attributes=attributes, droppedAttributesCount=u32)
line = obj(resourceSpans=many(obj(resource=resource, scopeSpans=many(obj(scope=scope, spans=many(span), schemaUrl=text)),
                                  schemaUrl=text)))


def main(path):
    with open(path, "rb") as file:
        raw = file.read().decode("utf-8")
    need(raw.endswith("\n") and raw.count("\n") == len(raw.splitlines()), "line ends")
    spans = 0
    for one in raw.split("\n")[:-1]:
        v = json.loads(one, parse_constant=refuse)
        line(v)
        spans += sum(len(s["spans"]) for r in v["resourceSpans"] for s in r["scopeSpans"])
    print(raw.count("\n"), spans)


if __name__ == "__main__":
    main(*sys.argv[1:])
