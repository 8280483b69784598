#include "trace/batch.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "trace/scope.h"
#include "trace/slot.h"

/* ---- taking ---- */

void wh__batch_put(struct wh__batch *batch, const struct wh__scope *scope, struct wh_bytes span)
{
    struct wh__spool *spool = wh__slot_own(wh__current, batch->number);
    if (wh__unlikely(!spool)) spool = wh__spool_make(batch);
    if (wh__unlikely(!spool)) {
        __atomic_fetch_add(&batch->homeless, 1, __ATOMIC_RELAXED);
        return;
    }
    if (wh__unlikely(__atomic_load_n(&batch->pipe.shut_down, __ATOMIC_RELAXED))) {
        __atomic_store_n(&spool->dropped_shutdown, spool->dropped_shutdown + 1, __ATOMIC_RELAXED);
        return;
    }
    wh__batch_notice(batch, wh__spool_put(spool, scope, span));
}

/* Without an origin there is nothing to keep it by. */
static void on_end(struct wh_processor *self, const struct wh_ended *ended)
{
    struct wh__batch *batch = (struct wh__batch *)self;
    if (ended->sampled && ended->origin) wh__batch_put(batch, ended->origin, ended->span);
}

/* ---- flushing and shutting down ---- */

static int flush(struct wh_processor *self, int64_t deadline)
{
    struct wh__batch *batch = (struct wh__batch *)self;
    if (__atomic_load_n(&batch->pipe.closing, __ATOMIC_ACQUIRE)) return EALREADY;
    return wh__batch_await(batch, wh__batch_ask(batch, deadline), deadline);
}

int wh__batch_begin_shutdown(struct wh__batch *batch, int64_t deadline, uint32_t *ticket)
{
    int64_t none = 0;
    if (!__atomic_compare_exchange_n(&batch->pipe.closing_deadline, &none, deadline, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return EALREADY;
    __atomic_store_n(&batch->pipe.closing, true, __ATOMIC_RELEASE);
    *ticket = wh__batch_ask(batch, deadline);
    return 0;
}

int wh__batch_end_shutdown(struct wh__batch *batch, int64_t deadline)
{
    __atomic_store_n(&batch->pipe.shut_down, true, __ATOMIC_SEQ_CST);
    if (!wh__pipe_lock(&batch->pipe, deadline)) { /* leave the exporter what it uses */
        __atomic_store_n(&batch->pipe.close_late, true, __ATOMIC_RELEASE);
        wh__batch_call_thread(batch);
        return ETIMEDOUT;
    }
    wh__batch_close(batch, deadline);
    wh__pipe_unlock(&batch->pipe);
    wh__batch_call_thread(batch); /* it has nothing to do any more */
    return 0;
}

/* A tenth of the time is kept for an exporter that does not come back by itself. */
static int shut_down(struct wh_processor *self, int64_t deadline)
{
    struct wh__batch *batch = (struct wh__batch *)self;
    uint32_t ticket;
    if (wh__batch_begin_shutdown(batch, deadline, &ticket)) return EALREADY;
    const int result = wh__batch_await(batch, ticket, wh__most_of(deadline));
    if (result == ETIMEDOUT) wh__pipe_interrupt(&batch->pipe);
    return wh__batch_end_shutdown(batch, deadline) ? ETIMEDOUT : result;
}

/* ---- making ---- */

static void configure(struct wh__batch *batch, const struct wh_batch_processor_opts *opts)
{
    batch->max_queue = opts->max_queue ? opts->max_queue : 2048;
    batch->max_batch = opts->max_batch ? opts->max_batch : 512;
    if (batch->max_batch > batch->max_queue) batch->max_batch = batch->max_queue;
    batch->many = batch->max_batch < batch->max_queue / 2 ? batch->max_batch : (batch->max_queue + 1) / 2;
    batch->schedule_delay = opts->schedule_delay ? opts->schedule_delay : WH_SEC(5);
    batch->number = wh__slot_number();
    batch->idle = 1;
    batch->pipe.is_batch = true;
    batch->pipe.processor = (struct wh_processor){.size = sizeof batch->pipe.processor, .name = "batch", .on_end = on_end,
        .flush = flush, .shutdown = shut_down, .destroy = wh__pipe_destroy};
}

struct wh_processor *wh_batch_processor_new_at(const struct wh_batch_processor_opts *given)
{
    struct wh_batch_processor_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    if (!opts.exporter) {
        errno = EINVAL;
        return NULL;
    }
    struct wh__batch *batch = wh__mem_zero(sizeof *batch);
    if (batch) configure(batch, &opts);
    if (!batch || !wh__gather_begin(&batch->gather, batch->max_batch)) {
        wh_exporter_free(opts.exporter);
        wh__mem_free(batch);
        errno = ENOMEM;
        return NULL;
    }
    wh__pipe_begin(&batch->pipe, opts.exporter, opts.export_timeout);
    return &batch->pipe.processor;
}

void wh__batch_forget(struct wh__batch *batch)
{
    batch->has_thread = false;
    batch->idle = 1;
    batch->urgent = 0;
    batch->flush_done = batch->flush_asked;
    batch->homeless = 0;
    batch->turn = NULL;
    wh__gather_clear(&batch->gather);
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        struct wh__spool *spool = wh__slot_of(thread, batch->number);
        if (spool) wh__spool_forget(spool);
    }
}
