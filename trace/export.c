/* The export thread. It sleeps until a first span waits, then at most schedule_delay, less if many come; then it hands
 * everything that waits to the exporters, batch by batch.
 *
 * A producer looks at `idle` and, when it has many, at `urgent`: both are read-mostly, so no cache line is passed around
 * while nobody needs to be woken. That a producer may still see an old `idle` is made good by one look after a delay,
 * before the thread sleeps for good.
 */
#include "trace/export.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/park.h"
#include "base/spawn.h"
#include "trace/scope.h"
#include "trace/spool.h"

static struct {
    uint32_t calls;        /* atomic; changes when the thread is to look; it parks on this */
    uint32_t idle;         /* atomic; the thread sleeps until called */
    uint32_t urgent;       /* atomic; it has been called to export now */
    bool has_thread;
    bool forks_seen_to;

    uint32_t drain;        /* atomic; 1: somebody is with the exporters; parked on */
    uint32_t flush_asked, flush_done; /* atomic; done is parked on */
    int64_t flush_deadline; /* atomic; the latest that anybody asked for */
    int flush_result;       /* atomic; of the last one done */
} export = {.idle = 1};

/* ---- alone with the exporters ---- */

bool wh__drain_lock(int64_t deadline)
{
    while (__atomic_exchange_n(&export.drain, 1, __ATOMIC_ACQUIRE)) {
        if (wh__now() >= deadline) return false;
        wh__park(&export.drain, 1, deadline);
    }
    return true;
}

void wh__drain_unlock(void)
{
    __atomic_store_n(&export.drain, 0, __ATOMIC_RELEASE);
    wh__unpark(&export.drain);
}

/* ---- one batch ---- */

static void add(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* What one exporter has accepted is exported, whatever the others say. */
static int export_batch(wh_provider *provider, int64_t deadline)
{
    const struct wh_batch batch = wh__gather_batch(&provider->gather);
    int result = 0;
    size_t accepted = 0;
    if (batch.count == 0) return 0;
    if (__atomic_load_n(&provider->shut_down, __ATOMIC_ACQUIRE) || provider->exporter_count == 0) {
        add(&provider->dropped_at_shutdown, batch.count);
    } else {
        for (size_t i = 0; i < provider->exporter_count; i++) {
            size_t rejected = 0;
            struct wh_exporter *exporter = provider->exporters[i];
            const int rc = exporter->export_batch(exporter, &batch, deadline, &rejected);
            const size_t taken = rc || rejected > batch.count ? 0 : batch.count - rejected;
            if (taken > accepted) accepted = taken;
            if (rc) result = EIO;
        }
        add(&provider->exported, accepted);
        add(&provider->dropped_export, batch.count - accepted);
    }
    wh__gather_clear(&provider->gather);
    return result;
}

/* ---- everything that waits ---- */

/* Fills batches until one is full or nothing is left. The threads take turns in being first. */
static void fill_batches(void)
{
    static struct wh__thread *turn;
    struct wh__thread *const first = turn ? turn : wh__threads();
    struct wh__thread *thread = first;
    do {
        struct wh__spool *spool = wh__spool_of(thread);
        const struct wh__waiting *waiting;
        while (spool && (waiting = wh__spool_peek(spool))) {
            if (wh__gather_add(&waiting->scope->provider->gather, waiting->scope, (struct wh_bytes){waiting->bytes, waiting->len})) {
                wh__spool_take(spool, waiting);
                continue;
            }
            turn = thread->next;
            return;
        }
        thread = thread->next ? thread->next : wh__threads();
    } while (thread != first);
}

/* A flush bounds how long its caller waits, and no export: others may need it. A shutdown bounds its own provider's. */
static int64_t deadline_for(const wh_provider *provider)
{
    const int64_t own = wh__add(wh__now(), provider->export_timeout);
    if (!__atomic_load_n(&provider->closing, __ATOMIC_ACQUIRE)) return own;
    const int64_t last = __atomic_load_n(&provider->closing_deadline, __ATOMIC_RELAXED);
    return last < own ? last : own;
}

static uint64_t handed_out(void)
{
    uint64_t count = 0;
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        const struct wh__spool *spool = wh__spool_of(thread);
        if (spool) count += __atomic_load_n(&spool->handed_out, __ATOMIC_RELAXED);
    }
    return count;
}

/* How many wait now: what a flush has to get through, even if producers go on. */
static uint64_t waiting_now(void)
{
    uint64_t waiting = 0;
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        const struct wh__spool *spool = wh__spool_of(thread);
        if (!spool) continue;
        const uint64_t out = __atomic_load_n(&spool->handed_out, __ATOMIC_ACQUIRE); /* first: so it is not ahead */
        waiting += __atomic_load_n(&spool->written, __ATOMIC_ACQUIRE) - out;
    }
    return waiting;
}

/* One batch for each provider that has something. */
static void pass(int *result)
{
    fill_batches();
    for (wh_provider *provider = wh__providers(); provider; provider = provider->next) {
        const int rc = export_batch(provider, deadline_for(provider));
        if (rc) *result = rc;
        wh__provider_report_losses(provider, false);
    }
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next) {
        struct wh__spool *spool = wh__spool_of(thread);
        if (spool) wh__spool_give_back(spool);
    }
}

/* A pass without anything to do says, if need be, that losses are over. */
int wh__drain(void)
{
    int result = 0;
    const uint64_t until = handed_out() + waiting_now();
    do {
        pass(&result);
    } while (handed_out() < until);
    return result;
}

static void flush_exporters(int64_t deadline, int *result)
{
    for (wh_provider *provider = wh__providers(); provider; provider = provider->next) {
        for (size_t i = 0; i < provider->exporter_count; i++) {
            struct wh_exporter *exporter = provider->exporters[i];
            if (exporter->flush && exporter->flush(exporter, deadline)) *result = EIO;
        }
    }
}

