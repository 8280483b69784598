/* The name and the status of a span, and its failure. */
#include <errno.h>
#include <stdio.h>
#include <whence/names.h>

#include "base/errname.h"
#include "base/text.h"
#include "context/because.h"
#include "trace/attr.h"
#include "trace/keep.h"
#include "trace/own.h"
#include "trace/provider.h"

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
    (*record)->marks = (uint8_t)(status == WH_STATUS_ERROR ? (*record)->marks | WH__HAS_FAILED : (*record)->marks & ~WH__HAS_FAILED);
    (*record)->status_at = (*record)->len;
    (*record)->status_size = (uint32_t)wh__len_size(size);
    p = wh__put_len(p, WH__SPAN_STATUS, size);
    if (len) p = wh__put_text(p, WH__STATUS_MESSAGE, text, len);
    *p++ = WH__TAG(WH__STATUS_CODE, WH__VARINT);
    *p++ = (uint8_t)status;
    (*record)->len = (uint32_t)(p - (*record)->bytes);
}

void wh_status(const wh_ctx *ctx, enum wh_status status, const char *text)
{
    struct wh__trace_node *trace;
    if (!wh__own_open(ctx, &trace)) return;
    wh__record_status(&trace->record, status, text);
    wh__unlock(&trace->lock);
}

void wh_rename(const wh_ctx *ctx, const char *name)
{
    struct wh__trace_node *trace;
    if (!name || !wh__own_open(ctx, &trace)) return;
    wh__record_name(&trace->record, name, strlen(name));
    if (trace->name != trace->name_copy) wh__copy_name(trace, name); /* somebody may be reading the copy */
    wh__unlock(&trace->lock);
}

static void mark_failed(struct wh__trace_node *trace, const char *type, const char *text, const struct wh_site *site)
{
    char place[256];
    wh__record_status(&trace->record, WH_STATUS_ERROR, text);
    wh__own_text(&trace->record, WH_ATTR_ERROR_TYPE, type);
    if (site) wh__own_text(&trace->record, WH_ATTR_FAILURE_SITE, wh__say_site(place, sizeof place, site));
}

/* The failure as a link of a chain, noted where those look for it who are concerned. */
static void note(const wh_ctx *ctx, const char *type, const char *text, const struct wh_site *site)
{
    char service[64] = "";
    struct wh__trace_node *trace = wh__trace_of(ctx);
    struct wh__because_facts facts = {.kind = WH__BY_FAILURE, .place = site, .said = {.reason = type, .text = text}};
    if (trace && wh__has_span(trace) && !trace->remote) {
        memcpy(facts.said.trace_id, trace->trace_id, sizeof facts.said.trace_id);
        memcpy(facts.said.span_id, trace->span_id, sizeof facts.said.span_id);
        facts.said.span_name = wh__name_of(trace);
        facts.made = trace->node.made;
    }
    if (trace) facts.said.service = wh__service_of(&trace->node, service, sizeof service);
    wh__because_note(ctx, wh__because_new(&facts, wh__because_behind(ctx, &facts.said)));
}

/* That it was told to stop is no failure of its own: the cause is recorded at the end, and the canceller has it already. */
int wh_fail_at(const wh_ctx *ctx, int code, const char *type, const char *text, const struct wh_site *site)
{
    const int err = wh_err(ctx);
    if (err && code == err && !type) return code;
    if (!type) type = wh__errno_name(code);
    struct wh__trace_node *trace;
    if (wh__own_open(ctx, &trace)) {
        mark_failed(trace, type, text, site);
        wh__unlock(&trace->lock);
    }
    if (trace && trace->flags & WH__KEEPS) wh__keep_note(trace, WH_KEEP_FAILED, type, site);
    note(ctx, type, text, site);
    return code;
}
