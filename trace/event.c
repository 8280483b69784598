/* Events and links. */
#include "base/clock.h"
#include "trace/attr.h"
#include "trace/provider.h"
#include "trace/span.h"

/* ---- what both are made of ---- */

enum { ROOM = 1024 }; /* what the attributes of nearly all of them take */

/* The attributes, ready to be copied; put together while nobody waits for the record. */
struct list {
    struct wh__back back;
    uint32_t dropped;
    uint8_t room[ROOM];
};

static void prepare(struct list *list, unsigned field, struct wh_attrs attrs, uint32_t most, const struct wh_limits *limits)
{
    wh__back_begin(&list->back, list->room, sizeof list->room);
    list->dropped = 0;
    if (attrs.count) wh__back_attrs(&list->back, field, attrs, most, limits, &list->dropped);
}

static uint8_t *put_list(uint8_t *p, const struct list *list)
{
    const size_t size = wh__back_size(&list->back);
    if (size) memcpy(p, list->back.at, size);
    return p + size;
}

static size_t dropped_size(uint32_t dropped)
{
    return dropped ? 1 + wh__varint_size(dropped) : 0;
}

static uint8_t *put_dropped(uint8_t *p, unsigned field, uint32_t dropped)
{
    if (!dropped) return p;
    *p++ = WH__TAG(field, WH__VARINT);
    return wh__put_varint(p, dropped);
}

/* ---- on a record ---- */

static void put_event(struct wh__record **record, const char *name, uint64_t at, const struct list *list, uint32_t most)
{
    const size_t name_len = name ? strlen(name) : 0;
    const size_t size = 9 + wh__len_size(name_len) + wh__back_size(&list->back) + dropped_size(list->dropped);
    const bool over = (*record)->events >= most || list->back.failed;
    uint8_t *p = over ? NULL : wh__record_room(record, wh__len_size(size));
    if (!p) {
        (*record)->dropped_events++;
        return;
    }
    p = wh__put_len(p, WH__SPAN_EVENT, size);
    *p++ = WH__TAG(WH__EVENT_TIME, WH__FIXED64);
    p = wh__put_fixed64(p, at);
    p = wh__put_text(p, WH__EVENT_NAME, name, name_len);
    p = put_list(p, list);
    p = put_dropped(p, WH__EVENT_DROPPED, list->dropped);
    (*record)->len = (uint32_t)(p - (*record)->bytes);
    (*record)->events++;
}

static void put_link(struct wh__record **record, const struct wh_span_context *to, const struct list *list, uint32_t most)
{
    const size_t state_len = to->tracestate ? strlen(to->tracestate) : 0;
    const size_t size = wh__len_size(16) + wh__len_size(8) + (state_len ? wh__len_size(state_len) : 0) +
                        wh__back_size(&list->back) + dropped_size(list->dropped) + 5;
    const bool over = (*record)->links >= most || list->back.failed;
    uint8_t *p = over ? NULL : wh__record_room(record, wh__len_size(size));
    if (!p) {
        (*record)->dropped_links++;
        return;
    }
    p = wh__put_len(p, WH__SPAN_LINK, size);
    p = wh__put_bytes(p, WH__LINK_TRACE_ID, to->trace_id, sizeof to->trace_id);
    p = wh__put_bytes(p, WH__LINK_SPAN_ID, to->span_id, sizeof to->span_id);
    if (state_len) p = wh__put_text(p, WH__LINK_TRACESTATE, to->tracestate, state_len);
    p = put_list(p, list);
    p = put_dropped(p, WH__LINK_DROPPED, list->dropped);
    *p++ = WH__TAG(WH__LINK_FLAGS, WH__FIXED32);
    p = wh__put_fixed32(p, (to->flags & (WH_SAMPLED | WH_RANDOM)) | WH__KNOWS_REMOTE | (to->remote ? WH__IS_REMOTE : 0));
    (*record)->len = (uint32_t)(p - (*record)->bytes);
    (*record)->links++;
}

void wh__record_event(struct wh__record **record, const char *name, uint64_t at, struct wh_attrs attrs,
                      const struct wh_limits *limits)
{
    struct list list;
    prepare(&list, WH__EVENT_ATTRIBUTE, attrs, limits->event_attributes, limits);
    put_event(record, name, at, &list, limits->events);
    wh__back_end(&list.back);
}

