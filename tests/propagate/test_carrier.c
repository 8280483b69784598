/* Carriers: what propagators ask of them, and what they get from the simple and from the better ones. */
#include "carrier.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define TRACEPARENT "00-" TRACE "-b7ad6b7169203331-01"

/* context/api-propagators.md, TextMap Propagator: keys and values are those of HTTP headers, US-ASCII. */
static void keys_and_values_are_visible_ascii(void **state)
{
    (void)state;
    struct carrier in = {0};
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "tracestate", "a=1");
    WH_AUTO wh_ctx *from = wh_extract(NULL, carrier_get, &in);
    WH_AUTO wh_ctx *with = wh_with_baggage(from, "a", "\xc3\xa4\r\n\x7f", .metadata = "m");
    WH_AUTO wh_ctx *id = wh_with_request_id(with, "r");
    WH_AUTO wh_ctx *ctx = wh_with_timeout(id, WH_SEC(100));
    const struct wh_propagator *const all[] = {wh_tracecontext_propagator(), wh_baggage_propagator(), wh_b3_propagator(),
        wh_b3multi_propagator(), wh_jaeger_propagator(), wh_whence_propagator()};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct carrier out = {0};
        wh_inject_with(ctx, all[i], &in_lines, &out);
        assert_int_not_equal(out.count, 0);
        for (int line = 0; line < out.count; line++) {
            for (const char *p = out.lines[line].name; *p; p++) assert_true(*p > ' ' && *p < 0x7f && *p != ':');
            for (const char *p = out.lines[line].value; *p; p++) assert_true(*p >= ' ' && *p < 0x7f);
        }
        carrier_clear(&out);
    }
    carrier_clear(&in);
}

/* Each sets what it says that it may set, but for Jaeger's baggage. */
static void fields_are_those_that_inject_sets(void **state)
{
    (void)state;
    struct carrier in = {0};
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "tracestate", "a=1");
    WH_AUTO wh_ctx *from = wh_extract(NULL, carrier_get, &in);
    WH_AUTO wh_ctx *with = wh_with_baggage(from, "a", "1");
    WH_AUTO wh_ctx *id = wh_with_request_id(with, "r");
    WH_AUTO wh_ctx *ctx = wh_with_timeout(id, WH_SEC(100));
    const struct wh_propagator *const all[] = {wh_tracecontext_propagator(), wh_baggage_propagator(), wh_b3_propagator(), wh_whence_propagator()};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct carrier out = {0};
        wh_inject_with(ctx, all[i], &in_lines, &out);
        for (int line = 0; line < out.count; line++) assert_string_equal(out.lines[line].name, all[i]->fields[line]);
        assert_null(all[i]->fields[out.count]);
        carrier_clear(&out);
    }
    carrier_clear(&in);
}

static void names_are_set_in_the_case_they_have(void **state)
{
    (void)state;
    struct carrier out = {0};
    WH_AUTO wh_ctx *from = extract_one(wh_b3_propagator(), "b3", TRACE "-b7ad6b7169203331-1");
    wh_inject_with(from, wh_b3multi_propagator(), &in_lines, &out);
    assert_string_equal(out.lines[0].name, "X-B3-TraceId");
    carrier_clear(&out);
}

static void of_several_lines_of_tracestate_all_count_in_their_order(void **state)
{
    (void)state;
    struct carrier in = {0};
    struct wh_span_context span;
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "TRACESTATE", "a=1,b=2");
    carrier_add(&in, "other", "x");
    carrier_add(&in, "tracestate", "");
    carrier_add(&in, "Tracestate", "c=3 , d=4");
    WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, NULL, &in_lines, &in);
    assert_true(wh_span_of(ctx, &span));
    assert_string_equal(span.tracestate, "a=1,b=2,c=3,d=4");
    assert_int_equal(in.joined_gets, 0);
    carrier_clear(&in);
}

static void several_lines_that_are_too_long_together_say_nothing(void **state)
{
    (void)state;
    struct carrier in = {0};
    struct wh_span_context span;
    char line[5000] = "a=";
    memset(line + 2, ' ', sizeof line - 3);
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "tracestate", "ok=1");
    carrier_add(&in, "tracestate", line);
    carrier_add(&in, "tracestate", line);
    WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, NULL, &in_lines, &in);
    assert_true(wh_span_of(ctx, &span));
    assert_null(span.tracestate);
    carrier_clear(&in);
}

/* Nobody can say which of two is the right one. */
static void a_field_that_may_come_once_and_comes_twice_says_nothing(void **state)
{
    (void)state;
    static const struct { const char *name, *value; } rows[] = {
        {"traceparent", TRACEPARENT}, {"b3", TRACE "-b7ad6b7169203331-1"}, {"uber-trace-id", TRACE ":b7ad6b7169203331:0:1"},
        {"x-request-id", "r1"}, {"whence-timeout", "1S"},
    };
    assert_int_equal(wh_set_propagators_named("tracecontext,b3,jaeger,whence"), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int times = 1; times <= 3; times++) {
            struct carrier in = {0};
            struct wh_span_context span;
            for (int n = 0; n < times; n++) carrier_add(&in, rows[i].name, rows[i].value);
            WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, NULL, &in_lines, &in);
            assert_int_equal(wh_span_of(ctx, &span) || wh_request_id(ctx) || wh_deadline(ctx) != WH_NEVER, times == 1);
            carrier_clear(&in);
        }
    }
    assert_int_equal(wh_set_propagators_named(NULL), 0);
}

static void a_later_version_of_traceparent_may_be_long(void **state)
{
    (void)state;
    struct carrier in = {0};
    struct wh_span_context span;
    char field[3000] = "cc-" TRACE "-b7ad6b7169203331-01-";
    memset(field + strlen(field), 'x', sizeof field - 60);
    carrier_add(&in, "traceparent", field);
    WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, NULL, &in_lines, &in), *simple = wh_extract(NULL, carrier_get, &in);
    assert_true(wh_span_of(ctx, &span));
    assert_true(wh_span_of(simple, &span));
    carrier_clear(&in);
}

static void an_older_carrier_is_asked_for_one_value(void **state)
{
    (void)state;
    struct carrier in = {0};
    const struct wh_carrier older = {.size = offsetof(struct wh_carrier, get_all), .get = carrier_get, .get_all = carrier_get_all, .keys = carrier_keys};
    carrier_add(&in, "baggage", "a=1");
    WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, NULL, &older, &in);
    assert_string_equal(wh_baggage(ctx, "a"), "1");
    assert_int_not_equal(in.joined_gets, 0);
    carrier_clear(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_values_are_visible_ascii),
        cmocka_unit_test(fields_are_those_that_inject_sets),
        cmocka_unit_test(names_are_set_in_the_case_they_have),
        cmocka_unit_test(of_several_lines_of_tracestate_all_count_in_their_order),
        cmocka_unit_test(several_lines_that_are_too_long_together_say_nothing),
        cmocka_unit_test(a_field_that_may_come_once_and_comes_twice_says_nothing),
        cmocka_unit_test(a_later_version_of_traceparent_may_be_long),
        cmocka_unit_test(an_older_carrier_is_asked_for_one_value),
    };
    return cmocka_run_group_tests_name("carrier", tests, NULL, NULL);
}
