/* Spans that nobody has ended: the shutdown exports them, says where they were started, and what their owners do later is harmless. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cancelled.h"
#include "gate.h"
#include "keeper.h"
#include "scripted.h"
#include "watcher.h"

static struct keeper kept;

static wh_provider *keeping(struct keeper *keeper, struct wh_provider_opts opts)
{
    static struct wh_exporter *list[1];
    list[0] = keeper_begin(keeper);
    opts.size = sizeof opts;
    opts.exporters = list;
    opts.exporter_count = 1;
    if (!opts.schedule_delay) opts.schedule_delay = WH_NEVER;
    wh_provider *provider = wh_provider_new_at(&opts);
    assert_non_null(provider);
    return provider;
}
#define keeping_all(keeper) keeping((keeper), (struct wh_provider_opts){0})

static void shut_down(wh_provider *provider)
{
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

/* Every span has ended, the shutdown's included. */
static void assert_ended(const wh_provider *provider, uint64_t started, uint64_t leaked)
{
    const struct wh_provider_stats stats = stats_of(provider);
    assert_adds_up(&stats);
    assert_int_equal(stats.started, started);
    assert_int_equal(stats.ended, started);
    assert_int_equal(stats.leaked, leaked);
}

static void assert_leaked_at(const struct wh_span_view *span, const char *function, int line)
{
    char site[200];
    snprintf(site, sizeof site, "test_leaked.c:%d %s", line, function);
    assert_true(span_bool(span, "whence.leaked"));
    assert_string_equal(span_text(span, "whence.leaked.site"), site);
}

/* ---- what it says ---- */

static void a_span_that_was_never_ended_is_exported_as_leaked(void **state)
{
    (void)state;
    wh_provider *provider = keeping_all(&kept);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    const int64_t before = wh_now();
    wh_ctx *open = wh_start(root, "open", .kind = WH_CLIENT); const int line = __LINE__;
    wh_set(open, "order", 17);
    wh_end(wh_start(root, "ended"));
    nap(5);
    shut_down(provider);
    const double most = (double)(wh_now() - before) / 1e6;
    const struct wh_span_view span = keeper_span(&kept, "open"), other = keeper_span(&kept, "ended");
    assert_int_equal(kept.count, 2);
    assert_leaked_at(&span, __func__, line);
    assert_true(span_double(&span, "whence.leaked.age_ms") >= 5);
    assert_true(span_double(&span, "whence.leaked.age_ms") <= most);
    assert_true((double)(span.end - span.start) / 1e6 - span_double(&span, "whence.leaked.age_ms") < 0.01);
    assert_int_equal(span_int(&span, "order"), 17);
    assert_int_equal(span.kind, WH_CLIENT);
    assert_int_equal(span.status, WH_STATUS_UNSET);
    assert_false(span_has(&span, "whence.cancelled"));
    assert_false(span_has(&other, "whence.leaked"));
    assert_ended(provider, 2, 1);
    wh_end(open);
    keeper_end(&kept);
}

static void what_its_owner_does_afterwards_changes_nothing(void **state)
{
    (void)state;
    wh_provider *provider = keeping_all(&kept);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *open = wh_start(root, "open");
    const wh_ctx *held = wh_hold(open);
    shut_down(provider);
    assert_false(wh_recording(open));
    wh_set(open, "late", true);
    wh_event(open, "late");
    wh_rename(open, "late");
    wh_fail(open, EIO, "late");
    assert_true(wh_cancel(open, WH_CANCELED, "late"));
    wh_end(wh_start(open, "late child"));
    wh_end_at(open, wh_now());
    wh_release(held);
    assert_int_equal(kept.count, 1);
    const struct wh_span_view span = keeper_span(&kept, "open");
    assert_false(span_has(&span, "late") || span_has(&span, "error.type") || span_has(&span, "whence.cancelled"));
    assert_ended(provider, 1, 1);
    keeper_end(&kept);
}

static void nested_ones_keep_their_parents(void **state)
{
    (void)state;
    enum { DEEP = 50 };
    char name[20];
    wh_provider *provider = keeping_all(&kept);
    wh_ctx *root = wh_provider_root(provider), *open[DEEP];
    for (int i = 0; i < DEEP; i++) {
        snprintf(name, sizeof name, "level %d", i);
        open[i] = wh_start(i ? open[i - 1] : root, (const char *)name);
    }
    shut_down(provider);
    assert_int_equal(kept.count, DEEP);
    for (int i = 1; i < DEEP; i++) {
        snprintf(name, sizeof name, "level %d", i);
        const struct wh_span_view below = keeper_span(&kept, name);
        snprintf(name, sizeof name, "level %d", i - 1);
        const struct wh_span_view above = keeper_span(&kept, name);
        assert_memory_equal(below.parent_span_id, above.span_id, 8);
        assert_true(span_bool(&below, "whence.leaked"));
    }
    for (int i = 0; i < DEEP; i++) wh_end(open[i]); /* from the top */
    wh_end(root);
    assert_ended(provider, DEEP, DEEP);
    keeper_end(&kept);
}

