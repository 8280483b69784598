/* How a span begins: its ids, the decision, its record, its place in the tree. */
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "trace/attr.h"
#include "trace/sampler.h"
#include "trace/spool.h"

static void new_id(uint8_t *id, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word;
        do {
            word = wh__random();
        } while (word == 0);
        memcpy(id + i, &word, sizeof word);
    }
}

/* A child carries on its parent's trace; a root begins one, whose id is random as level 2 of W3C's text asks. */
static void begin_ids(struct wh__trace_node *trace, const struct wh__trace_node *parent)
{
    if (parent) {
        memcpy(trace->trace_id, parent->trace_id, sizeof trace->trace_id);
        trace->flags = parent->flags & WH_RANDOM;
        trace->tracestate = parent->tracestate;
        trace->parent_is_remote = parent->remote;
    } else {
        new_id(trace->trace_id, sizeof trace->trace_id);
        trace->flags = WH_RANDOM;
    }
    new_id(trace->span_id, sizeof trace->span_id);
}

/* The wall clock is read once for each local trace. */
static void begin_clock(struct wh__trace_node *trace, const struct wh__trace_node *parent, int64_t now)
{
    trace->started = now;
    trace->wall = parent && !parent->remote && parent->wall ? parent->wall : wh__clock(CLOCK_REALTIME) - now;
}

static void record_options(struct wh__trace_node *trace, const struct wh__trace_node *parent, const struct wh_start_opts *opts)
{
    const struct wh_limits *limits = &trace->provider->limits;
    struct wh__record **record = &trace->record;
    if (parent) {
        uint8_t *p = wh__record_room(record, wh__len_size(sizeof parent->span_id));
        if (p) (*record)->len += (uint32_t)(wh__put_bytes(p, WH__SPAN_PARENT, parent->span_id, sizeof parent->span_id) - p);
    }
    if (trace->tracestate) {
        const size_t len = strlen(trace->tracestate);
        uint8_t *p = wh__record_room(record, wh__len_size(len));
        if (p) (*record)->len += (uint32_t)(wh__put_bytes(p, WH__SPAN_TRACESTATE, trace->tracestate, len) - p);
    }
    if (opts->name) wh__record_name(record, opts->name, strlen(opts->name));
    for (size_t i = 0; i < opts->attrs.count; i++) {
        const struct wh_attr *attr = &opts->attrs.list[i];
        struct wh__attr ready;
        if (attr->key && wh__attr_ready(&ready, attr, strlen(attr->key), limits->value_length))
            wh__record_attr(record, &ready, limits->attributes);
        else
            (*record)->dropped_attributes++;
    }
    for (size_t i = 0; i < opts->link_count; i++) wh__record_link(record, opts->links[i].to, opts->links[i].attrs, limits);
}

static void begin_record(struct wh__trace_node *trace, const struct wh__trace_node *parent, const struct wh_start_opts *opts)
{
    struct wh__spool *spool = wh__spool_own();
    struct wh__counts *counts = spool ? &spool->counts[trace->provider->index] : NULL;
    const uint32_t flags = (uint32_t)trace->flags | WH__KNOWS_REMOTE | (trace->parent_is_remote ? WH__IS_REMOTE : 0);
    if (counts) wh__count(&counts->started);
    trace->record = counts ? wh__record_new(trace, opts->kind, (uint64_t)(trace->started + trace->wall), flags) : NULL;
    if (trace->record) {
        trace->node.flags |= WH_RECORDS_;
        record_options(trace, parent, opts);
    } else if (counts) {
        wh__count(&counts->dropped_memory);
    } else {
        __atomic_fetch_add(&trace->provider->dropped_homeless, 1, __ATOMIC_RELAXED);
    }
}

