/* Propagators as such: one alone, several as one, one's own, those that are set for all. */
#include "carrier.h"

#include <errno.h>
#include <pthread.h>

#include "gate.h"

#define TRACEPARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static char said[2000];

static void hear(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity, (void)arg;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", line);
}

static int set_named(const char *names)
{
    said[0] = '\0';
    wh_report_to(hear, NULL);
    const int rc = wh_set_propagators_named(names);
    wh_report_to(NULL, NULL);
    return rc;
}

static int usual(void **state)
{
    (void)state;
    return wh_set_propagators_named(NULL);
}

/* ---- what is remote ---- */

/* "IsRemote ... when extracting through the Propagators API ... MUST return true" (trace/api.md, IsRemote). */
static void a_span_is_remote_whoever_extracts_it(void **state)
{
    (void)state;
    static const char trace[] = "0af7651916cd43dd8448eb211c80319c", span[] = "b7ad6b7169203331";
    const struct { const struct wh_propagator *by; const char *fields[6]; } rows[] = {
        {wh_tracecontext_propagator(), {"traceparent", TRACEPARENT}},
        {wh_b3_propagator(), {"b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"}},
        {wh_b3multi_propagator(), {"X-B3-TraceId", trace, "X-B3-SpanId", span, "X-B3-Sampled", "1"}},
        {wh_jaeger_propagator(), {"uber-trace-id", "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct carrier in = {0};
        struct wh_span_context seen;
        for (int f = 0; f < 6 && rows[i].fields[f]; f += 2) carrier_add(&in, rows[i].fields[f], rows[i].fields[f + 1]);
        WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, rows[i].by, &in_lines, &in);
        if (!wh_span_of(ctx, &seen) || !seen.remote) fail_msg("%s", rows[i].by->name);
        carrier_clear(&in);
    }
    struct wh_span_context seen;
    setenv("TRACEPARENT", TRACEPARENT, 1);
    WH_AUTO wh_ctx *ctx = wh_extract_env(NULL);
    unsetenv("TRACEPARENT");
    assert_true(wh_span_of(ctx, &seen) && seen.remote);
}

/* ---- one's own ---- */

WH_KEY(zone, const char *)

static void inject_zone(const struct wh_propagator *self, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier)
{
    (void)self;
    if (wh_zone(ctx)) to->set(carrier, "x-zone", wh_zone(ctx));
}

static wh_ctx *extract_zone(const struct wh_propagator *self, const wh_ctx *parent, const struct wh_carrier *from, void *carrier,
                            const struct wh_site *site)
{
    (void)self, (void)site;
    const char *zone = from->get(carrier, "x-zone");
    return zone && strcmp(zone, "east") == 0 ? wh_with_zone(parent, "east") : NULL;
}

static const struct wh_propagator zones = {
    .size = sizeof zones, .name = "zones", .inject = inject_zone, .extract = extract_zone, .fields = (const char *const[]){"x-zone", NULL}};

static void one_of_ones_own_takes_part(void **state)
{
    (void)state;
    struct carrier in = {0}, out = {0};
    const struct wh_propagator *const list[] = {wh_tracecontext_propagator(), &zones, wh_baggage_propagator()};
    assert_int_equal(wh_set_propagators(list, 3), 0);
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "x-zone", "east");
    carrier_add(&in, "baggage", "a=1");
    WH_AUTO wh_ctx *ctx = wh_extract(NULL, carrier_get, &in);
    char id[33];
    assert_string_equal(wh_zone(ctx), "east");
    assert_string_equal(wh_baggage(ctx, "a"), "1");
    assert_string_equal(wh_trace_id_hex(ctx, id), "0af7651916cd43dd8448eb211c80319c");
    wh_inject(ctx, carrier_set, &out);
    assert_int_equal(out.count, 3);
    assert_string_equal(carrier_get(&out, "x-zone"), "east");
    assert_string_equal(wh_inject_fields()[2], "x-zone");
    carrier_clear(&in);
    carrier_clear(&out);
}

