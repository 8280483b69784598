"""What the tests of the program share: running it, spans in OTLP JSON, and sentences without their durations. Standard library only."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

TOOL = SCENES = None
START = 1789992391204000000  # ns: 2026-09-21 12:06:31.204 UTC
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def main():
    global TOOL, SCENES
    TOOL, SCENES = sys.argv.pop(1), sys.argv.pop(1)
    module = sys.modules["tool"]
    module.TOOL, module.SCENES = TOOL, SCENES
    unittest.main(module="__main__", verbosity=2)


def run(*arguments, text="", status=0, locale="C.UTF-8", **environment):
    """(standard output, standard error); the exit status must be that one."""
    env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": locale, "TZ": "UTC", **environment}
    env.update({name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")})
    stdin = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run([sys.modules["tool"].TOOL, *arguments], input=stdin, capture_output=True, env=env, timeout=120)
    out, err = done.stdout.decode("utf-8", "strict"), done.stderr.decode("utf-8", "replace")
    if done.returncode != status:
        raise AssertionError(f"{arguments}: exit status {done.returncode}, not {status}\n{out}\n{err}")
    return out, err


def scenes():
    """What the real programs have exported: {name: path}, and the folder, to be removed."""
    folder = tempfile.TemporaryDirectory(prefix="whence-tool.")
    subprocess.run([sys.modules["tool"].SCENES, folder.name], check=True, timeout=120)
    return {name.removesuffix(".jsonl"): os.path.join(folder.name, name) for name in os.listdir(folder.name)}, folder


def timeless(text):
    """Durations are T, dates D, and ids I: what is left is the same each time."""
    text = re.sub(r"\b[0-9]+(\.[0-9]+)? (ns|us|ms|s|min|h|d)\b", "T", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "D", text)
    return re.sub(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{16}\b", "I", text)


# ---- spans ----

KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}


def value(content):
    if isinstance(content, bool):
        return {"boolValue": content}
    if isinstance(content, int):
        return {"intValue": str(content)}
    if isinstance(content, float):
        return {"doubleValue": content}
    if isinstance(content, list):
        return {"arrayValue": {"values": [value(item) for item in content]}}
    return {"stringValue": content}


def attributes(pairs):
    return [{"key": key, "value": value(content)} for key, content in pairs.items()]


def span_id(number):
    return f"{number:016x}"


def span(number, parent, name, service, begin, end, kind="internal", status=None, message="", events=(), links=(), flags=None,
         trace=TRACE, **attrs):
    """Times are milliseconds from START. Names of attributes have __ for a dot. status: "error", "ok"."""
    fields = {"traceId": trace, "spanId": span_id(number), "name": name, "kind": KINDS[kind],
              "startTimeUnixNano": str(START + round(begin * 1e6)), "endTimeUnixNano": str(START + round(end * 1e6)),
              "attributes": attributes({key.replace("__", "."): content for key, content in attrs.items()}),
              "events": [{"name": n, "timeUnixNano": str(START + round(at * 1e6)), "attributes": attributes(a)} for n, at, a in events],
              "links": [{"traceId": t, "spanId": span_id(s)} for t, s in links]}
    if parent:
        fields["parentSpanId"] = span_id(parent)
    if status:
        fields["status"] = {"code": {"ok": 1, "error": 2}[status], "message": message}
    if flags is not None:
        fields["flags"] = flags
    return service, fields


def cancelled(at, reason, origin, site="gateway.c:68 handle", message=None, depth=0, **more):
    """What a span carries that was stopped at that millisecond: its attributes, and its event."""
    result = {"whence__cancelled": True, "whence__cancel__reason": reason, "whence__cancel__site": site, "whence__cancel__depth": depth,
              "events": [("whence.cancel.received", at, {"whence.cancel.reason": reason})], **more}
    if origin:
        result |= {"whence__cancel__origin__span_id": span_id(origin), "whence__cancel__origin__trace_id": TRACE}
    if message:
        result["whence__cancel__message"] = message
    return result


def document(*spans, sdk="whence", language="c"):
    """One TracesData, with a resource for each service."""
    services = {}
    for service, fields in spans:
        services.setdefault(service, []).append(fields)
    return {"resourceSpans": [
        {"resource": {"attributes": attributes({"service.name": service, "telemetry.sdk.name": sdk, "telemetry.sdk.language": language})},
         "scopeSpans": [{"scope": {"name": "test"}, "spans": fields}]} for service, fields in services.items()]}


def lines(*spans, **options):
    return json.dumps(document(*spans, **options)) + "\n"
