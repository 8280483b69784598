/* How a cancel wins, and how the news travels down the tree.
 *
 * A node that is done stays in its parent's list until it is ended: it takes no more memory there, and a cancel that need
 * not touch the parent is as cheap as it can be.
 *
 * The winner writes the cause into the node and closes it; then it takes the children of every node it reaches out of
 * their list, a few dozen under one lock, and closes each in the same way. Children without anything to do for are done
 * then; the others are pinned by a reference and linked, through the `next` that they no longer need, into the way still
 * to go. Nothing is allocated and nothing recurses. When wh__cancel() returns, every descendant is done: also those whom
 * another thread is just cancelling, because it waits for that to have gone all the way down. That wait ends: it goes
 * from a node to nodes below it only, and no code of the user's, no destructor either, runs before the news has arrived
 * everywhere. Until then fork() waits too: in its child nobody would carry the news on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/park.h"
#include "base/text.h"
#include "context/tree.h"

enum { BATCH = 64 }; /* children closed under one lock of their parent: a microsecond or so */

struct sweep {
    wh_ctx *origin;
    uint32_t done;      /* the state of whom it reaches */
    wh_ctx *reached;    /* done and pinned, from above to below and newest first */
    wh_ctx **last;      /* where the next of these goes */
    wh_ctx *others;     /* cancelled by somebody else who is still on the way; pinned too */
};

/* Whoever looks at the word meanwhile makes the descriptor readable first; so the two never disagree. */
void wh__signal_done(wh_ctx *node)
{
    const uint32_t state = wh__state(node);
    if (state & WH__SIGNALLING) {
        wh_err_(node);
        wh__lock(&node->state);
        wh__unlock_to(&node->state, wh__state_held(node) & ~WH__SIGNALLING);
    }
    if (state & WH__WAITERS) wh__unpark(&node->state);
}

/* Under its lock. Returns where the next one goes, if that is to come after it. */
static wh_ctx **pin(wh_ctx *node, wh_ctx **slot)
{
    wh__count_up(node);
    node->next = *slot;
    *slot = node;
    return &node->next;
}

/* Under the lock of its parent: closes it, if it is open. */
static void reach(struct sweep *sweep, wh_ctx *child)
{
    wh__lock(&child->state);
    const uint32_t state = wh__state_held(child);
    uint32_t next = state;
    child->link = NULL;
    if (state >= WH_NOT_OPEN_) {
        if (state & WH__SWEEPING) pin(child, &sweep->others);
    } else if (child->refs) { /* otherwise it is on its way out */
        child->origin = sweep->origin;
        next = sweep->done | state | (state & WH__HAS_FD ? WH__SIGNALLING : 0);
        if (child->children || child->extra || state || child->flags & WH__TIMED) sweep->last = pin(child, sweep->last);
    }
    wh__unlock_to(&child->state, next);
}

static void sweep_children(struct sweep *sweep, wh_ctx *node)
{
    for (bool more = true; more;) {
        wh__lock(&node->state);
        for (int i = 0; i < BATCH && node->children; i++) {
            wh_ctx *child = node->children;
            node->children = child->next;
            if (child->next) child->next->link = &node->children;
            reach(sweep, child);
        }
        more = node->children != NULL;
        wh__unlock(&node->state);
    }
}

static void sweep_below(struct sweep *sweep, wh_ctx *origin)
{
    sweep_children(sweep, origin);
    for (wh_ctx *node = sweep->reached; node; node = node->next) {
        wh__signal_done(node);
        sweep_children(sweep, node);
    }
}

static void wait_for_sweep_of(const wh_ctx *origin)
{
    for (unsigned round = 0; wh__state(origin) & WH__SWEEPING; round++) wh__back_off(round);
}

/* From here on everybody may know that all below is done. */
static void finish_sweep(struct sweep *sweep, wh_ctx *origin)
{
    for (const wh_ctx *node = sweep->others; node; node = node->next) wait_for_sweep_of(node);
    if (wh__state(origin) & WH__SWEEPING) {
        wh__lock(&origin->state);
        wh__unlock_to(&origin->state, wh__state_held(origin) & ~WH__SWEEPING);
    }
}

/* The user's code may run. */
static void leave_sweep(struct sweep *sweep, wh_ctx *origin)
{
    wh__callbacks_run(origin);
    for (wh_ctx *node; (node = sweep->reached);) {
        sweep->reached = node->next;
        wh__timer_disarm(node);
        wh__callbacks_run(node);
        wh__unref(node);
    }
    for (wh_ctx *node; (node = sweep->others);) {
        sweep->others = node->next;
        wh__unref(node);
    }
}

/* The first is remembered if there is memory at hand, all are counted. */
static void come_too_late(wh_ctx *node, const struct wh__verdict *verdict)
{
    wh_ctx *origin = wh__origin(node);
    if (!verdict->not_a_loser && !(origin->flags & WH__IMMORTAL)) {
        struct wh__extra *extra = wh__extra_of(origin, false);
        wh__lock(&origin->state);
        if (origin->by.losers < UINT32_MAX) __atomic_store_n(&origin->by.losers, origin->by.losers + 1, __ATOMIC_RELAXED);
        if (extra && !extra->loser) {
            extra->loser = verdict->reason;
            extra->loser_site = verdict->site;
            extra->loser_at = wh__now();
        }
        wh__unlock(&origin->state);
    }
    wait_for_sweep_of(origin);
}

