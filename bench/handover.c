/* Contexts that are made on one thread and ended on another, as requests are in a server with a thread that accepts them. */
#include <stdlib.h>
#include <whence/whence.h>

#include "bench.h"

enum { MANY = 1000000 };
static wh_ctx **contexts, *parent;

static void make_all(void)
{
    for (size_t i = 0; i < MANY; i++) contexts[i] = wh_with_cancel(parent);
}

static void end_all(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < MANY; i++) wh_end(contexts[i]);
}

static void same_thread(size_t n, struct lap *laps)
{
    (void)n;
    struct lap begin = lap_begin();
    make_all();
    lap_add(&laps[0], begin);
    begin = lap_begin();
    end_all(NULL);
    lap_add(&laps[1], begin);
}

static void other_thread(size_t n, struct lap *laps)
{
    (void)n;
    if (!two_cpus()) {
        bench_invalid("wants two CPUs");
        return;
    }
    struct lap begin = lap_begin();
    make_all();
    lap_add(&laps[0], begin);
    begin = lap_begin();
    helper_start(end_all, NULL);
    helper_wait();
    lap_add(&laps[1], begin);
}

static void begin(void)
{
    parent = wh_with_cancel(NULL);
    contexts = malloc(MANY * sizeof *contexts);
    if (!contexts) bench_die("no memory");
    make_all(); /* the memory is there, as in a server that has run for a while */
    end_all(NULL);
}

static void end(void)
{
    wh_end(parent);
    free(contexts);
}

static const struct subject subjects[] = {
    {.rows = {{.name = "1M contexts, made", .floor = "tree by hand, derive+end", .unit = "ns/context"},
              {.name = "1M contexts, ended here", .floor = "tree by hand, derive+end", .unit = "ns/context"}},
     .sample = same_thread, .fixed = MANY, .heavy = true},
    {.rows = {{.name = "1M contexts, made after those", .floor = "1M contexts, made", .unit = "ns/context",
               .note = "from the memory that the other thread gave back"},
              {.name = "1M contexts, ended on another thread", .floor = "1M contexts, ended here", .unit = "ns/context"}},
     .sample = other_thread, .fixed = MANY, .heavy = true},
    {.op = NULL},
};

const struct room handover_room = {.name = "handed over", .begin = begin, .subjects = subjects, .end = end};
