/* ---- the data: what html_data.c writes, as objects ---- */

/* A span as it comes: see html_data.c, which writes it. Texts are indexes of data.strings, times nanoseconds since the trace's t0. */
const ID = 0, PARENT = 1, NAME = 2, RESOURCE = 3, KIND = 4, START = 5, TOOK = 6, STATUS = 7, STATUS_TEXT = 8, CANCELLED_AT = 9,
    ATTRS = 10, EVENTS = 11, LINKS = 12, SCOPE = 13, BECAUSE = 14;
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
        end: raw[START] + Math.max(raw[TOOK], 0), parent: null, children: [], stopped: [], orphan: false, culprit: null};
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
    const trace = {id: raw.id, t0: BigInt(raw.t0), incidents: raw.incidents, told: raw.told, spans: [], byId: new Map(), roots: []};
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
    trace.rootName = trace.roots.length ? trace.roots[0].name : "";
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

/* ---- causes: who began it was found out when the page was written ---- */

function spanOf(traceId, spanId) {
    const trace = data.byTrace.get(traceId);
    return trace ? trace.byId.get(spanId) : undefined;
}
function troubled(span) {
    return span.cancelled || span.error;
}

/* Another span, as a span names it under names with this beginning; null: it does not. */
function told(span, prefix) {
    const said = {reason: text(span, prefix + ".reason"), message: text(span, prefix + ".message"), site: text(span, prefix + ".site"),
        name: text(span, prefix + ".span_name"), service: text(span, prefix + ".service"), id: text(span, prefix + ".span_id")};
    return Object.values(said).some(Boolean) ? said : null;
}

/* From a span that was stopped or failed to where it began: [span...], and what is told of one that is not here. */
function chainOf(span) {
    const spans = [], seen = new Set();
    for (let s = span; s && !seen.has(s) && spans.length < 32; s = s.because) {
        spans.push(s);
        seen.add(s);
    }
    const last = spans[spans.length - 1], here = (one) => one && !(one.id && spans.some((s) => s.id === one.id));
    const missing = [told(last, "whence.cause.root"), told(last, "whence.callee"), last.cancelled ? told(last, "whence.cancel.origin") : null]
        .find((one) => here(one) && !(one.id && last.trace.byId.has(one.id)));
    return {spans, missing: missing || null};
}

/* ---- a trace judged: who stopped whom ---- */

function judge(trace) {
    trace.cancelled = trace.errors = 0;
    trace.arrows = [];
    trace.wasted = trace.incidents.reduce((sum, one) => sum + one.wasted, 0);
    for (const span of trace.spans) {
        trace.errors += span.error;
        trace.cancelled += span.cancelled;
        span.because = span.trace.spans[span.raw[BECAUSE]] || null;
        const id = span.cancelled ? text(span, "whence.cancel.origin.span_id") : "";
        const origin = spanOf(text(span, "whence.cancel.origin.trace_id") || trace.id, id);
        span.unknown = id !== "" && !origin;
        span.origin = origin && origin !== span && origin.trace === trace ? origin : null;
        if (span.origin) {
            span.origin.stopped.push(span);
            trace.arrows.push({from: span.origin, to: span});
        } else if (span.because) {
            trace.arrows.push({from: span.because, to: span, led: true});
        }
    }
    for (const incident of trace.incidents) {
        for (const key of ["cause", "subject", "longest"]) incident[key] = trace.spans[incident[key]] || null;
        if (incident.cause) incident.cause.culprit = incident;
    }
}

/* The instant at which a span stopped another: when it was stopped itself; else when the other was. */
function instantOf(from, to) {
    const at = from.cancelled ? from.at : to.cancelled ? to.at : from.end;
    return Math.min(Math.max(at, from.start), from.end);
}
