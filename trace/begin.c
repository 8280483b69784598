/* What is written down when a span starts, and asking the sampler whether it is. */
#include "trace/begin.h"

#include "base/clock.h"
#include "base/mem.h"
#include "trace/attr.h"
#include "trace/ids.h"
#include "trace/ot.h"
#include "trace/sampler.h"
#include "trace/scope.h"
#include "trace/tracestate.h"

/* ---- the record ---- */

/* The wall clock is read once for each local trace. */
static inline void begin_clock(struct wh__trace_node *trace, const struct wh__trace_node *parent, int64_t now)
{
    trace->started = now;
    trace->wall = parent && parent->wall ? parent->wall : wh__clock(CLOCK_REALTIME) - now;
}

static void record_tracestate(struct wh__record **record, const char *state)
{
    const size_t len = strlen(state);
    uint8_t *p = wh__record_room(record, wh__len_size(len));
    if (p) (*record)->len += (uint32_t)(wh__put_bytes(p, WH__SPAN_TRACESTATE, state, len) - p);
}

/* What is not sampled stands for no others, whatever a caller says: if it is exported nobody is to count by it. */
static void record_without_threshold(struct wh__record **record, const char *state)
{
    char scratch[WH_TRACESTATE_SIZE], *at = scratch;
    size_t size = sizeof scratch;
    struct wh__ot ot;
    wh__ot_read(state, &ot);
    state = wh__ot_write(state, &ot, WH_NO_THRESHOLD, NULL, &at, &size);
    if (*state) record_tracestate(record, state);
}

static void record_options(struct wh__record **record, const struct wh__trace_node *trace, const struct wh_start_opts *opts)
{
    const struct wh_limits *limits = &trace->provider->limits;
    if (trace->tracestate && trace->flags & WH_SAMPLED)
        record_tracestate(record, trace->tracestate);
    else if (trace->tracestate)
        record_without_threshold(record, trace->tracestate);
    for (size_t i = 0; i < opts->attrs.count; i++) wh__record_set(record, &opts->attrs.list[i], limits);
    for (size_t i = 0; i < opts->link_count; i++)
        if (opts->links[i].to) wh__record_link(record, opts->links[i].to, opts->links[i].attrs, limits);
}

/* Nearly every name is short, and ASCII. */
static inline void begin_name(struct wh__record **record, const char *name, size_t len)
{
    uint8_t *p = (*record)->bytes + (*record)->len;
    if (!len) len = strlen(name);
    if (wh__unlikely(len > 64 || !wh__copy_ascii(p + 2, name, len))) {
        wh__record_name(record, name, len);
        return;
    }
    p[0] = WH__TAG(WH__SPAN_NAME, WH__LEN);
    p[1] = (uint8_t)len;
    (*record)->name_at = (*record)->len;
    (*record)->name_size = (uint32_t)len + 2;
    (*record)->len += (uint32_t)len + 2;
}

struct wh__record *wh__begin_record(struct wh__trace_node *trace, const struct wh__trace_node *parent,
                                    const struct wh_start_opts *opts, const struct wh__scope *scope, int64_t now)
{
    begin_clock(trace, parent, now);
    struct wh__counts *counts = wh__counts_own(trace->provider);
    struct wh__record *record = counts ? wh__record_new(trace, scope, (enum wh_kind)opts->kind) : NULL;
    if (counts) wh__count(&counts->started);
    if (!record) {
        if (counts)
            wh__count(&counts->dropped_memory);
        else
            __atomic_fetch_add(&trace->provider->homeless_started, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    if (parent) {
        wh__put_bytes(record->bytes + record->len, WH__SPAN_PARENT, parent->span_id, sizeof parent->span_id);
        record->len += 2 + sizeof parent->span_id;
    }
    begin_name(&record, opts->name ? opts->name : "", opts->literal);
    if (trace->tracestate || opts->attrs.count || opts->link_count) record_options(&record, trace, opts);
    trace->node.flags |= WH_RECORDS_ | WH__ENDS;
    return record;
}

/* ---- asking the sampler ---- */

/* As begin_ids(), but the span's own id, which comes after the decision (trace/sdk.md, SDK span creation). */
static void begin_trace(struct wh__trace_node *trace, const struct wh__trace_node *parent)
{
    struct wh_id_generator *ids = trace->provider->ids;
    if (parent)
        memcpy(trace->trace_id, parent->trace_id, sizeof trace->trace_id);
    else
        wh__ids_trace(ids, trace->trace_id);
    trace->flags = parent ? parent->flags & WH_RANDOM : !ids || ids->random ? WH_RANDOM : 0;
    trace->tracestate = parent ? parent->tracestate : NULL;
    trace->parent_is_remote = parent && parent->remote;
}

/* Of its own, unless it is the parent's. Without memory there is none: one that is missing is never wrong. */
static void begin_tracestate(struct wh__trace_node *trace, const char *state)
{
    char list[WH_TRACESTATE_SIZE];
    const char *above = trace->tracestate;
    if (state == above || (state && above && strcmp(state, above) == 0)) return;
    if (!wh__tracestate_read(state ? state : "", list, sizeof list)) return;
    const size_t size = strlen(list) + 1;
    char *copy = size > 1 ? wh__mem_get(size) : NULL;
    trace->tracestate = copy ? memcpy(copy, list, size) : NULL;
    trace->owns_tracestate = copy != NULL;
    if (copy) trace->node.flags |= WH__DISPOSES;
}

struct wh__record *wh__begin_asking(struct wh__trace_node *trace, const struct wh__trace_node *parent,
                                    const struct wh__trace_node *decider, const struct wh_start_opts *opts,
                                    const struct wh__scope *scope)
{
    struct wh__asked asked;
    const struct wh_sampled *answer = &asked.answer;
    begin_trace(trace, parent);
    wh__ask(&asked, trace, decider, opts);
    wh__ids_span(trace->provider->ids, trace->span_id);
    begin_tracestate(trace, answer->tracestate);
    if (answer->decision != WH_RECORD_ONLY && answer->decision != WH_RECORD_AND_SAMPLE) return NULL;
    if (answer->decision == WH_RECORD_AND_SAMPLE) trace->flags |= WH_SAMPLED;
    struct wh__record *record = wh__begin_record(trace, parent, opts, scope, wh__now());
    for (size_t i = 0; record && i < answer->attrs.count; i++)
        wh__record_set(&record, &answer->attrs.list[i], &trace->provider->limits);
    return record;
}