/* What an ancestor records is no matter of those below this node. */
static wh_ctx *new_trace_node(const wh_ctx *parent, int64_t timeout, int64_t now, const struct wh_site *made)
{
    wh_ctx *node = wh__node_new(parent, WH__256, WH__TRACE | WH__TRACE_ABOVE, timeout, now, made);
    if (!node) return NULL;
    struct wh__trace_node *trace = (void *)node;
    memset((char *)trace + sizeof *node, 0, offsetof(struct wh__trace_node, name) + 1 - sizeof *node);
    node->flags &= ~WH_RECORDS_;
    if (!wh__span_ops) wh__span_ops = &wh__trace_ops;
    return node;
}

static wh_ctx *start_span(const wh_ctx *ctx, const struct wh__trace_node *above, wh_provider *provider,
                          const struct wh_start_opts *opts, int64_t timeout, int64_t now)
{
    wh_ctx *node = new_trace_node(ctx, timeout, now, opts->site);
    if (!node) return wh__no_memory();
    struct wh__trace_node *trace = (void *)node;
    const struct wh__trace_node *parent = above && wh__has_span(above) && !opts->root ? above : NULL;
    trace->provider = provider;
    begin_ids(trace, parent);
    wh__node_name(trace, opts->name ? opts->name : "");
    if (wh__sampled(provider, parent, trace->trace_id)) {
        trace->flags |= WH_SAMPLED;
        begin_clock(trace, parent, now ? now : wh__now());
        begin_record(trace, parent, opts);
    }
    return wh__node_enter(node, now);
}

static int64_t timeout_of(const struct wh_start_opts *opts, int64_t *now)
{
    *now = opts->timeout || opts->deadline ? wh__now() : 0;
    if (opts->timeout) return opts->timeout;
    return opts->deadline ? wh__sub(opts->deadline, *now) : WH_NEVER;
}

wh_ctx *wh_start_at(const wh_ctx *ctx, const struct wh_start_opts *given)
{
    struct wh_start_opts older;
    const struct wh_start_opts *opts = given;
    if (__builtin_expect(given->size < sizeof older, 0)) {
        memset(&older, 0, sizeof older);
        memcpy(&older, given, given->size);
        opts = &older;
    }
    const struct wh__trace_node *above = wh__trace_of(ctx);
    wh_provider *provider = above ? above->provider : wh__default_provider();
    int64_t now;
    const int64_t timeout = timeout_of(opts, &now);
    wh_ctx *node;
    if (provider && !__atomic_load_n(&provider->shut_down, __ATOMIC_RELAXED)) {
        node = start_span(ctx, above, provider, opts, timeout, now);
    } else {
        node = wh__node_new(ctx, WH__128, 0, timeout, now, opts->site);
        node = node ? wh__node_enter(node, now) : wh__no_memory();
    }
    if (opts->peer_fd) wh_watch_peer_at(node, opts->peer_fd, 0, opts->site);
    return node;
}

wh_ctx *wh__anchor_new(const wh_ctx *parent, wh_provider *provider, const struct wh_span_context *from, int64_t timeout,
                       int64_t now, const struct wh_site *made)
{
    wh_ctx *node = new_trace_node(parent, timeout, now, made);
    if (!node) return wh__no_memory();
    struct wh__trace_node *trace = (void *)node;
    trace->provider = provider;
    if (from) {
        memcpy(trace->trace_id, from->trace_id, sizeof trace->trace_id);
        memcpy(trace->span_id, from->span_id, sizeof trace->span_id);
        trace->flags = from->flags & (WH_SAMPLED | WH_RANDOM);
        trace->remote = true;
        if (from->tracestate && *from->tracestate) {
            const size_t size = strlen(from->tracestate) + 1;
            char *copy = wh__mem_get(size);
            if (copy) trace->tracestate = memcpy(copy, from->tracestate, size);
            trace->owns_tracestate = copy != NULL;
        }
    }
    return wh__node_enter(node, now);
}

wh_ctx *wh_provider_root_at(wh_provider *provider, const struct wh_site *site)
{
    return wh__anchor_new(NULL, provider, NULL, WH_NEVER, 0, site);
}
