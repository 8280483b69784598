/* What tracing says of itself, by the names of semantic-conventions 1.44, docs/otel/sdk-metrics.md. */
#include <stdio.h>

#include "base/errname.h"
#include "trace/batch.h"
#include "trace/provider.h"
#include "trace/span.h"

static const char *const origins[] = {"none", "local", "remote"};
static const char *const decisions[] = {"DROP", "RECORD_ONLY", "RECORD_AND_SAMPLE"};

void wh__observe_start(const struct wh__trace_node *trace, const struct wh__trace_node *parent)
{
    struct wh__counts *counts = wh__counts_own(trace->provider);
    const size_t origin = !parent ? 0 : parent->remote ? 2 : 1;
    const bool recorded = trace->node.flags & WH__ENDS && !(trace->flags & WH__UNASKED);
    const size_t decision = trace->flags & WH_SAMPLED ? 2 : recorded ? 1 : 0;
    if (counts) wh__count(&counts->origins[origin][decision]);
}

/* ---- saying ---- */

struct observer {
    void (*each)(const struct wh_measure *measure, void *arg);
    void *arg;
};

static void say_count(const struct observer *observer, const char *name, enum wh_measure_kind kind, uint64_t value, struct wh_attrs attrs)
{
    const struct wh_measure measure = {.size = sizeof measure, .name = name, .unit = "{span}", .kind = kind, .attrs = attrs,
        .value = (int64_t)value};
    observer->each(&measure, observer->arg);
}

static uint64_t get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* ---- spans ---- */

static uint64_t started(const wh_provider *provider, size_t origin, size_t decision)
{
    uint64_t sum = 0;
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        const struct wh__counts *counts = wh__slot_of(thread, provider->number);
        if (counts) sum += get(&counts->origins[origin][decision]);
    }
    return sum;
}

static void observe_spans(const struct observer *observer, const wh_provider *provider)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    for (size_t i = 0; provider->observes && i < 9; i++) {
        const struct wh_attr attrs[] = {wh_attr("otel.span.parent.origin", origins[i / 3]),
            wh_attr("otel.span.sampling_result", decisions[i % 3])};
        const uint64_t count = started(provider, i / 3, i % 3);
        if (count) say_count(observer, "otel.sdk.span.started", WH_COUNTER, count, (struct wh_attrs){attrs, 2});
    }
    wh__provider_losses(provider, &stats);
    const uint64_t gone = stats.ended + stats.dropped_memory;
    say_count(observer, "otel.sdk.span.live", WH_UP_DOWN_COUNTER, stats.started > gone ? stats.started - gone : 0, (struct wh_attrs){0});
}

/* ---- components: type, name, and room for an error's type ---- */

struct component {
    char type[48], name[64];
    struct wh_attr attrs[3];
};

static void begin(struct component *component, const char *type, uint32_t index)
{
    snprintf(component->type, sizeof component->type, "%s", type);
    snprintf(component->name, sizeof component->name, "%s/%u", type, index);
    component->attrs[0] = wh_attr("otel.component.type", (const char *)component->type);
    component->attrs[1] = wh_attr("otel.component.name", (const char *)component->name);
}

/* NULL: it went well. */
static struct wh_attrs with(struct component *component, const char *error)
{
    if (error) component->attrs[2] = wh_attr("error.type", error);
    return (struct wh_attrs){component->attrs, error ? 3 : 2};
}

static void say_error(const struct observer *observer, struct component *component, const char *name, const char *error, uint64_t count)
{
    if (count) say_count(observer, name, WH_COUNTER, count, with(component, error));
}

/* ---- processors ---- */

static void observe_queue(const struct observer *observer, struct component *component, const struct wh__batch *batch)
{
    uint64_t waiting = 0, capacity = 0;
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        const struct wh__spool *spool = wh__slot_of(thread, batch->number);
        if (!spool) continue;
        waiting += wh__spool_waiting(spool);
        capacity += batch->max_queue;
    }
    if (__atomic_load_n(&batch->closed, __ATOMIC_ACQUIRE)) waiting = 0;
    say_count(observer, "otel.sdk.processor.span.queue.size", WH_UP_DOWN_COUNTER, waiting, with(component, NULL));
    say_count(observer, "otel.sdk.processor.span.queue.capacity", WH_UP_DOWN_COUNTER, capacity, with(component, NULL));
}

