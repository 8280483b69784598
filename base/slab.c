#include "base/slab.h"

#include "base/mem.h"

#if !WH__SLAB_FAST
#include <sanitizer/asan_interface.h>
#define POISON(block, size) __asan_poison_memory_region(block, size)
#define UNPOISON(block, size) __asan_unpoison_memory_region(block, size)
#else
#define POISON(block, size) ((void)0)
#define UNPOISON(block, size) ((void)0)
#endif

enum { HEADER = 64, COLLECT = 512 };
_Static_assert(sizeof(struct wh__page) <= HEADER, "the head of a page takes one block of 64 bytes");

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
    return (struct wh__page *)((uintptr_t)block & ~(uintptr_t)(WH__PAGE - 1));
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
    struct wh__page *page = wh__mem_aligned(WH__PAGE, WH__PAGE);
    if (!page) return NULL;
    const uint32_t bytes = 64u << size;
    *page = (struct wh__page){.heap = heap, .bytes = bytes, .end = (char *)page + WH__PAGE};
    page->fresh = (char *)page + (bytes > HEADER ? bytes : HEADER);
    POISON(page->fresh, (size_t)(page->end - page->fresh));
    list(heap, page, NULL);
    __atomic_fetch_add(&pages, 1, __ATOMIC_RELAXED);
    return page;
}

static void free_page(struct wh__heap *heap, struct wh__page *page)
{
    unlist(heap, page);
    UNPOISON(page, WH__PAGE);
    __atomic_fetch_sub(&pages, 1, __ATOMIC_RELAXED);
    wh__mem_free(page);
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
    if (!page->listed)
        list(heap, page, first);
    else if (page->used == 0 && page != first)
        free_page(heap, page);
}

/* Some of what others gave back: a million at once would keep the one that asks for a block for tenths of a second. False if
 * there was nothing. */
static bool collect_returned(struct wh__heap *heap)
{
    if (!heap->collecting && __atomic_load_n(&heap->returned, __ATOMIC_RELAXED))
        heap->collecting = __atomic_exchange_n(&heap->returned, NULL, __ATOMIC_ACQUIRE);
    const bool some = heap->collecting;
    for (int i = 0; i < COLLECT && heap->collecting; i++) {
        void *block = heap->collecting;
        heap->collecting = *(void **)block;
        push(heap, page_of(block), block);
    }
    return some;
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

void *wh__slab_get_slowly(enum wh__size size, bool may_ask)
{
    struct wh__thread *self = wh__self();
    if (!self) return NULL;
    struct wh__heap *heap = &self->heap;
    do {
        void *block = pop_open(heap, size);
        if (block) return block;
    } while (collect_returned(heap));
    struct wh__page *page = may_ask ? new_page(heap, size) : NULL;
    return page ? pop(page) : NULL;
}

void wh__slab_stock(enum wh__size size)
{
    struct wh__thread *self = wh__self();
    const struct wh__page *page = self ? self->heap.open[size] : NULL;
    if (self && !(page && (page->free || page->fresh < page->end))) wh__slab_put_if(wh__slab_get_slowly(size, true));
}

/* In the list of another thread's heap a block waits, linked through its first word. */
void wh__slab_put_slowly(void *block)
{
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
