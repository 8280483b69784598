/* W3C Trace Context, level 2: traceparent and tracestate together. */
#include "propagate/incoming.h"

#define TRACEPARENT "traceparent"
#define TRACESTATE "tracestate"
enum { MOST_STATE = 8192 };

/* A malformed tracestate does not make the traceparent worse; one without a traceparent says nothing. */
static __attribute__((noinline)) bool read_joined_state(struct wh__incoming *in, const struct wh_carrier *from, void *carrier)
{
    char joined[MOST_STATE];
    bool cut;
    const char *field = wh__get_joined(from, carrier, TRACESTATE, joined, sizeof joined, &cut);
    return field && !cut && wh__tracestate_read(field, in->state, sizeof in->state);
}

static bool read_state(struct wh__incoming *in, const struct wh_carrier *from, void *carrier)
{
    if (from->get_all) return read_joined_state(in, from, carrier);
    const char *field = from->get(carrier, TRACESTATE);
    return field && wh__tracestate_read(field, in->state, sizeof in->state);
}

static void read(struct wh__incoming *in, const struct wh_carrier *from, void *carrier)
{
    char buf[WH__FIELD_SIZE];
    struct wh_span_context span;
    if (!wh__traceparent_read(wh__get_only(from, carrier, TRACEPARENT, buf), &span)) return;
    if (read_state(in, from, carrier)) span.tracestate = in->state;
    wh__incoming_span(in, &span, WH__B3_NONE);
}

static void inject(const struct wh_propagator *self, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier)
{
    struct wh_span_context span;
    char field[WH__TRACEPARENT_SIZE];
    (void)self;
    if (!wh_span_of(ctx, &span)) return;
    wh__traceparent_write(field, &span);
    to->set(carrier, TRACEPARENT, field);
    if (span.tracestate) to->set(carrier, TRACESTATE, span.tracestate);
}

const struct wh__codec wh__tracecontext = {
    .public = {sizeof(struct wh_propagator), "tracecontext", inject, wh__codec_extract,
               (const char *const[]){TRACEPARENT, TRACESTATE, NULL}},
    .read = read,
};
