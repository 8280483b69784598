/* The provider among threads and processes: nothing is lost or mixed up between them. */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scripted.h"

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
    wh_provider *provider = provider_of(&s, .max_queue = SPANS, .schedule_delay = WH_MS(5));
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
        const int64_t delay = round % 2 ? WH_MS(1) : WH_SEC(100);
        struct spans spans = spans_begin_with((struct wh_provider_opts){.schedule_delay = delay});
        wh_ctx *open = wh_start(spans.root, "open");
        for (int i = 0; i < 20; i++) wh_end(wh_start(open, "before"));
        assert_int_equal(pipe(pipe_fds), 0);
        const pid_t pid = fork_at_rest();
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
        cmocka_unit_test_setup_teardown(threads_come_and_go, listen_to_reports, stop_listening),
        cmocka_unit_test(many_threads_on_one_span),
        cmocka_unit_test(fork_divides_what_is_recorded),
    };
    return cmocka_run_group_tests_name("provider_threads", tests, NULL, NULL);
}
