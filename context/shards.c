/* Shards: how a parent gets them, and what goes through them. */
#include "context/shards.h"

#include "base/mem.h"
#include "context/quick.h"
#include "context/tree.h"

enum { BUSY = 32 }; /* as often is a parent found busy by one thread: that has cost more than shards do */

static struct wh__shards *shards_of(const wh_ctx *node)
{
    return wh__state(node) & WH__SHARDED ? node->extra->shards : NULL;
}

/* ---- getting them ---- */

static void fill(struct wh__shards *shards, const wh_ctx *parent)
{
    for (int i = 0; i < WH__SHARD_COUNT; i++) {
        wh_ctx *shard = &shards->nodes[i];
        wh__node_fill(shard, parent, WH__SHARD, parent->deadline, parent->asked, parent->made);
        shard->level = parent->level;
    }
}

bool wh__shard(wh_ctx *node)
{
    struct wh__extra *extra = wh__extra_of(node, true);
    struct wh__shards *shards = extra ? wh__mem_aligned(_Alignof(struct wh__shards), sizeof *shards) : NULL;
    if (!shards) return false;
    fill(shards, node);
    wh__lock(&node->state);
    uint32_t state = wh__state_held(node);
    const bool wants = state < WH_NOT_OPEN_ && !(state & WH__SHARDED);
    if (wants) {
        for (int i = 0; i < WH__SHARD_COUNT; i++) {
            wh__count_up(node);
            wh__hang_in(&shards->nodes[i], node);
        }
        extra->shards = shards;
        state |= WH__SHARDED;
    }
    wh__unlock_to(&node->state, state);
    if (!wants) wh__mem_free(shards);
    return true;
}

void wh__was_busy(struct wh__thread *self, wh_ctx *parent)
{
    if (self->busy_parent != parent) {
        self->busy_parent = parent;
        self->busy_times = 0;
    }
    if (++self->busy_times < BUSY) return;
    self->busy_times = 0; /* without memory, it is tried again after as many times */
    wh__shard(parent);
}

/* ---- going through them ---- */

/* The shard of this thread, locked and open; NULL, and nothing is locked, if there is none. */
static wh_ctx *lock_shard(struct wh__thread *self, const wh_ctx *parent)
{
    const uint32_t state = wh__state(parent);
    if (!self || !(state & WH__SHARDED) || state >= WH_NOT_OPEN_) return NULL;
    wh_ctx *shard = &parent->extra->shards->nodes[self->number % WH__SHARD_COUNT];
    wh__lock_as(self, &shard->state);
    if (wh__state_held(shard) < WH_NOT_OPEN_) return shard;
    wh__unlock_as(self, &shard->state, wh__state_held(shard));
    return NULL;
}

/* Who has seen that the parent is done gets here a child that is: it is asked before its shard, which may hear of it later. */
bool wh__enter_shard(struct wh__thread *self, wh_ctx *node)
{
    wh_ctx *shard = lock_shard(self, node->parent);
    if (!shard) return false;
    node->parent = shard;
    wh__count_up(shard);
    wh__hang_in(node, shard);
    wh__unlock_as(self, &shard->state, wh__state_held(shard));
    return true;
}

wh_ctx *wh__ref_nearby(wh_ctx *node)
{
    struct wh__thread *self = wh__self();
    wh_ctx *shard = node->flags & WH__VALUE ? NULL : lock_shard(self, node);
    if (!shard) {
        wh__ref(node);
        return node;
    }
    wh__count_up(shard);
    wh__unlock_as(self, &shard->state, wh__state_held(shard));
    return shard;
}

/* ---- losing them ---- */

bool wh__is_alone_with_shards(const wh_ctx *node)
{
    const struct wh__shards *shards = shards_of(node);
    if (!shards || __atomic_load_n(&node->refs, __ATOMIC_ACQUIRE) != 1 + WH__SHARD_COUNT) return false;
    if (wh__state(node) & WH__LOCK_BIT) return false;
    for (int i = 0; i < WH__SHARD_COUNT; i++)
        if (!wh__is_alone(&shards->nodes[i])) return false;
    return true;
}

void wh__shards_let_go(wh_ctx *node)
{
    struct wh__shards *shards = shards_of(node);
    for (uint32_t i = 0; shards && i < WH__SHARD_COUNT; i++) {
        __atomic_store_n(&node->extra->shards_left, i + 1, __ATOMIC_RELAXED);
        wh__unref(&shards->nodes[i]);
    }
}

/* Each shard that is still there is one of the node's, and of its own its owner's hold is one. */
uint32_t wh__refs(const wh_ctx *node)
{
    const struct wh__shards *shards = node->flags & WH__VALUE ? NULL : shards_of(node);
    const uint32_t left = shards ? __atomic_load_n(&node->extra->shards_left, __ATOMIC_ACQUIRE) : 0;
    uint32_t refs = node->refs;
    for (uint32_t i = 0; shards && i < WH__SHARD_COUNT; i++) {
        const uint32_t of_shard = __atomic_load_n(&shards->nodes[i].refs, __ATOMIC_RELAXED);
        if (of_shard) refs += of_shard - 1 - (i >= left);
    }
    return refs;
}

void wh__shards_free(struct wh__shards *shards)
{
    wh__mem_free(shards);
}
