#include "base/slab.h"

#include <stdbool.h>

#include "base/mem.h"
#include "base/thread.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(block, size) __asan_poison_memory_region(block, size)
#define UNPOISON(block, size) __asan_unpoison_memory_region(block, size)
#else
#define POISON(block, size) ((void)0)
#define UNPOISON(block, size) ((void)0)
#endif

/* 64 KB, aligned to 64 KB, so that a block finds its page. */
enum { PAGE = 65536, HEADER = 64 };

struct wh__page {
    struct wh__heap *heap;         /* immutable */
    void *free;                    /* blocks that were returned, linked through their first word; owner only, as the rest */
    char *fresh, *end;             /* blocks that were never used */
    uint32_t used;
    uint32_t bytes;                /* of one block */
    bool listed;                   /* among the open pages of its heap */
    struct wh__page *next, *prev;
};
_Static_assert(sizeof(struct wh__page) <= HEADER, "the header of a page takes one block of 64 bytes");

static size_t pages;

size_t wh__slab_pages(void)
{
    return __atomic_load_n(&pages, __ATOMIC_RELAXED);
}

static enum wh__size size_of(const struct wh__page *page)
{
    return (enum wh__size)(__builtin_ctz(page->bytes) - 6);
}

static struct wh__page *page_of(void *block)
{
    return (struct wh__page *)((uintptr_t)block & ~(uintptr_t)(PAGE - 1));
}

static void list(struct wh__heap *heap, struct wh__page *page, struct wh__page *after)
{
    struct wh__page **slot = after ? &after->next : &heap->open[size_of(page)];
    page->prev = after;
    page->next = *slot;
    if (page->next) page->next->prev = page;
    *slot = page;
    page->listed = true;
}

static void unlist(struct wh__heap *heap, struct wh__page *page)
{
    *(page->prev ? &page->prev->next : &heap->open[size_of(page)]) = page->next;
    if (page->next) page->next->prev = page->prev;
    page->listed = false;
}

static struct wh__page *new_page(struct wh__heap *heap, enum wh__size size)
{
    struct wh__page *page = wh__mem_aligned(PAGE, PAGE);
    if (!page) return NULL;
    const uint32_t bytes = 64u << size;
    *page = (struct wh__page){.heap = heap, .bytes = bytes, .end = (char *)page + PAGE};
    page->fresh = (char *)page + (bytes > HEADER ? bytes : HEADER);
    POISON(page->fresh, (size_t)(page->end - page->fresh));
    list(heap, page, NULL);
    __atomic_fetch_add(&pages, 1, __ATOMIC_RELAXED);
    return page;
}

static void *pop(struct wh__page *page)
{
    char *block = page->free;
    if (block) {
        UNPOISON(block, page->bytes);
        page->free = *(void **)block;
    } else if (page->fresh < page->end) {
        block = page->fresh;
        UNPOISON(block, page->bytes);
        page->fresh += page->bytes;
    } else {
        return NULL;
    }
    page->used++;
    return block;
}

/* The page in use stays even when it is empty, so that a loop that takes and returns one block never asks the system. */
static void push(struct wh__heap *heap, struct wh__page *page, void *block)
{
    *(void **)block = page->free;
    page->free = block;
    POISON(block, page->bytes);
    page->used--;
    struct wh__page *first = heap->open[size_of(page)];
    if (!page->listed) {
        list(heap, page, first);
    } else if (page->used == 0 && page != first) {
        unlist(heap, page);
        UNPOISON(page, PAGE);
        __atomic_fetch_sub(&pages, 1, __ATOMIC_RELAXED);
        wh__mem_free(page);
    }
}

static void collect_returned(struct wh__heap *heap)
{
    void *block = __atomic_exchange_n(&heap->returned, NULL, __ATOMIC_ACQUIRE);
    while (block) {
        struct wh__page *page = page_of(block);
        void *next = *(void **)block;
        push(heap, page, block);
        block = next;
    }
}

/* Pages that are used up leave the list until one of their blocks comes back. */
static void *pop_open(struct wh__heap *heap, enum wh__size size)
{
    for (struct wh__page *page; (page = heap->open[size]);) {
        void *block = pop(page);
        if (block) return block;
        unlist(heap, page);
    }
    return NULL;
}

static void *get(enum wh__size size, bool may_ask)
{
    struct wh__thread *self = wh__self();
    if (!self) return NULL;
    struct wh__heap *heap = &self->heap;
    void *block = pop_open(heap, size);
    if (__builtin_expect(block != NULL, 1)) return block;
    if (__atomic_load_n(&heap->returned, __ATOMIC_RELAXED)) {
        collect_returned(heap);
        block = pop_open(heap, size);
        if (block) return block;
    }
    struct wh__page *page = may_ask ? new_page(heap, size) : NULL;
    return page ? pop(page) : NULL;
}

void *wh__slab_get(enum wh__size size)
{
    return get(size, true);
}

void *wh__slab_take(enum wh__size size)
{
    return get(size, false);
}

void wh__slab_stock(enum wh__size size)
{
    struct wh__thread *self = wh__self();
    const struct wh__page *page = self ? self->heap.open[size] : NULL;
    if (self && !(page && (page->free || page->fresh < page->end))) wh__slab_put(get(size, true));
}

void wh__slab_put(void *block)
{
    if (!block) return;
    struct wh__page *page = page_of(block);
    struct wh__thread *self = wh__current;
    if (self && page->heap == &self->heap) {
        push(page->heap, page, block);
        return;
    }
    void *head = __atomic_load_n(&page->heap->returned, __ATOMIC_RELAXED);
    do {
        *(void **)block = head;
    } while (!__atomic_compare_exchange_n(&page->heap->returned, &head, block, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}