static void one_that_finds_nothing_changes_nothing(void **state)
{
    (void)state;
    const char *const values[] = {"west", NULL};
    for (int i = 0; i < 2; i++) {
        struct carrier in = {0};
        carrier_add(&in, "baggage", "a=1");
        if (values[i]) carrier_add(&in, "x-zone", values[i]);
        const struct wh_propagator *const list[] = {&zones, wh_baggage_propagator(), &zones};
        struct wh_propagator *all = wh_composite_propagator_new(list, 3);
        WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, all, &in_lines, &in), *alone = wh_extract_with(NULL, &zones, &in_lines, &in);
        assert_null(wh_zone(ctx));
        assert_string_equal(wh_baggage(ctx, "a"), "1");
        assert_int_equal(wh_err(alone), 0);
        wh_composite_propagator_free(all);
        carrier_clear(&in);
    }
}

/* Ending what comes out ends all that was derived on the way. */
static void what_was_made_in_several_steps_has_one_owner(void **state)
{
    (void)state;
    struct carrier in = {0};
    const struct wh_propagator *const list[] = {wh_tracecontext_propagator(), &zones, wh_whence_propagator()};
    struct wh_propagator *all = wh_composite_propagator_new(list, 3);
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "x-zone", "east");
    carrier_add(&in, "x-request-id", "r1");
    wh_ctx *ctx = wh_extract_with(NULL, all, &in_lines, &in), *below = wh_with_cancel(ctx);
    wh_end(ctx);
    assert_int_equal(wh_err(below), ECANCELED);
    wh_end(below);
    wh_composite_propagator_free(all);
    carrier_clear(&in);
}

/* ---- several as one ---- */

static void a_composite_goes_in_the_order_given_and_the_later_holds(void **state)
{
    (void)state;
    struct carrier in = {0};
    char id[33];
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "b3", "11111111111111111111111111111111-2222222222222222-0");
    const struct wh_propagator *const list[] = {wh_tracecontext_propagator(), wh_b3_propagator()}, *const reverse[] = {list[1], list[0]};
    struct wh_propagator *one = wh_composite_propagator_new(list, 2), *other = wh_composite_propagator_new(reverse, 2);
    WH_AUTO wh_ctx *first = wh_extract_with(NULL, one, &in_lines, &in), *second = wh_extract_with(NULL, other, &in_lines, &in);
    assert_string_equal(wh_trace_id_hex(first, id), "11111111111111111111111111111111");
    assert_string_equal(wh_trace_id_hex(second, id), "0af7651916cd43dd8448eb211c80319c");
    assert_string_equal(one->name, "tracecontext,b3");
    struct carrier out = {0};
    wh_inject_with(second, other, &in_lines, &out);
    assert_string_equal(out.lines[0].name, "b3");
    assert_string_equal(out.lines[1].name, "traceparent");
    wh_composite_propagator_free(one);
    wh_composite_propagator_free(other);
    carrier_clear(&in);
    carrier_clear(&out);
}

/* A decision that stands alone is not more than a span that has one. */
static void a_decision_without_ids_does_not_displace_a_span(void **state)
{
    (void)state;
    struct carrier in = {0};
    struct wh_span_context span;
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "b3", "0");
    assert_int_equal(set_named("tracecontext,b3"), 0);
    WH_AUTO wh_ctx *ctx = wh_extract(NULL, carrier_get, &in);
    assert_true(wh_span_of(ctx, &span));
    assert_int_equal(span.flags, WH_SAMPLED);
    carrier_clear(&in);
}

