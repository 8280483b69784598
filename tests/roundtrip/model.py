"""What must arrive of what was asked for (spans.c): OpenTelemetry's rules of spans, in Python, written from the specification and from
the headers of Whence, not from its code.

Spans are plain dicts, as `expected` gives them. Values are tuples, so that nothing is equal that is not the same: ("s", str),
("y", bytes), ("b", bool), ("i", int), ("d", its 8 bytes; every NaN is one), ("n",), ("a", [values]), ("m", {key: value}).
"""

import json
import math
import re
import struct

SAMPLED, RANDOM, KNOWS_REMOTE, IS_REMOTE = 1, 2, 0x100, 0x200
UNSET, OK, ERROR = 0, 1, 2
NO_LIMIT, ZERO = 2**32 - 1, 2**32 - 2  # UINT32_MAX, WH_LIMIT_ZERO
DEEPEST = 128  # whatever the limit


# ---- values ----

def real(number):
    return ("d", b"NaN" if math.isnan(number) else struct.pack("<d", number))


def characters(raw):
    """Text that is to stay text: each byte that is not UTF-8 becomes a question mark."""
    text = ""
    while raw:
        try:
            return text + raw.decode()
        except UnicodeDecodeError as error:
            text += raw[:error.start].decode() + "?"
            raw = raw[error.start + 1:]
    return text


class Limits:
    """Those of a provider: what was asked for, else the general one, else the default (common/README.md, Attribute Limits)."""

    def __init__(self, asked):
        def first(*names, default):
            given = next((asked[name] for name in names if asked[name]), default)
            return 0 if given == ZERO else given
        self.attributes = first("attributes", "attribute_count", default=128)
        self.event_attributes = first("event_attributes", "attribute_count", default=128)
        self.link_attributes = first("link_attributes", "attribute_count", default=128)
        self.events = first("events", default=128)
        self.links = first("links", default=128)
        self.length = first("value_length", "attribute_value_length", default=NO_LIMIT)
        self.depth = min(first("value_depth", "attribute_value_depth", default=64), DEEPEST)


class NoLimits:
    length, depth = NO_LIMIT, DEEPEST


def cut_string(raw, limits):
    """Characters of a string; bytes, where it is none."""
    try:
        return ("s", raw.decode()[:limits.length])
    except UnicodeDecodeError:
        return ("y", raw[:limits.length])


def value(asked, limits, depth=1):
    """What becomes of a value that was asked for."""
    kind, *content = asked
    content = content[0] if content else None
    if kind == "s":
        return cut_string(bytes.fromhex(content), limits)
    if kind == "y":
        return ("y", bytes.fromhex(content)[:limits.length])
    if kind == "i":
        return ("i", content) if content < 2**63 else cut_string(str(content).encode(), limits)
    if kind == "d":
        return real(struct.unpack("<d", bytes.fromhex(content))[0])
    if kind == "b":
        return ("b", content)
    if kind == "n" or depth > limits.depth:
        return ("n",)
    if kind == "a":
        return ("a", [value(item, limits, depth + 1) for item in content])
    assert kind == "m", kind
    return ("m", {name: value(item, limits, depth + 1) for key, item in content if (name := key_in_map(key)) is not None})


def key_in_map(asked):
    """The key as text; None if it is not there, or no text. The empty one may stand."""
    try:
        return None if asked is None else bytes.fromhex(asked).decode()
    except UnicodeDecodeError:
        return None


def key_of(asked):
    """The key as text, or None if it is none that an attribute may have."""
    return key_in_map(asked) or None


# ---- lists of attributes ----

class Attributes:
    """A key that is set again has its last value."""

    def __init__(self, most, limits):
        self.most, self.limits, self.kept, self.dropped = most, limits, {}, 0

    def set(self, key, asked):
        key = key_of(key)
        if key is None or (key not in self.kept and len(self.kept) >= self.most):
            self.dropped += 1
        else:
            self.kept[key] = value(asked, self.limits)

    def set_own(self, key, content):
        """What the library itself has to say: no limit holds for it, and it takes no place of others."""
        self.most += key not in self.kept
        self.kept[key] = content


