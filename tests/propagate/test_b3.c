/* B3 (openzipkin/b3-propagation; OpenTelemetry, context/api-propagators.md, B3 Requirements). */
#include "carrier.h"
#include "propagate/headers.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SHORT "8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define PARENT "05e3ac9a4f6e3b90"

/* What goes out of the span that a carrier brings in, and of a span started below, with a provider that samples as its parent. */
static struct carrier onward(const struct wh_propagator *by, struct carrier *in)
{
    struct carrier out = {0};
    WH_AUTO wh_ctx *from = wh_extract_with(NULL, by, &in_lines, in);
    wh_inject_with(from, by, &in_lines, &out);
    return out;
}

static const char *field(struct carrier *carrier, const char *name)
{
    for (int i = 0; i < carrier->count; i++)
        if (strcmp(carrier->lines[i].name, name) == 0) return carrier->lines[i].value;
    return NULL;
}

static void one_header_is_read_and_written(void **state)
{
    (void)state;
    static const struct { const char *in, *out; bool sampled; } rows[] = {
        {TRACE "-" SPAN "-1", TRACE "-" SPAN "-1", true},
        {TRACE "-" SPAN "-0", TRACE "-" SPAN "-0", false},
        {TRACE "-" SPAN "-d", TRACE "-" SPAN "-d", true},
        {TRACE "-" SPAN "-1-" PARENT, TRACE "-" SPAN "-1", true},
        {TRACE "-" SPAN "-d-" PARENT, TRACE "-" SPAN "-d", true},
        {TRACE "-" SPAN, TRACE "-" SPAN, false},
        {SHORT "-" SPAN "-1", "0000000000000000" SHORT "-" SPAN "-1", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wh_span_context span;
        struct carrier in = {0};
        carrier_add(&in, "B3", rows[i].in);
        WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, wh_b3_propagator(), &in_lines, &in);
        assert_true(wh_span_of(ctx, &span));
        assert_true(span.remote);
        assert_int_equal(span.flags, rows[i].sampled ? WH_SAMPLED : 0);
        struct carrier out = onward(wh_b3_propagator(), &in);
        assert_int_equal(out.count, 1);
        assert_string_equal(out.lines[0].name, "b3");
        assert_string_equal(out.lines[0].value, rows[i].out);
        carrier_clear(&in);
        carrier_clear(&out);
    }
}

static const char *const malformed[] = {
    "", "-", "--", "2", "D", "x", "true", "00", "1-", "-1", "d-d", TRACE, TRACE "-", TRACE "-" SPAN "-", TRACE "-" SPAN "-2", TRACE "-" SPAN "-D",
    TRACE "-" SPAN "-11", TRACE "-" SPAN "-1-", TRACE "-" SPAN "-1-" PARENT "-", TRACE "-" SPAN "-1-05e3", TRACE "-" SPAN "-1-" PARENT "0",
    TRACE "-" SPAN "1", TRACE "-" SPAN "0-1", TRACE "0-" SPAN "-1", "0" SHORT "-" SPAN "-1", TRACE "-b7ad6b716920333-1",
    "0AF7651916CD43DD8448EB211C80319C-" SPAN "-1", TRACE "-B7AD6B7169203331-1", "00000000000000000000000000000000-" SPAN "-1",
    "0000000000000000-" SPAN "-1", TRACE "-0000000000000000-1", TRACE " -" SPAN "-1", TRACE "-" SPAN "-1 ", "x" TRACE "-" SPAN "-1",
    TRACE "-" SPAN "-1," TRACE "-" SPAN "-1", "\xff",
};

static void a_malformed_header_says_nothing(void **state)
{
    (void)state;
    struct wh__b3_field read, untouched;
    memset(&read, 0x55, sizeof read);
    untouched = read;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        if (wh__b3_read(malformed[i], &read)) fail_msg("accepted: %s", malformed[i]);
        struct wh_span_context span;
        struct carrier out = {0};
        WH_AUTO wh_ctx *ctx = extract_one(wh_b3_propagator(), "b3", malformed[i]);
        assert_false(wh_span_of(ctx, &span));
        wh_inject_with(ctx, wh_b3_propagator(), &in_lines, &out);
        assert_int_equal(out.count, 0);
    }
    assert_memory_equal(&read, &untouched, sizeof read);
}

