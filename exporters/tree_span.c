/* What is kept of a span to draw it. */
#include <math.h>
#include <whence/names.h>

#include "base/mem.h"
#include "base/text.h"
#include "exporters/tree.h"
#include "trace/wire.h"

/* Bytes of each text that are worth keeping. */
static const uint16_t most_bytes[WH__TREE_TEXTS] = {
    [WH__TREE_NAME] = 160, [WH__TREE_SERVICE] = 48, [WH__TREE_STATUS] = 240, [WH__TREE_ERROR_TYPE] = 80,
    [WH__TREE_REASON] = 64, [WH__TREE_MESSAGE] = 200, [WH__TREE_SITE] = 120, [WH__TREE_ORIGIN_NAME] = 160,
};

/* What is found before it is known how much memory it takes. */
struct draft {
    struct wh__tree_span span;
    struct wh_str texts[WH__TREE_TEXTS], origin_id, origin_trace_id;
    int64_t overrun;
};

static bool is(struct wh_str text, const char *what)
{
    return text.len == strlen(what) && memcmp(text.ptr, what, text.len) == 0;
}

/* ---- the attributes ---- */

static void read_text(struct draft *draft, const struct wh_attr_view *attr)
{
    const struct { const char *key; struct wh_str *text; } known[] = {
        {WH_ATTR_ERROR_TYPE, &draft->texts[WH__TREE_ERROR_TYPE]},
        {WH_ATTR_CANCEL_REASON, &draft->texts[WH__TREE_REASON]},
        {WH_ATTR_CANCEL_MESSAGE, &draft->texts[WH__TREE_MESSAGE]},
        {WH_ATTR_CANCEL_SITE, &draft->texts[WH__TREE_SITE]},
        {WH_ATTR_CANCEL_ORIGIN_SPAN_NAME, &draft->texts[WH__TREE_ORIGIN_NAME]},
        {WH_ATTR_CANCEL_ORIGIN_SPAN_ID, &draft->origin_id},
        {WH_ATTR_CANCEL_ORIGIN_TRACE_ID, &draft->origin_trace_id},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is(attr->key, known[i].key)) *known[i].text = attr->as.string;
}

static void read_duration(struct draft *draft, const struct wh_attr_view *attr)
{
    const struct { const char *key; int64_t *ns; } known[] = {
        {WH_ATTR_CANCEL_OVERRUN_MS, &draft->overrun},
        {WH_ATTR_DEADLINE_ASKED_MS, &draft->span.asked},
        {WH_ATTR_DEADLINE_BUDGET_MS, &draft->span.budget},
        {WH_ATTR_DEADLINE_REMAINING_MS, &draft->span.left},
    };
    const double ms = attr->type == WH_INT ? (double)attr->as.integer : attr->as.real;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (is(attr->key, known[i].key)) *known[i].ns = (int64_t)WH_MS(ms);
}

static void read_attributes(struct draft *draft, struct wh_cursor span)
{
    struct wh_attr_view attr;
    while (wh_next_span_attr(&span, &attr)) {
        if (attr.type == WH_STRING) read_text(draft, &attr);
        if (attr.type == WH_INT || attr.type == WH_DOUBLE) read_duration(draft, &attr);
        if (attr.type == WH_BOOL && is(attr.key, WH_ATTR_CANCELLED)) draft->span.cancelled = attr.as.boolean;
    }
}

/* ---- the cancel ---- */

static uint64_t within(const struct wh__tree_span *span, uint64_t instant)
{
    return instant < span->start ? span->start : instant > span->end ? span->end : instant;
}

/* By the event; without it, by how long the span ran on. */
static uint64_t cancel_instant(const struct draft *draft, struct wh_cursor span)
{
    const struct wh__tree_span *s = &draft->span;
    struct wh_event_view event;
    while (wh_next_event(&span, &event))
        if (is(event.name, WH_EVENT_CANCEL_RECEIVED)) return within(s, event.at);
    const uint64_t overrun = draft->overrun > 0 ? (uint64_t)draft->overrun : 0;
    return overrun < s->end - s->start ? s->end - overrun : s->start;
}

static void read_origin(struct draft *draft, const uint8_t trace_id[16])
{
    uint8_t id[16];
    if (draft->origin_id.len == 16 && wh__unhex(id, draft->origin_id.ptr, 8)) memcpy(draft->span.origin, id, 8);
    draft->span.origin_is_elsewhere = draft->origin_trace_id.len == 32 &&
        wh__unhex(id, draft->origin_trace_id.ptr, 16) && memcmp(id, trace_id, 16) != 0;
}

/* ---- all of it ---- */

static void read_span(struct draft *draft, const struct wh_span_view *view)
{
    struct wh__tree_span *span = &draft->span;
    memcpy(span->id, view->span_id, 8);
    memcpy(span->parent, view->parent_span_id, 8);
    span->parent_is_remote = view->flags & WH__IS_REMOTE;
    span->kind = (uint8_t)view->kind;
    span->status = (uint8_t)view->status;
    span->start = view->start;
    span->end = view->end > view->start ? view->end : view->start;
    span->asked = span->budget = span->left = draft->overrun = WH_NEVER;
    draft->texts[WH__TREE_NAME] = view->name;
    draft->texts[WH__TREE_STATUS] = view->status_text;
    read_attributes(draft, (struct wh_cursor){view->raw});
    read_origin(draft, view->trace_id);
    span->cancelled_at = span->cancelled ? cancel_instant(draft, (struct wh_cursor){view->raw}) : span->end;
}

static size_t kept(const struct draft *draft, size_t i)
{
    const struct wh_str text = draft->texts[i];
    return text.len <= most_bytes[i] ? text.len : wh__utf8_cut(text.ptr, most_bytes[i]);
}

struct wh__tree_span *wh__tree_span_new(const struct wh_span_view *view, struct wh_str service)
{
    struct draft draft = {.texts[WH__TREE_SERVICE] = service};
    size_t size = 0;
    read_span(&draft, view);
    for (size_t i = 0; i < WH__TREE_TEXTS; i++) draft.span.ends[i] = (uint16_t)(size += kept(&draft, i));
    struct wh__tree_span *span = wh__mem_get(sizeof *span + size);
    if (!span) return NULL;
    *span = draft.span;
    for (size_t i = 0, at = 0; i < WH__TREE_TEXTS; at = span->ends[i++])
        if (span->ends[i] > at) memcpy((char *)(span + 1) + at, draft.texts[i].ptr, span->ends[i] - at);
    return span;
}
