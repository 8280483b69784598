/* The batch processor: a queue on every thread, a thread for the export, and nothing shared with another one. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batches.h"
#include "gate.h"
#include "scripted.h"
#include "trace/batch.h"

static struct wh_processor_stats of(const struct wh_processor *processor)
{
    struct wh_processor_stats stats = {.size = sizeof stats};
    assert_true(wh_processor_stats(processor, &stats));
    assert_int_equal(stats.taken, stats.exported + stats.waiting + stats.dropped_queue + stats.dropped_memory +
                                      stats.dropped_export + stats.dropped_shutdown);
    return stats;
}

static wh_provider *provider_on(struct wh_processor **list, size_t count)
{
    for (size_t i = 0; i < count; i++) assert_non_null(list[i]);
    wh_provider *provider = wh_provider_new(.processors = list, .processor_count = count);
    assert_non_null(provider);
    return provider;
}

/* ---- its rules ---- */

/* trace/sdk.md, Batching processor; durations are ours. */
static void its_defaults_are_those_of_the_specification(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    struct wh_processor *processor = wh_batch_processor_new(&s.exporter);
    const struct wh__batch *batch = (const struct wh__batch *)processor;
    assert_int_equal(batch->max_queue, 2048);
    assert_int_equal(batch->max_batch, 512);
    assert_true(batch->schedule_delay == WH_MS(5000));
    assert_true(batch->pipe.export_timeout == WH_MS(30000));
    wh_processor_free(processor);
    scripted_init(&s);
    processor = wh_batch_processor_new(&s.exporter, .max_queue = 10, .max_batch = 20);
    assert_int_equal(((const struct wh__batch *)processor)->max_batch, 10); /* no more than fit into the queue */
    wh_processor_free(processor);
}

static void a_batch_is_exported_when_it_is_full(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    struct wh_processor *list[] = {wh_batch_processor_new(&s.exporter, .max_batch = 50, .schedule_delay = WH_NEVER)};
    wh_provider *provider = provider_on(list, 1);
    make_spans(provider, 49);
    assert_int_equal(of(list[0]).exports, 0);
    assert_int_equal(of(list[0]).waiting, 49);
    make_spans(provider, 1);
    while (of(list[0]).exported < 50) usleep(1000);
    assert_int_equal(of(list[0]).exports, 1);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static void a_flush_exports_what_waits_and_flushes_the_exporter(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    struct wh_processor *list[] = {wh_batch_processor_new(&s.exporter, .schedule_delay = WH_NEVER)};
    wh_provider *provider = provider_on(list, 1);
    make_spans(provider, 7);
    assert_int_equal(list[0]->flush(list[0], wh_now() + WH_SEC(60)), 0);
    assert_int_equal(s.spans, 7);
    assert_int_equal(s.flushes, 1);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    assert_int_equal(list[0]->flush(list[0], wh_now() + WH_SEC(60)), EALREADY);
    assert_int_equal(list[0]->shutdown(list[0], wh_now() + WH_SEC(60)), EALREADY);
    assert_int_equal(s.shutdowns, 1);
}

/* A timeout has priority over what a flush should do (trace/sdk.md, ForceFlush). */
static void a_flush_returns_at_its_deadline_and_the_export_goes_on(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.blocked = 1;
    struct wh_processor *list[] = {wh_batch_processor_new(&s.exporter, .schedule_delay = WH_NEVER)};
    wh_provider *provider = provider_on(list, 1);
    make_spans(provider, 7);
    assert_int_equal(list[0]->flush(list[0], wh_now() + WH_MS(20)), ETIMEDOUT);
    assert_int_equal(of(list[0]).waiting, 7);
    scripted_block(&s, false);
    assert_int_equal(list[0]->flush(list[0], wh_now() + WH_SEC(60)), 0);
    assert_int_equal(of(list[0]).exported, 7);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static void a_failed_export_is_not_tried_again(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    s.result = EPIPE;
    struct wh_processor *list[] = {wh_batch_processor_new(&s.exporter, .schedule_delay = WH_NEVER)};
    wh_provider *provider = provider_on(list, 1);
    make_spans(provider, 7);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), EIO);
    s.result = 0;
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
    assert_int_equal(s.batches, 1);
    const struct wh_processor_stats stats = of(list[0]);
    assert_int_equal(stats.dropped_export, 7);
    assert_int_equal(stats.exports, 1);
    assert_int_equal(stats.exports_failed, 1);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

/* ---- threads ---- */

static void *end_some(void *provider)
{
    make_spans(provider, 5);
    return NULL;
}

static void what_a_thread_leaves_behind_is_exported(void **state)
{
    (void)state;
    pthread_t thread;
    struct scripted s;
    scripted_init(&s);
    struct wh_processor *list[] = {wh_batch_processor_new(&s.exporter, .schedule_delay = WH_NEVER)};
    wh_provider *provider = provider_on(list, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&thread, NULL, end_some, provider), 0);
        pthread_join(thread, NULL);
    }
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    assert_int_equal(s.spans, 15);
}