static void one_that_was_cancelled_says_so_as_well(void **state)
{
    (void)state;
    wh_provider *provider = keeping_all(&kept);
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *top = wh_start(root, "top");
    WH_AUTO wh_ctx *below = wh_start(top, "deaf");
    WH_AUTO wh_ctx *late = wh_start(root, "late", .timeout = 1);
    assert_int_equal(wh_wait(late, WH_NEVER), ETIMEDOUT);
    wh_cancel(top, WH_SHUTDOWN, "go home");
    shut_down(provider);
    const struct wh_span_view deaf = keeper_span(&kept, "deaf"), timed_out = keeper_span(&kept, "late");
    struct wh_event_view event;
    assert_true(span_bool(&deaf, "whence.leaked") && span_bool(&deaf, "whence.cancelled"));
    assert_string_equal(span_text(&deaf, "whence.cancel.reason"), "shutdown");
    assert_string_equal(span_text(&deaf, "whence.cancel.message"), "go home");
    assert_string_equal(span_text(&deaf, "whence.cancel.origin.span_name"), "top");
    assert_int_equal(span_int(&deaf, "whence.cancel.depth"), 1);
    assert_true(span_event(&deaf, "whence.cancel.received", &event));
    assert_int_equal(deaf.status, WH_STATUS_UNSET);
    assert_true(span_bool(&timed_out, "whence.leaked"));
    assert_int_equal(timed_out.status, WH_STATUS_ERROR); /* it owns the deadline that fired */
    assert_string_equal(span_text(&timed_out, "error.type"), "timeout");
    keeper_end(&kept);
}

static void a_full_span_says_it_all_the_same(void **state)
{
    (void)state;
    wh_provider *provider = keeping(&kept, (struct wh_provider_opts){.limits = {.attributes = 2, .value_length = 4}});
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *open = wh_start(root, "full"); const int line = __LINE__;
    for (int i = 0; i < 5; i++) {
        const char key[] = {'k', (char)('0' + i), '\0'};
        wh_set(open, (const char *)key, "longer than four");
    }
    shut_down(provider);
    const struct wh_span_view span = keeper_span(&kept, "full");
    assert_leaked_at(&span, __func__, line);
    assert_string_equal(span_text(&span, "k0"), "long");
    assert_int_equal(span.dropped_attributes, 3);
    keeper_end(&kept);
}

/* ---- which they are ---- */

static void anchors_roots_and_spans_that_are_not_recorded_are_none(void **state)
{
    (void)state;
    const struct wh_span_context sampled = {.trace_id = {1}, .span_id = {2}, .flags = WH_SAMPLED, .remote = true},
                                 unsampled = {.trace_id = {1}, .span_id = {3}, .remote = true};
    wh_provider *provider = keeping_all(&kept);
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *from = wh_with_span(root, &sampled), *not_from = wh_with_span(root, &unsampled);
    WH_AUTO wh_ctx *quiet = wh_start(not_from, "quiet"), *plain = wh_with_cancel(from);
    shut_down(provider);
    assert_int_equal(kept.count, 0);
    assert_ended(provider, 0, 0);
    (void)quiet, (void)plain;
}

/* The span that ends has a second context while processors look at it. */
static wh_provider *other;

static void shut_the_other_down(const wh_ctx *span)
{
    assert_true(wh_recording(span));
    if (!other) return;
    wh_provider *now = other;
    other = NULL;
    assert_int_equal(wh_provider_shutdown(now, WH_SEC(60)), 0);
}

static void one_that_is_just_ending_is_none(void **state)
{
    (void)state;
    static struct watcher watcher;
    static struct wh_processor *list[1];
    list[0] = watcher_begin(&watcher);
    watcher.at_ending = shut_the_other_down;
    wh_provider *provider = keeping(&kept, (struct wh_provider_opts){.processors = list, .processor_count = 1});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    other = provider;
    wh_end(wh_start(root, "ending"));
    assert_int_equal(stats_of(provider).leaked, 0);
    assert_string_equal(report, "");
    keeper_end(&kept);
}

static void those_of_other_providers_are_left_alone(void **state)
{
    (void)state;
    static struct keeper second;
    wh_provider *provider = keeping_all(&kept);
    wh_provider *neighbour = keeping_all(&second);
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *next = wh_provider_root(neighbour);
    WH_AUTO wh_ctx *mine = wh_start(root, "mine");
    wh_ctx *theirs = wh_start(next, "theirs");
    shut_down(provider);
    assert_true(wh_recording(theirs));
    wh_end(theirs);
    shut_down(neighbour);
    assert_int_equal(kept.count, 1);
    assert_int_equal(second.count, 1);
    const struct wh_span_view span = keeper_span(&second, "theirs");
    assert_false(span_has(&span, "whence.leaked"));
    (void)mine;
    keeper_end(&kept);
    keeper_end(&second);
}

