/* The provider: nothing is lost without being counted, nobody waits longer than they asked to, and a fork harms neither. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/mem.h"
#include "base/park.h"
#include "test.h"
#include "trace/spool.h"

/* ---- an exporter that does as it is told ---- */

struct scripted {
    struct wh_exporter exporter;
    uint32_t blocked;          /* export waits while this is 1 */
    bool heeds_interrupt;
    int result;
    size_t rejects;
    size_t spans, batches, largest, flushes, shutdowns, destroyed; /* written by one thread at a time */
    uint32_t inside;           /* threads in the exporter at once: never more than one */
};

static int scripted_export(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct scripted *s = (struct scripted *)self;
    (void)deadline;
    assert_int_equal(__atomic_fetch_add(&s->inside, 1, __ATOMIC_SEQ_CST), 0);
    while (__atomic_load_n(&s->blocked, __ATOMIC_ACQUIRE)) wh__park(&s->blocked, 1, WH_NEVER);
    struct wh_span_view span;
    for (size_t i = 0; i < batch->count; i++) assert_true(wh_span_read(batch->spans[i], &span));
    s->spans += batch->count;
    s->batches++;
    if (batch->count > s->largest) s->largest = batch->count;
    *rejected = s->rejects;
    __atomic_fetch_sub(&s->inside, 1, __ATOMIC_SEQ_CST);
    return s->result;
}

static void set_blocked(struct scripted *s, uint32_t blocked)
{
    __atomic_store_n(&s->blocked, blocked, __ATOMIC_RELEASE);
    wh__unpark(&s->blocked);
}

static int scripted_flush(struct wh_exporter *self, int64_t deadline)
{
    (void)deadline;
    ((struct scripted *)self)->flushes++;
    return 0;
}

static void scripted_shutdown(struct wh_exporter *self, int64_t deadline)
{
    (void)deadline;
    ((struct scripted *)self)->shutdowns++;
}

static void scripted_interrupt(struct wh_exporter *self)
{
    struct scripted *s = (struct scripted *)self;
    if (s->heeds_interrupt) set_blocked(s, 0);
}

static void scripted_destroy(struct wh_exporter *self)
{
    ((struct scripted *)self)->destroyed++;
}

static void scripted_init(struct scripted *s)
{
    *s = (struct scripted){.exporter = {.size = sizeof s->exporter, .name = "scripted", .export_batch = scripted_export,
        .flush = scripted_flush, .shutdown = scripted_shutdown, .interrupt = scripted_interrupt, .destroy = scripted_destroy}};
}

static wh_provider *provider_of(struct scripted *s, struct wh_provider_opts opts)
{
    static struct wh_exporter *list[1];
    list[0] = &s->exporter;
    opts.size = sizeof opts;
    opts.exporters = list;
    opts.exporter_count = 1;
    wh_provider *provider = wh_provider_new_at(&opts);
    assert_non_null(provider);
    return provider;
}

static struct wh_provider_stats stats_of(const wh_provider *provider)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    return stats;
}

static void make_spans(wh_provider *provider, int count)
{
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    for (int i = 0; i < count; i++) {
        WH_AUTO wh_ctx *span = wh_start(root, "span");
        wh_set(span, "i", i);
    }
}

static void assert_adds_up(const struct wh_provider_stats *s)
{
    assert_int_equal(s->started, s->exported + s->dropped_queue + s->dropped_memory + s->dropped_export + s->dropped_shutdown);
}

static char report[4096];

static void keep_report(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity, (void)arg;
    strncat(report, line, sizeof report - strlen(report) - 1);
    strncat(report, "\n", sizeof report - strlen(report) - 1);
}

static int listen_to_reports(void **state)
{
    (void)state;
    report[0] = '\0';
    wh_report_to(keep_report, NULL);
    return 0;
}

static int stop_listening(void **state)
{
    (void)state;
    wh_report_to(NULL, NULL);
    return 0;
}

/* ---- what comes, leaves ---- */

