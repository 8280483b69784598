/* Cancelling with spans below: what the call takes for each of them, and what each says of it at its end. */
#include "spans.h"
#include "sinks.h"

enum { MOST = 10000, TOPS = 100 };
static struct source quiet; /* the export thread sleeps meanwhile */
static wh_ctx *tops[TOPS], *below[MOST];

static void rest(void) { source_flush(&quiet); }

static wh_ctx *span_under(const wh_ctx *parent) { return wh_start(parent, "GET", .kind = WH_CLIENT); }
static wh_ctx *context_under(const wh_ctx *parent) { return wh_with_cancel(parent); }

/* Few below each: several at once, so that reading the clock does not count. */
static void run(size_t n, size_t count, wh_ctx *(*derive)(const wh_ctx *parent), bool cancels, struct lap *laps)
{
    const size_t roots = n / count;
    for (size_t i = 0; i < roots; i++) tops[i] = derive(quiet.root);
    for (size_t i = 0; i < n; i++) below[i] = derive(tops[i / count]);
    struct lap begin = lap_begin();
    for (size_t i = 0; cancels && i < roots; i++) wh_cancel(tops[i], WH_CLIENT_GONE, "hung up");
    lap_add(&laps[0], begin);
    begin = lap_begin();
    for (size_t i = 0; i < n; i++) wh_end(below[i]);
    lap_add(&laps[cancels ? 1 : 0], begin);
    for (size_t i = 0; i < roots; i++) wh_end(tops[i]);
}

static void ends(size_t n, struct lap *laps) { run(n, 100, span_under, false, laps); }
static void spans_1(size_t n, struct lap *laps) { run(n, 1, span_under, true, laps); }
static void spans_100(size_t n, struct lap *laps) { run(n, 100, span_under, true, laps); }
static void spans_10k(size_t n, struct lap *laps) { run(n, n, span_under, true, laps); }
static void contexts_1(size_t n, struct lap *laps) { run(n, 1, context_under, true, laps); }
static void contexts_100(size_t n, struct lap *laps) { run(n, 100, context_under, true, laps); }
static void contexts_10k(size_t n, struct lap *laps) { run(n, n, context_under, true, laps); }

static void begin(void) { quiet = source_new(reading_sink_new(), 1 << 18); }
static void end(void) { source_end(&quiet, "cancelled"); }

#define ENDS "end of a span that was not cancelled"
#define WITHOUT(count) {.name = "cancel, " count " below", .unit = "ns/child"}, {.name = "cancel, " count " below, end", .unit = "ns/child"}
#define WITH(count, note_) \
    {.name = "cancel, " count " below, spans", .floor = "cancel, " count " below", .unit = "ns/child"}, \
    {.name = "cancel, " count " below, spans, end", .floor = ENDS, .unit = "ns/child", .note = note_}
static const struct subject subjects[] = {
    {.rows = {{.name = ENDS}}, .sample = ends, .rest = rest, .fixed = 2000},
    {.rows = {WITHOUT("1")}, .sample = contexts_1, .fixed = 100},
    {.rows = {WITH("1", NULL)}, .sample = spans_1, .rest = rest, .fixed = 100},
    {.rows = {WITHOUT("100")}, .sample = contexts_100, .fixed = 2000},
    {.rows = {WITH("100", NULL)}, .sample = spans_100, .rest = rest, .fixed = 2000},
    {.rows = {WITHOUT("10k")}, .sample = contexts_10k, .fixed = MOST},
    {.rows = {WITH("10k", "1000 in full, the others briefly")}, .sample = spans_10k, .rest = rest, .fixed = MOST},
    {.op = NULL},
};

const struct room cancelled_room = {.name = "cancelled", .begin = begin, .subjects = subjects, .end = end};
