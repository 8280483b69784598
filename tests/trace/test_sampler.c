/* Samplers (trace/sdk.md, Sampling): the interface, and those that need no tracestate. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "gate.h"
#include "sampling.h"

enum { TRACES = 8000 };

#define SAMPLED TRACE("1c80319c000000", "01")
#define UNSAMPLED TRACE("1c80319c000000", "00")

static bool root_is_sampled(struct spans *spans, struct wh_span_context *ids)
{
    WH_AUTO wh_ctx *span = wh_start(spans->root, "root");
    wh_span_of(span, ids);
    assert_int_equal(wh_recording(span), ids->flags & WH_SAMPLED);
    return ids->flags & WH_SAMPLED;
}

/* ---- always on, always off, ratio ---- */

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

/* Within four standard deviations of the ratio: a false alarm once in 16,000 runs. Built in below a ParentBased, and asked. */
static void ratio_keeps_its_share(void **state)
{
    (void)state;
    static const double ratios[] = {0, 0.01, 0.25, 0.5, 0.9, 1};
    for (size_t r = 0; r < 2 * COUNT(ratios); r++) {
        struct wh_span_context ids;
        const double ratio = ratios[r / 2];
        struct wh_sampler *sampler = wh_sampler_ratio(ratio);
        struct spans spans = spans_begin_with((struct wh_provider_opts){
            .sampler = r % 2 ? sampler : wh_sampler_parent_based(sampler), .max_queue = TRACES});
        int sampled = 0;
        for (int i = 0; i < TRACES; i++) sampled += root_is_sampled(&spans, &ids);
        const double expected = ratio * TRACES, deviation = sqrt(expected * (1 - ratio));
        assert_true(fabs(sampled - expected) <= 4 * deviation + 0.5);
        spans_end(&spans);
    }
}

/* The decision is the trace id's: the same everywhere, whatever the parent did, and a higher ratio keeps all that a lower does. */
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
    begin_listening();
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t r = 0; r < COUNT(ratios); r++)
            assert_int_equal(decide(wh_sampler_ratio(ratios[r]), rows[i].traceparent, NULL).recorded, ratios[r] >= rows[i].from);
    end_listening();
}

static void ratio_warns_once_when_it_decides_for_children(void **state)
{
    (void)state;
    struct wh_sampler *ratio = wh_sampler_ratio(1);
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = ratio});
    begin_listening();
    wh_ctx *root = wh_start(spans.root, "root");
    assert_int_equal(said, 0);
    for (int i = 0; i < 3; i++) wh_end(wh_start(root, "child"));
    assert_int_equal(end_listening(), 1);
    assert_non_null(strstr(said_last, "TraceIdRatioBased"));
    wh_end(root);
    spans_end(&spans);
}

/* ---- ParentBased ---- */

