#include "trace/spool.h"

#include <string.h>

#include "base/lock.h"
#include "base/mem.h"
#include "trace/export.h"
#include "trace/scope.h"

enum { SEGMENT = 65536, ALIGN = 8 };
static const size_t most_memory = (size_t)64 << 20;

struct wh__segment {
    uint32_t size;            /* of bytes */
    uint32_t ready;           /* atomic: so much of bytes is whole records */
    struct wh__segment *next; /* atomic: set when nothing will be added here any more */
    uint8_t bytes[];
};

/* Segments that are empty, for whoever needs one. */
static struct {
    uint32_t lock;
    struct wh__segment *first;
    uint32_t count;
    size_t memory;            /* atomic; of all segments, in use or not */
} spare;

static bool is_standard(const struct wh__segment *segment)
{
    return segment->size == SEGMENT - sizeof *segment;
}

static struct wh__segment *take_spare(void)
{
    wh__lock(&spare.lock);
    struct wh__segment *segment = spare.first;
    if (segment) {
        spare.first = segment->next;
        spare.count--;
    }
    wh__unlock(&spare.lock);
    return segment;
}

static struct wh__segment *new_segment(size_t least)
{
    size_t bytes = SEGMENT;
    struct wh__segment *segment = NULL;
    if (least > SEGMENT - sizeof *segment)
        bytes = least + sizeof *segment;
    else
        segment = take_spare();
    if (!segment) {
        const size_t before = __atomic_fetch_add(&spare.memory, bytes, __ATOMIC_RELAXED);
        if (before + bytes <= most_memory) segment = wh__mem_get(bytes);
        if (!segment) {
            __atomic_fetch_sub(&spare.memory, bytes, __ATOMIC_RELAXED);
            return NULL;
        }
    }
    segment->size = (uint32_t)(bytes - sizeof *segment);
    segment->ready = 0;
    segment->next = NULL;
    return segment;
}

/* A few stay at hand, so that a steady flow asks the system for nothing. */
static void give_back(struct wh__segment *segment)
{
    bool keep = is_standard(segment);
    if (keep) {
        wh__lock(&spare.lock);
        keep = spare.count < 16;
        if (keep) {
            segment->next = spare.first;
            spare.first = segment;
            spare.count++;
        }
        wh__unlock(&spare.lock);
    }
    if (keep) return;
    __atomic_fetch_sub(&spare.memory, segment->size + sizeof *segment, __ATOMIC_RELAXED);
    wh__mem_free(segment);
}

size_t wh__spool_memory(void)
{
    return __atomic_load_n(&spare.memory, __ATOMIC_RELAXED);
}

/* ---- the writer ---- */

struct wh__spool *wh__spool_own(void)
{
    struct wh__thread *self = wh__self();
    if (!self) return NULL;
    if (!self->spool) __atomic_store_n(&self->spool, wh__mem_zero(sizeof(struct wh__spool)), __ATOMIC_RELEASE);
    return self->spool;
}

struct wh__spool *wh__spool_of(const struct wh__thread *thread)
{
    return __atomic_load_n(&thread->spool, __ATOMIC_ACQUIRE);
}

static struct wh__segment *segment_with_room(struct wh__spool *spool, size_t size)
{
    struct wh__segment *segment = spool->writes;
    if (segment && segment->size - segment->ready >= size) return segment;
    struct wh__segment *fresh = new_segment(size);
    if (!fresh) return NULL;
    spool->writes = fresh;
    __atomic_store_n(segment ? &segment->next : &spool->first, fresh, __ATOMIC_RELEASE);
    return fresh;
}

static size_t size_of(uint32_t len)
{
    return (sizeof(struct wh__waiting) + len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* How many wait here. What the reader has taken is looked at only when they seem to be many. */
static uint64_t waiting_on(struct wh__spool *spool, uint64_t many)
{
    if (spool->written - spool->taken_seen >= many) spool->taken_seen = __atomic_load_n(&spool->taken, __ATOMIC_ACQUIRE);
    return spool->written - spool->taken_seen;
}

void wh__spool_put(const struct wh__scope *scope, const uint8_t *bytes, uint32_t len)
{
    wh_provider *provider = scope->provider;
    struct wh__spool *spool = wh__spool_own();
    if (!spool) {
        __atomic_fetch_add(&provider->dropped_homeless, 1, __ATOMIC_RELAXED);
        return;
    }
    struct wh__counts *counts = &spool->counts[provider->index];
    wh__count(&counts->ended);
    if (__atomic_load_n(&provider->shut_down, __ATOMIC_RELAXED)) {
        wh__count(&counts->dropped_shutdown);
        return;
    }
    const uint64_t before = waiting_on(spool, wh__many(provider));
    if (before >= provider->max_queue) {
        wh__count(&counts->dropped_queue);
        wh__export_notice(provider, before);
        return;
    }
    const size_t size = size_of(len);
    struct wh__segment *segment = segment_with_room(spool, size);
    if (!segment) {
        wh__count(&counts->dropped_memory);
        return;
    }
    struct wh__waiting *waiting = (void *)(segment->bytes + segment->ready);
    waiting->scope = scope;
    waiting->len = len;
    memcpy(waiting->bytes, bytes, len);
    __atomic_store_n(&segment->ready, segment->ready + (uint32_t)size, __ATOMIC_RELEASE);
    __atomic_store_n(&spool->written, spool->written + 1, __ATOMIC_RELEASE);
    wh__export_notice(provider, before + 1);
}

/* ---- the reader ---- */

const struct wh__waiting *wh__spool_peek(struct wh__spool *spool)
{
    if (!spool->reads) spool->reads = __atomic_load_n(&spool->first, __ATOMIC_ACQUIRE);
    while (spool->reads) {
        /* `next` before `ready`: once there is a next one, this one has its last word. */
        struct wh__segment *next = __atomic_load_n(&spool->reads->next, __ATOMIC_ACQUIRE);
        if (spool->read_at < __atomic_load_n(&spool->reads->ready, __ATOMIC_ACQUIRE))
            return (const void *)(spool->reads->bytes + spool->read_at);
        if (!next) return NULL;
        spool->reads = next;
        spool->read_at = 0;
    }
    return NULL;
}

void wh__spool_take(struct wh__spool *spool, const struct wh__waiting *waiting)
{
    spool->read_at += (uint32_t)size_of(waiting->len);
    wh__count(&spool->handed_out);
}

void wh__spool_give_back(struct wh__spool *spool)
{
    while (spool->reads && spool->first != spool->reads) {
        struct wh__segment *segment = spool->first;
        spool->first = segment->next;
        give_back(segment);
    }
    __atomic_store_n(&spool->taken, spool->handed_out, __ATOMIC_RELEASE);
}

void wh__spool_forget(struct wh__spool *spool)
{
    for (struct wh__segment *segment = spool->first, *next; segment; segment = next) {
        next = segment->next;
        give_back(segment);
    }
    *spool = (struct wh__spool){0};
}
