"""What must hold of every trace that Whence writes, whatever was cancelled: rules over the spans alone. Python 3, standard library only.

check(spans, outside, killed) takes spans as query.flatten() gives them, from the processes of a random tree (node.c), and returns
what is wrong, as a list of sentences. `outside`: ids of spans that belong to nobody here. `killed`: services of which spans may be
missing.
"""

import collections

NEAR_MS = 0.0011   # overruns are given to the microsecond


def by_id(spans):
    return {span["span_id"]: span for span in spans}


def is_local(span):
    """Whether its parent is a span of its own process."""
    return bool(span["parent_span_id"]) and not span["flags"] & 0x200


def received(span):
    found = [event for event in span["events"] if event["name"] == "whence.cancel.received"]
    return found[0] if found else None


def overrun_ms(span):
    """From raw times: how long it ran on after it was told; None where the instant was left out."""
    event = received(span)
    return (span["end_ns"] - max(event["time_ns"], span["start_ns"])) / 1e6 if event else None


def references(spans):
    """The spans as Jaeger's UI gets them, with their parent and then their links."""
    def one(kind, trace_id, span_id):
        return {"refType": kind, "traceID": trace_id, "spanID": span_id}
    ui = []
    for span in spans:
        list_of = []
        parent = span["parent_span_id"]
        targets = [link["span_id"] for link in span["links"]]
        if parent:  # a link to one's own parent merges into the reference to it
            list_of.append(one("FOLLOWS_FROM" if parent in targets else "CHILD_OF", span["trace_id"], parent))
        list_of += [one("FOLLOWS_FROM", link["trace_id"], link["span_id"]) for link in span["links"] if link["span_id"] != parent]
        ui.append({"spanID": span["span_id"], "references": list_of})
    return ui