static void a_child_does_as_its_parent_did(void **state)
{
    (void)state;
    static const struct { const char *traceparent; bool ignore_parent, is_on, sampled; } rows[] = {
        {SAMPLED, false, false, true}, {UNSAMPLED, false, true, false}, {SAMPLED, true, false, false}, {UNSAMPLED, true, true, true}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct wh_span_context ids;
        struct caller caller = {rows[i].traceparent, NULL};
        struct wh_sampler *root = rows[i].is_on ? wh_sampler_always_on() : wh_sampler_always_off();
        struct spans spans = spans_begin_with(
            (struct wh_provider_opts){.sampler = rows[i].ignore_parent ? root : wh_sampler_parent_based(root)});
        wh_ctx *from = wh_extract(spans.root, get_field, &caller);
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

/* Answers as it was made to, and remembers what it was asked. */
struct recorder {
    struct wh_sampler sampler;
    enum wh_decision decision;
    struct wh_attrs attrs;
    const char *tracestate; /* NULL: the parent's */
    unsigned asked, shut_down, destroyed;
    struct wh_sampling in;
    struct wh_span_context parent;
    char name[32];
};

static void remember(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out)
{
    struct recorder *recorder = (struct recorder *)self;
    assert_int_equal(in->size, sizeof *in);
    assert_int_equal(out->size, sizeof *out);
    assert_int_equal(out->decision, WH_DROP);
    assert_true(out->scratch_size >= 4096 && (uintptr_t)out->scratch % 16 == 0);
    memset(out->scratch, 'x', out->scratch_size);
    recorder->asked++;
    recorder->in = *in;
    if (in->parent_span) recorder->parent = *in->parent_span;
    strcpy(recorder->name, in->name);
    out->decision = recorder->decision;
    out->attrs = recorder->attrs;
    if (recorder->tracestate) out->tracestate = recorder->tracestate;
}

static void describe_recorder(struct wh_sampler *self, char *buf, size_t size)
{
    (void)self;
    strncpy(buf, "recorder", size - 1);
}

static void shut_down_recorder(struct wh_sampler *self)
{
    ((struct recorder *)self)->shut_down++;
}

static void destroy_recorder(struct wh_sampler *self)
{
    ((struct recorder *)self)->destroyed++;
}

static struct wh_sampler *recorder_begin(struct recorder *recorder, enum wh_decision decision)
{
    *recorder = (struct recorder){.sampler = {.size = sizeof recorder->sampler, .should_sample = remember, .description = describe_recorder,
        .shutdown = shut_down_recorder, .destroy = destroy_recorder}, .decision = decision};
    return &recorder->sampler;
}

static void parent_based_asks_the_branch_of_its_parent(void **state)
{
    (void)state;
    struct recorder branches[5];
    struct wh_sampler *samplers[5];
    for (int i = 0; i < 5; i++) samplers[i] = recorder_begin(&branches[i], i % 2 ? WH_DROP : WH_RECORD_AND_SAMPLE);
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_parent_based(samplers[0],
        .remote_sampled = samplers[1], .remote_not_sampled = samplers[2], .local_sampled = samplers[3], .local_not_sampled = samplers[4])});
    struct caller callers[] = {{SAMPLED, NULL}, {UNSAMPLED, NULL}};
    wh_ctx *root = wh_start(spans.root, "root");
    assert_int_equal(branches[0].asked, 1);
    assert_null(branches[0].in.parent_span);
    for (int i = 0; i < 2; i++) {
        wh_ctx *from = wh_extract(spans.root, get_field, &callers[i]);
        wh_ctx *server = wh_start(from, "server");
        assert_int_equal(branches[1 + i].asked, 1);
        assert_int_equal(wh_recording(server), i == 1);
        wh_ctx *local = wh_start(server, "local");
        assert_int_equal(branches[i ? 3 : 4].asked, 1);
        assert_int_equal(wh_recording(local), i == 0);
        wh_end(local);
        wh_end(server);
        wh_end(from);
    }
    wh_end(root);
    spans_end(&spans);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(branches[i].asked, 1);
        assert_int_equal(branches[i].shut_down, 1);
        assert_int_equal(branches[i].destroyed, 0); /* the provider stays, and may still ask */
    }
}

static void by_default_the_parent_decides_and_roots_are_sampled(void **state)
{
    (void)state;
    assert_true(decide(NULL, NULL, NULL).sampled);
    assert_true(decide(NULL, SAMPLED, NULL).sampled);
    assert_false(decide(NULL, UNSAMPLED, NULL).recorded);
    char words[256];
    struct wh_sampler *same = wh_sampler_parent_based(NULL);
    assert_string_equal(wh_sampler_description(same, words, sizeof words),
        "ParentBased{root:AlwaysOnSampler,remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,"
        "localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler}");
    wh_sampler_free(same);
}

