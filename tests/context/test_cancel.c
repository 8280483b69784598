/* Cancel: who wins, what it fixes, whom it reaches. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "test.h"

WH_REASON(reason_x, "x");
WH_REASON(reason_y, "y", .http_status = 418);

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1 && p.revents & POLLIN;
}

static void T009_T010_first_cancel_wins(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(wh_background());
    const int fd = wh_done_fd(ctx);
    assert_int_equal(wh_err(ctx), 0);
    assert_null(wh_cause(ctx));
    assert_false(readable(fd));
    assert_true(wh_cancel(ctx, reason_x, "because"));
    assert_int_equal(wh_err(ctx), ECANCELED);
    assert_ptr_equal(wh_cause(ctx), reason_x);
    assert_true(readable(fd));
    assert_false(wh_cancel(ctx, reason_y, "later"));
    assert_ptr_equal(wh_cause(ctx), reason_x);
    struct wh_cause cause = {.size = sizeof cause};
    assert_true(wh_cause_info(ctx, &cause));
    assert_string_equal(cause.text, "because");
    assert_int_equal(cause.losers, 1);
    assert_ptr_equal(cause.loser_reason, reason_y);
}

static void T011_no_reason_is_canceled(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_cancel(ctx, NULL, NULL);
    assert_ptr_equal(wh_cause(ctx), WH_CANCELED);
}

struct contest {
    wh_ctx *ctx;
    const struct wh_reason *reason;
    bool won;
};

static void *contend(void *arg)
{
    struct contest *contest = arg;
    contest->won = wh_cancel(contest->ctx, contest->reason, NULL);
    return NULL;
}

static void T012_one_of_many_threads_wins(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    WH_REASON(reasons, "one of many");
    for (int round = 0; round < 200; round++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        struct wh_reason own[THREADS];
        struct contest contests[THREADS];
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            own[i] = reasons[0];
            contests[i] = (struct contest){ctx, &own[i], false};
            pthread_create(&threads[i], NULL, contend, &contests[i]);
        }
        int winners = 0;
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            if (!contests[i].won) continue;
            winners++;
            assert_ptr_equal(wh_cause(ctx), &own[i]);
        }
        assert_int_equal(winners, 1);
        struct wh_cause cause = {.size = sizeof cause};
        assert_true(wh_cause_info(ctx, &cause));
        assert_int_equal(cause.losers, THREADS - 1);
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T009_T010_first_cancel_wins),
        cmocka_unit_test(T011_no_reason_is_canceled),
        cmocka_unit_test(T012_one_of_many_threads_wins),
        cmocka_unit_test(T013_T014_down_but_not_up),
    };
    return cmocka_run_group_tests_name("cancel", tests, NULL, NULL);
}
