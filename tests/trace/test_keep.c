/* Record, then decide: which traces are kept of those that no sampler takes, and what of them. */
#include <errno.h>

#include "keeps.h"
#include "sampling.h"
#include "trace/callee.h"
#include "trace/keep.h"

WH_KEY(number, int)

/* ---- what is kept ---- */

/* A local root, a child, and its child, which `ends` has its way with. */
static void request(const wh_ctx *ctx, void (*ends)(wh_ctx *span))
{
    WH_AUTO wh_ctx *root = wh_start(ctx, "GET /order", .kind = WH_SERVER);
    WH_AUTO wh_ctx *child = wh_start(root, "reserve");
    wh_ctx *leaf = wh_start(child, "UPDATE stock");
    wh_set(leaf, "db.system", "sqlite");
    if (ends) ends(leaf);
    wh_end(leaf);
}

static void cancelled(wh_ctx *span) { wh_cancel(span, WH_CLIENT_GONE, "connection reset"); }
static void failed(wh_ctx *span) { wh_fail(span, EIO, "disk full"); }
static void error(wh_ctx *span) { wh_status(span, WH_STATUS_ERROR, "no"); }
static void raced(wh_ctx *span) { wh_cancel(span, WH_RACE_LOST, "the other was first"); }
static void done(wh_ctx *span) { wh_cancel(span, WH_GROUP_DONE, NULL); }
static void sibling(wh_ctx *span) { wh_cancel(span, WH_SIBLING_FAILED, NULL); }
static void returned(wh_ctx *span) { wh_cancel(span, WH_HANDLER_RETURNED, NULL); }

static void a_good_trace_is_forgotten(void **state)
{
    (void)state;
    struct spans spans = keeping_begin(keep_all());
    for (int i = 0; i < 10; i++) request(spans.root, NULL);
    assert_int_equal(exported(&spans), 0);
    const struct wh_provider_stats s = keep_stats(&spans);
    assert_int_equal(s.started, 30);
    assert_int_equal(s.ended, 30);
    assert_int_equal(s.keep_forgotten, 30);
    assert_int_equal(s.kept_traces, 0);
    keeping_end(&spans);
}

static void one_that_was_cancelled_is_kept_as_a_whole(void **state)
{
    (void)state;
    struct spans spans = keeping_begin(keep_all());
    request(spans.root, NULL);
    request(spans.root, cancelled);
    assert_int_equal(exported(&spans), 3);
    const struct wh_span_view root = span_named(&spans, "GET /order"), child = span_named(&spans, "reserve"),
                              leaf = span_named(&spans, "UPDATE stock");
    assert_true(span_bool(&root, "whence.kept"));
    assert_string_equal(span_text(&root, "whence.kept.because"), "cancelled");
    assert_int_equal(span_int(&root, "whence.kept.alike"), 0);
    assert_false(span_has(&root, "whence.kept.missing"));
    assert_false(span_has(&child, "whence.kept"));
    assert_memory_equal(child.parent_span_id, root.span_id, 8);
    assert_memory_equal(leaf.parent_span_id, child.span_id, 8);
    assert_string_equal(span_text(&leaf, "db.system"), "sqlite");
    assert_string_equal(span_text(&leaf, "whence.cancel.reason"), "client_gone");
    const struct wh_provider_stats s = keep_stats(&spans);
    assert_int_equal(s.kept_traces, 1);
    assert_int_equal(s.kept_spans, 3);
    assert_int_equal(s.keep_forgotten, 3);
    assert_int_equal(s.exported, 3);
    keeping_end(&spans);
}

