/* ---- search ---- */

/* "two words" key=value key>12: a list of what must all hold. */
function parseQuery(q) {
    const terms = [];
    for (const m of q.matchAll(/(?:([\w.:\/-]+)(!=|>=|<=|=|>|<))?(?:"([^"]*)"?|(\S+))/g)) {
        const value = m[3] !== undefined ? m[3] : m[4];
        terms.push({key: m[1] || "", op: m[2] || "", value: value.toLowerCase(), number: Number(value)});
    }
    return terms;
}

/* A text is looked at once, however many spans have it. */
function hitsOf(value) {
    const hits = new Uint8Array(strings.length);
    for (let i = 0; i < strings.length; i++) if (strings[i].toLowerCase().includes(value)) hits[i] = 1;
    return hits;
}
function anyHit(attrs, hits) {
    for (let i = 0; attrs && i < attrs.length; i++) if (hits[attrs[i]]) return true;
    return false;
}

function wordTest(term) {
    const hits = hitsOf(term.value);
    const resources = data.services.map((s, i) => hits[data.resources[i][0]] || anyHit(s.attrs, hits));
    return (span) => {
        const raw = span.raw;
        return resources[raw[RESOURCE]] || hits[raw[NAME]] || (raw[STATUS_TEXT] && hits[raw[STATUS_TEXT]]) || anyHit(raw[ATTRS], hits) ||
            (raw[EVENTS] || []).some((e) => hits[e[1]] || anyHit(e[2], hits)) || span.id === term.value || span.trace.id === term.value;
    };
}

const OWN = {
    service: (s) => s.service.name, name: (s) => s.name, kind: (s) => KINDS[s.raw[KIND]] || "", span: (s) => s.id, trace: (s) => s.trace.id,
    status: (s) => (s.error ? "error" : s.raw[STATUS] === 1 ? "ok" : "unset"), duration: (s) => String((s.end - s.start) / 1e6),
};

function compare(term) {
    if (term.op === ">") return (said) => Number(said) > term.number;
    if (term.op === "<") return (said) => Number(said) < term.number;
    if (term.op === ">=") return (said) => Number(said) >= term.number;
    if (term.op === "<=") return (said) => Number(said) <= term.number;
    const parts = term.value.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const like = new RegExp("^" + parts.join("[^]*") + "$");
    return (said) => like.test(said.toLowerCase());
}

function keyTest(term) {
    const holds = compare(term), not = term.op === "!=", own = OWN[term.key];
    if (own) return (span) => holds(own(span)) !== not;
    const key = strings.indexOf(term.key), verdicts = new Map();
    const known = (value) => {
        if (!verdicts.has(value)) verdicts.set(value, holds(strings[value]));
        return verdicts.get(value);
    };
    const has = (attrs) => {
        for (let i = 0; attrs && i < attrs.length; i += 2)
            if (attrs[i] === key && known(attrs[i + 1])) return true;
        return false;
    };
    return (span) => (key >= 0 && (has(span.raw[ATTRS]) || has(span.service.attrs) || (span.raw[EVENTS] || []).some((e) => has(e[2])))) !== not;
}

/* null: everything is wanted; else what says whether a span is. */
function makeFilter(q) {
    const tests = parseQuery(q).map((term) => (term.key ? keyTest(term) : wordTest(term)));
    return tests.length ? (span) => tests.every((test) => test(span)) : null;
}
