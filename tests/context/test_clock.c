/* Clocks of one's own: who goes by them, what fires when they are moved, and in which order. */
#include "clock_tools.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)

/* ---- moving it ---- */

static void T068_what_is_due_fires_in_order_and_nothing_else(void **state)
{
    (void)state;
    wh_clock *clock = begin(1000);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    const int64_t timeouts[] = {50, 10, 30, 10, 51, 30, 10};
    const int order[] = {1, 3, 6, 2, 5, 0};
    struct alarm alarms[7];
    for (int i = 0; i < 7; i++) set(&alarms[i], i, wh_with_timeout(root, timeouts[i]));
    for (int i = 0; i < 7; i++) assert_int_equal(wh_deadline(alarms[i].ctx), 1000 + timeouts[i]);
    wh_clock_advance(clock, 9);
    assert_int_equal(fired.count, 0);
    assert_int_equal(wh_remaining(alarms[1].ctx), 1);
    assert_int_equal(wh_clock_now(clock), 1009);
    wh_clock_advance(clock, 1);
    assert_int_equal(fired.count, 3);
    wh_clock_advance(clock, 40);
    assert_int_equal(fired.count, 6);
    assert_int_equal(wh_clock_now(clock), 1050);
    for (int i = 0; i < 6; i++) assert_int_equal(fired.who[i], order[i]);
    for (int i = 0; i < 6; i++) assert_int_equal(fired.at[i], 1000 + timeouts[order[i]]);
    assert_int_equal(wh_err(alarms[4].ctx), 0);
    assert_int_equal(wh_remaining(alarms[4].ctx), 1);
    for (int i = 0; i < 7; i++) wh_end(alarms[i].ctx);
    wh_clock_free(clock);
}

static void T068_time_does_not_go_back_and_does_not_overflow(void **state)
{
    (void)state;
    wh_clock *clock = begin(INT64_MAX - 100);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *never = wh_with_timeout(root, 1000);
    WH_AUTO wh_ctx *late = wh_with_timeout(root, 99);
    assert_int_equal(wh_deadline(never), WH_NEVER);
    wh_clock_advance(clock, -50);
    assert_int_equal(wh_clock_now(clock), INT64_MAX - 100);
    wh_clock_advance(clock, INT64_MAX);
    assert_int_equal(wh_clock_now(clock), INT64_MAX);
    assert_int_equal(wh_err(late), ETIMEDOUT);
    assert_int_equal(wh_err(never), 0);
    assert_int_equal(wh_wait(never, 0), 0);
    wh_clock_free(clock);
}

/* ---- who goes by it ---- */

static void T068_everything_below_goes_by_it(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *value = wh_with_number(root, 1);
    WH_AUTO wh_ctx *inner = wh_with_cancel(value);
    WH_AUTO wh_ctx *timed = wh_with_timeout(inner, WH_SEC(10));
    WH_AUTO wh_ctx *child = wh_with_cancel(timed);
    WH_AUTO wh_ctx *sooner = wh_with_deadline(child, WH_SEC(5));
    WH_AUTO wh_ctx *later = wh_with_deadline(child, WH_SEC(50));
    WH_AUTO wh_ctx *detached = wh_detach(child);
    WH_AUTO wh_ctx *its_own = wh_with_timeout(detached, WH_SEC(20));
    WH_AUTO wh_ctx *span = wh_start(child, "span", .timeout = WH_SEC(3));
    WH_AUTO wh_ctx *until = wh_start(child, "span", .deadline = WH_SEC(4));
    WH_AUTO wh_ctx *outside = wh_with_timeout(NULL, WH_SEC(1000));
    assert_int_equal(wh_deadline(sooner), WH_SEC(5));
    assert_int_equal(wh_deadline(later), WH_SEC(10));
    assert_int_equal(wh_deadline(span), WH_SEC(3));
    assert_int_equal(wh_deadline(until), WH_SEC(4));
    const struct {
        int64_t at;
        const wh_ctx *ctx;
    } expected[] = {{3, span}, {4, until}, {5, sooner}, {10, timed}, {10, child}, {10, later}, {20, its_own}};
    for (int64_t second = 1; second <= 21; second++) {
        wh_clock_advance(clock, WH_SEC(1));
        for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
            assert_int_equal(wh_err(expected[i].ctx), expected[i].at <= second ? ETIMEDOUT : 0);
    }
    wh_clock_advance(clock, WH_SEC(1000000));
    assert_int_equal(wh_err(detached), 0);
    assert_int_equal(wh_err(outside), 0);
    assert_int_equal(wh_err(root), 0);
    wh_clock_free(clock);
}

