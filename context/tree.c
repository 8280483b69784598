/* How nodes are made, held, ended and given back. */
#include "context/quick.h"
#include "context/shards.h"
#include "context/tree.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"

const struct wh__span_ops *wh__span_ops_given;

static const wh_ctx background = {.flags = WH__VALUE | WH__IMMORTAL};
static const wh_ctx todo = {.flags = WH__VALUE | WH__IMMORTAL};
static const struct wh_site nowhere = {"whence", "out of memory", 0};
static wh_ctx no_memory = {.state = (uint32_t)ECANCELED << 8 | WH__ORIGIN, .flags = WH__IMMORTAL, .deadline = WH_NEVER,
    .asked = WH_NEVER, .made = &nowhere, .reason = WH_NO_MEMORY, .site = &nowhere};

const wh_ctx *wh_background(void)
{
    return &background;
}

const wh_ctx *wh_todo(void)
{
    return &todo;
}

wh_ctx *wh__no_memory(void)
{
    return &no_memory;
}

/* ---- making ---- */

wh_ctx *wh__node_new(const wh_ctx *parent, enum wh__size size, uint32_t flags, int64_t timeout, int64_t now,
                     const struct wh_site *made)
{
    wh_ctx *node = wh__slab_get(size);
    if (!node) return NULL;
    const wh_ctx *above = flags & WH__DETACHED ? NULL : wh__live(parent);
    const int64_t inherited = above ? above->deadline : WH_NEVER;
    const int64_t instant = timeout == WH_NEVER ? WH_NEVER : wh__add(now, timeout);
    const bool timed = instant < inherited;
    wh__node_fill(node, parent, flags | (uint32_t)size << 28 | (timed ? WH__TIMED : 0), timed ? instant : inherited, timeout,
        made);
    return node;
}

static void be_done_like(wh_ctx *node, const wh_ctx *above)
{
    node->origin = wh__origin(above);
    node->state = (uint32_t)WH__ERR(wh__state(above)) << 8;
}

static void be_expired(wh_ctx *node, int64_t now)
{
    struct wh__thread *self = wh__self();
    node->by.thread = self ? self->id : 0;
    node->by.losers = 0;
    node->reason = WH_DEADLINE_EXCEEDED;
    node->site = node->made;
    node->text = NULL;
    node->at = now;
    node->state = (uint32_t)ETIMEDOUT << 8 | WH__ORIGIN;
}

/* Counts the node among the references of its parent, and hangs it in, unless it is done from the beginning. */
static void enter_slowly(wh_ctx *node, bool expired, int64_t now)
{
    wh_ctx *parent = node->parent;
    wh_ctx *above = wh__live_parent(node);
    const wh_ctx *live = node->flags & WH__DETACHED ? NULL : wh__live(parent); /* above may be a shard of it, and not yet know */
    bool counted = !parent || parent->flags & WH__IMMORTAL;
    if (live && wh__state(live) >= WH_NOT_OPEN_) {
        be_done_like(node, live);
    } else if (above) {
        wh__lock(&above->state);
        if (wh__state_held(above) >= WH_NOT_OPEN_)
            be_done_like(node, above);
        else if (expired)
            be_expired(node, now);
        else
            wh__hang_in(node, above);
        if (parent == above) {
            wh__count_up(above);
            counted = true;
        }
        wh__unlock(&above->state);
    } else if (expired) {
        be_expired(node, now);
    }
    if (!counted) node->parent = wh__ref_nearby(parent);
}

/* Without waiting for the parent's lock, and below one that has shards without taking it. */
static bool enter_at_once(wh_ctx *node)
{
    struct wh__thread *self = wh__current;
    wh_ctx *parent = node->parent;
    if (!self || !wh__is_plain_parent(parent) || node->flags & WH__DETACHED) return false;
    if (wh__enter_quickly(self, node, parent) || wh__enter_shard(self, node)) return true;
    if (wh__state(parent) < WH_NOT_OPEN_) wh__was_busy(self, parent);
    return false;
}

