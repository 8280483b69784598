/* Who a cancelled span says it was: a member of its group that failed, or the caller in another process. */
#include <errno.h>
#include <string.h>

#include "cancelled.h"

WH_REASON(over_quota, "over_quota", .http_status = 429);

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
    assert_non_null(strstr(span_text(&s, "whence.cancel.site"), "test_origin.c:"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_failing_sibling_is_the_origin),
        cmocka_unit_test(a_failure_without_words),
        cmocka_unit_test(the_remote_caller_is_the_origin),
        cmocka_unit_test(the_remote_deadline_is_the_callers),
    };
    return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
