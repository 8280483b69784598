/* on_ending: the span's end is known, and nobody but the callback can change it any more. */
#include <unistd.h>

#include "gate.h"
#include "trace/span.h"
#include "watcher.h"

static struct watcher watcher;
static wh_ctx *outside; /* the context that its owner ends */

static struct spans begin(void (*at_ending)(const wh_ctx *span))
{
    static struct wh_processor *list[1];
    list[0] = watcher_begin(&watcher);
    watcher.at_ending = at_ending;
    return spans_begin_with((struct wh_provider_opts){.processors = list, .processor_count = 1, .limits.attributes = 4});
}

static int64_t called_at;

static void write_everything(const wh_ctx *span)
{
    struct wh_span_context ids, of_owner;
    called_at = wh_now();
    assert_true(wh_recording(span));
    assert_false(wh_recording(outside));
    assert_true(wh_span_of(span, &ids) && wh_span_of(outside, &of_owner));
    assert_memory_equal(ids.span_id, of_owner.span_id, 8);
    assert_memory_equal(ids.trace_id, of_owner.trace_id, 16);
    assert_false(ids.remote);
    wh_set(span, "last", "word");
    wh_set(span, "early", 2);
    wh_event(span, "ending");
    wh_status(span, WH_STATUS_ERROR, "as seen at the end");
    wh_rename(span, "renamed");
    wh_set(outside, "stray", 1);
    wh_event(outside, "stray");
    usleep(2000);
}

static void the_callback_may_write_and_the_end_is_taken_before(void **state)
{
    (void)state;
    struct spans spans = begin(write_everything);
    outside = wh_start(spans.root, "before");
    wh_set(outside, "early", 1);
    const int64_t wall = ((struct wh__trace_node *)(void *)outside)->wall;
    wh_end(outside);
    const struct wh_span_view view = span_named(&spans, "renamed");
    struct wh_event_view event;
    assert_string_equal(span_text(&view, "last"), "word");
    assert_int_equal(span_int(&view, "early"), 2);
    assert_true(span_event(&view, "ending", &event));
    assert_int_equal(view.status, WH_STATUS_ERROR);
    assert_false(span_has(&view, "stray") || span_event(&view, "stray", &event));
    assert_true((int64_t)view.end - wall <= called_at);
    spans_end(&spans);
}

static void write_much(const wh_ctx *span)
{
    char key[16];
    for (int i = 0; i < 10; i++) {
        snprintf(key, sizeof key, "k%d", i);
        wh_set(span, key, i);
    }
}

static void limits_hold_for_the_callback_and_what_it_loses_is_counted(void **state)
{
    (void)state;
    struct spans spans = begin(write_much);
    wh_ctx *cancelled = wh_start(spans.root, "cancelled");
    wh_end(wh_start(spans.root, "plain"));
    wh_cancel(cancelled, WH_CANCELED, NULL);
    wh_end(cancelled);
    const struct wh_span_view plain = span_named(&spans, "plain"), of_cancelled = span_named(&spans, "cancelled");
    assert_int_equal(plain.dropped_attributes, 6);
    assert_int_equal(of_cancelled.dropped_attributes, 10); /* the cause has more than the limit allows */
    assert_true(span_bool(&of_cancelled, "whence.cancelled"));
    spans_end(&spans);
}

static void write_a_large_value(const wh_ctx *span)
{
    static char large[100000];
    memset(large, 'x', sizeof large - 1);
    wh_set(span, "large", (const char *)large);
}

static void what_the_callback_writes_may_be_large(void **state)
{
    (void)state;
    struct spans spans = begin(write_a_large_value);
    wh_end(wh_start(spans.root, "span"));
    const struct wh_span_view view = span_named(&spans, "span");
    assert_true(view.raw.len > 100000);
    spans_end(&spans);
}

static const wh_ctx *kept;
static wh_ctx *child;

static void keep(const wh_ctx *span)
{
    kept = wh_hold(span);
    child = wh_start(span, "child");
}

static void what_the_callback_keeps_writes_no_more(void **state)
{
    (void)state;
    struct spans spans = begin(keep);
    wh_end(wh_start(spans.root, "span"));
    watcher.at_ending = NULL;
    assert_false(wh_recording(kept));
    wh_set(kept, "late", 1);
    wh_release(kept);
    wh_end(child);
    const struct wh_span_view view = span_named(&spans, "span"), below = span_named(&spans, "child");
    assert_false(span_has(&view, "late"));
    assert_memory_equal(below.parent_span_id, view.span_id, 8);
    spans_end(&spans);
}

/* ---- other threads ---- */

static uint32_t stop;

static void *scribble(void *span)
{
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
        wh_set((const wh_ctx *)span, "scribbled", 1);
        wh_set((const wh_ctx *)span, "checked", -1);
        wh_event((const wh_ctx *)span, "scribble");
    }
    return NULL;
}

static void check_in_peace(const wh_ctx *span)
{
    struct wh__trace_node *node = (void *)(uintptr_t)span;
    wh_set(span, "checked", 1);
    const uint32_t len = node->record->len, events = node->record->events;
    for (int i = 0; i < 1000; i++) assert_true(node->record->len == len && node->record->events == events);
}

static void no_other_thread_can_change_the_span_meanwhile(void **state)
{
    (void)state;
    struct spans spans = begin(check_in_peace);
    for (int round = 0; round < 20; round++) {
        pthread_t thread;
        wh_ctx *span = wh_start(spans.root, "fought for");
        const wh_ctx *held = wh_hold(span);
        __atomic_store_n(&stop, 0, __ATOMIC_RELEASE);
        assert_int_equal(pthread_create(&thread, NULL, scribble, (void *)(uintptr_t)held), 0);
        usleep(500);
        wh_end(span);
        __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
        pthread_join(thread, NULL);
        wh_release(held);
        const struct wh_span_view view = span_named(&spans, "fought for");
        assert_int_equal(span_int(&view, "checked"), 1);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

/* ---- memory ---- */

static bool recorded;

static void write_if_possible(const wh_ctx *span)
{
    recorded = wh_recording(span);
    wh_set(span, "last", "word");
}

static void without_memory_the_span_goes_on_as_it_is(void **state)
{
    (void)state;
    struct spans spans = begin(write_if_possible);
    wh_end(wh_start(spans.root, "before")); /* there is a queue to put it into */
    wh_ctx *held[4000], *span = wh_start(spans.root, "span");
    size_t count = 0;
    memory_ends_after(0);
    do {
        held[count] = wh_start(spans.root, "taken");
    } while (!wh_err(held[count]) && ++count < 4000);
    assert_true(count < 4000);
    wh_end(span);
    memory_is_back();
    assert_int_equal(watcher.endings, 2);
    assert_false(recorded);
    while (count) wh_end(held[--count]);
    const struct wh_span_view view = span_named(&spans, "span");
    assert_false(span_has(&view, "last"));
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_callback_may_write_and_the_end_is_taken_before),
        cmocka_unit_test(limits_hold_for_the_callback_and_what_it_loses_is_counted),
        cmocka_unit_test(what_the_callback_writes_may_be_large),
        cmocka_unit_test(what_the_callback_keeps_writes_no_more),
        cmocka_unit_test(no_other_thread_can_change_the_span_meanwhile),
        cmocka_unit_test(without_memory_the_span_goes_on_as_it_is),
    };
    return cmocka_run_group_tests_name("processor_ending", tests, NULL, NULL);
}
