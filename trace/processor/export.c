/* The thread of a batch processor. It sleeps until a first span waits, then at most schedule_delay, less if many come; then it
 * hands everything that waits to the exporter, batch by batch. It ends with the processor.
 *
 * A producer looks at `idle` and, when it has many, at `urgent`: both are read-mostly, so no cache line is passed around
 * while nobody needs to be woken. That a producer may still see an old `idle` is made good by one look after a delay,
 * before the thread sleeps for good.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/park.h"
#include "base/spawn.h"
#include "trace/batch.h"
#include "trace/slot.h"

/* ---- everything that waits ---- */

static struct wh__spool *spool_of(const struct wh__batch *batch, const struct wh__thread *thread)
{
    return wh__slot_of(thread, batch->number);
}

/* Until the next one does not fit, or nothing is left. The threads take turns in being first. */
static void fill(struct wh__batch *batch)
{
    struct wh__thread *const first = batch->turn ? batch->turn : wh__threads();
    struct wh__thread *thread = first;
    do {
        struct wh__spool *spool = thread ? spool_of(batch, thread) : NULL;
        for (const struct wh__waiting *waiting; spool && (waiting = wh__spool_peek(spool)); wh__spool_take(spool, waiting)) {
            if (wh__gather_add(&batch->gather, waiting->scope, (struct wh_bytes){waiting->bytes, waiting->len})) continue;
            batch->turn = thread->next;
            return;
        }
        thread = thread && thread->next ? thread->next : wh__threads();
    } while (thread != first);
}

static uint64_t handed_out(const struct wh__batch *batch)
{
    uint64_t count = 0;
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        const struct wh__spool *spool = spool_of(batch, thread);
        if (spool) count += __atomic_load_n(&spool->handed_out, __ATOMIC_RELAXED);
    }
    return count;
}

/* How many wait now: what a flush has to get through, even if producers go on. */
static uint64_t waiting_now(const struct wh__batch *batch)
{
    uint64_t waiting = 0;
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        const struct wh__spool *spool = spool_of(batch, thread);
        if (spool) waiting += wh__spool_waiting(spool);
    }
    return waiting;
}

static int pass(struct wh__batch *batch)
{
    fill(batch);
    const struct wh_batch spans = wh__gather_batch(&batch->gather);
    const int rc = wh__pipe_export(&batch->pipe, &spans);
    wh__gather_clear(&batch->gather);
    wh__pipe_report(&batch->pipe, false);
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        struct wh__spool *spool = spool_of(batch, thread);
        if (spool) wh__spool_give_back(spool);
    }
    return rc;
}

/* A pass without anything to do says, if need be, that losses are over. */
int wh__batch_drain(struct wh__batch *batch)
{
    int result = 0;
    if (batch->closed) return 0;
    const uint64_t until = handed_out(batch) + waiting_now(batch);
    do {
        const int rc = pass(batch);
        if (rc) result = rc;
    } while (handed_out(batch) < until);
    return result;
}

/* What has come meanwhile is counted. */
void wh__batch_close(struct wh__batch *batch, int64_t deadline)
{
    if (batch->closed) return;
    wh__batch_drain(batch);
    wh__pipe_close(&batch->pipe, deadline);
    wh__gather_end(&batch->gather);
    __atomic_store_n(&batch->closed, true, __ATOMIC_RELEASE);
}

/* ---- the thread ---- */

static void answer_flush(struct wh__batch *batch, uint32_t asked, int result)
{
    const int rc = wh__pipe_flush_exporter(&batch->pipe, __atomic_load_n(&batch->flush_deadline, __ATOMIC_RELAXED));
    __atomic_store_n(&batch->flush_result, rc ? rc : result, __ATOMIC_RELAXED);
    __atomic_store_n(&batch->flush_done, asked, __ATOMIC_RELEASE);
    wh__unpark(&batch->flush_done);
}

static void serve(struct wh__batch *batch)
{
    const uint32_t asked = __atomic_load_n(&batch->flush_asked, __ATOMIC_ACQUIRE);
    if (!wh__pipe_lock(&batch->pipe, WH_NEVER)) return;
    __atomic_store_n(&batch->urgent, 0, __ATOMIC_RELAXED);
    const int result = wh__batch_drain(batch);
    if (asked != batch->flush_done) answer_flush(batch, asked, result);
    if (__atomic_load_n(&batch->pipe.close_late, __ATOMIC_ACQUIRE)) wh__batch_close(batch, wh__now());
    wh__pipe_unlock(&batch->pipe);
}

static bool is_called(const struct wh__batch *batch)
{
    return __atomic_load_n(&batch->urgent, __ATOMIC_ACQUIRE) || __atomic_load_n(&batch->pipe.close_late, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&batch->closed, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&batch->flush_asked, __ATOMIC_ACQUIRE) != batch->flush_done;
}

