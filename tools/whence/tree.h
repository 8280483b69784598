/* Drawing a trace in a terminal: a header, a ruler, and for each span its place in the tree, when it began, how long it took, its
 * bar, and below it what is to be said of it. */
#ifndef TOOLS_WHENCE_TREE_H
#define TOOLS_WHENCE_TREE_H

#include <string.h>

#include "exporters/sheet.h"
#include "incident.h"

enum { MOST_LEVELS = 64 };

struct drawing {
    struct wh__sheet *sheet;
    const struct trace *trace;
    const struct incidents *incidents;
    const struct incident **of; /* by index of the span: what began there, or NULL */
    unsigned label;             /* columns of the tree and its names */
    unsigned deepest;           /* levels that are indented */
    bool goes_on[MOST_LEVELS];  /* for each of them, whether another one follows the span that was drawn there last */
    unsigned offset, duration;  /* columns of the numbers */
    unsigned left, time;        /* where the bars begin, and their columns */
};

static inline struct wh_str str_of(const char *text)
{
    return (struct wh_str){text, strlen(text)};
}

static inline enum wh__ink ink_of(const struct span *span, enum wh__ink well)
{
    return span->status == STATUS_ERROR ? WH__RED : was_cancelled(span) ? WH__AMBER : well;
}

/* tree_bar.c */
void draw_ruler(const struct drawing *drawing);
void draw_bar(const struct drawing *drawing, const struct span *span);

/* tree_note.c: the `which`-th note of a span, empty if there is nothing to say */
enum { NOTES = 9 };
void say_note(struct wh__note *note, const struct drawing *drawing, const struct span *span, unsigned which);
void say_link(struct wh__note *note, const struct drawing *drawing, const struct span *span, size_t which);

/* tree_header.c */
void draw_header(const struct drawing *drawing);

#endif
