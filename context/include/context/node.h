/* The node behind every context.
 *
 * Nodes form a tree by `parent`, which is a strong reference: a node lives until its owner has ended it, every hold is
 * released and every child is gone. There are two kinds:
 *
 *   live nodes   have a state of their own, may be cancelled, and hang in the child list of the nearest live node above
 *                them, so that a cancel finds them; merged ones are tied to further nodes (merge.h)
 *   value nodes  carry one value and ask the nearest live node above them for everything else
 *
 * `state` is lock and answer in one word. Bit 0 is the lock of this node; only its holder may change the word and the
 * fields marked [lock]. Locks are taken from parent to child; those of timers and watches before those of nodes. Nothing
 * that could run code of the user's, and no allocation, happens under any of them.
 */
#ifndef CONTEXT_NODE_H
#define CONTEXT_NODE_H

#include <whence/context.h>

#include "base/lock.h"
#include "base/slab.h"

/* state */
#define WH__WAITERS (1u << 1)    /* somebody sleeps on this word */
#define WH__HAS_FD (1u << 2)     /* extra->fd is a descriptor */
#define WH__SWEEPING (1u << 3)   /* cancelled, or merged and done, and the news is still on its way to the children */
#define WH__SIGNALLING (1u << 4) /* done, but the descriptor may not be readable yet: who sees this makes it so */
#define WH__ORIGIN (1u << 5)     /* done by a cancel of this very node: it holds the cause */
#define WH__OWNS_TEXT (1u << 6)  /* text is a block of WH__128 */
#define WH__SHARDED (1u << 7)    /* its children hang in shards; shards.h */
#define WH__ERR(state) ((int)(((state) >> 8) & 0xffff)) /* from bit 8: the error, once it is done */
#define WH__FORWARD (1u << 31)   /* a value node below a live one, which has the answer */

/* flags: fixed when the node is made */
#define WH__VALUE (1u << 1)       /* a value node */
#define WH__IMMORTAL (1u << 2)    /* static: not counted, not locked */
#define WH__TRACE (1u << 3)       /* begins a struct of the trace room */
#define WH__TRACE_ABOVE (1u << 4) /* this or some node above is such */
#define WH__TIMED (1u << 5)       /* `deadline` is its own, not inherited */
#define WH__DETACHED (1u << 6)    /* no ancestor decides whether it is done */
#define WH__MEMBER (1u << 7)      /* a member of a group works under it: extra->member */
#define WH__SIGNALS (1u << 8)     /* signals cancel it */
#define WH__ENDS (1u << 9)        /* wh__span_ops->end has something to do */
#define WH__DISPOSES (1u << 10)   /* wh__span_ops->dispose has something to do */
#define WH__OWNS_PARENT (1u << 11) /* ending it ends the parent: set by its owner before anyone else has it */
#define WH__TIE (1u << 12)        /* no node: ties a merged one to a source, among whose children it hangs; merge.h */
#define WH__MERGED (1u << 13)     /* has several sources: begins a struct wh__merged */
#define WH__MERGED_ABOVE (1u << 14) /* this or some node above is such */
#define WH__CLOCK (1u << 15)      /* from here on another clock holds; clock.h */
#define WH__CLOCKED (1u << 16)    /* it goes by such a clock */
#define WH__CALLERS (1u << 17)    /* the deadline that was asked for is that of a caller in another process */
#define WH__SHARD (1u << 20)      /* no context of anybody's: a part of its parent, in a block of that one's; shards.h */
#define WH__INHERITED (WH_RECORDS_ | WH__TRACE_ABOVE | WH__MERGED_ABOVE | WH__CLOCKED)
#define WH__SIZE(flags) ((flags) >> 28) /* enum wh__size of its block; WH__SIZES: from wh__mem_get() */
#define WH__HAS_MORE (1u << 31)   /* beside a size: more than its block goes with it. That makes WH__SIZE() larger than WH__SIZES */

struct wh_ctx {
    uint32_t state;
    uint32_t flags;
    uint32_t refs;           /* [lock] its owner, holds, children, and whoever is at work on it */
    uint32_t level;          /* how many nodes are above it */
    wh_ctx *parent;          /* or a shard of it; NULL: none that could go away */
    /* live nodes only, from here on */
    wh_ctx *next, **link;    /* [lock of the live parent] siblings, newest first; link NULL: in no list */
    wh_ctx *children;        /* [lock] */
    union {                  /* [lock], fixed once it is done: */
        wh_ctx *origin;      /* the ancestor on which cancel was called; */
        struct {
            uint32_t thread; /* or, with WH__ORIGIN, who did it, */
            uint32_t losers; /* and how many came too late; atomic */
        } by;
    };
    struct wh__extra *extra; /* [lock] what few contexts need; once there, it stays */

