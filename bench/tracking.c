/* What it costs that contexts are listed, and that stopping is measured (live.h). Off, they are the rows of context.c. */
#include <whence/whence.h>

#include "bench.h"

WH_KEY(wanted, int)

static wh_ctx *live;

static void derive_end(size_t n)
{
    while (n--) wh_end(wh_with_cancel(live));
}

static void derive_cancel_end(size_t n)
{
    while (n--) {
        wh_ctx *ctx = wh_with_cancel(live);
        wh_cancel(ctx, WH_CANCELED, NULL);
        wh_end(ctx);
    }
}

static void timed_derive_end(size_t n)
{
    while (n--) wh_end(wh_with_timeout(live, WH_SEC(2)));
}

static void add_value_end(size_t n)
{
    while (n--) wh_end(wh_with_wanted(live, 1));
}

static void tracked(unsigned what, void (*op)(size_t n), size_t n)
{
    wh_track(what);
    op(n);
    wh_track(0);
}

static void derive_end_live(size_t n) { tracked(WH_TRACK_LIVE, derive_end, n); }
static void derive_end_latency(size_t n) { tracked(WH_TRACK_LATENCY, derive_end, n); }
static void derive_cancel_end_live(size_t n) { tracked(WH_TRACK_LIVE, derive_cancel_end, n); }
static void derive_cancel_end_latency(size_t n) { tracked(WH_TRACK_LATENCY, derive_cancel_end, n); }
static void timed_live(size_t n) { tracked(WH_TRACK_LIVE, timed_derive_end, n); }
static void timed_latency(size_t n) { tracked(WH_TRACK_LATENCY, timed_derive_end, n); }
static void value_live(size_t n) { tracked(WH_TRACK_LIVE, add_value_end, n); }
static void value_latency(size_t n) { tracked(WH_TRACK_LATENCY, add_value_end, n); }

static void begin(void)
{
    live = wh_with_cancel(NULL);
    timed_derive_end(1); /* starts the thread for timers, on another CPU */
}

static void end(void)
{
    wh_end(live);
}

static const struct subject subjects[] = {
    {.rows = {{.name = "derive+end, listed", .floor = "derive+end"}}, .op = derive_end_live},
    {.rows = {{.name = "derive+end, measured", .floor = "derive+end"}}, .op = derive_end_latency},
    {.rows = {{.name = "derive+cancel+end, listed", .floor = "derive+cancel+end"}}, .op = derive_cancel_end_live},
    {.rows = {{.name = "derive+cancel+end, measured", .floor = "derive+cancel+end"}}, .op = derive_cancel_end_latency},
    {.rows = {{.name = "derive+end, deadline, listed", .floor = "derive+end, deadline"}}, .op = timed_live},
    {.rows = {{.name = "derive+end, deadline, measured", .floor = "derive+end, deadline"}}, .op = timed_latency},
    {.rows = {{.name = "with value+end, listed", .floor = "with value+end"}}, .op = value_live},
    {.rows = {{.name = "with value+end, measured", .floor = "with value+end"}}, .op = value_latency},
    {.op = NULL},
};

const struct room tracking_room = {.name = "tracking", .begin = begin, .subjects = subjects, .end = end};
