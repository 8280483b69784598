/* ---- the list of traces ---- */

const list = {shown: [], most: 200, only: false, sort: "wasted", filter: null};

function byOrder(a, b) {
    if (list.sort === "duration") return (b.to - b.from) - (a.to - a.from);
    if (list.sort === "wasted") {
        if (b.wasted !== a.wasted) return b.wasted - a.wasted;
        if ((b.cancelled > 0) !== (a.cancelled > 0)) return (b.cancelled > 0) - (a.cancelled > 0);
        if (b.errors !== a.errors) return b.errors - a.errors;
    }
    return a.t0 < b.t0 ? -1 : a.t0 > b.t0 ? 1 : 0;
}
function layList() {
    list.shown = data.traces.filter((t) => (!list.only || t.cancelled) && (!list.filter || t.spans.some(list.filter))).sort(byOrder);
}

function verdictOf(trace) {
    const first = trace.incidents[0];
    if (!first) return ["fine", "✓", "ok"];
    return trace.cancelled ? ["stopped", "⊘", first.reason] : ["failed", "✗", first.reason];
}

function drawItem(trace) {
    const item = make("li"), button = make("button", "trace"), [kind, sign, reason] = verdictOf(trace);
    button.type = "button";
    button.dataset.trace = trace.id;
    if (trace === view.trace) button.setAttribute("aria-current", "true");
    const first = make("span", "line"), second = make("span", "line small");
    const state = make("span", `state ${kind}`, sign);
    state.setAttribute("aria-hidden", "true");
    first.append(state, make("bdi", "label", short(trace.rootName, 120)), make("span", "took", duration(trace.to - trace.from)));
    const culprit = trace.incidents.length ? trace.incidents[0].cause : null;
    second.append(make("bdi", `reason ${kind}`, short(nameReason(reason), 60)));
    if (culprit) second.append(make("bdi", "", short(culprit.service.name, 60)));
    if (trace.wasted > 0) second.append(make("span", "wasted", `wasted ${duration(trace.wasted)}`));
    second.append(make("span", "dim", count(trace.spans.length, "span")));
    button.append(first, second);
    item.append(button);
    return item;
}

function drawList() {
    layList();
    const some = list.shown.slice(0, list.most);
    el("traces").replaceChildren(...some.map(drawItem));
    el("more").hidden = list.shown.length <= list.most;
    el("count").textContent = list.shown.length === data.traces.length ? count(data.traces.length, "trace")
        : `${list.shown.length.toLocaleString("en")} of ${count(data.traces.length, "trace")}`;
}

/* ---- the head of a trace: who, where, why ---- */

function drawHead(trace) {
    const head = el("head"), title = make("h2");
    title.append(make("bdi", "", short(trace.rootName, 200)));
    const services = new Map();
    for (const span of trace.spans) services.set(span.service.name, (services.get(span.service.name) || 0) + 1);
    const about = make("p", "about");
    about.append(make("span", "", duration(trace.to - trace.from)), make("span", "", count(trace.spans.length, "span")),
        make("span", "", wall(trace, trace.from)), make("code", "", trace.id));
    const legend = make("p", "legend");
    for (const [name, n] of [...services].slice(0, 24)) {
        const chip = make("span", "chip"), colour = trace.spans.find((s) => s.service.name === name).service.colour;
        chip.append(make("span", `dot c${colour}`), make("bdi", "", short(name, 60)), make("span", "dim", n.toLocaleString("en")));
        legend.append(chip);
    }
    const back = make("button", "back", "‹ traces");
    back.type = "button";
    back.id = "back";
    head.replaceChildren(back, title, about, legend);
}

/* "Hit: 3 spans were stopped" as name and words; a line that goes on from the one before has no name. */
function toldLines(lines) {
    const box = make("dl", "facts");
    for (const line of lines) {
        const at = line.indexOf(": "), named = /^[A-Z][a-z ]+$/.test(line.slice(0, at));
        box.append(make("dt", "", named ? line.slice(0, at) : ""), make("dd", "", clean(named ? line.slice(at + 2) : line)));
    }
    return box;
}

function verdictCard(incident) {
    const card = make("div", "card"), go = make("p", "go");
    card.append(make("p", "sentence", clean(incident.said || incident.reason)));
    if (incident.cause) go.append(make("span", "dim", "it began at"), spanButton(incident.cause, nameOf(incident.cause)));
    else go.append(make("span", "dim", "where it began is not in this trace; first hit was"), spanButton(incident.subject, nameOf(incident.subject)));
    if (incident.longest && incident.longest.over >= 1e6)
        go.append(make("span", "dim", `longest for nobody (${duration(incident.longest.over)}):`), spanButton(incident.longest, nameOf(incident.longest)));
    card.append(go);
    if (incident.told) card.append(toldLines(incident.told));
    return card;
}

function drawVerdict(trace) {
    const box = el("verdict"), about = trace.told.filter((line) => !line.startsWith("Trace: "));
    box.replaceChildren();
    box.className = trace.incidents.length ? "stopped" : "fine";
    for (const incident of trace.incidents.slice(0, 3)) box.append(verdictCard(incident));
    if (trace.incidents.length > 3) box.append(make("p", "dim", `and ${count(trace.incidents.length - 3, "more incident")}`));
    if (!trace.incidents.length) box.append(make("p", "sentence", "Nobody was stopped, and nothing failed."));
    if (about.length) box.append(toldLines(about));
    box.scrollTop = 0;
}
