/* Spans: recorded and handed over, not sampled, and without any provider. */
#include "spans.h"

#include <string.h>

#include "sinks.h"

static struct source sampled;  /* batches of the default size: the export thread is at work meanwhile */
static struct source quiet;    /* batches so large that it sleeps meanwhile */
static wh_provider *refusing;  /* its sampler says no to every root */
static wh_ctx *remote, *unsampled, *refused, *unconfigured;

static void rest(void) { source_flush(&sampled); }
static void rest_quiet(void) { source_flush(&quiet); }

/* ---- recorded ---- */

static void spans_with_0(const wh_ctx *parent, size_t n)
{
    while (n--) wh_end(wh_start(parent, "GET", .kind = WH_CLIENT));
}

static void spans_with_5_at_start(const wh_ctx *parent, size_t n)
{
    while (n--)
        wh_end(wh_start(parent, "GET", .kind = WH_CLIENT,
                        .attrs = WH_ATTRS(wh_attr(METHOD_KEY, request.method), wh_attr(PATH_KEY, request.path),
                                          wh_attr(STATUS_KEY, request.status), wh_attr(SERVER_KEY, request.server),
                                          wh_attr(AGENT_KEY, request.agent))));
}

static void spans_with_5_literals(const wh_ctx *parent, size_t n)
{
    while (n--) {
        wh_ctx *op = wh_start(parent, "GET", .kind = WH_CLIENT);
        wh_set(op, METHOD_KEY, METHOD);
        wh_set(op, PATH_KEY, PATH);
        wh_set(op, STATUS_KEY, STATUS);
        wh_set(op, SERVER_KEY, SERVER);
        wh_set(op, AGENT_KEY, AGENT);
        wh_end(op);
    }
}

static void sampled_0(size_t n) { spans_with_0(sampled.span, n); }
static void sampled_5(size_t n) { spans_with_5(sampled.span, n); }
static void sampled_5_at_start(size_t n) { spans_with_5_at_start(sampled.span, n); }
static void sampled_5_literals(size_t n) { spans_with_5_literals(sampled.span, n); }
static void quiet_0(size_t n) { spans_with_0(quiet.span, n); }
static void quiet_5(size_t n) { spans_with_5(quiet.span, n); }
static void quiet_5_at_start(size_t n) { spans_with_5_at_start(quiet.span, n); }

/* ---- not recorded ---- */

static void unsampled_5(size_t n) { spans_with_5(unsampled, n); }
static void refused_5(size_t n) { spans_with_5(refused, n); }
static void unconfigured_5(size_t n) { spans_with_5(unconfigured, n); }
static void background_5(size_t n) { spans_with_5(wh_background(), n); }

/* ---- two threads ---- */

static wh_ctx *producers[2];

static void produce(size_t n, int who)
{
    spans_with_5(producers[who], n);
}

static void one_producer(size_t n, struct lap *laps)
{
    const struct lap begin = lap_begin();
    produce(n, 0);
    lap_add(&laps[0], begin);
}

static void two_producers(size_t n, struct lap *laps)
{
    if (two_cpus())
        laps[0] = both(produce, n);
    else
        bench_invalid("wants two CPUs");
}

/* ---- the room ---- */

static const char *not_sampled(void *unused, const char *name)
{
    (void)unused;
    return strcmp(name, "traceparent") == 0 ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00" : NULL;
}

static void check_decisions(void)
{
    struct wh_span_context ids;
    WH_AUTO wh_ctx *recorded = wh_start(sampled.span, "yes");
    if (!wh_recording(recorded)) bench_die("a span that should be recorded is not");
    const wh_ctx *const parents[] = {unsampled, refused};
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        WH_AUTO wh_ctx *ignored = wh_start(parents[i], "no");
        if (wh_recording(ignored) || !wh_span_of(ignored, &ids) || ids.flags & WH_SAMPLED)
            bench_die("a span that should have ids and not be recorded is otherwise");
    }
}

