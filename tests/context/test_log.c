/* What goes into a log: how loud, and in one line; and contexts that end with a reason. */
#include <errno.h>

#include "tools.h"

WH_REASON(over_quota, "over_quota", .http_status = 429);
WH_REASON(broken, "broken");
WH_REASON(upstream_late, "upstream_late", .err = ETIMEDOUT, .http_status = 502);

static wh_ctx *cancelled_with(const struct wh_reason *reason, const char *text)
{
    wh_ctx *ctx = wh_with_cancel(NULL);
    wh_cancel(ctx, reason, text);
    return ctx;
}

/* ---- how loud ---- */

static void T148_the_level_is_of_the_cause(void **state)
{
    (void)state;
    const struct {
        const struct wh_reason *reason;
        enum wh_log_level level;
        int status;
    } cases[] = {
        {WH_CANCELED, WH_LOG_INFO, 500},
        {WH_CLIENT_GONE, WH_LOG_INFO, 499},
        {WH_SHUTDOWN, WH_LOG_INFO, 503},
        {WH_DEADLINE_EXCEEDED, WH_LOG_WARN, 504},
        {WH_SIBLING_FAILED, WH_LOG_ERROR, 500},
        {WH_NO_MEMORY, WH_LOG_ERROR, 503},
        {WH_ENDED, WH_LOG_DEBUG, 500},
        {WH_GROUP_DONE, WH_LOG_DEBUG, 500},
        {WH_RACE_LOST, WH_LOG_DEBUG, 500},
        {WH_HANDLER_RETURNED, WH_LOG_DEBUG, 500},
        {over_quota, WH_LOG_INFO, 429},
        {broken, WH_LOG_ERROR, 500},
        {upstream_late, WH_LOG_WARN, 502},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        WH_AUTO wh_ctx *ctx = cancelled_with(cases[i].reason, NULL);
        WH_AUTO wh_ctx *below = wh_with_cancel(ctx);
        assert_int_equal(wh_log_level(ctx), cases[i].level);
        assert_int_equal(wh_log_level(below), cases[i].level);
        assert_int_equal(wh_http_status(ctx), cases[i].status);
    }
    WH_AUTO wh_ctx *open = wh_with_cancel(NULL);
    assert_int_equal(wh_log_level(open), WH_LOG_INFO);
    assert_int_equal(wh_log_level(NULL), WH_LOG_INFO);
}

/* ---- the line ---- */

static const char *line_of(const wh_ctx *ctx)
{
    static char line[600];
    const size_t len = wh_log_line(ctx, line, sizeof line);
    assert_true(len < sizeof line);
    assert_int_equal(strlen(line), len);
    assert_null(strchr(line, '\n'));
    return line;
}

static void assert_has(const char *line, const char *part)
{
    if (!strstr(line, part)) fail_msg("no <%s> in <%s>", part, line);
}

static void T148_one_line_says_class_cause_origin_and_times(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *request = wh_start(spans.root, "GET /order", .kind = WH_SERVER, .timeout = WH_SEC(1000));
    wh_ctx *step = wh_with_cancel(request);
    assert_has(line_of(step), "not done, ");
    assert_has(line_of(step), " after it began, ");
    assert_has(line_of(step), " left");
    wh_cancel(request, WH_CLIENT_GONE, "connection reset");
    const char *line = line_of(step);
    struct wh_span_context span;
    wh_span_of(request, &span);
    char id[40] = " span ";
    for (int i = 0; i < 8; i++) snprintf(id + 6 + 2 * i, 3, "%02x", span.span_id[i]);
    assert_has(line, "canceled: client_gone \"connection reset\" at test_log.c:");
    assert_has(line, ", origin \"GET /order\" at test_log.c:");
    assert_has(line, id);
    assert_has(line, " after it began, ");
    assert_has(line, " min left");
    wh_end(step);
    wh_end(request);
    spans_end(&spans);
}

static void T148_what_is_not_known_is_left_out(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *plain = cancelled_with(broken, NULL);
    assert_has(line_of(plain), "canceled: broken at test_log.c:");
    assert_has(line_of(plain), ", origin a context at test_log.c:");
    assert_null(strstr(line_of(plain), "began"));
    assert_null(strstr(line_of(plain), "left"));
    assert_string_equal(line_of(NULL), "not done");
    WH_AUTO wh_ctx *late = wh_with_timeout(NULL, -1);
    assert_has(line_of(late), "timed out: deadline_exceeded at test_log.c:");
    assert_has(line_of(late), ", 0 ns left");
}

static void T148_the_beginning_is_that_of_the_nearest_timeout(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *timed = wh_with_timeout(NULL, WH_SEC(1000));
    WH_AUTO wh_ctx *longer = wh_with_timeout(timed, WH_SEC(2000)); /* does not hold: when it was made is not kept */
    wh_wait(NULL, WH_MS(3));
    const int64_t least = wh_now() - (wh_deadline(timed) - WH_SEC(1000));
    assert_true(least >= WH_MS(3));
    assert_has(line_of(longer), " after it began, ");
    assert_has(line_of(longer), " min left");
    assert_null(strstr(line_of(longer), " us after"));
    assert_null(strstr(line_of(longer), " ns after"));
}

