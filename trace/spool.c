#include "trace/spool.h"

#include <string.h>

#include "base/lock.h"
#include "base/mem.h"
#include "trace/batch.h"
#include "trace/slot.h"

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

struct wh__spool *wh__spool_make(const struct wh__batch *batch)
{
    struct wh__thread *self = wh__self();
    struct wh__spool *spool = wh__slot_own(self, batch->number);
    if (spool || !self) return spool;
    spool = wh__slot_make(self, batch->number, sizeof *spool);
    if (spool) spool->batch = batch;
    return spool;
}

static void give_all_back(struct wh__spool *spool)
{
    for (struct wh__segment *segment; (segment = spool->first);) {
        spool->first = segment->next; /* first that: a fork may come in between */
        give_back(segment);
    }
    spool->writes = spool->reads = NULL;
    spool->read_at = 0;
}

/* Nobody reads there any more, and only we write. */
static void tidy_up(struct wh__thread *self)
{
    for (struct wh__spool **at = (struct wh__spool **)&self->spools, *spool; (spool = *at);) {
        if (!__atomic_load_n(&spool->batch->closed, __ATOMIC_ACQUIRE)) {
            at = &spool->next;
            continue;
        }
        *at = spool->next;
        give_all_back(spool);
    }
}

static __attribute__((noinline)) struct wh__segment *next_segment(struct wh__spool *spool, size_t size)
{
    struct wh__segment *segment = spool->writes;
    struct wh__thread *self = wh__current;
    tidy_up(self);
    struct wh__segment *fresh = new_segment(size);
    if (!fresh) return NULL;
    spool->writes = fresh;
    if (!segment) {
        spool->next = self->spools;
        self->spools = spool;
    }
    __atomic_store_n(segment ? &segment->next : &spool->first, fresh, __ATOMIC_RELEASE);
    return fresh;
}

static size_t size_of(uint32_t len)
{
    return (sizeof(struct wh__waiting) + len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static void count(uint64_t *counter)
{
    __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/* What the reader has taken is looked at only when they seem to be many. */
uint64_t wh__spool_put(struct wh__spool *spool, const struct wh__scope *scope, struct wh_bytes span)
{
    uint64_t waiting = spool->written - spool->taken_seen;
    if (wh__unlikely(waiting >= spool->batch->many)) {
        spool->taken_seen = __atomic_load_n(&spool->taken, __ATOMIC_ACQUIRE);
        waiting = spool->written - spool->taken_seen;
        if (waiting >= spool->batch->max_queue) {
            count(&spool->dropped_queue);
            return waiting;
        }
    }
    const uint32_t len = (uint32_t)span.len;
    const size_t size = size_of(len);
    struct wh__segment *segment = spool->writes;
    if (wh__unlikely(!segment || segment->size - segment->ready < size) && !(segment = next_segment(spool, size))) {
        count(&spool->dropped_memory);
        return 0;
    }
    struct wh__waiting *record = (void *)(segment->bytes + segment->ready);
    record->scope = scope;
    record->len = len;
    memcpy(record->bytes, span.ptr, len);
    __atomic_store_n(&segment->ready, segment->ready + (uint32_t)size, __ATOMIC_RELEASE);
    __atomic_store_n(&spool->written, spool->written + 1, __ATOMIC_RELEASE);
    return waiting + 1;
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
    __atomic_store_n(&spool->handed_out, spool->handed_out + 1, __ATOMIC_RELAXED);
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
    const struct wh__batch *batch = spool->batch;
    give_all_back(spool);
    *spool = (struct wh__spool){.batch = batch};
}
