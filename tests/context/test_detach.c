/* Detach: the values and the span go on, the rest does not. */
#include <errno.h>

#include "base/slab.h"
#include "context/tree.h"
#include "tools.h"

WH_REASON(reason_x, "x");
WH_REASON(reason_y, "y");
WH_KEY(number, int)

static void T084_keeps_values_and_nothing_else(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *value = wh_with_number(NULL, 5);
    WH_AUTO wh_ctx *timed = wh_with_timeout(value, WH_SEC(100));
    WH_AUTO wh_ctx *detached = wh_detach(timed);
    assert_int_equal(wh_number(detached), 5);
    assert_int_equal(wh_deadline(detached), WH_NEVER);
    assert_int_equal(wh_err(detached), 0);
    assert_null(wh_cause(detached));
    assert_ptr_equal(timed->children, NULL);
}

static void T084_keeps_the_span(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO wh_ctx *span = wh_start(spans.root, "request");
    WH_AUTO wh_ctx *detached = wh_detach(span);
    struct wh_span_context of_span, of_detached;
    assert_true(wh_span_of(span, &of_span));
    assert_true(wh_span_of(detached, &of_detached));
    assert_memory_equal(of_span.span_id, of_detached.span_id, 8);
    wh_cancel(span, reason_x, NULL);
    assert_int_equal(wh_err(detached), 0);
    spans_end(&spans);
}

static void T085_is_alive_below_the_dead(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *cancelled = wh_with_cancel(NULL);
    wh_cancel(cancelled, reason_x, NULL);
    WH_AUTO wh_ctx *expired = wh_with_timeout(NULL, 0);
    const wh_ctx *dead[] = {cancelled, expired};
    for (int i = 0; i < 2; i++) {
        WH_AUTO wh_ctx *detached = wh_detach(dead[i]);
        WH_AUTO wh_ctx *child = wh_with_cancel(detached);
        assert_int_equal(wh_err(detached), 0);
        assert_int_equal(wh_err(child), 0);
        assert_true(wh_cancellable(detached));
    }
}

static void T085_T086_neither_reaches_the_other(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *detached = wh_detach(root);
    WH_AUTO wh_ctx *value = wh_with_number(detached, 3);
    WH_AUTO wh_ctx *below = wh_with_cancel(value);
    wh_cancel(root, reason_x, NULL);
    assert_int_equal(wh_err(below), 0);
    assert_true(wh_cancel(detached, reason_y, NULL));
    assert_ptr_equal(wh_cause(below), reason_y);
    assert_ptr_equal(wh_cause(root), reason_x);
    assert_int_equal(cause_of(below).depth, 2);
}

static void T086_a_deadline_of_its_own(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_MS(1));
    WH_AUTO wh_ctx *detached = wh_detach(request);
    WH_AUTO wh_ctx *job = wh_with_timeout(detached, WH_MS(40));
    assert_int_equal(wh_wait(request, WH_SEC(20)), ETIMEDOUT);
    assert_true(wh_deadline(job) > wh_deadline(request));
    assert_int_equal(wh_err(detached), 0);
    assert_int_equal(wh_wait(job, WH_SEC(20)), ETIMEDOUT);
    assert_int_equal(wh_err(detached), 0);
}

/* A finished request behind a long job keeps its nodes, for the values; its timer, its place in the tree and what it has
 * below it go. */
static void T089_does_not_keep_the_request_alive(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    wh_ctx *value = wh_with_number(root, 5);
    wh_ctx *request = wh_with_timeout(value, WH_SEC(100));
    WH_AUTO wh_ctx *job = wh_detach(request);
    wh_end(value);
    wh_end(request);
    const wh_ctx *kept = job->parent;
    assert_int_equal(kept->timer, 0);
    assert_int_equal(wh_err(kept), ECANCELED);
    assert_null(kept->children);
    assert_int_equal(wh_number(job), 5);
    assert_int_equal(wh_err(job), 0);
    assert_int_equal(wh_err(root), 0);
}

/* A chain of detached jobs, each made by the one before: everything goes when the last does. */
static void detached_chains_are_given_back(void **state)
{
    (void)state;
    const size_t before = wh__slab_pages();
    wh_ctx *last = wh_with_cancel(NULL);
    for (int i = 0; i < rounds(100000); i++) {
        wh_ctx *next = wh_detach(last);
        wh_end(last);
        last = next;
    }
    wh_end(last);
    assert_true(wh__slab_pages() <= before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T084_keeps_values_and_nothing_else),
        cmocka_unit_test(T084_keeps_the_span),
        cmocka_unit_test(T085_is_alive_below_the_dead),
        cmocka_unit_test(T085_T086_neither_reaches_the_other),
        cmocka_unit_test(T086_a_deadline_of_its_own),
        cmocka_unit_test(T089_does_not_keep_the_request_alive),
        cmocka_unit_test(detached_chains_are_given_back),
    };
    return cmocka_run_group_tests_name("detach", tests, NULL, NULL);
}