static void several_headers_are_read_and_written(void **state)
{
    (void)state;
    static const struct { const char *trace, *span, *sampled, *flags, *out_sampled, *out_flags; } rows[] = {
        {TRACE, SPAN, "1", NULL, "1", NULL}, {TRACE, SPAN, "0", NULL, "0", NULL}, {TRACE, SPAN, "true", NULL, "1", NULL},
        {TRACE, SPAN, "false", NULL, "0", NULL}, {TRACE, SPAN, NULL, "1", NULL, "1"}, {TRACE, SPAN, "0", "1", NULL, "1"},
        {TRACE, SPAN, "1", "0", "1", NULL}, {TRACE, SPAN, NULL, NULL, NULL, NULL}, {TRACE, SPAN, "maybe", "x", NULL, NULL},
        {SHORT, SPAN, "1", NULL, "1", NULL}, {TRACE, SPAN, "d", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct carrier in = {0};
        carrier_add(&in, "x-b3-traceid", rows[i].trace);
        carrier_add(&in, "X-B3-SpanId", rows[i].span);
        carrier_add(&in, "X-B3-ParentSpanId", PARENT);
        if (rows[i].sampled) carrier_add(&in, "X-B3-Sampled", rows[i].sampled);
        if (rows[i].flags) carrier_add(&in, "X-B3-Flags", rows[i].flags);
        struct carrier out = onward(wh_b3multi_propagator(), &in);
        assert_string_equal(field(&out, "X-B3-TraceId") + (strlen(rows[i].trace) == 16 ? 16 : 0), rows[i].trace);
        assert_string_equal(field(&out, "X-B3-SpanId"), rows[i].span);
        assert_int_equal(!field(&out, "X-B3-Sampled"), !rows[i].out_sampled);
        assert_int_equal(!field(&out, "X-B3-Flags"), !rows[i].out_flags);
        if (rows[i].out_sampled) assert_string_equal(field(&out, "X-B3-Sampled"), rows[i].out_sampled);
        if (rows[i].out_flags) assert_string_equal(field(&out, "X-B3-Flags"), rows[i].out_flags);
        assert_null(field(&out, "X-B3-ParentSpanId"));
        carrier_clear(&in);
        carrier_clear(&out);
    }
}

static void several_malformed_headers_say_nothing(void **state)
{
    (void)state;
    static const struct { const char *trace, *span, *sampled; } rows[] = {
        {TRACE, NULL, "1"}, {NULL, SPAN, NULL}, {"", SPAN, "1"}, {TRACE, "", "1"}, {TRACE "0", SPAN, "1"}, {TRACE, SPAN "0", "1"},
        {"00000000000000000000000000000000", SPAN, "1"}, {TRACE, "0000000000000000", "1"}, {"0AF7651916CD43DD8448EB211C80319C", SPAN, "1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wh_span_context span;
        struct carrier in = {0};
        if (rows[i].trace) carrier_add(&in, "X-B3-TraceId", rows[i].trace);
        if (rows[i].span) carrier_add(&in, "X-B3-SpanId", rows[i].span);
        if (rows[i].sampled) carrier_add(&in, "X-B3-Sampled", rows[i].sampled);
        WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, wh_b3multi_propagator(), &in_lines, &in);
        if (wh_span_of(ctx, &span)) fail_msg("row %zu was accepted", i);
        carrier_clear(&in);
    }
}

/* "MUST attempt to extract B3 encoded using single and multi-header formats. The single-header variant takes precedence." */
static void the_single_header_is_tried_before_the_several(void **state)
{
    (void)state;
    const struct wh_propagator *const both[] = {wh_b3_propagator(), wh_b3multi_propagator()};
    for (int i = 0; i < 2; i++) {
        struct carrier in = {0};
        char id[33];
        carrier_add(&in, "X-B3-TraceId", "11111111111111111111111111111111");
        carrier_add(&in, "X-B3-SpanId", "2222222222222222");
        carrier_add(&in, "b3", TRACE "-" SPAN "-1");
        WH_AUTO wh_ctx *single = wh_extract_with(NULL, both[i], &in_lines, &in);
        assert_string_equal(wh_trace_id_hex(single, id), TRACE);
        carrier_set(&in, "b3", "malformed");
        WH_AUTO wh_ctx *multi = wh_extract_with(NULL, both[i], &in_lines, &in);
        assert_string_equal(wh_trace_id_hex(multi, id), "11111111111111111111111111111111");
        carrier_clear(&in);
    }
}

/* "MUST preserve a debug trace flag, if received, and propagate it with subsequent requests", and sets the sampled flag. */
static void debug_goes_onward_and_means_sampled(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct carrier in = {0}, single = {0}, multi = {0}, w3c = {0}, other = {0};
    carrier_add(&in, "X-B3-TraceId", TRACE);
    carrier_add(&in, "X-B3-SpanId", SPAN);
    carrier_add(&in, "X-B3-Flags", "1");
    wh_ctx *from = wh_extract_with(spans.root, wh_b3_propagator(), &in_lines, &in);
    wh_ctx *server = wh_start(from, "server");
    wh_ctx *client = wh_start(server, "client");
    assert_true(wh_recording(client));
    wh_inject_with(client, wh_b3_propagator(), &in_lines, &single);
    wh_inject_with(client, wh_b3multi_propagator(), &in_lines, &multi);
    wh_inject_with(client, wh_tracecontext_propagator(), &in_lines, &w3c);
    assert_string_equal(single.lines[0].value + 49, "-d");
    assert_string_equal(field(&multi, "X-B3-Flags"), "1");
    assert_null(field(&multi, "X-B3-Sampled"));
    assert_string_equal(w3c.lines[0].value + 53, "01");
    wh_ctx *unrelated = wh_start(client, "another trace", .root = true);
    wh_inject_with(unrelated, wh_b3_propagator(), &in_lines, &other);
    assert_string_equal(other.lines[0].value + 49, "-1");
    wh_end(unrelated);
    wh_end(client);
    wh_end(server);
    wh_end(from);
    carrier_clear(&in);
    carrier_clear(&single);
    carrier_clear(&multi);
    carrier_clear(&w3c);
    carrier_clear(&other);
    spans_end(&spans);
}

static void the_span_id_of_the_caller_is_never_used_again(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct carrier out = {0};
    WH_AUTO wh_ctx *from = extract_one(wh_b3_propagator(), "b3", TRACE "-" SPAN "-1");
    struct carrier in = {0};
    carrier_add(&in, "b3", TRACE "-" SPAN "-1");
    wh_ctx *below = wh_extract_with(spans.root, wh_b3_propagator(), &in_lines, &in);
    wh_ctx *server = wh_start(below, "server");
    wh_inject_with(server, wh_b3_propagator(), &in_lines, &out);
    assert_memory_equal(out.lines[0].value, TRACE "-", 33);
    assert_memory_not_equal(out.lines[0].value + 33, SPAN, 16);
    wh_end(server);
    wh_end(below);
    const struct wh_span_view view = span_named(&spans, "server");
    assert_memory_equal(view.parent_span_id, "\xb7\xad\x6b\x71\x69\x20\x33\x31", 8);
    carrier_clear(&in);
    carrier_clear(&out);
    spans_end(&spans);
}

/* ---- a decision without ids, ids without a decision ---- */

static struct spans with_ratio(double ratio)
{
    return spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_parent_based(wh_sampler_ratio(ratio))});
}

