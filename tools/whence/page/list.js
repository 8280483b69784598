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
    if (trace.first) return ["stopped", "⊘", trace.first.first.failed ? "failed" : trace.first.first.reason || "cancelled"];
    if (trace.errors) return ["failed", "✗", "failed"];
    return ["fine", "✓", "ok"];
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
    const culprit = trace.first && trace.first.culprit;
    second.append(make("bdi", `reason ${kind}`, short(reason, 60)));
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

function verdictCard(trace, group) {
    const {first, culprit} = group, card = make("div", "card"), {hit, worst} = consequences(group);
    card.append(make("p", "sentence", sentence(first)));
    const rows = [];
    if (culprit) rows.push(["who", spanButton(culprit, `«${short(culprit.name, 80)}» of ${short(culprit.service.name, 60)}`)]);
    else rows.push(["who", first.spanId ? `span ${first.spanId}${first.name ? ` «${short(first.name, 80)}»` : ""}: not in this trace` : "unknown"]);
    rows.push(["where", first.site ? make("code", "", short(first.site, 200)) : ""]);
    rows.push(["why", short(first.reason, 80) + (first.message ? ` “${short(first.message, 200)}”` : "")]);
    const effect = make("span");
    effect.append(document.createTextNode(hit));
    if (worst) {
        effect.append(document.createTextNode(" The longest ran on "), make("b", "", duration(worst.over)), document.createTextNode(" for nobody: "),
            spanButton(worst, `«${short(worst.name, 60)}» of ${short(worst.service.name, 60)}`));
    }
    rows.push(["hit", effect]);
    card.append(facts(rows));
    return card;
}

function drawVerdict(trace) {
    const box = el("verdict");
    box.replaceChildren();
    box.className = trace.first ? "stopped" : trace.errors ? "failed" : "fine";
    if (trace.first) {
        for (const group of trace.groups.slice(0, 3)) box.append(verdictCard(trace, group));
        if (trace.groups.length > 3) box.append(make("p", "dim", `and ${trace.groups.length - 3} more causes`));
    } else if (trace.errors) {
        const failed = trace.spans.filter((s) => s.error), deepest = failed.find((s) => !s.children.some((c) => c.error)) || failed[0];
        const chain = chainOf(deepest), p = make("p", "sentence", sentence(chain[chain.length - 1] || failureLink(deepest)));
        box.append(p, spanButton(deepest, `show «${short(deepest.name, 60)}»`));
    } else {
        box.append(make("p", "sentence", "Nobody was stopped, and nothing failed."));
    }
}
