/* How nodes are made and enter the tree. How they leave it: leave.c. */
#include "context/live.h"
#include "context/quick.h"
#include "context/shards.h"
#include "context/tree.h"

#include <errno.h>

#include "base/clock.h"
#include "context/clock.h"

const struct wh__span_ops *wh__span_ops_given;

static const wh_ctx background = {.flags = WH__VALUE | WH__IMMORTAL};
static const struct wh_site nowhere = {"whence", "out of memory", 0};
static wh_ctx no_memory = {.state = (uint32_t)ECANCELED << 8 | WH__ORIGIN, .flags = WH__IMMORTAL, .deadline = WH_NEVER,
    .asked = WH_NEVER, .made = &nowhere, .reason = WH_NO_MEMORY, .site = &nowhere};

const wh_ctx *wh_background(void)
{
    return &background;
}

wh_ctx *wh__no_memory(void)
{
    return &no_memory;
}

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
    node->at = node->flags & WH__CLOCKED ? wh__now() : now;
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
    const uint32_t state = wh__state(parent);
    const bool was_shut = __atomic_load_n(&wh__gate, __ATOMIC_RELAXED) && !(state & WH__LOCK_BIT); /* and not taken */
    if (state < WH_NOT_OPEN_ && !was_shut) wh__was_busy(self, parent);
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
    if (timed && wh__state(node) < WH_NOT_OPEN_) arm(node);
    return wh__is_tracking() ? wh__live_enter(node) : node;
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

/* Below wh_background() and the like there is nothing to enter, and no lock to take: so it looks at the gate itself. */
static __attribute__((noinline)) wh_ctx *derive_root(const wh_ctx *parent, const struct wh_site *site)
{
    struct wh__thread *self = wh__current;
    wh_ctx *node = self && wh__is_background(parent) ? wh__slab_at_once(self, WH__128) : NULL;
    if (wh__unlikely(!node)) return derive_slowly(parent, site);
    wh__node_fill(node, parent, WH__128 << 28, WH_NEVER, WH_NEVER, site);
    return wh__is_tracking() ? wh__live_enter(node) : node;
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

/* The short way of those with a deadline ahead that is the earliest on the way to the root; NULL: it takes the long one. `now`
 * is of the system's clock, so what goes by another takes that too. */
static inline __attribute__((always_inline)) wh_ctx *derive_timed(const wh_ctx *parent, int64_t timeout, int64_t now,
                                                                  const struct wh_site *site)
{
    const int64_t instant = wh__add(now, timeout);
    struct wh__thread *self = wh__current;
    if (wh__unlikely(!self || !parent || parent->flags & (WH__VALUE | WH__IMMORTAL | WH__CLOCKED) ||
                     instant >= parent->deadline || timeout <= 0))
        return NULL;
    wh_ctx *node = wh__slab_at_once(self, WH__128);
    if (wh__unlikely(!node)) return NULL;
    wh__node_fill(node, parent, WH__TIMED | WH__128 << 28, instant, timeout, site);
    return wh__likely(wh__enter_quickly(self, node, (wh_ctx *)parent)) ? arm(node) : wh__node_enter(node, now);
}

/* `now` for what is derived from it, where that has been read from the system's clock already. */
static inline int64_t now_for(const wh_ctx *parent, int64_t now)
{
    return parent && parent->flags & WH__CLOCKED ? wh__now_for(parent) : now;
}

static __attribute__((noinline)) wh_ctx *derive_for(const wh_ctx *parent, int64_t timeout, int64_t now, const struct wh_site *site)
{
    return derive(parent, 0, timeout, now_for(parent, now), site);
}

static __attribute__((noinline)) wh_ctx *derive_until(const wh_ctx *parent, int64_t instant, int64_t now, const struct wh_site *site)
{
    now = now_for(parent, now);
    return derive(parent, 0, wh__sub(instant, now), now, site);
}

wh_ctx *wh_with_timeout_at(const wh_ctx *parent, int64_t timeout, const struct wh_site *site)
{
    if (timeout == WH_NEVER) return derive(parent, 0, WH_NEVER, 0, site);
    const int64_t now = wh__now();
    wh_ctx *node = derive_timed(parent, timeout, now, site);
    return wh__likely(node) ? node : derive_for(parent, timeout, now, site);
}

wh_ctx *wh__with_callers_timeout(const wh_ctx *parent, int64_t timeout, int64_t now, const struct wh_site *site)
{
    return derive(parent, WH__CALLERS, timeout, now, site);
}

wh_ctx *wh_with_deadline_at(const wh_ctx *parent, int64_t instant, const struct wh_site *site)
{
    if (instant == WH_NEVER) return wh_with_cancel_at(parent, site);
    const int64_t now = wh__now();
    wh_ctx *node = derive_timed(parent, wh__sub(instant, now), now, site);
    return wh__likely(node) ? node : derive_until(parent, instant, now, site);
}

wh_ctx *wh_detach_at(const wh_ctx *parent, const struct wh_site *site)
{
    return derive(parent, WH__DETACHED, WH_NEVER, 0, site);
}
