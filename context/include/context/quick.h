/* The short ways through the tree, inline: making and ending a context that asks for nothing special, below a live node.
 * One atomic operation each. Whatever is special goes the long way, in tree.c. */
#ifndef CONTEXT_QUICK_H
#define CONTEXT_QUICK_H

#include "context/node.h"

/* Fills a fresh block. Field by field: what is not set here is not looked at before it is. */
static inline void wh__node_fill(wh_ctx *node, const wh_ctx *parent, uint32_t flags, int64_t deadline, int64_t asked,
                                 const struct wh_site *made)
{
    node->state = 0;
    node->flags = flags;
    node->refs = 1;
    node->level = 0;
    node->parent = (wh_ctx *)parent;
    node->link = NULL;
    node->children = NULL;
    node->extra = NULL;
    node->deadline = deadline;
    node->asked = asked;
    node->made = made;
    node->timer = 0;
    if (parent) {
        node->level = parent->level + 1;
        node->flags |= parent->flags & WH__INHERITED;
    }
}

/* A block that is there at once, for a thread that has a record; calls no function. NULL if not. */
static inline void *wh__slab_at_once(struct wh__thread *self, enum wh__size size)
{
    struct wh__page *page = WH__SLAB_FAST ? self->heap.open[size] : NULL;
    if (wh__unlikely(!page || !page->free)) return NULL;
    void *block = page->free;
    page->free = *(void **)block;
    page->used++;
    return block;
}

/* Under the lock of `above`: R10, no cancel of it can be lost. */
static inline void wh__hang_in(wh_ctx *node, wh_ctx *above)
{
    node->next = above->children;
    node->link = &above->children;
    if (node->next) node->next->link = &node->next;
    above->children = node;
}

static inline bool wh__is_plain_parent(const wh_ctx *parent)
{
    return parent && !(parent->flags & (WH__VALUE | WH__IMMORTAL));
}

/* wh_background() and the like: never done, not counted. */
static inline bool wh__is_background(const wh_ctx *parent)
{
    return !parent || (parent->flags & (WH__VALUE | WH__IMMORTAL)) == (WH__VALUE | WH__IMMORTAL);
}

/* Hangs in a filled node. False, and nothing has happened, if the parent is done, busy, or has shards: then nobody is to write
 * here, not even the lock. */
static inline __attribute__((always_inline)) bool wh__enter_quickly(struct wh__thread *self, wh_ctx *node, wh_ctx *parent)
{
    if (wh__unlikely(wh__state(parent) & WH__SHARDED)) return false;
    if (wh__unlikely(!wh__lock_at_once(self, &parent->state))) return false;
    const uint32_t state = wh__state_held(parent);
    const bool open = state < WH_NOT_OPEN_;
    if (wh__likely(open)) {
        wh__count_up(parent);
        wh__hang_in(node, parent);
    }
    wh__unlock_at_once(self, &parent->state, state);
    return open;
}

/* Whether the owner is all that is left, so that the node may go at once; under the lock of its live parent, if it has
 * one. Who lowered the count to 1 did so under the node's lock; having seen the 1 we see that lock taken, until its holder
 * has made its very last access. */
static inline bool wh__is_alone(const wh_ctx *node)
{
    return __atomic_load_n(&node->refs, __ATOMIC_ACQUIRE) == 1 && !(wh__state(node) & WH__LOCK_BIT) &&
           (node->flags & WH__VALUE || !node->children);
}

/* Takes a live node that only its owner has out of its plain parent, which stays. False, and nothing has happened, if
 * somebody else has the node, nobody but it has the parent, or the parent is busy. */
static inline __attribute__((always_inline)) bool wh__leave_quickly(struct wh__thread *self, wh_ctx *node, wh_ctx *parent)
{
    if (wh__unlikely(!wh__lock_at_once(self, &parent->state))) return false;
    const bool leaves = wh__is_alone(node) && parent->refs > 1;
    if (wh__likely(leaves)) {
        if (node->link) wh__hang_out(node);
        wh__count_down(parent);
    }
    wh__unlock_at_once(self, &parent->state, wh__state_held(parent));
    return leaves;
}

#endif
