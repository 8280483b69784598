/* What tracing says of itself: every measure of semantic-conventions' otel/sdk-metrics.md that there is to say. */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "scripted.h"
#include "trace/span.h"

/* Measures as lines: "name value key=value ...". */
static char lines[16384];

static void put_line(const struct wh_measure *measure, void *arg)
{
    size_t len = strlen(lines);
    (void)arg;
    assert_int_equal(measure->size, sizeof *measure);
    assert_string_equal(measure->unit, measure->kind == WH_HISTOGRAM ? "s" : "{span}");
    if (measure->kind == WH_HISTOGRAM) {
        assert_true(measure->count == 0 || (measure->min >= 0 && measure->min <= measure->max && measure->max <= measure->sum + 1e-12));
        len += (size_t)snprintf(lines + len, sizeof lines - len, "%s #%d", measure->name, (int)measure->count);
    } else {
        len += (size_t)snprintf(lines + len, sizeof lines - len, "%s %d", measure->name, (int)measure->value);
    }
    for (size_t i = 0; i < measure->attrs.count; i++) {
        const struct wh_attr *attr = &measure->attrs.list[i];
        const char *value = attr->as.ptr, *end = strchr(value, '/'); /* the number of a component depends on what was before */
        const int shown = end && strcmp(attr->key, "otel.component.name") == 0 ? (int)(end - value + 1) : (int)strlen(value);
        len += (size_t)snprintf(lines + len, sizeof lines - len, " %s=%.*s", attr->key, shown, value);
    }
    snprintf(lines + len, sizeof lines - len, "\n");
}

static const char *observe(const wh_provider *provider)
{
    lines[0] = '\0';
    wh_provider_observe(provider, put_line, NULL);
    return lines;
}

static void assert_says(const char *line)
{
    char whole[512];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    static char before[sizeof lines + 1];
    snprintf(before, sizeof before, "\n%s", lines);
    if (!strstr(before, whole)) fail_msg("no line \"%s\" in:\n%s", line, lines);
}

#define BATCH " otel.component.type=batching_span_processor otel.component.name=batching_span_processor/"
#define SIMPLE " otel.component.type=simple_span_processor otel.component.name=simple_span_processor/"
#define EXPORTER " otel.component.type=scripted_span_exporter otel.component.name=scripted_span_exporter/"