/* B3 has no room for a tracestate: that does not lose it. */
static void two_formats_that_name_the_same_span_complete_each_other(void **state)
{
    (void)state;
    static const struct { const char *b3; uint8_t flags; const char *out; } rows[] = {
        {"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1", WH_SAMPLED | WH_RANDOM, "-1"},
        {"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", WH_RANDOM, "-0"},
        {"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-d", WH_SAMPLED | WH_RANDOM, "-d"},
        {"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", WH_SAMPLED | WH_RANDOM, "-1"},
    };
    assert_int_equal(set_named("tracecontext,b3"), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct carrier in = {0}, out = {0};
        struct wh_span_context span;
        carrier_add(&in, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03");
        carrier_add(&in, "tracestate", "a=1");
        carrier_add(&in, "b3", rows[i].b3);
        WH_AUTO wh_ctx *ctx = wh_extract(NULL, carrier_get, &in);
        assert_true(wh_span_of(ctx, &span));
        assert_int_equal(span.flags, rows[i].flags);
        assert_string_equal(span.tracestate, "a=1");
        wh_inject(ctx, carrier_set, &out);
        assert_string_equal(out.lines[2].value + 49, rows[i].out);
        carrier_clear(&in);
        carrier_clear(&out);
    }
}

static void duplicates_are_removed_also_from_composites_in_composites(void **state)
{
    (void)state;
    const struct wh_propagator *const list[] = {wh_b3_propagator(), wh_baggage_propagator(), wh_b3_propagator()};
    struct wh_propagator *inner = wh_composite_propagator_new(list, 3);
    const struct wh_propagator *const nested[] = {wh_baggage_propagator(), inner, wh_b3multi_propagator(), inner};
    struct wh_propagator *outer = wh_composite_propagator_new(nested, 4), *empty = wh_composite_propagator_new(NULL, 0);
    assert_string_equal(inner->name, "b3,baggage");
    assert_string_equal(outer->name, "baggage,b3,b3multi");
    assert_string_equal(outer->fields[0], "baggage");
    assert_string_equal(outer->fields[1], "b3");
    assert_null(outer->fields[6]);
    assert_string_equal(empty->name, "");
    assert_null(empty->fields[0]);
    wh_composite_propagator_free(inner);
    wh_composite_propagator_free(outer);
    wh_composite_propagator_free(empty);
    wh_composite_propagator_free(NULL);
    memory_ends_after(0);
    assert_null(wh_composite_propagator_new(list, 3));
    assert_true(memory_is_back());
}

/* ---- those that are set for all ---- */

static void a_composite_that_was_set_may_be_freed(void **state)
{
    (void)state;
    struct carrier in = {0};
    char id[33];
    const struct wh_propagator *const list[] = {wh_b3_propagator(), wh_baggage_propagator()};
    struct wh_propagator *composite = wh_composite_propagator_new(list, 2);
    assert_int_equal(wh_set_propagators((const struct wh_propagator *const[]){composite}, 1), 0);
    wh_composite_propagator_free(composite);
    carrier_add(&in, "b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1");
    WH_AUTO wh_ctx *ctx = wh_extract(NULL, carrier_get, &in);
    assert_string_equal(wh_trace_id_hex(ctx, id), "0af7651916cd43dd8448eb211c80319c");
    assert_string_equal(wh_propagators()->name, "b3,baggage");
    assert_string_equal(wh_inject_fields()[0], "b3");
    carrier_clear(&in);
}

static void by_default_tracecontext_baggage_and_our_own(void **state)
{
    (void)state;
    static const char *const fields[] = {"traceparent", "tracestate", "baggage", "x-request-id", "whence-timeout"};
    assert_string_equal(wh_propagators()->name, "tracecontext,baggage,whence");
    for (int i = 0; i < 5; i++) assert_string_equal(wh_inject_fields()[i], fields[i]);
    assert_null(wh_inject_fields()[5]);
}

static void names_are_read_as_the_variable_has_them(void **state)
{
    (void)state;
    static const struct { const char *names, *is; } rows[] = {
        {"tracecontext", "tracecontext"}, {"baggage,tracecontext", "baggage,tracecontext"}, {" B3 , TraceContext\t", "b3,tracecontext"},
        {"b3multi,b3", "b3multi,b3"}, {"jaeger,whence", "jaeger,whence"}, {"b3,b3,B3", "b3"}, {"none", ""}, {"NONE", ""}, {",none,", ""},
        {"none,b3", "b3"}, {"", "tracecontext,baggage,whence"}, {NULL, "tracecontext,baggage,whence"}, {" ", "tracecontext,baggage,whence"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(set_named(rows[i].names), 0);
        assert_string_equal(wh_propagators()->name, rows[i].is);
        assert_string_equal(said, "");
    }
}

static void an_unknown_name_is_said_and_ignored(void **state)
{
    (void)state;
    assert_int_equal(set_named("b3,xray, ottrace "), 0);
    assert_string_equal(wh_propagators()->name, "b3");
    assert_string_equal(said, "there is no propagator \"xray\": it is ignored\nthere is no propagator \"ottrace\": it is ignored\n");
    assert_int_equal(set_named("xray"), 0);
    assert_string_equal(wh_propagators()->name, "tracecontext,baggage,whence");
}

static void none_at_all_is_no_propagation(void **state)
{
    (void)state;
    struct carrier in = {0}, out = {0};
    struct wh_span_context span;
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "baggage", "a=1");
    carrier_add(&in, "whence-timeout", "1S");
    assert_int_equal(wh_set_propagators(NULL, 0), 0);
    WH_AUTO wh_ctx *ctx = wh_extract(NULL, carrier_get, &in), *with = wh_with_request_id(ctx, "r");
    assert_false(wh_span_of(ctx, &span));
    assert_int_equal(wh_deadline(ctx), WH_NEVER);
    wh_inject(with, carrier_set, &out);
    assert_int_equal(out.count, 0);
    assert_null(wh_inject_fields()[0]);
    carrier_clear(&in);
}

static void setting_the_same_again_needs_no_memory_for_ever(void **state)
{
    (void)state;
    const struct wh_propagator *before = (set_named("b3,baggage"), wh_propagators());
    set_named("jaeger");
    const char *const *fields = before->fields;
    set_named("b3,baggage");
    assert_ptr_equal(wh_propagators(), before);
    set_named("none");
    assert_string_equal(fields[0], "b3"); /* who still has the former ones may go on */
    memory_ends_after(0);
    assert_int_equal(wh_set_propagators_named("b3"), ENOMEM);
    assert_true(memory_is_back());
    assert_string_equal(wh_propagators()->name, "");
}

static bool stop;

static void *extract_and_inject(void *arg)
{
    (void)arg;
    struct carrier in = {0};
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1");
    carrier_add(&in, "baggage", "a=1");
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        struct carrier out = {0};
        wh_ctx *ctx = wh_extract(NULL, carrier_get, &in);
        wh_inject(ctx, carrier_set, &out);
        wh_end(ctx);
        for (const char *const *field = wh_inject_fields(); *field; field++) assert_true(strlen(*field) > 1);
        carrier_clear(&out);
    }
    carrier_clear(&in);
    return NULL;
}

