/* Events and links. */
#include "base/clock.h"
#include "trace/attr.h"
#include "trace/provider.h"
#include "trace/span.h"

/* ---- lists of attributes, of events and links ---- */

/* How many of them are kept, and what that takes. A key that comes again counts as dropped: the first one stays. */
struct list {
    size_t size;
    uint32_t kept, dropped;
};

static bool came_before(struct wh_attrs attrs, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (attrs.list[j].key && strcmp(attrs.list[j].key, attrs.list[i].key) == 0) return true;
    return false;
}

static bool ready(struct wh__attr *out, struct wh_attrs attrs, size_t i, uint32_t value_limit)
{
    const char *key = attrs.list[i].key;
    return key && !came_before(attrs, i) && wh__attr_ready(out, &attrs.list[i], strlen(key), value_limit);
}

static struct list measure(struct wh_attrs attrs, uint32_t limit, uint32_t value_limit)
{
    struct list list = {0};
    struct wh__attr attr;
    for (size_t i = 0; i < attrs.count; i++) {
        if (list.kept < limit && ready(&attr, attrs, i, value_limit)) {
            list.size += wh__len_size(attr.size);
            list.kept++;
        } else {
            list.dropped++;
        }
    }
    return list;
}

static uint8_t *put_list(uint8_t *p, unsigned field, struct wh_attrs attrs, uint32_t kept, uint32_t value_limit)
{
    struct wh__attr attr;
    for (size_t i = 0; i < attrs.count && kept; i++) {
        if (!ready(&attr, attrs, i, value_limit)) continue;
        p = wh__attr_put(p, field, &attr);
        kept--;
    }
    return p;
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

void wh__record_event(struct wh__record **record, const char *name, uint64_t at, struct wh_attrs attrs,
                      const struct wh_limits *limits)
{
    const size_t name_len = name ? strlen(name) : 0;
    const struct list list = measure(attrs, limits->event_attributes, limits->value_length);
    const size_t size = 9 + wh__len_size(name_len) + list.size + dropped_size(list.dropped);
    const bool over = (*record)->events >= limits->events;
    uint8_t *p = over ? NULL : wh__record_room(record, wh__len_size(size));
    if (!p) {
        (*record)->dropped_events++;
        return;
    }
    p = wh__put_len(p, WH__SPAN_EVENT, size);
    *p++ = WH__TAG(WH__EVENT_TIME, WH__FIXED64);
    p = wh__put_fixed64(p, at);
    p = wh__put_text(p, WH__EVENT_NAME, name, name_len);
    p = put_list(p, WH__EVENT_ATTRIBUTE, attrs, list.kept, limits->value_length);
    p = put_dropped(p, WH__EVENT_DROPPED, list.dropped);
    (*record)->len = (uint32_t)(p - (*record)->bytes);
    (*record)->events++;
}

void wh__record_link(struct wh__record **record, const struct wh_span_context *to, struct wh_attrs attrs,
                     const struct wh_limits *limits)
{
    const size_t state_len = to->tracestate ? strlen(to->tracestate) : 0;
    const struct list list = measure(attrs, limits->link_attributes, limits->value_length);
    const size_t size = wh__len_size(16) + wh__len_size(8) + (state_len ? wh__len_size(state_len) : 0) + list.size +
                        dropped_size(list.dropped) + 5;
    const bool over = (*record)->links >= limits->links;
    uint8_t *p = over ? NULL : wh__record_room(record, wh__len_size(size));
    if (!p) {
        (*record)->dropped_links++;
        return;
    }
    p = wh__put_len(p, WH__SPAN_LINK, size);
    p = wh__put_bytes(p, WH__LINK_TRACE_ID, to->trace_id, sizeof to->trace_id);
    p = wh__put_bytes(p, WH__LINK_SPAN_ID, to->span_id, sizeof to->span_id);
    if (state_len) p = wh__put_text(p, WH__LINK_TRACESTATE, to->tracestate, state_len);
    p = put_list(p, WH__LINK_ATTRIBUTE, attrs, list.kept, limits->value_length);
    p = put_dropped(p, WH__LINK_DROPPED, list.dropped);
    *p++ = WH__TAG(WH__LINK_FLAGS, WH__FIXED32);
    p = wh__put_fixed32(p, (to->flags & (WH_SAMPLED | WH_RANDOM)) | WH__KNOWS_REMOTE | (to->remote ? WH__IS_REMOTE : 0));
    (*record)->len = (uint32_t)(p - (*record)->bytes);
    (*record)->links++;
}

/* ---- for users ---- */

void wh_event_at(const wh_ctx *ctx, const struct wh_event_opts *opts)
{
    struct wh__trace_node *trace = wh__trace_of(ctx);
    if (!trace || !__atomic_load_n(&trace->record, __ATOMIC_RELAXED)) return;
    const int64_t at = opts->at ? opts->at : wh__now();
    wh__lock(&trace->lock);
    if (trace->record)
        wh__record_event(&trace->record, opts->name, (uint64_t)(at + trace->wall), opts->attrs, &trace->provider->limits);
    wh__unlock(&trace->lock);
}

/* A link to nowhere says something only if it carries attributes or a tracestate (trace/api.md, Link). */
void wh_link_to_at(const wh_ctx *ctx, const struct wh_link_opts *opts)
{
    static const uint8_t none[16];
    struct wh__trace_node *trace = wh__trace_of(ctx);
    const struct wh_span_context *to = opts->to;
    if (!to || !trace || !__atomic_load_n(&trace->record, __ATOMIC_RELAXED)) return;
    const bool valid = memcmp(to->trace_id, none, 16) && memcmp(to->span_id, none, 8);
    if (!valid && opts->attrs.count == 0 && !to->tracestate) return;
    wh__lock(&trace->lock);
    if (trace->record) wh__record_link(&trace->record, to, opts->attrs, &trace->provider->limits);
    wh__unlock(&trace->lock);
}
