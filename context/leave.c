/* How nodes are held, ended and given back. */
#include "base/mem.h"
#include "context/because.h"
#include "context/clock.h"
#include "context/live.h"
#include "context/merge.h"
#include "context/quick.h"
#include "context/shards.h"
#include "context/tree.h"

/* What a wh_end() is made of stays in one piece, although wh_end_because() is made of the same. */
#define INLINED inline __attribute__((always_inline))

void wh__ref(wh_ctx *node)
{
    wh__lock(&node->state);
    wh__count_up(node);
    wh__unlock(&node->state);
}

const wh_ctx *wh_hold(const wh_ctx *ctx)
{
    if (ctx && !(ctx->flags & WH__IMMORTAL)) wh__ref((wh_ctx *)ctx);
    return ctx;
}

/* ---- what goes with it ---- */

static INLINED void dispose_extra(wh_ctx *node)
{
    if (node->extra->record) wh__live_leave(node->extra->record);
    wh__callbacks_drop(node);
    if (node->state & WH__HAS_FD) wh__done_fd_close(node);
    if (node->state & WH__SHARDED) wh__shards_free(node->extra->shards);
    if (node->extra->link || node->extra->note) wh__because_leave(node->extra);
    wh__slab_put(node->extra);
}

static void dispose_block(wh_ctx *node)
{
    if (WH__SIZE(node->flags) == WH__SIZES) {
        wh__mem_free(node);
        return;
    }
    if (node->flags & WH__CLOCK) wh__clock_let_go(node);
    if (node->flags & WH__MERGED) wh__merged_dispose(node);
    wh__slab_put(node);
}

/* Everything of it but its place in the tree. Destructors run here, so no lock is held. */
static INLINED void dispose(wh_ctx *node)
{
    if (node->flags & WH__VALUE) {
        struct wh__value_node *value = (void *)node;
        if (value->record) wh__live_leave(value->record);
        if (value->key->destroy) value->key->destroy(value->value);
    } else {
        if (node->extra) dispose_extra(node);
        if (node->flags & WH__DISPOSES) wh__span_ops()->dispose(node);
        if (node->state & WH__OWNS_TEXT) wh__slab_put((void *)node->text);
    }
    if (WH__SIZE(node->flags) >= WH__SIZES)
        dispose_block(node);
    else
        wh__slab_put(node);
}

/* ---- its place in the tree ---- */

/* Takes a node out of its parent, under the lock by which a cancel would find it: if nobody has it any more (`sure`), or
 * nobody but its owner. Returns whether it did, and in *orphan the parent, if this was the last reference to it. */
static bool leave_parent(wh_ctx *node, bool sure, wh_ctx **orphan)
{
    wh_ctx *parent = node->parent && !(node->parent->flags & WH__IMMORTAL) ? node->parent : NULL;
    wh_ctx *above = node->flags & WH__VALUE ? NULL : wh__live_parent(node);
    if (above && above->flags & WH__IMMORTAL) above = NULL;
    if (above) wh__lock(&above->state);
    const bool leaves = sure || wh__is_alone(node) || wh__is_alone_with_shards(node);
    bool last = false;
    if (above) {
        if (leaves && node->link) wh__hang_out(node);
        if (leaves && parent == above) last = wh__count_down(above) == 0;
        wh__unlock(&above->state);
    }
    if (leaves && parent && parent != above) {
        wh__lock(&parent->state);
        last = wh__count_down(parent) == 0;
        wh__unlock(&parent->state);
    }
    *orphan = last ? parent : NULL;
    return leaves;
}

static uint32_t count_down(wh_ctx *node)
{
    wh__lock(&node->state);
    const uint32_t left = wh__count_down(node);
    wh__unlock(&node->state);
    return left;
}

/* In front of others, the ties of a node that goes, whose sources are still to be let go. */
static struct wh__tie *add_ties_of(const wh_ctx *node, struct wh__tie *others)
{
    if (!(node->flags & WH__MERGED)) return others;
    struct wh__tie *first = wh__merged(node)->ties, *last = first;
    while (last->also) last = last->also;
    last->also = others;
    return first;
}

/* Returns the source if nobody else has it. */
static wh_ctx *let_go_of_source(struct wh__tie *tie)
{
    wh_ctx *source = tie->parent;
    wh__slab_put(tie);
    return !(source->flags & WH__IMMORTAL) && count_down(source) == 0 ? source : NULL;
}

/* A chain of any length goes in a loop, and what it was merged from too. A shard has nothing to dispose of, and may go with
 * its parent as soon as it has left. */
static __attribute__((noinline)) void give_back_all(wh_ctx *node, struct wh__tie *ties)
{
    while (node || ties) {
        if (!node) {
            struct wh__tie *tie = ties;
            ties = tie->also;
            node = let_go_of_source(tie);
            continue;
        }
        const bool is_shard = node->flags & WH__SHARD;
        if (!(node->flags & WH__VALUE)) {
            wh__timer_disarm(node);
            wh__unwatch(node);
        }
        wh_ctx *orphan;
        leave_parent(node, true, &orphan);
        if (!is_shard) {
            ties = add_ties_of(node, ties);
            dispose(node);
        }
        node = orphan;
    }
}

static inline void give_back(wh_ctx *node_or_null)
{
    if (node_or_null) give_back_all(node_or_null, NULL);
}

void wh__unref(wh_ctx *node)
{
    if (count_down(node) == 0) give_back(node);
}

