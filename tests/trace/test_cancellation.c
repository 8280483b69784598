/* What a cancelled span says: the attributes, the event, the link and the status. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cancelled.h"

WH_REASON(over_quota, "over_quota", .http_status = 429);

static void assert_origin(const struct wh_span_view *span, const struct wh_span_view *origin, const char *name, int depth)
{
    assert_string_equal(span_text(span, "whence.cancel.origin.trace_id"), hex(origin->trace_id, 16));
    assert_string_equal(span_text(span, "whence.cancel.origin.span_id"), hex(origin->span_id, 8));
    assert_string_equal(span_text(span, "whence.cancel.origin.span_name"), name);
    assert_int_equal(span_int(span, "whence.cancel.depth"), depth);
}

static void a_span_that_was_not_cancelled_says_nothing(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *plain = wh_start(spans.root, "plain");
    wh_ctx *timed = wh_start(spans.root, "timed", .timeout = WH_SEC(2));
    wh_end(timed);
    wh_end(plain);
    struct wh_span_view view = span_named(&spans, "plain");
    struct wh_cursor cursor = {view.raw};
    struct wh_attr_view attr;
    assert_false(wh_next_span_attr(&cursor, &attr));
    view = span_named(&spans, "timed");
    assert_false(span_has(&view, "whence.cancelled"));
    assert_true(span_double(&view, "whence.deadline.asked_ms") == 2000);
    assert_true(span_double(&view, "whence.deadline.budget_ms") == 2000);
    assert_in_range((unsigned long)span_double(&view, "whence.deadline.remaining_ms"), 1000, 2000);
    struct wh_event_view event;
    assert_false(span_event(&view, "whence.cancel.received", &event));
    assert_link(&view, NULL);
    spans_end(&spans);
}

static void everything_that_a_cancelled_span_says(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *top = wh_start(spans.root, "top", .kind = WH_SERVER);
    wh_ctx *middle = wh_start(top, "middle");
    wh_ctx *leaf = wh_start(middle, "leaf");
    const int64_t before = wh_now();
    assert_true(wh_cancel(top, over_quota, "too many orders")); const int line = __LINE__;
    nap(20);
    wh_end(leaf);
    wh_end(middle);
    wh_end(top);
    const struct wh_span_view t = span_named(&spans, "top"), m = span_named(&spans, "middle"), l = span_named(&spans, "leaf");
    char site[100];
    snprintf(site, sizeof site, "test_cancellation.c:%d %s", line, __func__);
    const struct wh_span_view *all[] = {&t, &m, &l};
    for (int i = 0; i < 3; i++) {
        assert_true(span_bool(all[i], "whence.cancelled"));
        assert_string_equal(span_text(all[i], "whence.cancel.reason"), "over_quota");
        assert_string_equal(span_text(all[i], "whence.cancel.message"), "too many orders");
        assert_string_equal(span_text(all[i], "whence.cancel.site"), site);
        assert_origin(all[i], &t, "top", i);
        assert_true(span_double(all[i], "whence.cancel.overrun_ms") >= 20);
        assert_true(span_double(all[i], "whence.cancel.overrun_ms") <= (double)(wh_now() - before) / 1e6);
        assert_int_equal(all[i]->status, WH_STATUS_UNSET);
        assert_false(span_has(all[i], "error.type"));
        struct wh_event_view event;
        assert_true(span_event(all[i], "whence.cancel.received", &event));
        assert_true(event.at >= all[i]->start && event.at <= all[i]->end);
        /* overrun is what lies between the event and the end */
        assert_true((double)(all[i]->end - event.at) / 1e6 - span_double(all[i], "whence.cancel.overrun_ms") < 0.01);
    }
    struct wh_event_view event;
    assert_true(span_event(&t, "whence.cancel.requested", &event));
    assert_false(span_event(&l, "whence.cancel.requested", &event));
    assert_link(&t, NULL);  /* the origin itself */
    assert_link(&m, NULL);  /* its parent is the origin */
    assert_link(&l, &t);
    spans_end(&spans);
}

