/* Small blocks of four sizes, from pages that belong to one thread. The fifth kind is for what somebody may look for among all
 * blocks that there are: see below.
 *
 * The owner takes and returns blocks with a few plain loads and stores. Anyone else returns them through one atomic list,
 * which the owner empties when it runs out. Pages that are wholly free go back to the system, all but the one in use of
 * each size. Not to be called under a lock. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include "base/thread.h"

/* The head of a page. A block finds it by its address: pages are as large as they are aligned. */
enum { WH__PAGE = 65536 };
struct wh__page {
    struct wh__heap *heap;         /* immutable */
    void *free;                    /* blocks that were returned, linked through their first word; owner only, as the rest */
    uint32_t used;
    uint32_t bytes;                /* of one block */
    bool listed;                   /* among the open pages of its heap */
    uint8_t size;                  /* enum wh__size */
    char *fresh, *end;             /* blocks that were never used; of WH__KEPT, `fresh` is atomic */
    struct wh__page *next, *prev;
};

void *wh__slab_get_slowly(enum wh__size size, bool may_ask);
void wh__slab_put_slowly(void *block);

/* Under AddressSanitizer a free block is poisoned: only the slow way knows how. gcc has a macro for it, clang a feature. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define WH__SLAB_FAST 0
#else
#define WH__SLAB_FAST 1
#endif

static inline void *wh__slab_get_if(enum wh__size size, bool may_ask)
{
    struct wh__thread *self = wh__current;
    struct wh__page *page = WH__SLAB_FAST && wh__likely(self) ? self->heap.open[size] : NULL;
    if (wh__unlikely(!page || !page->free)) return wh__slab_get_slowly(size, may_ask);
    void *block = page->free;
    page->free = *(void **)block;
    page->used++;
    return block;
}

/* A block aligned to its size, up to 64; NULL without memory. */
static inline void *wh__slab_get(enum wh__size size)
{
    return wh__slab_get_if(size, true);
}

/* The same, but never asks the system: for paths that must not allocate. */
static inline void *wh__slab_take(enum wh__size size)
{
    return wh__slab_get_if(size, false);
}

/* Any thread may return any block. */
static inline void wh__slab_put(void *block)
{
    struct wh__page *page = (struct wh__page *)((uintptr_t)block & ~(uintptr_t)(WH__PAGE - 1));
    struct wh__thread *self = wh__current;
    if (!WH__SLAB_FAST || wh__unlikely(!self || page->heap != &self->heap || page->used == 1 || !page->listed)) {
        wh__slab_put_slowly(block);
        return;
    }
    *(void **)block = page->free;
    page->free = block;
    page->used--;
}

static inline void wh__slab_put_if(void *block_or_null)
{
    if (block_or_null) wh__slab_put(block_or_null);
}

/* Makes sure that the next wh__slab_take() on this thread finds something, as far as there is memory. */
void wh__slab_stock(enum wh__size size);

/* Pages held by all threads together, for tests and statistics. */
size_t wh__slab_pages(void);

/* ---- WH__KEPT: 256 bytes, for things of one kind that can be found -----
 *
 * A block comes all zero the first time and afterwards as it was returned, but for its first word. So a word in its second half
 * that its user clears before returning it tells, at any time and to anybody, whether the block is in use for that: what is
 * found there while a walk is on its page is memory of this kind, taken or free. */
struct wh__kept_page;
struct wh__walk {
    struct wh__kept_page *next;    /* [lock of the pages] */
    struct wh__walk *others;       /* [lock of the pages] */
    uint32_t forks;                /* wh__forks: in a child, a walk of the parent's is over */
};
void wh__walk_begin(struct wh__walk *walk);
void wh__walk_end(struct wh__walk *walk);

/* fn(block, arg) for each block of the next page that was ever handed out; false, and nothing, after the last. A page that comes
 * after the beginning is not visited. None can go while fn runs, which is under a lock: it may take others, that of blocks first. */
bool wh__walk_page(struct wh__walk *walk, void (*fn)(void *block, void *arg), void *arg);
enum { WH__MOST_ON_PAGE = WH__PAGE / 256 };

#endif
