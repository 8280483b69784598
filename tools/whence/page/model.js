/* ---- the data: what html.c writes, as objects ---- */

/* A span as it comes: see html.c, which writes it. Texts are indexes of data.strings, times nanoseconds since the trace's t0. */
const ID = 0, PARENT = 1, NAME = 2, RESOURCE = 3, KIND = 4, START = 5, TOOK = 6, STATUS = 7, STATUS_TEXT = 8, CANCELLED_AT = 9,
    ATTRS = 10, EVENTS = 11, LINKS = 12, SCOPE = 13;
const KINDS = ["", "internal", "server", "client", "producer", "consumer"];

let data, strings, keys;

function load(text) {
    data = JSON.parse(text);
    strings = data.strings;
    keys = new Map();
    strings.forEach((s, i) => { if (s.length < 64 && (s.startsWith("whence.") || s === "error.type")) keys.set(s, i); });
    const colours = new Map();
    data.services = data.resources.map((r) => {
        const name = strings[r[0]];
        if (!colours.has(name)) colours.set(name, colours.size % 10);
        return {name, colour: colours.get(name), attrs: r[1]};
    });
    data.byTrace = new Map();
    data.traces = data.traces.map(makeTrace);
    for (const trace of data.traces) data.byTrace.set(trace.id, trace);
    for (const trace of data.traces) judge(trace);
}

/* A value in a flat list [key, value, key, value...], or undefined. */
function find(attrs, name) {
    const key = keys.get(name);
    if (key === undefined || !attrs) return undefined;
    for (let i = 0; i < attrs.length; i += 2) if (attrs[i] === key) return attrs[i + 1];
    return undefined;
}
function text(span, name) {
    const value = find(span.raw[ATTRS], name);
    return value === undefined ? "" : strings[value];
}
/* Milliseconds in an attribute as nanoseconds, or NaN. */
function millis(span, name) {
    const said = text(span, name);
    return said === "" ? NaN : Number(said) * 1e6;
}

function makeSpan(trace, raw) {
    const span = {trace, raw, id: raw[ID], name: strings[raw[NAME]], service: data.services[raw[RESOURCE]], start: raw[START],
        end: raw[START] + Math.max(raw[TOOK], 0), parent: null, children: [], stopped: [], orphan: false};
    span.error = raw[STATUS] === 2;
    span.cancelled = text(span, "whence.cancelled") === "true";
    span.over = 0;
    span.at = NaN;
    if (span.cancelled) {
        span.over = millis(span, "whence.cancel.overrun_ms") || 0;
        span.at = Math.min(Math.max(raw[CANCELLED_AT], span.start), span.end);
    }
    span.budget = millis(span, "whence.deadline.budget_ms");
    span.nearly = text(span, "whence.deadline.nearly_late") === "true";
    span.leaked = text(span, "whence.leaked") === "true";
    return span;
}

function makeTrace(raw) {
    const trace = {id: raw.id, t0: BigInt(raw.t0), spans: [], byId: new Map(), roots: []};
    for (const one of raw.spans) {
        const span = makeSpan(trace, one);
        trace.spans.push(span);
        if (!trace.byId.has(span.id)) trace.byId.set(span.id, span);
    }
    for (const span of trace.spans) {
        const parent = trace.byId.get(span.raw[PARENT]);
        if (parent && parent !== span) span.parent = parent;
        else span.orphan = span.raw[PARENT] !== "";
    }
    breakRings(trace);
    for (const span of trace.spans) (span.parent ? span.parent.children : trace.roots).push(span);
    const byStart = (a, b) => a.start - b.start || b.end - a.end;
    trace.roots.sort(byStart);
    for (const span of trace.spans) if (span.children.length > 1) span.children.sort(byStart);
    trace.from = trace.spans.reduce((least, s) => Math.min(least, s.start), Infinity);
    trace.to = trace.spans.reduce((most, s) => Math.max(most, s.end), -Infinity);
    return trace;
}

/* Spans that are their own ancestors would be nobody's descendants, and never drawn: one of each ring becomes a root. */
function breakRings(trace) {
    const round = new Map();
    let n = 0;
    for (const span of trace.spans) {
        n++;
        for (let s = span; s; s = s.parent) {
            const seen = round.get(s);
            if (seen === n) { s.parent = null; s.orphan = true; }
            if (seen !== undefined) break;
            round.set(s, n);
        }
    }
}

/* ---- causes ---- */

function spanOf(traceId, spanId) {
    const trace = data.byTrace.get(traceId);
    return trace ? trace.byId.get(spanId) : undefined;
}

