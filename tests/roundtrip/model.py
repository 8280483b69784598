"""What must arrive of what was asked for (spans.c): OpenTelemetry's rules of spans, in Python, written from the specification and from
the headers of Whence, not from its code.

Spans are plain dicts, as `expected` gives them. Values are tuples, so that nothing is equal that is not the same: ("s", str),
("y", bytes), ("b", bool), ("i", int), ("d", its 8 bytes; every NaN is one), ("n",), ("a", [values]), ("m", {key: value}).
"""

import json
import math
import struct

SAMPLED, RANDOM, KNOWS_REMOTE, IS_REMOTE = 1, 2, 0x100, 0x200
DEFAULT_LIMIT = 128
UNSET, OK, ERROR = 0, 1, 2


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


def cut_string(raw, length):
    """Characters of a string; bytes, where it is none."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return ("y", raw[:length] if length else raw)
    return ("s", text[:length] if length else text)


def value(asked, length):
    """What becomes of a value that was asked for, under a limit of length (0: none)."""
    kind, *content = asked
    content = content[0] if content else None
    if kind == "s":
        return cut_string(bytes.fromhex(content), length)
    if kind == "y":
        raw = bytes.fromhex(content)
        return ("y", raw[:length] if length else raw)
    if kind == "i":
        return ("i", content) if content < 2**63 else cut_string(str(content).encode(), length)
    if kind == "d":
        return real(struct.unpack("<d", bytes.fromhex(content))[0])
    assert kind == "b", kind
    return ("b", content)


def key_of(asked):
    """The key as text, or None if it is none that an attribute may have."""
    try:
        return bytes.fromhex(asked).decode() or None
    except UnicodeDecodeError:
        return None


# ---- lists of attributes ----

class Attributes:
    """A key that is set again has its last value."""

    def __init__(self, most, length):
        self.most, self.length, self.kept, self.dropped = most, length, {}, 0

    def set(self, key, asked):
        key = key_of(key)
        if key is None or (key not in self.kept and len(self.kept) >= self.most):
            self.dropped += 1
        else:
            self.kept[key] = value(asked, self.length)


def fixed(asked, most, length):
    """Of an event or a link, as if they were set one after the other. (attributes, dropped)"""
    attributes = Attributes(most, length)
    for key, content in asked:
        attributes.set(key, content)
    return attributes.kept, attributes.dropped


def resource(provider):
    """What the resource must hold among other things: the last of a key, no limits."""
    kept = {"service.name": ("s", provider["service"])}
    for key, content in provider["resource"]:
        key = key_of(key)
        if key is not None:
            kept[key] = value(content, 0)
    return kept


# ---- spans ----

def limit(provider, name):
    return provider["limits"][name] or DEFAULT_LIMIT


def link(provider, to, attributes):
    """None if it says nothing: it leads nowhere, and has neither attributes nor a tracestate."""
    nowhere = not int(to["trace"], 16) or not int(to["span"], 16)
    if nowhere and not attributes and to["state"] is None:
        return None
    kept, dropped = fixed(attributes, limit(provider, "link_attributes"), provider["limits"]["value_length"])
    return {"trace_id": to["trace"], "span_id": to["span"], "state": text(to["state"]),
            "flags": to["flags"] & (SAMPLED | RANDOM) | KNOWS_REMOTE | (IS_REMOTE if to["remote"] else 0),
            "attributes": kept, "dropped_attributes": dropped}


def text(asked):
    return characters(bytes.fromhex(asked)) if asked else ""


def expected(span, provider):
    """The span as it must arrive; "times" has, in place of instants, where each is to be found and between which readings of the
    monotonic clock it was taken."""
    limits, parent = provider["limits"], span["parent"]
    attributes = Attributes(limit(provider, "attributes"), limits["value_length"])
    events, links, status, name = [], [], (UNSET, ""), span["name"]
    dropped_links = 0

    def add_link(_, to, asked):
        nonlocal dropped_links
        one = link(provider, to, asked)
        if one and len(links) < limit(provider, "links"):
            links.append(one)
        elif one:
            dropped_links += 1

    def set_status(code, message):
        nonlocal status
        if code != UNSET and status[0] != OK:
            status = (code, text(message) if code == ERROR else "")

    for key, content in span["attrs"]:
        attributes.set(key, content)
    for one in span["links"]:
        add_link(*one)
    dropped_events = 0
    for what, *rest in span["do"]:
        if what == "set":
            attributes.set(*rest)
        elif what == "event" and len(events) < limit(provider, "events"):
            kept, dropped = fixed(rest[2], limit(provider, "event_attributes"), limits["value_length"])
            events.append({"name": text(rest[0]), "between": rest[1], "attributes": kept, "dropped_attributes": dropped})
        elif what == "event":
            dropped_events += 1
        elif what == "link":
            add_link(what, *rest)
        elif what == "status":
            set_status(*rest)
        elif what == "fail":
            attributes.set("error.type".encode().hex(), ["s", rest[0]])
            set_status(ERROR, rest[1])
        elif what == "rename":
            name = rest[0]
        else:
            assert what == "nothing", what
    return {
        "trace_id": parent["trace"] if parent else span["context"]["trace"],
        "span_id": span["context"]["span"],
        "parent_span_id": parent["span"] if parent else "",
        "state": text(parent["state"]) if parent else "",
        "flags": SAMPLED | KNOWS_REMOTE | (parent["flags"] & RANDOM | (IS_REMOTE if parent["remote"] else 0) if parent else RANDOM),
        "name": text(name),
        "kind": span["kind"] + 1,
        "start": span["start"],
        "end": span["end"],
        "attributes": attributes.kept,
        "dropped_attributes": attributes.dropped,
        "events": events,
        "dropped_events": dropped_events,
        "links": links,
        "dropped_links": dropped_links,
        "status": status,
    }


def is_recorded(span):
    """ParentBased(AlwaysOn), the default."""
    return span["parent"] is None or bool(span["parent"]["flags"] & SAMPLED)


class Truth:
    """A file that spans.c has written."""

    def __init__(self, path):
        self.providers, self.spans, self.asked, self.not_recorded = {}, {}, {}, 0
        with open(path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                if "provider" in line:
                    self.providers[line["provider"]["number"]] = line["provider"]
                else:
                    self._add(line["span"])

    def _add(self, span):
        if is_recorded(span) != span["records"]:
            raise AssertionError(f"records: {span['records']}: {span}")
        if not is_recorded(span):
            self.not_recorded += 1
            return
        self.asked[span["context"]["span"]] = span
        self.spans[span["context"]["span"]] = expected(span, self.providers[span["provider"]])


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


def compare(truth, spans):
    """What is wrong with the spans that have arrived, at most 20 lines, and how many values were compared."""
    wrong, clocks, seen = [], Clocks(), set()
    for got in spans:
        span_id = got["span_id"]
        if span_id in seen or span_id not in truth.spans:
            wrong.append(f"span {span_id} {'came twice' if span_id in seen else 'was never made'}")
            continue
        seen.add(span_id)
        want, tree = dict(truth.spans[span_id]), truth.asked[span_id]["tree"]
        got = dict(got)
        for side in ("start", "end"):
            clocks.add(tree, want.pop(side), got.pop(side))
        for one, other in zip(want["events"], got["events"]):
            clocks.add(tree, one["between"], other["time"])
        want["events"] = [{k: v for k, v in event.items() if k != "between"} for event in want["events"]]
        got["events"] = [{k: v for k, v in event.items() if k != "time"} for event in got["events"]]
        wrong += [f"span {span_id}{line}" for line in differences(want, got)]
    wrong += [f"span {span_id} has not arrived" for span_id in truth.spans.keys() - seen]
    return wrong, clocks