static void sleep_while_nothing_waits(struct wh__batch *batch)
{
    __atomic_store_n(&batch->idle, 1, __ATOMIC_SEQ_CST);
    for (int64_t until = wh__add(wh__now(), batch->schedule_delay < WH_SEC(5) ? batch->schedule_delay : WH_SEC(5));; until = WH_NEVER) {
        const uint32_t calls = __atomic_load_n(&batch->calls, __ATOMIC_ACQUIRE);
        if (is_called(batch) || waiting_now(batch) || !__atomic_load_n(&batch->idle, __ATOMIC_ACQUIRE)) break;
        wh__park(&batch->calls, calls, until);
    }
    __atomic_store_n(&batch->idle, 0, __ATOMIC_RELAXED);
}

static void sleep_for_delay(struct wh__batch *batch)
{
    const int64_t until = wh__add(wh__now(), batch->schedule_delay);
    for (;;) {
        const uint32_t calls = __atomic_load_n(&batch->calls, __ATOMIC_ACQUIRE);
        if (is_called(batch) || wh__now() >= until) return;
        wh__park(&batch->calls, calls, until);
    }
}

static void *run(void *arg)
{
    struct wh__batch *batch = arg;
    while (!__atomic_load_n(&batch->closed, __ATOMIC_ACQUIRE)) {
        sleep_while_nothing_waits(batch);
        sleep_for_delay(batch);
        serve(batch);
    }
    return NULL;
}

void wh__batch_call_thread(struct wh__batch *batch)
{
    __atomic_fetch_add(&batch->calls, 1, __ATOMIC_RELEASE);
    wh__unpark(&batch->calls);
}

bool wh__batch_start_thread(struct wh__batch *batch)
{
    return !__atomic_load_n(&batch->closed, __ATOMIC_ACQUIRE) && wh__spawn(&batch->has_thread, "whence-export", run, batch);
}

static void wake(struct wh__batch *batch)
{
    wh__batch_start_thread(batch);
    wh__batch_call_thread(batch);
}

void wh__batch_notice_slowly(struct wh__batch *batch, uint64_t waiting)
{
    if (__atomic_load_n(&batch->idle, __ATOMIC_RELAXED) && __atomic_exchange_n(&batch->idle, 0, __ATOMIC_ACQ_REL)) wake(batch);
    if (waiting < batch->many || __atomic_load_n(&batch->urgent, __ATOMIC_RELAXED)) return;
    if (__atomic_exchange_n(&batch->urgent, 1, __ATOMIC_ACQ_REL) == 0) wake(batch);
}

/* ---- flushing ---- */

/* For all who wait now: the latest. */
static void later_flush_deadline(struct wh__batch *batch, int64_t deadline)
{
    int64_t had = __atomic_load_n(&batch->flush_deadline, __ATOMIC_RELAXED);
    const bool alone = __atomic_load_n(&batch->flush_asked, __ATOMIC_ACQUIRE) == __atomic_load_n(&batch->flush_done, __ATOMIC_ACQUIRE);
    while ((alone || had < deadline) &&
           !__atomic_compare_exchange_n(&batch->flush_deadline, &had, deadline, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

uint32_t wh__batch_ask(struct wh__batch *batch, int64_t deadline)
{
    if (!wh__batch_start_thread(batch)) return 0;
    later_flush_deadline(batch, deadline);
    uint32_t ticket;
    do {
        ticket = __atomic_add_fetch(&batch->flush_asked, 1, __ATOMIC_ACQ_REL);
    } while (ticket == 0);
    wh__batch_call_thread(batch);
    return ticket;
}

/* Without a thread the caller does it itself. */
static int flush_here(struct wh__batch *batch, int64_t deadline)
{
    if (!wh__pipe_lock(&batch->pipe, deadline)) return ETIMEDOUT;
    int result = wh__batch_drain(batch);
    if (wh__pipe_flush_exporter(&batch->pipe, deadline)) result = EIO;
    wh__pipe_unlock(&batch->pipe);
    return result;
}

int wh__batch_await(struct wh__batch *batch, uint32_t ticket, int64_t deadline)
{
    if (!ticket) return flush_here(batch, deadline);
    for (;;) {
        const uint32_t done = __atomic_load_n(&batch->flush_done, __ATOMIC_ACQUIRE);
        if ((int32_t)(done - ticket) >= 0) return __atomic_load_n(&batch->flush_result, __ATOMIC_RELAXED);
        if (wh__now() >= deadline) return ETIMEDOUT;
        wh__park(&batch->flush_done, done, deadline);
    }
}
