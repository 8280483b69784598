"""Reads traces back from Jaeger 2 for the end-to-end tests. Python 3, standard library only.

Jaeger repairs what it returns: it sorts attributes and events, merges identical spans, adds warnings, and so on; raw=True asks it not
to. /api/traces repairs a copy, and is what the UI shows, so traces_v1 and search let it. /api/v3 with the memory storage repairs what
is stored: after one such read nobody sees the original order or a span that was sent twice. So trace_v3 and wait_trace ask for raw.

What Jaeger repairs on arrival stays repaired: such a span has an attribute "@jaeger@warnings" in /api/v3. The memory storage loses
schema URLs. A child that links to its own parent has one reference in /api/traces, FOLLOWS_FROM. An attribute that is NaN or infinite
makes /api/traces, for the trace and for any search that finds it, answer 500; /api/v3 has no such trouble.
"""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUS_CODES = ("UNSET", "OK", "ERROR")

# Without the proxies that the environment may name.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Jaeger:
    """One running Jaeger, by the URLs that `jaeger.sh start` prints as QUERY and OTLP_HTTP."""

    def __init__(self, query_url, otlp_http_url=None, request_timeout=10):
        self.query_url = query_url.rstrip("/")
        self.otlp_http_url = otlp_http_url.rstrip("/") if otlp_http_url else None
        self.request_timeout = request_timeout

    def _request(self, url, body=None):
        """The decoded answer, or None for 404. Any other failure is an exception."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        request = urllib.request.Request(url, data=body, headers=headers)
        try:
            with _opener.open(request, timeout=self.request_timeout) as response:
                return json.load(response, parse_int=_integer)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
            if error.code == 404:
                return None
            raise RuntimeError(f"{url}: HTTP {error.code}: {text.strip()[:500]}") from error

    def send(self, traces_data):
        """Posts a dict in OTLP JSON to the receiver; returns its answer."""
        return self._request(self.otlp_http_url + "/v1/traces", json.dumps(traces_data).encode())

    def traces_v1(self, trace_id, raw=False):
        """The trace in Jaeger's own JSON, {"traceID", "spans", "processes", "warnings"}, or None if there is no such trace."""
        query = "?raw=true" if raw else ""
        answer = self._request(f"{self.query_url}/api/traces/{trace_id}{query}")
        return answer["data"][0] if answer and answer["data"] else None

    def search(self, service, operation=None, tags=None, limit=100, start=None, end=None, raw=False, **fields):
        """The traces found, each as traces_v1 gives it. start and end are microseconds; Jaeger's own are two days ago and now. fields:
        minDuration and maxDuration, as "500ms"."""
        params = {"service": service, "limit": limit, **fields}
        if operation is not None:
            params["operation"] = operation
        if tags:
            params["tags"] = json.dumps({k: v if isinstance(v, str) else json.dumps(v) for k, v in tags.items()})
        if start is not None:
            params["start"] = start
        if end is not None:
            params["end"] = end
        if raw:
            params["raw"] = "true"
        answer = self._request(f"{self.query_url}/api/traces?{urllib.parse.urlencode(params)}")
        return answer["data"] or [] if answer else []

    def trace_v3(self, trace_id, raw=True):
        """The trace as a dict in OTLP JSON, {"resourceSpans": [...]}, or None if there is no such trace."""
        query = "?raw_traces=true" if raw else ""
        answer = self._request(f"{self.query_url}/api/v3/traces/{trace_id}{query}")
        return answer["result"] if answer else None

    def wait_trace(self, trace_id, at_least_spans=1, timeout=10.0):
        """The trace's spans, as flatten gives them, once there are that many; TimeoutError if there never are."""
        deadline = time.monotonic() + timeout
        while True:
            spans = flatten(self.trace_v3(trace_id))
            if len(spans) >= at_least_spans:
                return spans
            if time.monotonic() >= deadline:
                names = ", ".join(repr(span["name"]) for span in spans) or "none"
                raise TimeoutError(f"trace {trace_id}: {len(spans)} of {at_least_spans} spans after {timeout} s: {names}")
            time.sleep(0.05)


def _integer(digits):
    """Jaeger writes minus zero, a double, as -0."""
    return -0.0 if digits == "-0" else int(digits)


def value(any_value):
    """An AnyValue of OTLP JSON as str, bool, int, float, bytes, list, dict, or None if it is empty."""
    if not any_value:
        return None
    ((kind, content),) = any_value.items()
    if kind in ("stringValue", "boolValue"):
        return content
    if kind == "intValue":
        return int(content)
    if kind == "doubleValue":
        return float(content)  # "NaN", "Infinity" and "-Infinity" too
    if kind == "bytesValue":
        return base64.b64decode(content, validate=True)
    if kind == "arrayValue":
        return [value(item) for item in content.get("values", [])]
    if kind == "kvlistValue":
        return attributes(content.get("values", []))
    raise ValueError(f"unknown kind of value: {kind}")


