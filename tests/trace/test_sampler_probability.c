/* ProbabilitySampler, CompositeSampler and its composables (trace/sdk.md, and trace/tracestate-probability-sampling.md). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sampling.h"
#include "trace/probability.h"

#define LOW TRACE("00000000000000", "03")
#define MIDDLE TRACE("80000000000000", "03")
#define BELOW TRACE("7fffffffffffff", "03")
#define HIGH TRACE("ffffffffffffff", "03")

/* ---- ratios and thresholds ---- */

static void ratios_become_thresholds_of_4_significant_digits(void **state)
{
    (void)state;
    static const struct { double ratio; uint64_t threshold; } rows[] = {
        {1, 0}, {2, 0}, {0.5, UINT64_C(0x80000000000000)}, {0.25, UINT64_C(0xc0000000000000)}, {0.75, UINT64_C(0x40000000000000)},
        {1. / 3, UINT64_C(0xaaab0000000000)}, {2. / 3, UINT64_C(0x55550000000000)}, {0.1, UINT64_C(0xe6660000000000)},
        {0.01, UINT64_C(0xfd70a000000000)}, {0.001, UINT64_C(0xffbe7700000000)}, {0.0001, UINT64_C(0xfff97240000000)},
        {1. / 65536, UINT64_C(0xffff0000000000)}, {0x1p-56, UINT64_C(0xffffffffffffff)}, {0x1p-55, UINT64_C(0xfffffffffffffe)},
        {0.99999999, 0}, {0x1p-57, WH_NO_THRESHOLD}, {0, WH_NO_THRESHOLD}, {-1, WH_NO_THRESHOLD}, {NAN, WH_NO_THRESHOLD},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (wh__threshold_of(rows[i].ratio) != rows[i].threshold)
            fail_msg("%g: %014llx", rows[i].ratio, (unsigned long long)wh__threshold_of(rows[i].ratio));
}

/* Four digits: wrong by half of the last at most, which is 2^-13 of what is left. */
static void thresholds_are_near_and_in_order(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (double ratio = 1; ratio >= 0x1p-56; ratio *= 0.97) {
        const uint64_t threshold = wh__threshold_of(ratio);
        assert_true(threshold < UINT64_C(1) << 56 && threshold >= last);
        const double share = 1 - (double)threshold / 0x1p56;
        if (ratio > 0x1p-40) assert_true(fabs(share / ratio - 1) < 0x1p-12);
        last = threshold;
    }
}

/* ---- ProbabilitySampler ---- */

static void randomness_from_the_threshold_on_is_sampled(void **state)
{
    (void)state;
    static const struct { double ratio; const char *traceparent; bool sampled; const char *tracestate; } rows[] = {
        {1, LOW, true, "ot=th:0"}, {0.5, MIDDLE, true, "ot=th:8"}, {0.5, BELOW, false, ""}, {0.5, HIGH, true, "ot=th:8"},
        {0x1p-56, HIGH, true, "ot=th:ffffffffffffff"}, {0x1p-56, TRACE("fffffffffffffe", "03"), false, ""}, {0, HIGH, false, ""},
        {0.0001, HIGH, true, "ot=th:fff9724"}, {0.75, LOW, false, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct outcome out = decide(wh_sampler_probability(rows[i].ratio), rows[i].traceparent, NULL);
        assert_int_equal(out.sampled, rows[i].sampled);
        assert_int_equal(out.recorded, rows[i].sampled);
        assert_string_equal(out.tracestate, rows[i].tracestate);
    }
}

static void probability_ignores_what_the_parent_did(void **state)
{
    (void)state;
    assert_true(decide(wh_sampler_probability(0.5), TRACE("80000000000000", "02"), NULL).sampled);
    assert_false(decide(wh_sampler_probability(0.5), TRACE("7fffffffffffff", "03"), "ot=th:4").sampled);
    assert_string_equal(decide(wh_sampler_probability(0.5), TRACE("7fffffffffffff", "03"), "ot=th:4,a=1").tracestate, "a=1");
    assert_string_equal(decide(wh_sampler_probability(0.5), HIGH, "a=1,ot=th:4;x:1").tracestate, "ot=th:8;x:1,a=1");
}

static void rv_is_used_where_there_is_one_and_never_changed(void **state)
{
    (void)state;
    struct outcome out = decide(wh_sampler_probability(0.5), LOW, "ot=rv:80000000000000");
    assert_true(out.sampled);
    assert_string_equal(out.tracestate, "ot=th:8;rv:80000000000000");
    out = decide(wh_sampler_probability(0.5), HIGH, "ot=th:0;rv:7fffffffffffff");
    assert_false(out.sampled);
    assert_string_equal(out.tracestate, "ot=rv:7fffffffffffff");
}

static void presuming_randomness_is_said_once(void **state)
{
    (void)state;
    static const struct { const char *traceparent, *tracestate; bool presumes; } rows[] = {
        {HIGH, NULL, false}, {NULL, NULL, false}, {TRACE("ffffffffffffff", "01"), "ot=rv:80000000000000", false},
        {TRACE("ffffffffffffff", "01"), NULL, true}, {TRACE("ffffffffffffff", "00"), "ot=th:8", true}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct caller caller = {rows[i].traceparent, rows[i].tracestate};
        struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_probability(0.5)});
        wh_ctx *from = wh_extract(spans.root, get_field, &caller);
        begin_listening();
        for (int times = 0; times < 3; times++) wh_end(wh_start(from, "span"));
        assert_int_equal(end_listening(), rows[i].presumes);
        wh_end(from);
        spans_end(&spans);
    }
}

