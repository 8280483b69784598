/* What a cancelled span says: the attributes, the event, the link and the status. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "test.h"

WH_REASON(over_quota, "over_quota", .http_status = 429);

static void nap(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

static const char *hex(const uint8_t *id, size_t size)
{
    static char text[33];
    for (size_t i = 0; i < size; i++) snprintf(text + 2 * i, 3, "%02x", id[i]);
    return text;
}

/* A link to `to`, and no other; or none at all. */
static void assert_link(const struct wh_span_view *span, const struct wh_span_view *to)
{
    struct wh_cursor cursor = {span->raw};
    struct wh_link_view link;
    if (to) {
        assert_true(wh_next_link(&cursor, &link));
        assert_memory_equal(link.trace_id, to->trace_id, 16);
        assert_memory_equal(link.span_id, to->span_id, 8);
    }
    assert_false(wh_next_link(&cursor, &link));
}

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

static int fails(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "the one that fails", .kind = WH_CLIENT);
    (void)arg;
    nap(10);
    return wh_fail(span, ECONNREFUSED, "no price today");
}

static int is_stopped(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "the one that is stopped", .kind = WH_CLIENT);
    (void)arg;
    return wh_wait(span, WH_SEC(10));
}

static void the_failing_sibling_is_the_origin(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *request = wh_start(spans.root, "request");
    wh_group *group = wh_group_new(request);
    wh_go(group, fails, NULL);
    wh_go(group, is_stopped, NULL);
    assert_int_equal(wh_group_wait(group), ECONNREFUSED);
    wh_group_free(group);
    assert_int_equal(wh_err(request), 0);
    wh_end(request);
    const struct wh_span_view r = span_named(&spans, "request"), f = span_named(&spans, "the one that fails"),
                              s = span_named(&spans, "the one that is stopped");
    assert_int_equal(f.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&f, "error.type"), "ECONNREFUSED");
    assert_false(span_has(&f, "whence.cancelled"));
    assert_int_equal(s.status, WH_STATUS_UNSET);
    assert_string_equal(span_text(&s, "whence.cancel.reason"), "sibling_failed");
    assert_string_equal(span_text(&s, "whence.cancel.message"), "no price today");
    assert_non_null(strstr(span_text(&s, "whence.cancel.site"), "test_cancellation.c:"));
    assert_non_null(strstr(span_text(&s, "whence.cancel.site"), " fails"));
    assert_string_equal(span_text(&s, "whence.cancel.origin.span_id"), hex(f.span_id, 8));
    assert_string_equal(span_text(&s, "whence.cancel.origin.span_name"), "the one that fails");
    assert_link(&s, &f);
    assert_false(span_has(&r, "whence.cancelled"));
    spans_end(&spans);
}

static int just_fails(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return EPROTO;
}

/* A member that says nothing of its failure is named all the same, by its function. */
static void a_failure_without_words(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *request = wh_start(spans.root, "request");
    wh_group *group = wh_group_new(request);
    wh_go(group, is_stopped, NULL);
    wh_go(group, just_fails, NULL);
    assert_int_equal(wh_group_wait(group), EPROTO);
    wh_group_free(group);
    wh_end(request);
    const struct wh_span_view r = span_named(&spans, "request"), s = span_named(&spans, "the one that is stopped");
    assert_string_equal(span_text(&s, "whence.cancel.message"), "just_fails returned EPROTO");
    assert_string_equal(span_text(&s, "whence.cancel.origin.span_id"), hex(r.span_id, 8));
    assert_link(&s, NULL);
    spans_end(&spans);
}

struct field {
    const char *name, *value;
};

static const char *get_field(void *carrier, const char *name)
{
    for (const struct field *field = carrier; field->name; field++)
        if (strcmp(field->name, name) == 0) return field->value;
    return NULL;
}

static void the_remote_caller_is_the_origin(void **state)
{
    (void)state;
    struct field fields[] = {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, {0}};
    struct spans spans = spans_begin();
    wh_ctx *from = wh_extract(spans.root, get_field, fields);
    wh_ctx *server = wh_start(from, "server", .kind = WH_SERVER);
    wh_ctx *query = wh_start(server, "query");
    wh_ctx *other = wh_start(from, "other server", .kind = WH_SERVER);
    wh_cancel(server, WH_CLIENT_GONE, "connection closed");
    wh_cancel(other, over_quota, NULL);
    wh_end(query);
    wh_end(server);
    wh_end(other);
    wh_end(from);
    const struct wh_span_view s = span_named(&spans, "server"), q = span_named(&spans, "query"), o = span_named(&spans, "other server");
    assert_string_equal(span_text(&s, "whence.cancel.origin.span_id"), "b7ad6b7169203331");
    assert_string_equal(span_text(&s, "whence.cancel.origin.trace_id"), "0af7651916cd43dd8448eb211c80319c");
    assert_false(span_has(&s, "whence.cancel.origin.span_name"));
    assert_int_equal(span_int(&s, "whence.cancel.depth"), 1);
    assert_int_equal(s.flags & 0x300, 0x300);
    assert_int_equal(s.status, WH_STATUS_UNSET);
    assert_link(&s, NULL); /* its parent is in another process */
    assert_string_equal(span_text(&q, "whence.cancel.origin.span_id"), "b7ad6b7169203331");
    assert_int_equal(span_int(&q, "whence.cancel.depth"), 2);
    struct wh_cursor cursor = {q.raw};
    struct wh_link_view link;
    assert_true(wh_next_link(&cursor, &link));
    assert_int_equal(link.flags & 0x300, 0x300);
    /* what was decided here has its origin here */
    assert_string_equal(span_text(&o, "whence.cancel.origin.span_id"), hex(o.span_id, 8));
    spans_end(&spans);
}

static void the_remote_deadline_is_the_callers(void **state)
{
    (void)state;
    struct field fields[] = {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, {"whence-timeout", "20m"}, {0}};
    struct spans spans = spans_begin();
    wh_ctx *from = wh_extract(spans.root, get_field, fields);
    wh_ctx *server = wh_start(from, "server", .kind = WH_SERVER, .timeout = WH_SEC(2));
    assert_int_equal(wh_wait(server, WH_SEC(5)), ETIMEDOUT);
    wh_end(server);
    wh_end(from);
    const struct wh_span_view s = span_named(&spans, "server");
    assert_string_equal(span_text(&s, "whence.cancel.origin.span_id"), "b7ad6b7169203331");
    assert_int_equal(s.status, WH_STATUS_UNSET); /* it is the caller's deadline, not ours */
    assert_true(span_double(&s, "whence.deadline.asked_ms") == 2000);
    assert_true(span_double(&s, "whence.deadline.budget_ms") <= 20);
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
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = {.kind = WH_SAMPLER_ALWAYS_OFF}});
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
        cmocka_unit_test(the_failing_sibling_is_the_origin),
        cmocka_unit_test(a_failure_without_words),
        cmocka_unit_test(the_remote_caller_is_the_origin),
        cmocka_unit_test(the_remote_deadline_is_the_callers),
        cmocka_unit_test(limits_do_not_drop_the_cause),
        cmocka_unit_test(work_begun_after_the_cancel),
        cmocka_unit_test(a_callback_ends_the_span_that_is_cancelled),
        cmocka_unit_test(ended_while_others_worked_on),
        cmocka_unit_test(an_unsampled_trace_is_cancelled_just_the_same),
    };
    return cmocka_run_group_tests_name("cancellation", tests, NULL, NULL);
}
