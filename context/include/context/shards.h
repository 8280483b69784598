/* Shards: a parent below which several threads derive at the same time.
 *
 * Every derive and every end takes the lock of the parent and writes its list and its count: one cache line, that threads
 * then take from each other. A thread that has found the same parent busy a number of times gives it shards: nodes like
 * any other, that hang in the parent and stay there as long as it does. From then on a thread hangs what it derives in its
 * own shard, and of the parent it only reads. A cancel finds shards as it finds all nodes.
 *
 * They stand in one block, which goes with the parent's memory; so whoever may use the parent may look at them. Each holds
 * the parent, and the parent holds each, until its owner ends it: then it lets go of them, and they of it, as soon as
 * nothing is below them. By then they are done, and let nobody in.
 *
 * Nobody gets to see a shard as a context: what is asked of the context that was derived is asked of the parent itself, and
 * the one is as far from the root as the other. Whoever walks the tree passes through: wh__parent(). */
#ifndef CONTEXT_SHARDS_H
#define CONTEXT_SHARDS_H

#include "context/node.h"

enum { WH__SHARD_COUNT = 16 };

/* A node is two cache lines, and processors fetch lines in pairs. */
struct wh__shards {
    _Alignas(128) wh_ctx nodes[WH__SHARD_COUNT];
};

/* Gives the live node shards, unless it has some or is done. False without memory. */
bool wh__shard(wh_ctx *node);

/* The lock of `parent` was taken when this thread came. Gives it shards, if that is often so. */
void wh__was_busy(struct wh__thread *self, wh_ctx *parent);

/* Hangs in a filled node below the shard of this thread, which is its parent then. False, and nothing has happened, if the
 * parent has no shards or is done. */
bool wh__enter_shard(struct wh__thread *self, wh_ctx *node);

/* One more reference to a node, or to a shard of it. Returns which. */
wh_ctx *wh__ref_nearby(wh_ctx *node);

/* Whether nothing is below its shards, and besides them only its owner has it; as wh__is_alone(). */
bool wh__is_alone_with_shards(const wh_ctx *node);

/* Its owner ends it, and it is done: it holds them no longer. */
void wh__shards_let_go(wh_ctx *node);

/* How many references a node has, counting none that are there for its shards. Under its lock; what threads just do in the
 * shards may be counted or not. */
uint32_t wh__refs(const wh_ctx *node);

/* Its memory goes. */
void wh__shards_free(struct wh__shards *shards);

#endif