void wh_release(const wh_ctx *ctx)
{
    if (ctx && !(ctx->flags & WH__IMMORTAL)) wh__unref((wh_ctx *)ctx);
}

/* ---- its owner ends it ---- */

static void cancel_for(wh_ctx *ctx, const struct wh_reason *reason)
{
    wh__cancel(ctx, &(struct wh__verdict){.reason = reason, .site = ctx->made, .not_a_loser = true});
}

/* While somebody else has it, a cancel of a source must find it or find it done: so it is done before it is untied. */
static __attribute__((noinline)) void end_merged(wh_ctx *ctx, const struct wh_reason *reason)
{
    wh_ctx *orphan;
    struct wh__live_record *record = wh__live_record_of(ctx);
    wh__live_stopped(ctx, WH_STOP_OWNER);
    if (!wh__is_alone(ctx) && !wh__is_alone_with_shards(ctx)) cancel_for(ctx, reason);
    wh__untie(ctx);
    if (record) wh__live_ending(record);
    if (leave_parent(ctx, false, &orphan)) {
        struct wh__tie *ties = add_ties_of(ctx, NULL);
        dispose(ctx);
        give_back_all(orphan, ties);
        return;
    }
    if (record) wh__live_stays(record);
    cancel_for(ctx, reason);
    wh__shards_let_go(ctx);
    wh__unref(ctx);
}

static __attribute__((noinline)) void end_slowly(wh_ctx *ctx, const struct wh_reason *reason)
{
    wh_ctx *orphan;
    struct wh__live_record *record = wh__live_record_of(ctx);
    wh__live_stopped(ctx, WH_STOP_OWNER);
    if (record) wh__live_ending(record);
    if (leave_parent(ctx, false, &orphan)) {
        dispose(ctx);
        give_back(orphan);
        return;
    }
    if (record) wh__live_stays(record);
    if (!(ctx->flags & WH__VALUE)) cancel_for(ctx, reason);
    wh__shards_let_go(ctx);
    wh__unref(ctx);
}

/* Returns whether it has ended as a whole. */
static INLINED bool end_parts(wh_ctx *ctx, const struct wh_reason *reason)
{
    if (ctx->flags & WH__ENDS) wh__span_ops()->end(ctx);
    if (ctx->flags & WH__VALUE) return false;
    if (ctx->flags & WH__TIMED) wh__timer_leave(ctx);
    if (__atomic_load_n(&ctx->extra, __ATOMIC_RELAXED)) wh__unwatch(ctx);
    if (!(ctx->flags & (WH__SIGNALS | WH__MERGED))) return false;
    if (ctx->flags & WH__MERGED) {
        end_merged(ctx, reason);
        return true;
    }
    wh__signals_leave(ctx);
    return false;
}

enum { LEAVES_SLOWLY = WH__VALUE | WH__IMMORTAL | WH__DETACHED | WH__OWNS_PARENT | WH__MERGED | WH__CLOCK };

/* What is left when its parts have ended: a node of its own or in a live tree, with nothing to dispose of but its block. False, and
 * nothing has happened, if there is more to it. */
static INLINED bool leave_at_once(wh_ctx *ctx)
{
    struct wh__thread *self = wh__current;
    if (wh__unlikely(ctx->flags & (LEAVES_SLOWLY | WH__DISPOSES) || !self || wh__state(ctx) & WH__OWNS_TEXT ||
                     __atomic_load_n(&ctx->extra, __ATOMIC_RELAXED)))
        return false;
    if (wh__is_plain_parent(ctx->parent)) {
        if (wh__unlikely(!wh__leave_quickly(self, ctx, ctx->parent))) return false;
    } else if (!wh__is_background(ctx->parent) || !wh__is_alone(ctx)) {
        return false;
    }
    wh__slab_put(ctx);
    return true;
}

static INLINED void end_chain(wh_ctx *ctx, const struct wh_reason *reason)
{
    while (ctx && !(ctx->flags & WH__IMMORTAL)) {
        wh_ctx *owned = ctx->flags & WH__OWNS_PARENT ? wh__parent(ctx) : NULL;
        if (!end_parts(ctx, reason) && !leave_at_once(ctx)) end_slowly(ctx, reason);
        ctx = owned;
    }
}

static __attribute__((noinline)) void end_all(wh_ctx *ctx)
{
    end_chain(ctx, WH_ENDED);
}

/* One with nothing but a deadline. */
static __attribute__((noinline)) void end_timed(wh_ctx *ctx)
{
    wh__timer_leave(ctx);
    if (wh__unlikely(!leave_at_once(ctx))) end_all(ctx);
}

/* The short way calls no function, so that it has nothing to save. */
void wh_end(wh_ctx *ctx)
{
    if (!ctx) return;
    const uint32_t parts = ctx->flags & (WH__ENDS | WH__TIMED | WH__SIGNALS);
    if (wh__unlikely(parts)) {
        parts == WH__TIMED ? end_timed(ctx) : end_all(ctx);
        return;
    }
    if (wh__unlikely(!leave_at_once(ctx))) end_all(ctx);
}

void wh_end_because(wh_ctx *ctx, const struct wh_reason *reason)
{
    end_chain(ctx, reason ? reason : WH_ENDED);
}

wh_ctx *wh_take_over(wh_ctx *ctx, wh_ctx *parent)
{
    if (!ctx) return parent;
    if (ctx->flags & WH__IMMORTAL)
        wh_end(parent);
    else if (parent)
        ctx->flags |= WH__OWNS_PARENT;
    return ctx;
}
