/* The span of a context, for logs. */
#include <string.h>

#include "base/text.h"
#include "trace/span.h"

size_t wh_log_fields(const wh_ctx *ctx, char *buf, size_t size)
{
    char trace_id[33] = "", span_id[17] = "";
    struct wh_span_context span;
    struct wh__text text = {.buf = buf, .size = size};
    if (size) *buf = '\0';
    if (!wh_span_of(ctx, &span)) return 0;
    wh__hex(trace_id, span.trace_id, sizeof span.trace_id);
    wh__hex(span_id, span.span_id, sizeof span.span_id);
    wh__put(&text, "trace_id=%s span_id=%s trace_flags=%02x", trace_id, span_id, span.flags);
    return text.len;
}
