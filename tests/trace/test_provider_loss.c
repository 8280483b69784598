/* The provider when spans are lost: they are counted, and that is said once. */
#include <errno.h>

#include "gate.h"
#include "scripted.h"
#include "trace/spool.h"

static void a_full_queue_drops_and_counts(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    s.blocked = 1;
    wh_provider *provider = provider_of(&s, .max_queue = 100, .max_batch = 10, .schedule_delay = WH_MS(1));
    make_spans(provider, 5000);
    assert_in_range(stats_of(provider).dropped_queue, 4800, 4900);
    scripted_block(&s, false);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), 0);
    const struct wh_provider_stats stats = stats_of(provider);
    assert_int_equal(stats.started, 5000);
    assert_int_equal(stats.exported, s.spans);
    assert_adds_up(&stats);
    make_spans(provider, 50);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
    assert_int_equal(s.spans, stats.exported + 50);
    const char *lost = strstr(report, "spans are being lost: ");
    assert_non_null(lost);
    assert_null(strstr(lost + 1, "spans are being lost: "));
    assert_non_null(strstr(report, "found the queue full"));
}

static const char *why(struct wh_exporter *self)
{
    (void)self;
    return "the wire is cut";
}

static void what_the_exporter_refuses_is_counted(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    s.exporter.last_error = why;
    s.result = EIO;
    wh_provider *provider = provider_of(&s, .schedule_delay = WH_NEVER);
    make_spans(provider, 10);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), EIO);
    make_spans(provider, 10);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), EIO);
    s.result = 0;
    s.rejects = 3;
    make_spans(provider, 10);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), 0);
    const struct wh_provider_stats stats = stats_of(provider);
    assert_int_equal(stats.exported, 7);
    assert_int_equal(stats.dropped_export, 23);
    assert_adds_up(&stats);
    assert_string_equal(report, "spans are being lost: 10 could not be exported: the wire is cut\n");
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
    assert_string_equal(report, "spans are being lost: 10 could not be exported: the wire is cut\n"
                                "spans were lost in all: 23 could not be exported: the wire is cut\n");
}

/* Whatever allocation fails: contexts and ids are there, and every span is exported or counted as dropped. */
static void run_out_of_memory(bool without_queue)
{
    static struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, .schedule_delay = WH_NEVER);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    make_spans(without_queue ? wh_provider_new() : provider, 1); /* the thread has a queue for it, or has none yet */
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    for (size_t fail_at = 0; fail_at < 40; fail_at++) {
        wh_ctx *held[200];
        memory_ends_after(fail_at);
        for (int i = 0; i < 200; i++) {
            held[i] = wh_start(i ? held[i - 1] : root, "span");
            wh_set(held[i], "text", (const char *)text);
        }
        for (int i = 0; i < 200; i++) wh_end(held[i]);
        memory_is_back();
        assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), 0);
        const struct wh_provider_stats stats = stats_of(provider);
        assert_adds_up(&stats);
    }
    assert_true(without_queue || stats_of(provider).exported > 1);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
}

static void out_of_memory_is_counted(void **state)
{
    (void)state;
    run_out_of_memory(false);
    run_out_of_memory(true);
}

static void memory_that_waits_is_bounded(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    s.blocked = 1;
    wh_provider *provider = provider_of(&s, .max_queue = 1000000, .schedule_delay = WH_MS(1));
    static char text[1 << 20];
    memset(text, 'x', sizeof text - 1);
    {
        WH_AUTO wh_ctx *root = wh_provider_root(provider);
        for (int i = 0; i < 200; i++) {
            WH_AUTO wh_ctx *span = wh_start(root, "span");
            wh_set(span, "text", (const char *)text);
        }
    }
    assert_in_range(wh__spool_memory(), 50 << 20, 64 << 20);
    scripted_block(&s, false);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(20)), 0);
    const struct wh_provider_stats stats = stats_of(provider);
    assert_true(stats.dropped_memory > 100);
    assert_adds_up(&stats);
    assert_true(wh__spool_memory() < 4 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_queue_drops_and_counts, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(what_the_exporter_refuses_is_counted, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(out_of_memory_is_counted, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(memory_that_waits_is_bounded, listen_to_reports, stop_listening),
    };
    return cmocka_run_group_tests_name("provider_loss", tests, NULL, NULL);
}
