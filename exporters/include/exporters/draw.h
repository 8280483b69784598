/* Drawing a trace: a header, a ruler, and for each span its place in the tree, its duration, its bar, and below it
 * what went wrong. */
#ifndef EXPORTERS_DRAW_H
#define EXPORTERS_DRAW_H

#include "exporters/sheet.h"
#include "exporters/tree.h"

/* A span that stops within this has listened. */
#define WH__AT_ONCE WH_MS(1)

enum { WH__MOST_TOLD = 16, WH__SERVICE_ROOM = 20, WH__NOTE_LINES = 4 };

struct wh__drawing {
    struct wh__sheet *sheet;
    const struct wh__tree *tree;
    size_t services;      /* different ones */
    unsigned label;       /* columns of the tree and its names */
    unsigned deepest;     /* levels that are indented */
    unsigned duration;    /* columns of the durations */
    unsigned left, time;  /* where the bars begin, and their columns; two more are free beside them */
    const struct wh__tree_span *told[WH__MOST_TOLD]; /* whose causes have been written out */
    size_t told_count;
};

/* A linked tree with at least one span, and an empty line after it. */
void wh__draw_trace(struct wh__sheet *sheet, const struct wh__tree *tree);

/* ---- tree_header.c ---- */

void wh__draw_header(struct wh__drawing *drawing);

/* ---- tree_bar.c: in proportion to the time of the whole trace ---- */

void wh__draw_ruler(struct wh__drawing *drawing);
void wh__draw_bar(struct wh__drawing *drawing, const struct wh__tree_span *span);

/* ---- tree_cause.c: what went wrong, in words; an empty note if there is nothing to say ---- */

void wh__say_error_type(struct wh__note *note, const struct wh__tree_span *span, unsigned room);
void wh__say_failure(struct wh__note *note, const struct wh__tree_span *span);
void wh__say_cause(struct wh__note *note, struct wh__drawing *drawing, const struct wh__tree_span *span);
void wh__say_deadline(struct wh__note *note, const struct wh__tree_span *span);
void wh__say_parent(struct wh__note *note, const struct wh__tree_span *span);

static inline enum wh__ink wh__state_ink(const struct wh__tree_span *span, enum wh__ink well)
{
    return span->status == WH_STATUS_ERROR ? WH__RED : span->cancelled ? WH__AMBER : well;
}

static inline struct wh_str wh__service_of(const struct wh__tree_span *span)
{
    return wh__tree_text(span, WH__TREE_SERVICE);
}

/* Returns its length. */
static inline size_t wh__say_duration(char buf[WH__DURATION_SIZE], uint64_t ns)
{
    return wh__duration_text(buf, ns < INT64_MAX ? (int64_t)ns : INT64_MAX - 1);
}

static inline uint64_t wh__overrun(const struct wh__tree_span *span)
{
    return span->cancelled ? span->end - span->cancelled_at : 0;
}

#endif