/* Whether a root that begins below a request with these fields is recorded, and what is sent of it. */
static bool begins_recording(struct spans *spans, const char *name, const char *value, char sent[64])
{
    struct carrier in = {0}, out = {0};
    if (name) carrier_add(&in, name, value);
    WH_AUTO wh_ctx *from = wh_extract_with(spans->root, wh_b3_propagator(), &in_lines, &in);
    WH_AUTO wh_ctx *between = wh_with_cancel(from);
    WH_AUTO wh_ctx *server = wh_start(between, "server");
    WH_AUTO wh_ctx *child = wh_start(server, "child");
    const bool recording = wh_recording(server);
    assert_int_equal(wh_recording(child), recording);
    wh_inject_with(child, wh_b3_propagator(), &in_lines, &out);
    snprintf(sent, 64, "%s", out.lines[0].value);
    carrier_clear(&in);
    carrier_clear(&out);
    return recording;
}

static void a_decision_without_ids_is_that_of_the_next_root(void **state)
{
    (void)state;
    struct spans all = with_ratio(1), none = with_ratio(0);
    char sent[64];
    assert_true(begins_recording(&all, NULL, NULL, sent));
    assert_false(begins_recording(&none, NULL, NULL, sent));
    assert_false(begins_recording(&all, "b3", "0", sent));
    assert_string_equal(sent + 49, "-0");
    assert_false(begins_recording(&all, "X-B3-Sampled", "0", sent));
    assert_false(begins_recording(&all, "X-B3-Sampled", "false", sent));
    assert_true(begins_recording(&none, "b3", "1", sent));
    assert_string_equal(sent + 49, "-1");
    assert_true(begins_recording(&none, "X-B3-Sampled", "1", sent));
    assert_true(begins_recording(&none, "b3", "d", sent));
    assert_string_equal(sent + 49, "-d");
    assert_true(begins_recording(&none, "X-B3-Flags", "1", sent));
    assert_string_equal(sent + 49, "-d");
    spans_end(&all);
    spans_end(&none);
}

