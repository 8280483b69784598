/* Several exporters of one provider: one that hangs or fails delays nobody else, and loses only its own. */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "scripted.h"
#include "trace/provider.h"

static const char *cut(struct wh_exporter *self)
{
    (void)self;
    return "the wire is cut";
}

static wh_provider *begin(struct scripted *a, struct scripted *b, int64_t delay)
{
    static struct wh_exporter *list[2];
    scripted_init(a), scripted_init(b);
    a->exporter.name = "stuck", b->exporter.name = "well";
    list[0] = &a->exporter, list[1] = &b->exporter;
    wh_provider *provider = wh_provider_new(.exporters = list, .exporter_count = 2, .max_queue = 100, .max_batch = 10,
        .schedule_delay = delay);
    assert_non_null(provider);
    return provider;
}

static struct wh_processor_stats of(const wh_provider *provider, size_t i)
{
    struct wh_processor_stats stats = {.size = sizeof stats};
    assert_true(wh_processor_stats(provider->processors[i], &stats));
    return stats;
}

static void both_get_every_span(void **state)
{
    (void)state;
    struct scripted a, b;
    wh_provider *provider = begin(&a, &b, WH_NEVER);
    make_spans(provider, 35);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
    assert_int_equal(a.spans, 35);
    assert_int_equal(b.spans, 35);
    const struct wh_provider_stats stats = stats_of(provider);
    assert_int_equal(stats.started, 35);
    assert_int_equal(stats.exported, 70); /* once in each */
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    assert_int_equal(a.destroyed + b.destroyed, 2);
}

/* Static: the thread stays in it to the end of the process. */
static void one_that_hangs_for_ever_delays_nobody_and_loses_only_its_own(void **state)
{
    (void)state;
    static struct scripted hangs, works;
    wh_provider *provider = begin(&hangs, &works, WH_MS(1));
    hangs.blocked = 1;
    make_spans(provider, 1);
    while (!__atomic_load_n(&hangs.inside, __ATOMIC_ACQUIRE)) usleep(1000);
    for (int i = 1; i <= 50; i++) {
        make_spans(provider, 10);
        while (of(provider, 1).exported < 1 + 10u * (unsigned)i) usleep(500); /* leaves by itself, no flush needed */
    }
    assert_int_equal(wh_provider_flush(provider, WH_MS(50)), ETIMEDOUT);
    assert_int_equal(of(provider, 1).exported, 501);
    assert_int_equal(of(provider, 1).dropped_queue, 0);
    assert_int_equal(of(provider, 0).exported, 0);
    assert_int_equal(of(provider, 0).dropped_queue, 401); /* but for those that wait or are with it */
    const int64_t begun = wh_now();
    assert_int_equal(wh_provider_shutdown(provider, WH_MS(300)), ETIMEDOUT);
    assert_true(wh_now() - begun >= WH_MS(200));
    assert_int_equal(works.destroyed, 1); /* in peace, with all it was given */
    assert_int_equal(works.spans, 501);
    assert_int_equal(works.shutdowns, 1);
    assert_int_equal(hangs.destroyed, 0);
    assert_int_equal(of(provider, 0).exported, 0);
    assert_null(strstr(report, "on the way to well"));
    scripted_block(&hangs, false);
    while (!__atomic_load_n(&hangs.destroyed, __ATOMIC_ACQUIRE)) usleep(1000);
    const struct wh_provider_stats stats = stats_of(provider);
    assert_int_equal(2 * stats.started, stats.exported + stats.dropped_queue + stats.dropped_memory + stats.dropped_export +
                                            stats.dropped_shutdown);
}

static void one_that_fails_loses_only_its_own_and_is_named(void **state)
{
    (void)state;
    struct scripted fails, works;
    wh_provider *provider = begin(&fails, &works, WH_NEVER);
    fails.result = EPIPE;
    fails.exporter.last_error = cut;
    make_spans(provider, 9); /* one less than leave by themselves */
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), EIO);
    assert_int_equal(of(provider, 0).dropped_export, 9);
    assert_int_equal(of(provider, 1).exported, 9);
    assert_string_equal(report, "spans are being lost on the way to stuck: 9 could not be exported: the wire is cut\n");
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

/* ---- at once ---- */

static uint32_t together; /* how many are in both exporters */

static int meet(struct wh_exporter *self, int64_t deadline)
{
    (void)self, (void)deadline;
    __atomic_fetch_add(&together, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&together, __ATOMIC_SEQ_CST) < 2) usleep(500);
    return 0;
}

static void they_are_flushed_at_the_same_time(void **state)
{
    (void)state;
    struct scripted a, b;
    together = 0;
    wh_provider *provider = begin(&a, &b, WH_NEVER);
    a.exporter.flush = b.exporter.flush = meet;
    make_spans(provider, 1);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
    assert_int_equal(together, 2);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

/* ---- threads ---- */

enum { THREADS = 4, SPANS = 500 };

static void *produce(void *provider)
{
    make_spans(provider, SPANS);
    return NULL;
}

static void nothing_is_lost_or_mixed_up_among_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct scripted a, b;
    scripted_init(&a), scripted_init(&b);
    struct wh_exporter *list[] = {&a.exporter, &b.exporter};
    wh_provider *provider = wh_provider_new(.exporters = list, .exporter_count = 2, .schedule_delay = WH_MS(1));
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, produce, provider);
    for (int i = 0; i < 10; i++) wh_provider_flush(provider, WH_SEC(60));
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    assert_int_equal(a.spans, THREADS * SPANS);
    assert_int_equal(b.spans, THREADS * SPANS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_get_every_span),
        cmocka_unit_test_setup_teardown(one_that_hangs_for_ever_delays_nobody_and_loses_only_its_own, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(one_that_fails_loses_only_its_own_and_is_named, listen_to_reports, stop_listening),
        cmocka_unit_test(they_are_flushed_at_the_same_time),
        cmocka_unit_test(nothing_is_lost_or_mixed_up_among_threads),
    };
    return cmocka_run_group_tests_name("two_exporters", tests, NULL, NULL);
}
