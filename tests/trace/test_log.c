/* The span of a context, for logs (compatibility/logging_trace_context.md). */
#include <string.h>

#include "test.h"

static void a_log_line_gets_the_ids_and_the_flags(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    char fields[WH_LOG_FIELDS], expected[200], trace_id[33], span_id[17];
    struct wh_span_context at;
    wh_ctx *span = wh_start(spans.root, "work");
    assert_true(wh_span_of(span, &at));
    snprintf(expected, sizeof expected, "trace_id=%s span_id=%s trace_flags=%02x", wh_trace_id_hex(span, trace_id),
             wh_span_id_hex(span, span_id), at.flags);
    assert_int_equal(wh_log_fields(span, fields, sizeof fields), WH_LOG_FIELDS - 1);
    assert_string_equal(fields, expected);
    assert_true(at.flags & WH_SAMPLED);
    wh_end(span);
    spans_end(&spans);
}

static void below_a_span_it_is_that_span(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    char above[WH_LOG_FIELDS], below[WH_LOG_FIELDS];
    wh_ctx *span = wh_start(spans.root, "work"), *inner = wh_with_cancel(span);
    wh_log_fields(span, above, sizeof above);
    wh_log_fields(inner, below, sizeof below);
    assert_string_equal(above, below);
    wh_end(inner);
    wh_end(span);
    spans_end(&spans);
}

static void without_a_span_there_are_no_fields(void **state)
{
    (void)state;
    char fields[WH_LOG_FIELDS] = "before";
    assert_int_equal(wh_log_fields(wh_background(), fields, sizeof fields), 0);
    assert_string_equal(fields, "");
    assert_int_equal(wh_log_fields(NULL, fields, sizeof fields), 0);
}

static void a_buffer_that_is_too_small_is_told_what_is_needed(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    char fields[20], none = 'x';
    wh_ctx *span = wh_start(spans.root, "work");
    assert_int_equal(wh_log_fields(span, fields, sizeof fields), WH_LOG_FIELDS - 1);
    assert_int_equal(strlen(fields), sizeof fields - 1);
    assert_int_equal(wh_log_fields(span, &none, 0), WH_LOG_FIELDS - 1);
    assert_int_equal(none, 'x');
    wh_end(span);
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_line_gets_the_ids_and_the_flags),
        cmocka_unit_test(below_a_span_it_is_that_span),
        cmocka_unit_test(without_a_span_there_are_no_fields),
        cmocka_unit_test(a_buffer_that_is_too_small_is_told_what_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
