#include "base/slab.h"

#include "base/lock.h"
#include "base/mem.h"

#include <string.h>

#if !WH__SLAB_FAST
#include <sanitizer/asan_interface.h>
#define POISON(block, size) __asan_poison_memory_region(block, size)
#define UNPOISON(block, size) __asan_unpoison_memory_region(block, size)
#else
#define POISON(block, size) ((void)(block), (void)(size))
#define UNPOISON(block, size) ((void)(block), (void)(size))
#endif

enum { HEADER = 64, COLLECT = 512 };
_Static_assert(sizeof(struct wh__page) <= HEADER, "the head of a page takes one block of 64 bytes");

/* So many bytes of a free block are poisoned, under AddressSanitizer: of those that can be found, not what is looked at. */
static size_t hidden_bytes(const struct wh__page *page)
{
    return page->size == WH__KEPT ? page->bytes / 2 : page->bytes;
}

static size_t pages;

size_t wh__slab_pages(void)
{
    return __atomic_load_n(&pages, __ATOMIC_RELAXED);
}

static struct wh__page *page_of(void *block)
{
    return (struct wh__page *)((uintptr_t)block & ~(uintptr_t)(WH__PAGE - 1));
}

static void list(struct wh__heap *heap, struct wh__page *page, struct wh__page *after)
{
    struct wh__page **slot = after ? &after->next : &heap->open[page->size];
    page->prev = after;
    page->next = *slot;
    if (page->next) page->next->prev = page;
    *slot = page;
    page->listed = true;
}

static void unlist(struct wh__heap *heap, struct wh__page *page)
{
    *(page->prev ? &page->prev->next : &heap->open[page->size]) = page->next;
    if (page->next) page->next->prev = page->prev;
    page->listed = false;
}

/* ---- pages whose blocks can be found ---- */

/* Its first block is as large as all others of that kind. */
struct wh__kept_page {
    struct wh__page page;
    struct wh__kept_page *next, **link; /* [kept.lock] newest first */
};

static struct {
    uint32_t lock;
    struct wh__kept_page *first;
    struct wh__walk *walks;
} kept;

static void keep(struct wh__kept_page *page)
{
    wh__lock(&kept.lock);
    page->next = kept.first;
    page->link = &kept.first;
    if (page->next) page->next->link = &page->next;
    kept.first = page;
    wh__unlock(&kept.lock);
}

static void keep_no_more(struct wh__kept_page *page)
{
    wh__lock(&kept.lock);
    for (struct wh__walk *walk = kept.walks; walk; walk = walk->others)
        if (walk->next == page) walk->next = page->next;
    *page->link = page->next;
    if (page->next) page->next->link = page->link;
    wh__unlock(&kept.lock);
}

/* The others' are on stacks that are gone; our own, if we are in one, looks at `forks`. */
static void forget_walks(void)
{
    kept.walks = NULL;
}
static struct wh__fork_handler in_child = {.fn = forget_walks};

void wh__walk_begin(struct wh__walk *walk)
{
    static bool seen_to;
    if (!__atomic_exchange_n(&seen_to, true, __ATOMIC_RELAXED)) wh__at_fork(&in_child);
    wh__lock(&kept.lock);
    *walk = (struct wh__walk){.next = kept.first, .others = kept.walks, .forks = wh__forks};
    kept.walks = walk;
    wh__unlock(&kept.lock);
}

void wh__walk_end(struct wh__walk *walk)
{
    wh__lock(&kept.lock);
    struct wh__walk **at = &kept.walks;
    while (*at && *at != walk) at = &(*at)->others;
    if (*at) *at = walk->others;
    wh__unlock(&kept.lock);
}

bool wh__walk_page(struct wh__walk *walk, void (*fn)(void *block, void *arg), void *arg)
{
    wh__lock(&kept.lock);
    struct wh__kept_page *page = walk->forks == wh__forks ? walk->next : NULL;
    if (page) {
        const char *end = __atomic_load_n(&page->page.fresh, __ATOMIC_ACQUIRE);
        for (char *block = (char *)page + page->page.bytes; block < end; block += page->page.bytes) fn(block, arg);
        walk->next = page->next;
    }
    wh__unlock(&kept.lock);
    return page;
}

/* ---- the owner ---- */

static uint32_t bytes_of(enum wh__size size)
{
    return size == WH__KEPT ? 256 : 64u << size;
}
_Static_assert(sizeof(struct wh__kept_page) <= 256, "the head of such a page takes one block");

static struct wh__page *new_page(struct wh__heap *heap, enum wh__size size)
{
    struct wh__page *page = wh__mem_aligned(WH__PAGE, WH__PAGE);
    if (!page) return NULL;
    const uint32_t bytes = bytes_of(size);
    *page = (struct wh__page){.heap = heap, .bytes = bytes, .size = (uint8_t)size, .end = (char *)page + WH__PAGE};
    page->fresh = (char *)page + (bytes > HEADER ? bytes : HEADER);
    POISON(page->fresh, (size_t)(page->end - page->fresh));
    list(heap, page, NULL);
    if (size == WH__KEPT) keep((struct wh__kept_page *)page);
    __atomic_fetch_add(&pages, 1, __ATOMIC_RELAXED);
    return page;
}

static void free_page(struct wh__heap *heap, struct wh__page *page)
{
    unlist(heap, page);
    if (page->size == WH__KEPT) keep_no_more((struct wh__kept_page *)page);
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
        if (page->size == WH__KEPT) memset(block, 0, page->bytes);
        __atomic_store_n(&page->fresh, block + page->bytes, __ATOMIC_RELEASE);
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
    POISON(block, hidden_bytes(page));
    page->used--;
    struct wh__page *first = heap->open[page->size];
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
