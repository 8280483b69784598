/* Sleeping and ticking under a context. */
#include <sys/prctl.h>

#include "wait_tools.h"

/* ---- sleeping ---- */

static void T070_it_says_which_of_the_two_it_was(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(20));
    const int64_t began = wh_now();
    assert_int_equal(wh_sleep(NULL, WH_MS(2)), 0);
    assert_true(wh_now() - began >= WH_MS(2));
    assert_int_equal(wh_sleep(ctx, WH_SEC(1000)), ETIMEDOUT);
    assert_true(wh_now() >= wh_deadline(ctx));
    WH_AUTO wh_ctx *open = wh_with_timeout(NULL, WH_SEC(1000));
    const int64_t instant = wh_now() + WH_MS(2);
    assert_int_equal(wh_sleep_until(open, instant), 0);
    assert_true(wh_now() >= instant);
    assert_int_equal(wh_sleep_until(NULL, instant), 0);
}

static void T128_it_asks_before_it_sleeps(void **state)
{
    (void)state;
    struct wh_ticker ticker = wh_ticker_begin(WH_SEC(1000));
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *late = wh_with_timeout(NULL, WH_US(50));
    while (wh_now() <= wh_deadline(late)) continue; /* the timer may not have noticed */
    wh_cancel(ctx, reason_x, NULL);
    const int64_t durations[] = {WH_NEVER, WH_SEC(1000), 0, -1, INT64_MIN};
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        assert_int_equal(wh_sleep(ctx, durations[i]), ECANCELED);
        assert_int_equal(wh_sleep_until(ctx, durations[i]), ECANCELED);
        assert_int_equal(wh_sleep(late, durations[i]), ETIMEDOUT);
        if (durations[i] <= 0) {
            assert_int_equal(wh_sleep(wh_background(), durations[i]), 0);
            assert_int_equal(wh_sleep_until(NULL, durations[i]), 0);
        }
    }
    assert_int_equal(wh_tick(ctx, &ticker, NULL), ECANCELED);
}

WH__MAY_VANISH static int sleep_long(struct wait *wait)
{
    return wh_sleep(wait->ctx, WH_SEC(1000));
}

WH__MAY_VANISH static int tick_long(struct wait *wait)
{
    struct wh_ticker ticker = wh_ticker_begin(WH_SEC(1000));
    return wh_tick(wait->ctx, &ticker, NULL);
}

static void T128_a_cancel_wakes_it(void **state)
{
    (void)state;
    int (*const fns[])(struct wait *) = {sleep_long, tick_long};
    for (int i = 0; i < 20; i++) {
        WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_SEC(2000));
        struct wait wait = {.fn = fns[i % 2], .ctx = ctx};
        wait_begin(&wait);
        if (i % 4) wait_until_asleep(&wait);
        wh_cancel(root, reason_x, NULL);
        assert_int_equal(wait_end(&wait), ECANCELED);
    }
}

static void T127_a_sleeping_thread_can_be_cancelled(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct wait sleeps = {.fn = sleep_long, .ctx = ctx}, ticks = {.fn = tick_long, .ctx = ctx}, never = {.fn = sleep_long};
    wait_vanishes(&sleeps);
    wait_vanishes(&ticks);
    wait_vanishes(&never);
    assert_int_equal(ctx->refs, 1);
    assert_true(wh_cancel(ctx, reason_x, NULL));
}

static void T126_signals_neither_end_nor_lengthen_it(void **state)
{
    (void)state;
    struct pest pest;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(12));
    pest_begin(&pest);
    const int64_t began = wh_now();
    assert_int_equal(wh_sleep(NULL, WH_MS(5)), 0);
    assert_true(wh_now() - began >= WH_MS(5));
    assert_int_equal(wh_sleep(ctx, WH_SEC(1000)), ETIMEDOUT);
    assert_true(wh_now() >= wh_deadline(ctx));
    pest_end(&pest);
}

static bool sleep_without_timers(void *unused)
{
    (void)unused;
    CHECK(use_up_descriptors());
    wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(5));
    CHECK(wh_sleep(ctx, WH_MS(1)) == 0 || wh_err(ctx));
    CHECK(wh_sleep(ctx, WH_SEC(1000)) == ETIMEDOUT);
    wh_end(ctx);
    return true;
}

static void T121_the_deadline_counts_without_a_thread_for_it(void **state)
{
    (void)state;
    assert_int_equal(in_child(sleep_without_timers, NULL), 0);
}

/* ---- ticking ---- */