static int count_threads(void)
{
    int count = -1;
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) sscanf(line, "Threads: %d", &count);
    if (status) fclose(status);
    return count;
}

/* Neither threads nor memory grow with the number of providers that there once were. */
static void providers_that_are_shut_down_leave_no_thread_and_no_segment(void **state)
{
    (void)state;
    for (int i = 0; i < 1200; i++) { /* more than 64 MiB, if each kept one */
        struct scripted s;
        scripted_init(&s);
        wh_provider *provider = provider_of(&s, .schedule_delay = WH_NEVER);
        make_spans(provider, 1);
        assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
        assert_int_equal(stats_of(provider).exported, 1);
    }
    assert_true(wh__spool_memory() < 4 << 20);
    while (count_threads() > 4) usleep(10000); /* they are on their way out */
}

/* More than sixteen, and each counts for itself. */
static void every_provider_counts_for_itself(void **state)
{
    (void)state;
    enum { MANY = 40 };
    static struct scripted s[MANY];
    static wh_provider *providers[MANY];
    for (int i = 0; i < MANY; i++) {
        scripted_init(&s[i]);
        providers[i] = provider_of(&s[i], .schedule_delay = WH_NEVER);
    }
    for (int i = 0; i < MANY; i++) make_spans(providers[i], i);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(stats_of(providers[i]).started, i);
        assert_int_equal(wh_provider_shutdown(providers[i], WH_SEC(60)), 0);
        assert_int_equal(stats_of(providers[i]).exported, i);
        assert_int_equal(s[i].spans, i);
    }
}

/* ---- fork ---- */

static int in_child(wh_provider *provider, struct scripted *a, struct scripted *b, struct wh_processor **list)
{
    a->spans = b->spans = a->inside = b->inside = 0;
    if (of(list[0]).taken || of(list[1]).taken) return 1;
    make_spans(provider, 3);
    if (wh_provider_flush(provider, WH_SEC(60))) return 2;
    if (a->spans != 3 || b->spans != 3) return 3;
    if (of(list[0]).exported != 3 || of(list[1]).exported != 3) return 4;
    return wh_provider_shutdown(provider, WH_SEC(60)) ? 5 : 0;
}

static void a_child_begins_with_empty_queues_and_threads_of_its_own(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        static struct scripted a, b;
        int status;
        scripted_init(&a), scripted_init(&b);
        const int64_t delay = round % 2 ? WH_US(1) : WH_NEVER;
        struct wh_processor *list[] = {wh_batch_processor_new(&a.exporter, .schedule_delay = delay),
            wh_batch_processor_new(&b.exporter, .schedule_delay = WH_NEVER)};
        wh_provider *provider = provider_on(list, 2);
        make_spans(provider, 20);
        const pid_t pid = fork_at_rest();
        if (pid == 0) {
            alarm(60);
            _exit(in_child(provider, &a, &b, list));
        }
        make_spans(provider, 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
        assert_int_equal(a.spans, 21);
        assert_int_equal(b.spans, 21);
    }
}

/* ---- memory ---- */

static void without_memory_for_a_queue_spans_are_counted(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    struct wh_processor *list[] = {wh_batch_processor_new(&s.exporter, .schedule_delay = WH_NEVER)};
    wh_provider *provider = provider_on(list, 1);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *span = wh_start(root, "span");
    memory_ends_after(0);
    wh_end(span);
    memory_is_back();
    assert_int_equal(of(list[0]).dropped_memory, 1);
    wh_end(wh_start(root, "span"));
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    assert_int_equal(of(list[0]).exported, 1);
    assert_int_equal(stats_of(provider).dropped_memory, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_defaults_are_those_of_the_specification),
        cmocka_unit_test(a_batch_is_exported_when_it_is_full),
        cmocka_unit_test(a_flush_exports_what_waits_and_flushes_the_exporter),
        cmocka_unit_test(a_flush_returns_at_its_deadline_and_the_export_goes_on),
        cmocka_unit_test_setup_teardown(a_failed_export_is_not_tried_again, listen_to_reports, stop_listening),
        cmocka_unit_test(what_a_thread_leaves_behind_is_exported),
        cmocka_unit_test(providers_that_are_shut_down_leave_no_thread_and_no_segment),
        cmocka_unit_test(every_provider_counts_for_itself),
        cmocka_unit_test(a_child_begins_with_empty_queues_and_threads_of_its_own),
        cmocka_unit_test_setup_teardown(without_memory_for_a_queue_spans_are_counted, listen_to_reports, stop_listening),
    };
    return cmocka_run_group_tests_name("processor_batch", tests, NULL, NULL);
}