/* The caller's span goes on; only what it has cancelled is cancelled. */
static void a_cancel_below_a_span(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "goes on");
    wh_ctx *part = wh_with_cancel(span);
    wh_ctx *work = wh_start(part, "stopped");
    wh_cancel(part, over_quota, NULL);
    wh_end(work);
    wh_end(part);
    wh_end(span);
    const struct wh_span_view on = span_named(&spans, "goes on"), off = span_named(&spans, "stopped");
    struct wh_event_view event;
    assert_false(span_has(&on, "whence.cancelled"));
    assert_false(span_event(&on, "whence.cancel.received", &event));
    assert_true(span_event(&on, "whence.cancel.requested", &event));
    assert_origin(&off, &on, "goes on", 1);
    assert_false(span_has(&off, "whence.cancel.message"));
    assert_link(&off, NULL);
    spans_end(&spans);
}

static void the_owner_of_the_deadline_is_the_error(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *owner = wh_start(spans.root, "owner", .timeout = WH_MS(20));
    wh_ctx *victim = wh_start(owner, "victim");
    wh_ctx *asks_more = wh_start(victim, "asks more", .timeout = WH_SEC(5));
    assert_int_equal(wh_wait(asks_more, WH_SEC(5)), ETIMEDOUT);
    wh_end(asks_more);
    wh_end(victim);
    wh_end(owner);
    const struct wh_span_view o = span_named(&spans, "owner"), v = span_named(&spans, "victim"), a = span_named(&spans, "asks more");
    assert_int_equal(o.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&o, "error.type"), "timeout");
    assert_memory_equal(o.status_text.ptr, "deadline of 20 ms exceeded", 26);
    assert_true(span_double(&o, "whence.deadline.remaining_ms") <= 0);
    assert_int_equal(v.status, WH_STATUS_UNSET);
    assert_false(span_has(&v, "error.type"));
    assert_origin(&v, &o, "owner", 1);
    assert_int_equal(a.status, WH_STATUS_UNSET);
    assert_true(span_double(&a, "whence.deadline.asked_ms") == 5000);
    assert_true(span_double(&a, "whence.deadline.budget_ms") <= 20);
    assert_false(span_has(&v, "whence.deadline.asked_ms"));
    assert_string_equal(span_text(&a, "whence.cancel.reason"), "deadline_exceeded");
    struct wh_event_view event;
    assert_false(span_event(&o, "whence.cancel.requested", &event)); /* nobody called */
    spans_end(&spans);
}

/* What a span says of itself counts: an error that was its own stays one, and OK is final. */
static void own_words_before_the_cause(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *ok = wh_start(spans.root, "ok", .timeout = 1);
    wh_ctx *failed = wh_start(spans.root, "failed", .timeout = 1);
    wh_ctx *obedient = wh_start(spans.root, "obedient");
    wh_status(ok, WH_STATUS_OK, NULL);
    wh_wait(ok, WH_SEC(5));
    wh_wait(failed, WH_SEC(5));
    wh_status(failed, WH_STATUS_ERROR, "disk full");
    wh_cancel(obedient, NULL, NULL);
    assert_int_equal(wh_fail(obedient, ECANCELED, "was told to stop"), ECANCELED);
    wh_end(ok);
    wh_end(failed);
    wh_end(obedient);
    struct wh_span_view view = span_named(&spans, "ok");
    assert_int_equal(view.status, WH_STATUS_OK);
    assert_false(span_has(&view, "error.type"));
    view = span_named(&spans, "failed");
    assert_memory_equal(view.status_text.ptr, "disk full", 9);
    assert_string_equal(span_text(&view, "error.type"), "timeout");
    view = span_named(&spans, "obedient");
    assert_int_equal(view.status, WH_STATUS_UNSET);
    assert_false(span_has(&view, "error.type"));
    spans_end(&spans);
}

static void the_policy_makes_benign_cancels_errors(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.cancelled_is_error = true});
    wh_ctx *span = wh_start(spans.root, "span");
    wh_cancel(span, WH_CLIENT_GONE, "connection closed");
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "span");
    assert_int_equal(view.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&view, "error.type"), "client_gone");
    assert_memory_equal(view.status_text.ptr, "connection closed", 17);
    spans_end(&spans);
}

