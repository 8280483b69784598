/* Stopping a callback while it is about to run: the driver's pattern. */
#include <errno.h>

#include "tools.h"

WH_REASON(reason_x, "x");

typedef int after_fn(const wh_ctx *, void (*)(void *), void *, wh_callback **);

struct race {
    struct gate gate;
    int rounds, ran, stopped;
    bool failed;
    after_fn *after;
    wh_ctx *ctx;
};

static void *cancel_them(void *arg)
{
    struct race *race = arg;
    uint32_t seed = 3;
    for (int i = 0; i < race->rounds; i++) {
        meet(&race->gate, 2);
        dawdle(&seed);
        wh_cancel(race->ctx, reason_x, NULL);
        meet(&race->gate, 2);
    }
    return NULL;
}

static void count(void *arg)
{
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
}

/* Two at once: a callback that is stopped, and its neighbour that is not. */
static void race_of(after_fn *after, bool (*stop)(wh_callback *), int turns)
{
    struct race race = {.rounds = turns, .after = after};
    int mine = 0, neighbours = 0;
    uint32_t seed = 4;
    const pthread_t thread = start(cancel_them, &race);
    for (int i = 0; i < turns; i++) {
        wh_callback *callback;
        race.ctx = wh_with_cancel(NULL);
        mine = 0;
        assert_int_equal(after(race.ctx, count, &mine, &callback), 0);
        assert_int_equal(after(race.ctx, count, &neighbours, NULL), 0);
        meet(&race.gate, 2);
        dawdle(&seed);
        const bool prevented = stop(callback);
        if (stop == wh_stop_wait) assert_int_equal(__atomic_load_n(&mine, __ATOMIC_ACQUIRE), !prevented);
        meet(&race.gate, 2);
        wh_end(race.ctx);
        if (!prevented) EVENTUALLY(__atomic_load_n(&mine, __ATOMIC_ACQUIRE) == 1);
        assert_int_equal(__atomic_load_n(&mine, __ATOMIC_ACQUIRE), !prevented);
        race.stopped += prevented;
    }
    join(thread);
    EVENTUALLY(__atomic_load_n(&neighbours, __ATOMIC_ACQUIRE) == turns);
    print_message("           %d of %d prevented\n", race.stopped, turns);
}

static void T105_prevented_or_ran_inline(void **state)
{
    (void)state;
    race_of(wh_after_inline, wh_stop, quick_or_all(100000, 1000000));
}

static void T105_prevented_or_ran_on_the_other_thread(void **state)
{
    (void)state;
    race_of(wh_after, wh_stop, quick_or_all(20000, 1000000));
}

static void T105_stop_wait_inline(void **state)
{
    (void)state;
    race_of(wh_after_inline, wh_stop_wait, quick_or_all(100000, 1000000));
}

static void T105_stop_wait_on_the_other_thread(void **state)
{
    (void)state;
    race_of(wh_after, wh_stop_wait, quick_or_all(20000, 1000000));
}

/* ---- a connection that is used again ---- */

struct connection {
    int query;     /* the one that runs, -1 for none */
    int hits, hit; /* how many were cancelled, and which was the last */
};
struct operation {
    struct connection *connection;
    int query;
};

static void cancel_query(void *arg)
{
    const struct operation *operation = arg;
    struct connection *connection = operation->connection;
    connection->hit = __atomic_load_n(&connection->query, __ATOMIC_ACQUIRE);
    connection->hits += connection->hit == operation->query ? 1 : 1000000;
}

static void T115_a_late_cancel_never_hits_the_next_query(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct connection connection = {.hit = -1};
        struct race race = {.rounds = quick_or_all(kind ? 50000 : 10000, 1000000)};
        int hits = 0;
        uint32_t seed = 5;
        const pthread_t thread = start(cancel_them, &race);
        for (int i = 0; i < race.rounds; i++) {
            wh_callback *callback;
            struct operation operation = {&connection, i};
            race.ctx = wh_with_cancel(NULL);
            __atomic_store_n(&connection.query, i, __ATOMIC_RELEASE);
            meet(&race.gate, 2);
            assert_int_equal((kind ? wh_after_inline : wh_after)(race.ctx, cancel_query, &operation, &callback), 0);
            dawdle(&seed);
            if (!wh_stop_wait(callback)) hits++;
            assert_int_equal(connection.hits, hits);
            __atomic_store_n(&connection.query, -1, __ATOMIC_RELEASE);
            meet(&race.gate, 2);
            wh_end(race.ctx);
        }
        join(thread);
        assert_int_equal(connection.hits, hits);
        print_message("           %d of %d were hit\n", hits, race.rounds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T105_prevented_or_ran_inline),
        cmocka_unit_test(T105_prevented_or_ran_on_the_other_thread),
        cmocka_unit_test(T105_stop_wait_inline),
        cmocka_unit_test(T105_stop_wait_on_the_other_thread),
        cmocka_unit_test(T115_a_late_cancel_never_hits_the_next_query),
    };
    return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}