    int64_t deadline;        /* the earliest from here to the root, WH_NEVER if there is none */
    int64_t asked;           /* the duration that was asked for here, WH_NEVER if none */
    const struct wh_site *made;
    uint64_t timer;          /* [lock of the timers] where it stands in the wheel; 0: nowhere, for good once it was */
    const struct wh_reason *reason; /* these four with WH__ORIGIN only */
    const struct wh_site *site;
    const char *text;
    int64_t at;
};
_Static_assert(sizeof(struct wh_ctx) == 128, "two cache lines, and what a walk over the tree touches in the first");

struct wh__value_node {
    uint32_t state, flags, refs, level; /* as above */
    wh_ctx *parent;
    wh_ctx *live;            /* where what is below it hangs: the nearest live node above, or a shard of that; NULL: there is none */
    const struct wh_key *key;
    struct wh__live_record *record; /* NULL: not listed; live.h */
    _Alignas(16) unsigned char value[];
};
_Static_assert(offsetof(struct wh__value_node, parent) == offsetof(struct wh_ctx, parent), "a common beginning");

/* What few contexts need. One block of WH__128. */
struct wh__extra {
    int fd;                         /* with WH__HAS_FD */
    wh_ctx *next_with_fd, **fd_link; /* [lock of the descriptors] done_fd.c */
    struct wh__watch *watch;        /* [lock of the watches] on its peer; peer.c */
    wh_callback *callbacks;         /* [lock] newest first */
    struct wh__notes *member;       /* [lock] with WH__MEMBER: where a span below may say that it failed; outlives the node */
    struct wh__because *link;       /* with WH__ORIGIN, once there it stays: the cause as the first link of its chain */
    struct wh__because *note;       /* [lock] the latest failure here or below */
    struct wh__given *given;        /* [lock] what wh_causes() has shown of such notes */
    const struct wh_reason *loser;  /* [lock] the first cancel that came too late, if its memory could be had */
    const struct wh_site *loser_site;
    int64_t loser_at;
    struct wh__live_record *record; /* NULL: not listed; live.h */
    struct wh__shards *shards;      /* with WH__SHARDED */
    uint32_t shards_left;           /* with WH__SHARDED, atomic: its owner has let go of so many */
};
_Static_assert(sizeof(struct wh__extra) <= 128, "one block");

static inline uint32_t wh__state(const wh_ctx *node)
{
    return __atomic_load_n(&node->state, __ATOMIC_ACQUIRE);
}

/* Under the node's lock: the state without that bit, which others may be trying to set. */
static inline uint32_t wh__state_held(const wh_ctx *node)
{
    return __atomic_load_n(&node->state, __ATOMIC_RELAXED) & ~WH__LOCK_BIT;
}

/* Under the node's lock: one more, one less. The owner may look at the count meanwhile, without it (wh__is_alone()). */
static inline void wh__count_up(wh_ctx *node)
{
    __atomic_store_n(&node->refs, node->refs + 1, __ATOMIC_RELAXED);
}

static inline uint32_t wh__count_down(wh_ctx *node)
{
    const uint32_t left = node->refs - 1;
    __atomic_store_n(&node->refs, left, __ATOMIC_RELEASE);
    return left;
}

/* Where what is derived from a node hangs: the node itself, above a value; a shard of that, maybe. NULL: nowhere. */
static inline wh_ctx *wh__live_at(const wh_ctx *parent)
{
    if (!parent || !(parent->flags & WH__VALUE)) return (wh_ctx *)parent;
    return ((const struct wh__value_node *)(const void *)parent)->live;
}

/* The node that knows whether ctx is done; NULL: none, it never is. */
static inline wh_ctx *wh__live(const wh_ctx *ctx)
{
    wh_ctx *live = wh__live_at(ctx);
    return live && live->flags & WH__SHARD ? live->parent : live;
}

/* The one that it was derived from. */
static inline wh_ctx *wh__parent(const wh_ctx *node)
{
    wh_ctx *parent = node->parent;
    return parent && parent->flags & WH__SHARD ? parent->parent : parent;
}

/* Of an owner's handle, what it may cancel: of a value, only the node that was taken over with it. */
static inline wh_ctx *wh__own(wh_ctx *ctx)
{
    while (ctx && ctx->flags & WH__VALUE && ctx->flags & WH__OWNS_PARENT) ctx = wh__parent(ctx);
    return ctx;
}

/* The node whose cancel reaches this live one, and in whose list it hangs; maybe a shard, which hears of it later. */
static inline wh_ctx *wh__live_parent(const wh_ctx *node)
{
    return node->flags & WH__DETACHED ? NULL : wh__live_at(node->parent);
}

/* The same, but never a shard: to be asked. */
static inline wh_ctx *wh__live_above(const wh_ctx *node)
{
    return node->flags & WH__DETACHED ? NULL : wh__live(wh__parent(node));
}

/* Takes a live node out of the list it is in; under the lock of its live parent. */
static inline void wh__hang_out(wh_ctx *node)
{
    *node->link = node->next;
    if (node->next) node->next->link = node->link;
    node->link = NULL;
}

/* Of a live node that is done: the one that was cancelled. */
static inline wh_ctx *wh__origin(const wh_ctx *node)
{
    return wh__state(node) & WH__ORIGIN ? (wh_ctx *)node : node->origin;
}

#endif
