/* Groups: the first failure stops the others, and waiting returns it when nobody is left. */
#include <errno.h>
#include <semaphore.h>

#include "base/errname.h"
#include "context/tree.h"
#include "tools.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)

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

/* What the others do: work until they are told to stop, and a little longer. */
struct worker {
    int result, seen, ended;
    const struct wh_reason *cause;
};

static int work_until_done(const wh_ctx *ctx, void *arg)
{
    struct worker *worker = arg;
    worker->seen = wh_wait(ctx, WH_SEC(30));
    worker->cause = wh_cause(ctx);
    wh_wait(NULL, WH_MS(5));
    __atomic_store_n(&worker->ended, 1, __ATOMIC_RELEASE);
    return worker->result;
}

/* ---- how it ends ---- */

static void T130_T131_without_a_failure_it_is_zero_and_over(void **state)
{
    (void)state;
    int count = 0;
    WH_AUTO wh_ctx *root = wh_with_number(NULL, 9);
    WH_AUTO_GROUP wh_group *group = wh_group_new(root);
    for (int i = 0; i < 20; i++) assert_int_equal(wh_go(group, succeed, &count), 0);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(count, 20);
    assert_int_equal(wh_err(wh_group_ctx(group)), ECANCELED);
    assert_ptr_equal(wh_cause(wh_group_ctx(group)), WH_GROUP_DONE);
    WH_AUTO wh_ctx *late = wh_with_timeout(wh_group_ctx(group), WH_SEC(10));
    assert_ptr_equal(wh_cause(late), WH_GROUP_DONE);
    assert_int_equal(wh_number(late), 9);
    assert_int_equal(wh_go(group, succeed, &count), ECANCELED);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(count, 20);
}

static void an_empty_group_waits_for_nobody(void **state)
{
    (void)state;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_err(wh_group_ctx(group)), 0);
    assert_int_equal(wh_group_wait(group), 0);
    wh_group_free(NULL);
}

static void T129_the_first_failure_stops_the_others_and_is_returned_last(void **state)
{
    (void)state;
    struct worker workers[8] = {{0}};
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    for (int i = 0; i < 8; i++) {
        workers[i].result = i % 2 ? EIO : 0; /* too late to be the first */
        assert_int_equal(wh_go(group, work_until_done, &workers[i]), 0);
    }
    wh_go(group, fail_with, (void *)(intptr_t)ENOENT);
    assert_int_equal(wh_group_wait(group), ENOENT);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(workers[i].ended, 1);
        assert_int_equal(workers[i].seen, ECANCELED);
        assert_ptr_equal(workers[i].cause, WH_SIBLING_FAILED);
    }
    const struct wh_cause cause = cause_of(wh_group_ctx(group));
    assert_ptr_equal(cause.reason, WH_SIBLING_FAILED);
    assert_string_equal(cause.text, "fail_with returned ENOENT");
    assert_string_equal(cause.site->func, __func__);
    assert_int_equal(wh_group_wait(group), ENOENT);
}

/* Both are of one member, however many fail at once; the others are counted as too late. */
static int fail_together(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    meet(arg, 4);
    return 1 + (int)(((uintptr_t)pthread_self() >> 12) % 100);
}

static void T129_cause_and_result_are_of_one_member(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(300); i++) {
        struct gate gate = {0};
        WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
        for (int n = 0; n < 4; n++) assert_int_equal(wh_go(group, fail_together, &gate), 0);
        const int rc = wh_group_wait(group);
        char expected[80];
        snprintf(expected, sizeof expected, "fail_together returned %s", wh__errno_name(rc));
        assert_string_equal(cause_of(wh_group_ctx(group)).text, expected);
        assert_int_equal(cause_of(wh_group_ctx(group)).losers, 3);
    }
}

static void T134_when_the_parent_is_done_it_still_waits(void **state)
{
    (void)state;
    struct worker worker = {.result = ECANCELED};
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO_GROUP wh_group *group = wh_group_new(parent);
    assert_int_equal(wh_go(group, work_until_done, &worker), 0);
    wh_cancel(parent, reason_x, NULL);
    assert_ptr_equal(wh_cause(wh_group_ctx(group)), reason_x);
    assert_int_equal(wh_group_wait(group), ECANCELED);
    assert_int_equal(worker.ended, 1);
    assert_ptr_equal(worker.cause, reason_x);
    assert_ptr_equal(wh_cause(wh_group_ctx(group)), reason_x);
}