/* The cause gets its place on a span that is full. */
static void limits_do_not_drop_the_cause(void **state)
{
    (void)state;
    const struct wh_limits limits = {.attributes = 2, .events = 1, .links = 1};
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = limits});
    struct wh_span_context other = {.trace_id = {1}, .span_id = {2}};
    wh_ctx *top = wh_start(spans.root, "top");
    wh_ctx *middle = wh_start(top, "middle");
    wh_ctx *full = wh_start(middle, "full");
    for (int i = 0; i < 3; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        wh_set(full, key, i);
        wh_event(full, "event");
        wh_link_to(full, &other);
    }
    wh_cancel(top, over_quota, "why");
    wh_end(full);
    wh_end(middle);
    wh_end(top);
    const struct wh_span_view t = span_named(&spans, "top"), f = span_named(&spans, "full");
    assert_int_equal(f.dropped_attributes, 1);
    assert_int_equal(f.dropped_events, 2);
    assert_int_equal(f.dropped_links, 2);
    assert_origin(&f, &t, "top", 2);
    assert_string_equal(span_text(&f, "whence.cancel.message"), "why");
    struct wh_event_view event;
    assert_true(span_event(&f, "whence.cancel.received", &event));
    struct wh_cursor cursor = {f.raw};
    struct wh_link_view link;
    assert_true(wh_next_link(&cursor, &link) && wh_next_link(&cursor, &link));
    assert_memory_equal(link.span_id, t.span_id, 8);
    spans_end(&spans);
}

/* Begun after the cancel: all of it was for nobody, and no more than all. */
static void work_begun_after_the_cancel(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *top = wh_start(spans.root, "top");
    wh_cancel(top, over_quota, NULL);
    nap(20);
    wh_ctx *late = wh_start(top, "late");
    assert_int_equal(wh_err(late), ECANCELED);
    wh_end(late);
    wh_end(top);
    const struct wh_span_view view = span_named(&spans, "late");
    assert_true(span_double(&view, "whence.cancel.overrun_ms") <= (double)(view.end - view.start) / 1e6);
    spans_end(&spans);
}

static void ended_while_others_worked_on(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *top = wh_start(spans.root, "top");
    wh_ctx *work = wh_start(top, "work");
    wh_end(top);
    wh_end(work);
    const struct wh_span_view t = span_named(&spans, "top"), w = span_named(&spans, "work");
    assert_false(span_has(&t, "whence.cancelled"));
    assert_string_equal(span_text(&w, "whence.cancel.reason"), "ended");
    assert_origin(&w, &t, "top", 1);
    spans_end(&spans);
}

static void an_unsampled_trace_is_cancelled_just_the_same(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_parent_based(wh_sampler_always_off())});
    wh_ctx *top = wh_start(spans.root, "top", .timeout = WH_MS(5));
    wh_ctx *below = wh_start(top, "below");
    char why[1000];
    assert_int_equal(wh_wait(below, WH_SEC(5)), ETIMEDOUT);
    wh_explain(below, why, sizeof why);
    assert_non_null(strstr(why, "deadline_exceeded"));
    assert_non_null(strstr(why, "\"top\""));
    wh_end(below);
    wh_end(top);
    wh_provider_flush(spans.provider, WH_SEC(5));
    assert_int_equal(wh_memory_count(spans.memory), 0);
    spans_end(&spans);
}

static void end_it(void *ctx)
{
    wh_end(ctx);
}

/* "On cancel, tear down the request": the span goes in the middle of its own cancel. */
static void a_callback_ends_the_span_that_is_cancelled(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "torn down");
    assert_int_equal(wh_after_inline(span, end_it, span, NULL), 0);
    assert_true(wh_cancel(span, WH_CLIENT_GONE, "bye"));
    const struct wh_span_view view = span_named(&spans, "torn down");
    assert_string_equal(span_text(&view, "whence.cancel.reason"), "client_gone");
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_that_was_not_cancelled_says_nothing),
        cmocka_unit_test(everything_that_a_cancelled_span_says),
        cmocka_unit_test(a_cancel_below_a_span),
        cmocka_unit_test(the_owner_of_the_deadline_is_the_error),
        cmocka_unit_test(own_words_before_the_cause),
        cmocka_unit_test(the_policy_makes_benign_cancels_errors),
        cmocka_unit_test(limits_do_not_drop_the_cause),
        cmocka_unit_test(work_begun_after_the_cancel),
        cmocka_unit_test(a_callback_ends_the_span_that_is_cancelled),
        cmocka_unit_test(ended_while_others_worked_on),
        cmocka_unit_test(an_unsampled_trace_is_cancelled_just_the_same),
    };
    return cmocka_run_group_tests_name("cancellation", tests, NULL, NULL);
}
