/* Merged contexts: what they are, what they answer, and what is left when they go. */
#include <errno.h>

#include "context/merge.h"
#include "context/tree.h"
#include "gate.h"
#include "tools.h"

WH_REASON(reason_x, "x");
WH_REASON(reason_y, "y");
WH_KEY(number, int)
WH_KEY(color, int)

static void count(void *arg)
{
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
}

/* ---- whichever is done first ---- */

static void T095_done_when_either_is_with_its_cause(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        wh_ctx *sources[] = {wh_with_cancel(NULL), wh_with_cancel(NULL)};
        WH_AUTO wh_ctx *both = wh_merge(sources[0], sources[1]);
        WH_AUTO wh_ctx *below = wh_with_number(both, 1);
        const int fd = wh_done_fd(below);
        assert_int_equal(wh_err(both), 0);
        assert_true(wh_cancellable(both));
        assert_false(readable(fd));

        assert_true(wh_cancel(sources[which], reason_x, "enough"));
        assert_int_equal(wh_err(both), ECANCELED);
        assert_int_equal(wh_wait(below, WH_NEVER), ECANCELED);
        assert_true(readable(fd));
        assert_ptr_equal(wh_cause(below), reason_x);
        assert_int_equal(wh_err(sources[1 - which]), 0);
        const struct wh_cause cause = cause_of(below);
        assert_string_equal(cause.text, "enough");
        assert_ptr_equal(cause.origin, sources[which]->made);
        assert_int_equal(cause.depth, 2);

        assert_true(wh_cancel(sources[1 - which], reason_y, NULL));
        assert_ptr_equal(wh_cause(both), reason_x);
        assert_false(wh_cancel(both, reason_y, NULL));
        assert_int_equal(cause_of(both).losers, 1);
        wh_end(sources[0]);
        wh_end(sources[1]);
    }
}

static void T095_its_own_cancel_leaves_its_sources_alone(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *b = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *both = wh_merge(a, b);
    WH_AUTO wh_ctx *below = wh_with_cancel(both);
    assert_true(wh_cancel(both, reason_x, NULL));
    assert_int_equal(cause_of(below).depth, 1);
    assert_int_equal(wh_err(a), 0);
    assert_int_equal(wh_err(b), 0);
    assert_true(wh_cancel(b, reason_y, NULL));
    assert_ptr_equal(wh_cause(below), reason_x);
}

static void T040_T095_the_origin_is_counted_through_the_source_that_was_done(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *b0 = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *b1 = wh_with_cancel(b0);
    WH_AUTO wh_ctx *b2 = wh_with_number(b1, 2);
    WH_AUTO wh_ctx *b3 = wh_with_cancel(b2);
    WH_AUTO wh_ctx *inner = wh_merge(a, b3);
    WH_AUTO wh_ctx *under = wh_with_cancel(inner);
    WH_AUTO wh_ctx *c = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *outer = wh_merge(c, under);
    WH_AUTO wh_ctx *last = wh_with_number(outer, 3);
    char text[400];
    wh_cancel(b1, reason_x, NULL);
    assert_ptr_equal(cause_of(last).origin, b1->made);
    assert_int_equal(cause_of(last).depth, 6);
    assert_int_equal(cause_of(inner).depth, 3);
    assert_int_equal(cause_of(b3).depth, 2);
    WH_AUTO wh_ctx *late = wh_merge(last, a);
    assert_int_equal(cause_of(late).depth, 7);
    wh_explain(last, text, sizeof text);
    assert_non_null(strstr(text, "6 levels above"));
}

