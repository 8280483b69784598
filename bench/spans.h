/* Providers for measuring, and the span that all measure: a child of a live one, of kind CLIENT, with five attributes. */
#ifndef SPANS_H
#define SPANS_H

#include <whence/whence.h>

#include "attributes.h"
#include "bench.h"

/* A provider with a queue large enough for a sample, and a live span of it. */
struct source {
    wh_provider *provider;
    wh_ctx *root, *span;
    struct wh_provider_stats seen;   /* at the last look */
};

/* `max_batch`: 0 for the default; the export thread is woken when half a queue or so many spans wait. */
struct source source_new(struct wh_exporter *exporter, uint32_t max_batch);

/* Says below the table how many spans of it there were. */
void source_end(struct source *source, const char *whose);

/* Waits until everything has been exported; if anything was lost since the last time, what is being sampled is invalid. */
void source_flush(struct source *source);

static inline void spans_with_5(const wh_ctx *parent, size_t n)
{
    while (n--) {
        wh_ctx *op = wh_start(parent, "GET", .kind = WH_CLIENT);
        SET_FIVE(op, &request);
        wh_end(op);
    }
}

/* In a sample, while the exporter is at work; and while it sleeps: as many as wait by default before spans are lost. */
enum { MOST_SPANS = 16384, MOST_WAITING = 2048 };

#endif