def listed(asked, most, limits):
    """Of an event or a link, as if they were set one after the other. (attributes, dropped)"""
    attributes = Attributes(most, limits)
    for key, content in asked:
        attributes.set(key, content)
    return attributes.kept, attributes.dropped


def unlimited(asked):
    return listed(asked, NO_LIMIT, NoLimits)[0]


def resource(provider):
    """What the resource must hold among other things."""
    return {"service.name": ("s", provider["service"]), **unlimited(provider["resource"])}


def scope(asked):
    """A scope, with the schema URL that its spans have."""
    return {"name": text(asked["name"]), "version": text(asked["version"]), "schema_url": text(asked["schema_url"]),
            "attributes": unlimited(asked["attrs"])}


# ---- spans ----

def link(to, attributes, limits):
    """None if it says nothing: it leads nowhere, and has neither attributes nor a tracestate."""
    nowhere = not int(to["trace"], 16) or not int(to["span"], 16)
    if nowhere and not attributes and to["state"] is None:
        return None
    kept, dropped = listed(attributes, limits.link_attributes, limits)
    return {"trace_id": to["trace"], "span_id": to["span"], "state": text(to["state"]),
            "flags": to["flags"] & (SAMPLED | RANDOM) | KNOWS_REMOTE | (IS_REMOTE if to["remote"] else 0),
            "attributes": kept, "dropped_attributes": dropped}


def text(asked):
    return characters(bytes.fromhex(asked)) if asked else ""


class Span:
    """A span while it is open."""

    def __init__(self, asked, limits):
        self.limits, self.name, self.status = limits, asked["name"], (UNSET, "")
        self.attributes = Attributes(limits.attributes, limits)
        self.events, self.links, self.dropped_events, self.dropped_links = [], [], 0, 0
        for key, content in asked["attrs"]:
            self.do_set(key, content)
        for _, to, attributes in asked["links"]:
            self.do_link(to, attributes)
        for what, *rest in asked["do"]:
            getattr(self, "do_" + what)(*rest)

    def do_nothing(self):
        pass

    def do_set(self, key, content):
        self.attributes.set(key, content)

    def do_event(self, name, between, attributes):
        if len(self.events) >= self.limits.events:
            self.dropped_events += 1
            return
        kept, dropped = listed(attributes, self.limits.event_attributes, self.limits)
        self.events.append({"name": text(name), "between": between, "attributes": kept, "dropped_attributes": dropped})

    def do_exception(self, kind, message, stacktrace, between, attributes):
        told = [(f"exception.{name}".encode().hex(), ["s", content])
                for name, content in (("type", kind), ("message", message), ("stacktrace", stacktrace)) if content is not None]
        self.do_event("exception".encode().hex(), between, told + attributes)

    def do_link(self, to, attributes):
        one = link(to, attributes, self.limits)
        if one and len(self.links) < self.limits.links:
            self.links.append(one)
        elif one:
            self.dropped_links += 1

    def do_status(self, code, message):
        if code != UNSET and self.status[0] != OK:
            self.status = (code, text(message) if code == ERROR else "")

    def do_fail(self, kind, message):
        self.attributes.set_own("error.type", ("s", text(kind)))
        self.attributes.set_own("whence.failure.site", ("s", "do.c fail"))
        self.do_status(ERROR, message)

    def do_rename(self, name):
        self.name = name


def expected(asked, limits):
    """The span as it must arrive; each instant as the readings of the monotonic clock between which it was taken."""
    span, parent = Span(asked, limits), asked["parent"]
    return {
        "trace_id": parent["trace"] if parent else asked["context"]["trace"],
        "span_id": asked["context"]["span"],
        "parent_span_id": parent["span"] if parent else "",
        "state": text(parent["state"]) if parent else "",
        "flags": SAMPLED | KNOWS_REMOTE | (parent["flags"] & RANDOM | (IS_REMOTE if parent["remote"] else 0) if parent else RANDOM),
        "name": text(span.name),
        "kind": asked["kind"] + 1,
        "start": asked["start"],
        "end": asked["end"],
        "attributes": span.attributes.kept,
        "dropped_attributes": span.attributes.dropped,
        "events": span.events,
        "dropped_events": span.dropped_events,
        "links": span.links,
        "dropped_links": span.dropped_links,
        "status": span.status,
    }


