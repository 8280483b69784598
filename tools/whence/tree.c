/* whence tree: traces, drawn. */
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "store.h"

enum { INDENT = 3, LEAST_LABEL = 16, LEAST_BARS = 16, SERVICE_ROOM = 20, NOTE_LINES = 4, MOST_LINKS = 3 };

/* ---- the tree ---- */

/* The lines of those above that go on further down. */
static void draw_guides(const struct drawing *drawing, const struct span *span)
{
    const unsigned levels = span->depth <= drawing->deepest ? span->depth : drawing->deepest;
    wh__sheet_ink(drawing->sheet, WH__DIM);
    for (unsigned level = 1; level < levels; level++)
        wh__sheet_put(drawing->sheet, drawing->goes_on[level] ? "│  " : "   ", drawing->goes_on[level] ? "|  " : "   ");
}

static void draw_branch(const struct drawing *drawing, const struct span *span)
{
    char text[32];
    draw_guides(drawing, span);
    if (span->depth > drawing->deepest) {
        snprintf(text, sizeof text, "%u ", span->depth);
        wh__sheet_put(drawing->sheet, "…", "+");
        wh__sheet_put(drawing->sheet, text, text);
    } else if (span->depth) {
        wh__sheet_put(drawing->sheet, span->next ? "├─ " : "└─ ", span->next ? "|- " : "`- ");
    }
}

/* Only where a trace has several, and where it changes. */
static bool says_service(const struct drawing *drawing, const struct span *span)
{
    const char *service = span->resource->service;
    if (!*service || (drawing->trace->services < 2 && span->depth)) return false;
    return !span->up || service != span->up->resource->service;
}