static void T095_the_span_is_that_of_the_first_and_says_who_stopped_it(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *request = wh_start(spans.root, "request");
    wh_ctx *shutdown = wh_start(spans.root, "shutdown");
    wh_ctx *hand = wh_with_cancel(shutdown);
    wh_ctx *both = wh_merge(request, hand);
    wh_ctx *work = wh_start(both, "work");
    wh_cancel(shutdown, reason_x, NULL);
    wh_end(work);
    wh_end(both);
    wh_end(hand);
    const struct wh_span_view of_request = span_named(&spans, "work");
    assert_int_equal(span_int(&of_request, "whence.cancel.depth"), 3);
    assert_string_equal(span_text(&of_request, "whence.cancel.origin.span_name"), "shutdown");
    struct wh_span_context span;
    assert_true(wh_span_of(request, &span));
    assert_memory_equal(of_request.parent_span_id, span.span_id, 8);
    wh_end(request);
    wh_end(shutdown);
    spans_end(&spans);
}

/* ---- the deadline ---- */

static void T095_the_deadline_is_the_earliest(void **state)
{
    (void)state;
    const int64_t now = wh_now(), soon = now + WH_SEC(100), later = now + WH_SEC(200);
    for (int which = 0; which < 3; which++) {
        wh_ctx *sources[3];
        for (int i = 0; i < 3; i++) sources[i] = wh_with_deadline(NULL, i == which ? soon : later);
        WH_AUTO wh_ctx *all = wh_merge_at((const wh_ctx *const *)sources, 3, WH_HERE);
        WH_AUTO wh_ctx *below = wh_with_timeout(all, WH_SEC(1000));
        assert_int_equal(wh_deadline(all), soon);
        assert_int_equal(wh_deadline(below), soon);
        assert_int_equal(all->timer, 0);
        for (int i = 0; i < 3; i++) wh_end(sources[i]);
        assert_int_equal(wh_deadline(all), soon);
    }
}

static void T095_the_earliest_source_fires_and_who_waits_sees_it_in_time(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        wh_ctx *sources[2];
        for (int i = 0; i < 2; i++) sources[i] = wh_with_timeout(NULL, i == which ? WH_MS(2) : WH_SEC(100));
        WH_AUTO wh_ctx *both = wh_merge(sources[0], sources[1]);
        WH_AUTO wh_ctx *below = wh_with_cancel(both);
        assert_int_equal(wh_wait(below, WH_NEVER), ETIMEDOUT);
        assert_true(wh_now() >= wh_deadline(below));
        assert_ptr_equal(wh_cause(below), WH_DEADLINE_EXCEEDED);
        assert_ptr_equal(cause_of(below).origin, sources[which]->made);
        assert_int_equal(wh_err(sources[which]), ETIMEDOUT);
        assert_int_equal(wh_err(sources[1 - which]), 0);
        for (int i = 0; i < 2; i++) wh_end(sources[i]);
    }
}

/* The timer does not come to it: whoever looks finds the source through the merged ones. */
static void T095_a_late_timer_is_made_up_for_by_who_asks(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *timed = wh_with_timeout(NULL, WH_MS(1));
    WH_AUTO wh_ctx *under = wh_with_cancel(timed);
    WH_AUTO wh_ctx *inner = wh_merge(a, under);
    WH_AUTO wh_ctx *outer = wh_merge(a, inner);
    wh__timer_disarm(timed);
    assert_int_equal(wh_wait(outer, WH_NEVER), ETIMEDOUT);
    assert_int_equal(wh_err(timed), ETIMEDOUT);
    assert_ptr_equal(cause_of(outer).origin, timed->made);
    assert_int_equal(wh_err(a), 0);
}

/* ---- born done; registered once or not at all ---- */

static void T096_born_done_if_a_source_is_and_registered_nowhere(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *x = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *y = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *of_x = wh_with_number(x, 7);
    wh_cancel(x, reason_x, NULL);
    wh_cancel(y, reason_y, NULL);
    const wh_ctx *orders[][3] = {{a, of_x, y}, {of_x, a, y}, {of_x, y, a}, {NULL, of_x, y}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        WH_AUTO wh_ctx *all = wh_merge_at(orders[i], 3, WH_HERE);
        assert_int_equal(wh_err(all), ECANCELED);
        assert_ptr_equal(wh_cause(all), reason_x);
        assert_int_equal(cause_of(all).depth, 2);
        assert_int_equal(wh_number(all), 7);
        assert_null(all->link);
        assert_null(a->children);
        assert_null(x->children);
        assert_null(y->children);
        assert_false(wh_cancel(all, reason_y, NULL));
    }
    assert_int_equal(a->refs, 1);
    assert_int_equal(x->refs, 2);
    assert_int_equal(y->refs, 1);
}