static void spans_are_counted_by_origin_and_decision(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    struct wh_span_context sampled = {.trace_id = {1}, .span_id = {2}, .flags = WH_SAMPLED, .remote = true}, unsampled = sampled;
    unsampled.flags = 0;
    wh_provider *provider = provider_of(&s, .schedule_delay = WH_NEVER, .observe = true);
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *yes = wh_with_span(root, &sampled), *no = wh_with_span(root, &unsampled);
    wh_ctx *top = wh_start(root, "top"), *child = wh_start(top, "child");
    for (int i = 0; i < 3; i++) wh_end(wh_start(yes, "remote"));
    wh_ctx *dropped = wh_start(no, "dropped");
    for (int i = 0; i < 2; i++) wh_end(wh_start(dropped, "dropped too"));
    observe(provider);
    assert_says("otel.sdk.span.started 1 otel.span.parent.origin=none otel.span.sampling_result=RECORD_AND_SAMPLE");
    assert_says("otel.sdk.span.started 1 otel.span.parent.origin=local otel.span.sampling_result=RECORD_AND_SAMPLE");
    assert_says("otel.sdk.span.started 3 otel.span.parent.origin=remote otel.span.sampling_result=RECORD_AND_SAMPLE");
    assert_says("otel.sdk.span.started 1 otel.span.parent.origin=remote otel.span.sampling_result=DROP");
    assert_says("otel.sdk.span.started 2 otel.span.parent.origin=local otel.span.sampling_result=DROP");
    assert_says("otel.sdk.span.live 2");
    wh_end(dropped), wh_end(child), wh_end(top);
    observe(provider);
    assert_says("otel.sdk.span.live 0");
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static void without_being_asked_nobody_counts_what_is_started(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, .schedule_delay = WH_NEVER);
    make_spans(provider, 1);
    assert_null(strstr(observe(provider), "otel.sdk.span.started"));
    assert_says("otel.sdk.span.live 0");
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static void a_batch_processor_tells_of_its_queue_and_what_became_of_spans(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, .max_queue = 100, .max_batch = 40, .schedule_delay = WH_NEVER);
    make_spans(provider, 30);
    observe(provider);
    assert_says("otel.sdk.processor.span.queue.size 30" BATCH);
    assert_says("otel.sdk.processor.span.queue.capacity 100" BATCH);
    assert_says("otel.sdk.processor.span.processed 0" BATCH);
    assert_null(strstr(lines, "error.type"));
    s.blocked = 1;
    make_spans(provider, 10); /* the batch is full: it leaves */
    while (!__atomic_load_n(&s.inside, __ATOMIC_ACQUIRE)) usleep(1000);
    observe(provider);
    assert_says("otel.sdk.exporter.span.inflight 40" EXPORTER);
    assert_says("otel.sdk.processor.span.queue.size 0" BATCH);
    make_spans(provider, 200);
    observe(provider);
    assert_says("otel.sdk.processor.span.processed 140" BATCH " error.type=queue_full"); /* memory of the 40 is in use still */
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *leaked = wh_start(root, "leaked");
    scripted_block(&s, false);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    wh_end(leaked);
    observe(provider);
    assert_says("otel.sdk.exporter.span.inflight 0" EXPORTER);
    assert_says("otel.sdk.processor.span.processed 101" BATCH);
    assert_says("otel.sdk.exporter.span.exported 101" EXPORTER);
    assert_null(strstr(lines, "already_shutdown"));
}

static void what_a_shutdown_had_no_time_for_is_told_of(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, .schedule_delay = WH_NEVER);
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *open = wh_start(root, "open");
    wh_provider_shutdown(provider, 0);
    wh_end(wh_start(root, "late"));
    observe(provider);
    assert_says("otel.sdk.processor.span.processed 1" BATCH " error.type=already_shutdown");
}

static void an_exporter_tells_what_it_has_exported_rejected_and_failed(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    wh_provider *provider = provider_of(&s, .schedule_delay = WH_NEVER);
    s.rejects = 2;
    make_spans(provider, 10);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
    for (int i = 0; i < 12; i++) {
        s.result = i < 2 ? EPIPE : EPERM + i; /* more kinds of error than are kept apart */
        make_spans(provider, 1);
        assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), EIO);
    }
    observe(provider);
    assert_says("otel.sdk.exporter.span.exported 8" EXPORTER);
    assert_says("otel.sdk.exporter.span.exported 2" EXPORTER " error.type=rejected");
    assert_says("otel.sdk.exporter.span.exported 2" EXPORTER " error.type=EPIPE");
    assert_says("otel.sdk.exporter.operation.duration #1" EXPORTER);
    assert_says("otel.sdk.exporter.operation.duration #2" EXPORTER " error.type=EPIPE");
    assert_says("otel.sdk.exporter.span.exported 4" EXPORTER " error.type=_OTHER");
    assert_says("otel.sdk.processor.span.processed 22" BATCH); /* handed over, whatever became of them there */
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static void a_simple_processor_has_no_queue_to_tell_of(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    struct wh_processor *list[] = {wh_simple_processor_new(&s.exporter)};
    wh_provider *provider = wh_provider_new(.processors = list, .processor_count = 1);
    make_spans(provider, 3);
    assert_null(strstr(observe(provider), "queue"));
    assert_says("otel.sdk.processor.span.processed 3" SIMPLE);
    assert_says("otel.sdk.exporter.span.exported 3" EXPORTER);
    assert_says("otel.sdk.exporter.operation.duration #3" EXPORTER);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static char names[4][64];
static size_t name_count;

static void keep_names(const struct wh_measure *measure, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < measure->attrs.count && strcmp(measure->name, "otel.sdk.exporter.span.inflight") == 0; i++)
        if (strcmp(measure->attrs.list[i].key, "otel.component.name") == 0)
            snprintf(names[name_count++ % 4], sizeof *names, "%s", (const char *)measure->attrs.list[i].as.ptr);
}

