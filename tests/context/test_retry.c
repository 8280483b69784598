/* Trying again: how often, how late, and what is said at the end. */
#include <errno.h>
#include <limits.h>
#include <math.h>

#include "retry.c" /* whose delays it looks at */
#include "tools.h"

WH_REASON(reason_x, "x");

/* Fails as many times as it is told to. */
struct flaky {
    int failures, rc;     /* left */
    int calls;
    int cancel_at;        /* this call cancels: */
    wh_ctx *victim;
    int64_t last;         /* when it was called */
    int64_t shortest;     /* time between two calls */
};

static int try_it(const wh_ctx *ctx, void *arg)
{
    struct flaky *flaky = arg;
    const int64_t now = wh_now();
    (void)ctx;
    if (flaky->calls++ && now - flaky->last < flaky->shortest) flaky->shortest = now - flaky->last;
    flaky->last = now;
    if (flaky->calls == flaky->cancel_at) wh_cancel(flaky->victim, reason_x, NULL);
    return flaky->failures-- > 0 ? flaky->rc : 0;
}

static int obey(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    return wh_wait(ctx, WH_SEC(60));
}

#define REPORT {.size = sizeof(struct wh_retry_report)}

/* ---- how often ---- */

static void T142_it_tries_until_it_succeeds(void **state)
{
    (void)state;
    struct flaky flaky = {.failures = 4, .rc = EIO, .shortest = INT64_MAX};
    struct wh_retry_report report = REPORT;
    const int64_t before = wh_now();
    assert_int_equal(wh_retry(NULL, try_it, &flaky, .delay = WH_MS(1), .jitter = -1, .report = &report), 0);
    assert_int_equal(flaky.calls, 5);
    assert_int_equal(report.attempts, 5);
    assert_int_equal(report.why, WH_RETRY_SUCCEEDED);
    assert_int_equal(report.last_error, EIO);
    assert_true(report.elapsed >= WH_MS(1 + 2 + 4 + 8));
    assert_true(report.elapsed <= wh_now() - before);
    assert_true(report.remaining == WH_NEVER);
    assert_true(flaky.shortest >= WH_MS(1));
}

static void T142_at_most_so_many_attempts(void **state)
{
    (void)state;
    for (int attempts = 1; attempts <= 5; attempts++) {
        struct flaky flaky = {.failures = 1000, .rc = ENOENT};
        struct wh_retry_report report = REPORT;
        assert_int_equal(wh_retry(NULL, try_it, &flaky, .attempts = attempts, .delay = -1, .report = &report), ENOENT);
        assert_int_equal(flaky.calls, attempts);
        assert_int_equal(report.attempts, attempts);
        assert_int_equal(report.why, WH_RETRY_ATTEMPTS);
        assert_int_equal(report.last_error, ENOENT);
    }
    static const int many[] = {0, -1, INT_MIN, INT_MAX};
    for (size_t i = 0; i < 4; i++) {
        struct flaky flaky = {.failures = 1000, .rc = ENOENT};
        assert_int_equal(wh_retry(NULL, try_it, &flaky, .attempts = many[i], .delay = -1), 0);
        assert_int_equal(flaky.calls, 1001);
    }
}

struct picky {
    struct flaky flaky;
    int asked;
};

static bool may_retry(int rc, void *arg)
{
    struct picky *picky = arg;
    picky->asked++;
    return rc == EAGAIN;
}

static int fail_for_good_at_the_third(const wh_ctx *ctx, void *arg)
{
    struct picky *picky = arg;
    (void)ctx;
    return ++picky->flaky.calls < 3 ? EAGAIN : EACCES;
}

static void T142_what_cannot_be_helped_is_not_tried_again(void **state)
{
    (void)state;
    struct picky picky = {.asked = 0};
    struct wh_retry_report report = REPORT;
    assert_int_equal(
        wh_retry(NULL, fail_for_good_at_the_third, &picky, .delay = -1, .may_retry = may_retry, .report = &report), EACCES);
    assert_int_equal(picky.flaky.calls, 3);
    assert_int_equal(picky.asked, 3);
    assert_int_equal(report.why, WH_RETRY_REFUSED);
    assert_int_equal(report.last_error, EACCES);
}