/* Why a span was stopped, as it says itself. */
function cancelLink(span) {
    const traceId = text(span, "whence.cancel.origin.trace_id"), spanId = text(span, "whence.cancel.origin.span_id");
    return {reason: text(span, "whence.cancel.reason"), message: text(span, "whence.cancel.message"), site: text(span, "whence.cancel.site"),
        name: text(span, "whence.cancel.origin.span_name"), service: "", spanId, span: spanOf(traceId || span.trace.id, spanId)};
}
/* What a span says about its own failure. */
function failureLink(span) {
    return {reason: text(span, "error.type") || "failed", message: strings[span.raw[STATUS_TEXT]], site: text(span, "whence.failure.site"),
        name: span.name, service: span.service.name, spanId: span.id, span, failed: true};
}
/* What another said, under the same names with another beginning: the callee, or the first cause. */
function toldLink(span, prefix) {
    const reason = text(span, prefix + ".reason");
    if (reason === "") return null;
    const spanId = text(span, prefix + ".span_id");
    return {reason, message: text(span, prefix + ".message"), site: text(span, prefix + ".site"), name: text(span, prefix + ".span_name"),
        service: text(span, prefix + ".service"), spanId, span: spanOf(text(span, prefix + ".trace_id") || span.trace.id, spanId)};
}

/* What lies behind a span that was stopped or failed: nearest first, the first cause last. Bounded; no span is asked twice. */
function chainOf(span) {
    const chain = [], asked = new Set();
    for (let s = span; s && !asked.has(s) && chain.length < 16;) {
        asked.add(s);
        const link = s.cancelled ? cancelLink(s) : s.error ? failureLink(s) : null;
        const last = chain[chain.length - 1];
        if (link && !(last && link.span && last.span === link.span && (last.reason === link.reason || link.failed))) chain.push(link);
        let next = link && link.span !== s ? link.span : undefined;
        if (!next && (!s.cancelled || (link && link.span === s))) {
            const callee = toldLink(s, "whence.callee");
            if (callee && !(callee.span && asked.has(callee.span))) { chain.push(callee); next = callee.span; }
        }
        if (!next) addTold(chain, s);
        s = next;
    }
    return chain;
}
/* Where no span leads further, the first cause that the last one was told of. */
function addTold(chain, span) {
    const root = toldLink(span, "whence.cause.root"), last = chain[chain.length - 1];
    if (!root || !last) return;
    const same = root.spanId ? chain.some((l) => l.spanId === root.spanId && l.reason === root.reason) : last.reason === root.reason && last.site === root.site;
    if (!same) chain.push(root);
}

/* ---- a trace judged: who stopped whom ---- */

function judge(trace) {
    const groups = new Map();
    trace.wasted = 0;
    trace.cancelled = 0;
    trace.errors = 0;
    trace.arrows = [];
    for (const span of trace.spans) {
        if (span.error) trace.errors++;
        if (!span.cancelled) continue;
        trace.cancelled++;
        trace.wasted = Math.max(trace.wasted, span.over);
        const link = cancelLink(span);
        span.origin = link.span && link.span.trace === trace ? link.span : null;
        span.unknown = !link.span && link.spanId !== "" || link.spanId === "" && link.span === undefined;
        if (span.origin && span.origin !== span) {
            span.origin.stopped.push(span);
            trace.arrows.push(span);
        }
    }
    const ends = new Map();
    for (const span of trace.spans) {
        if (!span.cancelled) continue;
        const first = firstOf(span, ends);
        const key = first.span ? first.span.id : first.spanId + " " + first.reason + " " + first.site;
        if (!groups.has(key)) groups.set(key, {first, culprit: first.span, hit: []});
        const group = groups.get(key);
        if (first.failed) group.first = first;
        if (first.span !== span) group.hit.push(span);
    }
    trace.groups = [...groups.values()].sort((a, b) => b.hit.length - a.hit.length);
    for (const group of trace.groups) if (group.culprit) group.culprit.culprit = group;
    trace.first = trace.groups[0] || null;
    trace.rootName = trace.roots.length ? trace.roots[0].name : "";
}

/* The first cause behind a span. Those with the same origin share it, so that a million of them are followed once. */
function firstOf(span, ends) {
    const from = span.origin && span.origin !== span ? span.origin : span;
    if (from !== span && (from.cancelled || from.error)) {
        if (!ends.has(from)) { const chain = chainOf(from); ends.set(from, chain[chain.length - 1]); }
        return ends.get(from);
    }
    const chain = chainOf(span);
    return chain[chain.length - 1];
}

/* The instant at which a span stopped another: its own end, if it was stopped itself; else when the other was. */
function instantOf(origin, victim) {
    const at = origin.cancelled ? origin.at : victim.at;
    return Math.min(Math.max(at, origin.start), origin.end);
}