/* ---- statistics ---- */

enum { TRACES = 6000 };

/* Ids from a fixed seed (splitmix64), so that the same ones come every time. */
static uint64_t seed;
static uint64_t next_word(void)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void seeded_trace_id(struct wh_id_generator *self, uint8_t out[16])
{
    (void)self;
    const uint64_t words[] = {next_word(), next_word()};
    memcpy(out, words, 16);
}

static struct wh_id_generator seeded = {.size = sizeof seeded, .trace_id = seeded_trace_id, .random = true};

/* Whether each of the traces was sampled, as bits. */
static uint8_t *sample_traces(struct wh_sampler *sampler, uint64_t from, size_t *count)
{
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = sampler, .ids = &seeded, .max_queue = 2 * TRACES});
    uint8_t *sampled = calloc(TRACES, 1);
    seed = from;
    *count = 0;
    for (int i = 0; i < TRACES; i++) {
        wh_ctx *root = wh_start(spans.root, "root");
        sampled[i] = wh_recording(root);
        *count += sampled[i];
        wh_end(root);
    }
    spans_end(&spans);
    wh_sampler_free(sampler);
    return sampled;
}

/* The seed is fixed, so that this passes always or never; four standard deviations were asked of it. */
static void probability_keeps_its_share(void **state)
{
    (void)state;
    static const double ratios[] = {1, 0.9, 0.5, 0.25, 0.01, 0.001};
    for (size_t i = 0; i < COUNT(ratios); i++) {
        size_t count;
        free(sample_traces(i % 2 ? wh_sampler_probability(ratios[i]) : wh_sampler_composite(wh_composable_probability(ratios[i])), 17, &count));
        const double expected = ratios[i] * TRACES, deviation = sqrt(expected * (1 - ratios[i]));
        assert_true(fabs((double)count - expected) <= 4 * deviation + 0.5);
    }
}

