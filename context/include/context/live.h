/* Who is alive: the list of contexts that were made while tracking was on, and how long stopping takes.
 *
 * Off, it costs nothing: what makes a context looks at one word anyway, wh__gate (base/lock.h), and goes the long way when
 * WH__TRACKING is set in it. A context that is listed has a record; a live node that has one, or may be measured, has its
 * struct wh__extra, and what ends a context goes the long way for that.
 *
 * Locks: that of a list comes before those of nodes. While it is held no record goes, and so no node that is listed. */
#ifndef CONTEXT_LIVE_H
#define CONTEXT_LIVE_H

#include <whence/live.h>

#include "context/tree.h"

/* One block of WH__64. What stands in it is immutable, where nothing else is said. */
struct wh__live_record {
    struct wh__live_record *next, *prev; /* [lock of the list] oldest first */
    const wh_ctx *node;      /* NULL: the bookmark of a dump */
    uint64_t id, parent;     /* from 1 on, as they were made; the parent's, 0 if it is not listed */
    int64_t born;
    uint32_t thread;         /* who has made it */
    uint32_t flags;          /* of the node, when it was made; with WH__SHARD its parent is a shard */
    uint32_t waiters;        /* atomic: who sleeps in wh_wait() */
    uint16_t forks;          /* wh__forks, as far as it fits */
    uint8_t list;
    uint8_t stage;           /* [lock of the list] */
};
_Static_assert(sizeof(struct wh__live_record) == 64, "one block");

/* stage */
enum {
    WH__OWNED,  /* its owner has it */
    WH__ENDING, /* its owner is ending it, and may have taken it from its parent: no pointer in it is safe to follow */
    WH__HELD    /* its owner has ended it; others still have it */
};

static inline bool wh__is_tracking(void)
{
    return wh__unlikely(__atomic_load_n(&wh__gate, __ATOMIC_RELAXED) & WH__TRACKING);
}

/* Of a node that the caller has; NULL if it is not listed. */
static inline struct wh__live_record *wh__live_record_of(const wh_ctx *node)
{
    if (!node || node->flags & WH__IMMORTAL) return NULL;
    if (node->flags & WH__VALUE) return ((const struct wh__value_node *)(const void *)node)->record;
    const struct wh__extra *extra = __atomic_load_n(&node->extra, __ATOMIC_ACQUIRE);
    return extra ? __atomic_load_n(&extra->record, __ATOMIC_ACQUIRE) : NULL;
}

/* By its maker, who has not handed it out yet. Returns the node. Without memory it is not listed, and that is counted. */
wh_ctx *wh__live_enter(wh_ctx *node);
void wh__live_ending(struct wh__live_record *record);
void wh__live_stays(struct wh__live_record *record); /* it was about to, and others still have it */
void wh__live_leave(struct wh__live_record *record); /* before the node's memory goes */
void wh__live_waits(struct wh__live_record *record, int more);

/* Counts test roots as a reason to list. */
void wh__live_demand(int more);
bool wh__live_measures(void);
size_t wh__live_unlisted(void);

/* What was cancelled has stopped now. Of a context that the caller has; does nothing if it is not done or nobody measures.
 * Takes no lock, so it may be called under any. */
void wh__live_measured(const wh_ctx *ctx, enum wh_stop what);

static inline void wh__live_stopped(const wh_ctx *ctx, enum wh_stop what)
{
    if (wh__is_tracking() && wh__live_measures()) wh__live_measured(ctx, what);
}

/* ---- a copy of the list ---- */

enum { WH__NONE = -1 };

