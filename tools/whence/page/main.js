/* ---- choosing ---- */

function choose(trace, span, options = {}) {
    const fresh = trace !== view.trace;
    if (fresh) {
        view.trace = trace;
        view.folded.clear();
        view.zoom = null;
        view.selected = null;
        grid.scrollTop = 0;
        drawHead(trace);
        drawVerdict(trace);
        document.body.classList.toggle("chosen", Boolean(options.open));
        for (const button of el("traces").querySelectorAll("button.trace"))
            if (button.dataset.trace === trace.id) button.setAttribute("aria-current", "true");
            else button.removeAttribute("aria-current");
        redraw();
    }
    pick(span || null, options);
}

function pick(span, options = {}) {
    view.selected = span;
    if (span) reveal(span);
    drawRows(true);
    if (!span || options.read || !detail.hidden) drawDetail(span);
    const i = span ? view.place.get(span) : undefined;
    if (i === undefined) grid.removeAttribute("aria-activedescendant");
    else grid.setAttribute("aria-activedescendant", `row-${i}`);
    if (!options.quiet) writeAddress();
}

function jump(traceId, spanId) {
    const trace = data.byTrace.get(traceId), span = trace && trace.byId.get(spanId);
    if (!span) return;
    if (view.filter && !view.filter(span)) setQuery("");
    choose(trace, span, {read: true, open: true});
}

function toCulprit() {
    const causes = view.trace.incidents.filter((one) => one.cause).map((one) => one.cause);
    if (causes.length) jump(view.trace.id, causes[(causes.indexOf(view.selected) + 1) % causes.length].id);
}

function zoom() {
    const span = view.selected;
    view.zoom = view.zoom || !span ? null : {start: span.start, end: Math.max(span.end, span.start + 1)};
    redraw();
}

function step(by) {
    const i = list.shown.indexOf(view.trace) + by;
    if (list.shown[i]) { choose(list.shown[i], null, {open: true}); grid.focus(); }
}

/* ---- the address: #trace=..&span=..&q=.. ---- */

let written = "";

function writeAddress() {
    const said = new URLSearchParams();
    if (view.trace) said.set("trace", view.trace.id);
    if (view.selected) said.set("span", view.selected.id);
    if (el("q").value) said.set("q", el("q").value);
    written = "#" + said;
    try { history.replaceState(null, "", written); } catch { location.hash = written; }
}
function readAddress() {
    if (location.hash === written && written !== "") return;
    const said = new URLSearchParams(location.hash.slice(1));
    setQuery(said.get("q") || "");
    const trace = data.byTrace.get((said.get("trace") || "").toLowerCase()) || list.shown[0] || data.traces[0];
    if (!trace) return;
    const span = trace.byId.get((said.get("span") || "").toLowerCase());
    choose(trace, span, {read: Boolean(span), open: said.has("trace"), quiet: true});
}

/* ---- search ---- */

let searching = 0;

function setQuery(q) {
    if (el("q").value !== q) el("q").value = q;
    list.filter = view.filter = makeFilter(q);
    list.most = 200;
    drawList();
    if (!view.trace) return;
    if (view.filter && list.shown.length && !list.shown.includes(view.trace)) choose(list.shown[0], null, {quiet: true});
    else redraw();
}

/* ---- keys ---- */

function move(to) {
    const row = view.rows[Math.min(Math.max(to, 0), view.rows.length - 1)];
    if (row) pick(row.span);
}
function gridKey(event) {
    const at = view.selected ? view.place.get(view.selected) ?? -1 : -1, span = view.selected, page = Math.max(Math.floor(grid.clientHeight / view.height) - 2, 1);
    switch (event.key) {
    case "ArrowDown": move(at + 1); break;
    case "ArrowUp": move(at - 1); break;
    case "PageDown": move(at + page); break;
    case "PageUp": move(at - page); break;
    case "Home": move(0); break;
    case "End": move(view.rows.length - 1); break;
    case "ArrowLeft": if (span && !toggle(span, true) && span.parent) pick(span.parent); break;
    case "ArrowRight": if (span && !toggle(span, false) && span.children.length) move(at + 1); break;
    case "Enter": case " ": if (span) { drawDetail(span); if (event.key === "Enter") detail.focus(); } break;
    default: return;
    }
    event.preventDefault();
}
function listKey(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const item = event.target.closest("li"), next = item && (event.key === "ArrowDown" ? item.nextElementSibling : item.previousElementSibling);
    if (!next) return;
    next.firstElementChild.focus();
    event.preventDefault();
}
function escape() {
    if (document.activeElement === el("q")) {
        if (el("q").value) { setQuery(""); writeAddress(); } else grid.focus();
    } else if (!detail.hidden) { drawDetail(null); grid.focus(); }
    else if (view.zoom) zoom();
    else if (document.body.classList.contains("chosen")) document.body.classList.remove("chosen");
}
function anyKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || el("keys").open) return;
    if (event.key === "Escape") { escape(); return; }
    if (event.target.closest("input, select, textarea")) return;
    const does = {"/": () => { el("q").focus(); el("q").select(); }, "?": () => el("keys").showModal(), c: toCulprit, z: zoom,
        "[": () => step(-1), "]": () => step(1)}[event.key];
    if (!does) return;
    event.preventDefault();
    does();
}