static void flush_exports_all_in_batches(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, (struct wh_provider_opts){.max_batch = 100, .schedule_delay = WH_NEVER});
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
    wh_provider *provider = provider_of(&s, (struct wh_provider_opts){.schedule_delay = WH_MS(50)});
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
    wh_provider *provider = provider_of(&s, (struct wh_provider_opts){.max_queue = 1000, .max_batch = 100, .schedule_delay = WH_SEC(3600)});
    make_spans(provider, 100);
    for (int i = 0; i < 2000 && stats_of(provider).exported < 100; i++) usleep(5000);
    assert_int_equal(stats_of(provider).exported, 100);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
}

/* ---- what is lost is counted, and said once ---- */

static void a_full_queue_drops_and_counts(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    s.blocked = 1;
    wh_provider *provider = provider_of(&s, (struct wh_provider_opts){.max_queue = 100, .max_batch = 10, .schedule_delay = WH_MS(1)});
    make_spans(provider, 5000);
    assert_in_range(stats_of(provider).dropped_queue, 4800, 4900);
    set_blocked(&s, 0);
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
    wh_provider *provider = provider_of(&s, (struct wh_provider_opts){.schedule_delay = WH_NEVER});
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

static int allocations_left;

static bool refuse_after_some(size_t size)
{
    (void)size;
    return allocations_left-- > 0;
}

/* Whatever allocation fails: contexts and ids are there, and every span is exported or counted as dropped. */
static void out_of_memory_is_counted(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, (struct wh_provider_opts){.schedule_delay = WH_NEVER});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    for (int fail_at = 0; fail_at < 40; fail_at++) {
        wh_ctx *held[200];
        allocations_left = fail_at;
        wh__mem_gate = refuse_after_some;
        for (int i = 0; i < 200; i++) {
            held[i] = wh_start(i ? held[i - 1] : root, "span");
            wh_set(held[i], "text", (const char *)text);
        }
        for (int i = 0; i < 200; i++) wh_end(held[i]);
        wh__mem_gate = NULL;
        assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), 0);
        const struct wh_provider_stats stats = stats_of(provider);
        assert_adds_up(&stats);
    }
    assert_true(stats_of(provider).exported > 0);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
}

static void memory_that_waits_is_bounded(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    s.blocked = 1;
    wh_provider *provider = provider_of(&s, (struct wh_provider_opts){.max_queue = 1000000, .schedule_delay = WH_MS(1)});
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
    set_blocked(&s, 0);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(20)), 0);
    const struct wh_provider_stats stats = stats_of(provider);
    assert_true(stats.dropped_memory > 100);
    assert_adds_up(&stats);
    assert_true(wh__spool_memory() < 4 << 20);
}

/* ---- time limits ---- */

static void flush_and_shutdown_obey_their_limits(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.blocked = 1;
    s.heeds_interrupt = true;
    wh_provider *provider = provider_of(&s, (struct wh_provider_opts){.schedule_delay = WH_MS(1)});
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
    wh_provider *provider = provider_of(&s, (struct wh_provider_opts){.schedule_delay = WH_MS(1)});
    make_spans(provider, 10);
    const int64_t begun = wh_now();
    assert_int_equal(wh_provider_shutdown(provider, WH_MS(200)), ETIMEDOUT);
    assert_true(wh_now() - begun < WH_SEC(5));
    assert_int_equal(s.destroyed, 0);
    set_blocked(&s, 0);
}

/* ---- threads ---- */

enum { THREADS = 8, SPANS = 2000 };

static void *produce(void *arg)
{
    make_spans(arg, SPANS);
    return NULL;
}

static void threads_come_and_go(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, (struct wh_provider_opts){.max_queue = SPANS, .schedule_delay = WH_MS(5)});
    for (int round = 0; round < 5; round++) {
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, produce, provider);
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    }
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(20)), 0);
    const struct wh_provider_stats stats = stats_of(provider);
    assert_int_equal(stats.started, 5 * THREADS * SPANS);
    assert_int_equal(stats.ended, stats.started);
    assert_int_equal(stats.exported, s.spans);
    assert_adds_up(&stats);
}