def is_recorded(span):
    """ParentBased(AlwaysOn), the default."""
    return span["parent"] is None or bool(span["parent"]["flags"] & SAMPLED)


class Truth:
    """A file that spans.c has written."""

    def __init__(self, path):
        self.providers, self.limits, self.spans, self.asked, self.not_recorded = {}, {}, {}, {}, 0
        self.scopes = {}
        with open(path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                ((what, asked),) = line.items()
                if what == "span":
                    self._add(asked)
                elif what == "scope":
                    self.scopes[asked["number"]] = scope(asked)
                else:
                    self.providers[asked["number"]] = asked
                    self.limits[asked["number"]] = Limits(asked["limits"])

    def _add(self, asked):
        if is_recorded(asked) != asked["records"]:
            raise AssertionError(f"records: {asked['records']}: {asked}")
        if not is_recorded(asked):
            self.not_recorded += 1
            return
        self.asked[asked["context"]["span"]] = asked
        self.spans[asked["context"]["span"]] = expected(asked, self.limits[asked["provider"]])

    def surroundings(self, span_id):
        """What the span's resource must have, and its scope; None: the one that says whence."""
        asked = self.asked[span_id]
        provider = self.providers[asked["provider"]]
        return resource(provider), self.scopes.get(asked["scope"] if asked["scope"] >= 0 else provider["scope"])


# ---- comparing ----

def differences(want, got, where=""):
    """Paths at which the two differ, with both sides."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(want.keys() | got.keys()):
            if key not in want or key not in got:
                yield f"{where}.{key}: {'not asked for' if key not in want else 'missing'}: {want.get(key, got.get(key))!r:.200}"
            else:
                yield from differences(want[key], got[key], f"{where}.{key}")
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for i, (one, other) in enumerate(zip(want, got)):
            yield from differences(one, other, f"{where}[{i}]")
    elif isinstance(want, tuple) and isinstance(got, tuple) and want[:1] == got[:1] and want[0] in ("a", "m"):
        yield from differences(want[1], got[1], where)
    elif want != got:
        yield f"{where}: {got!r:.300}, not {want!r:.300}"


class Clocks:
    """Every local tree of spans has read the wall clock once: one number, wall minus monotonic, must explain all its instants."""

    def __init__(self):
        self.trees = {}

    def add(self, tree, between, wall):
        low, high = self.trees.get(tree, (-math.inf, math.inf))
        self.trees[tree] = max(low, wall - between[1]), min(high, wall - between[0])

    def wrong(self, low, high):
        """Trees whose instants do not fit together, or not to a wall clock that was between these."""
        return [tree for tree, (at_least, at_most) in self.trees.items() if at_least > at_most or at_most < low or at_least > high]


def without_causes(attributes):
    """But for the chains of causes, which hang on what has failed elsewhere and when; and but for the line."""
    kept = {key: content for key, content in attributes.items() if not key.startswith("whence.cause.")}
    if "whence.failure.site" in kept:
        kind, site = kept["whence.failure.site"]
        kept["whence.failure.site"] = kind, re.sub(r"^do\.c:\d+ ", "do.c ", site)
    return kept


def compare(truth, spans):
    """(what is wrong with the spans that have arrived, as lines; their clocks)"""
    wrong, clocks, seen = [], Clocks(), set()
    for got in spans:
        span_id = got["span_id"]
        if span_id in seen or span_id not in truth.spans:
            wrong.append(f"span {span_id} {'came twice' if span_id in seen else 'was never made'}")
            continue
        seen.add(span_id)
        want, tree = dict(truth.spans[span_id]), truth.asked[span_id]["tree"]
        got = dict(got, attributes=without_causes(got["attributes"]))
        for side in ("start", "end"):
            clocks.add(tree, want.pop(side), got.pop(side))
        for one, other in zip(want["events"], got["events"]):
            clocks.add(tree, one["between"], other["time"])
        want["events"] = [{k: v for k, v in event.items() if k != "between"} for event in want["events"]]
        got["events"] = [{k: v for k, v in event.items() if k != "time"} for event in got["events"]]
        wrong += [f"span {span_id}{line}" for line in differences(want, got)]
    wrong += [f"span {span_id} has not arrived" for span_id in truth.spans.keys() - seen]
    return wrong, clocks