static void serve(void)
{
    const uint32_t asked = __atomic_load_n(&export.flush_asked, __ATOMIC_ACQUIRE);
    if (!wh__drain_lock(WH_NEVER)) return;
    __atomic_store_n(&export.urgent, 0, __ATOMIC_RELAXED);
    int result = wh__drain();
    for (wh_provider *provider = wh__providers(); provider; provider = provider->next) wh__provider_close_late(provider);
    if (asked != export.flush_done) {
        flush_exporters(__atomic_load_n(&export.flush_deadline, __ATOMIC_RELAXED), &result);
        __atomic_store_n(&export.flush_result, result, __ATOMIC_RELAXED);
        __atomic_store_n(&export.flush_done, asked, __ATOMIC_RELEASE);
        wh__unpark(&export.flush_done);
    }
    wh__drain_unlock();
}

/* ---- the thread ---- */

/* Of those that are not shut down; what still comes for the others is only counted, and has time. */
static int64_t shortest_delay(void)
{
    int64_t delay = WH_SEC(5);
    for (wh_provider *provider = wh__providers(); provider; provider = provider->next) {
        if (__atomic_load_n(&provider->shut_down, __ATOMIC_ACQUIRE)) continue;
        if (provider->schedule_delay < delay) delay = provider->schedule_delay;
    }
    return delay;
}

static bool is_called(void)
{
    return __atomic_load_n(&export.urgent, __ATOMIC_ACQUIRE) ||
           __atomic_load_n(&export.flush_asked, __ATOMIC_ACQUIRE) != export.flush_done;
}

static void sleep_while_nothing_waits(void)
{
    __atomic_store_n(&export.idle, 1, __ATOMIC_SEQ_CST);
    for (int64_t until = wh__add(wh__now(), shortest_delay());; until = WH_NEVER) {
        const uint32_t calls = __atomic_load_n(&export.calls, __ATOMIC_ACQUIRE);
        if (waiting_now() || is_called() || !__atomic_load_n(&export.idle, __ATOMIC_ACQUIRE)) break;
        wh__park(&export.calls, calls, until);
    }
    __atomic_store_n(&export.idle, 0, __ATOMIC_RELAXED);
}

static void sleep_for_delay(void)
{
    const int64_t until = wh__add(wh__now(), shortest_delay());
    for (;;) {
        const uint32_t calls = __atomic_load_n(&export.calls, __ATOMIC_ACQUIRE);
        if (is_called() || wh__now() >= until) return;
        wh__park(&export.calls, calls, until);
    }
}

static void *run(void *unused)
{
    for (;;) {
        sleep_while_nothing_waits();
        sleep_for_delay();
        serve();
    }
    return unused;
}

static void call_thread(void)
{
    __atomic_fetch_add(&export.calls, 1, __ATOMIC_RELEASE);
    wh__unpark(&export.calls);
}

/* What waits, and the threads that did the exporting, are the parent's. */
static void forget_parents_export(void)
{
    export.has_thread = false;
    export.idle = 1;
    export.urgent = export.drain = 0;
    export.flush_done = export.flush_asked;
    for (struct wh__thread *thread = wh__threads(); thread; thread = thread->next)
        if (thread->spool) wh__spool_forget(thread->spool);
    for (wh_provider *provider = wh__providers(); provider; provider = provider->next) wh__provider_forget(provider);
}

static bool start_thread(void)
{
    if (!__atomic_exchange_n(&export.forks_seen_to, true, __ATOMIC_RELAXED)) wh__at_fork(forget_parents_export);
    return wh__spawn(&export.has_thread, "whence-export", run);
}

void wh__export_notice(const wh_provider *provider, uint64_t waiting)
{
    if (__builtin_expect(__atomic_load_n(&export.idle, __ATOMIC_RELAXED), 0) &&
        __atomic_exchange_n(&export.idle, 0, __ATOMIC_ACQ_REL)) {
        start_thread();
        call_thread();
    }
    if (__builtin_expect(waiting < wh__many(provider), 1) || __atomic_load_n(&export.urgent, __ATOMIC_RELAXED)) return;
    if (__atomic_exchange_n(&export.urgent, 1, __ATOMIC_ACQ_REL) == 0) {
        start_thread();
        call_thread();
    }
}

/* For all who wait now: the latest. */
static void later_flush_deadline(int64_t deadline)
{
    int64_t had = __atomic_load_n(&export.flush_deadline, __ATOMIC_RELAXED);
    const bool alone = __atomic_load_n(&export.flush_asked, __ATOMIC_ACQUIRE) == __atomic_load_n(&export.flush_done, __ATOMIC_ACQUIRE);
    while ((alone || had < deadline) &&
           !__atomic_compare_exchange_n(&export.flush_deadline, &had, deadline, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

/* Without a thread the caller does it itself. */
int wh__export_all(int64_t deadline)
{
    if (!start_thread()) {
        if (!wh__drain_lock(deadline)) return ETIMEDOUT;
        int result = wh__drain();
        flush_exporters(deadline, &result);
        wh__drain_unlock();
        return result;
    }
    later_flush_deadline(deadline);
    const uint32_t ticket = __atomic_add_fetch(&export.flush_asked, 1, __ATOMIC_ACQ_REL);
    call_thread();
    for (;;) {
        const uint32_t done = __atomic_load_n(&export.flush_done, __ATOMIC_ACQUIRE);
        if ((int32_t)(done - ticket) >= 0) return __atomic_load_n(&export.flush_result, __ATOMIC_RELAXED);
        if (wh__now() >= deadline) return ETIMEDOUT;
        wh__park(&export.flush_done, done, deadline);
    }
}
