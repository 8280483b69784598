/* ---- arrows: from the span that stopped others, at that instant, to each of them ---- */

const ARROWS = 200; /* beyond so many, only those of the chosen span */
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes) {
    const node = document.createElementNS(SVG, tag);
    for (const name of Object.keys(attributes)) node.setAttribute(name, String(attributes[name]));
    return node;
}

/* The lowest row in sight that stands for a span: itself, or the one under which it is folded away. */
function standing(span) {
    let s = span;
    while (s && !view.place.has(s)) s = s.parent;
    return s ? view.place.get(s) : undefined;
}

/* The victims whose arrows are to be drawn: those that touch the rows from first to end. */
function wantedArrows(first, end) {
    const trace = view.trace, chosen = view.selected;
    let list = trace.arrows;
    if (list.length > ARROWS) {
        list = chosen ? [...(trace.arrows.includes(chosen) ? [chosen] : []), ...chosen.stopped] : [];
    }
    const near = [];
    for (const victim of list) {
        const a = view.place.get(victim.origin), b = view.place.get(victim);
        if (a === undefined || b === undefined || Math.max(a, b) < first || Math.min(a, b) >= end) continue;
        near.push({victim, a, b});
        if (near.length === ARROWS) break;
    }
    return near;
}

function drawArrow(layer, {victim, a, b}, first, on) {
    const y = (row) => (row - first + 0.5) * view.height + (view.height > 40 ? 10 : 0);
    const x0 = px(instantOf(victim.origin, victim)), x1 = px(victim.at);
    const right = LEFT + view.width + RIGHT - 6;
    const bend = Math.max(Math.min(Math.max(x0, x1) + 16 + 7 * Math.abs(b - a), right), Math.max(x0, x1) + 10);
    const d = `M${x0} ${y(a)} C${bend} ${y(a)} ${bend} ${y(b)} ${x1 + 2} ${y(b)}`;
    const group = svg("g", {class: on ? "arrow on" : "arrow", "data-from": victim.origin.id, "data-to": victim.id});
    group.append(svg("path", {d, class: "halo"}), svg("path", {d, class: "line"}),
        svg("path", {d: `M${x1 + 1} ${y(b)} l8 -4.5 l0 9 z`, class: "tip"}));
    layer.append(group);
}

function drawArrows(first, end) {
    const old = rowsBox.querySelector("svg");
    if (old) old.remove();
    const wanted = wantedArrows(first, end);
    if (!wanted.length) return;
    const layer = svg("svg", {"aria-hidden": "true", class: "arrows", width: LEFT + view.width + RIGHT, height: (end - first) * view.height});
    layer.style.left = `${view.x0}px`;
    layer.style.top = `${first * view.height}px`;
    const chosen = view.selected;
    const touches = (victim) => chosen && (victim === chosen || victim.origin === chosen);
    if (wanted.some((one) => touches(one.victim))) layer.classList.add("some");
    for (const one of wanted) if (!touches(one.victim)) drawArrow(layer, one, first, false);
    for (const one of wanted) if (touches(one.victim)) drawArrow(layer, one, first, true);
    rowsBox.append(layer);
}