/* ---- the context ---- */

static void T141_a_done_context_is_asked_before_the_first_attempt(void **state)
{
    (void)state;
    struct flaky flaky = {.failures = 0};
    struct wh_retry_report report = REPORT;
    WH_AUTO wh_ctx *cancelled = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *late = wh_with_timeout(NULL, 0);
    WH_AUTO wh_ctx *soon = wh_with_timeout(NULL, WH_US(100));
    wh_cancel(cancelled, reason_x, NULL);
    while (wh_now() <= wh_deadline(soon)) continue; /* the timer may not have noticed */
    assert_int_equal(wh_retry(cancelled, try_it, &flaky, .report = &report), ECANCELED);
    assert_int_equal(wh_retry(late, try_it, &flaky), ETIMEDOUT);
    assert_int_equal(wh_retry(soon, try_it, &flaky), ETIMEDOUT);
    assert_int_equal(flaky.calls, 0);
    assert_int_equal(report.attempts, 0);
    assert_int_equal(report.why, WH_RETRY_DONE);
    assert_int_equal(report.last_error, 0);
}

static void *cancel_it(void *arg)
{
    wh_cancel(arg, reason_x, NULL);
    return NULL;
}

static int fail_and_be_cancelled_later(const wh_ctx *ctx, void *arg)
{
    pthread_t *thread = arg;
    *thread = start(cancel_it, (wh_ctx *)ctx);
    return EIO;
}

/* Asleep for an hour, unless it hears of it. */
static void T141_T143_a_cancel_cuts_the_sleep_short_and_the_real_error_is_kept(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(200); i++) {
        pthread_t thread;
        struct wh_retry_report report = REPORT;
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        assert_int_equal(wh_retry(ctx, fail_and_be_cancelled_later, &thread, .delay = WH_SEC(3600), .max_delay = WH_SEC(3600),
                             .attempts = 3, .report = &report), ECANCELED);
        join(thread);
        assert_int_equal(report.attempts, 1);
        assert_int_equal(report.why, WH_RETRY_DONE);
        assert_int_equal(report.last_error, EIO);
    }
}

/* The cancel comes during an attempt: it has the last word, except over a success. */
static void T143_an_attempt_that_cancels_its_own_parent(void **state)
{
    (void)state;
    for (int succeeds = 0; succeeds < 2; succeeds++) {
        struct wh_retry_report report = REPORT;
        WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *ctx = wh_with_timeout(parent, WH_SEC(100));
        struct flaky flaky = {.failures = succeeds ? 2 : 100, .rc = EPIPE, .cancel_at = 3, .victim = parent};
        const int rc = wh_retry(ctx, try_it, &flaky, .attempts = 3, .delay = -1, .report = &report);
        assert_int_equal(rc, succeeds ? 0 : ECANCELED);
        assert_int_equal(flaky.calls, 3);
        assert_int_equal(report.why, succeeds ? WH_RETRY_SUCCEEDED : WH_RETRY_DONE);
        assert_int_equal(report.last_error, EPIPE);
        assert_ptr_equal(wh_cause(ctx), reason_x);
        assert_true(report.remaining > 0 && report.remaining < WH_SEC(100));
    }
}

static void T143_to_be_stopped_is_no_error_of_ones_own(void **state)
{
    (void)state;
    struct wh_retry_report report = REPORT;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(5));
    assert_int_equal(wh_retry(ctx, obey, NULL, .report = &report), ETIMEDOUT);
    assert_int_equal(report.why, WH_RETRY_DONE);
    assert_int_equal(report.last_error, 0);
    assert_true(report.remaining == 0);
    assert_true(report.attempts <= 1);
}

