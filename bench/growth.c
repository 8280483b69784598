/* What the hot operations cost as things grow: contexts that live, levels above, threads at one shared. Each row but the first
 * of a kind stands beside that one. growth.py draws them. */
#include <pthread.h>
#include <stdlib.h>
#include <whence/whence.h>

#include "bench.h"

enum { LEAST = 0, MORE = 1, MOST = 2, WINDOWS = 8, TURNS = 10000, MOST_THREADS = 8 };
static const size_t lives[] = {1, 1000, 1000000}, depths[] = {1, 10, 10000}, threads[] = {1, 2, MOST_THREADS};
static wh_ctx **contexts, *shared, *bottoms[3];

static void derive_cancel_end(wh_ctx *above, size_t n)
{
    while (n--) {
        wh_ctx *ctx = wh_with_cancel(above);
        wh_cancel(ctx, WH_CANCELED, NULL);
        wh_end(ctx);
    }
}

static void timed_derive_cancel_end(wh_ctx *above, size_t n)
{
    while (n--) {
        wh_ctx *ctx = wh_with_timeout(above, WH_SEC(2));
        wh_cancel(ctx, WH_CANCELED, NULL);
        wh_end(ctx);
    }
}

/* ---- contexts that live ---- */

/* To make a million takes much longer than what is asked then: so it is asked a few times, and the best one counts. */
static void best_of_some(void (*op)(wh_ctx *above, size_t n), size_t n, struct lap *least)
{
    for (int i = 0; i < WINDOWS; i++) {
        struct lap lap = {0};
        const struct lap begin = lap_begin();
        op(shared, n);
        lap_add(&lap, begin);
        if (i == 0 || lap.ns < least->ns) *least = lap;
    }
}

static void among(size_t n, struct lap *laps, void (*op)(wh_ctx *above, size_t n), bool timed)
{
    for (size_t level = LEAST; level <= MOST; level++) {
        for (size_t i = 0; i < lives[level]; i++)
            contexts[i] = timed ? wh_with_timeout(shared, WH_SEC(60) + (int64_t)(i * 7919 % 1000000) * 60000) : wh_with_cancel(shared);
        best_of_some(op, n, &laps[level]);
        for (size_t i = 0; i < lives[level]; i++) wh_end(contexts[i]);
    }
}

static void among_live(size_t n, struct lap *laps) { among(n, laps, derive_cancel_end, false); }
static void among_timed(size_t n, struct lap *laps) { among(n, laps, timed_derive_cancel_end, true); }

/* ---- levels above ---- */

WH_KEY(top, int)
static wh_ctx **chain, *chain_top;

/* Only while it is asked: what lives all the time is in the way of other rows. */
static void grow_chain(void)
{
    chain_top = wh_with_top(shared, 1);
    wh_ctx *above = chain_top;
    for (size_t depth = 1, level = LEAST; depth <= depths[MOST]; depth++) {
        above = chain[depth - 1] = wh_with_cancel(above);
        if (depth == depths[level]) bottoms[level++] = above;
    }
}

static void cut_chain(void)
{
    for (size_t i = depths[MOST]; i--;) wh_end(chain[i]);
    wh_end(chain_top);
}

static void at_depth(size_t n, struct lap *laps)
{
    grow_chain();
    for (size_t level = LEAST; level <= MOST; level++) {
        const struct lap begin = lap_begin();
        derive_cancel_end(bottoms[level], n);
        lap_add(&laps[level], begin);
    }
    cut_chain();
}

static void ask_at_depth(size_t n, struct lap *laps)
{
    size_t seen = 0;
    grow_chain();
    for (size_t level = LEAST; level <= MOST; level++) {
        const wh_ctx *bottom = bottoms[level];
        const struct lap begin = lap_begin();
        for (size_t i = 0; i < n; i++) {
            HIDE(bottom);
            if (wh_err(bottom)) seen++;
        }
        lap_add(&laps[level], begin);
    }
    HIDE(seen);
    cut_chain();
}

