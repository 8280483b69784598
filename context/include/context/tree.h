/* What the rooms beyond may do with nodes, and the parts of this room with each other. */
#ifndef CONTEXT_TREE_H
#define CONTEXT_TREE_H

#include "context/node.h"

/* ---- making and leaving ---- */

/* A live node in a block of `size`, not yet seen by anyone: fill in what follows struct wh_ctx, then wh__node_enter() it.
 * `timeout`: asked for, counted from `now`; WH_NEVER: nothing is asked for, and `now` does not matter. NULL without memory:
 * hand out wh__no_memory() then. */
wh_ctx *wh__node_new(const wh_ctx *parent, enum wh__size size, uint32_t flags, int64_t timeout, int64_t now,
                     const struct wh_site *made);

/* Hangs it into the tree: born done if its parent is, or if its own deadline has passed by `now`. Returns it. */
wh_ctx *wh__node_enter(wh_ctx *node, int64_t now);

/* wh_with_timeout_at(), by a caller in another process; `now` as for wh__node_new(). */
wh_ctx *wh__with_callers_timeout(const wh_ctx *parent, int64_t timeout, int64_t now, const struct wh_site *site);

/* The shared context that is already done: WH_NO_MEMORY. */
wh_ctx *wh__no_memory(void);

/* One more, one less reference. */
void wh__ref(wh_ctx *node);
void wh__unref(wh_ctx *node);

/* The part for few; makes it if it is not there. NULL without memory. `may_ask`: may ask the system for some. */
struct wh__extra *wh__extra_of(wh_ctx *node, bool may_ask);

/* ---- cancelling ---- */

struct wh__verdict {
    const struct wh_reason *reason;
    const struct wh_site *site;
    const char *text;
    bool text_is_static;
    int64_t *now;      /* NULL, or a reading of the clock that serves for many: 0 where what was done since may have taken time */
    bool not_a_loser;  /* do not count it if it comes too late */
    struct wh__because *link; /* or NULL: the same as a link, with what it is because of; taken over in any case */
};
bool wh__cancel(wh_ctx *node, const struct wh__verdict *verdict);

/* Of a node that was cancelled itself: one more would have been, and came too late. */
void wh__count_loser(wh_ctx *origin, const struct wh_reason *reason, const struct wh_site *site, int64_t at);

/* The same as wh__cancel(), by the user: of a context that he owns, whose span says so. */
bool wh__cancel_asked(wh_ctx *ctx, const struct wh__verdict *verdict);

/* Makes the descriptor of a node that is done readable, if it has one, and wakes who waits. */
void wh__signal_done(wh_ctx *node);

/* Fires the deadline of node, or of the ancestor whose deadline it is, if it has passed. */
void wh__expire(wh_ctx *node);

/* The same by one lock, at `now`, of a node with a deadline that nothing is below, nobody waits for and nothing is to be done
 * for. False, and nothing has happened, if it is not such, or not open. May be called under the lock of timers. */
bool wh__expire_quietly(wh_ctx *node, int64_t now);

/* ---- its descriptor, and callbacks ---- */
void wh__done_fd_close(wh_ctx *node); /* it has one, and goes */
void wh__callbacks_run(wh_ctx *node);
void wh__callbacks_drop(wh_ctx *node);
uint32_t wh__callbacks_count(const wh_ctx *node, uint32_t most); /* under its lock */

/* As wh_after(), for what may have to wait for a lock of the user's: attempt(arg) tries for a while; where it returns false
 * other callbacks run before it is called again. EAGAIN: there is no thread to run it on. */
int wh__after_attempts(const wh_ctx *ctx, bool (*attempt)(void *arg), void *arg, wh_callback **callback);

/* Prevents it if that can be done without waiting. Whether it does not run and never will; a stop function still has to be
 * called. */
bool wh__is_still(wh_callback *callback);

/* ---- timers, watches and signals ---- */
bool wh__timer_arm(wh_ctx *node);      /* false without memory */
void wh__timer_disarm(wh_ctx *node);   /* afterwards nobody fires it, except who has begun to and holds a reference */
void wh__timer_leave(wh_ctx *node);    /* the same, by its owner, who ends it: if its time was up, others may be told of that */
void wh__unwatch(wh_ctx *node);
void wh__signals_leave(wh_ctx *node);

/* ---- what the trace room does for nodes with WH__TRACE; given before the first of them is made ---- */
/* Waiting for a semaphore, or trying again, has come to nothing. */
struct wh__gave_up {
    bool is_retry;
    int64_t waited;               /* for the semaphore: how long; */
    uint32_t weight, size, taken; /* what was asked for, what it has, what of that others had when the wait began */
    int32_t attempts;             /* of the retry; */
    const char *why;              /* there was no further one: "attempts", "refused", "no_time", "done" */
    int last_error;               /* 0: none of its own */
};

struct wh__span_look {
    uint8_t trace_id[16], span_id[8];
    bool is_remote, records;
    const char *name;
};
struct wh__span_ops {
    void (*end)(wh_ctx *node);                 /* its owner ends it */
    void (*dispose)(wh_ctx *node);             /* its memory goes; no lock is held */
    void (*cancel_called)(const wh_ctx *node, const struct wh__verdict *verdict); /* by the user, and it has won */
    int64_t (*started)(const wh_ctx *node);    /* the instant; 0: it is no span that is recorded */
    /* What stands in the node, for who holds it alive: ids, whether the span is the caller's, in another process, and its
     * name, NULL if unknown. False if it has no span. Takes no lock. */
    bool (*look)(const wh_ctx *node, struct wh__span_look *look);
    /* has_span and what follows; and depth, if it is the caller in another process */
    void (*describe)(const wh_ctx *origin, struct wh_cause *cause);
    /* The name of the service that node's spans are of; "" if there is none. Returns buf. */
    const char *(*service)(const wh_ctx *node, char *buf, size_t size);
    void (*gave_up)(const wh_ctx *ctx, const struct wh__gave_up *what); /* any context */
};
extern const struct wh__span_ops *wh__span_ops_given;

static inline const struct wh__span_ops *wh__span_ops(void)
{
    return __atomic_load_n(&wh__span_ops_given, __ATOMIC_ACQUIRE);
}

/* To be said on the span of ctx, if it has one. */
static inline void wh__say_gave_up(const wh_ctx *ctx, const struct wh__gave_up *what)
{
    if (ctx && ctx->flags & WH_RECORDS_) wh__span_ops()->gave_up(ctx, what);
}

/* Always the same; nothing is written a second time, since every thread's ends read the line. */
static inline void wh__give_span_ops(const struct wh__span_ops *ops)
{
    if (!wh__span_ops()) __atomic_store_n(&wh__span_ops_given, ops, __ATOMIC_RELEASE);
}

#endif