static void begin(void)
{
    sampled = source_new(reading_sink_new(), 0);
    quiet = source_new(reading_sink_new(), 1 << 18);
    remote = wh_extract(sampled.root, not_sampled, NULL);
    unsampled = wh_start(remote, "GET /orders/{id}", .kind = WH_SERVER);
    refusing = wh_provider_new(.service = "bench", .sampler = wh_sampler_parent_based(wh_sampler_ratio(0)));
    if (!refusing) bench_die("no memory for a provider");
    refused = wh_provider_root(refusing);
    unconfigured = wh_with_cancel(NULL);
    producers[0] = wh_start(quiet.root, "producer");
    producers[1] = wh_start(quiet.root, "producer");
    check_decisions();
}

static void end(void)
{
    wh_end(producers[0]);
    wh_end(producers[1]);
    wh_end(unconfigured);
    wh_end(refused);
    wh_provider_shutdown(refusing, WH_SEC(5));
    wh_end(unsampled);
    wh_end(remote);
    source_end(&sampled, "exporter at work");
    source_end(&quiet, "exporter asleep");
}

#define FLOOR_0 "span by hand, 0 attributes"
#define FLOOR_5 "span by hand, 5 attributes"
#define FLOOR_NOT_SAMPLED "span by hand, not sampled"
#define ALONE "sampled, 5 attributes, one producer"
static const struct subject subjects[] = {
    {.rows = {{.name = "sampled, 0 attributes", .floor = FLOOR_0}}, .op = sampled_0, .rest = rest, .most = MOST_SPANS},
    {.rows = {{.name = "sampled, 5 attributes", .floor = FLOOR_5}}, .op = sampled_5, .rest = rest, .most = MOST_SPANS},
    {.rows = {{.name = "sampled, 5 attributes at the start", .floor = FLOOR_5, .note = ".attrs"}},
     .op = sampled_5_at_start, .rest = rest, .most = MOST_SPANS},
    {.rows = {{.name = "sampled, 5 literal attributes", .floor = FLOOR_5}},
     .op = sampled_5_literals, .rest = rest, .most = MOST_SPANS},
    {.rows = {{.name = "sampled, 0 attributes, exporter asleep", .floor = FLOOR_0}},
     .op = quiet_0, .rest = rest_quiet, .most = MOST_WAITING, .counted = true},
    {.rows = {{.name = "sampled, 5 attributes, exporter asleep", .floor = FLOOR_5}},
     .op = quiet_5, .rest = rest_quiet, .most = MOST_WAITING, .counted = true},
    {.rows = {{.name = "sampled, 5 attributes at the start, exporter asleep", .floor = FLOOR_5}},
     .op = quiet_5_at_start, .rest = rest_quiet, .most = MOST_WAITING, .counted = true},
    {.rows = {{.name = "unsampled, 5 setters", .floor = FLOOR_NOT_SAMPLED}}, .op = unsampled_5, .counted = true},
    {.rows = {{.name = "unsampled, 5 setters, root", .floor = FLOOR_NOT_SAMPLED,
               .note = "ratio 0: a new trace id, and a decision"}},
     .op = refused_5, .counted = true},
    {.rows = {{.name = "no provider, 5 setters", .floor = FLOOR_NOT_SAMPLED}}, .op = background_5, .counted = true},
    {.rows = {{.name = "no provider, 5 setters, live parent", .floor = FLOOR_NOT_SAMPLED}},
     .op = unconfigured_5, .counted = true},
    {.rows = {{.name = ALONE, .floor = FLOOR_5, .note = "exporter asleep"}},
     .sample = one_producer, .rest = rest_quiet, .most = MOST_WAITING},
    {.rows = {{.name = "sampled, 5 attributes, two producers", .floor = ALONE,
               .note = "each, at the same time; exporter asleep"}},
     .sample = two_producers, .rest = rest_quiet, .most = MOST_WAITING},
    {.op = NULL},
};

const struct room trace_room = {.name = "spans", .begin = begin, .subjects = subjects, .end = end};
