/* Deadlines: which one holds, that it fires, and never early. */
#include <errno.h>
#include <stdlib.h>

#include "context/tree.h"
#include "shards_tools.h"

WH_REASON(reason_x, "x");

static bool is_armed(const wh_ctx *ctx)
{
    return __atomic_load_n(&ctx->timer, __ATOMIC_ACQUIRE) != 0;
}

/* ---- firing ---- */

static void note_instant(void *arg)
{
    __atomic_store_n((int64_t *)arg, wh_now(), __ATOMIC_RELEASE);
}

static void T043_never_early_and_not_long_after(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int64_t fired = 0;
        const int64_t before = wh_now();
        WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_US(100) + WH_US(517) * i);
        assert_true(wh_deadline(ctx) >= before + WH_US(100) + WH_US(517) * i);
        assert_int_equal(wh_after_inline(ctx, note_instant, &fired, NULL), 0);
        assert_int_equal(wh_wait(ctx, WH_SEC(20)), ETIMEDOUT);
        assert_true(wh_now() >= wh_deadline(ctx));
        EVENTUALLY(__atomic_load_n(&fired, __ATOMIC_ACQUIRE));
        assert_true(fired >= wh_deadline(ctx));
        assert_true(cause_of(ctx).at >= wh_deadline(ctx));
        assert_ptr_equal(wh_cause(ctx), WH_DEADLINE_EXCEEDED);
    }
}

/* Nobody waits in the library: then the timer thread fires it. */
static void T043_fires_also_where_nobody_waits(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(3));
    while (!wh_err(ctx)) assert_true(wh_now() < wh_deadline(ctx) + WH_SEC(20));
    assert_true(wh_now() >= wh_deadline(ctx));
    WH_AUTO wh_ctx *polled = wh_with_timeout(NULL, WH_MS(3));
    struct pollfd p = {.fd = wh_done_fd(polled), .events = POLLIN};
    assert_int_equal(poll(&p, 1, 20000), 1);
    assert_int_equal(wh_err(polled), ETIMEDOUT);
}

/* ---- what has passed ---- */

static void T044_T045_T046_what_has_passed_is_born_done(void **state)
{
    (void)state;
    const int64_t timeouts[] = {0, -1, -WH_SEC(1), INT64_MIN, INT64_MIN + 1};
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        WH_AUTO wh_ctx *child = wh_with_timeout(parent, timeouts[i]);
        WH_AUTO wh_ctx *root = wh_with_timeout(NULL, timeouts[i]);
        WH_AUTO wh_ctx *absolute = wh_with_deadline(parent, i ? timeouts[i] : wh_now());
        assert_int_equal(wh_err(child), ETIMEDOUT);
        assert_int_equal(wh_err(root), ETIMEDOUT);
        assert_int_equal(wh_err(absolute), ETIMEDOUT);
        assert_ptr_equal(wh_cause(absolute), WH_DEADLINE_EXCEEDED);
        assert_int_equal(wh_remaining(child), 0);
        assert_false(is_armed(child));
        assert_null(child->link);
        assert_null(parent->children);
        assert_true(readable(wh_done_fd(child)));
        assert_false(wh_cancel(child, reason_x, NULL));
    }
}

static void T047_a_done_parent_beats_a_past_deadline(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    wh_cancel(parent, reason_x, NULL);
    WH_AUTO wh_ctx *child = wh_with_timeout(parent, -1);
    assert_int_equal(wh_err(child), ECANCELED);
    assert_ptr_equal(wh_cause(child), reason_x);
}

/* ---- whose holds ---- */

