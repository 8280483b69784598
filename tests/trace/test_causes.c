/* Chains of causes: what wh_causes() tells of contexts that are done or have failed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cancelled.h"
#include "trace/callee.h"

WH_REASON(over_quota, "over_quota", .http_status = 429);

static struct wh_because list[WH_CAUSES_MAX];

static void assert_link_is(size_t i, const char *reason, const char *text, const char *func, const wh_ctx *span)
{
    struct wh_span_context ids;
    assert_string_equal(list[i].reason, reason);
    if (text) assert_string_equal(list[i].text, text);
    if (func) assert_non_null(strstr(list[i].site, func));
    if (!span) return;
    assert_true(wh_span_of(span, &ids));
    assert_memory_equal(list[i].span_id, ids.span_id, 8);
    assert_memory_equal(list[i].trace_id, ids.trace_id, 16);
}

static void neither_done_nor_failed(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "span");
    assert_int_equal(wh_causes(span, list, WH_CAUSES_MAX), 0);
    assert_int_equal(wh_causes(NULL, list, WH_CAUSES_MAX), 0);
    wh_end(span);
    spans_end(&spans);
}

static void a_cancel_alone_is_a_chain_of_one(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "span");
    wh_ctx *below = wh_start(span, "below");
    wh_cancel(span, over_quota, "too many");
    assert_int_equal(wh_causes(below, list, WH_CAUSES_MAX), 1);
    assert_link_is(0, "over_quota", "too many", __func__, span);
    assert_string_equal(list[0].span_name, "span");
    assert_non_null(list[0].service);
    assert_false(list[0].remote);
    assert_int_equal(wh_causes(below, list, 0), 0);
    wh_end(below);
    wh_end(span);
    spans_end(&spans);
}

static void a_failure_is_known_above_it(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *server = wh_start(spans.root, "server", .kind = WH_SERVER);
    wh_ctx *step = wh_with_cancel(server);
    wh_ctx *client = wh_start(step, "client", .kind = WH_CLIENT);
    wh_fail(client, ECONNREFUSED, "nobody listens");
    assert_int_equal(wh_causes(client, list, WH_CAUSES_MAX), 1);
    assert_link_is(0, "ECONNREFUSED", "nobody listens", __func__, client);
    assert_int_equal(wh_causes(server, list, WH_CAUSES_MAX), 1);
    assert_link_is(0, "ECONNREFUSED", "nobody listens", __func__, client);
    wh_fail(server, EIO, "no price");
    assert_int_equal(wh_causes(server, list, WH_CAUSES_MAX), 2);
    assert_link_is(0, "EIO", "no price", __func__, server);
    assert_link_is(1, "ECONNREFUSED", "nobody listens", __func__, client);
    wh_fail(server, EIO, "said again"); /* not because of what it has said before */
    assert_int_equal(wh_causes(server, list, WH_CAUSES_MAX), 2);
    assert_link_is(0, "EIO", "said again", __func__, server);
    assert_link_is(1, "ECONNREFUSED", NULL, NULL, client);
    assert_int_equal(wh_causes(spans.root, list, WH_CAUSES_MAX), 0); /* no span */
    wh_end(client);
    wh_end(step);
    wh_end(server);
    spans_end(&spans);
}

static void a_cancel_because_of_another_goes_on_with_its_chain(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *late = wh_start(spans.root, "late", .timeout = 1);
    wh_ctx *stopped = wh_start(spans.root, "stopped");
    wh_ctx *last = wh_start(spans.root, "last");
    wh_wait(late, WH_SEC(5));
    assert_true(wh_cancel_because(stopped, over_quota, "no use", late));
    assert_true(wh_cancel_because(last, NULL, NULL, stopped));
    assert_false(wh_cancel_because(last, NULL, NULL, late));
    wh_end(late);
    assert_int_equal(wh_causes(last, list, WH_CAUSES_MAX), 3);
    assert_link_is(0, "canceled", NULL, __func__, last);
    assert_null(list[0].text);
    assert_link_is(1, "over_quota", "no use", __func__, stopped);
    assert_link_is(2, "deadline_exceeded", NULL, __func__, NULL);
    assert_string_equal(list[2].span_name, "late");
    wh_end(stopped);
    wh_end(last);
    spans_end(&spans);
}

