/* What may be asked of the span of a context. */
#include <string.h>

#include "base/text.h"
#include "trace/span.h"

bool wh_recording(const wh_ctx *ctx)
{
    const struct wh__trace_node *trace = wh__trace_of(ctx);
    return trace && __atomic_load_n(&trace->record, __ATOMIC_RELAXED);
}

bool wh_span_of(const wh_ctx *ctx, struct wh_span_context *out)
{
    const struct wh__trace_node *trace = wh__trace_of(ctx);
    *out = (struct wh_span_context){0};
    if (!trace || !wh__has_span(trace)) return false;
    memcpy(out->trace_id, trace->trace_id, sizeof out->trace_id);
    memcpy(out->span_id, trace->span_id, sizeof out->span_id);
    out->flags = trace->flags & (WH_SAMPLED | WH_RANDOM);
    out->remote = trace->remote;
    out->tracestate = trace->tracestate;
    return true;
}

char *wh_trace_id_hex(const wh_ctx *ctx, char out[33])
{
    struct wh_span_context span;
    wh_span_of(ctx, &span);
    wh__hex(out, span.trace_id, sizeof span.trace_id);
    out[32] = '\0';
    return out;
}

char *wh_span_id_hex(const wh_ctx *ctx, char out[17])
{
    struct wh_span_context span;
    wh_span_of(ctx, &span);
    wh__hex(out, span.span_id, sizeof span.span_id);
    out[16] = '\0';
    return out;
}