static int children_of(const wh_ctx *node)
{
    int number = 0;
    for (const wh_ctx *child = node->children; child; child = child->next) number++;
    return number;
}

static void T097_each_source_is_registered_with_once(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *b = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *value = wh_with_number(b, 1);
    WH_AUTO wh_ctx *other = wh_with_color(b, 2);
    const wh_ctx *lists[][5] = {{a}, {a, a}, {a, NULL, a}, {a, b}, {a, b, b}, {a, value, b, a, other}, {NULL, b, value}};
    const int counts[] = {1, 2, 3, 2, 3, 5, 3}, of_a[] = {1, 1, 1, 1, 1, 1, 0}, of_b[] = {0, 0, 0, 1, 1, 1, 1};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        wh_ctx *all = wh_merge_at(lists[i], (size_t)counts[i], WH_HERE);
        assert_int_equal(children_of(a), of_a[i]);
        assert_int_equal(children_of(b), of_b[i]);
        wh_end(all);
        assert_null(a->children);
        assert_null(b->children);
        assert_int_equal(a->refs, 1);
        assert_int_equal(b->refs, 3);
    }
}

/* It has an owner, who can cancel it: so it is one that can be done. */
static void T097_of_sources_that_are_never_done_only_its_owner_cancels_it(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *value = wh_with_number(NULL, 1);
    WH_AUTO wh_ctx *another = wh_with_color(wh_background(), 2);
    wh_ctx *made[] = {wh_merge(NULL, NULL), wh_merge(wh_background(), wh_todo()), wh_merge(value, another),
        wh_merge(NULL, value), wh_merge_at(NULL, 0, WH_HERE)};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        assert_null(made[i]->link);
        assert_int_equal(wh_deadline(made[i]), WH_NEVER);
        assert_int_equal(wh_wait(made[i], 0), 0);
        assert_true(wh_cancellable(made[i]));
        assert_true(wh_cancel(made[i], reason_x, NULL));
        assert_int_equal(cause_of(made[i]).depth, 0);
        wh_end(made[i]);
    }
    assert_int_equal(value->refs, 1);
}

static void T098_a_long_lived_source_keeps_nothing_of_those_that_ended(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *stays = wh_with_cancel(NULL);
    size_t pages = 0;
    for (int i = 0, all = chances(50000); i < all; i++) {
        wh_ctx *goes = wh_with_cancel(NULL);
        wh_ctx *both = i % 2 ? wh_merge(stays, goes) : wh_merge(goes, stays);
        wh_ctx *below = wh_with_cancel(both);
        if (i % 3) wh_cancel(goes, reason_x, NULL);
        if (i % 5 == 0) wh_end(goes);
        wh_end(i % 7 ? below : both);
        wh_end(i % 7 ? both : below);
        if (i % 5) wh_end(goes);
        assert_null(stays->children);
        assert_int_equal(stays->refs, 1);
        if (i == all / 10) pages = wh__slab_pages();
    }
    assert_true(wh__slab_pages() <= pages + 1);
}

/* ---- several ways from one ancestor ---- */

