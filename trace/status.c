/* The name and the status of a span, and its failure. */
#include <errno.h>
#include <stdio.h>

#include "base/errname.h"
#include "base/text.h"
#include "trace/attr.h"
#include "trace/keep.h"
#include "trace/names.h"
#include "trace/provider.h"
#include "trace/span.h"

void wh__record_name(struct wh__record **record, const char *name, size_t len)
{
    const size_t size = wh__len_size(len);
    uint8_t *p = wh__record_room(record, size);
    if (!p) return;
    if ((*record)->name_size) {
        wh__record_cut(*record, (*record)->name_at, (*record)->name_size);
        p = (*record)->bytes + (*record)->len;
    }
    wh__put_text(p, WH__SPAN_NAME, name, len);
    (*record)->name_at = (*record)->len;
    (*record)->name_size = (uint32_t)size;
    (*record)->len += (uint32_t)size;
}

/* trace/api.md, Set Status: UNSET is ignored, OK is final, a description belongs to ERROR only. */
void wh__record_status(struct wh__record **record, enum wh_status status, const char *text)
{
    if (status == WH_STATUS_UNSET || (*record)->status == WH_STATUS_OK) return;
    const size_t len = status == WH_STATUS_ERROR && text ? strlen(text) : 0;
    const size_t size = (len ? wh__len_size(len) : 0) + 2;
    uint8_t *p = wh__record_room(record, wh__len_size(size));
    if (!p) return;
    if ((*record)->status_size) {
        wh__record_cut(*record, (*record)->status_at, (*record)->status_size);
        p = (*record)->bytes + (*record)->len;
    }
    (*record)->status = (uint8_t)status;
    (*record)->status_at = (*record)->len;
    (*record)->status_size = (uint32_t)wh__len_size(size);
    p = wh__put_len(p, WH__SPAN_STATUS, size);
    if (len) p = wh__put_text(p, WH__STATUS_MESSAGE, text, len);
    *p++ = WH__TAG(WH__STATUS_CODE, WH__VARINT);
    *p++ = (uint8_t)status;
    (*record)->len = (uint32_t)(p - (*record)->bytes);
}

/* Takes the lock and returns true if the span of ctx is recording. */
static bool open_record(const wh_ctx *ctx, struct wh__trace_node **trace)
{
    *trace = wh__trace_of(ctx);
    if (!*trace || !__atomic_load_n(&(*trace)->record, __ATOMIC_RELAXED)) return false;
    wh__lock(&(*trace)->lock);
    if ((*trace)->record) return true;
    wh__unlock(&(*trace)->lock);
    return false;
}

void wh_status(const wh_ctx *ctx, enum wh_status status, const char *text)
{
    struct wh__trace_node *trace;
    if (!open_record(ctx, &trace)) return;
    wh__record_status(&trace->record, status, text);
    wh__unlock(&trace->lock);
}

void wh_rename(const wh_ctx *ctx, const char *name)
{
    struct wh__trace_node *trace;
    if (!name || !open_record(ctx, &trace)) return;
    wh__record_name(&trace->record, name, strlen(name));
    if (trace->name != trace->name_copy) wh__copy_name(trace, name); /* somebody may be reading the copy */
    wh__unlock(&trace->lock);
}

static void mark_failed(struct wh__trace_node *trace, const char *type, const char *text)
{
    struct wh__attr attr;
    const struct wh_attr error_type = {.key = WH__ERROR_TYPE, .type = WH_STRING, .len = strlen(type), .as.ptr = type};
    wh__attr_ready(&attr, &error_type, sizeof WH__ERROR_TYPE - 1, &trace->provider->limits);
    wh__record_status(&trace->record, WH_STATUS_ERROR, text);
    wh__record_attr(&trace->record, &attr);
}

/* That it was told to stop is no failure of its own: the cause is recorded at the end, and the canceller has it already. */
int wh_fail_at(const wh_ctx *ctx, int code, const char *type, const char *text, const struct wh_site *site)
{
    const int err = wh_err(ctx);
    if (err && code == err && !type) return code;
    struct wh__failure failure = {.noted = true, .code = code, .site = site};
    struct wh__trace_node *trace;
    if (open_record(ctx, &trace)) {
        mark_failed(trace, type ? type : wh__errno_name(code), text);
        wh__unlock(&trace->lock);
    }
    if (trace && trace->flags & WH__KEEPS) wh__keep_note(trace, WH_KEEP_FAILED, type ? type : wh__errno_name(code), site);
    if (text) {
        size_t len = strnlen(text, sizeof failure.text);
        if (len == sizeof failure.text) len = wh__utf8_cut(text, sizeof failure.text - 1);
        memcpy(failure.text, text, len);
    }
    if (trace && wh__has_span(trace) && !trace->remote) {
        memcpy(failure.trace_id, trace->trace_id, sizeof failure.trace_id);
        memcpy(failure.span_id, trace->span_id, sizeof failure.span_id);
        snprintf(failure.span_name, sizeof failure.span_name, "%s", wh__name_of(trace));
        failure.made = trace->node.made;
    }
    wh__note_failure(ctx, &failure);
    return code;
}
