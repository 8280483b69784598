/* Groups: what the end of a member means for the others, and who is listed as having failed. */
#include <errno.h>

#include "tools.h"

WH_REASON(reason_x, "x");

static int succeed(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    if (arg) __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
    return 0;
}

static int fail_with(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    return (int)(intptr_t)arg;
}

#define CODE(code) ((void *)(intptr_t)(code))

/* Works until it is told to stop, or fails if nobody ever says so. */
struct worker {
    int begun, result;
    const struct wh_reason *cause;
};

static int work_until_done(const wh_ctx *ctx, void *arg)
{
    struct worker *worker = arg;
    __atomic_store_n(&worker->begun, 1, __ATOMIC_RELEASE);
    if (!wh_wait(ctx, WH_SEC(60))) return ETIME;
    worker->cause = wh_cause(ctx);
    return worker->result;
}

static bool has_begun(const struct worker *worker)
{
    return __atomic_load_n(&worker->begun, __ATOMIC_ACQUIRE);
}

static int wait_for(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    const struct worker *worker = arg;
    EVENTUALLY(has_begun(worker));
    return 0;
}

/* ---- one is enough ---- */

static void T135_the_first_success_wins_and_the_others_lose(void **state)
{
    (void)state;
    struct worker losers[4] = {{.result = ECANCELED}, {.result = 0}, {.result = EIO}, {.result = ECANCELED}};
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_FIRST_SUCCESS);
    for (int i = 0; i < 4; i++) assert_int_equal(wh_go(group, work_until_done, &losers[i]), 0);
    for (int i = 0; i < 4; i++) EVENTUALLY(has_begun(&losers[i]));
    assert_int_equal(wh_go(group, succeed, NULL), 0);
    assert_int_equal(wh_group_wait(group), 0);
    for (int i = 0; i < 4; i++) assert_ptr_equal(losers[i].cause, WH_RACE_LOST);
    const struct wh_cause cause = cause_of(wh_group_ctx(group));
    assert_ptr_equal(cause.reason, WH_RACE_LOST);
    assert_string_equal(cause.text, "succeed was first");
    assert_string_equal(cause.site->func, __func__);
    assert_int_equal(cause.losers, 0);
    assert_int_equal(wh_group_failures(group, NULL, 0), 0); /* to lose is no failure, whatever it returned */
    assert_int_equal(wh_group_wait(group), 0);
}

static void T135_failures_do_not_end_a_race(void **state)
{
    (void)state;
    struct worker last = {.result = EIO};
    struct wh_member_failure failures[4];
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_FIRST_SUCCESS);
    assert_int_equal(wh_go(group, work_until_done, &last), 0);
    assert_int_equal(wh_go(group, fail_with, CODE(ENOENT)), 0);
    assert_int_equal(wh_go(group, fail_with, CODE(ENOENT)), 0);
    EVENTUALLY(wh_group_failures(group, failures, 4) == 2);
    assert_int_equal(wh_err(wh_group_ctx(group)), 0);
    assert_int_equal(wh_go(group, wait_for, &last), 0);
    assert_int_equal(wh_group_wait(group), 0);
    assert_ptr_equal(last.cause, WH_RACE_LOST);
    assert_int_equal(wh_group_failures(group, failures, 4), 2);
    assert_int_equal(failures[1].rc, ENOENT);
}

static void T135_a_race_that_nobody_wins_is_the_first_failure(void **state)
{
    (void)state;
    struct wh_member_failure first;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_FIRST_SUCCESS);
    assert_int_equal(wh_go(group, fail_with, CODE(EPIPE)), 0);
    EVENTUALLY(wh_group_failures(group, &first, 1) == 1);
    assert_int_equal(wh_go(group, fail_with, CODE(EIO)), 0);
    assert_int_equal(wh_group_wait(group), EPIPE);
    assert_int_equal(first.rc, EPIPE);
    assert_ptr_equal(wh_cause(wh_group_ctx(group)), WH_GROUP_DONE);
    assert_int_equal(wh_group_failures(group, NULL, 0), 2);
}

static void T135_whoever_comes_after_the_victory_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    int ran = 0;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_FIRST_SUCCESS);
    assert_int_equal(wh_go(group, succeed, NULL), 0);
    EVENTUALLY(wh_err(wh_group_ctx(group)));
    assert_int_equal(wh_go(group, succeed, &ran), ECANCELED);
    assert_int_equal(wh_go_optional(group, succeed, &ran), ECANCELED);
    assert_int_equal(wh_try_go(group, succeed, &ran), ECANCELED);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(ran, 0);
    assert_int_equal(wh_group_failures(group, NULL, 0), 0);
}

static int race_to_the_end(const wh_ctx *ctx, void *arg)
{
    struct gate *gate = arg;
    (void)ctx;
    meet(gate, 4);
    return 0;
}

