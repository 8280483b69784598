/* How a span ends: what is known of it only now is added, and the record goes to wait for its export. */
#include "base/clock.h"
#include "base/mem.h"
#include "trace/attr.h"
#include "trace/keep.h"
#include "trace/provider.h"
#include "trace/span.h"

static void put_dropped(struct wh__record **record, unsigned field, uint32_t dropped)
{
    uint8_t *p = dropped ? wh__record_room(record, 6) : NULL;
    if (!p) return;
    *p++ = WH__TAG(field, WH__VARINT);
    p = wh__put_varint(p, dropped);
    (*record)->len = (uint32_t)(p - (*record)->bytes);
}

/* Said once a span (common/README.md, Attribute Limits), and to those alone who look for trouble. */
static void put_all_dropped(struct wh__record **record, const char *name)
{
    put_dropped(record, WH__SPAN_DROPPED_ATTRIBUTES, (*record)->dropped_attributes);
    put_dropped(record, WH__SPAN_DROPPED_EVENTS, (*record)->dropped_events);
    put_dropped(record, WH__SPAN_DROPPED_LINKS, (*record)->dropped_links);
    wh_report(WH_DEBUG, "left out of the span \"%s\": %u attributes, %u events, %u links", name, (*record)->dropped_attributes,
              (*record)->dropped_events, (*record)->dropped_links);
}

/* What is written from here on belongs to a process that has its own record of the span. */
static bool is_the_parents(const struct wh__record *record)
{
    return record->forks != wh__forks;
}

static struct wh__record *take_record(struct wh__trace_node *trace)
{
    wh__lock(&trace->lock);
    struct wh__record *record = trace->record;
    __atomic_store_n(&trace->record, NULL, __ATOMIC_RELAXED);
    wh__unlock(&trace->lock);
    return record;
}

static __attribute__((noinline)) void finish_marked(struct wh__record **record, const struct wh__trace_node *trace, int64_t now, bool cancelled)
{
    if (!((*record)->marks & WH__HAS_END)) wh__put_fixed64((*record)->bytes + WH__END_AT, (uint64_t)(now + trace->wall));
    if ((*record)->marks & WH__HAS_FAILED && !cancelled) wh__record_failure(record, trace);
}

void wh__span_finish(struct wh__trace_node *trace, struct wh__record *record, int64_t now, bool cancelled)
{
    const wh_ctx *node = &trace->node;
    if (wh__likely(!record->marks))
        wh__put_fixed64(record->bytes + WH__END_AT, (uint64_t)(now + trace->wall));
    else
        finish_marked(&record, trace, now, cancelled);
    if (node->deadline != WH_NEVER || node->asked != WH_NEVER) wh__record_deadline(&record, trace, now);
    if (cancelled) wh__record_cancellation(&record, trace, now);
    if (wh__unlikely(trace->provider->has_ending && !(trace->flags & WH__UNASKED))) wh__process_ending(trace, &record);
    if (record->dropped_attributes | record->dropped_events | record->dropped_links)
        put_all_dropped(&record, wh__name_of(trace));
    if (wh__unlikely(trace->flags & WH__KEEPS))
        record = wh__keep_end(trace, record);
    else
        wh__process_end(trace, record);
    wh__record_free(record);
}

/* Acquiring: who has taken the record from a span that leaks holds the node since before that. */
static void end(wh_ctx *node)
{
    struct wh__trace_node *trace = (void *)node;
    struct wh__record *record = __atomic_load_n(&trace->record, __ATOMIC_ACQUIRE) ? take_record(trace) : NULL;
    if (record && !is_the_parents(record))
        wh__span_finish(trace, record, wh__now(), wh_err(node));
    else
        wh__record_free(record);
    if (trace->root) {
        struct wh__root *root = trace->root;
        trace->root = NULL;
        root->end(root);
    }
}

static void dispose(wh_ctx *node)
{
    struct wh__trace_node *trace = (void *)node;
    if (trace->owns_tracestate) wh__mem_free((void *)trace->tracestate);
    if (trace->flags & WH__KEEPS) wh__keep_dispose(trace);
}

/* The clock was read only for those that are recorded. */
static int64_t started(const wh_ctx *node)
{
    const struct wh__trace_node *trace = (const void *)node;
    return trace->wall ? trace->started : 0;
}

static bool look(const wh_ctx *node, struct wh__span_look *look)
{
    const struct wh__trace_node *trace = (const void *)node;
    if (!wh__has_span(trace)) return false;
    memcpy(look->trace_id, trace->trace_id, sizeof look->trace_id);
    memcpy(look->span_id, trace->span_id, sizeof look->span_id);
    look->is_remote = trace->remote;
    look->records = __atomic_load_n(&trace->record, __ATOMIC_RELAXED) != NULL;
    look->name = trace->remote || !*wh__name_of(trace) ? NULL : wh__name_of(trace);
    return true;
}

/* The span that goes with ctx: its own, or that of a context that it owns. */
void wh_end_at(wh_ctx *ctx, int64_t at)
{
    wh_ctx *node = ctx;
    while (node && !(node->flags & WH__TRACE) && node->flags & WH__OWNS_PARENT) node = (wh_ctx *)node->parent;
    struct wh__trace_node *trace = (void *)node;
    if (node && node->flags & WH__TRACE && __atomic_load_n(&trace->record, __ATOMIC_RELAXED)) {
        wh__lock(&trace->lock);
        if (trace->record) {
            wh__put_fixed64(trace->record->bytes + WH__END_AT, (uint64_t)at + (uint64_t)trace->wall);
            trace->record->marks |= WH__HAS_END;
        }
        wh__unlock(&trace->lock);
    }
    wh_end(ctx);
}

const struct wh__span_ops wh__trace_ops = {
    .end = end,
    .dispose = dispose,
    .look = look,
    .cancel_called = wh__record_request,
    .started = started,
    .describe = wh__describe_origin,
    .service = wh__service_of,
    .gave_up = wh__record_gave_up,
};