static void what_a_probability_samples_every_higher_one_does(void **state)
{
    (void)state;
    static const double ratios[] = {0.001, 0.01, 0.1, 0.25, 1. / 3, 0.5, 0.9, 1};
    uint8_t *lower = NULL;
    size_t count, last = 0;
    for (size_t i = 0; i < COUNT(ratios); i++) {
        struct wh_sampler *sampler = i % 2 ? wh_sampler_probability(ratios[i]) : wh_sampler_composite(wh_composable_probability(ratios[i]));
        uint8_t *sampled = sample_traces(sampler, 99, &count);
        for (int t = 0; lower && t < TRACES; t++) assert_true(lower[t] <= sampled[t]);
        assert_true(count > last);
        free(lower);
        lower = sampled;
        last = count;
    }
    free(lower);
}

/* ---- CompositeSampler ---- */

/* Intends what it was told to. */
struct intender {
    struct wh_composable composable;
    uint64_t threshold;
    bool reliable;
    struct wh_attrs attrs;
    const char *tracestate;
    unsigned asked, shut_down, destroyed;
    bool saw_trace_id;
};

static void intend(struct wh_composable *self, const struct wh_sampling *in, struct wh_intent *out)
{
    struct intender *intender = (struct intender *)self;
    assert_int_equal(out->threshold == WH_NO_THRESHOLD && !out->reliable && !out->attrs.count, true);
    intender->asked++;
    for (int i = 0; i < 16; i++) intender->saw_trace_id |= in->trace_id[i] != 0;
    out->threshold = intender->threshold;
    out->reliable = intender->reliable;
    out->attrs = intender->attrs;
    if (intender->tracestate) out->tracestate = intender->tracestate;
}

static void shut_down_intender(struct wh_composable *self) { ((struct intender *)self)->shut_down++; }
static void destroy_intender(struct wh_composable *self) { ((struct intender *)self)->destroyed++; }

static struct wh_composable *intender_begin(struct intender *intender, uint64_t threshold, bool reliable)
{
    *intender = (struct intender){.composable = {.size = sizeof intender->composable, .get_intent = intend, .shutdown = shut_down_intender,
        .destroy = destroy_intender}, .threshold = threshold, .reliable = reliable};
    return &intender->composable;
}

static void an_intent_becomes_a_decision_and_a_threshold(void **state)
{
    (void)state;
    static const struct { uint64_t threshold; bool reliable; const char *traceparent, *tracestate; bool sampled; const char *is; } rows[] = {
        {0, true, LOW, NULL, true, "ot=th:0"},
        {UINT64_C(0x80000000000000), true, MIDDLE, "a=1", true, "ot=th:8,a=1"},
        {UINT64_C(0x80000000000000), true, BELOW, "ot=th:4,a=1", false, "a=1"},                        /* dropped: th goes */
        {UINT64_C(0x80000000000000), true, LOW, "ot=rv:90000000000000", true, "ot=th:8;rv:90000000000000"}, /* rv decides, and stays */
        {UINT64_C(0x80000000000000), true, HIGH, "ot=th:0;rv:70000000000000", false, "ot=rv:70000000000000"},
        {0, false, LOW, "ot=th:4;rv:00000000000000;x:1", true, "ot=rv:00000000000000;x:1"},            /* not reliable: th goes */
        {WH_NO_THRESHOLD, true, HIGH, "ot=th:4;x:1", false, "ot=x:1"},                                  /* no threshold: dropped */
        {WH_NO_THRESHOLD, false, HIGH, NULL, false, ""},
        {UINT64_C(1) << 56, true, HIGH, NULL, false, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct intender intender;
        struct wh_sampler *sampler = wh_sampler_composite(intender_begin(&intender, rows[i].threshold, rows[i].reliable));
        const struct outcome out = decide(sampler, rows[i].traceparent, rows[i].tracestate);
        if (out.sampled != rows[i].sampled || strcmp(out.tracestate, rows[i].is)) fail_msg("row %zu: %d \"%s\"", i, out.sampled, out.tracestate);
        assert_int_equal(intender.asked, 1);
        assert_false(intender.saw_trace_id);
        assert_int_equal(intender.shut_down, 1);
        assert_int_equal(intender.destroyed, 1);
    }
}

/* Half of all, though the trace is one and the same: within six standard deviations of 2000 tries. */
static void an_unreliable_threshold_is_tried_on_fresh_randomness(void **state)
{
    (void)state;
    enum { TRIES = 2000 };
    struct intender intender;
    struct caller caller = {LOW, "ot=rv:00000000000000"};
    struct spans spans = spans_begin_with((struct wh_provider_opts){
        .sampler = wh_sampler_composite(intender_begin(&intender, UINT64_C(0x80000000000000), false))});
    wh_ctx *from = wh_extract(spans.root, get_field, &caller);
    int sampled = 0;
    for (int i = 0; i < TRIES; i++) {
        wh_ctx *span = wh_start(from, "span");
        sampled += wh_recording(span);
        assert_string_equal(outcome_of(span).tracestate, "ot=rv:00000000000000");
        wh_end(span);
    }
    assert_in_range(sampled, TRIES / 2 - 135, TRIES / 2 + 135);
    wh_end(from);
    spans_end(&spans);
}

static void attributes_and_tracestate_of_an_intent_are_the_spans(void **state)
{
    (void)state;
    struct intender intender;
    const struct wh_attr list[] = {wh_attr("rule", "checkout")};
    struct wh_composable *composable = intender_begin(&intender, 0, true);
    intender.attrs = (struct wh_attrs){list, 1};
    intender.tracestate = "new=1,ot=rv:00000000000000";
    struct caller caller = {HIGH, "old=1"};
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_composite(composable)});
    wh_ctx *from = wh_extract(spans.root, get_field, &caller);
    wh_ctx *span = wh_start(from, "annotated");
    assert_string_equal(outcome_of(span).tracestate, "ot=th:0;rv:00000000000000,new=1");
    wh_end(span);
    wh_end(from);
    const struct wh_span_view view = span_named(&spans, "annotated");
    assert_string_equal(span_text(&view, "rule"), "checkout");
    spans_end(&spans);
}