static void T048_T051_the_earlier_one_holds_and_ties_are_the_ancestors(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_timeout(NULL, WH_MS(60));
    WH_AUTO wh_ctx *later = wh_with_timeout(parent, WH_SEC(50));
    WH_AUTO wh_ctx *equal = wh_with_deadline(parent, wh_deadline(parent));
    WH_AUTO wh_ctx *below = wh_with_cancel(later);
    const wh_ctx *all[] = {later, equal, below};
    assert_true(is_armed(parent));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wh_deadline(all[i]), wh_deadline(parent));
        assert_false(is_armed(all[i]));
    }
    assert_int_equal(wh_wait(below, WH_SEC(20)), ETIMEDOUT);
    for (int i = 0; i < 3; i++) {
        EVENTUALLY(wh_err(all[i]) == ETIMEDOUT);
        assert_ptr_equal(cause_of(all[i]).origin, cause_of(parent).origin);
        assert_ptr_equal(cause_of(all[i]).site, cause_of(parent).site);
        assert_int_equal(wh_deadline(all[i]), wh_deadline(parent));
    }
    assert_int_equal(cause_of(later).deadline_asked, WH_SEC(50));
}

static void T050_an_earlier_child_expires_alone(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_timeout(NULL, WH_SEC(50));
    WH_AUTO wh_ctx *child = wh_with_timeout(parent, WH_MS(40));
    assert_true(is_armed(child));
    assert_true(wh_deadline(child) < wh_deadline(parent));
    assert_int_equal(wh_wait(child, WH_SEC(20)), ETIMEDOUT);
    assert_int_equal(wh_err(parent), 0);
    assert_int_equal(cause_of(child).depth, 0);
}

static void T052_T053_a_cancel_disarms(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(200));
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *child = wh_with_timeout(parent, WH_MS(200));
    assert_true(is_armed(ctx) && is_armed(child));
    assert_true(wh_cancel(ctx, reason_x, NULL));
    assert_true(wh_cancel(parent, reason_x, NULL));
    assert_false(is_armed(ctx) || is_armed(child));
    wh_wait(NULL, WH_MS(250));
    assert_int_equal(wh_err(ctx), ECANCELED);
    assert_ptr_equal(wh_cause(ctx), reason_x);
    assert_ptr_equal(wh_cause(child), reason_x);
    assert_int_equal(cause_of(ctx).losers, 0);
}

static void T054_T055_whoever_is_first(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *far = wh_with_timeout(parent, WH_SEC(100));
    WH_AUTO wh_ctx *passed = wh_with_timeout(parent, 0);
    wh_cancel(parent, reason_x, NULL);
    assert_int_equal(wh_err(far), ECANCELED);
    assert_ptr_equal(wh_cause(far), reason_x);
    assert_int_equal(wh_err(passed), ETIMEDOUT);
}

static void T056_a_deadline_never_changes(void **state)
{
    (void)state;
    const int64_t instant = wh_now() + WH_MS(3);
    WH_AUTO wh_ctx *expires = wh_with_deadline(NULL, instant);
    WH_AUTO wh_ctx *cancelled = wh_with_deadline(NULL, instant);
    wh_cancel(cancelled, NULL, NULL);
    wh_wait(expires, WH_SEC(20));
    assert_int_equal(wh_deadline(expires), instant);
    assert_int_equal(wh_deadline(cancelled), instant);
    assert_int_equal(wh_remaining(expires), 0);
}

static void T057_T058_never_is_no_deadline(void **state)
{
    (void)state;
    const int64_t timeouts[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX - wh_now(), INT64_MAX - wh_now() - WH_SEC(5)};
    WH_AUTO wh_ctx *timed = wh_with_timeout(NULL, WH_SEC(100));
    for (size_t i = 0; i < 4; i++) {
        WH_AUTO wh_ctx *root = wh_with_timeout(NULL, timeouts[i]);
        WH_AUTO wh_ctx *child = wh_with_timeout(timed, timeouts[i]);
        assert_int_equal(wh_err(root), 0);
        assert_true(wh_deadline(root) > wh_now() + WH_SEC(1000000000));
        assert_int_equal(wh_deadline(child), wh_deadline(timed));
        wh_wait(root, WH_US(100));
        assert_int_equal(wh_err(root), 0);
    }
    WH_AUTO wh_ctx *never = wh_with_deadline(timed, WH_NEVER);
    assert_int_equal(wh_deadline(never), wh_deadline(timed));
    WH_AUTO wh_ctx *nearly = wh_with_deadline(NULL, INT64_MAX - 1);
    assert_int_equal(wh_deadline(nearly), INT64_MAX - 1);
    assert_int_equal(wh_err(nearly), 0);
}

/* ---- races ---- */