/* Instants are compared, not times: whatever the machine does meanwhile, each tick is due where the first one put it. */
static void T070_a_ticker_does_not_drift(void **state)
{
    (void)state;
    uint32_t seed = 3;
    uint64_t seen_missed = 0;
    const int64_t period = 3001;
    struct wh_ticker ticker = wh_ticker_begin(period);
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    int64_t first = 0;
    const int ticks = rounds(100000);
    prctl(PR_SET_TIMERSLACK, 1UL); /* or the kernel adds 50 microseconds to each */
    for (int i = 0; i < ticks; i++) {
        uint64_t missed = UINT64_MAX;
        assert_int_equal(wh_tick(ctx, &ticker, &missed), 0);
        const int64_t now = wh_now(), mine = ticker.next - period;
        if (i == 0) first = mine - (int64_t)missed * period;
        seen_missed += missed;
        assert_true(now >= mine); /* never early */
        assert_true(mine == first + (int64_t)((uint64_t)i + seen_missed) * period);
        while (i % 10 && wh_now() < ticker.next) dawdle(&seed); /* as work does that takes up the period, and more */
    }
    assert_int_equal(ticker.ticks, ticks);
    assert_int_equal(ticker.missed, seen_missed);
    assert_true(seen_missed > 0); /* it was slow at times */
}

static void T070_ticks_that_nobody_waited_for_are_counted(void **state)
{
    (void)state;
    const int64_t period = WH_SEC(100), now = wh_now();
    struct wh_ticker ticker = {.period = period, .next = now - 3 * period - period / 2, .begun = true};
    uint64_t missed = 9;
    assert_int_equal(wh_tick(NULL, &ticker, &missed), 0);
    assert_int_equal(missed, 3);
    assert_true(ticker.next == now + period / 2);
    ticker.next = now - 1; /* in time, nearly */
    assert_int_equal(wh_tick(NULL, &ticker, &missed), 0);
    assert_int_equal(missed, 0);
    assert_true(ticker.next == now - 1 + period);
    assert_int_equal(ticker.missed, 3);
    assert_int_equal(ticker.ticks, 2);
}

static void T070_a_cancelled_ticker_is_as_it_was(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(1));
    struct wh_ticker ticker = {.period = WH_SEC(1000), .next = wh_now() + WH_SEC(500), .ticks = 5, .missed = 6, .begun = true};
    const int64_t next = ticker.next;
    uint64_t missed = 77;
    assert_int_equal(wh_tick(ctx, &ticker, &missed), ETIMEDOUT);
    assert_true(ticker.next == next && ticker.ticks == 5 && ticker.missed == 6);
    assert_int_equal(missed, 77);
    struct wh_ticker fresh = wh_ticker_begin(WH_SEC(1000));
    assert_int_equal(wh_tick(ctx, &fresh, &missed), ETIMEDOUT);
    assert_false(fresh.begun);
}

static void of_any_period(void **state)
{
    (void)state;
    const int64_t wrong[] = {0, -1, INT64_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct wh_ticker ticker = wh_ticker_begin(wrong[i]);
        assert_int_equal(wh_tick(NULL, &ticker, NULL), EINVAL);
    }
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_US(100));
    struct wh_ticker never = wh_ticker_begin(WH_NEVER), soon = wh_ticker_begin(1);
    assert_int_equal(wh_tick(NULL, &soon, NULL), 0);
    assert_int_equal(wh_tick(NULL, &soon, NULL), 0);
    assert_int_equal(wh_tick(ctx, &never, NULL), ETIMEDOUT);
    struct wh_ticker old = {.period = WH_NEVER, .next = 5, .begun = true};
    assert_int_equal(wh_tick(NULL, &old, NULL), 0);
    assert_true(old.next == WH_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T070_it_says_which_of_the_two_it_was),
        cmocka_unit_test(T128_it_asks_before_it_sleeps),
        cmocka_unit_test(T128_a_cancel_wakes_it),
        cmocka_unit_test(T127_a_sleeping_thread_can_be_cancelled),
        cmocka_unit_test(T126_signals_neither_end_nor_lengthen_it),
        cmocka_unit_test(T121_the_deadline_counts_without_a_thread_for_it),
        cmocka_unit_test(T070_a_ticker_does_not_drift),
        cmocka_unit_test(T070_ticks_that_nobody_waited_for_are_counted),
        cmocka_unit_test(T070_a_cancelled_ticker_is_as_it_was),
        cmocka_unit_test(of_any_period),
    };
    return cmocka_run_group_tests_name("sleep", tests, NULL, NULL);
}
