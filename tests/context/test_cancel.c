/* Cancel: who wins, what it fixes, whom it reaches. */
#include <errno.h>

#include "tools.h"

WH_REASON(reason_x, "x");
WH_REASON(reason_y, "y", .http_status = 418);
WH_KEY(number, int)

static void T001_T035_background_is_never_done(void **state)
{
    (void)state;
    const wh_ctx *roots[] = {wh_background(), wh_todo(), NULL};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(wh_err(roots[i]), 0);
        assert_null(wh_cause(roots[i]));
        assert_int_equal(wh_deadline(roots[i]), WH_NEVER);
        assert_int_equal(wh_remaining(roots[i]), WH_NEVER);
        assert_int_equal(wh_done_fd(roots[i]), -1);
        assert_int_equal(errno, 0);
        assert_false(wh_cancellable(roots[i]));
        assert_int_equal(wh_wait(roots[i], WH_US(10)), 0);
        wh_release(wh_hold(roots[i]));
        wh_end((wh_ctx *)roots[i]);
    }
    assert_ptr_equal(wh_background(), wh_background());
    assert_ptr_not_equal(wh_background(), wh_todo());
}

static void T005_a_fresh_context_is_wanted(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(wh_background());
    assert_int_equal(wh_err(ctx), 0);
    assert_null(wh_cause(ctx));
    assert_true(wh_cancellable(ctx));
    assert_false(readable(wh_done_fd(ctx)));
    struct wh_cause cause = {.size = sizeof cause, .losers = 77};
    assert_false(wh_cause_info(ctx, &cause));
    assert_int_equal(cause.losers, 77);
}

static void T006_values_alone_cannot_be_cancelled(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *one = wh_with_number(NULL, 1);
    WH_AUTO wh_ctx *two = wh_with_number(one, 2);
    assert_false(wh_cancellable(two));
    assert_int_equal(wh_done_fd(two), -1);
    assert_int_equal(errno, 0);
    assert_int_equal(wh_err(two), 0);
    assert_false(wh_cancel(two, reason_x, NULL));
    assert_int_equal(wh_err(two), 0);
}

static void T009_T010_first_cancel_wins(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(wh_background());
    const int fd = wh_done_fd(ctx);
    assert_false(readable(fd));
    assert_true(wh_cancel(ctx, reason_x, "because"));
    assert_int_equal(wh_err(ctx), ECANCELED);
    assert_ptr_equal(wh_cause(ctx), reason_x);
    assert_true(readable(fd));
    assert_false(wh_cancel(ctx, reason_y, "later"));
    assert_ptr_equal(wh_cause(ctx), reason_x);
    assert_true(readable(fd));
    const struct wh_cause cause = cause_of(ctx);
    assert_string_equal(cause.text, "because");
    assert_int_equal(cause.losers, 1);
    assert_ptr_equal(cause.loser_reason, reason_y);
}

static void T011_no_reason_is_canceled(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    assert_true(wh_cancel(ctx, NULL, NULL));
    assert_ptr_equal(wh_cause(ctx), WH_CANCELED);
    assert_int_equal(wh_err(ctx), ECANCELED);
}

static void T037_an_error_is_one_of_two(void **state)
{
    (void)state;
    WH_REASON(late, "late", .err = ETIMEDOUT);
    WH_REASON(strange, "strange", .err = EIO);
    WH_REASON(negative, "negative", .err = -1);
    WH_AUTO wh_ctx *one = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *two = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *three = wh_with_cancel(NULL);
    wh_cancel(one, late, NULL);
    wh_cancel(two, strange, NULL);
    wh_cancel(three, negative, NULL);
    assert_int_equal(wh_err(one), ETIMEDOUT);
    assert_int_equal(wh_err(two), ECANCELED);
    assert_int_equal(wh_err(three), ECANCELED);
}

static void T013_T014_down_but_not_up(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *child = wh_with_cancel(parent);
    WH_AUTO wh_ctx *sibling = wh_with_cancel(parent);
    WH_AUTO wh_ctx *grandchild = wh_with_cancel(child);
    wh_cancel(child, reason_x, NULL);
    assert_int_equal(wh_err(parent), 0);
    assert_int_equal(wh_err(sibling), 0);
    assert_int_equal(wh_err(grandchild), ECANCELED);
    assert_ptr_equal(wh_cause(grandchild), reason_x);
    wh_cancel(parent, reason_y, NULL);
    assert_ptr_equal(wh_cause(child), reason_x);
    assert_ptr_equal(wh_cause(sibling), reason_y);
}

static void T015_T016_whoever_was_first_keeps_its_own(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *before = wh_with_cancel(parent);
    WH_AUTO wh_ctx *after = wh_with_cancel(parent);
    assert_true(wh_cancel(before, reason_x, NULL));
    assert_true(wh_cancel(parent, reason_y, NULL));
    assert_false(wh_cancel(after, reason_x, NULL));
    assert_ptr_equal(wh_cause(before), reason_x);
    assert_ptr_equal(wh_cause(after), reason_y);
    assert_ptr_equal(wh_cause(parent), reason_y);
}

