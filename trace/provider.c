/* Providers: made, found, never freed. */
#include <errno.h>

#include "base/lock.h"
#include "base/mem.h"
#include "trace/batch.h"
#include "trace/keeping.h"
#include "trace/provider.h"
#include "trace/resource.h"
#include "trace/sampler.h"
#include "trace/scope.h"
#include "trace/simple.h"

static wh_provider *all, *default_provider; /* atomic */

wh_provider *wh__providers(void)
{
    return __atomic_load_n(&all, __ATOMIC_ACQUIRE);
}

wh_provider *wh__default_provider(void)
{
    return __atomic_load_n(&default_provider, __ATOMIC_ACQUIRE);
}

void wh__set_default_provider(wh_provider *provider)
{
    __atomic_store_n(&default_provider, provider, __ATOMIC_RELEASE);
}

wh_provider *wh_provider_default(void)
{
    return wh__default_provider();
}

void wh_provider_set_default(wh_provider *provider)
{
    wh__set_default_provider(provider);
}

/* ---- its processors ---- */

static void join(wh_provider *provider, struct wh_processor *processor)
{
    struct wh__pipe *pipe = wh__pipe_of(processor);
    provider->pipes[provider->processor_count] = pipe;
    provider->processors[provider->processor_count++] = processor;
    provider->has_start |= processor->on_start != NULL;
    provider->has_ending |= processor->on_ending != NULL;
    provider->has_others |= pipe == NULL;
    if (pipe) {
        pipe->is_first = provider->pipe_count++ == 0;
        __atomic_store_n(&pipe->provider, provider, __ATOMIC_RELEASE);
    }
}

static void name_pipes(wh_provider *provider)
{
    for (size_t i = 0; i < provider->processor_count; i++)
        if (provider->pipes[i]) provider->pipes[i]->is_one_of_many = provider->pipe_count > 1;
    struct wh__pipe *pipe = provider->processor_count == 1 ? provider->pipes[0] : NULL;
    if (pipe && pipe->is_batch) provider->only = (struct wh__batch *)pipe;
}

/* Without an exporter of the library there is nobody to keep anything for. */
static void keep_for_whom(wh_provider *provider)
{
    if (provider->pipe_count) return;
    wh__mem_free(provider->keeping);
    provider->keeping = NULL;
}

/* A batch processor for each exporter. What could not be made is freed. */
static bool make_processors(wh_provider *provider, const struct wh_provider_opts *opts)
{
    bool made = true;
    for (size_t i = 0; i < opts->exporter_count; i++) {
        if (!opts->exporters[i]) continue;
        struct wh_processor *processor = wh_batch_processor_new(opts->exporters[i], .max_queue = opts->max_queue,
            .max_batch = opts->max_batch, .schedule_delay = opts->schedule_delay, .export_timeout = opts->export_timeout);
        made &= processor != NULL;
        if (processor) join(provider, processor);
    }
    name_pipes(provider);
    keep_for_whom(provider);
    return made;
}

static bool gather_processors(wh_provider *provider, const struct wh_provider_opts *opts)
{
    const size_t most = opts->processor_count + opts->exporter_count + 1;
    provider->processors = wh__mem_get(most * (sizeof *provider->processors + sizeof *provider->pipes));
    if (!provider->processors) return false;
    provider->pipes = (void *)(provider->processors + most);
    for (size_t i = 0; i < opts->processor_count; i++)
        if (opts->processors[i]) join(provider, opts->processors[i]);
    return true;
}

/* ---- making ---- */

/* The specific one, else the general one, else the default (common/README.md, Attribute Limits). */
static uint32_t limit_of(uint32_t specific, uint32_t general, uint32_t otherwise)
{
    const uint32_t limit = specific ? specific : general ? general : otherwise;
    return limit == WH_LIMIT_ZERO ? 0 : limit;
}

static void set_limits(struct wh_limits *limits, const struct wh_limits *asked)
{
    const uint32_t attributes = asked->attribute_count;
    *limits = (struct wh_limits){
        .attributes = limit_of(asked->attributes, attributes, 128),
        .events = limit_of(asked->events, 0, 128),
        .links = limit_of(asked->links, 0, 128),
        .event_attributes = limit_of(asked->event_attributes, attributes, 128),
        .link_attributes = limit_of(asked->link_attributes, attributes, 128),
        .value_length = limit_of(asked->value_length, asked->attribute_value_length, UINT32_MAX),
        .value_depth = limit_of(asked->value_depth, asked->attribute_value_depth, 64),
    };
}

