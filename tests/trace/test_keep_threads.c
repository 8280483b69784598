/* Local traces of several threads, and of several processes. */
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeps.h"

enum { THREADS = 4, ROUNDS = 200, SPANS = 10 };

/* ---- threads ---- */

static struct job {
    const wh_ctx *parent;
    int who, bad;
    pthread_barrier_t *both;
} jobs[THREADS];

/* The others' first spans may end before the root does, and all of them after it. */
static void *work(void *arg)
{
    const struct job *job = arg;
    pthread_barrier_wait(job->both);
    for (int i = 0; i < SPANS; i++) {
        WH_AUTO wh_ctx *span = wh_start(job->parent, "span");
        wh_set(span, "who", job->who);
        if (i == job->bad) wh_fail(span, EIO, "no");
    }
    wh_release(job->parent);
    return NULL;
}

/* Each trace is there as a whole or not at all, whoever ends last. */
static void a_trace_of_many_threads_has_one_verdict(void **state)
{
    (void)state;
    struct spans spans = keeping_begin_with(keep_all(), (struct wh_provider_opts){.max_queue = 1 << 20});
    pthread_barrier_t both;
    pthread_barrier_init(&both, NULL, THREADS + 1);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];
        wh_ctx *root = wh_start(spans.root, "root");
        for (int i = 0; i < THREADS; i++) {
            jobs[i] = (struct job){.parent = wh_hold(root), .who = i, .bad = round % 2 && i == 0 ? round % SPANS : -1, .both = &both};
            assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
        }
        pthread_barrier_wait(&both);
        if (round % 4 >= 2)
            for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        wh_end(root);
        if (round % 4 < 2)
            for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&both);
    const size_t whole = 1 + THREADS * SPANS, count = exported(&spans);
    const struct wh_provider_stats s = keep_stats(&spans);
    assert_int_equal(s.started, ROUNDS * whole);
    assert_int_equal(count, s.kept_traces * whole);
    assert_true(s.kept_traces >= ROUNDS / 4 && s.kept_traces <= ROUNDS / 2);
    keeping_end(&spans);
}

static void *make_traces(void *arg)
{
    const struct job *job = arg;
    for (int i = 0; i < 2000; i++) {
        WH_AUTO wh_ctx *root = wh_start(job->parent, "root");
        WH_AUTO wh_ctx *child = wh_start(root, "child");
        if (i % 10 == 0) wh_fail(child, EIO, "no");
    }
    return NULL;
}

/* They share a budget, a table, and memory that is too little for all. */
static void traces_of_many_threads_at_once_add_up(void **state)
{
    (void)state;
    struct spans spans = keeping_begin((struct wh_keep){.enabled = true, .per_second = 1000, .memory = 65536, .every = 1000});
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){.parent = spans.root};
        assert_int_equal(pthread_create(&threads[i], NULL, make_traces, &jobs[i]), 0);
    }
    for (int i = 0; i < 1000; i++) assert_true(keep_stats(&spans).keep_memory <= 65536); /* asked meanwhile */
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    const struct wh_provider_stats s = keep_stats(&spans);
    assert_true(s.kept_traces > 0 && s.kept_spans >= s.kept_traces && s.kept_spans <= 2 * s.kept_traces);
    assert_int_equal(s.kept_spans + s.keep_forgotten, s.started);
    assert_true(s.started + 2 * s.keep_skipped <= THREADS * 2000 * 2);
    assert_true(s.keep_memory <= 65536);
    keeping_end(&spans);
}

/* ---- processes ---- */

static bool holds(bool condition, const char *what)
{
    if (!condition) fprintf(stderr, "in the child: %s\n", what);
    return condition;
}
#define HOLDS(condition) holds((condition), #condition)

/* What waits is the parent's; what the child starts below a span of the parent is a local trace of its own. */
static bool in_child(struct spans *spans, wh_ctx *root, wh_ctx *open)
{
    bool good = HOLDS(keep_stats(spans).started == 0) && HOLDS(keep_stats(spans).keep_untold == 0) && HOLDS(keep_stats(spans).keep_memory == 0);
    wh_ctx *own = wh_start(open, "of the child");
    wh_ctx *below = wh_start(own, "below");
    wh_fail(below, EIO, "no");
    wh_end(below);
    wh_end(own);
    wh_fail(open, EIO, "not ours");
    wh_end(open);
    wh_end(root);
    good &= HOLDS(wh_provider_flush(spans->provider, WH_SEC(60)) == 0);
    const struct wh_provider_stats s = keep_stats(spans);
    good &= HOLDS(s.started == 2);
    good &= HOLDS(s.exported == 2);
    good &= HOLDS(s.kept_traces == 1);
    good &= HOLDS(s.kept_spans == 2);
    good &= HOLDS(s.keep_forgotten == 0);
    good &= HOLDS(s.keep_memory <= 32768);
    return good;
}

static void the_child_of_a_fork_forgets_what_waits_and_begins_anew(void **state)
{
    (void)state;
    int status;
    struct spans spans = keeping_begin(keep_all());
    wh_ctx *root = wh_start(spans.root, "root");
    for (int i = 0; i < 5; i++) wh_end(wh_start(root, "waits"));
    wh_ctx *open = wh_start(root, "open");
    fflush(NULL);
    const pid_t child = fork_at_rest();
    if (child == 0) _exit(in_child(&spans, root, open) ? 0 : 1);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    wh_end(open);
    wh_fail(root, EIO, "no");
    wh_end(root);
    assert_int_equal(exported(&spans), 7);
    keeping_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_child_of_a_fork_forgets_what_waits_and_begins_anew),
        cmocka_unit_test(a_trace_of_many_threads_has_one_verdict),
        cmocka_unit_test(traces_of_many_threads_at_once_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