static void T099_a_diamond_changes_once(void **state)
{
    (void)state;
    for (int cancels = 0; cancels < 3; cancels++) {
        wh_ctx *top = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *a = wh_with_cancel(top);
        WH_AUTO wh_ctx *b = wh_with_cancel(top);
        WH_AUTO wh_ctx *both = wh_merge(a, b);
        WH_AUTO wh_ctx *again = wh_merge(both, top);
        WH_AUTO wh_ctx *below = wh_with_cancel(again);
        int ran[3] = {0};
        assert_int_equal(wh_after_inline(both, count, &ran[0], NULL), 0);
        assert_int_equal(wh_after_inline(again, count, &ran[1], NULL), 0);
        assert_int_equal(wh_after_inline(below, count, &ran[2], NULL), 0);
        assert_true(wh_cancel(cancels == 0 ? top : cancels == 1 ? a : b, reason_x, NULL));
        for (int i = 0; i < 3; i++) assert_int_equal(ran[i], 1);
        wh_cancel(top, reason_y, NULL);
        for (int i = 0; i < 3; i++) assert_int_equal(ran[i], 1);
        assert_ptr_equal(wh_cause(below), reason_x);
        wh_end(top);
    }
}

static struct {
    wh_ctx *all[8];
    bool ran;
} seen;

static void see_all_done(void *arg)
{
    (void)arg;
    seen.ran = true;
    for (size_t i = 0; i < sizeof seen.all / sizeof *seen.all; i++) assert_ptr_equal(wh_cause(seen.all[i]), reason_x);
}

static void T014_T095_no_code_runs_before_the_news_is_everywhere(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *b = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *c = wh_with_cancel(NULL);
    wh_ctx *m = wh_merge(a, b), *n = wh_with_cancel(m), *o = wh_merge(c, n), *p = wh_merge(o, m);
    wh_ctx *all[] = {b, m, n, o, p, wh_with_cancel(p), wh_merge(p, a), wh_with_number(o, 1)};
    memcpy(seen.all, all, sizeof all);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) assert_int_equal(wh_after_inline(all[i], see_all_done, NULL, NULL), 0);
    wh_cancel(b, reason_x, NULL);
    assert_true(seen.ran);
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) wh_end(all[i]);
    assert_int_equal(wh_err(a), 0);
    assert_int_equal(wh_err(c), 0);
    assert_null(a->children);
    assert_null(c->children);
}

/* ---- ending ---- */

static void T095_in_whatever_order_they_end(void **state)
{
    (void)state;
    for (int order = 0; order < 120; order++) {
        wh_ctx *a = wh_with_cancel(NULL), *b = wh_with_number(NULL, 1), *c = wh_with_cancel(b);
        wh_ctx *both = wh_merge(a, c);
        wh_ctx *all[5] = {a, b, c, both, wh_with_cancel(both)};
        const wh_ctx *held = wh_hold(all[4]);
        for (int left = 5, code = order; left; code /= left, left--) {
            const int i = code % left;
            wh_end(all[i]);
            all[i] = all[left - 1];
        }
        assert_int_equal(wh_err(held), ECANCELED);
        assert_ptr_equal(wh_cause(held), WH_ENDED);
        assert_int_equal(wh_number(held), 1);
        wh_release(held);
    }
}

static void T095_ended_alone_it_goes_without_a_cancel(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *b = wh_with_cancel(NULL);
    int ran = 0;
    wh_ctx *both = wh_merge(a, b);
    assert_int_equal(wh_after_inline(both, count, &ran, NULL), 0);
    wh_end(both);
    assert_int_equal(ran, 0);
    both = wh_merge(a, b);
    wh_end(wh_take_over(wh_with_number(both, 1), both));
    assert_int_equal(a->refs, 1);
    assert_int_equal(b->refs, 1);
}

/* ---- without memory ---- */

