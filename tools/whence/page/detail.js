/* ---- a span in full ---- */

const detail = el("detail");
const LONG = 2000; /* characters of a value that are shown at first */

function spanButton(span, said) {
    const button = make("button", "jump", said);
    button.type = "button";
    button.dataset.trace = span.trace.id;
    button.dataset.jump = span.id;
    return button;
}

function value(said) {
    const cell = make("dd"), shown = make("bdi", "", clean(said.slice(0, LONG)));
    cell.append(shown);
    if (said.length > LONG) {
        const more = make("button", "more", `show all ${said.length.toLocaleString("en")} characters`);
        more.type = "button";
        more.addEventListener("click", () => { shown.textContent = clean(said); more.remove(); });
        cell.append(more);
    }
    return cell;
}
function pairs(attrs, wanted) {
    const list = make("dl", "pairs");
    for (let i = 0; attrs && i < attrs.length; i += 2) {
        const key = strings[attrs[i]];
        if (wanted && !wanted(key)) continue;
        list.append(make("dt", "", short(key, 200)), value(strings[attrs[i + 1]]));
    }
    return list.childElementCount ? list : null;
}
function part(title, node, folded) {
    if (!node) return;
    const box = make("details", "part");
    box.open = !folded;
    box.append(make("summary", "", title), node);
    detail.append(box);
}
function facts(list) {
    const box = make("dl", "facts");
    for (const [name, said] of list) {
        if (!said) continue;
        const cell = make("dd");
        cell.append(typeof said === "string" ? make("bdi", "", clean(said)) : said);
        box.append(make("dt", "", name), cell);
    }
    return box;
}

function pathItem(className, name, end) {
    const li = make("li", className);
    li.append(name);
    if (end.reason || end.message) li.append(make("bdi", "why", short(end.reason, 80) + (end.message ? ` “${short(end.message, 200)}”` : "")));
    if (end.site) li.append(make("code", "", short(end.site, 200)));
    return li;
}
/* From where it began down to the span. */
function path({spans, missing}) {
    const list = make("ol", "path");
    if (missing) {
        const name = `${short(missing.name || (missing.id ? "span " + missing.id : "a span"), 80)}${missing.service ? ` (${short(missing.service, 60)})` : ""}`;
        list.append(pathItem("first", make("bdi", "gone", name + ", not here"), missing));
    }
    for (let i = spans.length - 1; i >= 0; i--) {
        const name = i ? spanButton(spans[i], nameOf(spans[i])) : make("bdi", "self", nameOf(spans[i]));
        list.append(pathItem(list.childElementCount ? "" : "first", name, endOf(spans[i])));
    }
    return list;
}

function tellCause(span) {
    if (!troubled(span)) return;
    const box = make("div", "cause");
    if (span.culprit) box.append(make("p", "sentence", clean(span.culprit.said || "It began here.")));
    box.append(path(chainOf(span)));
    box.append(facts([
        ["stopped", span.cancelled ? `${duration(span.at - span.start)} after its start, ${duration(span.at - span.trace.from)} into the trace` : ""],
        ["ran on", span.cancelled ? (span.over > 0 ? `${duration(span.over)} for nobody` : "not at all") : ""],
        ["too late", text(span, "whence.cancel.suppressed")],
    ]));
    detail.append(box);
}

function tellVictims(span) {
    if (!span.stopped.length) return;
    const list = make("ul", "victims");
    for (const victim of span.stopped.slice(0, 20)) {
        const li = make("li");
        li.append(spanButton(victim, nameOf(victim)),
            document.createTextNode(victim.over > 0 ? ` ran on ${duration(victim.over)}` : ""));
        list.append(li);
    }
    if (span.stopped.length > 20) list.append(make("li", "", `and ${(span.stopped.length - 20).toLocaleString("en")} more`));
    part(`It stopped ${count(span.stopped.length, "span")}`, list);
}

function tellTimes(span) {
    const asked = millis(span, "whence.deadline.asked_ms"), left = millis(span, "whence.deadline.remaining_ms");
    const source = {own: "its own", ancestor: "of a span above it", caller: "of its caller"}[text(span, "whence.deadline.source")] || "";
    const had = Number.isFinite(span.budget);
    return facts([
        ["began", `+${duration(span.start - span.trace.from)} · ${wall(span.trace, span.start)}`],
        ["took", duration(span.end - span.start)],
        ["budget", had ? `${duration(span.budget)}${source ? ", " + source : ""}${Number.isFinite(asked) && asked > span.budget ? `; ${duration(asked)} asked` : ""}` : ""],
        ["left", had && Number.isFinite(left) ? (left < 0 ? `none: ${duration(-left)} too late` : duration(left)) : ""],
        ["kind", KINDS[span.raw[KIND]] || ""],
        ["status", span.error ? `error${span.raw[STATUS_TEXT] ? ": " + strings[span.raw[STATUS_TEXT]].slice(0, LONG) : ""}` : span.raw[STATUS] === 1 ? "ok" : "unset"],
        ["span", span.id],
        ["parent", span.parent ? spanButton(span.parent, short(span.parent.name, 80)) : span.orphan ? span.raw[PARENT] + " (not here)" : ""],
    ]);
}

function tellEvents(span) {
    const events = span.raw[EVENTS] || [];
    if (!events.length) return;
    const list = make("ol", "events");
    for (const [at, name, attrs] of events.slice(0, 200)) {
        const li = make("li");
        li.append(make("b", "", `+${duration(at - span.start)}`), make("bdi", "", short(strings[name], 200)));
        const more = pairs(attrs);
        if (more) li.append(more);
        list.append(li);
    }
    if (events.length > 200) list.append(make("li", "", `and ${events.length - 200} more`));
    part(count(events.length, "event"), list);
}
function tellLinks(span) {
    const links = span.raw[LINKS] || [];
    if (!links.length) return;
    const list = make("ul", "events");
    for (const [traceId, spanId, attrs] of links.slice(0, 200)) {
        const li = make("li"), to = spanOf(traceId, spanId);
        li.append(to ? spanButton(to, nameOf(to)) : make("code", "", `${traceId} ${spanId}`));
        const more = pairs(attrs);
        if (more) li.append(more);
        list.append(li);
    }
    part(count(links.length, "link"), list);
}

function drawDetail(span) {
    detail.replaceChildren();
    detail.hidden = !span;
    document.body.classList.toggle("reading", Boolean(span));
    if (!span) return;
    const head = make("header"), close = make("button", "close", "×");
    close.type = "button";
    close.id = "close";
    close.setAttribute("aria-label", "close");
    const service = make("span", "chip");
    service.append(make("span", `dot c${span.service.colour}`), make("bdi", "", short(span.service.name, 100)));
    head.append(service, make("h3", "", short(span.name, 300)), close);
    detail.append(head);
    detail.setAttribute("aria-label", `Span ${short(span.name, 100)}`);
    tellCause(span);
    tellVictims(span);
    detail.append(tellTimes(span));
    const ours = (key) => key.startsWith("whence.");
    part("attributes", pairs(span.raw[ATTRS], (key) => !ours(key)));
    tellEvents(span);
    tellLinks(span);
    part("whence.*", pairs(span.raw[ATTRS], ours), true);
    part(`resource${strings[span.raw[SCOPE]] ? ", scope " + short(strings[span.raw[SCOPE]], 100) : ""}`, pairs(span.service.attrs), true);
}
