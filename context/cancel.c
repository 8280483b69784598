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
 *
 * A merged node can be reached on several ways, and by several cancels at once, of which none is below another. So each
 * with anything below it says itself that the news is still on its way, as an origin does, and is swept on its own; who
 * comes too late for it waits for it alone. Nobody waits before all that he could close is closed, and whoever waits looks
 * again and again which of his own are through: of all that are under way, those at the bottom wait for nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/park.h"
#include "base/text.h"
#include "context/because.h"
#include "context/clock.h"
#include "context/merge.h"
#include "context/tree.h"

enum { BATCH = 64 }; /* children closed under one lock of their parent: a microsecond or so */

struct sweep {
    wh_ctx *origin;
    uint32_t done;      /* the state of whom it reaches */
    struct wh__below top;
    struct wh__below *below; /* of the origin, or of the merged node that is swept just now */
    wh_ctx **last;      /* where the next one goes that is reached there */
    wh_ctx **here;      /* where the next shard goes of the node whose children are closed just now */
    struct wh__merged *merged, *last_merged; /* those that it has closed, in that order; pinned */
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
    if (!(state & WH__WAITERS)) return;
    wh__unpark(&node->state);
    if (node->flags & WH__CLOCKED) wh__clock_ring(wh__clock_of(node));
}

/* Under its lock. Returns where the next one goes, if that is to come after it. */
static wh_ctx **pin(wh_ctx *node, wh_ctx **slot)
{
    wh__count_up(node);
    node->next = *slot;
    *slot = node;
    return &node->next;
}

/* Under its lock. What is below a shard is as near as what hangs in the node itself, and so comes before what is further down. */
static void pin_below(struct sweep *sweep, wh_ctx *child)
{
    if (!(child->flags & WH__SHARD)) {
        sweep->last = pin(child, sweep->last);
        return;
    }
    wh_ctx **next = pin(child, sweep->here);
    if (sweep->last == sweep->here) sweep->last = next;
    sweep->here = next;
}

/* Under its lock, and with the edge taken out of its list: the news goes on from it, by us or somebody else. */
static void note_under_way(struct sweep *sweep, wh_ctx *edge)
{
    wh__count_up(wh__at_end_of(edge));
    edge->next = sweep->below->others;
    sweep->below->others = edge;
}

static uint32_t queue(struct sweep *sweep, wh_ctx *edge, uint32_t state)
{
    wh_ctx *node = wh__at_end_of(edge);
    struct wh__merged *merged = wh__merged(node);
    wh__count_up(node);
    merged->queued_before = sweep->last_merged;
    *(sweep->last_merged ? &sweep->last_merged->queued : &sweep->merged) = merged;
    sweep->last_merged = merged;
    if (!node->children) return state;
    note_under_way(sweep, edge);
    return state | WH__SWEEPING;
}

/* Under the lock of a node that is open: its state when it is done. */
static inline uint32_t close_for(struct sweep *sweep, wh_ctx *node, uint32_t state)
{
    node->origin = sweep->origin;
    return sweep->done | state | (state & WH__HAS_FD ? WH__SIGNALLING : 0);
}

/* Under the lock of the source and that of the tie. */
static void reach_by_tie(struct sweep *sweep, wh_ctx *edge)
{
    wh_ctx *node = wh__at_end_of(edge);
    wh__lock(&node->state);
    const uint32_t state = wh__state_held(node);
    uint32_t next = state;
    if (state >= WH_NOT_OPEN_) {
        if (state & WH__SWEEPING) note_under_way(sweep, edge);
    } else if (node->refs) {
        next = close_for(sweep, node, state);
        wh__merged(node)->through = (const void *)edge;
        if (node->children || node->extra || state) next = queue(sweep, edge, next);
    }
    wh__unlock_to(&node->state, next);
}

