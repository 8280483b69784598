/* The simple processor: whoever ends a span exports it, one after the other. */
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scripted.h"

static struct scripted s;
static struct wh_processor *processor;

static wh_provider *begin(int64_t export_timeout)
{
    scripted_init(&s);
    processor = wh_simple_processor_new(&s.exporter, .export_timeout = export_timeout);
    assert_non_null(processor);
    wh_provider *provider = wh_provider_new(.processors = &processor, .processor_count = 1);
    assert_non_null(provider);
    return provider;
}

static struct wh_processor_stats stats(void)
{
    struct wh_processor_stats of = {.size = sizeof of};
    assert_true(wh_processor_stats(processor, &of));
    return of;
}

static void each_span_is_exported_before_its_end_returns(void **state)
{
    (void)state;
    wh_provider *provider = begin(0);
    for (size_t i = 1; i <= 3; i++) {
        make_spans(provider, 1);
        assert_int_equal(s.spans, i);
        assert_int_equal(s.batches, i);
    }
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
    assert_int_equal(s.flushes, 1);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    assert_int_equal(s.shutdowns, 1);
    assert_int_equal(s.destroyed, 1);
    assert_int_equal(stats().exported, 3);
    assert_int_equal(stats_of(provider).exported, 3);
    assert_int_equal(processor->flush(processor, wh_now() + WH_SEC(60)), EALREADY);
    assert_int_equal(processor->shutdown(processor, wh_now() + WH_SEC(60)), EALREADY);
}

static void what_is_not_sampled_is_not_exported(void **state)
{
    (void)state;
    scripted_init(&s);
    processor = wh_simple_processor_new(&s.exporter);
    wh_provider *provider = wh_provider_new(.processors = &processor, .processor_count = 1,
        .sampler = wh_sampler_always_record(wh_sampler_always_off()));
    make_spans(provider, 2);
    assert_int_equal(s.spans, 0);
    assert_int_equal(stats_of(provider).recorded_only, 2);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

enum { THREADS = 4, SPANS = 200 };

static void *produce(void *provider)
{
    make_spans(provider, SPANS);
    return NULL;
}

/* The scripted exporter fails the test if two are in it at once. */
static void exports_come_one_after_the_other(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    wh_provider *provider = begin(0);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, produce, provider);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(s.spans, THREADS * SPANS);
    assert_int_equal(s.largest, 1);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static void *end_one(void *provider)
{
    make_spans(provider, 1);
    return NULL;
}

/* Nobody waits for ever, neither to get in nor for the shutdown. */
static void an_exporter_that_hangs_holds_up_others_for_a_limited_time(void **state)
{
    (void)state;
    pthread_t thread;
    wh_provider *provider = begin(WH_MS(20));
    s.blocked = 1;
    assert_int_equal(pthread_create(&thread, NULL, end_one, provider), 0);
    while (!__atomic_load_n(&s.inside, __ATOMIC_ACQUIRE)) usleep(1000);
    make_spans(provider, 2);
    assert_int_equal(stats().dropped_export, 2);
    assert_int_equal(wh_provider_flush(provider, WH_MS(20)), ETIMEDOUT);
    assert_int_equal(wh_provider_shutdown(provider, WH_MS(20)), ETIMEDOUT);
    assert_int_equal(s.destroyed, 0);
    scripted_block(&s, false);
    pthread_join(thread, NULL);
    assert_int_equal(s.destroyed, 1); /* by the one that came out */
    assert_int_equal(s.shutdowns, 1);
    const struct wh_provider_stats all = stats_of(provider);
    assert_adds_up(&all);
}

/* ---- an exporter that makes spans itself ---- */

static wh_provider *its_provider;

static int export_and_trace(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    (void)self, (void)batch, (void)deadline, (void)rejected;
    make_spans(its_provider, 1);
    assert_int_equal(processor->flush(processor, wh_now() + WH_SEC(60)), EDEADLK);
    s.spans++;
    return 0;
}

static void an_exporter_that_ends_spans_itself_does_not_wait_for_itself(void **state)
{
    (void)state;
    its_provider = begin(0);
    s.exporter.export_batch = export_and_trace;
    make_spans(its_provider, 2);
    assert_int_equal(s.spans, 2);
    assert_int_equal(stats().dropped_export, 2);
    assert_int_equal(wh_provider_shutdown(its_provider, WH_SEC(60)), 0);
}

static int export_and_shut_down(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    (void)self, (void)batch, (void)deadline, (void)rejected;
    assert_int_equal(wh_provider_shutdown(its_provider, WH_SEC(60)), ETIMEDOUT);
    assert_int_equal(s.destroyed, 0);
    return 0;
}

static void an_exporter_that_shuts_its_provider_down_is_freed_afterwards(void **state)
{
    (void)state;
    its_provider = begin(0);
    s.exporter.export_batch = export_and_shut_down;
    make_spans(its_provider, 1);
    assert_int_equal(s.destroyed, 1);
}

static void failures_are_counted_and_said_once(void **state)
{
    (void)state;
    wh_provider *provider = begin(0);
    s.result = EPIPE;
    make_spans(provider, 3);
    assert_int_equal(stats().dropped_export, 3);
    assert_string_equal(report, "spans are being lost: 1 could not be exported\n");
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static int in_child(wh_provider *provider)
{
    s.spans = 0;
    if (stats().taken) return 1;
    make_spans(provider, 2);
    if (s.spans != 2) return 2;
    return wh_provider_shutdown(provider, WH_SEC(60)) ? 3 : 0;
}

static void a_child_of_a_fork_exports_its_own(void **state)
{
    (void)state;
    int status;
    wh_provider *provider = begin(0);
    make_spans(provider, 3);
    const pid_t pid = fork_at_rest();
    if (pid == 0) {
        alarm(60);
        _exit(in_child(provider));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    make_spans(provider, 1);
    assert_int_equal(s.spans, 4);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_span_is_exported_before_its_end_returns),
        cmocka_unit_test(what_is_not_sampled_is_not_exported),
        cmocka_unit_test(exports_come_one_after_the_other),
        cmocka_unit_test_setup_teardown(an_exporter_that_hangs_holds_up_others_for_a_limited_time, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(an_exporter_that_ends_spans_itself_does_not_wait_for_itself, listen_to_reports, stop_listening),
        cmocka_unit_test(an_exporter_that_shuts_its_provider_down_is_freed_afterwards),
        cmocka_unit_test_setup_teardown(failures_are_counted_and_said_once, listen_to_reports, stop_listening),
        cmocka_unit_test(a_child_of_a_fork_exports_its_own),
    };
    return cmocka_run_group_tests_name("processor_simple", tests, NULL, NULL);
}