static void samplers_describe_themselves(void **state)
{
    (void)state;
    struct recorder recorder;
    const struct { struct wh_sampler *sampler; const char *is; } rows[] = {
        {wh_sampler_always_on(), "AlwaysOnSampler"}, {wh_sampler_always_off(), "AlwaysOffSampler"},
        {wh_sampler_ratio(0.0001), "TraceIdRatioBased{0.000100}"}, {wh_sampler_ratio(1), "TraceIdRatioBased{1.000000}"},
        {wh_sampler_ratio(NAN), "TraceIdRatioBased{0.000000}"}, {wh_sampler_ratio(7), "TraceIdRatioBased{1.000000}"},
        {wh_sampler_always_record(wh_sampler_always_off()), "AlwaysRecordSampler{AlwaysOffSampler}"},
        {wh_sampler_probability(0.25), "ProbabilitySampler{0.250000}"},
        {wh_sampler_composite(wh_composable_parent_threshold(wh_composable_probability(0.5))),
         "CompositeSampler{ComposableParentThreshold{root:ComposableProbability{0.500000}}}"},
        {recorder_begin(&recorder, WH_DROP), "recorder"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char words[256], short_words[8];
        assert_string_equal(wh_sampler_description(rows[i].sampler, words, sizeof words), rows[i].is);
        wh_sampler_description(rows[i].sampler, short_words, sizeof short_words);
        assert_memory_equal(short_words, rows[i].is, 7);
        wh_sampler_free(rows[i].sampler);
    }
    assert_int_equal(recorder.destroyed, 1);
}

/* ---- what a sampler sees, and may do ---- */

WH_KEY(tenant, int)

static void a_sampler_sees_context_ids_name_kind_attributes_and_links(void **state)
{
    (void)state;
    struct recorder recorder;
    struct caller caller = {TRACE("1c80319c000000", "03"), "a=1"};
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = recorder_begin(&recorder, WH_RECORD_AND_SAMPLE)});
    wh_ctx *from = wh_extract(spans.root, get_field, &caller);
    wh_ctx *with = wh_with_tenant(from, 42);
    struct wh_span_context elsewhere = {.trace_id = {1}, .span_id = {2}};
    struct wh_link links[] = {{.to = &elsewhere}};
    const struct wh_attr list[] = {wh_attr("a", 1), wh_attr("b", "two")};
    wh_ctx *span = wh_start(with, "seen", .kind = WH_SERVER, .attrs = {list, 2}, .links = links, .link_count = 1);
    struct wh_span_context ids;
    wh_span_of(span, &ids);
    assert_int_equal(recorder.asked, 1);
    assert_ptr_equal(recorder.in.parent, with);
    assert_int_equal(wh_tenant(recorder.in.parent), 42);
    assert_non_null(recorder.in.parent_span);
    assert_true(recorder.parent.remote && recorder.parent.flags == (WH_SAMPLED | WH_RANDOM));
    assert_memory_equal(recorder.parent.trace_id, ids.trace_id, 16);
    assert_memory_equal(recorder.parent.span_id, ((uint8_t[8]){0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31}), 8);
    assert_memory_equal(recorder.in.trace_id, ids.trace_id, 16);
    assert_true(recorder.in.random);
    assert_string_equal(recorder.name, "seen");
    assert_int_equal(recorder.in.kind, WH_SERVER);
    assert_ptr_equal(recorder.in.attrs.list, list);
    assert_int_equal(recorder.in.attrs.count, 2);
    assert_ptr_equal(recorder.in.links, links);
    assert_int_equal(recorder.in.link_count, 1);
    wh_ctx *root = wh_start(span, "root", .root = true);
    assert_int_equal(recorder.asked, 2);
    assert_null(recorder.in.parent_span);
    assert_int_equal(wh_tenant(recorder.in.parent), 42);
    assert_memory_not_equal(recorder.in.trace_id, ids.trace_id, 16);
    wh_end(root);
    wh_end(span);
    wh_end(with);
    wh_end(from);
    spans_end(&spans);
}

static void its_attributes_and_tracestate_are_the_spans(void **state)
{
    (void)state;
    struct recorder recorder;
    const struct wh_attr added[] = {wh_attr("sampler.why", "because"), wh_attr("both", 2)};
    struct caller caller = {SAMPLED, "a=1"};
    struct wh_sampler *sampler = recorder_begin(&recorder, WH_RECORD_AND_SAMPLE);
    recorder.attrs = (struct wh_attrs){added, 2};
    recorder.tracestate = "new=2,a=1";
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = sampler});
    wh_ctx *from = wh_extract(spans.root, get_field, &caller);
    wh_ctx *span = wh_start(from, "annotated", .attrs = WH_ATTRS(wh_attr("own", true), wh_attr("both", 1)));
    wh_ctx *child = wh_start(span, "child");
    assert_string_equal(outcome_of(span).tracestate, "new=2,a=1");
    assert_string_equal(outcome_of(child).tracestate, "new=2,a=1");
    wh_end(span);
    assert_string_equal(outcome_of(child).tracestate, "new=2,a=1");
    wh_end(child);
    wh_end(from);
    const struct wh_span_view view = span_named(&spans, "annotated");
    assert_string_equal(span_text(&view, "sampler.why"), "because");
    assert_int_equal(span_int(&view, "both"), 2);
    assert_true(span_has(&view, "own"));
    assert_int_equal(view.tracestate.len, 9);
    assert_memory_equal(view.tracestate.ptr, "new=2,a=1", 9);
    spans_end(&spans);
}

static void an_empty_tracestate_clears_it_and_a_broken_one_is_ignored(void **state)
{
    (void)state;
    static const struct { const char *returned, *is; } rows[] = {{NULL, "a=1"}, {"", ""}, {"b=2 , c=3", "b=2,c=3"}, {"A=1", "a=1"}, {"a=1", "a=1"}};
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int decision = WH_DROP; decision <= WH_RECORD_AND_SAMPLE; decision++) {
            struct recorder recorder;
            struct wh_sampler *sampler = recorder_begin(&recorder, (enum wh_decision)decision);
            recorder.tracestate = rows[i].returned;
            assert_string_equal(decide(sampler, SAMPLED, "a=1").tracestate, rows[i].is);
        }
}

