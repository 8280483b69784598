/* ---- the waterfall: only the rows that can be seen are in the document ---- */

const grid = el("grid"), rowsBox = el("rows"), axis = el("axis");
const LEFT = 10, RIGHT = 84; /* pixels beside the timeline: for markers, and for the arrows' bends */
const SPARE = 12;            /* rows beyond each edge of what is seen */

const view = {trace: null, rows: [], place: new Map(), folded: new Set(), filter: null, hits: 0, selected: null, zoom: null,
    from: 0, to: 1, x0: 0, width: 1, height: 28, drawn: new Map(), all: false};

function el(id) { return document.getElementById(id); }
function make(tag, className, said) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (said !== undefined) node.textContent = said;
    return node;
}

/* Which rows there are: without what is folded; under a search what it finds, and what leads there. */
function layRows() {
    const trace = view.trace, wanted = view.filter ? new Set() : null;
    view.hits = 0;
    view.matches = new Set();
    if (wanted)
        for (const span of trace.spans)
            if (view.filter(span)) {
                view.hits++;
                view.matches.add(span);
                for (let s = span; s && !wanted.has(s); s = s.parent) wanted.add(s);
            }
    view.rows = [];
    view.place.clear();
    const stack = [];
    const push = (list, level) => {
        for (let i = list.length - 1; i >= 0; i--) if (!wanted || wanted.has(list[i])) stack.push([list[i], level, i + 1, list.length]);
    };
    push(trace.roots, 1);
    while (stack.length) {
        const [span, level, nth, of] = stack.pop();
        view.place.set(span, view.rows.length);
        view.rows.push({span, level, nth, of});
        if (wanted || !view.folded.has(span)) push(span.children, level + 1);
    }
}

/* ---- time to pixels ---- */

function layTime() {
    const trace = view.trace;
    view.from = view.zoom ? view.zoom.start : trace.from;
    view.to = view.zoom ? view.zoom.end : trace.to;
    if (!view.zoom) {
        const most = view.to + (view.to - view.from) * 0.15; /* a deadline a little later is drawn where it lies */
        for (const s of trace.spans) {
            const deadline = s.start + s.budget;
            if (deadline > view.to && deadline <= most) view.to = deadline;
        }
    }
    if (!(view.to > view.from)) view.to = view.from + 1;
    const time = axis.querySelector(".time"), stacked = matchMedia("(max-width: 700px)").matches;
    view.height = stacked ? 48 : 28;
    view.x0 = time.offsetLeft;
    view.width = Math.max(time.clientWidth - LEFT - RIGHT, 40);
    rowsBox.style.height = `${view.rows.length * view.height}px`;
    grid.setAttribute("aria-rowcount", String(view.rows.length + 1));
    drawAxis(time);
}
function px(ns) { return LEFT + ((ns - view.from) / (view.to - view.from)) * view.width; }

function ticks() {
    const span = view.to - view.from, rough = span / Math.max(2, Math.floor(view.width / 130)), ten = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= rough), list = [];
    for (let t = Math.ceil((view.from - view.trace.from) / step) * step; t <= view.to - view.trace.from + step / 1e6; t += step) list.push(t);
    return list;
}
function drawAxis(time) {
    time.replaceChildren();
    for (const t of ticks()) {
        const tick = make("span", "tick", duration(t));
        tick.style.left = `${px(t + view.trace.from)}px`;
        time.append(tick);
    }
    const at = view.trace.incidents.length ? view.trace.incidents[0].at : NaN;
    view.moment = at >= view.from && at <= view.to ? at : NaN;
    if (Number.isFinite(view.moment)) {
        const mark = make("span", "moment");
        mark.style.left = `${px(view.moment)}px`;
        time.append(mark);
    }
}

/* ---- a row ---- */

function piece(parent, className, from, to, least) {
    const a = Math.max(px(from), 0), b = Math.min(px(to), LEFT + view.width + RIGHT);
    if (b < 0 || a > LEFT + view.width + RIGHT) return null;
    const node = make("i", className);
    node.style.left = `${a}px`;
    if (least) node.style.width = `${Math.max(b - a, least)}px`;
    parent.append(node);
    return node;
}

function drawDeadline(time, span) {
    const at = span.start + span.budget;
    if (!Number.isFinite(at) || at < view.from) return;
    if (at <= view.to) {
        piece(time, "deadline", at, at, 0);
        return;
    }
    const node = make("i", "deadline beyond");
    node.style.left = `${LEFT + view.width + RIGHT - 8}px`;
    time.append(node);
}

function drawBar(time, span) {
    const bar = piece(time, `bar c${span.service.colour}`, span.start, span.end, 2);
    if (bar && span.error) bar.classList.add("error");
    if (span.cancelled) {
        const over = span.end > span.at ? piece(time, "over", span.at, span.end, 2) : null;
        if (over && px(span.end) - px(span.at) > 64) over.append(make("b", "", `+${duration(span.end - span.at)}`));
        piece(time, "cut", span.at, span.at, 0);
    }
    if (span.culprit) {
        const at = instantOf(span, span.stopped[0] || span);
        piece(time, "origin", at, at, 0);
    }
    if (span.unknown) { const mark = piece(time, "unknown", span.at, span.at, 0); if (mark) mark.textContent = "?"; }
    drawDeadline(time, span);
}

