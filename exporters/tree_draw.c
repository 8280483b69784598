/* A trace as a person sees it: rows with notes below them, and how they share the width. */
#include "exporters/draw.h"

#include <stdio.h>

enum { INDENT = 3, LEAST_NAME = 12, LEAST_LABEL = 16, LEAST_BARS = 16 };

/* ---- one row: the tree ---- */

static const struct wh__tree_span *above(const struct wh__tree_span *span, size_t depth)
{
    while (span->depth > depth) span = span->up;
    return span;
}

/* The lines of those above that go on further down; then, at its own level, `own`. */
static void draw_guides(const struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    const size_t levels = span->depth <= drawing->deepest ? span->depth : drawing->deepest;
    wh__sheet_ink(drawing->sheet, WH__DIM);
    for (size_t level = 1; level < levels; level++) {
        const bool goes_on = above(span, level)->next;
        wh__sheet_put(drawing->sheet, goes_on ? "│  " : "   ", goes_on ? "|  " : "   ");
    }
}

static void draw_branch(const struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    char text[32];
    draw_guides(drawing, span);
    if (span->depth > drawing->deepest) {
        snprintf(text, sizeof text, "%zu ", span->depth);
        wh__sheet_put(drawing->sheet, "…", "+");
        wh__sheet_put(drawing->sheet, text, text);
    } else if (span->depth) {
        wh__sheet_put(drawing->sheet, span->next ? "├─ " : "└─ ", span->next ? "|- " : "`- ");
    }
}

/* ---- one row: the label ---- */

/* Only where a trace has several, and where it changes. */
static bool says_service(const struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    const struct wh_str service = wh__service_of(span);
    if (drawing->services < 2 || service.len == 0) return false;
    return !span->up || !wh__tree_same(service, wh__service_of(span->up));
}

/* What goes out and has nobody on the other side here; all else is plain from the tree. */
static const char *kind_hint(const struct wh__tree_span *span)
{
    if (span->kind == WH_CONSUMER) return " (consumer)";
    if (span->down) return NULL;
    return span->kind == WH_CLIENT ? " (client)" : span->kind == WH_PRODUCER ? " (producer)" : NULL;
}

static unsigned clipped(unsigned width, unsigned most)
{
    return width < most ? width : most;
}

static unsigned branch_width(const struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    if (span->depth <= drawing->deepest) return (unsigned)span->depth * INDENT;
    return (drawing->deepest - 1) * INDENT + (unsigned)snprintf(NULL, 0, "+%zu ", span->depth);
}

static unsigned label_width(const struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    const char *hint = kind_hint(span);
    const unsigned service = wh__sheet_width(drawing->sheet, wh__service_of(span));
    unsigned width = branch_width(drawing, span) + wh__sheet_width(drawing->sheet, wh__tree_text(span, WH__TREE_NAME));
    if (says_service(drawing, span)) width += clipped(service, WH__SERVICE_ROOM) + 3;
    return width + (hint ? (unsigned)strlen(hint) : 0);
}

static void draw_service(const struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    wh__sheet_ink(drawing->sheet, WH__BOLD);
    wh__sheet_put(drawing->sheet, "[", "[");
    wh__sheet_text(drawing->sheet, wh__service_of(span), WH__SERVICE_ROOM);
    wh__sheet_put(drawing->sheet, "] ", "] ");
    wh__sheet_ink(drawing->sheet, WH__PLAIN);
}

/* The hint is left out before the name is cut. */
static void draw_name(const struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    struct wh__sheet *sheet = drawing->sheet;
    const struct wh_str name = wh__tree_text(span, WH__TREE_NAME);
    const char *hint = kind_hint(span);
    const unsigned room = drawing->label > sheet->column ? drawing->label - sheet->column : 0;
    wh__sheet_ink(sheet, wh__state_ink(span, WH__PLAIN));
    wh__sheet_text(sheet, name, room);
    wh__sheet_ink(sheet, WH__DIM);
    if (hint && sheet->column + strlen(hint) <= drawing->label) wh__sheet_put(sheet, hint, hint);
    wh__sheet_ink(sheet, WH__PLAIN);
}

static void draw_duration(const struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    char text[WH__DURATION_SIZE];
    wh__say_duration(text, span->end - span->start);
    wh__sheet_pad(drawing->sheet, drawing->label + 2 + drawing->duration - (unsigned)strlen(text));
    wh__sheet_put(drawing->sheet, text, text);
}

/* ---- below a row: the notes ---- */

struct margin {
    const struct wh__drawing *drawing;
    const struct wh__tree_span *span;
};