/* Such a root may say what its randomness is (trace/tracestate-probability-sampling.md): whoever samples later agrees. */
static void roots_whose_ids_are_not_random_get_an_rv(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct wh_id_generator ids = {.size = sizeof ids, .trace_id = seeded_trace_id};
        struct wh_sampler *sampler = i ? wh_sampler_composite(wh_composable_always_on()) : wh_sampler_probability(1);
        struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = sampler, .ids = &ids});
        wh_ctx *root = wh_start(spans.root, "root"), *child = wh_start(root, "child");
        const struct outcome out = outcome_of(root);
        struct wh__ot ot;
        wh__ot_read(out.tracestate, &ot);
        assert_true(ot.has_threshold && ot.threshold == 0 && ot.has_randomness);
        assert_false(out.ids.flags & WH_RANDOM);
        assert_string_equal(outcome_of(child).tracestate, out.tracestate);
        wh_end(child);
        wh_end(root);
        spans_end(&spans);
    }
}

/* ---- the composables ---- */

static void composable_always_on_intends_0_reliably(void **state)
{
    (void)state;
    struct wh_intent intent = {.threshold = 5};
    struct wh_composable *on = wh_composable_always_on();
    on->get_intent(on, &(struct wh_sampling){0}, &intent);
    assert_true(intent.threshold == 0 && intent.reliable);
    assert_string_equal(decide(wh_sampler_composite(on), LOW, NULL).tracestate, "ot=th:0");
}

static void composable_always_off_intends_nothing(void **state)
{
    (void)state;
    struct wh_intent intent = {.threshold = 5, .reliable = true};
    struct wh_composable *off = wh_composable_always_off();
    off->get_intent(off, &(struct wh_sampling){0}, &intent);
    assert_true(intent.threshold == WH_NO_THRESHOLD && !intent.reliable);
    assert_false(decide(wh_sampler_composite(off), HIGH, NULL).recorded);
}