struct wh__seen {
    uint64_t id, parent;        /* as in the record */
    const void *address, *parent_address; /* the parent's NULL: the background, or the like */
    const struct wh_site *made; /* NULL of a value */
    int64_t born, asked, deadline;
    uint64_t origin;            /* of a node that is done: the node that was cancelled, 0 if that is not listed */
    const struct wh_reason *reason; /* NULL: not done, or not known */
    const struct wh_site *cause_site;
    int64_t done_at;
    size_t name, text;          /* in snapshot->texts, 0: none; of the key or span; given to the cancel of this very node */
    size_t value_size;
    struct wh__span_look span;  /* its `name` is not set */
    uint32_t flags, thread, level, refs, waiters, callbacks;
    int err;
    bool has_span, is_inherited;
    bool is_below;              /* of the root of a test */
    uint8_t stage;
    int32_t above, first, next; /* in the tree, by wh__snapshot_link(): indices of the list */
    uint32_t children;
};

struct wh__snapshot {
    struct wh__seen *list;      /* by id, once it is linked */
    size_t count, capacity;
    char *texts;                /* terminated strings, the first of them empty */
    size_t texts_len, texts_capacity;
    int64_t at;
    size_t slices, longest;     /* how often a lock was taken to read; the most steps under one */
    int32_t roots;
};

enum { WH__MOST_CALLBACKS = 100, WH__NAME_MAX = 80 };

/* Copies the lists: 0 or ENOMEM. To be freed in any case. */
int wh__snapshot_take(struct wh__snapshot *snapshot);
void wh__snapshot_free(struct wh__snapshot *snapshot);

/* Sorts by id, and finds everybody's children. */
void wh__snapshot_link(struct wh__snapshot *snapshot);

/* By id, after that; WH__NONE if it is not there. */
int32_t wh__snapshot_find(const struct wh__snapshot *snapshot, uint64_t id);

/* The next one, from above to below; *depth changes with it. Begin with snapshot->roots and depth 0. */
int32_t wh__snapshot_next(const struct wh__snapshot *snapshot, int32_t at, uint32_t *depth);

const char *wh__seen_kind(const struct wh__seen *seen);

/* In place, without memory; as qsort(). `size`: a multiple of 8. */
typedef int wh__compare(const void *a, const void *b, const void *arg);
void wh__sort(void *list, size_t count, size_t size, wh__compare *compare, const void *arg);

/* ---- counting it by the place where it was made ---- */

struct wh__leak {
    const struct wh__seen *first; /* the oldest */
    size_t count, open, done, held, children;
};

/* Rows, the oldest first, from wh__mem_get(); sorts the list anew, so it is not linked any more. 0 or ENOMEM. */
int wh__leaks_count(struct wh__snapshot *snapshot, struct wh__leak **rows, size_t *count);

/* ---- writing ---- */

/* Text on its way to a descriptor. The first error stays. */
struct wh__out {
    int fd, error;
    size_t len;
    char buf[8192];
};
struct wh__out *wh__out_new(int fd);   /* NULL without memory */
int wh__out_end(struct wh__out *out);  /* writes what is left, frees it; 0 or what went wrong */
void wh__out_put(struct wh__out *out, const char *format, ...) WH_PRINTF_(2, 3);
void wh__out_duration(struct wh__out *out, int64_t ns);
void wh__out_site(struct wh__out *out, const struct wh_site *site); /* file.c:12 function */

/* Text of strangers. What is not UTF-8 becomes U+FFFD. */
void wh__out_plain(struct wh__out *out, const char *text);  /* controls become question marks */
void wh__out_quoted(struct wh__out *out, const char *text); /* within the quotes of JSON, or of DOT */

void wh__dump_text(struct wh__out *out, const struct wh__snapshot *snapshot);
void wh__dump_json(struct wh__out *out, const struct wh__snapshot *snapshot);
void wh__dump_dot(struct wh__out *out, const struct wh__snapshot *snapshot);

/* What it returns. */
extern const wh_ctx wh__todo;

/* Of the places that call wh_todo(), the i-th; NULL after the last. */
const struct wh_site *wh__todo_site(size_t i, uint64_t *count);
uint64_t wh__todo_lost(void);

#endif
