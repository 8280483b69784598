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

enum wh_log_level wh_log_done(const wh_ctx *ctx, char *buf, size_t size)
{
    char fields[WH_LOG_FIELDS];
    const size_t more = wh_log_fields(ctx, fields, sizeof fields), room = size > more + 1 ? size - more - 1 : 0;
    if (more == 0) {
        wh_log_line(ctx, buf, size);
    } else if (room == 0) {
        wh_log_fields(ctx, buf, size);
    } else {
        size_t len = wh_log_line(ctx, buf, room);
        if (len > room - 1) len = wh__utf8_cut(buf, room - 1);
        buf[len++] = ' ';
        memcpy(buf + len, fields, more + 1);
    }
    return wh_log_level(ctx);
}
