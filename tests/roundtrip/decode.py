"""OTLP as others decode it: the official package opentelemetry-proto, and protoc. Both give messages of the official package; `spans`
makes of them what model.py compares.

Importing this needs opentelemetry-proto on sys.path.
"""

import base64
import json
import re
import struct
import subprocess

from google.protobuf import json_format, text_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from model import real


class Malformed(Exception):
    pass


def need(ok, what):
    if not ok:
        raise Malformed(what)


# ---- to messages ----

def protobuf(body):
    """By the official package. Whatever it does not know is an error here."""
    request = ExportTraceServiceRequest.FromString(body)
    size = request.ByteSize()
    request.DiscardUnknownFields()
    need(request.ByteSize() == size, "there are fields that it does not know")
    return request


def protoc(body, program, schema):
    """By `protoc --decode`, printed as text, which the official package reads."""
    done = subprocess.run([program, f"--proto_path={schema}", "--decode=opentelemetry.proto.ExportTraceServiceRequest", "trace.proto"],
                          input=body, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
    need(done.returncode == 0, done.stderr.decode("utf-8", "replace"))
    return text_format.Parse(done.stdout, ExportTraceServiceRequest())


IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def _proto3_ids(node):
    """OTLP writes ids in hex, proto3's JSON in base64; nothing but ids differs."""
    if isinstance(node, list):
        for item in node:
            _proto3_ids(item)
    elif isinstance(node, dict):
        for key, content in node.items():
            if key in IDS and isinstance(content, str):
                need(re.fullmatch("[0-9a-f]{%d}" % (2 * IDS[key]), content), f"{key} {content}")
                node[key] = base64.b64encode(bytes.fromhex(content)).decode()
            else:
                _proto3_ids(content)


def _no_names(node):
    """Enums are numbers in OTLP; proto3's JSON would take their names as well."""
    for key, content in node.items() if isinstance(node, dict) else ():
        need(key not in ("kind", "code") or type(content) is int, f"{key} {content!r}")
    for content in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _no_names(content)


def _refuse(word):
    raise Malformed(f"{word} in JSON")


def otlp_json(body):
    """By the official package, from OTLP's JSON. Fields that it does not know, and those not named in lowerCamelCase, are errors."""
    node = json.loads(body.decode(), parse_constant=_refuse)
    _no_names(node)
    _proto3_ids(node)
    return json_format.ParseDict(node, ExportTraceServiceRequest(), max_recursion_depth=1000)


# ---- to what is compared ----

def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind is None:
        return ("n",)
    content = getattr(any_value, kind)
    if kind == "string_value":
        return ("s", content)
    if kind == "bytes_value":
        return ("y", content)
    if kind == "bool_value":
        return ("b", content)
    if kind == "int_value":
        return ("i", content)
    if kind == "double_value":
        return real(content)
    if kind == "array_value":
        return ("a", [value(item) for item in content.values])
    need(kind == "kvlist_value", kind)
    return ("m", attributes(content.values))


def attributes(pairs):
    kept = {pair.key: value(pair.value) for pair in pairs}
    need(len(kept) == len(pairs), "a key comes twice")
    return kept


def _event(event):
    return {"name": event.name, "time": event.time_unix_nano, "attributes": attributes(event.attributes),
            "dropped_attributes": event.dropped_attributes_count}


def _link(link):
    need((len(link.trace_id), len(link.span_id)) == (16, 8), "ids of a link")
    return {"trace_id": link.trace_id.hex(), "span_id": link.span_id.hex(), "state": link.trace_state, "flags": link.flags,
            "attributes": attributes(link.attributes), "dropped_attributes": link.dropped_attributes_count}


def span(one):
    need((len(one.trace_id), len(one.span_id), len(one.parent_span_id)) in ((16, 8, 8), (16, 8, 0)), "ids of a span")
    return {
        "trace_id": one.trace_id.hex(), "span_id": one.span_id.hex(), "parent_span_id": one.parent_span_id.hex(),
        "state": one.trace_state, "flags": one.flags, "name": one.name, "kind": one.kind,
        "start": one.start_time_unix_nano, "end": one.end_time_unix_nano,
        "attributes": attributes(one.attributes), "dropped_attributes": one.dropped_attributes_count,
        "events": [_event(event) for event in one.events], "dropped_events": one.dropped_events_count,
        "links": [_link(link) for link in one.links], "dropped_links": one.dropped_links_count,
        "status": (one.status.code, one.status.message),
    }


def spans(request):
    """(resource, scope, span) of each span in the request."""
    for of_resource in request.resource_spans:
        need(of_resource.scope_spans, "a resource without spans")
        resource = {"attributes": attributes(of_resource.resource.attributes), "schema_url": of_resource.schema_url}
        for of_scope in of_resource.scope_spans:
            need(of_scope.spans, "a scope without spans")
            scope = {"name": of_scope.scope.name, "version": of_scope.scope.version, "schema_url": of_scope.schema_url,
                     "attributes": attributes(of_scope.scope.attributes)}
            for one in of_scope.spans:
                yield resource, scope, span(one)
