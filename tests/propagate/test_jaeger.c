/* Jaeger's format: {trace-id}:{span-id}:{parent-span-id}:{flags}, and uberctx- fields. */
#include "carrier.h"
#include "propagate/headers.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void the_ids_are_read_and_written(void **state)
{
    (void)state;
    static const struct { const char *in, *out; uint8_t flags; } rows[] = {
        {TRACE ":" SPAN ":0:1", TRACE ":" SPAN ":0:1", WH_SAMPLED},
        {TRACE ":" SPAN ":0:0", TRACE ":" SPAN ":0:0", 0},
        {TRACE ":" SPAN ":0:3", TRACE ":" SPAN ":0:3", WH_SAMPLED},
        {TRACE ":" SPAN ":0:2", TRACE ":" SPAN ":0:3", WH_SAMPLED},
        {TRACE ":" SPAN ":05e3ac9a4f6e3b90:01", TRACE ":" SPAN ":0:1", WH_SAMPLED},
        {TRACE ":" SPAN ":0:fc", TRACE ":" SPAN ":0:0", 0},
        {TRACE ":" SPAN ":0:09", TRACE ":" SPAN ":0:1", WH_SAMPLED},
        {TRACE "%3A" SPAN "%3a0%3A1", TRACE ":" SPAN ":0:1", WH_SAMPLED},
        {"8448eb211c80319c:" SPAN ":0:1", "00000000000000008448eb211c80319c:" SPAN ":0:1", WH_SAMPLED},
        {"abc:1:0:1", "00000000000000000000000000000abc:0000000000000001:0:1", WH_SAMPLED},
        {"0AF7651916CD43DD8448EB211C80319C:B7AD6B7169203331:0:1", TRACE ":" SPAN ":0:1", WH_SAMPLED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct carrier out = {0};
        struct wh_span_context span;
        WH_AUTO wh_ctx *ctx = extract_one(wh_jaeger_propagator(), "Uber-Trace-Id", rows[i].in);
        assert_true(wh_span_of(ctx, &span));
        assert_true(span.remote);
        assert_int_equal(span.flags, rows[i].flags);
        wh_inject_with(ctx, wh_jaeger_propagator(), &in_lines, &out);
        assert_int_equal(out.count, 1);
        assert_string_equal(out.lines[0].name, "uber-trace-id");
        assert_string_equal(out.lines[0].value, rows[i].out);
        carrier_clear(&out);
    }
}

static void a_malformed_one_says_nothing(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", ":", "::", ":::", "::::", "0:0:0:0", "0:1:0:1", "1:0:0:1", "1:1:0", "1:1:0:", "1:1::1", ":1:0:1", "1::0:1", "1:1:0:1:", "1:1:0:1:1", "1:1:0:100",
        TRACE "0:" SPAN ":0:1", TRACE ":" SPAN "0:0:1", TRACE ":" SPAN ":" SPAN "0:1", "x:1:0:1", "1:1:0:x", "1-1-0-1", "1%3:1:0:1", "1%2A1:0:1",
        " 1:1:0:1", "1:1:0:1 ", "\xff", "1:1:0:1,1:1:0:1", "+1:1:0:1", "0x1:1:0:1",
    };
    struct wh__b3_field read, untouched;
    memset(&read, 0x55, sizeof read);
    untouched = read;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wh_span_context span;
        if (wh__uber_read(rows[i], &read)) fail_msg("accepted: %s", rows[i]);
        WH_AUTO wh_ctx *ctx = extract_one(wh_jaeger_propagator(), "uber-trace-id", rows[i]);
        assert_false(wh_span_of(ctx, &span));
    }
    assert_memory_equal(&read, &untouched, sizeof read);
}

static void debug_goes_onward(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct carrier in = {0}, out = {0}, b3 = {0};
    carrier_add(&in, "uber-trace-id", TRACE ":" SPAN ":0:3");
    wh_ctx *from = wh_extract_with(spans.root, wh_jaeger_propagator(), &in_lines, &in);
    wh_ctx *span = wh_start(from, "span");
    wh_inject_with(span, wh_jaeger_propagator(), &in_lines, &out);
    wh_inject_with(span, wh_b3_propagator(), &in_lines, &b3);
    assert_string_equal(out.lines[0].value + 49, ":0:3");
    assert_string_equal(b3.lines[0].value + 49, "-d");
    wh_end(span);
    wh_end(from);
    carrier_clear(&in);
    carrier_clear(&out);
    carrier_clear(&b3);
    spans_end(&spans);
}