static void T135_a_race_has_one_winner(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(300); i++) {
        struct gate gate = {0};
        WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_FIRST_SUCCESS);
        for (int n = 0; n < 4; n++) assert_int_equal(wh_go(group, race_to_the_end, &gate), 0);
        assert_int_equal(wh_group_wait(group), 0);
        const struct wh_cause cause = cause_of(wh_group_ctx(group));
        assert_ptr_equal(cause.reason, WH_RACE_LOST);
        assert_string_equal(cause.text, "race_to_the_end was first");
        assert_int_equal(cause.losers, 0);
    }
}

static int lose(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "the slow mirror", .kind = WH_CLIENT);
    return work_until_done(span, arg);
}

static void T135_the_spans_of_losers_name_the_winner(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct worker loser = {.result = ECANCELED};
    wh_ctx *request = wh_start(spans.root, "request");
    wh_group *group = wh_group_new(request, .policy = WH_FIRST_SUCCESS);
    assert_int_equal(wh_go(group, lose, &loser), 0);
    assert_int_equal(wh_go(group, wait_for, &loser), 0);
    char site[128];
    snprintf(site, sizeof site, "test_group_policy.c:%d %s", __LINE__ - 2, __func__);
    assert_int_equal(wh_group_wait(group), 0);
    wh_group_free(group);
    assert_int_equal(wh_err(request), 0);
    wh_end(request);
    const struct wh_span_view view = span_named(&spans, "the slow mirror");
    assert_string_equal(span_text(&view, "whence.cancel.reason"), "race_lost");
    assert_string_equal(span_text(&view, "whence.cancel.message"), "wait_for was first");
    assert_non_null(strstr(span_text(&view, "whence.cancel.site"), site));
    assert_int_equal(view.status, WH_STATUS_UNSET);
    const struct wh_span_view above = span_named(&spans, "request");
    assert_false(span_has(&above, "whence.cancelled"));
    spans_end(&spans);
}

/* ---- whatever there is ---- */

static void T135_collecting_nobody_cancels_anybody(void **state)
{
    (void)state;
    int count = 0;
    struct worker worker = {.result = 0};
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO_GROUP wh_group *group = wh_group_new(parent, .policy = WH_COLLECT);
    assert_int_equal(wh_go(group, work_until_done, &worker), 0);
    assert_int_equal(wh_go(group, fail_with, CODE(ENOENT)), 0);
    EVENTUALLY(wh_group_failures(group, NULL, 0) == 1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(wh_go(group, succeed, &count), 0);
        assert_int_equal(wh_go(group, fail_with, CODE(EIO)), 0);
    }
    EVENTUALLY(wh_group_failures(group, NULL, 0) == 6 && __atomic_load_n(&count, __ATOMIC_ACQUIRE) == 5);
    assert_int_equal(wh_err(wh_group_ctx(group)), 0);
    wh_cancel(parent, reason_x, NULL);
    assert_int_equal(wh_group_wait(group), ENOENT);
    assert_ptr_equal(worker.cause, reason_x);
}

/* ---- welcome, but not needed ---- */

static void T135_an_optional_member_never_fails_the_group(void **state)
{
    (void)state;
    static const int policies[] = {WH_ALL, WH_FIRST_SUCCESS, WH_COLLECT};
    for (size_t i = 0; i < 3; i++) {
        struct wh_member_failure failure = {0};
        WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = policies[i]);
        assert_int_equal(wh_go_optional(group, fail_with, CODE(EIO)), 0);
        EVENTUALLY(wh_group_failures(group, &failure, 1) == 1);
        assert_int_equal(wh_err(wh_group_ctx(group)), 0);
        assert_true(failure.optional);
        assert_int_equal(failure.rc, EIO);
        assert_string_equal(failure.name, "fail_with");
        assert_int_equal(wh_group_wait(group), 0);
    }
}

/* Three calls under one deadline: what was needed is there, so the answer is, with what else there was. */
static void T135_fan_out_with_needed_and_welcome_parts(void **state)
{
    (void)state;
    int price = 0, stock = 0;
    struct wh_member_failure failure = {0};
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_SEC(100));
    WH_AUTO_GROUP wh_group *group = wh_group_new(request);
    wh_go_optional(group, fail_with, CODE(ECONNREFUSED));
    EVENTUALLY(wh_group_failures(group, NULL, 0) == 1);
    wh_go(group, succeed, &price);
    wh_go(group, succeed, &stock);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(price + stock, 2);
    assert_int_equal(wh_group_failures(group, &failure, 1), 1);
    assert_int_equal(failure.rc, ECONNREFUSED);
    assert_int_equal(wh_err(request), 0);
}

