"""As much of OTLP as a server needs that counts spans and answers. Python 3, standard library only."""

import collections
import gzip
import json

Span = collections.namedtuple("Span", "id name")


# ---- protobuf ----

def varint(value):
    value &= (1 << 64) - 1  # negative ones are ten bytes long
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, value):
    """A field: an int as a varint, bytes or str as what has a length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def _read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """(number, value) of every field of a message."""
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _read_varint(data, at)
        else:
            size, at = (8, at) if kind == 1 else (4, at) if kind == 5 else _read_varint(data, at)
            if kind not in (1, 2, 5) or at + size > len(data):
                raise ValueError("this is no protobuf")
            value = data[at:at + size]
            at += size
        yield key >> 3, value


def _below(data, number):
    return (value for found, value in fields(data) if found == number)


# ---- requests ----

def _spans_of_protobuf(body):
    for of_resource in _below(memoryview(body), 1):
        for of_scope in _below(of_resource, 2):
            for span in _below(of_scope, 2):
                found = dict(fields(span))
                yield Span(bytes(found[2]).hex(), str(found[5], "utf-8"))


def _spans_of_json(body):
    for of_resource in json.loads(body)["resourceSpans"]:
        for of_scope in of_resource["scopeSpans"]:
            for span in of_scope["spans"]:
                yield Span(span["spanId"].lower(), span["name"])


def spans_of(body, content_type="application/x-protobuf", encoding=""):
    """The spans of an ExportTraceServiceRequest."""
    if encoding == "gzip":
        body = gzip.decompress(body)
    return list(_spans_of_json(body) if content_type == "application/json" else _spans_of_protobuf(body))


# ---- answers ----

def partial_success(rejected, message=""):
    """An ExportTraceServiceResponse that holds an ExportTracePartialSuccess."""
    return field(1, field(1, rejected) + field(2, message))


def status(code, message, retry_delay=None):
    """A google.rpc.Status; retry_delay: (seconds, nanoseconds) of a google.rpc.RetryInfo among its details."""
    details = b""
    if retry_delay is not None:
        delay = field(1, field(1, retry_delay[0]) + field(2, retry_delay[1]))
        details = field(3, field(1, "type.googleapis.com/google.rpc.RetryInfo") + field(2, delay))
    return field(1, code) + field(2, message) + details