static void draw_margin(struct wh__sheet *sheet, const void *arg)
{
    const struct margin *margin = arg;
    const struct wh__tree_span *span = margin->span;
    const bool is_child = span->depth > 0, in_depth = span->depth <= margin->drawing->deepest;
    draw_guides(margin->drawing, span);
    if (is_child) wh__sheet_put(sheet, span->next && in_depth ? "│  " : "   ", span->next && in_depth ? "|  " : "   ");
    wh__sheet_put(sheet, span->down && in_depth ? "│  " : "   ", span->down && in_depth ? "|  " : "   ");
}

static void draw_further_margin(struct wh__sheet *sheet, const void *arg)
{
    draw_margin(sheet, arg);
    wh__sheet_put(sheet, "  ", "  ");
}

static void draw_note(const struct wh__drawing *drawing, const struct wh__tree_span *span, const struct wh__note *note)
{
    const struct margin margin = {drawing, span};
    if (note->text.len == 0) return;
    draw_margin(drawing->sheet, &margin);
    wh__sheet_flow(drawing->sheet, note, WH__NOTE_LINES, draw_further_margin, &margin);
    wh__sheet_line(drawing->sheet);
}

static void draw_notes(struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    struct wh__note note;
    for (int which = 0; which < 4; which++) {
        wh__note_begin(&note, drawing->sheet);
        if (which == 0) wh__say_failure(&note, span);
        if (which == 1) wh__say_cause(&note, drawing, span);
        if (which == 2) wh__say_deadline(&note, span);
        if (which == 3) wh__say_parent(&note, span);
        draw_note(drawing, span, &note);
    }
}

static void draw_row(struct wh__drawing *drawing, const struct wh__tree_span *span)
{
    draw_branch(drawing, span);
    if (says_service(drawing, span)) draw_service(drawing, span);
    draw_name(drawing, span);
    draw_duration(drawing, span);
    wh__draw_bar(drawing, span);
    wh__sheet_line(drawing->sheet);
    draw_notes(drawing, span);
}

/* ---- the whole ---- */

static size_t count_services(const struct wh__tree *tree)
{
    size_t services = 0;
    for (size_t i = 0, j; i < tree->count; i++) {
        for (j = 0; j < i && !wh__tree_same(wh__service_of(tree->spans[i]), wh__service_of(tree->spans[j]));) j++;
        services += j == i;
    }
    return services;
}

/* The names get what they need, the bars the rest, and never less than a third. */
static void lay_out(struct wh__drawing *drawing)
{
    char text[WH__DURATION_SIZE];
    const struct wh__tree *tree = drawing->tree;
    unsigned widest = LEAST_LABEL;
    drawing->services = count_services(tree);
    for (size_t i = 0; i < tree->count; i++) {
        wh__say_duration(text, tree->spans[i]->end - tree->spans[i]->start);
        if (strlen(text) > drawing->duration) drawing->duration = (unsigned)strlen(text);
    }
    const unsigned gaps = 2 + 2 + 2, both = drawing->sheet->columns - drawing->duration - gaps;
    const unsigned most = both - (both / 3 > LEAST_BARS ? both / 3 : LEAST_BARS);
    drawing->deepest = (most - LEAST_NAME) / INDENT;
    for (size_t i = 0; i < tree->count; i++) {
        const unsigned width = label_width(drawing, tree->spans[i]);
        if (width > widest) widest = width;
    }
    drawing->label = clipped(widest, most);
    drawing->time = both - drawing->label;
    drawing->left = drawing->label + 2 + drawing->duration + 2;
}

static void draw_left_out(struct wh__drawing *drawing)
{
    char text[96];
    if (drawing->tree->left_out == 0) return;
    snprintf(text, sizeof text, " and %zu more span%s, left out here", drawing->tree->left_out,
             drawing->tree->left_out == 1 ? "" : "s");
    wh__sheet_ink(drawing->sheet, WH__DIM);
    wh__sheet_put(drawing->sheet, "…", "...");
    wh__sheet_put(drawing->sheet, text, text);
    wh__sheet_line(drawing->sheet);
}

void wh__draw_trace(struct wh__sheet *sheet, const struct wh__tree *tree)
{
    struct wh__drawing drawing = {.sheet = sheet, .tree = tree};
    lay_out(&drawing);
    wh__draw_header(&drawing);
    wh__draw_ruler(&drawing);
    for (const struct wh__tree_span *span = tree->top; span; span = wh__tree_next(span)) draw_row(&drawing, span);
    draw_left_out(&drawing);
    wh__sheet_line(sheet);
}