static void they_can_be_set_while_others_use_them(void **state)
{
    (void)state;
    static const char *const names[] = {"b3", "tracecontext,baggage", "b3multi,jaeger", "none", "baggage"};
    pthread_t threads[2];
    stop = false;
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, extract_and_inject, NULL), 0);
    for (int i = 0; i < 2000; i++) assert_int_equal(wh_set_propagators_named(names[i % 5]), 0);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_default_tracecontext_baggage_and_our_own),
        cmocka_unit_test(a_span_is_remote_whoever_extracts_it),
        cmocka_unit_test_teardown(one_of_ones_own_takes_part, usual),
        cmocka_unit_test(one_that_finds_nothing_changes_nothing),
        cmocka_unit_test(what_was_made_in_several_steps_has_one_owner),
        cmocka_unit_test(a_composite_goes_in_the_order_given_and_the_later_holds),
        cmocka_unit_test_teardown(a_decision_without_ids_does_not_displace_a_span, usual),
        cmocka_unit_test_teardown(two_formats_that_name_the_same_span_complete_each_other, usual),
        cmocka_unit_test(duplicates_are_removed_also_from_composites_in_composites),
        cmocka_unit_test_teardown(a_composite_that_was_set_may_be_freed, usual),
        cmocka_unit_test_teardown(names_are_read_as_the_variable_has_them, usual),
        cmocka_unit_test_teardown(an_unknown_name_is_said_and_ignored, usual),
        cmocka_unit_test_teardown(none_at_all_is_no_propagation, usual),
        cmocka_unit_test_teardown(setting_the_same_again_needs_no_memory_for_ever, usual),
        cmocka_unit_test_teardown(they_can_be_set_while_others_use_them, usual),
    };
    return cmocka_run_group_tests_name("propagators", tests, NULL, NULL);
}
