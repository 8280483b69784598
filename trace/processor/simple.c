/* The simple processor: the thread that ends a span exports it, one after the other. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "trace/provider.h"
#include "trace/simple.h"

/* An exporter that ends spans itself would wait for itself: these are lost. */
static bool is_inside(const struct wh__simple *simple)
{
    const struct wh__thread *self = wh__self();
    return self && __atomic_load_n(&simple->inside, __ATOMIC_RELAXED) == self;
}

static bool enter(struct wh__simple *simple, int64_t deadline)
{
    if (!wh__pipe_lock(&simple->pipe, deadline)) return false;
    __atomic_store_n(&simple->inside, wh__self(), __ATOMIC_RELAXED);
    return true;
}

static void leave(struct wh__simple *simple)
{
    const bool close_late = __atomic_load_n(&simple->pipe.close_late, __ATOMIC_SEQ_CST);
    if (close_late) wh__pipe_close(&simple->pipe, wh__now());
    __atomic_store_n(&simple->inside, NULL, __ATOMIC_RELAXED);
    wh__pipe_unlock(&simple->pipe);
    /* Who could not wait may have said so just now, and nobody may come after us. */
    if (!close_late && __atomic_load_n(&simple->pipe.close_late, __ATOMIC_SEQ_CST) && enter(simple, wh__now())) leave(simple);
}

static void drop(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void on_end(struct wh_processor *self, const struct wh_ended *ended)
{
    struct wh__simple *simple = (struct wh__simple *)self;
    if (!ended->sampled) return;
    if (__atomic_load_n(&simple->pipe.shut_down, __ATOMIC_RELAXED)) {
        drop(&simple->dropped_shutdown);
        return;
    }
    if (is_inside(simple) || !enter(simple, wh__export_until(&simple->pipe))) {
        drop(&simple->dropped_busy);
        return;
    }
    const struct wh_scope_spans scope = {.scope = ended->scope, .schema_url = ended->scope_schema_url, .spans = &ended->span, .count = 1};
    const struct wh_batch batch = {.size = sizeof batch, .resource = ended->resource, .schema_url = ended->schema_url,
        .scopes = &scope, .scope_count = 1, .count = 1};
    wh__pipe_export(&simple->pipe, &batch);
    wh__pipe_report(&simple->pipe, false);
    leave(simple);
}

static int flush(struct wh_processor *self, int64_t deadline)
{
    struct wh__simple *simple = (struct wh__simple *)self;
    if (__atomic_load_n(&simple->pipe.closing, __ATOMIC_ACQUIRE)) return EALREADY;
    if (is_inside(simple)) return EDEADLK;
    if (!enter(simple, deadline)) return ETIMEDOUT;
    const int rc = wh__pipe_flush_exporter(&simple->pipe, deadline);
    leave(simple);
    return rc;
}

int wh__simple_end_shutdown(struct wh__pipe *pipe, int64_t deadline)
{
    struct wh__simple *simple = (struct wh__simple *)pipe;
    __atomic_store_n(&pipe->shut_down, true, __ATOMIC_SEQ_CST);
    if (!is_inside(simple) && enter(simple, deadline)) {
        wh__pipe_close(pipe, deadline);
        leave(simple);
        return 0;
    }
    __atomic_store_n(&pipe->close_late, true, __ATOMIC_SEQ_CST);
    if (!is_inside(simple) && enter(simple, wh__now())) leave(simple); /* it has just come back */
    return ETIMEDOUT;
}

static int shut_down(struct wh_processor *self, int64_t deadline)
{
    struct wh__simple *simple = (struct wh__simple *)self;
    struct wh__pipe *pipe = &simple->pipe;
    int64_t none = 0;
    if (!__atomic_compare_exchange_n(&pipe->closing_deadline, &none, deadline, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return EALREADY;
    __atomic_store_n(&pipe->closing, true, __ATOMIC_RELEASE);
    int rc = ETIMEDOUT;
    if (!is_inside(simple) && enter(simple, wh__most_of(deadline))) {
        rc = wh__pipe_flush_exporter(pipe, deadline);
        leave(simple);
    } else {
        wh__pipe_interrupt(pipe);
    }
    return wh__simple_end_shutdown(pipe, deadline) ? ETIMEDOUT : rc;
}

struct wh_processor *wh_simple_processor_new_at(const struct wh_simple_processor_opts *given)
{
    struct wh_simple_processor_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    struct wh__simple *simple = opts.exporter ? wh__mem_zero(sizeof *simple) : NULL;
    if (!simple) {
        wh_exporter_free(opts.exporter);
        errno = opts.exporter ? ENOMEM : EINVAL;
        return NULL;
    }
    simple->pipe.processor = (struct wh_processor){.size = sizeof simple->pipe.processor, .name = "simple", .on_end = on_end,
        .flush = flush, .shutdown = shut_down, .destroy = wh__pipe_destroy};
    wh__pipe_begin(&simple->pipe, opts.exporter, opts.export_timeout);
    return &simple->pipe.processor;
}

void wh__simple_forget(struct wh__pipe *pipe)
{
    struct wh__simple *simple = (struct wh__simple *)pipe;
    simple->inside = NULL;
    simple->dropped_busy = simple->dropped_shutdown = 0;
}