static wh_ctx *arm(wh_ctx *node)
{
    if (wh__unlikely(!wh__timer_arm(node)))
        wh__cancel(node, &(struct wh__verdict){.reason = WH_NO_MEMORY, .site = node->made});
    return node;
}

wh_ctx *wh__node_enter(wh_ctx *node, int64_t now)
{
    const bool timed = node->flags & WH__TIMED;
    const bool expired = timed && node->deadline <= now;
    if (expired || !enter_at_once(node)) enter_slowly(node, expired, now);
    return timed && wh__state(node) < WH_NOT_OPEN_ ? arm(node) : node;
}

/* One reading of the clock serves to count from and to compare with. */
static wh_ctx *derive(const wh_ctx *parent, uint32_t flags, int64_t timeout, int64_t now, const struct wh_site *site)
{
    wh_ctx *node = wh__node_new(parent, WH__128, flags, timeout, now, site);
    return node ? wh__node_enter(node, now) : &no_memory;
}

static __attribute__((noinline)) wh_ctx *derive_slowly(const wh_ctx *parent, const struct wh_site *site)
{
    return derive(parent, 0, WH_NEVER, 0, site);
}

/* Below wh_background() and the like there is nothing to enter. */
static __attribute__((noinline)) wh_ctx *derive_root(const wh_ctx *parent, const struct wh_site *site)
{
    struct wh__thread *self = wh__current;
    wh_ctx *node = self && wh__is_background(parent) ? wh__slab_at_once(self, WH__128) : NULL;
    if (wh__unlikely(!node)) return derive_slowly(parent, site);
    wh__node_fill(node, parent, WH__128 << 28, WH_NEVER, WH_NEVER, site);
    return node;
}

/* The short way calls no function, so that it has nothing to save. */
wh_ctx *wh_with_cancel_at(const wh_ctx *parent, const struct wh_site *site)
{
    if (!wh__is_plain_parent(parent)) return derive_root(parent, site);
    struct wh__thread *self = wh__current;
    wh_ctx *node = self ? wh__slab_at_once(self, WH__128) : NULL;
    if (wh__unlikely(!node)) return derive_slowly(parent, site);
    wh__node_fill(node, parent, WH__128 << 28, parent->deadline, WH_NEVER, site);
    return wh__likely(wh__enter_quickly(self, node, (wh_ctx *)parent)) ? node : wh__node_enter(node, 0);
}

/* The short way of those with a deadline ahead that is the earliest on the way to the root. */
static inline wh_ctx *derive_timed(const wh_ctx *parent, int64_t timeout, int64_t now, const struct wh_site *site)
{
    const int64_t instant = wh__add(now, timeout);
    struct wh__thread *self = wh__current;
    if (wh__unlikely(!self || !wh__is_plain_parent(parent) || instant >= parent->deadline || timeout <= 0))
        return derive(parent, 0, timeout, now, site);
    wh_ctx *node = wh__slab_at_once(self, WH__128);
    if (wh__unlikely(!node)) return derive(parent, 0, timeout, now, site);
    wh__node_fill(node, parent, WH__TIMED | WH__128 << 28, instant, timeout, site);
    return wh__likely(wh__enter_quickly(self, node, (wh_ctx *)parent)) ? arm(node) : wh__node_enter(node, now);
}

wh_ctx *wh_with_timeout_at(const wh_ctx *parent, int64_t timeout, const struct wh_site *site)
{
    return timeout == WH_NEVER ? derive(parent, 0, WH_NEVER, 0, site) : derive_timed(parent, timeout, wh__now(), site);
}

wh_ctx *wh_with_deadline_at(const wh_ctx *parent, int64_t instant, const struct wh_site *site)
{
    if (instant == WH_NEVER) return wh_with_cancel_at(parent, site);
    const int64_t now = wh__now();
    return derive_timed(parent, wh__sub(instant, now), now, site);
}

