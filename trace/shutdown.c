/* Flushing a provider and shutting it down: all of its processors at once as far as they have threads of their own, and under one
 * deadline in any case. One that hangs costs the others no time. */
#include <errno.h>

#include "base/clock.h"
#include "base/lock.h"
#include "trace/batch.h"
#include "trace/keeping.h"
#include "trace/provider.h"
#include "trace/sampler.h"
#include "trace/scope.h"

enum { AT_ONCE = 16 }; /* further ones take turns */

/* A tenth is kept for exporters that do not come back by themselves. */
int64_t wh__most_of(int64_t deadline)
{
    const int64_t now = wh__now();
    return deadline == WH_NEVER || deadline <= now ? deadline : now + (deadline - now) / 10 * 9;
}

static struct wh__batch *batch_of(const wh_provider *provider, size_t i)
{
    struct wh__pipe *pipe = i < AT_ONCE ? wh__pipe_of(provider->processors[i]) : NULL;
    return pipe && pipe->is_batch ? (struct wh__batch *)pipe : NULL;
}

static int worse(int a, int b)
{
    if (a == ETIMEDOUT || b == ETIMEDOUT) return ETIMEDOUT;
    return a || b ? EIO : 0;
}

/* ---- flushing ---- */

/* Those that are no batch processors. */
static int flush_others(wh_provider *provider, int64_t deadline)
{
    int result = 0;
    for (size_t i = 0; i < provider->processor_count; i++) {
        struct wh_processor *processor = provider->processors[i];
        if (!batch_of(provider, i) && processor->flush) result = worse(result, processor->flush(processor, deadline));
    }
    return result;
}

int wh__provider_drain(wh_provider *provider, int64_t deadline)
{
    uint32_t tickets[AT_ONCE] = {0};
    for (size_t i = 0; i < provider->processor_count; i++)
        if (batch_of(provider, i)) tickets[i] = wh__batch_ask(batch_of(provider, i), deadline);
    int result = flush_others(provider, deadline);
    for (size_t i = 0; i < provider->processor_count; i++)
        if (batch_of(provider, i)) result = worse(result, wh__batch_await(batch_of(provider, i), tickets[i], deadline));
    return result;
}

int wh_provider_flush(wh_provider *provider, int64_t timeout)
{
    const int64_t deadline = wh__add(wh__now(), timeout);
    if (__atomic_load_n(&provider->closing, __ATOMIC_ACQUIRE)) return EALREADY;
    return wh__provider_drain(provider, deadline);
}

/* ---- shutting down ---- */

/* No export takes longer than until then, also those of spans that are ended by the shutdown itself. */
static void hurry(wh_provider *provider, int64_t deadline)
{
    for (size_t i = 0; i < provider->processor_count; i++)
        if (provider->pipes[i]) __atomic_store_n(&provider->pipes[i]->last_export, deadline, __ATOMIC_RELAXED);
}

static int64_t half_of(int64_t deadline)
{
    const int64_t now = wh__now();
    return deadline == WH_NEVER || deadline <= now ? deadline : now + (deadline - now) / 2;
}

struct closing {
    wh_provider *provider;
    int64_t deadline;
    uint32_t tickets[AT_ONCE];
    bool begun[AT_ONCE], hung[AT_ONCE]; /* of batch processors */
};

static void begin(struct closing *closing)
{
    for (size_t i = 0; i < closing->provider->processor_count && i < AT_ONCE; i++) {
        struct wh__batch *batch = batch_of(closing->provider, i);
        closing->begun[i] = batch && !wh__batch_begin_shutdown(batch, closing->deadline, &closing->tickets[i]);
    }
}

static int await(struct closing *closing, int64_t limit)
{
    int result = 0;
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (!closing->begun[i]) continue;
        const int rc = wh__batch_await(batch_of(closing->provider, i), closing->tickets[i], limit);
        closing->hung[i] = rc == ETIMEDOUT;
        result = worse(result, rc);
    }
    return result;
}

static int end_batches(struct closing *closing, bool hung)
{
    int result = 0;
    for (size_t i = 0; i < AT_ONCE; i++)
        if (closing->begun[i] && closing->hung[i] == hung)
            result = worse(result, wh__batch_end_shutdown(batch_of(closing->provider, i), closing->deadline));
    return result;
}

static int end_others(struct closing *closing)
{
    int result = 0;
    for (size_t i = 0; i < closing->provider->processor_count; i++) {
        struct wh_processor *processor = closing->provider->processors[i];
        if (!batch_of(closing->provider, i) && processor->shutdown)
            result = worse(result, processor->shutdown(processor, closing->deadline));
    }
    return result;
}

static void stop_recording(wh_provider *provider)
{
    __atomic_store_n(&provider->shut_down, true, __ATOMIC_SEQ_CST);
    wh__provider_settle(provider);
    if (wh__default_provider() == provider) wh__set_default_provider(NULL);
}

int wh_provider_shutdown(wh_provider *provider, int64_t timeout)
{
    struct closing closing = {.provider = provider, .deadline = wh__add(wh__now(), timeout)};
    if (__atomic_exchange_n(&provider->closing, true, __ATOMIC_ACQ_REL)) return EALREADY;
    wh__sampler_shut_down(provider->sampler);
    const int64_t limit = wh__most_of(closing.deadline);
    hurry(provider, closing.deadline);
    if (!provider->leaving) provider->leaving = wh__now();
    wh__end_leaked(provider, half_of(closing.deadline));
    begin(&closing);
    int result = flush_others(provider, limit);
    result = worse(result, await(&closing, limit));
    stop_recording(provider);
    for (size_t i = 0; i < AT_ONCE; i++)
        if (closing.hung[i]) wh__pipe_interrupt(&batch_of(provider, i)->pipe);
    result = worse(result, end_batches(&closing, false));
    result = worse(result, end_others(&closing));
    result = worse(result, end_batches(&closing, true));
    if (provider->keeping) wh__keeping_report(provider->keeping);
    wh__process_no_more(provider, closing.deadline);
    return result;
}
