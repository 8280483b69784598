/* Contexts with several sources: the first is the parent, each other one is tied to.
 *
 * A tie hangs among the children of its live source and looks like a node that is done, so that a sweep takes a second look
 * at it and finds the merged node. That one may be closed while it hangs in the list of its parent, whose lock whoever comes
 * by a tie does not have: so sweeps link merged nodes through fields of their own. Locks go from source to tie to merged
 * node; sources are there before what is made of them, so no two ways ever cross. */
#ifndef CONTEXT_MERGE_H
#define CONTEXT_MERGE_H

#include "context/node.h"

struct wh__tie {
    uint32_t state, flags;     /* as of a node; the state says done for ever */
    uint32_t refs;             /* 1: it was hung in, once; of its maker alone */
    uint32_t level;
    wh_ctx *parent;            /* the source, held */
    wh_ctx *next, **link;      /* [lock of the live source] as of a node; link NULL: it does not hang there */
    struct wh__merged *merged; /* whose it is; goes last */
    struct wh__tie *also;      /* the next of the same merged node */
};
_Static_assert(sizeof(struct wh__tie) <= 64, "one block");
_Static_assert(offsetof(struct wh__tie, next) == offsetof(wh_ctx, next), "a common beginning");
_Static_assert(offsetof(struct wh__tie, link) == offsetof(wh_ctx, link), "a common beginning");

/* What a sweep finds below a node, down to the merged ones, below which it begins anew. */
struct wh__below {
    wh_ctx *reached;           /* done by it and pinned, from above to below and newest first */
    wh_ctx *others;            /* nodes, or ties to nodes, from which the news still travels; pinned */
};

/* Those of a node's values that it does not see straight above it: each key once, the nearest first. */
struct wh__values {
    const struct wh__value_node **nodes;
    uint32_t count, capacity;  /* capacity 0: the array is that of a merged node above */
};

struct wh__merged {
    wh_ctx node;
    struct wh__tie *ties;      /* immutable, in the order of the sources */
    const struct wh__tie *through; /* [lock], fixed once it is done: by which the news came; NULL: not by one */
    struct wh__values values;  /* immutable */
    struct wh__below below;    /* these three: of the sweep that has closed it */
    struct wh__merged *queued, *queued_before;
};
_Static_assert(sizeof(struct wh__merged) <= 256, "one block");

/* The node at the end of what hangs in a list of children. */
static inline wh_ctx *wh__at_end_of(const wh_ctx *edge)
{
    return edge->flags & WH__TIE ? &((const struct wh__tie *)(const void *)edge)->merged->node : (wh_ctx *)edge;
}

static inline struct wh__merged *wh__merged(const wh_ctx *node)
{
    return (struct wh__merged *)(void *)node;
}

/* Takes it out of its sources. Afterwards only its parent finds it, and who has begun to and holds a reference. */
void wh__untie(wh_ctx *node);

/* Its memory goes, but for its ties. */
void wh__merged_dispose(wh_ctx *node);

/* The value that it does not see straight above; NULL if there is none. */
const void *wh__merged_value(const wh_ctx *ctx, const struct wh_key *key);

/* The live node above a merged one whose deadline it has. */
wh_ctx *wh__deadline_source(const wh_ctx *node);

/* How many levels ctx, which is done, is below `origin`, on whose cancel it is. */
uint32_t wh__depth_below(const wh_ctx *ctx, const wh_ctx *origin);

#endif