static void every_component_has_a_name_of_its_own(void **state)
{
    (void)state;
    struct scripted a, b;
    scripted_init(&a), scripted_init(&b);
    struct wh_exporter *list[] = {&a.exporter, &b.exporter};
    wh_provider *provider = wh_provider_new(.exporters = list, .exporter_count = 2, .schedule_delay = WH_NEVER);
    name_count = 0;
    wh_provider_observe(provider, keep_names, NULL);
    assert_int_equal(name_count, 2);
    assert_string_not_equal(names[0], names[1]);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static bool found_live, found_exported;

static void a_report_is_an_event_with_all_of_it(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.observe = true});
    struct wh_event_view event;
    struct wh_attr_view attr;
    wh_end(wh_start(spans.root, "before"));
    assert_int_equal(wh_provider_flush(spans.provider, WH_SEC(60)), 0);
    wh_ctx *span = wh_start(spans.root, "report");
    wh_provider_observe_on(spans.provider, span);
    wh_end(span);
    wh_provider_observe_on(spans.provider, span = wh_with_cancel(NULL)); /* no span: nothing happens */
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "report");
    assert_true(span_event(&view, "otel.sdk.report", &event));
    assert_int_equal(event.dropped_attributes, 0);
    for (struct wh_cursor cursor = {event.raw}; wh_next_event_attr(&cursor, &attr);) {
        static const char exported[] = "otel.sdk.exporter.span.exported/memory_span_exporter/";
        found_live |= attr.key.len == 18 && memcmp(attr.key.ptr, "otel.sdk.span.live", 18) == 0 && attr.as.integer == 1;
        found_exported |= attr.key.len >= sizeof exported && memcmp(attr.key.ptr, exported, sizeof exported - 1) == 0 &&
                          attr.as.integer == 1;
    }
    assert_true(found_live && found_exported);
    spans_end(&spans);
}

/* ---- threads ---- */

static uint32_t stop;

static void *produce(void *provider)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) make_spans(provider, 10);
    return NULL;
}

static void count(const struct wh_measure *measure, void *arg)
{
    assert_true(measure->value >= 0);
    ++*(size_t *)arg;
}

static void it_may_be_asked_at_any_time(void **state)
{
    (void)state;
    struct scripted s;
    scripted_init(&s);
    pthread_t threads[2];
    size_t seen = 0;
    wh_provider *provider = provider_of(&s, .schedule_delay = WH_MS(1), .observe = true);
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, produce, provider);
    for (int i = 0; i < 200; i++) wh_provider_observe(provider, count, &seen);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    assert_true(seen >= 200 * 6);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_counted_by_origin_and_decision),
        cmocka_unit_test(without_being_asked_nobody_counts_what_is_started),
        cmocka_unit_test_setup_teardown(a_batch_processor_tells_of_its_queue_and_what_became_of_spans, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(what_a_shutdown_had_no_time_for_is_told_of, listen_to_reports, stop_listening),
        cmocka_unit_test_setup_teardown(an_exporter_tells_what_it_has_exported_rejected_and_failed, listen_to_reports, stop_listening),
        cmocka_unit_test(a_simple_processor_has_no_queue_to_tell_of),
        cmocka_unit_test(every_component_has_a_name_of_its_own),
        cmocka_unit_test(a_report_is_an_event_with_all_of_it),
        cmocka_unit_test_setup_teardown(it_may_be_asked_at_any_time, listen_to_reports, stop_listening),
    };
    return cmocka_run_group_tests_name("observe", tests, NULL, NULL);
}
