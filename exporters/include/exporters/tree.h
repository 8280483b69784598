/* A trace as a tree of spans, for people to look at: of each span what is drawn, and of its texts as much as is
 * read. */
#ifndef EXPORTERS_TREE_H
#define EXPORTERS_TREE_H

#include <whence/exporters.h>

enum wh__tree_text {
    WH__TREE_NAME, WH__TREE_SERVICE, WH__TREE_STATUS, WH__TREE_ERROR_TYPE, WH__TREE_REASON, WH__TREE_MESSAGE,
    WH__TREE_SITE, WH__TREE_ORIGIN_NAME, WH__TREE_TEXTS
};

/* One block of memory, at most about 1.3 KB: its texts follow it. */
struct wh__tree_span {
    uint8_t id[8], parent[8];     /* all zero: none */
    uint8_t origin[8];            /* whose context was cancelled; all zero: not known */
    bool origin_is_elsewhere;     /* in another trace */
    bool parent_is_remote;
    bool is_orphan;               /* its parent is neither remote nor here */
    bool cancelled;
    uint8_t kind, status;         /* enum wh_kind, enum wh_status */
    uint64_t start, end;          /* nanoseconds since 1970; end is no earlier than start */
    uint64_t cancelled_at;        /* within these */
    int64_t asked, budget, left;  /* of the deadline, nanoseconds; `left` at the end; WH_NEVER: not said */
    size_t arrival;
    struct wh__tree_span *up, *down, *last_down, *next; /* once linked: parent, first and last child, sibling */
    size_t depth;
    uint16_t ends[WH__TREE_TEXTS];   /* of each text */
};

struct wh__tree {
    uint8_t trace_id[16];
    struct wh__tree_span **spans; /* from wh__mem_get(), as they are; by start once linked */
    size_t count;
    size_t left_out;              /* of the same trace */
    struct wh__tree_span *top;    /* once linked: those without parent here are siblings */
    uint64_t start, end;
    uint32_t *slots;              /* span ids hashed: index in spans + 1 */
    size_t slot_count;            /* a power of two */
};

/* ---- tree_span.c ---- */

/* NULL without memory. service: of its resource. */
struct wh__tree_span *wh__tree_span_new(const struct wh_span_view *view, struct wh_str service);

static inline struct wh_str wh__tree_text(const struct wh__tree_span *span, enum wh__tree_text which)
{
    const size_t start = which ? span->ends[which - 1] : 0;
    return (struct wh_str){(const char *)(span + 1) + start, span->ends[which] - start};
}

static inline bool wh__tree_same(struct wh_str a, struct wh_str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static inline bool wh__tree_has_id(const uint8_t id[8])
{
    static const uint8_t none[8];
    return memcmp(id, none, 8) != 0;
}

/* ---- tree.c ---- */

/* Makes the tree out of the spans that are there, whatever they say: every one gets a place, and none twice. Once.
 * False without memory. */
bool wh__tree_link(struct wh__tree *tree);

/* Of a linked tree: the span of that id, or NULL; and the next in the order of drawing, beginning with tree->top. */
struct wh__tree_span *wh__tree_find(const struct wh__tree *tree, const uint8_t id[8]);
struct wh__tree_span *wh__tree_next(const struct wh__tree_span *span);

/* The spans and all else that hangs on it. */
void wh__tree_clear(struct wh__tree *tree);

#endif
