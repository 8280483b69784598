/* Calling the processors of a provider, in their order, on the thread that starts or ends a span.
 *
 * Those of the library stay for ever. Somebody's own are destroyed after the shutdown, when no thread is in them: each counts
 * for itself how often it is, and who leaves last sees to what the shutdown could not wait for. */
#include "base/clock.h"
#include "base/lock.h"
#include "trace/batch.h"
#include "trace/provider.h"
#include "trace/resource.h"
#include "trace/scope.h"
#include "trace/span.h"

/* ---- being inside ---- */

static bool is_anybody_inside(const wh_provider *provider)
{
    uint64_t inside = __atomic_load_n(&provider->homeless_inside, __ATOMIC_SEQ_CST);
    for (struct wh__thread *thread = wh__threads(); thread && !inside; thread = thread->next) {
        const struct wh__counts *counts = wh__slot_of(thread, provider->number);
        if (counts) inside = __atomic_load_n(&counts->inside, __ATOMIC_SEQ_CST);
    }
    return inside;
}

/* True if it is done, by whomever. */
static bool try_to_destroy(wh_provider *provider)
{
    if (!__atomic_load_n(&provider->destroys, __ATOMIC_SEQ_CST)) return true;
    if (is_anybody_inside(provider)) return false;
    if (!__atomic_exchange_n(&provider->destroys, false, __ATOMIC_SEQ_CST)) return true;
    for (size_t i = 0; i < provider->processor_count; i++) wh_processor_free(provider->processors[i]);
    return true;
}

/* Not for oneself: who is inside destroys them on the way out. */
void wh__process_no_more(wh_provider *provider, int64_t deadline)
{
    const struct wh__counts *own = wh__counts_own(provider);
    __atomic_store_n(&provider->destroys, true, __ATOMIC_SEQ_CST);
    for (unsigned round = 0; !try_to_destroy(provider); round++) {
        if ((own && own->inside) || wh__now() >= deadline) return;
        wh__back_off(round);
    }
}

static void leave(wh_provider *provider, struct wh__counts *counts)
{
    if (counts)
        __atomic_store_n(&counts->inside, counts->inside - 1, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_sub(&provider->homeless_inside, 1, __ATOMIC_SEQ_CST);
    if (wh__unlikely(__atomic_load_n(&provider->destroys, __ATOMIC_SEQ_CST))) try_to_destroy(provider);
}

/* Whether they may be called; then leave() follows. */
static bool enter(wh_provider *provider, struct wh__counts **counts)
{
    *counts = wh__counts_own(provider);
    if (*counts)
        __atomic_store_n(&(*counts)->inside, (*counts)->inside + 1, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_add(&provider->homeless_inside, 1, __ATOMIC_SEQ_CST);
    if (wh__likely(!__atomic_load_n(&provider->shut_down, __ATOMIC_SEQ_CST))) return true;
    leave(provider, *counts);
    return false;
}

/* ---- the three moments ---- */

void wh__process_start(const struct wh__trace_node *trace, const wh_ctx *parent)
{
    wh_provider *provider = trace->provider;
    struct wh__counts *counts;
    if (!enter(provider, &counts)) return;
    for (size_t i = 0; i < provider->processor_count; i++) {
        struct wh_processor *processor = provider->processors[i];
        if (processor->on_start) processor->on_start(processor, &trace->node, parent);
    }
    leave(provider, counts);
}

/* The record is nobody's but ours: the callbacks get at it by a context of their own. */
void wh__process_ending(struct wh__trace_node *trace, struct wh__record **record)
{
    wh_provider *provider = trace->provider;
    struct wh__counts *counts;
    if (!enter(provider, &counts)) return;
    (*record)->most_attributes = provider->limits.attributes; /* the cause of a cancel had its place in any case */
    if ((*record)->attributes >= (*record)->most_attributes) (*record)->short_until = 0;
    wh_ctx *twin = wh__twin_new(trace, *record);
    for (size_t i = 0; i < provider->processor_count; i++) {
        struct wh_processor *processor = provider->processors[i];
        if (processor->on_ending) processor->on_ending(processor, twin);
    }
    struct wh__record *back = wh__twin_end(twin);
    if (back) *record = back;
    leave(provider, counts);
}

static void call_end(const wh_provider *provider, const struct wh_ended *ended)
{
    for (size_t i = 0; i < provider->processor_count; i++) {
        struct wh_processor *processor = provider->processors[i];
        if (processor->on_end) processor->on_end(processor, ended);
    }
}

void wh__process_seen(const struct wh__trace_node *trace, const struct wh__record *record)
{
    wh_provider *provider = trace->provider;
    const struct wh__scope *scope = record->scope;
    const struct wh_ended ended = {.size = sizeof ended, .span = {record->bytes, record->len}, .sampled = trace->flags & WH_SAMPLED,
        .ctx = &trace->node, .resource = provider->resource, .schema_url = wh__resource_url(provider->who), .scope = scope->encoded, .scope_schema_url = scope->schema_url,
        .origin = scope};
    struct wh__counts *counts;
    if (!provider->has_others)
        call_end(provider, &ended);
    else if (enter(provider, &counts)) {
        call_end(provider, &ended);
        leave(provider, counts);
    }
}

/* For somebody's own it is a span that is not sampled, and they have had their turn. */
static void hand_over(const wh_provider *provider, const struct wh__record *record)
{
    const struct wh__scope *scope = record->scope;
    const struct wh_ended ended = {.size = sizeof ended, .span = {record->bytes, record->len}, .sampled = true, .resource = provider->resource,
        .schema_url = wh__resource_url(provider->who), .scope = scope->encoded, .scope_schema_url = scope->schema_url, .origin = scope};
    for (size_t i = 0; i < provider->processor_count; i++)
        if (provider->pipes[i]) provider->processors[i]->on_end(provider->processors[i], &ended);
}

void wh__process_kept(const wh_provider *provider, struct wh__counts *counts, const struct wh__record *record)
{
    wh__count(&counts->kept_spans);
    if (wh__unlikely(__atomic_load_n(&provider->shut_down, __ATOMIC_RELAXED)))
        wh__count(&counts->dropped_shutdown);
    else if (wh__likely(provider->only))
        wh__batch_put(provider->only, record->scope, (struct wh_bytes){record->bytes, record->len});
    else
        hand_over(provider, record);
}

void wh__process_end(const struct wh__trace_node *trace, const struct wh__record *record)
{
    wh_provider *provider = trace->provider;
    struct wh__counts *counts = wh__counts_own(provider);
    if (wh__unlikely(!counts)) {
        __atomic_fetch_add(&provider->homeless_ended, 1, __ATOMIC_RELAXED);
        return;
    }
    wh__count(&counts->ended);
    const bool sampled = trace->flags & WH_SAMPLED;
    if (wh__unlikely(!sampled)) wh__count(&counts->recorded_only);
    if (wh__unlikely(__atomic_load_n(&provider->shut_down, __ATOMIC_RELAXED) || !provider->processor_count)) {
        if (sampled) wh__count(&counts->dropped_shutdown);
    } else if (wh__likely(provider->only)) {
        if (sampled) wh__batch_put(provider->only, record->scope, (struct wh_bytes){record->bytes, record->len});
    } else {
        wh__process_seen(trace, record);
    }
}