static void T044_T068_a_deadline_that_has_passed_by_it(void **state)
{
    (void)state;
    wh_clock *clock = begin(WH_SEC(5));
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    const int64_t before = wh_now();
    WH_AUTO wh_ctx *past = wh_with_deadline(root, WH_SEC(5));
    WH_AUTO wh_ctx *none = wh_with_timeout(root, 0);
    WH_AUTO wh_ctx *span = wh_start(root, "span", .deadline = WH_SEC(4));
    assert_int_equal(wh_err(past), ETIMEDOUT);
    assert_int_equal(wh_err(none), ETIMEDOUT);
    assert_int_equal(wh_err(span), ETIMEDOUT);
    assert_null(root->children);
    assert_true(cause_of(past).at >= before && cause_of(past).at <= wh_now()); /* by the clock of the system */
    wh_clock_free(clock);
}

static void T068_each_clock_fires_its_own(void **state)
{
    (void)state;
    wh_clock *clock = begin(0), *other = wh_clock_new(WH_SEC(1000));
    WH_AUTO wh_ctx *real = wh_with_timeout(NULL, WH_SEC(500));
    WH_AUTO wh_ctx *root = wh_with_clock(real, clock);
    WH_AUTO wh_ctx *upper = wh_with_timeout(root, WH_SEC(10));
    WH_AUTO wh_ctx *again = wh_with_clock(upper, clock);
    WH_AUTO wh_ctx *middle = wh_with_clock(again, other);
    WH_AUTO wh_ctx *lower = wh_with_timeout(middle, WH_SEC(20));
    assert_int_equal(wh_deadline(root), WH_NEVER);
    assert_int_equal(wh_deadline(again), WH_SEC(10)); /* the same clock */
    assert_int_equal(wh_deadline(middle), WH_NEVER);
    assert_int_equal(wh_deadline(lower), WH_SEC(1020));
    wh_clock_advance(other, WH_SEC(19));
    wh_clock_advance(clock, WH_SEC(9));
    assert_int_equal(wh_err(lower), 0);
    wh_clock_advance(clock, WH_SEC(1));
    assert_int_equal(wh_err(lower), ETIMEDOUT);
    assert_ptr_equal(cause_of(lower).origin, upper->made);
    assert_int_equal(wh_err(root), 0);
    assert_int_equal(wh_err(real), 0);
    wh_clock_advance(other, WH_SEC(100));
    assert_ptr_equal(cause_of(lower).origin, upper->made);
    wh_clock_free(clock);
    wh_clock_free(other);
}

/* Whose deadline is above, by the system's clock, is done in time, however late the timer. */
static void T068_a_deadline_above_keeps_the_clock_of_the_system(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    for (int late = 0; late < 2; late++) {
        WH_AUTO wh_ctx *real = wh_with_timeout(NULL, WH_MS(2));
        WH_AUTO wh_ctx *root = wh_with_clock(real, clock);
        WH_AUTO wh_ctx *child = wh_with_timeout(root, WH_SEC(10));
        if (late) wh__timer_disarm(real);
        assert_int_equal(wh_wait(child, WH_SEC(1)), ETIMEDOUT);
        assert_true(wh_now() >= wh_deadline(real));
        assert_ptr_equal(cause_of(child).origin, real->made);
        assert_int_equal(wh_clock_now(clock), 0);
    }
    wh_clock_free(clock);
}