/* As of a message that was in its queue for too long: when it was taken out of it is not when its time was over. */
static void T148_how_long_ago_it_was_over_when_it_began(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *message = wh_with_timeout(spans.root, -WH_MIN(70 * 60));
    wh_ctx *op = wh_start(message, "send mail", .kind = WH_CONSUMER);
    assert_has(line_of(op), ", 70 h before it began, 0 ns left");
    wh_end(op);
    wh_end(message);
    spans_end(&spans);
}

static void T148_text_of_strangers_is_made_harmless(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_cancelf(ctx, broken, "%s", "a\nb\x1b[31m\xff" "c\xe2\x80\xa8" "d \xc3\xa4");
    assert_has(line_of(ctx), "broken \"a?b?[31m?c?d \xc3\xa4\" at ");
}

static void T148_it_fits_any_buffer(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = cancelled_with(over_quota, "too much");
    char whole[600], part[600];
    const size_t len = wh_log_line(ctx, whole, sizeof whole);
    assert_int_equal(wh_log_line(ctx, NULL, 0), len);
    for (size_t size = 1; size <= len + 2; size++) {
        memset(part, '#', sizeof part);
        assert_int_equal(wh_log_line(ctx, part, size), len);
        const size_t kept = size - 1 < len ? size - 1 : len;
        assert_int_equal(strlen(part), kept);
        assert_memory_equal(part, whole, kept);
        assert_int_equal(part[size], '#');
    }
}

/* ---- ending with a reason ---- */

static void T145_who_still_holds_it_finds_the_reason(void **state)
{
    (void)state;
    wh_ctx *request = wh_with_timeout(NULL, WH_SEC(100));
    const wh_ctx *held = wh_hold(request);
    WH_AUTO wh_ctx *below = wh_with_cancel(request);
    wh_end_because(request, WH_HANDLER_RETURNED);
    assert_int_equal(wh_err(held), ECANCELED);
    assert_ptr_equal(wh_cause(held), WH_HANDLER_RETURNED);
    assert_ptr_equal(wh_cause(below), WH_HANDLER_RETURNED);
    assert_string_equal(wh_cause(below)->name, "handler_returned");
    assert_string_equal(cause_of(below).site->func, __func__);
    wh_release(held);
    wh_ctx *other = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *child = wh_with_cancel(other);
    wh_end_because(other, NULL);
    assert_ptr_equal(wh_cause(child), WH_ENDED);
    wh_end_because(NULL, broken);
    wh_end_because((wh_ctx *)wh_background(), broken);
}

static void T145_what_it_has_taken_over_ends_with_the_same_reason(void **state)
{
    (void)state;
    wh_ctx *from = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *beside = wh_with_cancel(from);
    wh_ctx *request = wh_take_over(wh_with_timeout(from, WH_SEC(100)), from);
    WH_AUTO wh_ctx *below = wh_with_cancel(request);
    wh_end_because(request, WH_HANDLER_RETURNED);
    assert_ptr_equal(wh_cause(beside), WH_HANDLER_RETURNED);
    assert_ptr_equal(wh_cause(below), WH_HANDLER_RETURNED);
}

static void T145_who_was_cancelled_before_keeps_that_cause(void **state)
{
    (void)state;
    wh_ctx *request = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *below = wh_with_cancel(request);
    wh_cancel(request, WH_CLIENT_GONE, NULL);
    wh_end_because(request, WH_HANDLER_RETURNED);
    assert_ptr_equal(wh_cause(below), WH_CLIENT_GONE);
    assert_int_equal(cause_of(below).losers, 0);
}

/* The same record, but for ids and times. */
static void T145_a_span_ends_as_ever(void **state)
{
    (void)state;
    for (int held = 0; held < 2; held++) {
        struct spans spans = spans_begin();
        wh_ctx *plain = wh_start(spans.root, "by wh_end", .timeout = WH_SEC(100));
        wh_ctx *other = wh_start(spans.root, "with a reason", .timeout = WH_SEC(100));
        WH_AUTO wh_ctx *below = held ? wh_with_cancel(plain) : NULL;
        WH_AUTO wh_ctx *also = held ? wh_with_cancel(other) : NULL;
        wh_end(plain);
        wh_end_because(other, WH_HANDLER_RETURNED);
        if (held) {
            assert_ptr_equal(wh_cause(below), WH_ENDED);
            assert_ptr_equal(wh_cause(also), WH_HANDLER_RETURNED);
        }
        const struct wh_span_view a = span_named(&spans, "by wh_end"), b = span_named(&spans, "with a reason");
        assert_false(span_has(&a, "whence.cancelled"));
        assert_false(span_has(&b, "whence.cancelled"));
        assert_int_equal(a.status, b.status);
        assert_true(b.end >= b.start);
        spans_end(&spans);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T148_the_level_is_of_the_cause),
        cmocka_unit_test(T148_one_line_says_class_cause_origin_and_times),
        cmocka_unit_test(T148_what_is_not_known_is_left_out),
        cmocka_unit_test(T148_the_beginning_is_that_of_the_nearest_timeout),
        cmocka_unit_test(T148_how_long_ago_it_was_over_when_it_began),
        cmocka_unit_test(T148_text_of_strangers_is_made_harmless),
        cmocka_unit_test(T148_it_fits_any_buffer),
        cmocka_unit_test(T145_who_still_holds_it_finds_the_reason),
        cmocka_unit_test(T145_what_it_has_taken_over_ends_with_the_same_reason),
        cmocka_unit_test(T145_who_was_cancelled_before_keeps_that_cause),
        cmocka_unit_test(T145_a_span_ends_as_ever),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