/* Under the lock of its parent: closes it, if it is open. */
static void reach(struct sweep *sweep, wh_ctx *child)
{
    wh__lock(&child->state);
    const uint32_t state = wh__state_held(child);
    uint32_t next = state;
    child->link = NULL;
    if (state >= WH_NOT_OPEN_) {
        if (child->flags & WH__TIE)
            reach_by_tie(sweep, child);
        else if (state & WH__SWEEPING)
            note_under_way(sweep, child);
    } else if (child->refs) { /* otherwise it is on its way out */
        next = close_for(sweep, child, state);
        if (child->children || child->extra || state || child->flags & WH__TIMED) {
            if (child->flags & WH__MERGED)
                next = queue(sweep, child, next);
            else
                pin_below(sweep, child);
        }
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

static void sweep_below(struct sweep *sweep, wh_ctx *top, struct wh__below *below)
{
    wh__signal_done(top);
    sweep->below = below;
    sweep->last = sweep->here = &below->reached;
    sweep_children(sweep, top);
    for (wh_ctx *node = below->reached; node; node = node->next) {
        wh__signal_done(node);
        sweep->here = &node->next;
        sweep_children(sweep, node);
    }
}

static void sweep_all(struct sweep *sweep)
{
    sweep_below(sweep, sweep->origin, &sweep->top);
    for (struct wh__merged *merged = sweep->merged; merged; merged = merged->queued)
        sweep_below(sweep, &merged->node, &merged->below);
}

static void wait_for_sweep_of(const wh_ctx *origin)
{
    for (unsigned round = 0; wh__state(origin) & WH__SWEEPING; round++) wh__back_off(round);
}

/* ---- who waits for whom ---- */

/* Whether the news still travels from one of these: on its way with this sweep too (NULL), or with another one only. */
static bool any_under_way(const wh_ctx *edge, const wh_ctx *but_for)
{
    for (; edge; edge = edge->next) {
        const wh_ctx *node = wh__at_end_of(edge);
        if (wh__state(node) & WH__SWEEPING && wh__origin(node) != but_for) return true;
    }
    return false;
}

static bool waits_for_others(const struct sweep *sweep)
{
    if (any_under_way(sweep->top.others, sweep->origin)) return true;
    for (const struct wh__merged *merged = sweep->merged; merged; merged = merged->queued)
        if (any_under_way(merged->below.others, sweep->origin)) return true;
    return false;
}

/* From here on everybody may know that all below is done. */
static void be_swept(wh_ctx *node)
{
    if (!(wh__state(node) & WH__SWEEPING)) return;
    wh__lock(&node->state);
    wh__unlock_to(&node->state, wh__state_held(node) & ~WH__SWEEPING);
}

static void let_through(struct wh__merged *merged)
{
    if (!any_under_way(merged->below.others, NULL)) be_swept(&merged->node);
}

/* Mostly one is below those closed before it, sometimes the other way round. */
static void let_through_who_can(struct sweep *sweep)
{
    for (struct wh__merged *merged = sweep->last_merged; merged; merged = merged->queued_before) let_through(merged);
    for (struct wh__merged *merged = sweep->merged; merged; merged = merged->queued) let_through(merged);
}

static void finish_sweep(struct sweep *sweep)
{
    for (unsigned round = 0; waits_for_others(sweep); round++) {
        let_through_who_can(sweep);
        wh__back_off(round);
    }
    for (struct wh__merged *merged = sweep->merged; merged; merged = merged->queued) be_swept(&merged->node);
    be_swept(sweep->origin);
}

/* ---- the user's code may run ---- */

static void leave_below(struct wh__below *below)
{
    for (wh_ctx *node; (node = below->reached);) {
        below->reached = node->next;
        wh__timer_disarm(node);
        wh__callbacks_run(node);
        wh__unref(node);
    }
    for (wh_ctx *edge; (edge = below->others);) {
        below->others = edge->next;
        wh__unref(wh__at_end_of(edge));
    }
}

static void leave_sweep(struct sweep *sweep)
{
    wh__callbacks_run(sweep->origin);
    leave_below(&sweep->top);
    for (struct wh__merged *merged; (merged = sweep->merged);) {
        sweep->merged = merged->queued;
        wh__callbacks_run(&merged->node);
        leave_below(&merged->below);
        wh__unref(&merged->node);
    }
}

/* The first is remembered if there is memory at hand, all are counted. */
void wh__count_loser(wh_ctx *origin, const struct wh_reason *reason, const struct wh_site *site, int64_t at)
{
    struct wh__extra *extra = wh__extra_of(origin, false);
    wh__lock(&origin->state);
    if (origin->by.losers < UINT32_MAX) __atomic_store_n(&origin->by.losers, origin->by.losers + 1, __ATOMIC_RELAXED);
    if (extra && !extra->loser) {
        extra->loser = reason;
        extra->loser_site = site;
        extra->loser_at = at;
    }
    wh__unlock(&origin->state);
}

static void come_too_late(wh_ctx *node, const struct wh__verdict *verdict)
{
    wh_ctx *origin = wh__origin(node);
    if (!verdict->not_a_loser && !(origin->flags & WH__IMMORTAL))
        wh__count_loser(origin, verdict->reason, verdict->site, wh__now());
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
    struct sweep sweep = {.origin = node, .done = (uint32_t)WH__ERR(state) << 8};
    sweep_all(&sweep);
    finish_sweep(&sweep);
    wh__stay_over(self);
    leave_sweep(&sweep);
    wh__unref(node);
}

bool wh__cancel(wh_ctx *node, const struct wh__verdict *verdict)
{
    if (node->flags & WH__TIMED) wh__timer_disarm(node);
    char *block = NULL;
    const char *text = verdict->text;
    if (text && !verdict->text_is_static) text = copy_text(text, &block);
    struct wh__extra *extra = verdict->link ? wh__extra_of(node, false) : NULL;
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
        if (extra) extra->link = verdict->link;
        if (spreads) {
            wh__count_up(node);
            wh__stay(self);
        }
    }
    wh__unlock_as(self, &node->state, state);

    if (wh__unlikely(verdict->link && !(won && extra))) wh__because_put(verdict->link);
    if (spreads) spread(self, node, state);
    if (verdict->now) *verdict->now = spreads ? 0 : at;
    if (won) return true;
    wh__slab_put_if(block);
    come_too_late(node, verdict);
    return false;
}

static inline __attribute__((always_inline)) bool cancel_asked(wh_ctx *ctx, const struct wh__verdict *verdict)
{
    if (!(ctx->flags & WH_RECORDS_)) return wh__cancel(ctx, verdict);
    wh__ref(ctx); /* a callback may end it */
    const bool won = wh__cancel(ctx, verdict);
    if (won) wh__span_ops()->cancel_called(ctx, verdict);
    wh__unref(ctx);
    return won;
}

bool wh__cancel_asked(wh_ctx *ctx, const struct wh__verdict *verdict)
{
    return cancel_asked(ctx, verdict);
}

bool wh_cancel_at(wh_ctx *ctx, const struct wh_reason *reason, const char *text, bool text_is_static,
                  const struct wh_site *site)
{
    ctx = wh__own(ctx);
    if (!ctx || ctx->flags & (WH__VALUE | WH__IMMORTAL)) return false;
    const struct wh__verdict verdict = {.reason = reason ? reason : WH_CANCELED, .site = site, .text = text,
        .text_is_static = text_is_static};
    return cancel_asked(ctx, &verdict);
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