/* The value stands at the top. */
static void look_up_from_depth(size_t n, struct lap *laps)
{
    grow_chain();
    for (size_t level = LEAST; level <= MOST; level++) {
        const size_t times = n / depths[level] ? n / depths[level] : 1;
        struct lap lap = {0};
        const struct lap begin = lap_begin();
        for (size_t i = 0; i < times; i++) {
            int value = wh_top(bottoms[level]);
            HIDE(value);
        }
        lap_add(&lap, begin);
        laps[level].ns += (int64_t)((double)lap.ns * (double)n / (double)times);
    }
    cut_chain();
}

/* ---- threads at one parent ---- */

struct worker {
    pthread_t thread;
    void (*op)(wh_ctx *above, size_t n);
    size_t n;
    uint32_t *ready;      /* atomic: how many are still to come */
    int64_t spent;        /* of the CPU */
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    worker->op(shared, 100);
    __atomic_fetch_sub(worker->ready, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(worker->ready, __ATOMIC_ACQUIRE)) continue;
    const int64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    worker->op(shared, worker->n);
    worker->spent = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
    return NULL;
}

/* What each spends of its CPU: so that more threads than CPUs tell something, too. */
static void by_threads(size_t n, struct lap *laps, void (*op)(wh_ctx *above, size_t n))
{
    for (size_t level = LEAST; level <= MOST; level++) {
        struct worker workers[MOST_THREADS];
        uint32_t ready = (uint32_t)threads[level];
        take_any_cpu();
        for (size_t i = 0; i < threads[level]; i++) {
            workers[i] = (struct worker){.op = op, .n = n, .ready = &ready};
            if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) bench_die("no thread can be had");
        }
        int64_t spent = 0;
        for (size_t i = 0; i < threads[level]; i++) {
            pthread_join(workers[i].thread, NULL);
            spent += workers[i].spent;
        }
        take_cpu();
        laps[level].ns += spent / (int64_t)threads[level];
    }
}

static void cancelled_by_threads(size_t n, struct lap *laps) { by_threads(n, laps, derive_cancel_end); }
static void timed_by_threads(size_t n, struct lap *laps) { by_threads(n, laps, timed_derive_cancel_end); }

/* ---- the room ---- */

static void begin(void)
{
    shared = wh_with_cancel(NULL);
    contexts = malloc(lives[MOST] * sizeof *contexts);
    chain = malloc(depths[MOST] * sizeof *chain);
    if (!contexts || !chain) bench_die("no memory");
    timed_derive_cancel_end(shared, 1); /* starts the thread for timers, on another CPU */
}

static void end(void)
{
    wh_end(shared);
    free(chain);
    free(contexts);
}

#define SERIES(what, one, two, three, told) { \
    {.name = what ", " one, .note = told}, \
    {.name = what ", " two, .floor = what ", " one}, \
    {.name = what ", " three, .floor = what ", " one}}
#define LIVES(what) SERIES(what, "1 live", "1k live", "1M live", NULL)
#define DEPTHS(what) SERIES(what, "depth 1", "depth 10", "depth 10k", NULL)
#define THREADS(what) SERIES(what, "1 thread", "2 threads", "8 threads", "CPU time of each, on one parent")
static const struct subject subjects[] = {
    {.rows = LIVES("derive+cancel+end"), .sample = among_live, .fixed = TURNS, .heavy = true},
    {.rows = LIVES("derive+cancel+end, deadline"), .sample = among_timed, .fixed = TURNS, .heavy = true},
    {.rows = DEPTHS("derive+cancel+end"), .sample = at_depth, .fixed = TURNS},
    {.rows = DEPTHS("wh_err"), .sample = ask_at_depth, .fixed = TURNS},
    {.rows = DEPTHS("value"), .sample = look_up_from_depth, .fixed = TURNS},
    {.rows = THREADS("derive+cancel+end"), .sample = cancelled_by_threads, .fixed = 20 * TURNS, .heavy = true},
    {.rows = THREADS("derive+cancel+end, deadline"), .sample = timed_by_threads, .fixed = 20 * TURNS, .heavy = true},
    {.op = NULL},
};

const struct room growth_room = {.name = "growth", .begin = begin, .subjects = subjects, .end = end};