static void T017_born_done_below_a_done_parent(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    wh_cancel(parent, reason_x, NULL);
    WH_AUTO wh_ctx *child = wh_with_cancel(parent);
    WH_AUTO wh_ctx *value = wh_with_number(parent, 1);
    WH_AUTO wh_ctx *below_value = wh_with_cancel(value);
    assert_ptr_equal(wh_cause(child), reason_x);
    assert_ptr_equal(wh_cause(value), reason_x);
    assert_ptr_equal(wh_cause(below_value), reason_x);
    assert_false(wh_cancel(child, reason_y, NULL));
    assert_int_equal(cause_of(below_value).depth, 2);
}

static void T018_a_child_of_an_expired_parent_has_timed_out(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_timeout(NULL, 0);
    WH_AUTO wh_ctx *child = wh_with_cancel(parent);
    assert_int_equal(wh_err(child), ETIMEDOUT);
    assert_ptr_equal(wh_cause(child), WH_DEADLINE_EXCEEDED);
    assert_ptr_equal(cause_of(child).origin, cause_of(parent).origin);
}

/* Who derives in several steps gives out one owner: what cancels the first step cancels it. */
static void taking_over_includes_the_right_to_cancel(void **state)
{
    (void)state;
    wh_ctx *inner = wh_with_cancel(NULL);
    wh_ctx *outer = wh_take_over(wh_with_number(inner, 5), inner);
    WH_AUTO wh_ctx *owner = wh_take_over(wh_with_number(outer, 6), outer);
    WH_AUTO wh_ctx *below = wh_with_cancel(owner);
    assert_true(wh_cancel(owner, reason_x, NULL));
    assert_ptr_equal(wh_cause(owner), reason_x);
    assert_ptr_equal(wh_cause(below), reason_x);
    assert_false(wh_cancel(owner, reason_y, NULL));
}

static void ending_ends_what_was_taken_over(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    wh_ctx *inner = wh_with_cancel(root);
    wh_ctx *owner = wh_take_over(wh_with_number(inner, 5), inner);
    const wh_ctx *held = wh_hold(owner);
    wh_end(owner);
    assert_ptr_equal(wh_cause(held), WH_ENDED);
    assert_int_equal(wh_err(root), 0);
    wh_release(held);
}

static void ending_under_holders_is_a_cancel(void **state)
{
    (void)state;
    wh_ctx *ctx = wh_with_cancel(NULL);
    const wh_ctx *held = wh_hold(ctx);
    WH_AUTO wh_ctx *child = wh_with_cancel(ctx);
    wh_end(ctx);
    assert_ptr_equal(wh_cause(held), WH_ENDED);
    assert_ptr_equal(wh_cause(child), WH_ENDED);
    assert_int_equal(wh_err(child), ECANCELED);
    wh_release(held);
}

/* A context that only carries a value is not a thing of its own that could be cancelled or ended (R14, R21). */
static void ending_a_value_cancels_nothing(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    wh_ctx *value = wh_with_number(root, 3);
    WH_AUTO wh_ctx *child = wh_with_cancel(value);
    wh_end(value);
    assert_int_equal(wh_err(child), 0);
    assert_int_equal(wh_number(child), 3);
    assert_true(wh_cancel(root, reason_x, NULL));
    assert_ptr_equal(wh_cause(child), reason_x);
}

static void parents_may_end_first(void **state)
{
    (void)state;
    wh_ctx *chain[100];
    chain[0] = wh_with_cancel(NULL);
    for (int i = 1; i < 100; i++) chain[i] = i % 3 ? wh_with_cancel(chain[i - 1]) : wh_with_number(chain[i - 1], i);
    for (int i = 0; i < 100; i++) {
        wh_end(chain[i]);
        if (i < 99) assert_ptr_equal(wh_cause(chain[99]), WH_ENDED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T001_T035_background_is_never_done),
        cmocka_unit_test(T005_a_fresh_context_is_wanted),
        cmocka_unit_test(T006_values_alone_cannot_be_cancelled),
        cmocka_unit_test(T009_T010_first_cancel_wins),
        cmocka_unit_test(T011_no_reason_is_canceled),
        cmocka_unit_test(T037_an_error_is_one_of_two),
        cmocka_unit_test(T013_T014_down_but_not_up),
        cmocka_unit_test(T015_T016_whoever_was_first_keeps_its_own),
        cmocka_unit_test(T017_born_done_below_a_done_parent),
        cmocka_unit_test(T018_a_child_of_an_expired_parent_has_timed_out),
        cmocka_unit_test(taking_over_includes_the_right_to_cancel),
        cmocka_unit_test(ending_ends_what_was_taken_over),
        cmocka_unit_test(ending_under_holders_is_a_cancel),
        cmocka_unit_test(ending_a_value_cancels_nothing),
        cmocka_unit_test(parents_may_end_first),
    };
    return cmocka_run_group_tests_name("cancel", tests, NULL, NULL);
}
