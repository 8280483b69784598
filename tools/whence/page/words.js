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

function nameOf(span) {
    return `${short(span.name, 80)} (${short(span.service.name, 60)})`;
}

function nameReason(reason) {
    return /^[0-9]{3}$/.test(reason) ? `HTTP ${reason}` : reason;
}

/* What became of a span: its reason, its message, and the line. */
function endOf(span) {
    if (span.cancelled)
        return {reason: text(span, "whence.cancel.reason") || "cancelled", message: text(span, "whence.cancel.message"), site: text(span, "whence.cancel.site")};
    if (!span.error) return {reason: "", message: "", site: ""};
    const type = text(span, "error.type");
    return {reason: nameReason(type) || "failed", message: strings[span.raw[STATUS_TEXT]], site: text(span, "whence.failure.site")};
}