static void *annotate(void *arg)
{
    char key[16];
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "k%d", i % 50);
        wh_set((const wh_ctx *)arg, key, i);
        wh_event((const wh_ctx *)arg, "event");
        wh_status((const wh_ctx *)arg, WH_STATUS_ERROR, key);
    }
    return NULL;
}

/* Several threads write on one span while its owner ends it: whole spans, or nothing. */
static void many_threads_on_one_span(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits.events = 1000});
    for (int round = 0; round < 20; round++) {
        wh_ctx *span = wh_start(spans.root, "shared");
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, annotate, (void *)wh_hold(span));
        usleep((useconds_t)round * 50);
        wh_ctx *owned = span;
        const wh_ctx *held = wh_hold(span);
        wh_end(owned);
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            wh_release(held);
        }
        wh_release(held);
        const struct wh_span_view view = span_named(&spans, "shared");
        assert_true(view.end >= view.start);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
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

/* ---- fork ---- */

/* The child exports what it records, with ids that the parent does not give to others; what waited or was open in the
 * parent is the parent's. */
static int in_child(struct spans *spans, wh_ctx *open, int ids_to)
{
    struct wh_span_context ids;
    struct wh_span_view view;
    wh_memory_clear(spans->memory);
    wh_end(open);
    wh_ctx *own = wh_start(spans->root, "of the child");
    wh_span_of(own, &ids);
    wh_end(own);
    if (write(ids_to, ids.trace_id, 16) != 16) return 1;
    if (wh_provider_flush(spans->provider, WH_SEC(10))) return 2;
    if (wh_memory_count(spans->memory) != 1 || !wh_memory_find(spans->memory, "of the child", &view)) return 3;
    const struct wh_provider_stats stats = stats_of(spans->provider);
    if (stats.started != 1 || stats.exported != 1) return 4;
    return wh_provider_shutdown(spans->provider, WH_SEC(10)) ? 5 : 0;
}

static void fork_divides_what_is_recorded(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct wh_span_context ids;
        uint8_t childs[16];
        int pipe_fds[2], status;
        struct spans spans = spans_begin_with((struct wh_provider_opts){.schedule_delay = round % 2 ? WH_MS(1) : WH_SEC(100)});
        wh_ctx *open = wh_start(spans.root, "open");
        for (int i = 0; i < 20; i++) wh_end(wh_start(open, "before"));
        assert_int_equal(pipe(pipe_fds), 0);
        const pid_t pid = fork();
        if (pid == 0) {
            alarm(30);
            _exit(in_child(&spans, open, pipe_fds[1]));
        }
        wh_ctx *after = wh_start(spans.root, "after");
        wh_span_of(after, &ids);
        wh_end(after);
        wh_end(open);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(read(pipe_fds[0], childs, 16), 16);
        assert_memory_not_equal(childs, ids.trace_id, 16);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        assert_int_equal(wh_provider_flush(spans.provider, WH_SEC(10)), 0);
        assert_int_equal(wh_memory_count(spans.memory), 22);
        spans_end(&spans);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flush_exports_all_in_batches),
        cmocka_unit_test(a_lone_span_leaves_after_the_delay),
        cmocka_unit_test(many_leave_before_the_delay),
        cmocka_unit_test_setup_teardown(a_full_queue_drops_and_counts, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(what_the_exporter_refuses_is_counted, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(out_of_memory_is_counted, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(memory_that_waits_is_bounded, listen_to_reports, stop_listening),
        cmocka_unit_test(flush_and_shutdown_obey_their_limits),
        cmocka_unit_test(an_exporter_that_hangs_for_ever),
        cmocka_unit_test_setup_teardown(threads_come_and_go, listen_to_reports, stop_listening),
        cmocka_unit_test(many_threads_on_one_span),
        cmocka_unit_test(two_providers_keep_apart),
        cmocka_unit_test(fork_divides_what_is_recorded),
    };
    return cmocka_run_group_tests_name("provider", tests, NULL, NULL);
}