def attributes(key_values):
    """A list of KeyValues as a dict. A key that comes twice is a ValueError: OTLP forbids it, and a dict would hide it."""
    result = {}
    for pair in key_values or []:
        key = pair.get("key", "")
        if key in result:
            raise ValueError(f"attribute {key!r} comes twice")
        result[key] = value(pair.get("value"))
    return result


def _enum(names, number, prefix):
    if isinstance(number, str):
        return number[len(prefix):] if number.startswith(prefix) else number
    return names[number] if 0 <= number < len(names) else f"UNKNOWN({number})"


def flatten(traces_data):
    """The spans of a dict in OTLP JSON, in its order, as plain dicts. Takes what trace_v3 returns (None: no spans), the whole answer
    of /api/v3/traces, and what the OTLP file exporter writes on a line."""
    traces_data = traces_data or {}
    traces_data = traces_data.get("result", traces_data)
    spans = []
    for of_resource in traces_data.get("resourceSpans", []):
        resource = of_resource.get("resource", {})
        dropped = resource.get("droppedAttributesCount", 0)
        resource = attributes(resource.get("attributes"))
        for of_scope in of_resource.get("scopeSpans", []):
            scope = of_scope.get("scope", {})
            scope = {
                "name": scope.get("name", ""),
                "version": scope.get("version", ""),
                "attributes": attributes(scope.get("attributes")),
                "dropped_attributes": scope.get("droppedAttributesCount", 0),
                "schema_url": of_scope.get("schemaUrl", ""),
            }
            for span in of_scope.get("spans", []):
                spans.append({
                    "service": resource.get("service.name"),
                    "resource": resource,
                    "resource_dropped_attributes": dropped,
                    "resource_schema_url": of_resource.get("schemaUrl", ""),
                    "scope": scope,
                    **_span(span),
                })
    return spans


def _span(span):
    status = span.get("status", {})
    return {
        "trace_id": span.get("traceId", ""),
        "span_id": span.get("spanId", ""),
        "parent_span_id": span.get("parentSpanId", ""),
        "trace_state": span.get("traceState", ""),
        "flags": span.get("flags", 0),
        "name": span.get("name", ""),
        "kind": _enum(KINDS, span.get("kind", 0), "SPAN_KIND_"),
        "start_ns": int(span.get("startTimeUnixNano", 0)),
        "end_ns": int(span.get("endTimeUnixNano", 0)),
        "status_code": _enum(STATUS_CODES, status.get("code", 0), "STATUS_CODE_"),
        "status_message": status.get("message", ""),
        "attributes": attributes(span.get("attributes")),
        "dropped_attributes": span.get("droppedAttributesCount", 0),
        "events": [
            {
                "name": event.get("name", ""),
                "time_ns": int(event.get("timeUnixNano", 0)),
                "attributes": attributes(event.get("attributes")),
                "dropped_attributes": event.get("droppedAttributesCount", 0),
            }
            for event in span.get("events", [])
        ],
        "dropped_events": span.get("droppedEventsCount", 0),
        "links": [
            {
                "trace_id": link.get("traceId", ""),
                "span_id": link.get("spanId", ""),
                "trace_state": link.get("traceState", ""),
                "flags": link.get("flags", 0),
                "attributes": attributes(link.get("attributes")),
                "dropped_attributes": link.get("droppedAttributesCount", 0),
            }
            for link in span.get("links", [])
        ],
        "dropped_links": span.get("droppedLinksCount", 0),
    }


def ui_roots(spans_v1):
    """What Jaeger's UI shows of a trace's spans (the "spans" of traces_v1): (roots, visible_span_ids, invisible_span_ids), a list
    and two sets.

    The UI takes as a span's parent the first reference, CHILD_OF or FOLLOWS_FROM, whose span is in the trace; it looks at the span
    id alone. It draws the roots and what hangs from them: a span on a cycle, or below one, is never shown. So a root that links to
    its own descendant empties the timeline. Spans after the first with the same id get _1, _2 ... appended, as in the UI.
    """
    spans, seen = {}, {}
    for span in spans_v1:
        span_id = span["spanID"]
        count = seen.get(span_id, 0)
        seen[span_id] = count + 1
        spans[f"{span_id}_{count}" if count else span_id] = span
    roots, children = [], {}
    for span_id, span in spans.items():
        for reference in span.get("references") or []:
            if reference["refType"] in ("CHILD_OF", "FOLLOWS_FROM") and reference["spanID"] in spans:
                children.setdefault(reference["spanID"], []).append(span_id)
                break
        else:
            roots.append(span_id)
    visible, pending = set(), list(roots)
    while pending:
        span_id = pending.pop()
        visible.add(span_id)
        pending.extend(children.get(span_id, []))
    return roots, visible, set(spans) - visible
