/* Values: one node each, found by walking up. */
#include <string.h>

#include "base/mem.h"
#include "context/live.h"
#include "context/merge.h"
#include "context/shards.h"
#include "context/tree.h"

enum { DEEP = 10000 }; /* nobody nests calls so deep: it is a loop */

static void warn_of_depth(const struct wh__value_node *node)
{
    static bool warned;
    if (!__atomic_exchange_n(&warned, true, __ATOMIC_RELAXED))
        wh_report(WH_WARNING, "a context with the value \"%.40s\" stands %u levels deep: is each made from the last, in a loop?",
            node->key->name, node->level);
}

wh_ctx *wh_with_value(const wh_ctx *parent, const struct wh_key *key, const void *value)
{
    if (!key) return wh__no_memory();
    const size_t bytes = sizeof(struct wh__value_node) + key->value_size;
    const enum wh__size size = bytes <= 64 ? WH__64 : bytes <= 128 ? WH__128 : bytes <= 256 ? WH__256 : bytes <= 512 ? WH__512 : WH__SIZES;
    struct wh__value_node *node = size == WH__SIZES ? wh__mem_get(bytes) : wh__slab_get(size);
    if (!node) {
        if (key->destroy) key->destroy((void *)value); /* nobody will ever see it */
        return wh__no_memory();
    }
    wh_ctx *live = wh__live(parent);
    *node = (struct wh__value_node){
        .state = live ? WH__FORWARD : 0,
        .flags = WH__VALUE | (uint32_t)size << 28,
        .refs = 1,
        .live = live,
        .key = key,
    };
    memcpy(node->value, value, key->value_size);
    if (parent) {
        node->parent = parent->flags & WH__IMMORTAL ? (wh_ctx *)parent : wh__ref_nearby((wh_ctx *)parent);
        node->live = wh__live_at(node->parent);
        node->level = parent->level + 1;
        node->flags |= parent->flags & WH__INHERITED;
        if (wh__unlikely(node->level >= DEEP)) warn_of_depth(node);
    }
    return wh__is_tracking() ? wh__live_enter((void *)node) : (void *)node;
}

/* A parent never changes and a value never moves, so whoever has a context may look without a lock. */
const void *wh_value(const wh_ctx *ctx, const struct wh_key *key)
{
    const wh_ctx *from = ctx;
    for (; ctx; ctx = ctx->parent) {
        const struct wh__value_node *node = (const void *)ctx;
        if (ctx->flags & WH__VALUE && !(ctx->flags & WH__IMMORTAL) && node->key == key) return node->value;
    }
    return from && from->flags & WH__MERGED_ABOVE ? wh__merged_value(from, key) : NULL;
}