static void a_decision_without_ids_goes_on_without_a_provider(void **state)
{
    (void)state;
    static const struct { const char *in, *name, *out; } rows[] = {
        {"0", "X-B3-Sampled", "0"}, {"1", "X-B3-Sampled", "1"}, {"d", "X-B3-Flags", "1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct carrier single = {0}, multi = {0}, rest = {0};
        WH_AUTO wh_ctx *ctx = extract_one(wh_b3_propagator(), "b3", rows[i].in);
        wh_inject_with(ctx, wh_b3_propagator(), &in_lines, &single);
        assert_string_equal(single.lines[0].value, rows[i].in);
        wh_inject_with(ctx, wh_b3multi_propagator(), &in_lines, &multi);
        assert_int_equal(multi.count, 1);
        assert_string_equal(multi.lines[0].name, rows[i].name);
        assert_string_equal(multi.lines[0].value, rows[i].out);
        wh_inject_with(ctx, wh_jaeger_propagator(), &in_lines, &rest);
        wh_inject_with(ctx, wh_tracecontext_propagator(), &in_lines, &rest);
        assert_int_equal(rest.count, 0);
        carrier_clear(&single);
        carrier_clear(&multi);
    }
}

/* "Defer": whoever gets the ids decides, and those below do as he did. */
static void ids_without_a_decision_leave_it_to_the_sampler(void **state)
{
    (void)state;
    struct spans all = with_ratio(1), none = with_ratio(0);
    char sent[64];
    assert_true(begins_recording(&all, "b3", TRACE "-" SPAN, sent));
    assert_memory_equal(sent, TRACE "-", 33);
    assert_string_equal(sent + 49, "-1");
    assert_false(begins_recording(&none, "b3", TRACE "-" SPAN, sent));
    assert_memory_equal(sent, TRACE "-", 33);
    assert_string_equal(sent + 49, "-0");
    assert_false(begins_recording(&all, "b3", TRACE "-" SPAN "-0", sent));
    assert_true(begins_recording(&none, "b3", TRACE "-" SPAN "-1", sent));
    const struct wh_span_view view = (spans_end(&none), span_named(&all, "server"));
    assert_memory_equal(view.parent_span_id, "\xb7\xad\x6b\x71\x69\x20\x33\x31", 8);
    spans_end(&all);
}

static void fields_are_what_inject_sets(void **state)
{
    (void)state;
    static const char *const multi[] = {"X-B3-TraceId", "X-B3-SpanId", "X-B3-Sampled", "X-B3-Flags"};
    assert_string_equal(wh_b3_propagator()->fields[0], "b3");
    assert_null(wh_b3_propagator()->fields[1]);
    for (int i = 0; i < 4; i++) assert_string_equal(wh_b3multi_propagator()->fields[i], multi[i]);
    assert_null(wh_b3multi_propagator()->fields[4]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_header_is_read_and_written),
        cmocka_unit_test(a_malformed_header_says_nothing),
        cmocka_unit_test(several_headers_are_read_and_written),
        cmocka_unit_test(several_malformed_headers_say_nothing),
        cmocka_unit_test(the_single_header_is_tried_before_the_several),
        cmocka_unit_test(debug_goes_onward_and_means_sampled),
        cmocka_unit_test(the_span_id_of_the_caller_is_never_used_again),
        cmocka_unit_test(a_decision_without_ids_is_that_of_the_next_root),
        cmocka_unit_test(a_decision_without_ids_goes_on_without_a_provider),
        cmocka_unit_test(ids_without_a_decision_leave_it_to_the_sampler),
        cmocka_unit_test(fields_are_what_inject_sets),
    };
    return cmocka_run_group_tests_name("b3", tests, NULL, NULL);
}