static const char *kind_hint(const struct span *span)
{
    static const char *const names[] = {"", "", " server", " client", " producer", " consumer"};
    return span->kind < sizeof names / sizeof *names ? names[span->kind] : "";
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned label_width(const struct drawing *drawing, const struct span *span)
{
    unsigned width = least(span->depth, drawing->deepest) * INDENT + (span->depth > drawing->deepest ? 8 : 0);
    width += wh__sheet_width(drawing->sheet, str_of(span->name)) + (unsigned)strlen(kind_hint(span));
    if (says_service(drawing, span)) width += least(wh__sheet_width(drawing->sheet, str_of(span->resource->service)), SERVICE_ROOM) + 3;
    return width;
}

/* The kind is left out before the name is cut. */
static void draw_label(const struct drawing *drawing, const struct span *span)
{
    struct wh__sheet *sheet = drawing->sheet;
    const char *hint = kind_hint(span);
    if (says_service(drawing, span)) {
        wh__sheet_ink(sheet, WH__BOLD);
        wh__sheet_put(sheet, "[", "[");
        wh__sheet_text(sheet, str_of(span->resource->service), SERVICE_ROOM);
        wh__sheet_put(sheet, "] ", "] ");
    }
    wh__sheet_ink(sheet, ink_of(span, WH__PLAIN));
    wh__sheet_text(sheet, str_of(span->name), drawing->label > sheet->column ? drawing->label - sheet->column : 0);
    wh__sheet_ink(sheet, WH__DIM);
    if (sheet->column + strlen(hint) <= drawing->label) wh__sheet_put(sheet, hint, hint);
}

static void draw_number(const struct drawing *drawing, uint64_t ns, unsigned right, const char *before)
{
    char text[WH__DURATION_SIZE];
    wh__duration_text(text, ns < INT64_MAX ? (int64_t)ns : INT64_MAX - 1);
    if (ns == 0) strcpy(text, "0");
    const unsigned width = (unsigned)(strlen(text) + strlen(before));
    wh__sheet_pad(drawing->sheet, right > width ? right - width : 0);
    wh__sheet_put(drawing->sheet, before, before);
    wh__sheet_put(drawing->sheet, text, text);
}

/* ---- below a row ---- */

struct margin {
    const struct drawing *drawing;
    const struct span *span;
};

static void draw_margin(struct wh__sheet *sheet, const void *arg)
{
    const struct margin *margin = arg;
    const struct span *span = margin->span;
    const bool in_depth = span->depth <= margin->drawing->deepest;
    const bool right = span->next && in_depth, down = span->down && in_depth;
    draw_guides(margin->drawing, span);
    if (span->depth) wh__sheet_put(sheet, right ? "│  " : "   ", right ? "|  " : "   ");
    wh__sheet_put(sheet, down ? "│  " : "   ", down ? "|  " : "   ");
}

static void draw_further_margin(struct wh__sheet *sheet, const void *arg)
{
    draw_margin(sheet, arg);
    wh__sheet_put(sheet, "  ", "  ");
}

static void draw_note(const struct drawing *drawing, const struct span *span, const struct wh__note *note)
{
    const struct margin margin = {drawing, span};
    if (note->text.len == 0) return;
    draw_margin(drawing->sheet, &margin);
    wh__sheet_flow(drawing->sheet, note, NOTE_LINES, draw_further_margin, &margin);
    wh__sheet_line(drawing->sheet);
}

static void draw_notes(const struct drawing *drawing, const struct span *span)
{
    struct wh__note note;
    for (unsigned which = 0; which < NOTES; which++) {
        wh__note_begin(&note, drawing->sheet);
        say_note(&note, drawing, span, which);
        draw_note(drawing, span, &note);
    }
    for (size_t i = 0; i < span->link_count && i < MOST_LINKS; i++) {
        wh__note_begin(&note, drawing->sheet);
        say_link(&note, drawing, span, i);
        draw_note(drawing, span, &note);
    }
}

static void draw_row(struct drawing *drawing, const struct span *span)
{
    struct wh__sheet *sheet = drawing->sheet;
    if (span->depth <= drawing->deepest) drawing->goes_on[span->depth] = span->next;
    draw_branch(drawing, span);
    draw_label(drawing, span);
    wh__sheet_ink(sheet, WH__DIM);
    draw_number(drawing, span->start - drawing->trace->start, drawing->label + 2 + drawing->offset, "+");
    wh__sheet_ink(sheet, WH__PLAIN);
    draw_number(drawing, span->end - span->start, drawing->label + 4 + drawing->offset + drawing->duration, "");
    draw_bar(drawing, span);
    wh__sheet_line(sheet);
    draw_notes(drawing, span);
}

/* ---- the whole ---- */

static void lay_out(struct drawing *drawing)
{
    char text[WH__DURATION_SIZE];
    const struct trace *trace = drawing->trace;
    const unsigned columns = drawing->sheet->columns;
    drawing->deepest = least(columns / 3 / INDENT, MOST_LEVELS - 1);
    drawing->label = LEAST_LABEL;
    for (size_t i = 0; i < trace->count; i++) {
        const struct span *span = trace->spans[i];
        const unsigned label = label_width(drawing, span);
        const unsigned offset = 1 + (unsigned)wh__duration_text(text, (int64_t)((span->start - trace->start) & INT64_MAX));
        const unsigned duration = (unsigned)wh__duration_text(text, (int64_t)((span->end - span->start) & INT64_MAX));
        if (label > drawing->label) drawing->label = label;
        if (offset > drawing->offset) drawing->offset = offset;
        if (duration > drawing->duration) drawing->duration = duration;
    }
    const unsigned numbers = drawing->offset + drawing->duration + 6;
    const unsigned most = columns > numbers + columns / 3 + LEAST_LABEL ? columns - numbers - columns / 3 : LEAST_LABEL;
    drawing->label = least(drawing->label, most);
    drawing->left = drawing->label + numbers;
    drawing->time = columns > drawing->left + LEAST_BARS ? columns - drawing->left - 1 : LEAST_BARS;
}

/* What was drawn goes out, so that no trace is too long. */
static void write_out(struct wh__sheet *sheet)
{
    if (sheet->len) fwrite(sheet->buf, 1, sheet->len, stdout);
    sheet->len = 0;
}

static void draw_trace(struct wh__sheet *sheet, const struct trace *trace)
{
    struct incidents incidents = incidents_of(trace);
    struct drawing drawing = {.sheet = sheet, .trace = trace, .incidents = &incidents, .of = must_get(trace->count * sizeof *drawing.of)};
    for (size_t i = 0; i < incidents.count; i++)
        if (incidents.list[i].cause && incidents.list[i].cause->trace == trace) drawing.of[incidents.list[i].cause->index] = &incidents.list[i];
    lay_out(&drawing);
    draw_header(&drawing);
    draw_ruler(&drawing);
    for (size_t i = 0; i < trace->count; i++) {
        draw_row(&drawing, trace->spans[i]);
        write_out(sheet);
    }
    wh__sheet_line(sheet);
    write_out(sheet);
    free(drawing.of);
    incidents_free(&incidents);
}

int command_tree(const struct options *options, const struct model *model)
{
    size_t count;
    struct wh__sheet sheet;
    struct trace **traces = options_traces(options, model, &count);
    if (!traces) return NOTHING;
    wh__sheet_begin(&sheet, STDOUT_FILENO);
    sheet.utf8 = !options->ascii;
    sheet.colour = options->colour || (sheet.colour && !options->no_colour);
    if (options->width) sheet.columns = options->width;
    for (size_t i = 0; i < count; i++) draw_trace(&sheet, traces[i]);
    const bool failed = sheet.failed;
    wh__sheet_free(&sheet);
    free(traces);
    return failed ? TROUBLE : FOUND;
}
