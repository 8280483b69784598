/* Counting: what every thread has counted for itself, put together. */
#include <string.h>

#include "trace/batch.h"
#include "trace/keeping.h"
#include "trace/provider.h"
#include "trace/simple.h"

static uint64_t get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* ---- a processor ---- */

/* What was written after the last look at the queues, when a shutdown came in between, nobody will fetch. */
static void add_spool(struct wh_processor_stats *stats, const struct wh__spool *spool, bool closed)
{
    const uint64_t waiting = wh__spool_waiting(spool);
    const uint64_t full = get(&spool->dropped_queue), no_memory = get(&spool->dropped_memory), late = get(&spool->dropped_shutdown);
    stats->taken += get(&spool->written) + full + no_memory + late;
    stats->dropped_queue += full;
    stats->dropped_memory += no_memory;
    stats->dropped_shutdown += late + (closed ? waiting : 0);
}

static void add_batch(struct wh_processor_stats *stats, const struct wh__batch *batch)
{
    const bool closed = __atomic_load_n(&batch->closed, __ATOMIC_ACQUIRE);
    const uint64_t homeless = get(&batch->homeless);
    stats->taken += homeless;
    stats->dropped_memory += homeless;
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        const struct wh__spool *spool = wh__slot_of(thread, batch->number);
        if (spool) add_spool(stats, spool, closed);
    }
}

static void add_simple(struct wh_processor_stats *stats, const struct wh__simple *simple)
{
    const uint64_t busy = get(&simple->dropped_busy), late = get(&simple->dropped_shutdown);
    stats->taken += busy + late + stats->exported + stats->dropped_export + stats->dropped_shutdown + get(&simple->pipe.counts.inflight);
    stats->dropped_export += busy;
    stats->dropped_shutdown += late;
}

static void add_outcome(struct wh_processor_stats *stats, const struct wh__outcome *outcome, bool failed)
{
    const uint64_t spans = get(&outcome->spans), calls = get(&outcome->calls);
    stats->exported += failed ? 0 : spans;
    stats->dropped_export += failed ? spans : 0;
    stats->exports += calls;
    stats->exports_failed += failed ? calls : 0;
    stats->export_time += get(&outcome->time);
}

void wh__pipe_stats(const struct wh__pipe *pipe, struct wh_processor_stats *stats)
{
    const struct wh__pipe_counts *counts = &pipe->counts;
    *stats = (struct wh_processor_stats){.size = stats->size, .dropped_export = get(&counts->rejected),
        .dropped_shutdown = get(&counts->left)};
    for (size_t i = 0; i < WH__OUTCOMES; i++) add_outcome(stats, &counts->outcomes[i], i > 0);
    if (pipe->is_batch)
        add_batch(stats, (const struct wh__batch *)pipe);
    else
        add_simple(stats, (const struct wh__simple *)pipe);
    const uint64_t gone = stats->exported + stats->dropped_queue + stats->dropped_memory + stats->dropped_export + stats->dropped_shutdown;
    stats->waiting = stats->taken > gone ? stats->taken - gone : 0;
}

bool wh_processor_stats(const struct wh_processor *processor, struct wh_processor_stats *stats)
{
    const struct wh__pipe *pipe = wh__pipe_of(processor);
    struct wh_processor_stats all = {.size = stats->size};
    if (!pipe) return false;
    wh__pipe_stats(pipe, &all);
    memcpy(stats, &all, stats->size < sizeof all ? stats->size : sizeof all);
    return true;
}

/* ---- a provider ---- */

static void add_kept(struct wh_provider_stats *sum, const struct wh__counts *counts)
{
    sum->kept_traces += get(&counts->kept_traces);
    sum->kept_spans += get(&counts->kept_spans);
    sum->keep_forgotten += get(&counts->keep_forgotten);
    sum->keep_skipped += get(&counts->keep_skipped);
    sum->keep_limited += get(&counts->keep_limited);
    sum->keep_alike += get(&counts->keep_alike);
}

static void add_keeping(struct wh_provider_stats *sum, struct wh__keeping *keeping)
{
    if (!keeping) return;
    sum->keep_skipped += get(&keeping->homeless_skipped);
    sum->ended += get(&keeping->homeless_ended);
    sum->keep_forgotten += get(&keeping->homeless_forgotten);
    sum->keep_untold = wh__keeping_untold(keeping);
    sum->keep_memory = get(&keeping->taken);
}

void wh__provider_losses(const wh_provider *provider, struct wh_provider_stats *sum)
{
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        const struct wh__counts *counts = wh__slot_of(thread, provider->number);
        if (!counts) continue;
        sum->started += get(&counts->started);
        sum->ended += get(&counts->ended);
        sum->recorded_only += get(&counts->recorded_only);
        sum->dropped_memory += get(&counts->dropped_memory);
        sum->dropped_shutdown += get(&counts->dropped_shutdown);
        sum->leaked += get(&counts->leaked);
        add_kept(sum, counts);
        sum->brief += get(&counts->brief);
    }
    const uint64_t begun = get(&provider->homeless_started), lost = get(&provider->homeless_ended);
    sum->started += begun;
    sum->ended += lost;
    sum->dropped_memory += begun + lost;
    add_keeping(sum, provider->keeping);
}

void wh_provider_stats(const wh_provider *provider, struct wh_provider_stats *stats)
{
    struct wh_provider_stats sum = {.size = stats->size};
    wh__provider_losses(provider, &sum);
    if (provider->pipe_count > 1) sum.dropped_memory *= provider->pipe_count;
    if (provider->pipe_count > 1) sum.dropped_shutdown *= provider->pipe_count;
    for (size_t i = 0; i < provider->processor_count; i++) {
        struct wh_processor_stats of_one = {.size = sizeof of_one};
        if (!provider->pipes[i]) continue;
        wh__pipe_stats(provider->pipes[i], &of_one);
        sum.exported += of_one.exported;
        sum.dropped_queue += of_one.dropped_queue;
        sum.dropped_memory += of_one.dropped_memory;
        sum.dropped_export += of_one.dropped_export;
        sum.dropped_shutdown += of_one.dropped_shutdown;
    }
    memcpy(stats, &sum, stats->size < sizeof sum ? stats->size : sizeof sum);
}
