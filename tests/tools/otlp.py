"""OTLP JSON lines made by hand: traces of any shape, for the tools that read them."""

import json

T0 = 1_700_000_000_000_000_000
MS = 1_000_000


def value(v):
    if isinstance(v, bool):
        return {"boolValue": v}
    if isinstance(v, int):
        return {"intValue": str(v)}
    if isinstance(v, float):
        return {"doubleValue": v}
    if isinstance(v, list):
        return {"arrayValue": {"values": [value(item) for item in v]}}
    return {"stringValue": v}


def attributes(pairs):
    return [{"key": key, "value": value(v)} for key, v in pairs.items()]


class Trace:
    def __init__(self, number):
        self.id = f"{number:032x}"
        self.spans = []  # (service, span)

    def span(self, name, service="alpha", parent=None, start=0.0, took=10.0, kind=1, error=None, attrs=None, events=(), links=()):
        """Times in ms since T0. Returns its id."""
        span_id = f"{len(self.spans) + 1:016x}"
        begin = T0 + round(start * MS)
        span = {"traceId": self.id, "spanId": span_id, "name": name, "kind": kind, "startTimeUnixNano": str(begin),
                "endTimeUnixNano": str(begin + round(took * MS)), "attributes": attributes(attrs or {}),
                "events": [{"name": n, "timeUnixNano": str(T0 + round(at * MS)), "attributes": attributes(a)} for n, at, a in events],
                "links": [{"traceId": t, "spanId": s} for t, s in links]}
        if parent:
            span["parentSpanId"] = parent
        if error is not None:
            span["status"] = {"code": 2, "message": error}
        self.spans.append((service, span))
        return span_id

    def stopped(self, name, origin, at, reason="deadline_exceeded", site="shop.c:12 handle", origin_trace=None, attrs=None, **options):
        """A span that was stopped at that time by the span `origin`; None: by itself."""
        end = options.get("start", 0.0) + options.get("took", 10.0)
        own = f"{len(self.spans) + 1:016x}"
        said = {"whence.cancelled": True, "whence.cancel.reason": reason, "whence.cancel.site": site,
                "whence.cancel.origin.trace_id": origin_trace or self.id, "whence.cancel.origin.span_id": origin or own,
                "whence.cancel.overrun_ms": float(end - at)}
        return self.span(name, attrs={**said, **(attrs or {})}, events=[("whence.cancel.received", at, {"whence.cancel.reason": reason})],
                         **options)

    def line(self):
        services = {}
        for service, span in self.spans:
            services.setdefault(service, []).append(span)
        return json.dumps({"resourceSpans": [
            {"resource": {"attributes": attributes({"service.name": service, "host.name": "here"})},
             "scopeSpans": [{"scope": {"name": "by-hand"}, "spans": spans}]} for service, spans in services.items()]})


def write(path, *traces):
    with open(path, "w", encoding="utf-8") as file:
        for trace in traces:
            file.write(trace.line() + "\n")
    return path
