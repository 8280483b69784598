/* Providers: made, asked, flushed, shut down, never freed. */
#include <errno.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/text.h"
#include "trace/export.h"
#include "trace/resource.h"
#include "trace/sampler.h"
#include "trace/scope.h"
#include "trace/spool.h"

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
    provider->max_queue = opts->max_queue ? opts->max_queue : 2048;
    provider->max_batch = opts->max_batch ? opts->max_batch : 512;
    if (provider->max_batch > provider->max_queue) provider->max_batch = provider->max_queue;
    provider->schedule_delay = opts->schedule_delay ? opts->schedule_delay : WH_SEC(5);
    provider->export_timeout = opts->export_timeout ? opts->export_timeout : WH_SEC(30);
    provider->cancelled_is_error = opts->cancelled_is_error;
    provider->configure = opts->configure;
}

static const struct wh_scope whence = {.size = sizeof whence, .name = "whence", .version = WH_VERSION};

static bool get_memory(wh_provider *provider, const struct wh_provider_opts *opts)
{
    provider->who = wh__resource_compose(opts->base, opts->service, opts->resource);
    provider->resource = wh_resource_bytes(provider->who);
    provider->own = wh__scope_new(provider, opts->scope ? opts->scope : &whence);
    provider->exporters = wh__mem_get((opts->exporter_count + 1) * sizeof *provider->exporters);
    if (!provider->who || !provider->own || !wh__gather_begin(&provider->gather, provider->max_batch) || !provider->exporters) return false;
    provider->scopes.all = provider->own;
    provider->scopes.count = 1;
    for (size_t i = 0; i < opts->exporter_count; i++)
        if (opts->exporters[i]) provider->exporters[provider->exporter_count++] = opts->exporters[i];
    return true;
}