/* With a sleep that does not fit before the deadline it stops at once, and the context is not even done. */
static void T142_it_does_not_sleep_past_the_deadline(void **state)
{
    (void)state;
    struct flaky flaky = {.failures = 1000, .rc = ECONNREFUSED};
    struct wh_retry_report report = REPORT;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    const int rc =
        wh_retry(ctx, try_it, &flaky, .delay = WH_SEC(1000), .max_delay = WH_SEC(5000), .jitter = -1, .report = &report);
    assert_int_equal(rc, ECONNREFUSED);
    assert_int_equal(wh_err(ctx), 0);
    assert_int_equal(flaky.calls, 1);
    assert_int_equal(report.why, WH_RETRY_NO_TIME);
    assert_int_equal(report.last_error, ECONNREFUSED);
    assert_true(report.remaining > 0 && report.remaining <= WH_SEC(1000) - report.elapsed);
}

/* Both the cancel and the next attempt are due, in every round: the cancel wins every time. */
static void T141_a_cancel_always_wins_over_the_next_attempt(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(10000); i++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        struct flaky flaky = {.failures = 1000, .rc = EIO, .cancel_at = 1 + i % 3, .victim = ctx};
        assert_int_equal(wh_retry(ctx, try_it, &flaky, .delay = -1), ECANCELED);
        assert_int_equal(flaky.calls, 1 + i % 3);
    }
}

/* ---- how late ---- */

static struct wh_retry_opts opts_of(struct wh_retry_opts opts)
{
    opts.size = sizeof opts;
    return with_defaults(&opts);
}

static void T142_the_delays_grow_by_the_factor_up_to_the_most(void **state)
{
    (void)state;
    const struct wh_retry_opts opts = opts_of((struct wh_retry_opts){.delay = WH_MS(10), .max_delay = WH_MS(75), .factor = 2});
    static const int64_t expected[] = {WH_MS(10), WH_MS(20), WH_MS(40), WH_MS(75), WH_MS(75)};
    int64_t delay = first_delay(&opts);
    for (int i = 0; i < 5; i++, delay = next_delay(&opts, delay)) assert_int_equal(delay, expected[i]);
    const struct wh_retry_opts defaults = opts_of((struct wh_retry_opts){0});
    assert_int_equal(first_delay(&defaults), WH_MS(50));
    assert_int_equal(next_delay(&defaults, WH_MS(50)), WH_MS(100));
    assert_int_equal(next_delay(&defaults, WH_MS(1500)), WH_SEC(2));
    assert_true(defaults.jitter == 0.5);
}

static void T142_delays_saturate(void **state)
{
    (void)state;
    static const double factors[] = {1, 1.5, 2, 1e18, 1e308, INFINITY};
    static const int64_t bounds[] = {1, WH_SEC(1), INT64_MAX - 1, INT64_MAX};
    for (size_t f = 0; f < 6; f++)
        for (size_t m = 0; m < 4; m++)
            for (size_t d = 0; d < 4; d++) {
                const struct wh_retry_opts opts =
                    opts_of((struct wh_retry_opts){.delay = bounds[d], .max_delay = bounds[m], .factor = factors[f]});
                int64_t delay = first_delay(&opts);
                for (int i = 0; i < 200; i++) {
                    const int64_t next = next_delay(&opts, delay);
                    assert_true(delay >= 1 && next <= bounds[m]);
                    assert_true(next >= delay || bounds[m] > INT64_MAX / 2); /* there a double is not exact */
                    delay = next;
                }
                if (factors[f] >= 2 || bounds[d] >= bounds[m]) assert_true((double)delay >= (double)bounds[m]);
            }
}