static void T007_T095_without_memory(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *b = wh_with_number(a, 1);
    WH_AUTO wh_ctx *c = wh_with_color(NULL, 1);
    const wh_ctx *sources[] = {a, b, c};
    wh_ctx *made[4096];
    bool failed = false;
    size_t count_made = 0;
    for (memory_ends_after(0); !failed && count_made < 4096; count_made++) {
        made[count_made] = wh_merge_at(sources, 3, WH_HERE);
        failed = wh_cause(made[count_made]) == WH_NO_MEMORY;
    }
    memory_is_back();
    assert_true(failed);
    for (size_t i = 0; i < count_made; i++) wh_end(made[i]);
    for (size_t n = 1; n < 5; n++) {
        memory_fails_once_at(n);
        wh_ctx *all = wh_merge_at(sources, 3, WH_HERE);
        memory_is_back();
        assert_true(wh_err(all) == 0 || wh_cause(all) == WH_NO_MEMORY);
        wh_end(all);
    }
    assert_null(a->children);
    assert_int_equal(a->refs, 2);
    assert_int_equal(b->refs, 1);
    assert_int_equal(c->refs, 1);
}

static void T095_of_a_context_that_could_not_be_had(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *a = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *first = wh_merge(wh__no_memory(), a);
    WH_AUTO wh_ctx *second = wh_merge(a, wh__no_memory());
    WH_AUTO wh_ctx *value = wh_with_number(wh__no_memory(), 1);
    WH_AUTO wh_ctx *third = wh_merge(a, value);
    assert_ptr_equal(wh_cause(first), WH_NO_MEMORY);
    assert_ptr_equal(wh_cause(second), WH_NO_MEMORY);
    assert_ptr_equal(wh_cause(third), WH_NO_MEMORY);
    assert_int_equal(cause_of(third).depth, 2);
    assert_null(a->children);
}

/* ---- the child of a fork ---- */

static bool in_the_child(void *arg)
{
    wh_ctx **all = arg;
    CHECK(wh_cancel(all[1], reason_x, NULL));
    CHECK(wh_cause(all[3]) == reason_x);
    wh_ctx *more = wh_merge(all[0], all[3]);
    CHECK(wh_cause(more) == reason_x);
    wh_end(more);
    for (int i = 0; i < 4; i++) wh_end(all[i]);
    return true;
}

static void T159_T095_a_fork_in_between(void **state)
{
    (void)state;
    wh_ctx *a = wh_with_cancel(NULL), *b = wh_with_cancel(NULL), *both = wh_merge(a, b);
    wh_ctx *all[] = {a, b, both, wh_with_cancel(both)};
    assert_int_equal(in_child(in_the_child, all), 0);
    assert_int_equal(wh_err(both), 0);
    for (int i = 0; i < 4; i++) wh_end(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T095_done_when_either_is_with_its_cause),
        cmocka_unit_test(T095_its_own_cancel_leaves_its_sources_alone),
        cmocka_unit_test(T040_T095_the_origin_is_counted_through_the_source_that_was_done),
        cmocka_unit_test(T095_the_span_is_that_of_the_first_and_says_who_stopped_it),
        cmocka_unit_test(T095_the_deadline_is_the_earliest),
        cmocka_unit_test(T095_the_earliest_source_fires_and_who_waits_sees_it_in_time),
        cmocka_unit_test(T095_a_late_timer_is_made_up_for_by_who_asks),
        cmocka_unit_test(T096_born_done_if_a_source_is_and_registered_nowhere),
        cmocka_unit_test(T097_each_source_is_registered_with_once),
        cmocka_unit_test(T097_of_sources_that_are_never_done_only_its_owner_cancels_it),
        cmocka_unit_test(T098_a_long_lived_source_keeps_nothing_of_those_that_ended),
        cmocka_unit_test(T099_a_diamond_changes_once),
        cmocka_unit_test(T014_T095_no_code_runs_before_the_news_is_everywhere),
        cmocka_unit_test(T095_in_whatever_order_they_end),
        cmocka_unit_test(T095_ended_alone_it_goes_without_a_cancel),
        cmocka_unit_test(T007_T095_without_memory),
        cmocka_unit_test(T095_of_a_context_that_could_not_be_had),
        cmocka_unit_test(T159_T095_a_fork_in_between),
    };
    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