static void each_member_of_baggage_is_a_field(void **state)
{
    (void)state;
    struct carrier out = {0};
    WH_AUTO wh_ctx *a = wh_with_baggage(NULL, "tenant", "blue & \xc3\xa4"), *b = wh_with_baggage(a, "no token", "1"), *c = wh_with_baggage(b, "x", "");
    wh_inject_with(c, wh_jaeger_propagator(), &in_lines, &out);
    assert_int_equal(out.count, 2);
    assert_string_equal(out.lines[0].name, "uberctx-tenant");
    assert_string_equal(out.lines[0].value, "blue%20&%20%C3%A4");
    WH_AUTO wh_ctx *back = wh_extract_with(NULL, wh_jaeger_propagator(), &in_lines, &out);
    assert_string_equal(wh_baggage(back, "tenant"), "blue & \xc3\xa4");
    assert_string_equal(wh_baggage(back, "x"), "");
    carrier_clear(&out);
}

static void baggage_is_found_by_the_prefix_in_any_case(void **state)
{
    (void)state;
    struct carrier in = {0};
    carrier_add(&in, "UberCtx-Tenant", "red%2Cgreen");
    carrier_add(&in, "uberctx-", "nameless");
    carrier_add(&in, "uberctx-raw", "\xc3\xa4");
    carrier_add(&in, "uberct", "no");
    WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, wh_jaeger_propagator(), &in_lines, &in);
    struct wh_baggage_member member;
    assert_string_equal(wh_baggage(ctx, "Tenant"), "red,green");
    assert_false(wh_baggage_at(ctx, 1, &member));
    WH_AUTO wh_ctx *blind = wh_extract_with(NULL, wh_jaeger_propagator(), &plain, &in);
    assert_false(wh_baggage_at(blind, 0, &member)); /* its carrier knows no keys */
    carrier_clear(&in);
}

static void baggage_is_bounded_both_ways(void **state)
{
    (void)state;
    struct carrier in = {0}, out = {0};
    char name[32], *value = malloc(1001);
    memset(value, '%', 1000);
    value[1000] = '\0';
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "uberctx-n%d", i);
        carrier_add(&in, name, i < 7 ? value : "1");
    }
    WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, wh_jaeger_propagator(), &in_lines, &in);
    struct wh_baggage_member member;
    assert_true(wh_baggage_at(ctx, 63, &member));
    assert_false(wh_baggage_at(ctx, 64, &member));
    wh_inject_with(ctx, wh_jaeger_propagator(), &in_lines, &out); /* each '%' is three bytes on the wire */
    size_t bytes = 0;
    for (int i = 0; i < out.count; i++) bytes += strlen(out.lines[i].value);
    assert_in_range(bytes, 6000, 8192);
    free(value);
    carrier_clear(&in);
    carrier_clear(&out);
}

/* With both propagators in use, what either brings is there; of one name, the later one's. */
static void its_baggage_joins_that_of_the_baggage_header(void **state)
{
    (void)state;
    struct carrier in = {0};
    const struct wh_propagator *const list[] = {wh_baggage_propagator(), wh_jaeger_propagator()};
    struct wh_propagator *both = wh_composite_propagator_new(list, 2);
    carrier_add(&in, "baggage", "a=1;m,b=2");
    carrier_add(&in, "uberctx-b", "3");
    carrier_add(&in, "uberctx-c", "4");
    WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, both, &in_lines, &in);
    struct wh_baggage_member member;
    assert_true(wh_find_baggage(ctx, "a", &member));
    assert_string_equal(member.metadata, "m");
    assert_string_equal(wh_baggage(ctx, "b"), "3");
    assert_string_equal(wh_baggage(ctx, "c"), "4");
    wh_composite_propagator_free(both);
    carrier_clear(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ids_are_read_and_written),
        cmocka_unit_test(a_malformed_one_says_nothing),
        cmocka_unit_test(debug_goes_onward),
        cmocka_unit_test(each_member_of_baggage_is_a_field),
        cmocka_unit_test(baggage_is_found_by_the_prefix_in_any_case),
        cmocka_unit_test(baggage_is_bounded_both_ways),
        cmocka_unit_test(its_baggage_joins_that_of_the_baggage_header),
    };
    return cmocka_run_group_tests_name("jaeger", tests, NULL, NULL);
}
