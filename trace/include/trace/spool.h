/* Where spans wait between their end and their export: in memory of the thread that ended them, for each batch processor.
 *
 * One writer, the thread; one reader, whoever holds the processor's drain (pipe.h). The records stand one after the other in
 * segments of 64 KB, so that nothing is shared but the count of bytes that are ready. Memory in all is bounded: beyond it,
 * and beyond max_queue records of one thread, new ones are dropped and counted.
 *
 * A processor that is shut down leaves its last segments where they are, since a thread may be about to write there: each
 * thread takes its own back when it next needs one. */
#ifndef TRACE_SPOOL_H
#define TRACE_SPOOL_H

#include <whence/trace.h>

#include "base/thread.h"

struct wh__batch;
struct wh__scope;

struct wh__waiting {
    const struct wh__scope *scope;
    uint32_t len;             /* of bytes */
    uint32_t reserved;
    uint8_t bytes[];          /* opentelemetry.proto.trace.v1.Span */
};

struct wh__segment;
struct wh__spool {
    /* the writer's; the counters are atomic for those who ask */
    struct wh__segment *writes;
    uint64_t written;                /* records */
    uint64_t taken_seen;             /* `taken`, as last looked at */
    uint64_t dropped_queue, dropped_memory, dropped_shutdown;
    const struct wh__batch *batch;
    struct wh__spool *next;          /* of the thread's that may hold segments */
    struct wh__segment *first;       /* the oldest that was not given back; set by the writer once, then the reader's */
    char apart[64];                  /* so that the two do not take a cache line from each other */
    /* the reader's */
    struct wh__segment *reads;       /* NULL: `first`, from its beginning */
    uint32_t read_at;                /* bytes of it that were handed out */
    uint64_t handed_out;             /* records; atomic: others look before they take the drain */
    uint64_t taken;                  /* records whose memory was given back; atomic */
};

/* One for the calling thread, which has none for the processor yet; NULL without memory. */
struct wh__spool *wh__spool_make(const struct wh__batch *batch);

/* Adds a record to one's own, or counts it as dropped. How many wait then; 0: there was no memory. */
uint64_t wh__spool_put(struct wh__spool *spool, const struct wh__scope *scope, struct wh_bytes span);

/* For the reader: the next record, NULL if there is none; taking it, which leaves it in its place; and giving back all that were
 * taken. */
const struct wh__waiting *wh__spool_peek(struct wh__spool *spool);
void wh__spool_take(struct wh__spool *spool, const struct wh__waiting *waiting);
void wh__spool_give_back(struct wh__spool *spool);

/* How many wait, for anybody. */
static inline uint64_t wh__spool_waiting(const struct wh__spool *spool)
{
    const uint64_t out = __atomic_load_n(&spool->handed_out, __ATOMIC_ACQUIRE); /* first: so it is not ahead */
    return __atomic_load_n(&spool->written, __ATOMIC_ACQUIRE) - out;
}

/* In the child of a fork, when no thread lists it any more: what waits belongs to the parent. */
void wh__spool_forget(struct wh__spool *spool);

/* Bytes of memory held by all spools together. */
size_t wh__spool_memory(void);

#endif