static void what_a_callee_said_goes_on(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *server = wh_start(spans.root, "server", .kind = WH_SERVER);
    wh_ctx *client = wh_start(server, "client", .kind = WH_CLIENT);
    const struct wh_because said[] = {
        {.reason = "deadline_exceeded", .site = "rates.c:40 handle", .span_name = "GET /rate", .service = "price", .span_id = {1}, .trace_id = {2}},
        {.reason = "ECONNREFUSED", .text = "nobody listens", .service = "rates"},
    };
    wh__note_callee(client, said, 2);
    assert_int_equal(wh_causes(server, list, WH_CAUSES_MAX), 2);
    wh_fail(client, EIO, "no price");
    wh_end(client);
    assert_int_equal(wh_causes(server, list, WH_CAUSES_MAX), 3);
    assert_link_is(0, "EIO", "no price", __func__, NULL);
    assert_link_is(1, "deadline_exceeded", NULL, "rates.c:40 handle", NULL);
    assert_string_equal(list[1].service, "price");
    assert_true(list[1].remote && list[2].remote && !list[0].remote);
    assert_link_is(2, "ECONNREFUSED", "nobody listens", NULL, NULL);
    const struct wh_span_view view = span_named(&spans, "client");
    assert_string_equal(span_text(&view, "whence.callee.reason"), "deadline_exceeded");
    assert_string_equal(span_text(&view, "whence.callee.service"), "price");
    assert_string_equal(span_text(&view, "whence.callee.span_id"), "0100000000000000");
    assert_false(span_has(&view, "whence.callee.message"));
    wh_end(server);
    spans_end(&spans);
}

/* The nearest and the farthest stay: never more than eight, and the first cause is always among them. */
static void a_long_chain_is_cut_in_the_middle(void **state)
{
    (void)state;
    enum { LONG = 40 };
    wh_ctx *chain[LONG];
    for (int i = 0; i < LONG; i++) {
        chain[i] = wh_with_cancel(NULL);
        char text[20];
        snprintf(text, sizeof text, "%d", i);
        wh_cancel_because(chain[i], over_quota, text, i ? chain[i - 1] : NULL);
        const size_t count = wh_causes(chain[i], list, WH_CAUSES_MAX);
        assert_int_equal(count, i < WH_CAUSES_MAX ? i + 1 : WH_CAUSES_MAX);
        assert_string_equal(list[0].text, text);
        assert_string_equal(list[count - 1].text, "0");
        for (size_t j = 1; j < count; j++) assert_true(atoi(list[j].text) < atoi(list[j - 1].text));
        if (i) assert_int_equal(atoi(list[1].text), i - 1);
        assert_int_equal(wh_causes(chain[i], list, 2), i ? 2 : 1);
        assert_string_equal(list[i ? 1 : 0].text, "0");
    }
    for (int i = 0; i < LONG; i++) wh_end(chain[i]);
}

static int is_stopped(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    WH_AUTO wh_ctx *span = wh_start(ctx, "stopped");
    return wh_wait(span, WH_SEC(10));
}

static int fails(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    WH_AUTO wh_ctx *span = wh_start(ctx, "fails");
    return wh_fail(span, ECONNREFUSED, "no price today");
}

static void a_sibling_is_cancelled_because_of_the_failure(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *request = wh_start(spans.root, "request");
    wh_group *group = wh_group_new(request);
    wh_go(group, is_stopped, NULL);
    wh_go(group, fails, NULL);
    assert_int_equal(wh_group_wait(group), ECONNREFUSED);
    assert_int_equal(wh_causes(wh_group_ctx(group), list, WH_CAUSES_MAX), 2);
    assert_link_is(0, "sibling_failed", "no price today", "fails", NULL);
    assert_link_is(1, "ECONNREFUSED", "no price today", "fails", NULL);
    assert_string_equal(list[1].span_name, "fails");
    wh_group_free(group);
    wh_end(request);
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neither_done_nor_failed),
        cmocka_unit_test(a_cancel_alone_is_a_chain_of_one),
        cmocka_unit_test(a_failure_is_known_above_it),
        cmocka_unit_test(a_cancel_because_of_another_goes_on_with_its_chain),
        cmocka_unit_test(what_a_callee_said_goes_on),
        cmocka_unit_test(a_long_chain_is_cut_in_the_middle),
        cmocka_unit_test(a_sibling_is_cancelled_because_of_the_failure),
    };
    return cmocka_run_group_tests_name("causes", tests, NULL, NULL);
}
