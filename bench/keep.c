/* Record, then decide: requests of eight spans, a local root and seven below it, that nobody samples; beside them the same
 * sampled. In nanoseconds a span. */
#include "sinks.h"
#include "spans.h"

enum { SPANS_OF_ONE = 8 };

static struct source sampled; /* the exporter sleeps meanwhile, here and below */
static struct { wh_provider *provider; wh_ctx *root; } off, on;

static void nothing(wh_ctx *op) { (void)op; }
static void five(wh_ctx *op) { SET_FIVE(op, &request); }

static inline __attribute__((always_inline)) void requests(const wh_ctx *parent, size_t n, void (*set)(wh_ctx *op), bool bad)
{
    while (n) {
        wh_ctx *root = wh_start(parent, "GET /orders/{id}", .kind = WH_SERVER);
        set(root);
        for (n--; n && n % SPANS_OF_ONE; n--) {
            wh_ctx *op = wh_start(root, "GET", .kind = WH_CLIENT);
            set(op);
            wh_end(op);
        }
        if (bad) wh_status(root, WH_STATUS_ERROR, NULL);
        wh_end(root);
    }
}

static void off_0(size_t n) { requests(off.root, n, nothing, false); }
static void off_5(size_t n) { requests(off.root, n, five, false); }
static void on_0(size_t n) { requests(on.root, n, nothing, false); }
static void on_5(size_t n) { requests(on.root, n, five, false); }
static void sampled_0(size_t n) { requests(sampled.root, n, nothing, false); }
static void sampled_5(size_t n) { requests(sampled.root, n, five, false); }
static void kept_5(size_t n) { requests(on.root, n, five, true); }
static void rest_sampled(void) { source_flush(&sampled); }

/* ---- the room ---- */

static uint64_t lost_before;

static void rest_kept(void)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    if (wh_provider_flush(on.provider, WH_SEC(10))) bench_invalid("the flush failed");
    wh_provider_stats(on.provider, &stats);
    const uint64_t lost = stats.dropped_queue + stats.dropped_memory + stats.keep_limited + stats.keep_skipped;
    if (lost > lost_before) bench_invalid("%llu were lost", (unsigned long long)(lost - lost_before));
    lost_before = lost;
}

static wh_provider *provider_new(bool keeps)
{
    struct wh_exporter *sink = reading_sink_new();
    wh_provider *provider = wh_provider_new(.service = "bench", .sampler = wh_sampler_parent_based(wh_sampler_always_off()),
        .exporters = &sink, .exporter_count = 1, .max_queue = 1 << 19, .max_batch = 1 << 18,
        .keep = {.enabled = keeps, .per_second = 1000000000, .every = 1});
    if (!provider) bench_die("no memory for a provider");
    return provider;
}

static void begin(void)
{
    sampled = source_new(reading_sink_new(), 1 << 18);
    off.provider = provider_new(false);
    on.provider = provider_new(true);
    off.root = wh_provider_root(off.provider);
    on.root = wh_provider_root(on.provider);
    kept_5(SPANS_OF_ONE);
    rest_kept();
    WH_AUTO wh_ctx *recorded = wh_start(on.root, "yes");
    WH_AUTO wh_ctx *ignored = wh_start(off.root, "no");
    if (!wh_recording(recorded) || wh_recording(ignored)) bench_die("what should be recorded is not, or the other way round");
}

static void end(void)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(on.provider, &stats);
    bench_remark("record, then decide: %llu spans ended, %llu were forgotten, %llu exported, %llu requests skipped",
                 (unsigned long long)stats.ended, (unsigned long long)stats.keep_forgotten, (unsigned long long)stats.exported,
                 (unsigned long long)stats.keep_skipped);
    wh_end(off.root);
    wh_end(on.root);
    wh_provider_shutdown(off.provider, WH_SEC(5));
    wh_provider_shutdown(on.provider, WH_SEC(5));
    source_end(&sampled, "requests of eight");
}

#define SAMPLED_0 "request, sampled, 0 attributes"
#define SAMPLED_5 "request, sampled, 5 attributes"
static const struct subject subjects[] = {
    {.rows = {{.name = SAMPLED_0, .note = "of 8 spans, a span"}}, .op = sampled_0, .rest = rest_sampled, .most = MOST_WAITING},
    {.rows = {{.name = "request, not sampled, 0 attributes", .floor = SAMPLED_0}}, .op = off_0},
    {.rows = {{.name = "request, not sampled, keep on, 0 attributes", .floor = SAMPLED_0, .note = "and forgotten"}}, .op = on_0},
    {.rows = {{.name = SAMPLED_5}}, .op = sampled_5, .rest = rest_sampled, .most = MOST_WAITING, .counted = true},
    {.rows = {{.name = "request, not sampled, 5 attributes", .floor = SAMPLED_5}}, .op = off_5, .counted = true},
    {.rows = {{.name = "request, not sampled, keep on, 5 attributes", .floor = SAMPLED_5, .note = "and forgotten"}}, .op = on_5,
     .counted = true},
    {.rows = {{.name = "request, kept, 5 attributes", .floor = SAMPLED_5, .note = "every one"}}, .op = kept_5, .rest = rest_kept,
     .most = MOST_WAITING},
    {.op = NULL},
};

const struct room keep_room = {.name = "record, then decide", .begin = begin, .subjects = subjects, .end = end};
