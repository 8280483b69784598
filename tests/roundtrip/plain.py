"""OTLP in JSON, as Jaeger answers it, in the form that model.py compares; the standard library only."""

import base64

from model import real

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
CODES = ("UNSET", "OK", "ERROR")


def value(any_value):
    if not any_value:
        return ("n",)
    ((kind, content),) = any_value.items()
    if kind == "stringValue":
        return ("s", content)
    if kind == "bytesValue":
        return ("y", base64.b64decode(content, validate=True))
    if kind == "boolValue":
        return ("b", content)
    if kind == "intValue":
        return ("i", int(content))
    if kind == "doubleValue":
        return real(float(content))
    if kind == "arrayValue":
        return ("a", [value(item) for item in content.get("values", [])])
    assert kind == "kvlistValue", kind
    return ("m", attributes(content.get("values", [])))


def attributes(pairs):
    kept = {pair.get("key", ""): value(pair.get("value")) for pair in pairs or []}
    assert len(kept) == len(pairs or []), "a key comes twice"
    return kept


def _enum(names, prefix, content):
    return names.index(content.removeprefix(prefix)) if isinstance(content, str) else content


def _event(event):
    return {"name": event.get("name", ""), "time": int(event.get("timeUnixNano", 0)), "attributes": attributes(event.get("attributes")),
            "dropped_attributes": event.get("droppedAttributesCount", 0)}


def _link(link):
    """Jaeger writes an id that is all zero as one that is absent."""
    return {"trace_id": link.get("traceId") or "0" * 32, "span_id": link.get("spanId") or "0" * 16, "state": link.get("traceState", ""),
            "flags": link.get("flags", 0), "attributes": attributes(link.get("attributes")),
            "dropped_attributes": link.get("droppedAttributesCount", 0)}


def span(one):
    status = one.get("status", {})
    return {
        "trace_id": one["traceId"], "span_id": one["spanId"], "parent_span_id": one.get("parentSpanId", ""),
        "state": one.get("traceState", ""), "flags": one.get("flags", 0), "name": one.get("name", ""),
        "kind": _enum(KINDS, "SPAN_KIND_", one.get("kind", 0)),
        "start": int(one.get("startTimeUnixNano", 0)), "end": int(one.get("endTimeUnixNano", 0)),
        "attributes": attributes(one.get("attributes")), "dropped_attributes": one.get("droppedAttributesCount", 0),
        "events": [_event(event) for event in one.get("events", [])], "dropped_events": one.get("droppedEventsCount", 0),
        "links": [_link(link) for link in one.get("links", [])], "dropped_links": one.get("droppedLinksCount", 0),
        "status": (_enum(CODES, "STATUS_CODE_", status.get("code", 0)), status.get("message", "")),
    }


def spans(traces_data):
    """(resource, scope, span) of each span."""
    for of_resource in traces_data.get("resourceSpans", []):
        resource = {"attributes": attributes(of_resource.get("resource", {}).get("attributes")),
                    "schema_url": of_resource.get("schemaUrl", "")}
        for of_scope in of_resource.get("scopeSpans", []):
            named = of_scope.get("scope", {})
            scope = {"name": named.get("name", ""), "version": named.get("version", ""), "schema_url": of_scope.get("schemaUrl", ""),
                     "attributes": attributes(named.get("attributes"))}
            for one in of_scope.get("spans", []):
                yield resource, scope, span(one)