/* What ended after the shutdown never came to the processor: it would have refused it. */
static void observe_processor(const struct observer *observer, const struct wh__pipe *pipe, const wh_provider *provider)
{
    static const char processed[] = "otel.sdk.processor.span.processed";
    struct component component;
    struct wh_provider_stats before = {.size = sizeof before};
    struct wh_processor_stats stats = {.size = sizeof stats};
    begin(&component, pipe->is_batch ? "batching_span_processor" : "simple_span_processor", pipe->index);
    wh__pipe_stats(pipe, &stats);
    wh__provider_losses(provider, &before);
    if (pipe->is_batch) observe_queue(observer, &component, (const struct wh__batch *)pipe);
    say_count(observer, processed, WH_COUNTER, stats.exported + stats.dropped_export, with(&component, NULL));
    say_error(observer, &component, processed, "queue_full", stats.dropped_queue);
    say_error(observer, &component, processed, "no_memory", stats.dropped_memory);
    say_error(observer, &component, processed, "already_shutdown", stats.dropped_shutdown + before.dropped_shutdown);
}

/* ---- exporters ---- */

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

static void observe_outcome(const struct observer *observer, struct component *component, const struct wh__outcome *outcome,
                            const char *error)
{
    const struct wh_measure duration = {.size = sizeof duration, .name = "otel.sdk.exporter.operation.duration", .unit = "s",
        .kind = WH_HISTOGRAM, .attrs = with(component, error), .count = get(&outcome->calls), .sum = seconds(get(&outcome->time)),
        .min = seconds(get(&outcome->shortest)), .max = seconds(get(&outcome->longest))};
    if (error && !duration.count) return;
    say_count(observer, "otel.sdk.exporter.span.exported", WH_COUNTER, get(&outcome->spans), with(component, error));
    observer->each(&duration, observer->arg);
}

static void observe_exporter(const struct observer *observer, const struct wh__pipe *pipe)
{
    const struct wh__pipe_counts *counts = &pipe->counts;
    struct component component;
    begin(&component, pipe->exporter_type, pipe->exporter_index);
    say_count(observer, "otel.sdk.exporter.span.inflight", WH_UP_DOWN_COUNTER, get(&counts->inflight), with(&component, NULL));
    observe_outcome(observer, &component, &counts->outcomes[0], NULL);
    say_error(observer, &component, "otel.sdk.exporter.span.exported", "rejected", get(&counts->rejected));
    for (size_t i = 1; i < WH__OUTCOMES; i++) {
        const int code = __atomic_load_n(&counts->outcomes[i].code, __ATOMIC_RELAXED);
        observe_outcome(observer, &component, &counts->outcomes[i], code ? wh__errno_name(code) : "_OTHER");
    }
}

void wh_provider_observe(const wh_provider *provider, void (*each)(const struct wh_measure *measure, void *arg), void *arg)
{
    const struct observer observer = {each, arg};
    observe_spans(&observer, provider);
    for (size_t i = 0; i < provider->processor_count; i++) {
        if (!provider->pipes[i]) continue;
        observe_processor(&observer, provider->pipes[i], provider);
        observe_exporter(&observer, provider->pipes[i]);
    }
}

/* ---- as an event ---- */

enum { MOST_ATTRS = 128, KEY = 160 };

struct sheet {
    struct wh_attr attrs[MOST_ATTRS];
    char keys[MOST_ATTRS][KEY];
    size_t count;
};

static void put(const struct wh_measure *measure, void *arg)
{
    struct sheet *sheet = arg;
    if (sheet->count == MOST_ATTRS) return;
    char *key = sheet->keys[sheet->count];
    size_t len = (size_t)snprintf(key, KEY, "%s", measure->name);
    for (size_t i = 0; i < measure->attrs.count && len < KEY; i++)
        if (strcmp(measure->attrs.list[i].key, "otel.component.type"))
            len += (size_t)snprintf(key + len, KEY - len, "/%s", (const char *)measure->attrs.list[i].as.ptr);
    sheet->attrs[sheet->count++] = measure->kind == WH_HISTOGRAM ? wh_attr((const char *)key, measure->sum)
                                                                 : wh_attr((const char *)key, measure->value);
}

void wh_provider_observe_on(const wh_provider *provider, const wh_ctx *ctx)
{
    struct sheet sheet;
    if (!wh_recording(ctx)) return;
    sheet.count = 0;
    wh_provider_observe(provider, put, &sheet);
    wh_event(ctx, "otel.sdk.report", .attrs = {sheet.attrs, sheet.count});
}
