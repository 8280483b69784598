/* Samplers (trace/sdk.md, Built-in samplers). */
#include <math.h>
#include <string.h>

#include "test.h"

enum { TRACES = 20000 };

static bool root_is_sampled(struct spans *spans, struct wh_span_context *ids)
{
    WH_AUTO wh_ctx *span = wh_start(spans->root, "root");
    wh_span_of(span, ids);
    assert_int_equal(wh_recording(span), ids->flags & WH_SAMPLED);
    return ids->flags & WH_SAMPLED;
}

static void always_on_and_always_off(void **state)
{
    (void)state;
    struct wh_span_context ids;
    struct spans on = spans_begin(), off = spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_parent_based(wh_sampler_always_off())});
    for (int i = 0; i < 100; i++) {
        assert_true(root_is_sampled(&on, &ids));
        assert_false(root_is_sampled(&off, &ids));
        assert_int_equal(ids.flags, WH_RANDOM);
        assert_memory_not_equal(ids.trace_id, ((uint8_t[16]){0}), 16);
        assert_memory_not_equal(ids.span_id, ((uint8_t[8]){0}), 8);
    }
    spans_end(&on);
    spans_end(&off);
}

/* Within four standard deviations of the ratio: a false alarm once in 16,000 runs. */
static void ratio_keeps_its_share(void **state)
{
    (void)state;
    static const double ratios[] = {0, 0.01, 0.25, 0.5, 0.9, 1};
    for (size_t r = 0; r < sizeof ratios / sizeof *ratios; r++) {
        struct wh_span_context ids;
        struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_parent_based(wh_sampler_ratio(ratios[r])), .max_queue = TRACES});
        int sampled = 0;
        for (int i = 0; i < TRACES; i++) sampled += root_is_sampled(&spans, &ids);
        const double expected = ratios[r] * TRACES, deviation = sqrt(expected * (1 - ratios[r]));
        assert_true(fabs(sampled - expected) <= 4 * deviation + 0.5);
        spans_end(&spans);
    }
}

static const char *get_traceparent(void *carrier, const char *name)
{
    return strcmp(name, "traceparent") == 0 ? carrier : NULL;
}

static bool is_sampled_with(double ratio, const char *traceparent)
{
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_ratio(ratio)});
    WH_AUTO wh_ctx *from = wh_extract(spans.root, get_traceparent, (void *)traceparent);
    wh_ctx *span = wh_start(from, "span");
    const bool sampled = wh_recording(span);
    wh_end(span);
    spans_end(&spans);
    return sampled;
}

/* The decision is the trace id's: the same everywhere, and a higher ratio keeps all that a lower one does. */
static void ratio_is_consistent(void **state)
{
    (void)state;
    static const struct { const char *traceparent; double from; } rows[] = {
        {"00-000000000000000000ffffffffffffff-0000000000000001-00", 0.000001},
        {"00-ffffffffffffffffff80000000000000-0000000000000001-00", 0.500001},
        {"00-ffffffffffffffffff7fffffffffffff-0000000000000001-01", 0.500001},
        {"00-ffffffffffffffffff00000000000001-0000000000000001-01", 1},
    };
    static const double ratios[] = {0.000001, 0.25, 0.500001, 0.75, 1};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t r = 0; r < sizeof ratios / sizeof *ratios; r++)
            assert_int_equal(is_sampled_with(ratios[r], rows[i].traceparent), ratios[r] >= rows[i].from);
}

static void a_child_does_as_its_parent_did(void **state)
{
    (void)state;
    static const struct { const char *traceparent; bool ignore_parent, is_on, sampled; } rows[] = {
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false, true},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", false, true, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true, false, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wh_span_context ids;
        struct wh_sampler *root = rows[i].is_on ? wh_sampler_always_on() : wh_sampler_always_off();
        struct spans spans = spans_begin_with(
            (struct wh_provider_opts){.sampler = rows[i].ignore_parent ? root : wh_sampler_parent_based(root)});
        wh_ctx *from = wh_extract(spans.root, get_traceparent, (void *)rows[i].traceparent);
        wh_ctx *server = wh_start(from, "server");
        wh_ctx *local = wh_start(server, "local");
        assert_int_equal(wh_recording(server), rows[i].sampled);
        assert_int_equal(wh_recording(local), rows[i].sampled);
        wh_span_of(local, &ids);
        assert_int_equal(ids.flags, rows[i].sampled ? WH_SAMPLED : 0); /* random only if the incoming flag said so */
        wh_end(local);
        wh_end(server);
        wh_end(from);
        spans_end(&spans);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(always_on_and_always_off),
        cmocka_unit_test(ratio_keeps_its_share),
        cmocka_unit_test(ratio_is_consistent),
        cmocka_unit_test(a_child_does_as_its_parent_did),
    };
    return cmocka_run_group_tests_name("sampler", tests, NULL, NULL);
}
