/* Fan-out: many children of one context, all cancelled by one call. What each of them takes, in three parts. */
#include <stdlib.h>
#include <whence/whence.h>

#include "bench.h"

enum { MOST = 1000000 };
static wh_ctx **children;

static void fan_out(size_t count, struct lap *laps)
{
    wh_ctx *parent = wh_with_cancel(NULL);
    struct lap begin = lap_begin();
    for (size_t i = 0; i < count; i++) children[i] = wh_with_cancel(parent);
    lap_add(&laps[0], begin);
    begin = lap_begin();
    wh_cancel(parent, WH_CANCELED, NULL);
    lap_add(&laps[1], begin);
    begin = lap_begin();
    for (size_t i = 0; i < count; i++) wh_end(children[i]);
    lap_add(&laps[2], begin);
    wh_end(parent);
}

static void by_thousands(size_t n, struct lap *laps)
{
    for (; n; n -= 1000) fan_out(1000, laps);
}

static void at_once(size_t n, struct lap *laps)
{
    fan_out(n, laps);
}

static void begin(void)
{
    children = malloc(MOST * sizeof *children);
    if (!children) bench_die("no memory");
}

static void end(void)
{
    free(children);
}

#define ROWS(count) { \
    {.name = "fan-out " count ", derive", .floor = "tree by hand, derive+end", .unit = "ns/child"}, \
    {.name = "fan-out " count ", cancel", .floor = "atomic add, uncontended", .unit = "ns/child"}, \
    {.name = "fan-out " count ", end", .floor = "tree by hand, derive+end", .unit = "ns/child"}}
static const struct subject subjects[] = {
    {.rows = ROWS("1k"), .sample = by_thousands, .fixed = 50000},
    {.rows = ROWS("100k"), .sample = at_once, .fixed = 100000},
    {.rows = ROWS("1M"), .sample = at_once, .fixed = MOST, .heavy = true},
    {.op = NULL},
};

const struct room fanout_room = {.name = "fan-out", .begin = begin, .subjects = subjects, .end = end};