static void T135_an_optional_member_is_stopped_and_may_win_like_any_other(void **state)
{
    (void)state;
    struct worker optional = {.result = ECANCELED}, needed = {.result = ECANCELED};
    wh_group *all = wh_group_new(NULL);
    assert_int_equal(wh_go_optional(all, work_until_done, &optional), 0);
    assert_int_equal(wh_go(all, fail_with, CODE(EIO)), 0);
    assert_int_equal(wh_group_wait(all), EIO);
    assert_ptr_equal(optional.cause, WH_SIBLING_FAILED);
    wh_group_free(all);
    WH_AUTO_GROUP wh_group *race = wh_group_new(NULL, .policy = WH_FIRST_SUCCESS);
    assert_int_equal(wh_go(race, work_until_done, &needed), 0);
    assert_int_equal(wh_go_optional(race, succeed, NULL), 0);
    assert_int_equal(wh_group_wait(race), 0);
    assert_ptr_equal(needed.cause, WH_RACE_LOST);
}

static void T135_an_optional_member_that_is_refused_fails_nobody(void **state)
{
    (void)state;
    struct wh_member_failure failure = {0};
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO_GROUP wh_group *group = wh_group_new(parent);
    wh_cancel(parent, reason_x, NULL);
    assert_int_equal(wh_go_optional(group, succeed, NULL), ECANCELED);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(wh_group_failures(group, &failure, 1), 1);
    assert_true(failure.optional && failure.rc == ECANCELED);
}

/* ---- who has failed ---- */

static void T129_later_failures_are_listed(void **state)
{
    (void)state;
    struct worker worker = {.result = EIO};
    struct wh_member_failure failures[5] = {{0}};
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    const int64_t before = wh_now();
    assert_int_equal(wh_go(group, work_until_done, &worker), 0);
    assert_int_equal(wh_go(group, fail_with, CODE(ENOENT)), 0);
    assert_int_equal(wh_group_wait(group), ENOENT);
    assert_int_equal(wh_group_failures(group, failures, 5), 2);
    assert_int_equal(failures[0].rc, ENOENT);
    assert_int_equal(failures[1].rc, EIO);
    assert_string_equal(failures[1].name, "work_until_done");
    assert_string_equal(failures[1].site->func, __func__);
    assert_true(before <= failures[0].at && failures[0].at <= failures[1].at && failures[1].at <= wh_now());
    assert_false(failures[0].optional);
    assert_null(failures[2].name);
    assert_int_equal(wh_go(group, succeed, NULL), ECANCELED); /* after the end, this is nobody's */
    assert_int_equal(wh_group_failures(group, NULL, 0), 2);
}

static void T129_the_first_failures_are_kept_and_all_are_counted(void **state)
{
    (void)state;
    struct wh_member_failure failures[WH_FAILURES_KEPT + 4] = {{0}};
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_COLLECT);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(wh_go(group, fail_with, CODE(i + 1)), 0);
        EVENTUALLY(wh_group_failures(group, NULL, 0) == (size_t)i + 1);
    }
    assert_int_equal(wh_group_wait(group), 1);
    assert_int_equal(wh_group_failures(group, failures, WH_FAILURES_KEPT + 4), 40);
    for (int i = 0; i < WH_FAILURES_KEPT; i++) assert_int_equal(failures[i].rc, i + 1);
    assert_null(failures[WH_FAILURES_KEPT].name);
    assert_int_equal(wh_group_failures(group, failures, 1), 40);
}

static int leave(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    pthread_exit(NULL);
}

static void T129_who_leaves_its_thread_is_listed_and_wins_no_race(void **state)
{
    (void)state;
    struct wh_member_failure failure = {0};
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_FIRST_SUCCESS);
    assert_int_equal(wh_go(group, leave, NULL), 0);
    assert_int_equal(wh_group_wait(group), ECANCELED);
    assert_int_equal(wh_group_failures(group, &failure, 1), 1);
    assert_string_equal(failure.name, "leave");
    assert_int_equal(failure.rc, ECANCELED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T135_the_first_success_wins_and_the_others_lose),
        cmocka_unit_test(T135_failures_do_not_end_a_race),
        cmocka_unit_test(T135_a_race_that_nobody_wins_is_the_first_failure),
        cmocka_unit_test(T135_whoever_comes_after_the_victory_is_refused_and_changes_nothing),
        cmocka_unit_test(T135_a_race_has_one_winner),
        cmocka_unit_test(T135_the_spans_of_losers_name_the_winner),
        cmocka_unit_test(T135_collecting_nobody_cancels_anybody),
        cmocka_unit_test(T135_an_optional_member_never_fails_the_group),
        cmocka_unit_test(T135_fan_out_with_needed_and_welcome_parts),
        cmocka_unit_test(T135_an_optional_member_is_stopped_and_may_win_like_any_other),
        cmocka_unit_test(T135_an_optional_member_that_is_refused_fails_nobody),
        cmocka_unit_test(T129_later_failures_are_listed),
        cmocka_unit_test(T129_the_first_failures_are_kept_and_all_are_counted),
        cmocka_unit_test(T129_who_leaves_its_thread_is_listed_and_wins_no_race),
    };
    return cmocka_run_group_tests_name("group policy", tests, NULL, NULL);
}