/* ---- many ---- */

struct crowd {
    const wh_ctx *root;
    wh_ctx *open[300];
};

static void *start_many(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < 300; i++) crowd->open[i] = wh_start(crowd->root, "of a thread");
    return NULL;
}

static void those_of_other_threads_are_found_also_when_these_are_gone(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    struct crowd crowds[THREADS];
    pthread_t threads[THREADS];
    wh_provider *provider = keeping_all(&kept);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    for (int i = 0; i < THREADS; i++) {
        crowds[i].root = root;
        assert_int_equal(pthread_create(&threads[i], NULL, start_many, &crowds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    shut_down(provider);
    assert_int_equal(kept.count, 300 * THREADS);
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < 300; k++) wh_end(crowds[i].open[k]);
    assert_ended(provider, 300 * THREADS, 300 * THREADS);
    keeper_end(&kept);
}

static void more_than_a_queue_holds_are_exported_all(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    static wh_ctx *open[MANY];
    wh_provider *provider = keeping(&kept, (struct wh_provider_opts){.max_queue = 16, .max_batch = 4});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    for (int i = 0; i < MANY; i++) open[i] = wh_start(root, "one of many");
    shut_down(provider);
    assert_int_equal(kept.count, MANY);
    assert_ended(provider, MANY, MANY);
    for (int i = 0; i < MANY; i++) wh_end(open[i]);
    keeper_end(&kept);
}

static void the_shutdown_keeps_to_its_time_and_counts_what_is_lost(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static wh_ctx *open[MANY];
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, .max_queue = 8, .max_batch = 4, .schedule_delay = WH_NEVER);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    scripted_block(&s, true);
    make_spans(provider, 4);
    for (int i = 0; i < MANY; i++) open[i] = wh_start(root, "stuck");
    assert_int_equal(wh_provider_shutdown(provider, WH_MS(100)), ETIMEDOUT);
    for (int i = 0; i < MANY; i++) wh_end(open[i]);
    scripted_block(&s, false);
    while (!__atomic_load_n(&s.destroyed, __ATOMIC_ACQUIRE)) nap(1);
    assert_ended(provider, MANY + 4, MANY);
}

/* The exporter is stuck with spans that are sampled; those that leak are for processors alone. */
static void those_that_are_only_recorded_are_lost_to_no_exporter(void **state)
{
    (void)state;
    enum { MANY = 100 };
    static wh_ctx *open[MANY];
    const struct wh_span_context sampled = {.trace_id = {1}, .span_id = {2}, .flags = WH_SAMPLED, .remote = true};
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, .max_queue = 8, .max_batch = 4, .schedule_delay = WH_NEVER,
        .sampler = wh_sampler_always_record(wh_sampler_parent_based(wh_sampler_always_off())));
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *from = wh_with_span(root, &sampled);
    scripted_block(&s, true);
    for (int i = 0; i < 4; i++) wh_end(wh_start(from, "sampled"));
    for (int i = 0; i < MANY; i++) open[i] = wh_start(root, "only recorded");
    assert_int_equal(wh_provider_shutdown(provider, WH_MS(100)), ETIMEDOUT);
    for (int i = 0; i < MANY; i++) wh_end(open[i]);
    scripted_block(&s, false);
    while (!__atomic_load_n(&s.destroyed, __ATOMIC_ACQUIRE)) nap(1);
    assert_ended(provider, MANY + 4, MANY);
    assert_int_equal(stats_of(provider).recorded_only, MANY);
}

/* ---- saying it ---- */

static void the_worst_places_are_reported_once(void **state)
{
    (void)state;
    char expected[400];
    wh_provider *provider = keeping_all(&kept);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *open[3];
    for (int i = 0; i < 2; i++)
        open[i] = wh_start(root, "twice");
    const int twice = __LINE__ - 1;
    open[2] = wh_start(root, "once"); const int once = __LINE__;
    shut_down(provider);
    snprintf(expected, sizeof expected,
        "3 spans were never ended: 2 started at test_leaked.c:%d %s, 1 started at test_leaked.c:%d %s\n", twice, __func__, once, __func__);
    assert_string_equal(report, expected);
    for (int i = 0; i < 3; i++) wh_end(open[i]);
    keeper_end(&kept);
}

