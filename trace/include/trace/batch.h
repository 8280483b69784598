/* The batch processor: spans wait on the threads that ended them, and one thread of its own takes them to its exporter. */
#ifndef TRACE_BATCH_H
#define TRACE_BATCH_H

#include "trace/gather.h"
#include "trace/pipe.h"
#include "trace/spool.h"

struct wh__batch {
    struct wh__pipe pipe;
    uint32_t number;         /* of its slot on every thread */
    uint32_t max_queue, max_batch;
    uint64_t many;           /* so many waiting on one thread are worth waking the export thread for */
    int64_t schedule_delay;
    uint64_t homeless;       /* atomic: spans that ended on threads without memory for a queue */
    bool closed;             /* atomic: nobody reads the queues any more */

    uint32_t calls;          /* atomic; changes when the thread is to look; it parks on this */
    uint32_t idle;           /* atomic; the thread sleeps until called */
    uint32_t urgent;         /* atomic; it has been called to export now */
    bool has_thread;         /* atomic */
    uint32_t flush_asked, flush_done; /* atomic; done is parked on */
    int64_t flush_deadline;  /* atomic; the latest that anybody asked for */
    int flush_result;        /* atomic; of the last one done */

    struct wh__gather gather; /* [drain] */
    struct wh__thread *turn;  /* [drain] whose spans come first */
};

/* Adds a span, or drops and counts it; wakes the thread when it is time. */
void wh__batch_put(struct wh__batch *batch, const struct wh__scope *scope, struct wh_bytes span);

/* Asking for a flush, and waiting for it: 0, EIO, ETIMEDOUT at the deadline. Several can be asked before any is waited for. */
uint32_t wh__batch_ask(struct wh__batch *batch, int64_t deadline);
int wh__batch_await(struct wh__batch *batch, uint32_t ticket, int64_t deadline);

/* A shutdown, in two steps: it begins, which asks for a flush (EALREADY: it has been shut down); it ends.
 * The last returns ETIMEDOUT where the exporter did not come back: it is closed when it
 * does. */
int wh__batch_begin_shutdown(struct wh__batch *batch, int64_t deadline, uint32_t *ticket);
int wh__batch_end_shutdown(struct wh__batch *batch, int64_t deadline);

/* ---- export.c: for whoever holds the drain ---- */

/* Everything that waits now is exported, or dropped and counted. 0, or EIO. */
int wh__batch_drain(struct wh__batch *batch);

/* ---- the thread ---- */

/* So many wait now on this thread: starts it, or wakes it, when it is time. */
void wh__batch_notice_slowly(struct wh__batch *batch, uint64_t waiting);
static inline void wh__batch_notice(struct wh__batch *batch, uint64_t waiting)
{
    if (wh__unlikely(__atomic_load_n(&batch->idle, __ATOMIC_RELAXED) || waiting >= batch->many)) wh__batch_notice_slowly(batch, waiting);
}
bool wh__batch_start_thread(struct wh__batch *batch);
void wh__batch_call_thread(struct wh__batch *batch);

/* Closes the exporter that a shutdown could not wait for. */
void wh__batch_close(struct wh__batch *batch, int64_t deadline);

/* In the child of a fork. */
void wh__batch_forget(struct wh__batch *batch);

#endif