static void T068_T095_merged_under_clocks(void **state)
{
    (void)state;
    wh_clock *clock = begin(0), *other = wh_clock_new(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *elsewhere = wh_with_clock(NULL, other);
    WH_AUTO wh_ctx *soon = wh_with_timeout(root, 10);
    WH_AUTO wh_ctx *late = wh_with_timeout(root, 20);
    WH_AUTO wh_ctx *sooner = wh_with_timeout(elsewhere, 5);
    WH_AUTO wh_ctx *same = wh_merge(late, soon);
    WH_AUTO wh_ctx *both = wh_merge(late, sooner);
    WH_AUTO wh_ctx *below = wh_with_timeout(both, 15);
    WH_AUTO wh_ctx *real = wh_merge(NULL, soon);
    assert_int_equal(wh_deadline(same), 10);
    assert_int_equal(wh_deadline(both), 20);
    assert_int_equal(wh_deadline(below), 15);
    assert_int_equal(wh_deadline(real), WH_NEVER);
    wh_clock_advance(clock, 10);
    assert_int_equal(wh_err(same), ETIMEDOUT);
    assert_int_equal(wh_err(real), ETIMEDOUT);
    assert_int_equal(wh_err(both), 0);
    wh_clock_advance(other, 5);
    assert_int_equal(wh_err(below), ETIMEDOUT);
    assert_int_equal(wh_err(late), 0);
    wh_clock_free(clock);
    wh_clock_free(other);
}

/* ---- timers that are taken back ---- */

static int by_deadline(const void *a, const void *b)
{
    const struct alarm *x = *(struct alarm *const *)a, *y = *(struct alarm *const *)b;
    const int64_t apart = wh_deadline(x->ctx) - wh_deadline(y->ctx);
    return apart ? apart < 0 ? -1 : 1 : x->number - y->number;
}

static void T052_T068_random_timers_set_and_taken_back(void **state)
{
    (void)state;
    uint32_t seed = 3;
    for (int round = chances(20); round; round--) {
        static struct alarm alarms[MOST];
        struct alarm *expected[MOST];
        int count = 0;
        wh_clock *clock = begin(0);
        wh_ctx *root = wh_with_clock(NULL, clock);
        for (int i = 0; i < MOST; i++) set(&alarms[i], i, wh_with_timeout(root, 1 + next_random(&seed) % 300));
        for (int i = 0; i < MOST; i++) {
            const uint32_t fate = next_random(&seed) % 4;
            if (fate == 0) wh_end(alarms[i].ctx);
            if (fate == 0) alarms[i].ctx = NULL;
            else expected[count++] = &alarms[i];
        }
        qsort(expected, (size_t)count, sizeof *expected, by_deadline);
        while (fired.count < count) wh_clock_advance(clock, next_random(&seed) % 50);
        wh_clock_advance(clock, 300);
        assert_int_equal(fired.count, count);
        for (int i = 0; i < count; i++) assert_int_equal(fired.who[i], expected[i]->number);
        for (int i = 0; i < count; i++) assert_int_equal(fired.at[i], wh_deadline(expected[i]->ctx));
        for (int i = 0; i < MOST; i++) wh_end(alarms[i].ctx);
        assert_null(root->children);
        wh_end(root);
        wh_clock_free(clock);
    }
}

static void T052_T068_who_is_cancelled_before_does_not_fire(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *upper = wh_with_timeout(root, 20);
    WH_AUTO wh_ctx *lower = wh_with_timeout(upper, 10);
    wh_cancel(upper, reason_x, NULL);
    assert_int_equal(upper->timer, 0);
    assert_int_equal(lower->timer, 0);
    wh_clock_advance(clock, 100);
    assert_ptr_equal(wh_cause(lower), reason_x);
    assert_int_equal(cause_of(lower).losers, 0);
    wh_clock_free(clock);
}

/* ---- callbacks that meddle ---- */

static struct {
    wh_clock *clock;
    wh_ctx *root, *added, *other;
    int64_t seen[4];
} meddler;

static void move_on(void *arg)
{
    meddler.seen[0] = wh_clock_now(meddler.clock);
    wh_clock_advance(meddler.clock, *(int64_t *)arg);
    meddler.seen[1] = wh_clock_now(meddler.clock);
}

static void T068_a_callback_moves_the_clock(void **state)
{
    (void)state;
    for (int64_t by = 5; by <= 50; by += 45) {
        wh_clock *clock = begin(0);
        WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
        struct alarm alarms[3];
        set(&alarms[0], 0, wh_with_timeout(root, 14));
        WH_AUTO wh_ctx *moving = wh_with_timeout(root, 10);
        set(&alarms[1], 1, wh_with_timeout(root, 12));
        set(&alarms[2], 2, wh_with_timeout(root, 40));
        meddler.clock = clock;
        assert_int_equal(wh_after_inline(moving, move_on, &by, NULL), 0);
        wh_clock_advance(clock, 20);
        assert_int_equal(meddler.seen[0], 10);
        assert_int_equal(meddler.seen[1], 10 + by);
        assert_int_equal(wh_clock_now(clock), by == 5 ? 20 : 60);
        assert_int_equal(fired.count, by == 5 ? 2 : 3);
        assert_int_equal(fired.who[0], 1);
        assert_int_equal(fired.who[1], 0);
        for (int i = 0; i < 3; i++) wh_end(alarms[i].ctx);
        wh_clock_free(clock);
    }
}

static void add_and_end(void *arg)
{
    (void)arg;
    meddler.added = wh_with_timeout(meddler.root, 5);
    WH_AUTO wh_ctx *past = wh_with_timeout(meddler.root, 0);
    assert_int_equal(wh_err(past), ETIMEDOUT);
    wh_end(meddler.other);
}

static void T068_a_callback_adds_and_takes_away(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    meddler.root = wh_with_clock(NULL, clock);
    wh_ctx *adding = wh_with_timeout(meddler.root, 10);
    meddler.other = wh_with_timeout(meddler.root, 12);
    assert_int_equal(wh_after_inline(adding, add_and_end, NULL, NULL), 0);
    wh_clock_advance(clock, 14);
    assert_int_equal(wh_err(meddler.added), 0);
    assert_int_equal(wh_deadline(meddler.added), 15);
    wh_clock_advance(clock, 1);
    assert_int_equal(wh_err(meddler.added), ETIMEDOUT);
    wh_end(meddler.added);
    wh_end(adding);
    wh_end(meddler.root);
    wh_clock_free(clock);
}

static void end_all_of_it(void *arg)
{
    (void)arg;
    wh_end(meddler.other);
    wh_end(meddler.added);
    wh_end(meddler.root);
    wh_clock_free(meddler.clock);
}

static void T109_T068_a_callback_frees_the_clock(void **state)
{
    (void)state;
    meddler.clock = begin(0);
    meddler.root = wh_with_clock(NULL, meddler.clock);
    meddler.added = wh_with_timeout(meddler.root, 10);
    meddler.other = wh_with_timeout(meddler.root, 20);
    assert_int_equal(wh_after_inline(meddler.added, end_all_of_it, NULL, NULL), 0);
    wh_clock_advance(meddler.clock, 30);
}

static void T068_freed_before_its_contexts(void **state)
{
    (void)state;
    wh_clock *clock = begin(7);
    wh_ctx *root = wh_with_clock(NULL, clock);
    wh_ctx *timed = wh_with_timeout(root, 10);
    wh_clock_free(clock);
    wh_ctx *more = wh_with_timeout(timed, 5);
    assert_int_equal(wh_deadline(more), 12);
    assert_int_equal(wh_remaining(more), 5);
    assert_int_equal(wh_wait(more, 0), 0);
    wh_end(root);
    assert_ptr_equal(wh_cause(more), WH_ENDED);
    wh_end(timed);
    wh_end(more);
    wh_clock_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T068_what_is_due_fires_in_order_and_nothing_else),
        cmocka_unit_test(T068_time_does_not_go_back_and_does_not_overflow),
        cmocka_unit_test(T068_everything_below_goes_by_it),
        cmocka_unit_test(T044_T068_a_deadline_that_has_passed_by_it),
        cmocka_unit_test(T068_each_clock_fires_its_own),
        cmocka_unit_test(T068_a_deadline_above_keeps_the_clock_of_the_system),
        cmocka_unit_test(T068_T095_merged_under_clocks),
        cmocka_unit_test(T052_T068_random_timers_set_and_taken_back),
        cmocka_unit_test(T052_T068_who_is_cancelled_before_does_not_fire),
        cmocka_unit_test(T068_a_callback_moves_the_clock),
        cmocka_unit_test(T068_a_callback_adds_and_takes_away),
        cmocka_unit_test(T109_T068_a_callback_frees_the_clock),
        cmocka_unit_test(T068_freed_before_its_contexts),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