static void of_many_places_the_first_are_named(void **state)
{
    (void)state;
    enum { PLACES = 40 };
    wh_provider *provider = keeping_all(&kept);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    static const struct wh_site here = {"here.c", "f", 1};
    static struct wh_site sites[PLACES];
    wh_ctx *open[PLACES + 2];
    for (int i = 0; i < PLACES; i++) {
        sites[i] = (struct wh_site){"dir/file.c", "f", i};
        open[i] = wh_start_at(root, &(struct wh_start_opts){.size = sizeof(struct wh_start_opts), .site = &sites[i], .name = "x"});
    }
    for (int i = 0; i < 2; i++)
        open[PLACES + i] = wh_start_at(root, &(struct wh_start_opts){.size = sizeof(struct wh_start_opts), .site = &here, .name = "x"});
    shut_down(provider);
    assert_non_null(strstr(report, "42 spans were never ended: "));
    assert_non_null(strstr(report, " elsewhere\n"));
    assert_null(strstr(report, "dir/"));
    for (int i = 0; i < PLACES + 2; i++) wh_end(open[i]);
    keeper_end(&kept);
}

/* ---- when things are short ---- */

static void without_memory_it_is_counted_and_nothing_breaks(void **state)
{
    (void)state;
    for (size_t allowed = 0;; allowed++) {
        struct scripted s;
        scripted_init(&s);
        wh_provider *provider = provider_of(&s, .schedule_delay = WH_NEVER);
        WH_AUTO wh_ctx *root = wh_provider_root(provider), *open = wh_start(root, "open");
        for (int i = 0; i < 40; i++) {
            char key[32];
            snprintf(key, sizeof key, "a long enough %d", i);
            wh_set(open, (const char *)key, "so that the record has to grow");
        }
        memory_ends_after(allowed);
        wh_provider_shutdown(provider, WH_SEC(60));
        const bool used_up = memory_is_back();
        const struct wh_provider_stats stats = stats_of(provider);
        assert_adds_up(&stats);
        assert_int_equal(stats.leaked, 1);
        if (!used_up) break;
    }
}

static void a_simple_processor_gets_them_too(void **state)
{
    (void)state;
    struct wh_processor *list[] = {wh_simple_processor_new(keeper_begin(&kept))};
    wh_provider *provider = wh_provider_new(.processors = list, .processor_count = 1);
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *open = wh_start(root, "open");
    shut_down(provider);
    const struct wh_span_view span = keeper_span(&kept, "open");
    assert_true(span_bool(&span, "whence.leaked"));
    (void)open;
    keeper_end(&kept);
}

/* ---- fork ---- */

/* Exits with 0 if exactly `expected` spans came, all of them leaked. */
static void leave_with(wh_provider *provider, size_t expected)
{
    kept.count = 0;
    const int rc = wh_provider_shutdown(provider, WH_SEC(60));
    struct wh_span_view span;
    bool right = rc == 0 && kept.count == expected;
    for (size_t i = 0; right && i < kept.count; i++) right = wh_span_read(kept.spans[i], &span) && span_has(&span, "whence.leaked");
    _exit(right ? 0 : 1);
}

static void in_the_child_of_a_fork_only_its_own_leak(void **state)
{
    (void)state;
    wh_provider *provider = keeping_all(&kept);
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *open = wh_start(root, "the parent's");
    const pid_t pid = fork_at_rest();
    assert_true(pid >= 0);
    if (pid == 0) {
        wh_ctx *own = wh_start(root, "the child's");
        wh_ctx *below = wh_start(open, "below the parent's");
        (void)own, (void)below;
        leave_with(provider, 2);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    shut_down(provider);
    assert_int_equal(kept.count, 1);
    keeper_span(&kept, "the parent's");
    keeper_end(&kept);
}

int main(void)
{
#define LISTENING(test) cmocka_unit_test_setup_teardown(test, listen_to_reports, stop_listening)
    const struct CMUnitTest tests[] = {
        LISTENING(a_span_that_was_never_ended_is_exported_as_leaked),
        LISTENING(what_its_owner_does_afterwards_changes_nothing),
        LISTENING(nested_ones_keep_their_parents),
        LISTENING(one_that_was_cancelled_says_so_as_well),
        LISTENING(a_full_span_says_it_all_the_same),
        LISTENING(anchors_roots_and_spans_that_are_not_recorded_are_none),
        LISTENING(one_that_is_just_ending_is_none),
        LISTENING(those_of_other_providers_are_left_alone),
        LISTENING(those_of_other_threads_are_found_also_when_these_are_gone),
        LISTENING(more_than_a_queue_holds_are_exported_all),
        LISTENING(the_shutdown_keeps_to_its_time_and_counts_what_is_lost),
        LISTENING(those_that_are_only_recorded_are_lost_to_no_exporter),
        LISTENING(the_worst_places_are_reported_once),
        LISTENING(of_many_places_the_first_are_named),
        LISTENING(without_memory_it_is_counted_and_nothing_breaks),
        LISTENING(a_simple_processor_gets_them_too),
        LISTENING(in_the_child_of_a_fork_only_its_own_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