static void T142_nonsense_is_harmless(void **state)
{
    (void)state;
    static const double odd[] = {NAN, -INFINITY, -1, 0, 0.5, 1e-300, INFINITY};
    for (size_t f = 0; f < 7; f++)
        for (size_t j = 0; j < 7; j++) {
            const struct wh_retry_opts opts =
                opts_of((struct wh_retry_opts){.delay = WH_US(1), .max_delay = -1, .factor = odd[f], .jitter = odd[j]});
            assert_true(opts.factor >= 1 && opts.jitter >= 0 && opts.jitter <= 1);
            assert_int_equal(opts.max_delay, WH_SEC(2));
            struct flaky flaky = {.failures = 3, .rc = EIO};
            assert_int_equal(wh_retry(NULL, try_it, &flaky, .attempts = 5, .delay = WH_NS(1), .max_delay = WH_US(1),
                                 .factor = odd[f], .jitter = odd[j]), 0);
        }
    const struct wh_retry_opts none = opts_of((struct wh_retry_opts){.delay = INT64_MIN, .factor = INFINITY});
    assert_int_equal(first_delay(&none), 0);
    assert_int_equal(next_delay(&none, 0), 0);
}

static void T142_the_jitter_keeps_its_bounds(void **state)
{
    (void)state;
    static const double jitters[] = {0.001, 0.5, 1};
    static const int64_t delays[] = {0, 1, 2, WH_MS(50), INT64_MAX};
    for (size_t j = 0; j < 3; j++)
        for (size_t d = 0; d < 5; d++) {
            const struct wh_retry_opts opts = opts_of((struct wh_retry_opts){.jitter = jitters[j]});
            const int64_t delay = delays[d];
            const double least = (double)delay * (1 - jitters[j]);
            assert_int_equal(jittered(&opts, delay, 0), delay);
            for (int i = 0; i < 1000; i++) {
                const int64_t slept = jittered(&opts, delay, i ? wh__random() : UINT64_MAX);
                assert_true(slept >= 0 && slept <= delay);
                assert_true((double)slept >= least - 1 - (double)delay * 1e-15);
            }
        }
    const struct wh_retry_opts half = opts_of((struct wh_retry_opts){.jitter = 0.5});
    assert_true(jittered(&half, WH_SEC(1), UINT64_MAX) < WH_MS(501)); /* all of it is used */
    const struct wh_retry_opts without = opts_of((struct wh_retry_opts){.jitter = -1});
    assert_int_equal(jittered(&without, WH_SEC(1), UINT64_MAX), WH_SEC(1));
}

/* A report of an older header gets what it has room for. */
static void T143_a_shorter_report(void **state)
{
    (void)state;
    struct flaky flaky = {.failures = 0};
    struct wh_retry_report report = {
        .size = offsetof(struct wh_retry_report, attempts), .why = WH_RETRY_REFUSED, .attempts = 77};
    assert_int_equal(wh_retry(NULL, try_it, &flaky, .report = &report), 0);
    assert_int_equal(report.why, WH_RETRY_SUCCEEDED);
    assert_int_equal(report.attempts, 77);
    assert_int_equal(report.size, offsetof(struct wh_retry_report, attempts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T142_it_tries_until_it_succeeds),
        cmocka_unit_test(T142_at_most_so_many_attempts),
        cmocka_unit_test(T142_what_cannot_be_helped_is_not_tried_again),
        cmocka_unit_test(T141_a_done_context_is_asked_before_the_first_attempt),
        cmocka_unit_test(T141_T143_a_cancel_cuts_the_sleep_short_and_the_real_error_is_kept),
        cmocka_unit_test(T143_an_attempt_that_cancels_its_own_parent),
        cmocka_unit_test(T143_to_be_stopped_is_no_error_of_ones_own),
        cmocka_unit_test(T142_it_does_not_sleep_past_the_deadline),
        cmocka_unit_test(T141_a_cancel_always_wins_over_the_next_attempt),
        cmocka_unit_test(T142_the_delays_grow_by_the_factor_up_to_the_most),
        cmocka_unit_test(T142_delays_saturate),
        cmocka_unit_test(T142_nonsense_is_harmless),
        cmocka_unit_test(T142_the_jitter_keeps_its_bounds),
        cmocka_unit_test(T143_a_shorter_report),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
