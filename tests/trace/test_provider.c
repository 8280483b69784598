/* The provider: what comes, leaves in time; nobody waits longer than they asked to; and two of them keep apart. */
#include <errno.h>
#include <unistd.h>

#include "scripted.h"

/* ---- what comes, leaves ---- */

static void flush_exports_all_in_batches(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, .max_batch = 100, .schedule_delay = WH_NEVER);
    make_spans(provider, 1050);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), 0);
    assert_int_equal(s.spans, 1050);
    assert_int_equal(s.largest, 100);
    assert_int_equal(s.flushes, 1);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
    assert_int_equal(s.shutdowns, 1);
    assert_int_equal(s.destroyed, 1);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), EALREADY);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), EALREADY);
}

static void a_lone_span_leaves_after_the_delay(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, .schedule_delay = WH_MS(50));
    for (int round = 1; round <= 3; round++) {
        make_spans(provider, 1);
        for (int i = 0; i < 1000 && stats_of(provider).exported < (uint64_t)round; i++) usleep(5000);
        assert_int_equal(stats_of(provider).exported, round);
        usleep(120000); /* long enough for the thread to fall asleep for good */
    }
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
}

static void many_leave_before_the_delay(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, .max_queue = 1000, .max_batch = 100,
        .schedule_delay = WH_SEC(3600));
    make_spans(provider, 100);
    for (int i = 0; i < 2000 && stats_of(provider).exported < 100; i++) usleep(5000);
    assert_int_equal(stats_of(provider).exported, 100);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
}

/* ---- time limits ---- */

static void flush_and_shutdown_obey_their_limits(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.blocked = 1;
    s.heeds_interrupt = true;
    wh_provider *provider = provider_of(&s, .schedule_delay = WH_MS(1));
    make_spans(provider, 10);
    int64_t begun = wh_now();
    assert_int_equal(wh_provider_flush(provider, WH_MS(100)), ETIMEDOUT);
    assert_true(wh_now() - begun >= WH_MS(100));
    assert_true(wh_now() - begun < WH_SEC(5));
    begun = wh_now();
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(2)), ETIMEDOUT);
    assert_true(wh_now() - begun < WH_SEC(20));
    assert_int_equal(s.destroyed, 1); /* it was interrupted, and came back in time */
    make_spans(provider, 10);         /* nothing is recorded any more, and nothing breaks */
    assert_int_equal(stats_of(provider).started, 10);
}

/* An exporter that never comes back is left what it uses. Static: the thread stays in it to the end of the process. */
static void an_exporter_that_hangs_for_ever(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.blocked = 1;
    wh_provider *provider = provider_of(&s, .schedule_delay = WH_MS(1));
    make_spans(provider, 10);
    const int64_t begun = wh_now();
    assert_int_equal(wh_provider_shutdown(provider, WH_MS(200)), ETIMEDOUT);
    assert_true(wh_now() - begun < WH_SEC(5));
    assert_int_equal(s.destroyed, 0);
    scripted_block(&s, false);
}

/* ---- two providers ---- */

static void two_providers_keep_apart(void **state)
{
    (void)state;
    struct spans a = spans_begin_with((struct wh_provider_opts){.service = "a"}),
                 b = spans_begin_with((struct wh_provider_opts){.service = "b"});
    for (int i = 0; i < 10; i++) {
        WH_AUTO wh_ctx *in_a = wh_start(a.root, "in a"), *in_b = wh_start(b.root, "in b");
        WH_AUTO wh_ctx *child = wh_start(in_b, "child in b");
        wh_set(in_a, "i", i);
    }
    wh_provider_flush(a.provider, WH_SEC(5));
    assert_int_equal(wh_memory_count(a.memory), 10);
    assert_int_equal(wh_memory_count(b.memory), 20);
    assert_int_equal(stats_of(a.provider).started, 10);
    assert_int_equal(stats_of(b.provider).started, 20);
    spans_end(&a);
    {
        WH_AUTO wh_ctx *still = wh_start(b.root, "still");
    }
    wh_provider_flush(b.provider, WH_SEC(5));
    assert_int_equal(wh_memory_count(b.memory), 21);
    spans_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flush_exports_all_in_batches),
        cmocka_unit_test(a_lone_span_leaves_after_the_delay),
        cmocka_unit_test(many_leave_before_the_delay),
        cmocka_unit_test(flush_and_shutdown_obey_their_limits),
        cmocka_unit_test(an_exporter_that_hangs_for_ever),
        cmocka_unit_test(two_providers_keep_apart),
    };
    return cmocka_run_group_tests_name("provider", tests, NULL, NULL);
}