/* ---- light and dark ---- */

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    el("theme").textContent = theme;
    el("theme").setAttribute("aria-label", `colours: ${theme}`);
    try { localStorage.setItem("whence-theme", theme); } catch { /* a page from disk may have no storage */ }
}
function firstTheme() {
    try { return THEMES.find((t) => t === localStorage.getItem("whence-theme")) || "auto"; } catch { return "auto"; }
}

/* ---- what hovers ---- */

function hover(event) {
    const row = event.target.closest && event.target.closest(".row"), tip = el("tip");
    if (!row || !event.target.closest(".time")) { tip.hidden = true; return; }
    const span = view.rows[Number(row.dataset.row)].span, from = span.trace.from;
    const lines = [`+${duration(span.start - from)} to +${duration(span.end - from)}, ${duration(span.end - span.start)}`];
    if (span.cancelled) lines.push(`stopped at +${duration(span.at - from)}${span.over > 0 ? `, ran on ${duration(span.over)}` : ""}`);
    if (Number.isFinite(span.budget)) lines.push(`deadline at +${duration(span.start + span.budget - from)}, budget ${duration(span.budget)}`);
    tip.replaceChildren(make("b", "", short(span.name, 120)), ...lines.map((line) => make("span", "", line)));
    tip.hidden = false;
    tip.style.left = `${Math.max(Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8), 4)}px`;
    tip.style.top = `${event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : event.clientY + 18}px`;
}

/* ---- it begins ---- */

function clicks(event) {
    const jumpTo = event.target.closest("button.jump"), trace = event.target.closest("button.trace"), row = event.target.closest(".row");
    if (jumpTo) jump(jumpTo.dataset.trace, jumpTo.dataset.jump);
    else if (trace) choose(data.byTrace.get(trace.dataset.trace), null, {open: true}), document.body.classList.add("chosen");
    else if (row) {
        const span = view.rows[Number(row.dataset.row)].span;
        if (event.target.closest(".twist") && span.children.length) toggle(span, !view.folded.has(span));
        else pick(span, {read: true});
    } else if (event.target.closest("#close")) { drawDetail(null); grid.focus(); }
    else if (event.target.closest("#back")) document.body.classList.remove("chosen");
}
function listen() {
    document.addEventListener("click", clicks);
    document.addEventListener("keydown", anyKey);
    grid.addEventListener("keydown", gridKey);
    grid.addEventListener("scroll", () => { drawRows(false); el("tip").hidden = true; }, {passive: true});
    grid.addEventListener("pointermove", hover);
    grid.addEventListener("pointerleave", () => { el("tip").hidden = true; });
    el("traces").addEventListener("keydown", listKey);
    el("find").addEventListener("submit", (event) => { event.preventDefault(); grid.focus(); });
    el("q").addEventListener("input", () => {
        clearTimeout(searching);
        searching = setTimeout(() => { setQuery(el("q").value); writeAddress(); }, 120);
    });
    el("only").addEventListener("change", () => { list.only = el("only").checked; drawList(); });
    el("sort").addEventListener("change", () => { list.sort = el("sort").value; drawList(); });
    el("more").addEventListener("click", () => { list.most += 500; drawList(); });
    el("help").addEventListener("click", () => el("keys").showModal());
    el("theme").addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(el("theme").textContent) + 1) % 3]));
    addEventListener("hashchange", readAddress);
    addEventListener("beforeprint", () => { view.all = true; drawRows(true); });
    addEventListener("afterprint", () => { view.all = false; drawRows(true); });
    new ResizeObserver(() => { if (view.trace) { layTime(); drawRows(true); } }).observe(grid);
}

function begin() {
    try { load(el("data").textContent); } catch (error) {
        el("trouble").textContent = `The traces in this page cannot be read: ${error.message}`;
        el("trouble").hidden = false;
        return;
    }
    document.title = clean(document.title);
    el("title").textContent = document.title;
    document.body.classList.toggle("single", data.traces.length === 1);
    setTheme(firstTheme());
    listen();
    if (!data.traces.length) { el("trouble").textContent = "There are no traces in this page."; el("trouble").hidden = false; }
    readAddress();
    document.documentElement.dataset.ready = "true";
}
begin();