static void composable_probability_intends_its_threshold(void **state)
{
    (void)state;
    static const struct { double ratio; uint64_t threshold; } rows[] = {{1, 0}, {0.5, UINT64_C(0x80000000000000)}, {0, WH_NO_THRESHOLD}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct wh_intent intent = {.threshold = 5};
        struct wh_composable *share = wh_composable_probability(rows[i].ratio);
        share->get_intent(share, &(struct wh_sampling){0}, &intent);
        assert_true(intent.threshold == rows[i].threshold);
        assert_int_equal(intent.reliable, rows[i].ratio > 0);
        wh_composable_free(share);
    }
}

static void parent_threshold_does_as_the_parent_says(void **state)
{
    (void)state;
    static const struct { const char *traceparent, *tracestate; bool sampled; const char *is; unsigned asked; } rows[] = {
        {MIDDLE, "ot=th:8", true, "ot=th:8", 0}, {BELOW, "ot=th:8,a=1", false, "a=1", 0},     /* its th, reliably */
        {TRACE("80000000000000", "02"), "a=1,ot=th:8", true, "a=1,ot=th:8", 0},
        {LOW, "a=1", true, "a=1", 0},                                                          /* its flag: all, nobody can count */
        {TRACE("ffffffffffffff", "02"), "a=1", false, "a=1", 0},                               /* or none */
        {NULL, NULL, true, "ot=th:0", 1},                                                       /* a root: as the root's */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct intender root;
        struct wh_sampler *sampler = wh_sampler_composite(wh_composable_parent_threshold(intender_begin(&root, 0, true)));
        const struct outcome out = decide(sampler, rows[i].traceparent, rows[i].tracestate);
        if (out.sampled != rows[i].sampled || strcmp(out.tracestate, rows[i].is)) fail_msg("row %zu: %d \"%s\"", i, out.sampled, out.tracestate);
        assert_int_equal(root.asked, rows[i].asked);
        assert_int_equal(root.destroyed, 1);
        assert_int_equal(root.shut_down, 1);
    }
}

static bool is_server(const struct wh_sampling *in, void *arg)
{
    (*(unsigned *)arg)++;
    return in->kind == WH_SERVER;
}

static bool is_health(const struct wh_sampling *in, void *arg)
{
    (*(unsigned *)arg)++;
    return strcmp(in->name, "health") == 0;
}

static void the_first_rule_that_matches_decides_and_none_drops(void **state)
{
    (void)state;
    static const struct { const char *name; enum wh_kind kind; bool sampled; unsigned looked[2]; } rows[] = {
        {"health", WH_SERVER, false, {1, 0}}, {"other", WH_SERVER, true, {1, 1}}, {"other", WH_INTERNAL, false, {1, 1}}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned looked[2] = {0};
        struct intender off, on;
        const struct wh_rule rules[] = {{is_health, &looked[0], intender_begin(&off, WH_NO_THRESHOLD, false)},
            {is_server, &looked[1], intender_begin(&on, 0, true)}};
        struct wh_sampler *sampler = wh_sampler_composite(wh_composable_rule_based(rules, 2));
        struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = sampler});
        wh_ctx *span = wh_start(spans.root, rows[i].name, .kind = rows[i].kind);
        assert_int_equal(wh_recording(span), rows[i].sampled);
        assert_memory_equal(looked, rows[i].looked, sizeof looked);
        wh_end(span);
        spans_end(&spans);
        wh_sampler_free(sampler);
        assert_int_equal(off.shut_down + on.shut_down + off.destroyed + on.destroyed, 4);
    }
    const struct wh_rule always[] = {{NULL, NULL, wh_composable_always_on()}, {NULL, NULL, NULL}};
    assert_true(decide(wh_sampler_composite(wh_composable_rule_based(always, 2)), NULL, NULL).sampled);
    assert_false(decide(wh_sampler_composite(wh_composable_rule_based(always + 1, 1)), NULL, NULL).sampled);
    assert_false(decide(wh_sampler_composite(wh_composable_rule_based(NULL, 0)), NULL, NULL).sampled);
}

