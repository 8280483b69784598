/* ---- arrows: from the span that stopped others, at that instant, to each of them ---- */

const ARROWS = 200; /* beyond so many, only those of the chosen span */
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes) {
    const node = document.createElementNS(SVG, tag);
    for (const name of Object.keys(attributes)) node.setAttribute(name, String(attributes[name]));
    return node;
}

/* Whether an arrow belongs to the chosen span: on its way back to where it began, or to what came of it. Of very many only the
 * next ones. */
function chosenArrows(few) {
    const chosen = view.selected;
    if (!chosen) return () => false;
    if (!few) return (arrow) => arrow.from === chosen || arrow.to === chosen;
    const back = new Set(chainOf(chosen).spans);
    return (arrow) => (back.has(arrow.to) && (back.has(arrow.from) || arrow.to === chosen)) || chainOf(arrow.to).spans.includes(chosen);
}

/* Those that are to be drawn, as they touch the rows from first to end. */
function wantedArrows(first, end) {
    const few = view.trace.arrows.length <= ARROWS, chosen = chosenArrows(few), near = [];
    for (const arrow of view.trace.arrows) {
        const on = chosen(arrow);
        if (!few && !on) continue;
        const a = view.place.get(arrow.from), b = view.place.get(arrow.to);
        if (a === undefined || b === undefined || Math.max(a, b) < first || Math.min(a, b) >= end) continue;
        near.push({arrow, a, b, on});
        if (near.length === ARROWS) break;
    }
    return near;
}

function drawArrow(layer, {arrow, a, b, on}, first) {
    const y = (row) => (row - first + 0.5) * view.height + (view.height > 40 ? 11 : 0);
    const x0 = px(instantOf(arrow.from, arrow.to)), x1 = px(arrow.to.cancelled ? arrow.to.at : arrow.to.end);
    const far = Math.max(x0, x1), right = LEFT + view.width + RIGHT - 6;
    const bend = Math.max(Math.min(far + 22 + 8 * Math.abs(b - a), right + (right - far) / 3), far + 12);
    const group = svg("g", {class: `arrow${arrow.led ? " led" : ""}${on ? " on" : ""}`, "data-from": arrow.from.id, "data-to": arrow.to.id});
    const d = `M${x0} ${y(a)} C${bend} ${y(a)} ${bend} ${y(b)} ${x1 + 3} ${y(b)}`;
    group.append(svg("path", {d, class: "halo"}), svg("path", {d, class: "line"}),
        svg("path", {d: `M${x1 + 1} ${y(b)} l9 -5 l0 10 z`, class: "tip"}));
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
    if (wanted.some((one) => one.on)) layer.classList.add("some");
    wanted.sort((x, y) => x.on - y.on); /* those of the chosen span lie above */
    for (const one of wanted) drawArrow(layer, one, first);
    rowsBox.append(layer);
}