function badges(span) {
    const list = [];
    if (span.culprit) list.push(["here", span.culprit.hit.length ? `hit ${span.culprit.hit.length.toLocaleString("en")}` : "here"]);
    if (span.unknown) list.push(["unknown", "origin not here"]);
    if (span.nearly) list.push(["nearly", "nearly late"]);
    if (span.leaked) list.push(["leaked", "leaked"]);
    if (span.orphan) list.push(["orphan", "parent not here"]);
    return list;
}
function state(span) {
    if (span.cancelled) return ["⊘", "stopped"];
    if (span.error) return ["✗", "failed"];
    return null;
}

function nameCell(row) {
    const span = row.span, cell = make("div", "name");
    cell.setAttribute("role", "gridcell");
    const indent = make("span", "indent");
    indent.style.width = `${Math.min(row.level - 1, 12) * 14 + Math.min(Math.max(row.level - 13, 0), 20) * 3}px`;
    const twist = make("span", "twist");
    if (span.children.length) twist.textContent = view.folded.has(span) && !view.filter ? "▸" : "▾";
    cell.append(indent, twist, make("span", `dot c${span.service.colour}`));
    const what = state(span);
    if (what) {
        const sign = make("span", `state ${what[1]}`, what[0]);
        sign.setAttribute("role", "img");
        sign.setAttribute("aria-label", what[1]);
        cell.append(sign);
    }
    const name = make("bdi", "label", short(span.name, 300));
    if (view.filter && view.matches.has(span)) name.classList.add("hit");
    cell.append(name, make("bdi", "service", short(span.service.name, 100)));
    for (const [kind, said] of badges(span)) cell.append(make("span", `badge ${kind}`, said));
    return cell;
}

function drawRow(i) {
    const row = view.rows[i], span = row.span, node = make("div", "row");
    node.id = `row-${i}`;
    node.setAttribute("role", "row");
    const said = {"aria-rowindex": i + 2, "aria-level": row.level, "aria-posinset": row.nth, "aria-setsize": row.of,
        "aria-selected": span === view.selected};
    if (span.children.length) said["aria-expanded"] = !view.folded.has(span);
    for (const name of Object.keys(said)) node.setAttribute(name, String(said[name]));
    node.dataset.row = String(i);
    node.dataset.span = span.id;
    node.style.top = `${i * view.height}px`;
    if (span === view.selected) node.classList.add("selected");
    if (span.culprit) node.classList.add("culprit");
    if (view.filter && !view.matches.has(span)) node.classList.add("way");
    const took = make("div", "took", duration(span.end - span.start)), time = make("div", "time");
    took.setAttribute("role", "gridcell");
    time.setAttribute("role", "gridcell");
    if (Number.isFinite(view.moment)) piece(time, "moment", view.moment, view.moment, 0);
    drawBar(time, span);
    node.append(nameCell(row), took, time);
    return node;
}

/* ---- what is seen ---- */

function seen() {
    if (view.all) return [0, Math.min(view.rows.length, 2000)];
    const top = Math.max(grid.scrollTop - axis.offsetHeight, 0), n = Math.ceil(grid.clientHeight / view.height);
    const first = Math.max(Math.floor(top / view.height) - SPARE, 0);
    return [first, Math.min(first + n + 2 * SPARE + 1, view.rows.length)];
}

/* again: what is drawn already is out of date. */
function drawRows(again) {
    if (!view.trace) return;
    const [first, end] = seen();
    if (again) {
        for (const node of view.drawn.values()) node.remove();
        view.drawn.clear();
    }
    for (const [i, node] of view.drawn) if (i < first || i >= end) { node.remove(); view.drawn.delete(i); }
    const fresh = document.createDocumentFragment();
    for (let i = first; i < end; i++)
        if (!view.drawn.has(i)) {
            const node = drawRow(i);
            view.drawn.set(i, node);
            fresh.append(node);
        }
    rowsBox.append(fresh);
    drawArrows(first, end);
}

function redraw() {
    layRows();
    layTime();
    drawRows(true);
    sayRows();
}
function sayRows() {
    const note = [];
    if (view.filter) note.push(`${view.hits.toLocaleString("en")} of ${count(view.trace.spans.length, "span")} found`);
    if (view.trace.arrows.length > ARROWS) note.push(`${count(view.trace.arrows.length, "arrow")}: only those of the chosen span are drawn`);
    if (view.zoom) note.push("zoomed: z shows the whole trace");
    el("note").textContent = note.join(" · ");
}

function reveal(span) {
    let opened = false;
    for (let s = span.parent; s; s = s.parent) opened = view.folded.delete(s) || opened;
    if (opened || !view.place.has(span)) layRows(), layTime();
    const i = view.place.get(span);
    if (i === undefined) return;
    const top = i * view.height, seenFrom = grid.scrollTop, seenTo = seenFrom + grid.clientHeight - axis.offsetHeight;
    if (top < seenFrom || top + view.height > seenTo) grid.scrollTop = Math.max(top - (seenTo - seenFrom) / 3, 0);
}

function toggle(span, fold) {
    if (!span.children.length || view.folded.has(span) === fold) return false;
    if (fold) view.folded.add(span);
    else view.folded.delete(span);
    redraw();
    return true;
}