static void link_in(wh_provider *provider)
{
    wh_provider *newest = wh__providers();
    do {
        provider->next = newest;
        provider->index = newest ? newest->index + 1 : 0;
        if (provider->index >= WH__COUNTED_PROVIDERS) provider->index = WH__COUNTED_PROVIDERS - 1;
    } while (!__atomic_compare_exchange_n(&all, &newest, provider, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

wh_provider *wh_provider_new_at(const struct wh_provider_opts *given)
{
    struct wh_provider_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    wh_provider *provider = wh__mem_zero(sizeof *provider);
    if (provider) configure(provider, &opts);
    if (!provider || !get_memory(provider, &opts)) {
        for (size_t i = 0; i < opts.exporter_count; i++) wh_exporter_free(opts.exporters[i]);
        wh_sampler_free(opts.sampler);
        if (opts.ids && opts.ids->destroy) opts.ids->destroy(opts.ids);
        if (provider) {
            wh_resource_free(provider->who);
            wh__scope_free(provider->own);
            wh__gather_end(&provider->gather);
            wh__mem_free(provider->exporters);
        }
        wh__mem_free(provider);
        errno = ENOMEM;
        return NULL;
    }
    wh__give_span_ops(&wh__trace_ops);
    provider->processes = provider->exporter_count > 0;
    wh__scopes_configure(provider);
    wh__provider_settle(provider);
    link_in(provider);
    wh__resource_watch_forks(provider->who);
    return provider;
}

void wh__provider_settle(wh_provider *provider)
{
    wh__lock(&provider->plain_lock);
    const bool plain = !__atomic_load_n(&provider->shut_down, __ATOMIC_ACQUIRE) && wh__scope_enabled(provider->own) &&
                       !provider->asks_for_children;
    __atomic_store_n(&provider->plain, plain, __ATOMIC_RELEASE);
    wh__unlock(&provider->plain_lock);
}

void wh_exporter_free(struct wh_exporter *exporter)
{
    if (exporter && exporter->destroy) exporter->destroy(exporter);
}

/* ---- counting ---- */

void wh_provider_stats(const wh_provider *provider, struct wh_provider_stats *stats)
{
    struct wh_provider_stats sum = {.size = stats->size};
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        const struct wh__spool *spool = wh__spool_of(thread);
        if (!spool) continue;
        const struct wh__counts *counts = &spool->counts[provider->index];
        sum.started += __atomic_load_n(&counts->started, __ATOMIC_RELAXED);
        sum.ended += __atomic_load_n(&counts->ended, __ATOMIC_RELAXED);
        sum.dropped_queue += __atomic_load_n(&counts->dropped_queue, __ATOMIC_RELAXED);
        sum.dropped_memory += __atomic_load_n(&counts->dropped_memory, __ATOMIC_RELAXED);
        sum.dropped_shutdown += __atomic_load_n(&counts->dropped_shutdown, __ATOMIC_RELAXED);
    }
    const uint64_t homeless = __atomic_load_n(&provider->dropped_homeless, __ATOMIC_RELAXED);
    sum.dropped_memory += homeless;
    sum.exported = __atomic_load_n(&provider->exported, __ATOMIC_RELAXED);
    sum.dropped_export = __atomic_load_n(&provider->dropped_export, __ATOMIC_RELAXED);
    sum.dropped_shutdown += __atomic_load_n(&provider->dropped_at_shutdown, __ATOMIC_RELAXED);
    memcpy(stats, &sum, stats->size < sizeof sum ? stats->size : sizeof sum);
}

static void put_count(struct wh__text *text, uint64_t count, const char *why)
{
    if (count) wh__put(text, "%s%llu %s", text->len ? ", " : "", (unsigned long long)count, why);
}

static void say_losses(struct wh__text *text, const wh_provider *provider, const struct wh_provider_stats *s)
{
    put_count(text, s->dropped_queue, "found the queue full");
    put_count(text, s->dropped_memory, "found no memory");
    put_count(text, s->dropped_shutdown, "were left at the shutdown");
    put_count(text, s->dropped_export, "could not be exported");
    for (size_t i = 0; s->dropped_export && i < provider->exporter_count; i++) {
        struct wh_exporter *exporter = provider->exporters[i];
        const char *error = exporter->last_error ? exporter->last_error(exporter) : NULL;
        if (error) wh__put(text, ": %s", error);
    }
}

/* Losses that come and go within a few seconds are one outage. */
enum { OUTAGE_ENDS_AFTER_S = 5 };

void wh__provider_report_losses(wh_provider *provider, bool at_the_end)
{
    char buf[400] = "";
    struct wh__text text = {.buf = buf, .size = sizeof buf};
    struct wh_provider_stats s = {.size = sizeof s};
    wh_provider_stats(provider, &s);
    const uint64_t losses = s.dropped_queue + s.dropped_memory + s.dropped_export + s.dropped_shutdown;
    const bool losing = losses > provider->losses_seen, recovered = s.exported > provider->exported_seen;
    const int64_t now = losing || provider->in_outage ? wh__now() : 0;
    say_losses(&text, provider, &s);
    if (losing && !provider->in_outage) {
        wh_report(WH_WARNING, "spans are being lost: %s", buf);
        provider->in_outage = true;
        provider->losses_said = losses;
    } else if (provider->in_outage && at_the_end) {
        if (losses > provider->losses_said) wh_report(WH_WARNING, "spans were lost in all: %s", buf);
    } else if (provider->in_outage && !losing && recovered && now - provider->last_loss > WH_SEC(OUTAGE_ENDS_AFTER_S)) {
        wh_report(WH_INFO, "spans are exported again; lost in all: %s", buf);
        provider->in_outage = false;
    }
    if (losing) provider->last_loss = now;
    provider->losses_seen = losses;
    provider->exported_seen = s.exported;
}

void wh__provider_forget(wh_provider *provider)
{
    wh__gather_clear(&provider->gather);
    provider->exported = provider->dropped_export = provider->dropped_at_shutdown = provider->dropped_homeless = 0;
    provider->losses_seen = provider->exported_seen = 0;
    provider->in_outage = false;
}

/* ---- flushing and shutting down ---- */

int wh_provider_flush(wh_provider *provider, int64_t timeout)
{
    if (__atomic_load_n(&provider->closing, __ATOMIC_ACQUIRE)) return EALREADY;
    return wh__export_all(wh__add(wh__now(), timeout));
}

static void interrupt_exporters(wh_provider *provider)
{
    for (size_t i = 0; i < provider->exporter_count; i++)
        if (provider->exporters[i]->interrupt) provider->exporters[i]->interrupt(provider->exporters[i]);
}

/* With the drain locked. */
static void close_exporters(wh_provider *provider, int64_t deadline)
{
    for (size_t i = 0; i < provider->exporter_count; i++) {
        struct wh_exporter *exporter = provider->exporters[i];
        if (exporter->shutdown) exporter->shutdown(exporter, deadline);
        wh_exporter_free(exporter);
    }
    provider->exporter_count = 0;
}

void wh__provider_close_late(wh_provider *provider)
{
    if (!__atomic_exchange_n(&provider->close_late, false, __ATOMIC_ACQ_REL)) return;
    wh__provider_report_losses(provider, true);
    close_exporters(provider, wh__now());
}

/* A tenth of the time is kept for exporters that do not come back by themselves. */
int wh_provider_shutdown(wh_provider *provider, int64_t timeout)
{
    const int64_t now = wh__now(), deadline = wh__add(now, timeout);
    int64_t none = 0;
    if (!__atomic_compare_exchange_n(&provider->closing_deadline, &none, deadline, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return EALREADY;
    __atomic_store_n(&provider->closing, true, __ATOMIC_RELEASE);
    wh__sampler_shut_down(provider->sampler);
    int result = wh__export_all(timeout == WH_NEVER ? WH_NEVER : now + timeout / 10 * 9);
    __atomic_store_n(&provider->shut_down, true, __ATOMIC_RELEASE);
    wh__provider_settle(provider);
    if (result == ETIMEDOUT) interrupt_exporters(provider);
    if (wh__default_provider() == provider) wh__set_default_provider(NULL);
    if (!wh__drain_lock(deadline)) { /* they, or another provider's, are still at it: leave them what they use */
        __atomic_store_n(&provider->close_late, true, __ATOMIC_RELEASE);
        return ETIMEDOUT;
    }
    wh__drain(); /* counts what has come meanwhile */
    wh__provider_report_losses(provider, true);
    close_exporters(provider, deadline);
    wh__drain_unlock();
    return result;
}