static void a_decision_that_is_none_drops(void **state)
{
    (void)state;
    struct recorder recorder;
    assert_false(decide(recorder_begin(&recorder, (enum wh_decision)7), SAMPLED, NULL).recorded);
}

/* ---- recorded or not, sampled or not (trace/sdk.md, Recording Sampled reaction table) ---- */

static void each_decision_has_its_row_of_the_table(void **state)
{
    (void)state;
    static const struct { enum wh_decision decision; bool recorded, sampled, exported; } rows[] = {
        {WH_RECORD_AND_SAMPLE, true, true, true}, {WH_RECORD_ONLY, true, false, false}, {WH_DROP, false, false, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct recorder recorder;
        struct wh_span_view view;
        struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = recorder_begin(&recorder, rows[i].decision)});
        wh_ctx *root = wh_start(spans.root, "root");
        wh_ctx *child = wh_start(root, "child");
        for (int j = 0; j < 2; j++) {
            const struct outcome out = outcome_of(j ? child : root);
            assert_int_equal(out.recorded, rows[i].recorded);
            assert_int_equal(out.sampled, rows[i].sampled);
            assert_true(out.sampled <= out.recorded);
        }
        wh_set(child, "k", 1);
        wh_end(child);
        wh_end(root);
        assert_int_equal(wh_provider_flush(spans.provider, WH_SEC(10)), 0);
        assert_int_equal(wh_memory_span(spans.memory, 0, &view), rows[i].exported);
        struct wh_provider_stats stats = {.size = sizeof stats};
        wh_provider_stats(spans.provider, &stats);
        assert_int_equal(stats.exported, rows[i].exported ? 2 : 0);
        spans_end(&spans);
    }
}

static void always_record_turns_drop_into_record_only_and_nothing_else(void **state)
{
    (void)state;
    static const struct { enum wh_decision inner; bool sampled; } rows[] = {{WH_DROP, false}, {WH_RECORD_ONLY, false}, {WH_RECORD_AND_SAMPLE, true}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct recorder recorder;
        struct wh_sampler *inner = recorder_begin(&recorder, rows[i].inner);
        recorder.tracestate = "x=1";
        const struct outcome out = decide(wh_sampler_always_record(inner), SAMPLED, "a=1");
        assert_true(out.recorded);
        assert_int_equal(out.sampled, rows[i].sampled);
        assert_string_equal(out.tracestate, "x=1");
        assert_int_equal(recorder.shut_down, 1);
    }
}

/* In the order of trace/sdk.md: trace id, sampler, span id. */
struct watcher {
    struct wh_id_generator ids;
    struct wh_sampler sampler;
    enum wh_decision decision;
    char order[8];
};
static struct watcher watcher;

static void make_trace_id(struct wh_id_generator *self, uint8_t out[16])
{
    (void)self;
    strcat(watcher.order, "t");
    memset(out, 0x11, 16);
}

static void make_span_id(struct wh_id_generator *self, uint8_t out[8])
{
    (void)self;
    strcat(watcher.order, "s");
    memset(out, 0x22, 8);
}

static void watch(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out)
{
    (void)self;
    strcat(watcher.order, "?");
    assert_int_equal(in->trace_id[0], 0x11);
    out->decision = watcher.decision;
}

static void trace_id_then_sampler_then_a_new_span_id_even_if_dropped(void **state)
{
    (void)state;
    for (int decision = WH_DROP; decision <= WH_RECORD_AND_SAMPLE; decision++) {
        watcher = (struct watcher){.ids = {.size = sizeof watcher.ids, .trace_id = make_trace_id, .span_id = make_span_id},
            .sampler = {.size = sizeof watcher.sampler, .should_sample = watch}, .decision = (enum wh_decision)decision};
        struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = &watcher.sampler, .ids = &watcher.ids});
        wh_ctx *root = wh_start(spans.root, "root");
        assert_string_equal(watcher.order, "t?s");
        assert_int_equal(outcome_of(root).ids.span_id[0], 0x22);
        wh_ctx *child = wh_start(root, "child");
        assert_string_equal(watcher.order, "t?s?s");
        wh_end(child);
        wh_end(root);
        spans_end(&spans);
    }
}