wh_ctx *wh_detach_at(const wh_ctx *parent, const struct wh_site *site)
{
    return derive(parent, WH__DETACHED, WH_NEVER, 0, site);
}

/* ---- holding and leaving ---- */

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

static void dispose_extra(wh_ctx *node)
{
    wh__callbacks_drop(node);
    if (node->state & WH__HAS_FD) wh__done_fd_close(node);
    if (node->state & WH__SHARDED) wh__shards_free(node->extra->shards);
    wh__slab_put_if(node->extra->culprit);
    wh__slab_put(node->extra);
}

/* Everything of it but its place in the tree. Destructors run here, so no lock is held. */
static inline void dispose(wh_ctx *node)
{
    if (node->flags & WH__VALUE) {
        struct wh__value_node *value = (void *)node;
        if (value->key->destroy) value->key->destroy(value->value);
    } else {
        if (node->flags & WH__DISPOSES) wh__span_ops()->dispose(node);
        if (node->state & WH__OWNS_TEXT) wh__slab_put((void *)node->text);
        if (node->extra) dispose_extra(node);
    }
    if (WH__SIZE(node->flags) == WH__SIZES)
        wh__mem_free(node);
    else
        wh__slab_put(node);
}

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

/* A chain of any length goes in a loop. A shard has nothing to dispose of, and may go with its parent as soon as it has left. */
static void give_back(wh_ctx *node)
{
    while (node) {
        const bool is_shard = node->flags & WH__SHARD;
        if (!(node->flags & WH__VALUE)) {
            wh__timer_disarm(node);
            wh__unwatch(node);
        }
        wh_ctx *orphan;
        leave_parent(node, true, &orphan);
        if (!is_shard) dispose(node);
        node = orphan;
    }
}

void wh__unref(wh_ctx *node)
{
    wh__lock(&node->state);
    const uint32_t left = wh__count_down(node);
    wh__unlock(&node->state);
    if (left == 0) give_back(node);
}

void wh_release(const wh_ctx *ctx)
{
    if (ctx && !(ctx->flags & WH__IMMORTAL)) wh__unref((wh_ctx *)ctx);
}

static void end_slowly(wh_ctx *ctx, const struct wh_reason *reason)
{
    wh_ctx *orphan;
    if (leave_parent(ctx, false, &orphan)) {
        dispose(ctx);
        give_back(orphan);
        return;
    }
    if (!(ctx->flags & WH__VALUE))
        wh__cancel(ctx, &(struct wh__verdict){.reason = reason, .site = ctx->made, .not_a_loser = true});
    wh__shards_let_go(ctx);
    wh__unref(ctx);
}

static void end_parts(wh_ctx *ctx)
{
    if (ctx->flags & WH__ENDS) wh__span_ops()->end(ctx);
    if (ctx->flags & WH__VALUE) return;
    if (ctx->flags & WH__TIMED) wh__timer_disarm(ctx);
    if (__atomic_load_n(&ctx->extra, __ATOMIC_RELAXED)) wh__unwatch(ctx);
    if (ctx->flags & WH__SIGNALS) wh__signals_leave(ctx);
}

enum { LEAVES_SLOWLY = WH__VALUE | WH__IMMORTAL | WH__DETACHED | WH__OWNS_PARENT };

/* What is left when its parts have ended: a node of its own or in a live tree, with nothing to dispose of but its block. False, and
 * nothing has happened, if there is more to it. */
static inline __attribute__((always_inline)) bool leave_at_once(wh_ctx *ctx)
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

static inline __attribute__((always_inline)) void end_chain(wh_ctx *ctx, const struct wh_reason *reason)
{
    while (ctx && !(ctx->flags & WH__IMMORTAL)) {
        wh_ctx *owned = ctx->flags & WH__OWNS_PARENT ? wh__parent(ctx) : NULL;
        end_parts(ctx);
        if (!leave_at_once(ctx)) end_slowly(ctx, reason);
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
    wh__timer_disarm(ctx);
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