static void T133_a_done_group_takes_nobody(void **state)
{
    (void)state;
    int count = 0;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    WH_AUTO_GROUP wh_group *group = wh_group_new(parent);
    wh_cancel(parent, reason_x, NULL);
    assert_int_equal(wh_go(group, succeed, &count), ECANCELED);
    assert_int_equal(wh_group_wait(group), ECANCELED);
    assert_int_equal(count, 0);
    WH_AUTO wh_ctx *expired = wh_with_timeout(NULL, 0);
    WH_AUTO_GROUP wh_group *late = wh_group_new(expired);
    assert_int_equal(wh_go(late, succeed, &count), ETIMEDOUT);
    assert_int_equal(wh_group_wait(late), ETIMEDOUT);
}

/* ---- freeing ---- */

static void freeing_stops_and_waits(void **state)
{
    (void)state;
    struct worker worker = {.result = 0};
    wh_group *group = wh_group_new(NULL);
    const wh_ctx *held = wh_hold(wh_group_ctx(group));
    assert_int_equal(wh_go(group, work_until_done, &worker), 0);
    wh_group_free(group);
    assert_int_equal(worker.ended, 1);
    assert_ptr_equal(worker.cause, WH_ENDED);
    assert_ptr_equal(wh_cause(held), WH_ENDED);
    wh_release(held);
}

static void a_members_context_goes_with_the_member(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    wh_group *group = wh_group_new(root);
    const wh_ctx *group_ctx = wh_group_ctx(group);
    int count = 0;
    for (int i = 0; i < rounds(5000); i++) {
        assert_int_equal(wh_go(group, succeed, &count), 0);
        if (i % 8 == 0) EVENTUALLY(__atomic_load_n(&count, __ATOMIC_ACQUIRE) == i + 1);
    }
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(count, rounds(5000));
    assert_int_equal(group_ctx->refs, 1);
    assert_null(group_ctx->children);
    wh_group_free(group);
    assert_int_equal(root->refs, 1);
}

/* ---- members that use their group ---- */

static int wait_for_own(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    return wh_group_wait(arg) == EDEADLK ? 0 : EIO;
}

static void T137_a_member_cannot_wait_for_itself(void **state)
{
    (void)state;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_go(group, wait_for_own, group), 0);
    assert_int_equal(wh_group_wait(group), 0);
}

struct family {
    wh_group *group;
    int depth, count;
};

static int have_two_more(const wh_ctx *ctx, void *arg)
{
    struct family *family = arg;
    (void)ctx;
    const int number = __atomic_add_fetch(&family->count, 1, __ATOMIC_ACQ_REL);
    wh_wait(NULL, WH_MS(1)); /* by now somebody waits */
    if (number <= 15)
        for (int i = 0; i < 2; i++)
            if (wh_go(family->group, have_two_more, family)) return EIO;
    return 0;
}

static void T138_members_may_take_more_while_somebody_waits(void **state)
{
    (void)state;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    struct family family = {.group = group};
    assert_int_equal(wh_go(group, have_two_more, &family), 0);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(family.count, 31); /* each of the first 15 has two more */
    assert_int_equal(wh_go(group, have_two_more, &family), ECANCELED);
}

static void *take_many(void *arg)
{
    struct family *family = arg;
    for (int i = 0; i < 50; i++) wh_go(family->group, succeed, &family->count);
    return NULL;
}

static void *wait_too(void *arg)
{
    return (void *)(intptr_t)wh_group_wait(((struct family *)arg)->group);
}

static int hold_it_open(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    sem_wait(arg);
    return ERANGE;
}

static void several_may_start_members_and_wait(void **state)
{
    (void)state;
    sem_t may_end;
    sem_init(&may_end, 0, 0);
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    struct family family = {.group = group};
    pthread_t threads[4], waiters[2];
    assert_int_equal(wh_go(group, hold_it_open, &may_end), 0);
    for (int i = 0; i < 2; i++) waiters[i] = start(wait_too, &family);
    for (int i = 0; i < 4; i++) threads[i] = start(take_many, &family);
    for (int i = 0; i < 4; i++) join(threads[i]);
    sem_post(&may_end);
    for (int i = 0; i < 2; i++) {
        void *rc;
        pthread_join(waiters[i], &rc);
        assert_int_equal((intptr_t)rc, ERANGE);
    }
    assert_int_equal(family.count, 200);
}

static int fan_out(const wh_ctx *ctx, void *arg)
{
    WH_AUTO_GROUP wh_group *inner = wh_group_new(ctx);
    wh_go(inner, work_until_done, arg);
    wh_go(inner, fail_with, (void *)(intptr_t)ENOTCONN);
    return wh_group_wait(inner);
}

