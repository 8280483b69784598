/* The tree: making, cancelling and ending a context, asking it, and looking values up. */
#include <whence/whence.h>

#include "bench.h"

static wh_ctx *live;
static const wh_ctx *background;

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

static void derive_cancel_end_at_root(size_t n)
{
    while (n--) {
        wh_ctx *ctx = wh_with_cancel(background);
        wh_cancel(ctx, WH_CANCELED, NULL);
        wh_end(ctx);
    }
}

static void timed_derive_end(size_t n)
{
    while (n--) wh_end(wh_with_timeout(live, WH_SEC(2)));
}

static void timed_derive_cancel_end(size_t n)
{
    while (n--) {
        wh_ctx *ctx = wh_with_timeout(live, WH_SEC(2));
        wh_cancel(ctx, WH_CANCELED, NULL);
        wh_end(ctx);
    }
}

static void timed_derive_cancel_end_at_root(size_t n)
{
    while (n--) {
        wh_ctx *ctx = wh_with_timeout(background, WH_SEC(2));
        wh_cancel(ctx, WH_CANCELED, NULL);
        wh_end(ctx);
    }
}

/* ---- two threads ---- */

static wh_ctx *parents[2], *shared; /* not `live`: once threads have fought for a parent, it has shards */

static void derive_cancel_end_by(size_t n, int who)
{
    (void)who;
    while (n--) {
        wh_ctx *ctx = wh_with_cancel(shared);
        wh_cancel(ctx, WH_CANCELED, NULL);
        wh_end(ctx);
    }
}

static void derive_cancel_end_apart(size_t n, int who)
{
    while (n--) {
        wh_ctx *ctx = wh_with_cancel(parents[who]);
        wh_cancel(ctx, WH_CANCELED, NULL);
        wh_end(ctx);
    }
}

static void two_on_one_parent(size_t n, struct lap *laps)
{
    if (two_cpus())
        laps[0] = both(derive_cancel_end_by, n);
    else
        bench_invalid("wants two CPUs");
}

static void two_apart(size_t n, struct lap *laps)
{
    if (two_cpus())
        laps[0] = both(derive_cancel_end_apart, n);
    else
        bench_invalid("wants two CPUs");
}

/* ---- asking ---- */

static wh_ctx *value_node;

static void ask(const wh_ctx *ctx, size_t n)
{
    size_t seen = 0;
    while (n--) {
        HIDE(ctx);
        if (wh_err(ctx)) seen++;
    }
    HIDE(seen);
}

static void ask_live(size_t n) { ask(live, n); }
static void ask_value(size_t n) { ask(value_node, n); }

/* ---- values ---- */

WH_KEY(wanted, int)
WH_KEY(other, int)

enum { DEPTHS = 3 };
static const int depths[DEPTHS] = {1, 10, 1000};
static wh_ctx *chains[1001], *deep[DEPTHS];

/* At depth d the value stands d - 1 nodes above. */
static void make_chain(void)
{
    wh_ctx *bottom = chains[0] = wh_with_wanted(live, 1);
    for (int depth = 1, i = 0; i < DEPTHS; depth++) {
        if (depth == depths[i]) deep[i++] = bottom;
        bottom = chains[depth] = wh_with_other(bottom, depth);
    }
    value_node = deep[0];
}

static void look_up(const wh_ctx *ctx, size_t n)
{
    while (n--) {
        int value = wh_wanted(ctx);
        HIDE(value);
    }
}

static void look_up_1(size_t n) { look_up(deep[0], n); }
static void look_up_10(size_t n) { look_up(deep[1], n); }
static void look_up_1000(size_t n) { look_up(deep[2], n); }

static void add_value_end(size_t n)
{
    while (n--) wh_end(wh_with_wanted(live, 1));
}

/* ---- listed, and measured (live.h) ---- */

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

/* ---- the room ---- */

static void begin(void)
{
    background = wh_background();
    live = wh_with_cancel(background);
    parents[0] = wh_with_cancel(background);
    parents[1] = wh_with_cancel(background);
    shared = wh_with_cancel(background);
    make_chain();
    timed_derive_end(1); /* starts the thread for timers, on another CPU */
}

static void end(void)
{
    for (size_t i = sizeof chains / sizeof *chains; i--;) wh_end(chains[i]);
    wh_end(parents[0]);
    wh_end(parents[1]);
    wh_end(shared);
    wh_end(live);
}

#define BARE "tree by hand, derive+cancel+end"
static const struct subject subjects[] = {
    {.rows = {{.name = "derive+end", .floor = "tree by hand, derive+end"}}, .op = derive_end, .counted = true},
    {.rows = {{.name = "derive+cancel+end", .floor = BARE}}, .op = derive_cancel_end, .counted = true},
    {.rows = {{.name = "derive+cancel+end, background parent", .floor = BARE}}, .op = derive_cancel_end_at_root},
    {.rows = {{.name = "derive+end, deadline", .floor = BARE, .note = "2 s away"}}, .op = timed_derive_end, .counted = true},
    {.rows = {{.name = "derive+cancel+end, deadline", .floor = BARE}}, .op = timed_derive_cancel_end, .counted = true},
    {.rows = {{.name = "derive+cancel+end, deadline, background parent", .floor = BARE}},
     .op = timed_derive_cancel_end_at_root},
    {.rows = {{.name = "derive+cancel+end, two threads apart", .floor = "derive+cancel+end",
               .note = "each, at the same time"}},
     .sample = two_apart},
    {.rows = {{.name = "derive+cancel+end, two threads on one parent", .floor = "derive+cancel+end",
               .note = "each, at the same time"}},
     .sample = two_on_one_parent},
    {.rows = {{.name = "wh_err", .floor = "load and branch", .note = "live context"}}, .op = ask_live, .counted = true},
    {.rows = {{.name = "wh_err, value context", .floor = "load and branch"}}, .op = ask_value, .counted = true},
    {.rows = {{.name = "with value+end", .floor = "tree by hand, derive+end"}}, .op = add_value_end},
    {.rows = {{.name = "value at depth 1", .floor = "load and branch"}}, .op = look_up_1},
    {.rows = {{.name = "value at depth 10", .floor = "load and branch"}}, .op = look_up_10},
    {.rows = {{.name = "value at depth 1000", .floor = "load and branch"}}, .op = look_up_1000},
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

const struct room context_room = {.name = "context", .begin = begin, .subjects = subjects, .end = end};
