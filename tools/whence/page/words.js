/* ---- words ---- */

function duration(ns) {
    const size = Math.abs(ns);
    if (!Number.isFinite(ns)) return "";
    if (size < 1e3) return `${Math.round(ns)} ns`;
    const three = (n) => String(Number(n.toPrecision(3)));
    if (size < 999.5e3) return `${three(ns / 1e3)} µs`;
    if (size < 999.5e6) return `${three(ns / 1e6)} ms`;
    if (size < 120e9) return `${three(ns / 1e9)} s`;
    return `${three(ns / 60e9)} min`;
}
function count(n, one, many) {
    return `${n.toLocaleString("en")} ${n === 1 ? one : many || one + "s"}`;
}
function wall(trace, offset) {
    const ns = trace.t0 + BigInt(Math.round(offset));
    const ms = Number(ns / 1000000n);
    if (!(Math.abs(ms) <= 8.64e15)) return "";
    return new Date(ms).toISOString().replace("T", " ").slice(0, 23) + " UTC";
}

/* Text of strangers: controls, and what turns the direction of writing, are shown as what they are. */
const ODD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
function clean(said) {
    return said.replace(ODD, (c) => `⟨${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}
function short(said, most) {
    const line = clean(said.slice(0, most).replace(/[\t\n]+/g, " "));
    return said.length > most ? line + "…" : line;
}

function quoted(link) {
    const name = link.span ? link.span.name : link.name;
    return name ? `«${short(name, 80)}»` : link.spanId ? `span ${link.spanId}` : "somebody unknown";
}
function serviceOf(link) {
    return link.span ? link.span.service.name : link.service;
}
function ofService(link) {
    const service = serviceOf(link);
    return service ? ` of ${short(service, 60)}` : "";
}

/* One sentence: what the first cause was. */
function sentence(link) {
    const who = quoted(link) + ofService(link);
    const said = link.message ? `: ${short(link.message, 200)}` : "";
    if (link.failed) return `${who} failed${said || ": " + short(link.reason, 80)}.`;
    switch (link.reason) {
    case "deadline_exceeded": {
        const budget = link.span ? link.span.budget : NaN;
        return Number.isFinite(budget) ? `The ${duration(budget)} of ${who} were over.` : `The deadline of ${who} passed.`;
    }
    case "client_gone": return `The client of ${who} went away${said}.`;
    case "shutdown": return `The process of ${who} was told to stop${said}.`;
    case "race_lost": return `${who} was stopped because another was faster.`;
    case "sibling_failed": return `${who} failed${said}.`;
    case "handler_returned": return `${who} returned while others still worked for it.`;
    case "ended": return `${who} was ended by its owner while others still worked for it.`;
    case "unknown": return `Why ${who} stopped is unknown${said}.`;
    default: return `${who} was stopped, ${short(link.reason || "for no known reason", 80)}${said}.`;
    }
}

/* What it did to others, in one line. */
function consequences(group) {
    const services = new Set(group.hit.map((s) => s.service.name));
    const all = group.culprit && group.culprit.cancelled ? [group.culprit, ...group.hit] : group.hit;
    const worst = all.reduce((most, s) => (most && most.over >= s.over ? most : s), null);
    const hit = group.hit.length === 0 ? "Nobody else was stopped by it."
        : `It stopped ${count(group.hit.length, "other span")} in ${count(services.size, "service")}.`;
    return {hit, worst: worst && worst.over > 0 ? worst : null};
}