static void groups_nest(void **state)
{
    (void)state;
    struct worker inside = {0}, outside = {0};
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    wh_go(group, work_until_done, &outside);
    wh_go(group, fan_out, &inside);
    assert_int_equal(wh_group_wait(group), ENOTCONN);
    assert_ptr_equal(inside.cause, WH_SIBLING_FAILED);
    assert_ptr_equal(outside.cause, WH_SIBLING_FAILED);
    assert_string_equal(cause_of(wh_group_ctx(group)).text, "fan_out returned ENOTCONN");
}

/* ---- whose fault it was ---- */

static int fail_in_a_span(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "read the shelf");
    wh_span_of(span, arg);
    wh_fail(span, EPIPE, "the shelf is empty");
    return EPIPE;
}

static void T129_the_culprit_is_the_span_that_failed(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct worker worker = {0};
    struct wh_span_context failed;
    WH_AUTO_GROUP wh_group *group = wh_group_new(spans.root);
    wh_go(group, work_until_done, &worker);
    wh_go(group, fail_in_a_span, &failed);
    assert_int_equal(wh_group_wait(group), EPIPE);
    const struct wh_cause cause = cause_of(wh_group_ctx(group));
    assert_ptr_equal(cause.reason, WH_SIBLING_FAILED);
    assert_string_equal(cause.text, "the shelf is empty");
    assert_string_equal(cause.site->func, "fail_in_a_span");
    assert_string_equal(cause.origin->func, "fail_in_a_span");
    assert_true(cause.has_span);
    assert_memory_equal(cause.span_id, failed.span_id, 8);
    assert_string_equal(cause.span_name, "read the shelf");
    char text[400];
    assert_true(wh_explain(wh_group_ctx(group), text, sizeof text) < sizeof text);
    assert_non_null(strstr(text, "canceled: sibling_failed \"the shelf is empty\" at test_group.c:"));
    spans_end(&spans);
}

/* ---- without threads ---- */

/* A stack of 128 TiB cannot be had by anyone. */
static void T129_a_thread_that_cannot_be_had_is_a_failure(void **state)
{
    (void)state;
    struct worker worker = {0};
    pthread_attr_t before, huge;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_go(group, work_until_done, &worker), 0);
    assert_int_equal(pthread_getattr_default_np(&before), 0);
    assert_int_equal(pthread_attr_init(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 47), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    const int rc = wh_go(group, succeed, NULL);
    assert_int_equal(pthread_setattr_default_np(&before), 0);
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&before);
    assert_int_not_equal(rc, 0); /* EAGAIN, unless something stands between us and the kernel */
    assert_int_equal(wh_group_wait(group), rc);
    assert_ptr_equal(worker.cause, WH_SIBLING_FAILED);
    char expected[80];
    snprintf(expected, sizeof expected, "succeed could not be started: %s", wh__errno_name(rc));
    assert_string_equal(cause_of(wh_group_ctx(group)).text, expected);
}

static int leave(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    pthread_exit(NULL);
}

/* By pthread_exit(), or cancelled while it waits: it counts as a member that has failed, and nobody waits for it. */
static void a_member_that_leaves_its_thread_has_failed(void **state)
{
    (void)state;
    struct worker worker = {.result = 0};
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    assert_int_equal(wh_go(group, work_until_done, &worker), 0);
    assert_int_equal(wh_go(group, leave, NULL), 0);
    assert_int_equal(wh_group_wait(group), ECANCELED);
    assert_ptr_equal(worker.cause, WH_SIBLING_FAILED);
    assert_string_equal(cause_of(wh_group_ctx(group)).text, "leave left its thread: ECANCELED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T130_T131_without_a_failure_it_is_zero_and_over),
        cmocka_unit_test(an_empty_group_waits_for_nobody),
        cmocka_unit_test(T129_the_first_failure_stops_the_others_and_is_returned_last),
        cmocka_unit_test(T129_cause_and_result_are_of_one_member),
        cmocka_unit_test(T134_when_the_parent_is_done_it_still_waits),
        cmocka_unit_test(T133_a_done_group_takes_nobody),
        cmocka_unit_test(freeing_stops_and_waits),
        cmocka_unit_test(a_members_context_goes_with_the_member),
        cmocka_unit_test(T137_a_member_cannot_wait_for_itself),
        cmocka_unit_test(T138_members_may_take_more_while_somebody_waits),
        cmocka_unit_test(several_may_start_members_and_wait),
        cmocka_unit_test(groups_nest),
        cmocka_unit_test(T129_the_culprit_is_the_span_that_failed),
        cmocka_unit_test(T129_a_thread_that_cannot_be_had_is_a_failure),
        cmocka_unit_test(a_member_that_leaves_its_thread_has_failed),
    };
    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
