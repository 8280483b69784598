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

/* Needs 150 ms for a batch, and gives up at the deadline. */
static int export_slowly(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    (void)self, (void)batch, (void)rejected;
    const int64_t needed = wh_now() + WH_MS(150);
    usleep(150000);
    return deadline < needed ? ETIMEDOUT : 0;
}

/* A flush bounds how long its caller waits, not the export, which is not its own: neither of this provider nor of others. */
static void an_impatient_flush_loses_nothing(void **state)
{
    (void)state;
    static struct scripted s, t;
    scripted_init(&s), scripted_init(&t);
    s.exporter.export_batch = t.exporter.export_batch = export_slowly;
    wh_provider *impatient = provider_of(&s, .schedule_delay = WH_SEC(3600)), *other = provider_of(&t, .schedule_delay = WH_SEC(3600));
    for (int i = 0; i < 3; i++) {
        make_spans(impatient, 10);
        make_spans(other, 10);
        assert_int_equal(wh_provider_flush(impatient, WH_MS(20)), ETIMEDOUT);
    }
    assert_int_equal(wh_provider_flush(impatient, WH_SEC(20)), 0);
    assert_int_equal(wh_provider_flush(other, WH_SEC(20)), 0);
    assert_int_equal(stats_of(impatient).exported, 30);
    assert_int_equal(stats_of(other).exported, 30);
    assert_int_equal(wh_provider_shutdown(impatient, WH_SEC(20)), 0);
    assert_int_equal(wh_provider_shutdown(other, WH_SEC(20)), 0);
}

/* What a shutdown could not wait for is closed when it comes back. */
static void who_was_held_up_is_closed_later(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.blocked = 1;
    wh_provider *stuck = provider_of(&s, .schedule_delay = WH_MS(1));
    make_spans(stuck, 10);
    while (!__atomic_load_n(&s.inside, __ATOMIC_ACQUIRE)) usleep(1000);
    make_spans(stuck, 5);
    assert_int_equal(wh_provider_shutdown(stuck, WH_MS(100)), ETIMEDOUT);
    assert_int_equal(s.destroyed, 0);
    make_spans(stuck, 5);
    scripted_block(&s, false);
    while (!__atomic_load_n(&s.destroyed, __ATOMIC_ACQUIRE)) usleep(1000);
    assert_int_equal(s.shutdowns, 1);
    assert_int_equal(s.destroyed, 1);
    const struct wh_provider_stats stats = stats_of(stuck);
    assert_int_equal(stats.started, 15);
    assert_adds_up(&stats);
}

/* An exporter that does not come back is no matter of another provider's. */
static void who_hangs_holds_up_no_other_provider(void **state)
{
    (void)state;
    static struct scripted s, t;
    scripted_init(&s), scripted_init(&t);
    s.blocked = 1;
    wh_provider *stuck = provider_of(&s, .schedule_delay = WH_MS(1)), *other = provider_of(&t, .schedule_delay = WH_MS(1));
    make_spans(stuck, 10);
    while (!__atomic_load_n(&s.inside, __ATOMIC_ACQUIRE)) usleep(1000);
    make_spans(other, 10);
    assert_int_equal(wh_provider_flush(other, WH_SEC(60)), 0);
    assert_int_equal(wh_provider_shutdown(other, WH_SEC(60)), 0);
    assert_int_equal(t.spans, 10);
    assert_int_equal(t.destroyed, 1);
    scripted_block(&s, false);
    assert_int_equal(wh_provider_shutdown(stuck, WH_SEC(60)), 0);
    assert_int_equal(s.spans, 10);
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
    assert_int_equal(wh_provider_flush(a.provider, WH_SEC(60)), 0);
    assert_int_equal(wh_provider_flush(b.provider, WH_SEC(60)), 0);
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

/* ---- the default ---- */

static void contexts_that_come_from_nowhere_are_of_the_default_provider(void **state)
{
    (void)state;
    struct spans a = spans_begin(), b = spans_begin();
    assert_null(wh_provider_default());
    WH_AUTO wh_ctx *nobodys = wh_start(NULL, "nobody's");
    assert_false(wh_recording(nobodys));
    wh_provider_set_default(a.provider);
    assert_ptr_equal(wh_provider_default(), a.provider);
    WH_AUTO wh_ctx *own = wh_with_cancel(wh_background());
    wh_end(wh_start(own, "default"));
    wh_end(wh_start(b.root, "other")); /* whose context says so */
    span_named(&a, "default");
    span_named(&b, "other");
    assert_int_equal(wh_provider_shutdown(a.provider, WH_SEC(60)), 0);
    assert_null(wh_provider_default());
    WH_AUTO wh_ctx *late = wh_start(NULL, "late");
    assert_false(wh_recording(late));
    wh_end(a.root);
    spans_end(&b);
}

static void an_older_callers_shorter_options_are_honoured(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    struct wh_exporter *list[] = {&s.exporter};
    const struct wh_provider_opts old = {.size = offsetof(struct wh_provider_opts, processors), .exporters = list,
        .exporter_count = 1, .processors = (void *)1, .processor_count = 7};
    wh_provider *provider = wh_provider_new_at(&old);
    make_spans(provider, 3);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    assert_int_equal(s.spans, 3);
    struct wh_provider_stats stats = {.size = offsetof(struct wh_provider_stats, exported), .exported = 77};
    wh_provider_stats(provider, &stats);
    assert_int_equal(stats.started, 3);
    assert_int_equal(stats.exported, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flush_exports_all_in_batches),
        cmocka_unit_test(a_lone_span_leaves_after_the_delay),
        cmocka_unit_test(many_leave_before_the_delay),
        cmocka_unit_test(flush_and_shutdown_obey_their_limits),
        cmocka_unit_test(an_impatient_flush_loses_nothing),
        cmocka_unit_test(who_was_held_up_is_closed_later),
        cmocka_unit_test(who_hangs_holds_up_no_other_provider),
        cmocka_unit_test(an_exporter_that_hangs_for_ever),
        cmocka_unit_test(two_providers_keep_apart),
        cmocka_unit_test(contexts_that_come_from_nowhere_are_of_the_default_provider),
        cmocka_unit_test(an_older_callers_shorter_options_are_honoured),
    };
    return cmocka_run_group_tests_name("provider", tests, NULL, NULL);
}
