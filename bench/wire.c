/* From the record to OTLP bytes: spans with five attributes are produced, and the clock stops when all of them have become
 * requests. The export thread works at the same time as the producer; what it spends for a span is a row of its own. */
#include "collector.h"
#include "sinks.h"
#include "spans.h"

static struct source requests, lines;
#ifdef BENCH_OTLP
static struct source posts; /* over HTTP, to: */
static struct collector *collector;
#endif

/* Of the process, but not of this thread: of the export thread, that is, and of the collector's. */
static int64_t spent_elsewhere(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID) - clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void produce(struct source *source, size_t n, struct lap *laps)
{
    const int64_t before = spent_elsewhere();
    const struct lap begin = lap_begin();
    spans_with_5(source->span, n);
    lap_add(&laps[0], begin);
    source_flush(source);
    lap_add(&laps[1], begin);
    laps[2].ns += spent_elsewhere() - before;
}

static void into_requests(size_t n, struct lap *laps)
{
    const uint64_t before = request_bytes();
    produce(&requests, n, laps);
    if (request_bytes() - before < 250 * n) bench_invalid("too few bytes were written");
}

/* The file exporter, less the file. */
static void into_json(size_t n, struct lap *laps)
{
    produce(&lines, n, laps);
}

#ifdef BENCH_OTLP
static void over_http(size_t n, struct lap *laps)
{
    const uint64_t before = collector_bytes(collector);
    const int64_t spent = collector_spent(collector);
    produce(&posts, n, laps);
    laps[2].ns -= collector_spent(collector) - spent;
    if (collector_bytes(collector) - before < 250 * n) bench_invalid("too few bytes were sent");
}

static void begin_http(void)
{
    collector = collector_new();
    struct wh_exporter *exporter = wh_otlp_exporter_new(collector->endpoint);
    if (!exporter) bench_die("no OTLP exporter for %s", collector->endpoint);
    posts = source_new(exporter, 0);
}
#endif

static void begin(void)
{
    requests = source_new(request_sink_new(), 0);
    lines = source_new(wh_file_exporter_new("/dev/null"), 0);
#ifdef BENCH_OTLP
    begin_http();
#endif
}

static void end(void)
{
    source_end(&requests, "into requests");
    source_end(&lines, "into lines of JSON");
#ifdef BENCH_OTLP
    source_end(&posts, "over HTTP");
#endif
}

#define FLOOR "span by hand, 5 attributes"
#define COPY "memcpy of 256 B"
static const struct subject subjects[] = {
    {.rows = {{.name = "record, requests being written", .floor = FLOOR, .unit = "ns/span"},
              {.name = "record to OTLP bytes, end to end", .floor = FLOOR, .unit = "ns/span",
               .note = "until the last is a request"},
              {.name = "record to OTLP bytes, export thread", .floor = COPY, .unit = "ns/span", .note = "its CPU time"}},
     .sample = into_requests, .fixed = MOST_SPANS},
    {.rows = {{.name = "record, lines of JSON being written", .floor = FLOOR, .unit = "ns/span"},
              {.name = "record to OTLP JSON, end to end", .floor = FLOOR, .unit = "ns/span", .note = "to /dev/null"},
              {.name = "record to OTLP JSON, export thread", .floor = COPY, .unit = "ns/span", .note = "its CPU time"}},
     .sample = into_json, .fixed = MOST_SPANS},
#ifdef BENCH_OTLP
    {.rows = {{.name = "record, requests being sent", .floor = FLOOR, .unit = "ns/span"},
              {.name = "record to OTLP over HTTP, end to end", .floor = FLOOR, .unit = "ns/span",
               .note = "collector on loopback"},
              {.name = "record to OTLP over HTTP, export thread", .floor = COPY, .unit = "ns/span",
               .note = "its CPU time"}},
     .sample = over_http, .fixed = MOST_SPANS},
#endif
    {.op = NULL},
};

const struct room wire_room = {.name = "wire", .begin = begin, .subjects = subjects, .end = end};
