/* Deadlines in great number: what one costs while a million others live, and what it costs when they pass. */
#include <stdlib.h>
#include <unistd.h>
#include <whence/whence.h>

#include "bench.h"

enum { MANY = 1000000, MEANWHILE = 20000 };
static wh_ctx **contexts;
static wh_ctx *parent;

static void end_all(size_t count)
{
    for (size_t i = 0; i < count; i++) wh_end(contexts[i]);
}

/* ---- a million that do not pass ---- */

static void among_many(size_t n, struct lap *laps)
{
    struct lap begin = lap_begin();
    for (size_t i = 0; i < MANY; i++) contexts[i] = wh_with_timeout(parent, WH_SEC(60) + (int64_t)(i * 7919 % MANY) * 60000);
    lap_add(&laps[1], begin);
    begin = lap_begin();
    for (size_t i = 0; i < n; i++) wh_end(wh_with_timeout(parent, WH_SEC(2)));
    lap_add(&laps[0], begin);
    begin = lap_begin();
    end_all(MANY);
    lap_add(&laps[2], begin);
    for (size_t i = 1; i < MOST_ROWS; i++) { /* these two were done MANY times, not n times */
        laps[i].ns = (int64_t)((double)laps[i].ns * (double)n / MANY);
        laps[i].mallocs = laps[i].mallocs * n / MANY;
    }
}

/* ---- many that pass ---- */

/* What the process spends, but not this thread: the library's threads, that is. */
static int64_t spent_elsewhere(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID) - clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Not by wh_wait(): who waits does the timer thread's work. */
static void wait_until_done(size_t count)
{
    for (size_t i = 0; i < count; i++)
        while (!wh_err(contexts[i])) usleep(1000);
    usleep(5000);
}

/* All deadlines lie within `span`, after they all have been set. */
static void pass(size_t count, int64_t span, struct lap *lap)
{
    const int64_t first = wh_now() + WH_US(count) + WH_MS(20);
    for (size_t i = 0; i < count; i++)
        contexts[i] = wh_with_deadline(parent, first + (int64_t)((double)(i * 7919 % count) / (double)count * (double)span));
    if (wh_now() > first) bench_invalid("the deadlines passed before they were all set");
    const uint64_t mallocs = mallocs_now();
    const int64_t before = spent_elsewhere();
    wait_until_done(count);
    lap->ns += spent_elsewhere() - before;
    lap->mallocs += mallocs_now() - mallocs;
    end_all(count);
}

static void pass_within_100ms(size_t n, struct lap *laps) { pass(n, WH_MS(100), &laps[0]); }
static void pass_at_once(size_t n, struct lap *laps) { pass(n, 0, &laps[0]); }

static void begin(void)
{
    parent = wh_with_cancel(NULL);
    contexts = malloc(MANY * sizeof *contexts);
    if (!contexts) bench_die("no memory");
}

static void end(void)
{
    wh_end(parent);
    free(contexts);
}

#define FLOOR "tree by hand, derive+cancel+end"
static const struct subject subjects[] = {
    {.rows = {{.name = "derive+end, deadline, 1M others live", .floor = FLOOR},
              {.name = "derive with a deadline, up to 1M", .floor = FLOOR},
              {.name = "end with a deadline, of 1M", .floor = FLOOR}},
     .sample = among_many, .fixed = MEANWHILE, .heavy = true},
    {.rows = {{.name = "deadlines that pass, 10k at one instant", .unit = "ns/timer", .floor = FLOOR,
               .note = "time of the library's threads"}},
     .sample = pass_at_once, .fixed = 10000, .heavy = true},
    {.rows = {{.name = "deadlines that pass, 100k at one instant", .unit = "ns/timer", .floor = FLOOR,
               .note = "time of the library's threads"}},
     .sample = pass_at_once, .fixed = 100000, .heavy = true},
    {.rows = {{.name = "deadlines that pass, 1M within 100 ms", .unit = "ns/timer", .floor = FLOOR,
               .note = "time of the library's threads"}},
     .sample = pass_within_100ms, .fixed = MANY, .heavy = true},
    {.op = NULL},
};

const struct room timer_room = {.name = "deadlines", .begin = begin, .subjects = subjects, .end = end};