static void a_dropped_span_has_an_id_of_its_own(void **state)
{
    (void)state;
    const struct outcome out = decide(wh_sampler_always_off(), SAMPLED, NULL);
    assert_false(out.recorded);
    assert_memory_not_equal(out.ids.span_id, ((uint8_t[8]){0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31}), 8);
    assert_memory_not_equal(out.ids.span_id, ((uint8_t[8]){0}), 8);
    assert_false(out.ids.remote);
}

/* ---- life ---- */

static void a_provider_that_cannot_be_made_destroys_its_sampler(void **state)
{
    (void)state;
    struct recorder recorder;
    struct wh_sampler *sampler = wh_sampler_always_record(recorder_begin(&recorder, WH_DROP));
    memory_ends_after(0);
    assert_null(wh_provider_new(.sampler = sampler));
    memory_is_back();
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(recorder.destroyed, 1);
}

static void without_memory_there_is_one_that_samples_nothing(void **state)
{
    (void)state;
    struct wh_rule rule = {.then = NULL};
    begin_listening();
    for (int i = 0; i < 9; i++) {
        struct recorder inner;
        struct wh_sampler *made = NULL, *given = recorder_begin(&inner, WH_RECORD_AND_SAMPLE);
        memory_ends_after(0);
        switch (i) {
        case 0: made = wh_sampler_ratio(1); break;
        case 1: made = wh_sampler_parent_based(given); break;
        case 2: made = wh_sampler_always_record(given); break;
        case 3: made = wh_sampler_probability(1); break;
        case 4: made = wh_sampler_composite(wh_composable_always_on()); break;
        }
        struct wh_composable *part = i == 5 ? wh_composable_probability(1) : i == 6 ? wh_composable_parent_threshold(wh_composable_always_on()) :
            i == 7 ? wh_composable_rule_based(&rule, 1) : i == 8 ? wh_composable_annotating((struct wh_attrs){0}, wh_composable_always_on()) : NULL;
        memory_is_back();
        if (part) made = wh_sampler_composite(part);
        if (i == 1 || i == 2) assert_int_equal(inner.destroyed, 1);
        assert_false(decide(made, NULL, NULL).recorded);
    }
    assert_int_equal(end_listening(), 1);
    assert_non_null(strstr(said_last, "no memory for a sampler"));
}

static void without_memory_for_its_tracestate_a_span_has_none(void **state)
{
    (void)state;
    struct recorder recorder;
    struct caller caller = {SAMPLED, "a=1"};
    struct wh_sampler *sampler = recorder_begin(&recorder, WH_DROP);
    recorder.tracestate = "b=2";
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = sampler});
    wh_ctx *from = wh_extract(spans.root, get_field, &caller);
    wh_end(wh_start(from, "warm"));
    memory_ends_after(0);
    wh_ctx *span = wh_start(from, "poor");
    memory_is_back();
    struct wh_span_context ids;
    assert_true(wh_span_of(span, &ids));
    assert_null(ids.tracestate);
    wh_end(span);
    wh_end(from);
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(always_on_and_always_off),
        cmocka_unit_test(ratio_keeps_its_share),
        cmocka_unit_test(ratio_is_consistent),
        cmocka_unit_test(ratio_warns_once_when_it_decides_for_children),
        cmocka_unit_test(a_child_does_as_its_parent_did),
        cmocka_unit_test(parent_based_asks_the_branch_of_its_parent),
        cmocka_unit_test(by_default_the_parent_decides_and_roots_are_sampled),
        cmocka_unit_test(samplers_describe_themselves),
        cmocka_unit_test(a_sampler_sees_context_ids_name_kind_attributes_and_links),
        cmocka_unit_test(its_attributes_and_tracestate_are_the_spans),
        cmocka_unit_test(an_empty_tracestate_clears_it_and_a_broken_one_is_ignored),
        cmocka_unit_test(a_decision_that_is_none_drops),
        cmocka_unit_test(each_decision_has_its_row_of_the_table),
        cmocka_unit_test(always_record_turns_drop_into_record_only_and_nothing_else),
        cmocka_unit_test(trace_id_then_sampler_then_a_new_span_id_even_if_dropped),
        cmocka_unit_test(a_dropped_span_has_an_id_of_its_own),
        cmocka_unit_test(a_provider_that_cannot_be_made_destroys_its_sampler),
        cmocka_unit_test(without_memory_there_is_one_that_samples_nothing),
        cmocka_unit_test(without_memory_for_its_tracestate_a_span_has_none),
    };
    return cmocka_run_group_tests_name("sampler", tests, NULL, NULL);
}
