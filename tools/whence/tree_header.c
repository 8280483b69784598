/* The lines above a tree: what came of the trace, how much it is, when, and its id. */
#include <stdio.h>
#include <time.h>

#include "ids.h"
#include "say.h"
#include "tree.h"

enum { HEADER_LINES = 6 };

static void no_margin(struct wh__sheet *sheet, const void *arg)
{
    (void)arg;
    wh__sheet_put(sheet, "  ", "  ");
}

static void put_all(struct wh__note *note, const char *text)
{
    wh__note_put(note, text, text);
}

static void flow(const struct drawing *drawing, const struct wh__note *note)
{
    wh__sheet_flow(drawing->sheet, note, HEADER_LINES, no_margin, NULL);
    wh__sheet_line(drawing->sheet);
}

/* The first sentence of whence why. */
static void draw_outcome(const struct drawing *drawing)
{
    struct wh__note note;
    struct text text = {.ascii = !drawing->sheet->utf8};
    const struct incident *first = drawing->incidents->count ? &drawing->incidents->list[0] : NULL;
    const struct span *leak = leak_above_all(drawing->trace);
    wh__note_begin(&note, drawing->sheet);
    if (leak) {
        say_leak(&text, leak);
        wh__note_ink(&note, WH__AMBER);
        wh__note_text(&note, str_of(text.buf), 1000);
        text_free(&text);
    } else if (first) {
        const bool failed = first->subject->status == STATUS_ERROR;
        say_headline(&text, first);
        wh__note_ink(&note, failed ? WH__RED : WH__AMBER);
        wh__note_put(&note, failed ? "✗\037" : "⊘\037", "");
        wh__note_text(&note, str_of(text.buf), 1000);
        text_free(&text);
    } else {
        wh__note_ink(&note, WH__BOLD);
        wh__note_put(&note, "✓\037ok", "ok");
    }
    flow(drawing, &note);
}

static void draw_extent(const struct drawing *drawing)
{
    char text[160], hex[TRACE_HEX], when[40] = "";
    struct wh__note note;
    struct tm at;
    const struct trace *trace = drawing->trace;
    const time_t seconds = (time_t)(trace->start / 1000000000);
    if (localtime_r(&seconds, &at)) strftime(when, sizeof when, "%Y-%m-%d\037%H:%M:%S", &at);
    wh__note_begin(&note, drawing->sheet);
    wh__note_ink(&note, WH__DIM);
    snprintf(text, sizeof text, "trace\037%s  %zu\037span%s in\037%zu\037service%s  %s.%03u", id_hex(hex, trace->id, 16), trace->count,
        trace->count == 1 ? "" : "s", trace->services, trace->services == 1 ? "" : "s", when, (unsigned)(trace->start / 1000000 % 1000));
    put_all(&note, text);
    flow(drawing, &note);
}

void draw_header(const struct drawing *drawing)
{
    draw_outcome(drawing);
    draw_extent(drawing);
}