static void annotating_adds_attributes_to_what_is_sampled(void **state)
{
    (void)state;
    const struct wh_attr outer[] = {wh_attr("outer", 1), wh_attr("both", "outer")}, inner[] = {wh_attr("inner", 2), wh_attr("both", "inner")};
    struct intender intender;
    struct wh_composable *innermost = intender_begin(&intender, 0, true);
    const struct wh_attr own[] = {wh_attr("own", 3)};
    intender.attrs = (struct wh_attrs){own, 1};
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_composite(
        wh_composable_annotating((struct wh_attrs){outer, 2}, wh_composable_annotating((struct wh_attrs){inner, 2}, innermost)))});
    wh_end(wh_start(spans.root, "annotated"));
    const struct wh_span_view view = span_named(&spans, "annotated");
    assert_int_equal(span_int(&view, "outer"), 1);
    assert_int_equal(span_int(&view, "inner"), 2);
    assert_int_equal(span_int(&view, "own"), 3);
    assert_string_equal(span_text(&view, "both"), "outer");
    spans_end(&spans);
}

static void attributes_for_which_there_is_no_room_are_left_out(void **state)
{
    (void)state;
    enum { MANY = 200 };
    static struct wh_attr many[MANY];
    _Alignas(16) char room[100 * sizeof(struct wh_attr) + 1];
    for (int i = 0; i < MANY; i++) many[i] = wh_attr("k", i);
    struct wh_intent intent = {.size = sizeof intent, .scratch = room + 1, .scratch_size = sizeof room - 1};
    assert_true(wh_intent_attrs(&intent, (struct wh_attrs){many, MANY})); /* nothing to join: nothing is copied */
    assert_ptr_equal(intent.attrs.list, many);
    intent.attrs.count = 50;
    assert_true(wh_intent_attrs(&intent, (struct wh_attrs){many + 50, 49}));
    assert_int_equal(intent.attrs.count, 99);
    for (int i = 0; i < 99; i++) assert_int_equal(intent.attrs.list[i].as.integer, i);
    assert_false(wh_intent_attrs(&intent, (struct wh_attrs){many, 1}));
    assert_int_equal(intent.attrs.count, 99);
    assert_true(intent.scratch <= room + sizeof room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios_become_thresholds_of_4_significant_digits),
        cmocka_unit_test(thresholds_are_near_and_in_order),
        cmocka_unit_test(randomness_from_the_threshold_on_is_sampled),
        cmocka_unit_test(probability_ignores_what_the_parent_did),
        cmocka_unit_test(rv_is_used_where_there_is_one_and_never_changed),
        cmocka_unit_test(presuming_randomness_is_said_once),
        cmocka_unit_test(probability_keeps_its_share),
        cmocka_unit_test(what_a_probability_samples_every_higher_one_does),
        cmocka_unit_test(an_intent_becomes_a_decision_and_a_threshold),
        cmocka_unit_test(an_unreliable_threshold_is_tried_on_fresh_randomness),
        cmocka_unit_test(attributes_and_tracestate_of_an_intent_are_the_spans),
        cmocka_unit_test(roots_whose_ids_are_not_random_get_an_rv),
        cmocka_unit_test(composable_always_on_intends_0_reliably),
        cmocka_unit_test(composable_always_off_intends_nothing),
        cmocka_unit_test(composable_probability_intends_its_threshold),
        cmocka_unit_test(parent_threshold_does_as_the_parent_says),
        cmocka_unit_test(the_first_rule_that_matches_decides_and_none_drops),
        cmocka_unit_test(annotating_adds_attributes_to_what_is_sampled),
        cmocka_unit_test(attributes_for_which_there_is_no_room_are_left_out),
    };
    return cmocka_run_group_tests_name("sampler_probability", tests, NULL, NULL);
}