static void what_failed_is_kept_and_what_ends_in_the_course_of_things_is_not(void **state)
{
    (void)state;
    static const struct { void (*ends)(wh_ctx *span); const char *because; } rows[] = {
        {cancelled, "cancelled"}, {failed, "failed"}, {error, "failed"}, {sibling, "failed"}, {raced, NULL}, {done, NULL}, {returned, NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct spans spans = keeping_begin(keep_all());
        request(spans.root, rows[i].ends);
        assert_int_equal(exported(&spans), rows[i].because ? 3 : 0);
        if (rows[i].because) {
            const struct wh_span_view root = span_named(&spans, "GET /order");
            assert_string_equal(span_text(&root, "whence.kept.because"), rows[i].because);
        }
        keeping_end(&spans);
    }
}

static void a_policy_that_makes_an_error_of_every_cancel_keeps_no_more(void **state)
{
    (void)state;
    struct spans spans = keeping_begin_with(keep_all(), (struct wh_provider_opts){.cancelled_is_error = true});
    request(spans.root, raced);
    request(spans.root, returned);
    assert_int_equal(exported(&spans), 0);
    request(spans.root, cancelled);
    assert_int_equal(exported(&spans), 3);
    keeping_end(&spans);
}

static void what_a_callee_says_of_itself_marks_the_trace(void **state)
{
    (void)state;
    struct spans spans = keeping_begin(keep_all());
    struct spans off = keeping_begin((struct wh_keep){0});
    wh_ctx *root = wh_start(spans.root, "root"), *child = wh_start(root, "child"), *ignored = wh_start(off.root, "ignored");
    WH_AUTO wh_ctx *value = wh_with_number(child, 7);
    const struct wh_because answer = {.size = sizeof answer, .reason = "deadline_exceeded"};
    wh__keep_mark(NULL, WH_KEEP_FAILED);
    wh__keep_mark(wh__trace_of(spans.root), WH_KEEP_FAILED);
    wh__keep_mark(wh__trace_of(ignored), WH_KEEP_FAILED);
    wh__note_callee(value, &answer, 1);
    wh_end(child);
    wh_end(root);
    wh_end(ignored);
    assert_int_equal(exported(&spans), 2);
    const struct wh_span_view view = span_named(&spans, "root");
    assert_string_equal(span_text(&view, "whence.kept.because"), "failed");
    assert_int_equal(exported(&off), 0);
    keeping_end(&off);
    wh_end(value);
    value = NULL;
    keeping_end(&spans);
}

static void late(const wh_ctx *root, wh_clock *clock, int64_t takes)
{
    (void)root;
    WH_AUTO wh_ctx *timed = wh_start(root, "timed", .timeout = WH_MS(100));
    wh_clock_advance(clock, takes);
}

/* 100 ms, by a clock that the test holds. */
static void late_is_over_the_budget_or_with_less_than_a_tenth_left(void **state)
{
    (void)state;
    static const struct { int64_t takes; const char *because; } rows[] = {
        {0, NULL}, {89, NULL}, {90, NULL}, {91, "late"}, {99, "late"}, {150, "cancelled"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct spans spans = keeping_begin(keep_all());
        wh_clock *clock = wh_clock_new(0);
        WH_AUTO wh_ctx *clocked = wh_with_clock(spans.root, clock);
        late(clocked, clock, WH_MS(rows[i].takes));
        assert_int_equal(exported(&spans), rows[i].because ? 1 : 0);
        if (rows[i].because) {
            const struct wh_span_view root = span_named(&spans, "timed");
            assert_string_equal(span_text(&root, "whence.kept.because"), rows[i].because);
        }
        wh_clock_free(clock);
        keeping_end(&spans);
    }
}

static void only_what_was_asked_for_is_kept(void **state)
{
    (void)state;
    struct wh_keep keep = keep_all();
    keep.because = WH_KEEP_FAILED;
    struct spans spans = keeping_begin(keep);
    request(spans.root, cancelled);
    assert_int_equal(exported(&spans), 0);
    request(spans.root, failed);
    assert_int_equal(exported(&spans), 3);
    keeping_end(&spans);
}

static void nothing_is_recorded_where_it_is_not_enabled(void **state)
{
    (void)state;
    struct spans spans = keeping_begin((struct wh_keep){.per_second = 1000});
    WH_AUTO wh_ctx *root = wh_start(spans.root, "root");
    assert_false(wh_recording(root));
    request(spans.root, failed);
    assert_int_equal(exported(&spans), 0);
    assert_int_equal(keep_stats(&spans).started, 0);
    keeping_end(&spans);
}

/* ---- local traces ---- */

static const char *unsampled_parent(void *unused, const char *name)
{
    (void)unused;
    if (strcmp(name, "tracestate") == 0) return "ot=th:8;rv:00000000000001,vendor=value";
    return strcmp(name, "traceparent") == 0 ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00" : NULL;
}

/* Others are told what the sampler has said; what is exported pretends no probability. */
static void a_span_below_a_remote_one_begins_a_local_trace(void **state)
{
    (void)state;
    struct spans spans = keeping_begin(keep_all());
    WH_AUTO wh_ctx *remote = wh_extract(spans.root, unsampled_parent, NULL);
    WH_AUTO wh_ctx *good = wh_start(remote, "good");
    wh_ctx *bad = wh_start(remote, "bad", .kind = WH_SERVER);
    struct wh_span_context ids;
    assert_true(wh_recording(bad));
    assert_true(wh_span_of(bad, &ids));
    assert_int_equal(ids.flags & WH_SAMPLED, 0);
    assert_string_equal(ids.tracestate, "ot=th:8;rv:00000000000001,vendor=value");
    wh_fail(bad, EIO, "no");
    wh_end(bad);
    assert_int_equal(exported(&spans), 1);
    const struct wh_span_view root = span_named(&spans, "bad");
    assert_true(span_bool(&root, "whence.kept"));
    assert_int_equal(root.flags & WH_SAMPLED, 0);
    assert_int_equal(root.tracestate.len, strlen("ot=rv:00000000000001,vendor=value"));
    assert_memory_equal(root.tracestate.ptr, "ot=rv:00000000000001,vendor=value", root.tracestate.len);
    wh_end(good);
    good = NULL;
    keeping_end(&spans);
}

static void a_new_root_below_a_span_is_judged_by_itself(void **state)
{
    (void)state;
    struct spans spans = keeping_begin(keep_all());
    wh_ctx *outer = wh_start(spans.root, "outer");
    wh_ctx *inner = wh_start(outer, "inner", .root = true);
    wh_ctx *child = wh_start(inner, "child");
    wh_fail(child, EIO, "no");
    wh_end(child);
    wh_end(inner);
    wh_end(outer);
    assert_int_equal(exported(&spans), 2);
    span_named(&spans, "inner");
    keeping_end(&spans);
}

static void who_ends_later_follows_the_verdict(void **state)
{
    (void)state;
    for (int bad = 0; bad < 2; bad++) {
        struct spans spans = keeping_begin(keep_all());
        wh_ctx *root = wh_start(spans.root, "root");
        wh_ctx *early = wh_start(root, "early"), *open = wh_start(root, "open");
        if (bad) wh_fail(early, EIO, "no");
        wh_end(early);
        wh_end(root);
        assert_int_equal(exported(&spans), bad ? 2 : 0);
        wh_ctx *later = wh_start(open, "later");
        wh_fail(later, EIO, "too late for a verdict");
        wh_end(later);
        wh_end(open);
        assert_int_equal(exported(&spans), bad ? 4 : 0);
        assert_int_equal(keep_stats(&spans).kept_spans, bad ? 4 : 0);
        keeping_end(&spans);
    }
}

/* ---- samplers, scopes, processors ---- */

struct watch {
    struct wh_processor processor;
    int started, ending, ended;
};

static void on_start(struct wh_processor *self, const wh_ctx *span, const wh_ctx *parent)
{
    (void)span, (void)parent;
    ((struct watch *)self)->started++;
}

static void on_ending(struct wh_processor *self, const wh_ctx *span)
{
    wh_set(span, "seen", true);
    ((struct watch *)self)->ending++;
}

static void on_end(struct wh_processor *self, const struct wh_ended *ended)
{
    assert_false(ended->sampled);
    ((struct watch *)self)->ended++;
}

/* For them nothing has changed: what the sampler drops they do not see, what it has recorded they see once. */
static void processors_of_somebodys_own_see_what_the_sampler_says(void **state)
{
    (void)state;
    for (int records = 0; records < 2; records++) {
        struct watch watch = {.processor = {.size = sizeof watch.processor, .on_start = on_start, .on_ending = on_ending,
                                            .on_end = on_end}};
        struct wh_processor *list[] = {&watch.processor};
        struct wh_sampler *off = wh_sampler_parent_based(wh_sampler_always_off());
        struct spans spans = keeping_begin_with(keep_all(), (struct wh_provider_opts){.processors = list, .processor_count = 1,
            .sampler = records ? wh_sampler_always_record(off) : off});
        request(spans.root, cancelled);
        request(spans.root, NULL);
        assert_int_equal(watch.started, records ? 6 : 0);
        assert_int_equal(watch.ending, watch.started);
        assert_int_equal(watch.ended, watch.started);
        assert_int_equal(exported(&spans), 3);
        const struct wh_span_view root = span_named(&spans, "GET /order");
        assert_true(span_bool(&root, "whence.kept"));
        assert_int_equal(span_has(&root, "seen"), records);
        assert_int_equal(keep_stats(&spans).recorded_only, 0);
        keeping_end(&spans);
    }
}

static bool is_child(const struct wh_sampling *in, void *unused) { (void)unused; return in->parent_span != NULL; }

/* The sampler takes what is below a root and not the root: what is sampled is exported in any case, the rest if it ends badly. */
static void what_is_sampled_is_exported_whatever_the_verdict(void **state)
{
    (void)state;
    const struct wh_rule rules[] = {{is_child, NULL, wh_composable_always_on()}, {NULL, NULL, wh_composable_always_off()}};
    struct spans spans = keeping_begin_with(keep_all(), (struct wh_provider_opts){
        .sampler = wh_sampler_composite(wh_composable_rule_based(rules, 2))});
    request(spans.root, NULL);
    assert_int_equal(exported(&spans), 2);
    wh_memory_clear(spans.memory);
    request(spans.root, failed);
    assert_int_equal(exported(&spans), 3);
    keeping_end(&spans);
}

/* And the other way round. */
static void what_is_left_out_below_a_sampled_root_is_kept_if_it_ends_badly(void **state)
{
    (void)state;
    const struct wh_rule rules[] = {{is_child, NULL, wh_composable_always_off()}, {NULL, NULL, wh_composable_always_on()}};
    struct spans spans = keeping_begin_with(keep_all(), (struct wh_provider_opts){
        .sampler = wh_sampler_composite(wh_composable_rule_based(rules, 2))});
    request(spans.root, NULL);
    assert_int_equal(exported(&spans), 1);
    wh_memory_clear(spans.memory);
    request(spans.root, failed);
    assert_int_equal(exported(&spans), 3);
    const struct wh_span_view root = span_named(&spans, "GET /order");
    assert_true(span_bool(&root, "whence.kept"));
    keeping_end(&spans);
}

static void a_sampled_trace_is_as_it_was(void **state)
{
    (void)state;
    struct spans spans = keeping_begin_with(keep_all(), (struct wh_provider_opts){
        .sampler = wh_sampler_parent_based(wh_sampler_always_on())});
    request(spans.root, cancelled);
    assert_int_equal(exported(&spans), 3);
    const struct wh_span_view root = span_named(&spans, "GET /order");
    assert_false(span_has(&root, "whence.kept"));
    assert_int_equal(keep_stats(&spans).kept_traces, 0);
    keeping_end(&spans);
}

static void no_scope(const struct wh_scope *scope, struct wh_tracer_config *config, void *unused)
{
    (void)unused;
    config->enabled = strcmp(scope->name, "off") != 0;
}

static void a_disabled_scope_does_not_part_a_local_trace(void **state)
{
    (void)state;
    static const struct wh_scope off = {.size = sizeof off, .name = "off"};
    struct spans spans = keeping_begin_with(keep_all(), (struct wh_provider_opts){.configure = {.fn = no_scope}});
    wh_ctx *root = wh_start(spans.root, "root");
    wh_ctx *between = wh_start(root, "between", .scope = &off);
    wh_ctx *leaf = wh_start(between, "leaf");
    wh_fail(leaf, EIO, "no");
    wh_end(leaf);
    wh_end(between);
    wh_end(root);
    assert_int_equal(exported(&spans), 2);
    span_named(&spans, "leaf");
    keeping_end(&spans);
}

static void every_exporter_of_the_library_gets_it(void **state)
{
    (void)state;
    struct wh_exporter *other = wh_memory_exporter_new(100);
    struct wh_processor *simple = wh_simple_processor_new(other);
    struct spans spans = keeping_begin_with(keep_all(), (struct wh_provider_opts){.processors = &simple, .processor_count = 1});
    request(spans.root, NULL);
    request(spans.root, failed);
    assert_int_equal(exported(&spans), 3);
    assert_int_equal(wh_memory_count(other), 3);
    wh_end(spans.root);
    assert_int_equal(wh_provider_shutdown(spans.provider, WH_SEC(60)), 0);
}

/* What is still open is ended by it: a leak, or a request that was not waited for. */
static void the_shutdown_gives_the_verdict_on_what_is_open(void **state)
{
    (void)state;
    struct spans spans = keeping_begin(keep_all());
    wh_ctx *bad = wh_start(spans.root, "bad"), *good = wh_start(spans.root, "good"), *below = wh_start(bad, "below");
    wh_fail(below, EIO, "no");
    wh_end(below);
    assert_int_equal(wh_provider_shutdown(spans.provider, WH_SEC(60)), 0);
    wh_ctx *after = wh_start(good, "after");
    assert_false(wh_recording(after));
    wh_end(after);
    wh_end(bad);
    wh_end(good);
    const struct wh_provider_stats s = keep_stats(&spans);
    assert_int_equal(s.started, 3);
    assert_int_equal(s.exported, 2);
    assert_int_equal(s.keep_forgotten, 1);
    assert_int_equal(s.leaked, 2);
    assert_int_equal(s.dropped_shutdown, 0);
    wh_end(spans.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_trace_is_forgotten),
        cmocka_unit_test(one_that_was_cancelled_is_kept_as_a_whole),
        cmocka_unit_test(what_failed_is_kept_and_what_ends_in_the_course_of_things_is_not),
        cmocka_unit_test(a_policy_that_makes_an_error_of_every_cancel_keeps_no_more),
        cmocka_unit_test(what_a_callee_says_of_itself_marks_the_trace),
        cmocka_unit_test(late_is_over_the_budget_or_with_less_than_a_tenth_left),
        cmocka_unit_test(only_what_was_asked_for_is_kept),
        cmocka_unit_test(nothing_is_recorded_where_it_is_not_enabled),
        cmocka_unit_test(a_span_below_a_remote_one_begins_a_local_trace),
        cmocka_unit_test(a_new_root_below_a_span_is_judged_by_itself),
        cmocka_unit_test(who_ends_later_follows_the_verdict),
        cmocka_unit_test(processors_of_somebodys_own_see_what_the_sampler_says),
        cmocka_unit_test(what_is_sampled_is_exported_whatever_the_verdict),
        cmocka_unit_test(what_is_left_out_below_a_sampled_root_is_kept_if_it_ends_badly),
        cmocka_unit_test(a_sampled_trace_is_as_it_was),
        cmocka_unit_test(a_disabled_scope_does_not_part_a_local_trace),
        cmocka_unit_test(every_exporter_of_the_library_gets_it),
        cmocka_unit_test(the_shutdown_gives_the_verdict_on_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
