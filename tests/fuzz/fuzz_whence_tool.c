/* Any bytes as what the program whence reads: OTLP as JSON, or Jaeger's. Whatever comes of it is a tree that holds together, and all
 * that is told of it is told. */
#include <stdint.h>
#include <stdlib.h>

#include "incident.h"
#include "model.h"
#include "say.h"

static void require(bool holds)
{
    if (!holds) abort();
}

static void check_tree(const struct trace *trace)
{
    size_t cancelled = 0;
    for (size_t i = 0; i < trace->count; i++) {
        const struct span *span = trace->spans[i];
        require(span->trace == trace && span->index == i && span->end >= span->start);
        require(!span->up || (span->up->index < i && span->depth == span->up->depth + 1));
        require(span->start >= trace->start && span->end <= trace->end);
        require(!was_cancelled(span) || (span->facts->cancelled_at >= span->start && span->facts->cancelled_at <= span->end));
        require(wasted_by(span) >= 0 && wasted_by(span) <= overrun_of(span));
        cancelled += was_cancelled(span);
    }
    require(trace->cancelled == (cancelled > 0));
}

/* Every span that was stopped or failed is part of one incident, once. */
static void check_incidents(const struct trace *trace)
{
    struct text text = {0};
    size_t troubled = 0, told = 0;
    struct incidents incidents = incidents_of(trace);
    for (size_t i = 0; i < trace->count; i++) troubled += is_troubled(trace->spans[i]);
    for (size_t i = 0; i < incidents.count; i++) {
        const struct incident *incident = &incidents.list[i];
        require(incident->subject && is_troubled(incident->subject) && incident->stopped + incident->failed == incident->hit_count);
        told += incident->hit_count + (incident->cause && incident->cause->trace == trace && is_troubled(incident->cause));
        say_headline(&text, incident);
        say_details(&text, incident);
    }
    require(told == troubled);
    say_trace(&text, trace, &incidents, NULL);
    text_free(&text);
    incidents_free(&incidents);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[120];
    struct model *model = model_new();
    model_read_json(model, (const char *)data, size, why, sizeof why);
    model_link(model);
    for (size_t i = 0; i < model_count(model); i++) {
        check_tree(model_trace(model, i));
        check_incidents(model_trace(model, i));
    }
    model_free(model);
    return 0;
}