static void configure(wh_provider *provider, const struct wh_provider_opts *opts)
{
    set_limits(&provider->limits, &opts->limits);
    provider->short_until = wh__record_short_until(&provider->limits);
    provider->sampler = opts->sampler;
    provider->ids = opts->ids;
    wh__sampler_plan(provider);
    provider->cancelled_is_error = opts->cancelled_is_error;
    provider->configure = opts->configure;
    provider->observes = opts->observe;
    provider->number = wh__slot_number();
}

static bool get_memory(wh_provider *provider, const struct wh_provider_opts *opts)
{
    static const struct wh_scope whence = {.size = sizeof whence, .name = "whence", .version = WH_VERSION};
    provider->who = wh__resource_compose(opts->base, opts->service, opts->resource);
    provider->resource = wh_resource_bytes(provider->who);
    provider->own = wh__scope_new(provider, opts->scope ? opts->scope : &whence);
    if (!provider->who || !provider->own) return false;
    provider->scopes.all = provider->own;
    provider->scopes.count = 1;
    if (opts->keep.enabled && !(provider->keeping = wh__keeping_new(&opts->keep))) return false;
    return gather_processors(provider, opts);
}

static void give_up(wh_provider *provider, const struct wh_provider_opts *opts)
{
    for (size_t i = 0; i < opts->processor_count; i++) wh_processor_free(opts->processors[i]);
    for (size_t i = 0; i < opts->exporter_count; i++) wh_exporter_free(opts->exporters[i]);
    wh_sampler_free(opts->sampler);
    if (opts->ids && opts->ids->destroy) opts->ids->destroy(opts->ids);
    if (!provider) return;
    wh_resource_free(provider->who);
    wh__scope_free(provider->own);
    wh__mem_free(provider->keeping);
    wh__mem_free(provider->processors);
    wh__mem_free(provider);
}

static void link_in(wh_provider *provider)
{
    wh_provider *newest = wh__providers();
    do {
        provider->next = newest;
    } while (!__atomic_compare_exchange_n(&all, &newest, provider, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

wh_provider *wh_provider_new_at(const struct wh_provider_opts *given)
{
    struct wh_provider_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    wh_provider *provider = wh__mem_zero(sizeof *provider);
    if (provider) configure(provider, &opts);
    if (!provider || !get_memory(provider, &opts)) {
        give_up(provider, &opts);
        errno = ENOMEM;
        return NULL;
    }
    wh__give_span_ops(&wh__trace_ops);
    wh__provider_sees_forks();
    link_in(provider);
    if (!make_processors(provider, &opts)) {
        wh_provider_shutdown(provider, WH_SEC(5)); /* its pipes know it: it stays, as they do. Nothing waits: no time is needed */
        errno = ENOMEM;
        return NULL;
    }
    wh__scopes_configure(provider);
    wh__provider_settle(provider);
    wh__resource_watch_forks(provider->who);
    return provider;
}

void wh__provider_settle(wh_provider *provider)
{
    wh__lock(&provider->plain_lock);
    const bool plain = !__atomic_load_n(&provider->shut_down, __ATOMIC_ACQUIRE) && wh__scope_enabled(provider->own) &&
                       !provider->asks_for_children && !provider->has_start && !provider->observes;
    __atomic_store_n(&provider->plain, plain, __ATOMIC_RELEASE);
    wh__unlock(&provider->plain_lock);
}

/* ---- the child of a fork ---- */

static void forget_counts(wh_provider *provider)
{
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        struct wh__counts *counts = wh__slot_of(thread, provider->number);
        if (counts) *counts = (struct wh__counts){.inside = thread->lost ? 0 : counts->inside};
    }
    provider->homeless_started = provider->homeless_ended = provider->homeless_inside = 0;
    if (provider->keeping) wh__keeping_forget(provider->keeping);
}

static void forget(void)
{
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) thread->spools = NULL;
    for (struct wh__pipe *pipe = wh__pipes(); pipe; pipe = pipe->next) {
        wh__pipe_forget(pipe);
        if (pipe->is_batch)
            wh__batch_forget((struct wh__batch *)pipe);
        else
            wh__simple_forget(pipe);
    }
    for (wh_provider *provider = wh__providers(); provider; provider = provider->next) forget_counts(provider);
}
static struct wh__fork_handler in_child = {.fn = forget};

void wh__provider_sees_forks(void)
{
    static bool seen_to;
    if (!__atomic_exchange_n(&seen_to, true, __ATOMIC_RELAXED)) wh__at_fork(&in_child);
}
