#include "trace/pipe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/park.h"
#include "trace/batch.h"
#include "trace/provider.h"
#include "trace/simple.h"

static struct wh__pipe *all; /* atomic */

struct wh__pipe *wh__pipes(void)
{
    return __atomic_load_n(&all, __ATOMIC_ACQUIRE);
}

/* As the semantic conventions call those that they know. */
static void name_exporter(struct wh__pipe *pipe, const struct wh_exporter *exporter)
{
    static uint32_t exporters;
    const char *name = exporter->name ? exporter->name : "unknown";
    pipe->exporter_index = __atomic_fetch_add(&exporters, 1, __ATOMIC_RELAXED);
    snprintf(pipe->exporter_type, sizeof pipe->exporter_type, "%.20s_span_exporter", strcmp(name, "otlp") ? name : "otlp_http");
}

void wh__pipe_begin(struct wh__pipe *pipe, struct wh_exporter *exporter, int64_t export_timeout)
{
    static uint32_t batches, simples;
    pipe->exporter = exporter;
    pipe->export_timeout = export_timeout ? export_timeout : WH_SEC(30);
    pipe->index = __atomic_fetch_add(pipe->is_batch ? &batches : &simples, 1, __ATOMIC_RELAXED);
    name_exporter(pipe, exporter);
    struct wh__pipe *newest = wh__pipes();
    do {
        pipe->next = newest;
    } while (!__atomic_compare_exchange_n(&all, &newest, pipe, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    wh__provider_sees_forks();
}

/* ---- alone with the exporter ---- */

bool wh__pipe_lock(struct wh__pipe *pipe, int64_t deadline)
{
    while (__atomic_exchange_n(&pipe->drain, 1, __ATOMIC_ACQUIRE)) {
        if (wh__now() >= deadline) return false;
        wh__park(&pipe->drain, 1, deadline);
    }
    return true;
}

void wh__pipe_unlock(struct wh__pipe *pipe)
{
    __atomic_store_n(&pipe->drain, 0, __ATOMIC_RELEASE);
    wh__unpark(&pipe->drain);
}

/* ---- exporting ---- */

static void add(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static void set(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, n, __ATOMIC_RELAXED);
}

static struct wh__outcome *outcome_of(struct wh__pipe_counts *counts, int code)
{
    size_t i = code ? 1 : 0;
    while (code && i < WH__OUTCOMES - 1 && counts->outcomes[i].code && counts->outcomes[i].code != code) i++;
    if (i < WH__OUTCOMES - 1) __atomic_store_n(&counts->outcomes[i].code, code, __ATOMIC_RELAXED);
    return &counts->outcomes[i];
}

static void count_call(struct wh__pipe_counts *counts, int code, uint64_t spans, int64_t took)
{
    struct wh__outcome *outcome = outcome_of(counts, code);
    const uint64_t time = took > 0 ? (uint64_t)took : 0;
    if (outcome->calls == 0 || time < outcome->shortest) set(&outcome->shortest, time);
    if (time > outcome->longest) set(&outcome->longest, time);
    add(&outcome->time, time);
    add(&outcome->spans, spans);
    add(&outcome->calls, 1);
}

int64_t wh__export_until(const struct wh__pipe *pipe)
{
    const int64_t own = wh__add(wh__now(), pipe->export_timeout);
    const int64_t last = __atomic_load_n(&pipe->last_export, __ATOMIC_RELAXED);
    return last && last < own ? last : own;
}

/* A flush bounds how long its caller waits, and no export: others may need it. A shutdown bounds what it is about. */
static int64_t deadline_of(const struct wh__pipe *pipe)
{
    const int64_t own = wh__export_until(pipe);
    if (!__atomic_load_n(&pipe->closing, __ATOMIC_ACQUIRE)) return own;
    const int64_t last = __atomic_load_n(&pipe->closing_deadline, __ATOMIC_RELAXED);
    return last < own ? last : own;
}

int wh__pipe_export(struct wh__pipe *pipe, const struct wh_batch *batch)
{
    struct wh_exporter *exporter = pipe->exporter;
    struct wh__pipe_counts *counts = &pipe->counts;
    if (batch->count == 0) return 0;
    if (__atomic_load_n(&pipe->shut_down, __ATOMIC_ACQUIRE) || !exporter) {
        add(&counts->left, batch->count);
        return 0;
    }
    size_t rejected = 0;
    set(&counts->inflight, batch->count);
    const int64_t begun = wh__now();
    const int rc = exporter->export_batch(exporter, batch, deadline_of(pipe), &rejected);
    if (rc || rejected > batch->count) rejected = rc ? 0 : batch->count;
    count_call(counts, rc, batch->count - rejected, wh__now() - begun);
    add(&counts->rejected, rejected);
    set(&counts->inflight, 0);
    return rc ? EIO : 0;
}

int wh__pipe_flush_exporter(struct wh__pipe *pipe, int64_t deadline)
{
    struct wh_exporter *exporter = pipe->exporter;
    return exporter && exporter->flush && exporter->flush(exporter, deadline) ? EIO : 0;
}

/* ---- the end ---- */

void wh__pipe_interrupt(struct wh__pipe *pipe)
{
    struct wh_exporter *exporter = pipe->exporter;
    if (exporter && exporter->interrupt) exporter->interrupt(exporter);
}

void wh__pipe_close(struct wh__pipe *pipe, int64_t deadline)
{
    struct wh_exporter *exporter = pipe->exporter;
    if (!exporter) return;
    wh__pipe_report(pipe, true);
    if (exporter->shutdown) exporter->shutdown(exporter, deadline);
    pipe->exporter = NULL;
    wh_exporter_free(exporter);
}

/* Of one that nobody has shut down: there is no time for a flush. The pipe itself stays. */
void wh__pipe_destroy(struct wh_processor *self)
{
    int64_t none = 0;
    struct wh__pipe *pipe = (struct wh__pipe *)self;
    if (!__atomic_compare_exchange_n(&pipe->closing_deadline, &none, 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
    __atomic_store_n(&pipe->closing, true, __ATOMIC_RELEASE);
    if (pipe->is_batch)
        wh__batch_end_shutdown((struct wh__batch *)pipe, wh__now());
    else
        wh__simple_end_shutdown(pipe, wh__now());
}

struct wh__pipe *wh__pipe_of(const struct wh_processor *processor)
{
    return processor->destroy == wh__pipe_destroy ? (struct wh__pipe *)(void *)processor : NULL;
}

void wh_processor_free(struct wh_processor *processor)
{
    if (processor && processor->destroy) processor->destroy(processor);
}

void wh__pipe_forget(struct wh__pipe *pipe)
{
    pipe->drain = 0;
    pipe->counts = (struct wh__pipe_counts){0};
    pipe->losses_seen = pipe->exported_seen = 0;
    pipe->in_outage = false;
}

void wh_exporter_free(struct wh_exporter *exporter)
{
    if (exporter && exporter->destroy) exporter->destroy(exporter);
}