class Check:
    def __init__(self, spans, outside, killed, ui_roots):
        self.spans, self.outside, self.killed, self.ui_roots = spans, outside, killed, ui_roots
        self.ids = by_id(spans)
        self.wrong = []
        self.seen = collections.Counter()

    def bad(self, span, text):
        self.wrong.append(f"{span['service']} {span['name']} {span['span_id']}: {text}; {span['attributes']}")

    # ---- one cancelled span ----

    def remote_parents(self, span):
        """Ids of the spans that called its process, on the way up."""
        found = set()
        while span:
            parent = span["parent_span_id"]
            if parent and not is_local(span):
                found.add(parent)
            span = self.ids.get(parent)
        return found

    @staticmethod
    def place(span):
        """The context that the cause names, by its function."""
        return span["attributes"].get("whence.cancel.site", "").split(" ")[-1]

    def origin_exists(self, span):
        origin = span["attributes"].get("whence.cancel.origin.span_id")
        reason = span["attributes"]["whence.cancel.reason"]
        if origin is None:
            by_caller = self.place(span) == "caller" and not self.remote_parents(span)  # who sent a deadline, but no trace
            if reason not in ("shutdown", "ended") and not by_caller:
                self.bad(span, "no origin")
            return
        if origin in self.ids:
            if not span["attributes"].get("whence.cancel.brief") and self.ids[origin]["trace_id"] != span["attributes"]["whence.cancel.origin.trace_id"]:
                self.bad(span, "the origin is of another trace")
            return
        marked = origin in self.remote_parents(span) and (origin in self.outside or self.killed)
        if not marked and not self.killed:
            self.bad(span, f"origin {origin} is nowhere")
        self.seen["origin elsewhere"] += 1

    def overrun_is_true(self, span):
        said, counted = span["attributes"].get("whence.cancel.overrun_ms"), overrun_ms(span)
        if said is None or counted is None:
            self.bad(span, "no overrun, or no instant")
        elif abs(said - counted) > NEAR_MS or said < 0:
            self.bad(span, f"it ran on for {counted} ms")

    def depth_is_true(self, span, constants):
        """The place that the cause names is called like a context of the path, from which it is counted; where it is none, as
        that of the caller, every span of the request must count from the same."""
        a = span["attributes"]
        path = a["test.path"].split("/")
        at = self.place(span)
        depth, reason = a.get("whence.cancel.depth"), a["whence.cancel.reason"]
        if depth is None:
            self.bad(span, "no depth")
        elif reason == "sibling_failed" or reason == "race_lost":
            groups = {len(path) - 1 - i for i, name in enumerate(path) if name[0] == "g"}
            if depth not in groups:
                self.bad(span, f"no group {depth} above")
        elif at in path and not (reason == "client_gone" and a.get("whence.cancel.origin.span_id") not in self.own(span)):
            if depth != len(path) - 1 - path.index(at):
                self.bad(span, f"depth {depth}, but {at} is {len(path) - 1 - path.index(at)} above")
            self.seen["depth counted"] += 1
        else:
            key = (span["service"], path[0], reason, at, a.get("whence.cancel.origin.span_id"))
            if constants.setdefault(key, depth - len(path)) != depth - len(path) or depth < len(path):
                self.bad(span, f"depth {depth} is not as elsewhere in the request, {constants[key] + len(path)}")
            self.seen["depth compared"] += 1

    def own(self, span):
        """The spans of the same request in the same process."""
        top = span["attributes"]["test.path"].split("/")[0]
        return {s["span_id"] for s in self.spans if s["service"] == span["service"] and s["attributes"].get("test.path", "").split("/")[0] == top}

    def one_origin(self, span):
        """Follows the origins: to one that was not cancelled itself, or is its own origin, or is elsewhere."""
        way = [span["span_id"]]
        while True:
            at = self.ids.get(way[-1])
            following = at and at["attributes"].get("whence.cancel.origin.span_id")
            if not following or following == way[-1]:
                return
            if following in way:
                self.bad(span, f"a circle: {way} {following}")
                return
            way.append(following)

    def chain_ends(self, span):
        """The chain of causes is bounded, says nothing twice, and its end is a span of the trace, or elsewhere."""
        a = span["attributes"]
        chain, root = a["whence.cause.chain"], a.get("whence.cause.root.span_id")
        if not 1 <= len(chain) <= 8 or len(set(chain)) < len(chain):
            self.bad(span, "the chain is too long, or goes round")
        if not a.get("whence.cause.root.reason"):
            self.bad(span, "a chain without a first cause")
        if root and root not in self.ids and root not in self.outside and not self.killed:
            self.bad(span, f"the first cause {root} is nowhere")
        self.seen["chain"] += 1

    def leak_is_true(self, span):
        a = span["attributes"]
        age = (span["end_ns"] - span["start_ns"]) / 1e6
        if a["whence.leaked.site"].split(" ")[-1] != a["test.path"].split("/")[-1]:
            self.bad(span, "it was not started there")
        if abs(a["whence.leaked.age_ms"] - age) > NEAR_MS:
            self.bad(span, f"it is {age} ms old")
        self.seen["leaked"] += 1

    # ---- all ----

    def links(self):
        for span in self.spans:
            if span["links"] and not is_local(span):
                self.bad(span, "a link from a span without a local parent")
            for link in span["links"]:
                if link["span_id"] == span["parent_span_id"] or link["span_id"] == span["span_id"]:
                    self.bad(span, "a link to its parent or itself")
                if link["span_id"] != span["attributes"].get("whence.cancel.origin.span_id"):
                    self.bad(span, "a link to something else than the origin")
        _, _, invisible = self.ui_roots(references(self.spans))
        for span_id in invisible:
            self.bad(self.ids[span_id], "Jaeger's UI would not show it")

    @staticmethod
    def detached(span, parent):
        """Whether a context without the parent's deadline lies between them: one called d."""
        if not is_local(span):
            return False
        between = span["attributes"]["test.path"][len(parent["attributes"]["test.path"]):].split("/")
        return any(name.startswith("d") for name in between)

    def budgets(self):
        for span in self.spans:
            parent = self.ids.get(span["parent_span_id"])
            budget = span["attributes"].get("whence.deadline.budget_ms")
            above = parent and parent["attributes"].get("whence.deadline.budget_ms")
            if above is None or self.detached(span, parent):
                continue
            if budget is None:
                self.bad(span, "the budget was lost")
                continue
            # On the wire one that is used up is the least there is, and elapsed time on it is nobody's.
            left = above - (span["start_ns"] - parent["start_ns"]) / 1e6 if is_local(span) else max(above, 0)
            if budget > left + 0.01:
                self.bad(span, f"its budget is {budget} ms, its parent had {left} ms")
            self.seen["budget"] += 1

    def parents(self):
        for span in self.spans:
            parent = span["parent_span_id"]
            if parent and parent not in self.ids and parent not in self.outside and not self.killed:
                self.bad(span, f"parent {parent} is nowhere")

    def all(self):
        constants = {}
        for span in self.spans:
            if span["attributes"].get("whence.leaked"):
                self.leak_is_true(span)
            if "whence.cause.chain" in span["attributes"]:
                self.chain_ends(span)
            if "whence.cancel.reason" in span["attributes"]:
                if span["attributes"].get("whence.cancelled") is not True:
                    self.bad(span, "not marked as cancelled")
                self.seen[span["attributes"]["whence.cancel.reason"]] += 1
                self.origin_exists(span)
                self.overrun_is_true(span)
                self.depth_is_true(span, constants)
                self.one_origin(span)
            elif received(span):
                self.bad(span, "told, but not marked")
        self.links()
        self.budgets()
        self.parents()
        return self.wrong


def overruns_ms(spans):
    """The sum of all overruns: (as the spans say, as their times say)."""
    cancelled = [span for span in spans if span["attributes"].get("whence.cancelled")]
    said = sum(span["attributes"].get("whence.cancel.overrun_ms", 0) for span in cancelled)
    return said, sum(overrun_ms(span) or 0 for span in cancelled)


def _late(span):
    event = received(span)
    return (max(event["time_ns"], span["start_ns"]), span["end_ns"]) if event else None


def wasted_ms(spans):
    """The same, each instant counted once on every way from a root down: not for a span while a child of it ran on."""
    children, wasted = {}, 0
    for span in spans:
        if _late(span):
            children.setdefault((span["trace_id"], span["parent_span_id"]), []).append(_late(span))
    for span in spans:
        if not _late(span):
            continue
        at, end = _late(span)
        wasted += end - at
        for begun, over in sorted(children.get((span["trace_id"], span["span_id"]), ())):
            begun, over = max(begun, at), min(over, end)
            if over > begun:
                wasted -= over - begun
                at = over
    return wasted / 1e6
