/* Where spans wait between their end and their export: in memory of the thread that ended them.
 *
 * One writer, the thread; one reader, whoever holds the drain (export.c). The records stand one after the other in
 * segments of 64 KB, so that nothing is shared but the count of bytes that are ready. Memory in all is bounded: beyond it,
 * and beyond max_queue records of one thread, new ones are dropped and counted. */
#ifndef TRACE_SPOOL_H
#define TRACE_SPOOL_H

#include "base/thread.h"
#include "trace/provider.h"

struct wh__waiting {
    const struct wh__scope *scope;
    uint32_t len;             /* of bytes */
    uint32_t reserved;
    uint8_t bytes[];          /* opentelemetry.proto.trace.v1.Span */
};

struct wh__segment;
struct wh__spool {
    /* the writer's */
    struct wh__segment *writes;
    uint64_t written;                /* records; atomic */
    uint64_t taken_seen;             /* `taken`, as last looked at */
    struct wh__counts counts[WH__COUNTED_PROVIDERS];
    struct wh__segment *first;       /* the oldest that was not given back; set by the writer once, then the reader's */
    char apart[64];                  /* so that the two do not take a cache line from each other */
    /* the reader's */
    struct wh__segment *reads;       /* NULL: `first`, from its beginning */
    uint32_t read_at;                /* bytes of it that were handed out */
    uint64_t handed_out;             /* records; atomic: the export thread looks before it takes the drain */
    uint64_t taken;                  /* records whose memory was given back; atomic */
};

/* What the calling thread has; NULL without memory. Of any thread: NULL if it has none. */
struct wh__spool *wh__spool_own(void);
struct wh__spool *wh__spool_of(const struct wh__thread *thread);

/* Adds a record, or drops and counts it. */
void wh__spool_put(const struct wh__scope *scope, const uint8_t *bytes, uint32_t len);

/* For the reader: the next record, NULL if there is none; taking it, which leaves it in its place; and giving back all that were
 * taken. */
const struct wh__waiting *wh__spool_peek(struct wh__spool *spool);
void wh__spool_take(struct wh__spool *spool, const struct wh__waiting *waiting);
void wh__spool_give_back(struct wh__spool *spool);

/* In the child of a fork: what waits belongs to the parent. */
void wh__spool_forget(struct wh__spool *spool);

/* Bytes of memory held by all spools together. */
size_t wh__spool_memory(void);

#endif
