/* For tests that run over parents with shards: the references of one, and with SHARDED defined, contexts of which many have shards
 * from the beginning. */
#ifndef SHARDS_TOOLS_H
#define SHARDS_TOOLS_H

#include "context/shards.h"
#include "tools.h"

/* Those that a node would have without shards. `owned`: its owner has not ended it. */
static inline uint32_t refs_of(const wh_ctx *node, bool owned)
{
    uint32_t refs = __atomic_load_n(&node->refs, __ATOMIC_ACQUIRE);
    if (node->flags & WH__VALUE || !(wh__state(node) & WH__SHARDED)) return refs;
    for (int i = 0; i < WH__SHARD_COUNT; i++) {
        const uint32_t of_shard = __atomic_load_n(&node->extra->shards->nodes[i].refs, __ATOMIC_ACQUIRE);
        if (of_shard) refs += of_shard - (owned ? 2 : 1);
    }
    return refs;
}

/* Whether nothing hangs in it, or in a shard of it. */
static inline bool is_childless(const wh_ctx *node)
{
    if (!(wh__state(node) & WH__SHARDED)) return !node->children;
    for (int i = 0; i < WH__SHARD_COUNT; i++)
        if (node->extra->shards->nodes[i].children) return false;
    for (const wh_ctx *child = node->children; child; child = child->next)
        if (!(child->flags & WH__SHARD)) return false;
    return true;
}

#ifdef SHARDED
/* Every third one: shards of all that tests make take their time. */
static inline wh_ctx *sharded(wh_ctx *ctx)
{
    static _Thread_local unsigned count;
    if (!(ctx->flags & (WH__VALUE | WH__IMMORTAL)) && count++ % 3 == 0) wh__shard(ctx);
    return ctx;
}
#define chances(full) chances((full) / 10)
#undef wh_with_cancel
#define wh_with_cancel(parent) sharded(wh_with_cancel_at((parent), WH_HERE))
#undef wh_with_timeout
#define wh_with_timeout(parent, timeout) sharded(wh_with_timeout_at((parent), (timeout), WH_HERE))
#undef wh_with_deadline
#define wh_with_deadline(parent, instant) sharded(wh_with_deadline_at((parent), (instant), WH_HERE))
#undef wh_detach
#define wh_detach(parent) sharded(wh_detach_at((parent), WH_HERE))
#endif

#endif