/* A link to nowhere says something only if it carries attributes or a tracestate (trace/api.md, Link). */
static bool says_something(const struct wh_span_context *to, struct wh_attrs attrs)
{
    static const uint8_t none[16];
    if (!to) return false;
    return (memcmp(to->trace_id, none, 16) && memcmp(to->span_id, none, 8)) || attrs.count ||
           (to->tracestate && *to->tracestate);
}

void wh__record_link(struct wh__record **record, const struct wh_span_context *to, struct wh_attrs attrs,
                     const struct wh_limits *limits)
{
    struct list list;
    if (!says_something(to, attrs)) return;
    prepare(&list, WH__LINK_ATTRIBUTE, attrs, limits->link_attributes, limits);
    put_link(record, to, &list, limits->links);
    wh__back_end(&list.back);
}

/* ---- for users ---- */

static bool is_recording(const struct wh__trace_node *trace)
{
    return trace && __atomic_load_n(&trace->record, __ATOMIC_RELAXED);
}

static void record_event(struct wh__trace_node *trace, const char *name, uint64_t at, const struct list *list)
{
    wh__lock(&trace->lock);
    if (trace->record) put_event(&trace->record, name, at, list, trace->provider->limits.events);
    wh__unlock(&trace->lock);
}

void wh_event_at(const wh_ctx *ctx, const struct wh_event_opts *opts)
{
    struct wh__trace_node *trace = wh__trace_of(ctx);
    struct list list;
    if (!is_recording(trace)) return;
    const struct wh_limits *limits = &trace->provider->limits;
    const uint64_t at = (uint64_t)(opts->at ? opts->at : wh__now()) + (uint64_t)trace->wall;
    prepare(&list, WH__EVENT_ATTRIBUTE, opts->attrs, limits->event_attributes, limits);
    record_event(trace, opts->name, at, &list);
    wh__back_end(&list.back);
}

void wh_link_to_at(const wh_ctx *ctx, const struct wh_link_opts *opts)
{
    struct wh__trace_node *trace = wh__trace_of(ctx);
    struct list list;
    if (!is_recording(trace) || !says_something(opts->to, opts->attrs)) return;
    const struct wh_limits *limits = &trace->provider->limits;
    prepare(&list, WH__LINK_ATTRIBUTE, opts->attrs, limits->link_attributes, limits);
    wh__lock(&trace->lock);
    if (trace->record) put_link(&trace->record, opts->to, &list, limits->links);
    wh__unlock(&trace->lock);
    wh__back_end(&list.back);
}

/* ---- exceptions ---- */

static bool has_key(struct wh_attrs attrs, const char *key)
{
    for (size_t i = 0; i < attrs.count; i++)
        if (attrs.list[i].key && strcmp(attrs.list[i].key, key) == 0) return true;
    return false;
}

static void add(struct wh_attr *list, size_t *count, struct wh_attrs others, const char *key, const char *text)
{
    if (text && !has_key(others, key)) list[(*count)++] = wh_attr(key, text);
}

/* trace/exceptions.md: what is given besides holds, also for the names of its own. */
void wh_exception_at(const wh_ctx *ctx, const struct wh_exception_opts *given)
{
    struct wh__trace_node *trace = wh__trace_of(ctx);
    struct wh_exception_opts opts = {0};
    struct wh_attr own[3];
    struct list list;
    size_t count = 0;
    if (!is_recording(trace)) return;
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    add(own, &count, opts.attrs, "exception.type", opts.type);
    add(own, &count, opts.attrs, "exception.message", opts.message);
    add(own, &count, opts.attrs, "exception.stacktrace", opts.stacktrace);
    const struct wh_limits *limits = &trace->provider->limits;
    const uint32_t kept = limits->event_attributes < count ? limits->event_attributes : (uint32_t)count;
    const uint64_t at = (uint64_t)(opts.at ? opts.at : wh__now()) + (uint64_t)trace->wall;
    prepare(&list, WH__EVENT_ATTRIBUTE, opts.attrs, limits->event_attributes - kept, limits);
    wh__back_attrs(&list.back, WH__EVENT_ATTRIBUTE, (struct wh_attrs){own, count}, kept, limits, &list.dropped);
    record_event(trace, "exception", at, &list);
    wh__back_end(&list.back);
}
