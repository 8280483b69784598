/* The line above a tree: what came of the trace, how much it is, when, and its id. */
#include "exporters/draw.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static const struct wh__tree_span *root_of(const struct wh__tree *tree)
{
    const struct wh__tree_span *top = tree->top;
    while (top && top->is_orphan) top = top->next;
    return top ? top : tree->top;
}

static void count_trouble(const struct wh__tree *tree, size_t *failed, size_t *cancelled)
{
    for (size_t i = 0; i < tree->count; i++) {
        const struct wh__tree_span *span = tree->spans[i];
        *failed += span->status == WH_STATUS_ERROR;
        *cancelled += span->status != WH_STATUS_ERROR && span->cancelled;
    }
}

/* What came of the root; and what went wrong below it, if the root did not mind. */
static void note_outcome(struct wh__note *note, const struct wh__tree *tree)
{
    char text[80] = "";
    size_t failed = 0, cancelled = 0;
    const struct wh__tree_span *root = root_of(tree);
    const bool well = root->status != WH_STATUS_ERROR && !root->cancelled;
    const struct wh_str type = wh__tree_text(root, WH__TREE_ERROR_TYPE), status = wh__tree_text(root, WH__TREE_STATUS);
    const struct wh_str word = root->cancelled ? wh__tree_text(root, WH__TREE_REASON) : type.len ? type : status;
    count_trouble(tree, &failed, &cancelled);
    wh__note_ink(note, well && failed + cancelled ? WH__AMBER : wh__state_ink(root, WH__BOLD));
    if (well) {
        wh__note_put(note, "✓\037ok", "ok");
        if (failed) snprintf(text, sizeof text, ",\037%zu\037failed", failed);
        wh__note_put(note, text, text);
        if (cancelled) snprintf(text, sizeof text, ",\037%zu\037cancelled", cancelled);
        if (cancelled) wh__note_put(note, text, text);
        return;
    }
    if (root->status == WH_STATUS_ERROR)
        wh__note_put(note, "✗\037", word.len ? "failed:\037" : "");
    else
        wh__note_put(note, "⊘\037", word.len ? "cancelled:\037" : "");
    if (type.len && !root->cancelled)
        wh__say_error_type(note, root, 40);
    else
        wh__note_text(note, word, 40);
    const char *none = root->cancelled ? "cancelled" : "failed";
    if (word.len == 0) wh__note_put(note, none, none);
}

static void note_extent(struct wh__note *note, const struct wh__drawing *drawing)
{
    char text[96];
    const struct wh__tree *tree = drawing->tree;
    const size_t all = tree->count + tree->left_out;
    wh__note_ink(note, WH__PLAIN);
    wh__note_put(note, "  ", "  ");
    wh__say_duration(text, tree->end - tree->start);
    for (char *p = text; *p; p++) *p = *p == ' ' ? '\037' : *p;
    wh__note_put(note, text, text);
    snprintf(text, sizeof text, "  %zu\037span%s\037", all, all == 1 ? "" : "s");
    wh__note_put(note, text, text);
    if (drawing->services > 1) {
        snprintf(text, sizeof text, "in\037%zu\037services", drawing->services);
        wh__note_put(note, text, text);
    } else if (wh__service_of(tree->top).len) {
        wh__note_put(note, "of\037", "of\037");
        wh__note_text(note, wh__service_of(tree->top), WH__SERVICE_ROOM);
    }
}

static void note_when(struct wh__note *note, const struct wh__tree *tree)
{
    char text[64];
    struct tm at = {0};
    const time_t seconds = (time_t)(tree->start / (uint64_t)WH__SECOND);
    localtime_r(&seconds, &at);
    snprintf(text, sizeof text, "  %02d:%02d:%02d.%03u", at.tm_hour, at.tm_min, at.tm_sec,
             (unsigned)(tree->start / 1000000 % 1000));
    wh__note_ink(note, WH__DIM);
    wh__note_put(note, text, text);
}

static void note_trace_id(struct wh__note *note, const struct wh__tree *tree)
{
    char text[48] = "  trace\037";
    wh__hex(text + strlen(text), tree->trace_id, 16);
    wh__note_put(note, text, text);
}

static void no_margin(struct wh__sheet *sheet, const void *arg)
{
    (void)arg;
    wh__sheet_put(sheet, "  ", "  ");
}

void wh__draw_header(struct wh__drawing *drawing)
{
    struct wh__note note;
    wh__note_begin(&note, drawing->sheet);
    note_outcome(&note, drawing->tree);
    note_extent(&note, drawing);
    note_when(&note, drawing->tree);
    note_trace_id(&note, drawing->tree);
    wh__sheet_flow(drawing->sheet, &note, WH__NOTE_LINES, no_margin, NULL);
    wh__sheet_line(drawing->sheet);
}
