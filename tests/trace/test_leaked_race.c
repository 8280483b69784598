/* A provider is shut down while others start, change and end its spans: each span leaves once, by its owner or by the shutdown. */
#include <pthread.h>
#include <string.h>

#include "cancelled.h"
#include "keeper.h"
#include "scripted.h"

enum { THREADS = 3, OPEN = 40, BEFORE = 400 };

struct worker {
    wh_provider *provider;
    const wh_ctx *root;
    uint32_t *stop;   /* atomic */
    uint32_t rounds;  /* atomic */
    uint64_t started;
};

/* Always some of its spans are open, of all ages, some below others. */
static void *work(void *arg)
{
    struct worker *worker = arg;
    wh_ctx *open[OPEN] = {0};
    for (uint32_t i = 0; !__atomic_load_n(worker->stop, __ATOMIC_ACQUIRE); i++) {
        wh_ctx **slot = &open[i % OPEN];
        if (*slot) wh_set(*slot, "round", (int64_t)i);
        if (*slot && i % 7 == 0) wh_cancel(*slot, WH_CANCELED, "a race");
        wh_end(*slot);
        *slot = wh_start(i % 5 ? worker->root : open[(i + OPEN - 1) % OPEN], "raced");
        wh_set(*slot, "more", "than fits at once, perhaps, if it comes often enough");
        if (i % 11 == 0) wh_rename(*slot, "renamed");
        worker->started += wh_recording(*slot);
        __atomic_fetch_add(&worker->rounds, 1, __ATOMIC_RELEASE);
    }
    for (int i = 0; i < OPEN; i++) wh_end(open[i]);
    return NULL;
}

static void shut_down_amid_work(int64_t timeout)
{
    struct scripted s;
    scripted_init(&s);
    uint32_t stop = 0;
    wh_provider *provider = provider_of(&s, .max_queue = 64, .schedule_delay = WH_MS(1));
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.provider = provider, .root = root, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        while (__atomic_load_n(&workers[i].rounds, __ATOMIC_ACQUIRE) < BEFORE) nap(1);
    wh_provider_shutdown(provider, timeout);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    while (!__atomic_load_n(&s.destroyed, __ATOMIC_ACQUIRE)) nap(1);
    const struct wh_provider_stats stats = stats_of(provider);
    assert_adds_up(&stats);
    assert_int_equal(stats.started, stats.ended); /* all by now, by whomever */
    assert_true(stats.leaked > 0);
    assert_int_equal(stats.exported, s.spans);
}

static void each_span_leaves_once(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) shut_down_amid_work(WH_SEC(60));
}

static void also_when_there_is_no_time(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) shut_down_amid_work(0);
}

/* ---- two shutdowns at once, and pages that come and go meanwhile ---- */

static void *churn(void *arg)
{
    static _Thread_local wh_ctx *open[2000];
    struct worker *worker = arg;
    while (!__atomic_load_n(worker->stop, __ATOMIC_ACQUIRE)) {
        for (int i = 0; i < 2000; i++) open[i] = wh_start(worker->root, "churned");
        for (int i = 0; i < 2000; i++) wh_end(open[i]);
        __atomic_fetch_add(&worker->rounds, 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void *shut_down(void *provider)
{
    wh_provider_shutdown(provider, WH_SEC(60));
    return NULL;
}

static void two_shutdowns_amid_memory_that_comes_and_goes(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct scripted s[3];
        wh_provider *providers[3];
        wh_ctx *roots[3], *open[2][500];
        uint32_t stop = 0;
        pthread_t thread, others[2];
        for (int i = 0; i < 3; i++) {
            scripted_init(&s[i]);
            providers[i] = provider_of(&s[i], .schedule_delay = WH_MS(1));
            roots[i] = wh_provider_root(providers[i]);
        }
        for (int i = 0; i < 2; i++)
            for (int k = 0; k < 500; k++) open[i][k] = wh_start(roots[i], "leaked");
        struct worker worker = {.root = roots[2], .stop = &stop};
        assert_int_equal(pthread_create(&thread, NULL, churn, &worker), 0);
        while (!__atomic_load_n(&worker.rounds, __ATOMIC_ACQUIRE)) nap(1);
        for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&others[i], NULL, shut_down, providers[i]), 0);
        for (int i = 0; i < 2; i++) pthread_join(others[i], NULL);
        __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
        pthread_join(thread, NULL);
        for (int i = 0; i < 2; i++) {
            const struct wh_provider_stats stats = stats_of(providers[i]);
            assert_adds_up(&stats);
            assert_int_equal(stats.leaked, 500);
            assert_int_equal(stats.exported, 500);
            for (int k = 0; k < 500; k++) wh_end(open[i][k]);
            wh_end(roots[i]);
        }
        shut_down(providers[2]);
        assert_int_equal(stats_of(providers[2]).leaked, 0);
        wh_end(roots[2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_span_leaves_once, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(also_when_there_is_no_time, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(two_shutdowns_amid_memory_that_comes_and_goes, listen_to_reports, stop_listening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