/* A literal is kept as it is, anything else copied into a block that must be at hand. */
static const char *copy_text(const char *text, char **block)
{
    *block = wh__slab_take(WH__128);
    if (!*block) return "(its text was lost: no memory at hand)";
    size_t len = strnlen(text, WH_TEXT_MAX + 1);
    if (len > WH_TEXT_MAX) len = wh__utf8_cut(text, WH_TEXT_MAX);
    memcpy(*block, text, len);
    (*block)[len] = '\0';
    return *block;
}

/* Under the lock of the node: fixes error and cause. Returns its new state. */
static inline uint32_t close_node(wh_ctx *node, const struct wh__verdict *verdict, int64_t at, uint32_t thread, const char *text)
{
    const uint32_t err = verdict->reason->err == ETIMEDOUT ? ETIMEDOUT : ECANCELED;
    uint32_t state = wh__state_held(node) | err << 8 | WH__ORIGIN;
    node->by.thread = thread;
    node->by.losers = 0;
    node->reason = verdict->reason;
    node->site = verdict->site;
    node->text = text;
    node->at = at;
    if (state & WH__HAS_FD) state |= WH__SIGNALLING;
    if (node->children) state |= WH__SWEEPING; /* what a cancel of the parent waits for */
    return state;
}

/* The node is pinned, and the thread has said wh__stay(). */
static void spread(struct wh__thread *self, wh_ctx *node, uint32_t state)
{
    struct sweep sweep = {.origin = node, .done = (uint32_t)WH__ERR(state) << 8, .last = &sweep.reached};
    wh__signal_done(node);
    sweep_below(&sweep, node);
    finish_sweep(&sweep, node);
    wh__stay_over(self);
    leave_sweep(&sweep, node);
    wh__unref(node);
}

bool wh__cancel(wh_ctx *node, const struct wh__verdict *verdict)
{
    if (node->flags & WH__TIMED) wh__timer_disarm(node);
    char *block = NULL;
    const char *text = verdict->text;
    if (text && !verdict->text_is_static) text = copy_text(text, &block);
    struct wh__extra *extra = verdict->culprit ? wh__extra_of(node, false) : NULL;
    struct wh__thread *self = wh__self();
    const int64_t at = verdict->now && *verdict->now ? *verdict->now : wh__now();

    wh__lock_as(self, &node->state);
    uint32_t state = wh__state_held(node);
    const bool won = state < WH_NOT_OPEN_;
    bool spreads = false;
    if (won) {
        spreads = state || node->children || node->extra;
        state = close_node(node, verdict, at, self ? self->id : 0, text);
        if (block) state |= WH__OWNS_TEXT;
        if (extra) extra->culprit = verdict->culprit;
        if (spreads) {
            wh__count_up(node);
            wh__stay(self);
        }
    }
    wh__unlock_as(self, &node->state, state);

    if (verdict->culprit && !(won && extra)) wh__slab_put(verdict->culprit);
    if (spreads) spread(self, node, state);
    if (verdict->now) *verdict->now = spreads ? 0 : at;
    if (won) return true;
    wh__slab_put_if(block);
    come_too_late(node, verdict);
    return false;
}

bool wh_cancel_at(wh_ctx *ctx, const struct wh_reason *reason, const char *text, bool text_is_static,
                  const struct wh_site *site)
{
    ctx = wh__own(ctx);
    if (!ctx || ctx->flags & (WH__VALUE | WH__IMMORTAL)) return false;
    const struct wh__verdict verdict = {.reason = reason ? reason : WH_CANCELED, .site = site, .text = text,
        .text_is_static = text_is_static};
    if (!(ctx->flags & WH_RECORDS_)) return wh__cancel(ctx, &verdict);
    wh__ref(ctx); /* a callback may end it */
    const bool won = wh__cancel(ctx, &verdict);
    if (won) wh__span_ops()->cancel_called(ctx, &verdict);
    wh__unref(ctx);
    return won;
}

bool wh_cancelf_at(wh_ctx *ctx, const struct wh_reason *reason, const struct wh_site *site, const char *format, ...)
{
    char text[WH_TEXT_MAX + 2];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return wh_cancel_at(ctx, reason, text, false, site);
}

bool wh__expire_quietly(wh_ctx *node, int64_t now)
{
    struct wh__thread *self = wh__self();
    wh__lock_as(self, &node->state);
    uint32_t state = wh__state_held(node);
    const bool is_quiet = node->refs && !state && !node->children && !node->extra;
    if (is_quiet) {
        const struct wh__verdict verdict = {.reason = WH_DEADLINE_EXCEEDED, .site = node->made};
        state = close_node(node, &verdict, now, self ? self->id : 0, NULL);
    }
    wh__unlock_as(self, &node->state, state);
    return is_quiet;
}

/* The deadline belongs to the highest node that has it: there it fires, and everything below is done with it. */
void wh__expire(wh_ctx *node)
{
    if (node->deadline > wh__now()) return;
    for (wh_ctx *above; !(node->flags & WH__TIMED) && (above = wh__live_parent(node));) node = above;
    wh__cancel(node, &(struct wh__verdict){.reason = WH_DEADLINE_EXCEEDED, .site = node->made, .not_a_loser = true});
}