static void T060_expiry_and_cancel_at_one_instant(void **state)
{
    (void)state;
    int expired = 0;
    const int turns = quick_or_all(20000, 100000);
    uint32_t seed = 5;
    for (int i = 0; i < turns; i++) {
        const int64_t instant = wh_now() + 1000 + next_random(&seed) % 20000;
        WH_AUTO wh_ctx *ctx = wh_with_deadline(NULL, instant);
        WH_AUTO wh_ctx *child = wh_with_cancel(ctx);
        while (wh_now() < instant) continue;
        const bool won = wh_cancel(ctx, reason_x, NULL);
        assert_int_equal(wh_err(ctx), won ? ECANCELED : ETIMEDOUT);
        assert_ptr_equal(wh_cause(ctx), won ? reason_x : WH_DEADLINE_EXCEEDED);
        assert_int_equal(wh_err(child), wh_err(ctx));
        assert_ptr_equal(wh_cause(child), wh_cause(ctx));
        expired += !won;
    }
    print_message("           %d of %d expired\n", expired, turns);
}

/* The owner ends it just when it fires: the timer's thread must reach neither what is gone nor what took its place. */
static void ending_just_when_it_fires(void **state)
{
    (void)state;
    uint32_t seed = 6;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    for (int i = 0; i < chances(20000); i++) {
        const int64_t instant = wh_now() + 1000 + next_random(&seed) % 16000;
        wh_ctx *ctx = wh_with_deadline(i % 2 ? parent : NULL, instant);
        const int64_t end_at = instant + next_random(&seed) % 128000; /* it takes the thread so long to wake */
        while (wh_now() < end_at) continue;
        wh_end(ctx);
        WH_AUTO wh_ctx *next = wh_with_cancel(NULL);
        while (wh_now() < end_at + 5000) continue;
        assert_int_equal(wh_err(next), 0);
    }
    assert_int_equal(wh_err(parent), 0);
    assert_true(is_childless(parent));
    EVENTUALLY(refs_of(parent, true) == 1);
}

static void T061_a_million_live_none_early(void **state)
{
    (void)state;
    const int count = rounds(1000000);
    wh_ctx **all = calloc((size_t)count, sizeof *all);
    assert_non_null(all);
    uint32_t seed = 8;
    const int64_t begin = wh_now();
    for (int i = 0; i < count; i++) all[i] = wh_with_timeout(NULL, next_random(&seed) % WH_SEC(1));
    const int64_t made = wh_now();
    for (int i = 0; i < count; i++) EVENTUALLY(wh_err(all[i]));
    const int64_t done = wh_now();
    int64_t latest = 0;
    for (int i = 0; i < count; i++) {
        const struct wh_cause cause = cause_of(all[i]);
        assert_true(cause.at >= cause.deadline);
        if (cause.at - cause.deadline > latest) latest = cause.at - cause.deadline;
        wh_end(all[i]);
    }
    print_message("           made in %.0f ns each, all done after %.2f s, the latest %.2f ms late\n",
        (double)(made - begin) / count, (double)(done - begin) / 1e9, (double)latest / 1e6);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T043_never_early_and_not_long_after),
        cmocka_unit_test(T043_fires_also_where_nobody_waits),
        cmocka_unit_test(T044_T045_T046_what_has_passed_is_born_done),
        cmocka_unit_test(T047_a_done_parent_beats_a_past_deadline),
        cmocka_unit_test(T048_T051_the_earlier_one_holds_and_ties_are_the_ancestors),
        cmocka_unit_test(T050_an_earlier_child_expires_alone),
        cmocka_unit_test(T052_T053_a_cancel_disarms),
        cmocka_unit_test(T054_T055_whoever_is_first),
        cmocka_unit_test(T056_a_deadline_never_changes),
        cmocka_unit_test(T057_T058_never_is_no_deadline),
        cmocka_unit_test(T060_expiry_and_cancel_at_one_instant),
        cmocka_unit_test(ending_just_when_it_fires),
        cmocka_unit_test(T061_a_million_live_none_early),
    };
    return cmocka_run_group_tests_name("deadline", tests, NULL, NULL);
}
