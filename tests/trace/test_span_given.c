/* What a user gives instead of what the library would take itself: timestamps, spans of others, exceptions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

static struct wh_span_view ended_span(struct spans *spans, wh_ctx *span, const char *name)
{
    wh_end(span);
    return span_named(spans, name);
}

/* The wall clock's nanoseconds of an instant, as the spans of a local trace have them. */
static uint64_t wall_of(const struct wh_span_view *reference, int64_t started, int64_t instant)
{
    return reference->start + (uint64_t)instant - (uint64_t)started;
}

/* ---- timestamps ---- */

static void timestamps_are_taken_when_it_happens(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const int64_t wall_before = wh_now() - wh_from_wall(0);
    wh_ctx *span = wh_start(spans.root, "now");
    wh_event(span, "event");
    const struct wh_span_view view = ended_span(&spans, span, "now");
    const int64_t wall_after = wh_now() - wh_from_wall(0);
    struct wh_event_view event;
    assert_true(span_event(&view, "event", &event));
    assert_true(view.start <= event.at && event.at <= view.end);
    assert_true((int64_t)view.start >= wall_before - WH_SEC(1) && (int64_t)view.end <= wall_after + WH_SEC(1));
    spans_end(&spans);
}

static void a_start_and_an_end_may_be_given(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const int64_t now = wh_now(), start = now - WH_SEC(100), end = now - WH_SEC(40);
    wh_ctx *parent = wh_start(spans.root, "parent", .at = start);
    wh_ctx *child = wh_start(parent, "child", .at = start + 1, .attrs = WH_ATTRS(wh_attr("k", 1)), .timeout = WH_SEC(50));
    assert_int_equal(wh_err(child), 0); /* its deadline is counted from now */
    wh_end_at(child, end - 1);
    wh_end_at(parent, end);
    const struct wh_span_view p = span_named(&spans, "parent"), c = span_named(&spans, "child");
    assert_int_equal(p.end - p.start, WH_SEC(60));
    assert_int_equal(c.start - p.start, 1);
    assert_int_equal(p.end - c.end, 1);
    assert_int_equal(span_int(&c, "k"), 1);
    spans_end(&spans);
}

/* trace/api.md: no clamping, whatever the order; nor is anything made of what no clock shows. */
static void timestamps_out_of_range_are_kept_as_they_are(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const int64_t now = wh_now();
    const int64_t odd[] = {1, -1, INT64_MIN, INT64_MAX, now + WH_SEC(1000000), now - WH_SEC(1000000)};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct wh_event_view before, after;
        wh_ctx *reference = wh_start(spans.root, "reference", .at = now);
        wh_ctx *span = wh_start(reference, "odd", .at = odd[i]);
        wh_event(span, "before", .at = odd[i]);
        wh_event(span, "after", .at = odd[sizeof odd / sizeof *odd - 1 - i]);
        wh_end_at(span, odd[i]);
        wh_end(reference);
        const struct wh_span_view view = span_named(&spans, "odd"), ref = span_named(&spans, "reference");
        assert_int_equal(view.start, wall_of(&ref, now, odd[i]));
        assert_int_equal(view.end, view.start);
        assert_true(span_event(&view, "before", &before) && span_event(&view, "after", &after));
        assert_int_equal(before.at, view.start);
        assert_int_equal(after.at, wall_of(&ref, now, odd[sizeof odd / sizeof *odd - 1 - i]));
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

static void an_end_before_the_start_is_kept(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "backwards");
    wh_end_at(span, wh_now() - WH_SEC(10));
    const struct wh_span_view view = span_named(&spans, "backwards");
    assert_true(view.end < view.start);
    spans_end(&spans);
}

/* As wh_end(): of the context that owns the span's, too; of none, nothing. */
static void an_end_is_given_to_the_span_that_ends_with_the_context(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const int64_t at = wh_now() + WH_SEC(77);
    wh_ctx *other = wh_start(spans.root, "other");
    wh_ctx *span = wh_start(other, "owned", .at = at - 5);
    wh_ctx *below = wh_take_over(wh_with_cancel(span), span);
    wh_ctx *plain = wh_with_cancel(other);
    wh_end_at(below, at);
    wh_end_at(plain, at);
    wh_end_at(NULL, at);
    wh_end(other);
    const struct wh_span_view view = span_named(&spans, "owned"), o = span_named(&spans, "other");
    assert_int_equal(view.end - view.start, 5);
    assert_true(o.end - o.start < (uint64_t)WH_SEC(77));
    spans_end(&spans);
}

static void a_given_end_is_no_end_of_a_cancelled_context(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const int64_t now = wh_now();
    wh_ctx *span = wh_start(spans.root, "cancelled", .at = now);
    wh_cancel(span, WH_SHUTDOWN, NULL);
    wh_end_at(span, now + 3);
    const struct wh_span_view view = span_named(&spans, "cancelled");
    assert_int_equal(view.end - view.start, 3);
    assert_true(span_bool(&view, "whence.cancelled"));
    spans_end(&spans);
}

/* ---- spans of others ---- */

static const struct wh_span_context given = {
    .trace_id = {0x4b, 2, 3}, .span_id = {0xa1, 2}, .flags = WH_SAMPLED | WH_RANDOM, .tracestate = "a=b,c=d"};

static void a_span_of_another_is_asked_and_handed_on_but_not_recorded(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    char tracestate[] = "a=b,c=d";
    struct wh_span_context copy = given, seen;
    copy.tracestate = tracestate;
    for (int remote = 0; remote < 2; remote++) {
        copy.remote = remote;
        wh_ctx *own = wh_start(spans.root, "own");
        wh_ctx *wrapped = wh_with_span(own, &copy);
        memset(tracestate, 'x', 3);
        assert_false(wh_recording(wrapped));
        wh_set(wrapped, "lost", 1);
        wh_event(wrapped, "lost");
        wh_rename(wrapped, "lost");
        wh_status(wrapped, WH_STATUS_ERROR, "lost");
        assert_true(wh_span_of(wrapped, &seen));
        assert_memory_equal(seen.trace_id, given.trace_id, 16);
        assert_memory_equal(seen.span_id, given.span_id, 8);
        assert_int_equal(seen.flags, given.flags);
        assert_int_equal(seen.remote, remote);
        assert_string_equal(seen.tracestate, given.tracestate);
        wh_end(wh_start(wrapped, "child"));
        const wh_ctx *held = wh_hold(wrapped);
        wh_end(wrapped);
        assert_true(wh_span_of(held, &seen));
        assert_memory_equal(seen.span_id, given.span_id, 8);
        wh_release(held);
        const struct wh_span_view view = ended_span(&spans, own, "own"), child = span_named(&spans, "child");
        assert_false(span_has(&view, "lost"));
        assert_int_equal(view.status, WH_STATUS_UNSET);
        assert_memory_equal(child.trace_id, given.trace_id, 16);
        assert_memory_equal(child.parent_span_id, given.span_id, 8);
        assert_int_equal(child.flags & 0x300, remote ? 0x300 : 0x100);
        assert_memory_equal(child.tracestate.ptr, given.tracestate, strlen(given.tracestate));
        assert_int_equal(wh_memory_count(spans.memory), 2);
        wh_memory_clear(spans.memory);
        memcpy(tracestate, given.tracestate, 3);
    }
    spans_end(&spans);
}

static void below_a_span_that_is_none_a_trace_begins(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct wh_span_context none = {.flags = WH_SAMPLED};
    const struct wh_span_context *nothing[] = {NULL, &none};
    for (size_t i = 0; i < 2; i++) {
        struct wh_span_context seen;
        wh_ctx *own = wh_start(spans.root, "own");
        wh_ctx *wrapped = wh_with_span(own, nothing[i]);
        assert_false(wh_span_of(wrapped, &seen));
        wh_end(wh_start(wrapped, "child"));
        wh_end(wrapped);
        const struct wh_span_view view = ended_span(&spans, own, "own"), child = span_named(&spans, "child");
        assert_memory_not_equal(view.trace_id, child.trace_id, 16);
        assert_memory_equal(child.parent_span_id, ((uint8_t[8]){0}), 8);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

/* A deadline and a cancel go through it: it is a context as any other. */
static void a_span_of_another_lives_in_a_context(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *own = wh_start(spans.root, "own", .timeout = WH_SEC(100));
    wh_ctx *wrapped = wh_with_span(own, &given);
    assert_int_equal(wh_deadline(wrapped), wh_deadline(own));
    wh_cancel(own, WH_SHUTDOWN, NULL);
    assert_int_equal(wh_err(wrapped), ECANCELED);
    wh_end(wh_start(wrapped, "child"));
    wh_end(wrapped);
    wh_end(own);
    const struct wh_span_view child = span_named(&spans, "child");
    assert_true(span_bool(&child, "whence.cancelled"));
    spans_end(&spans);
}

/* Without a provider, what came is what goes on. */
static void without_a_provider_a_span_of_another_is_handed_on(void **state)
{
    (void)state;
    struct wh_span_context seen;
    wh_ctx *wrapped = wh_with_span(NULL, &given);
    wh_ctx *child = wh_start(wrapped, "child");
    assert_false(wh_recording(child));
    assert_true(wh_span_of(child, &seen));
    assert_memory_equal(seen.trace_id, given.trace_id, 16);
    assert_memory_equal(seen.span_id, given.span_id, 8);
    wh_end(child);
    wh_end(wrapped);
    child = wh_start(NULL, "nobody's");
    assert_false(wh_span_of(child, &seen));
    assert_false(wh_recording(child));
    wh_end(child);
}

/* ---- links ---- */

/* trace/api.md, Link: a context that is none says something only with attributes or a tracestate. */
static void links_to_nowhere_are_kept_if_they_say_something(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct wh_span_context none = {0}, half = {.trace_id = {1}}, other_half = {.span_id = {1}},
                                 empty = {.tracestate = ""}, stated = {.tracestate = "a=b"}, whole = {.trace_id = {1}, .span_id = {1}};
    const struct wh_link at_start[] = {{.to = &none}, {.to = NULL}, {.to = &stated}, {.to = &none, .attrs = WH_ATTRS(wh_attr("k", 1))}, {.to = &whole}};
    struct wh_link_view link;
    wh_ctx *span = wh_start(spans.root, "links", .links = at_start, .link_count = 5);
    wh_link_to(span, &none);
    wh_link_to(span, &half);
    wh_link_to(span, &other_half);
    wh_link_to(span, &empty);
    wh_link_to(span, NULL);
    wh_link_to(span, &stated);
    wh_link_to(span, &half, .attrs = WH_ATTRS(wh_attr("k", 1)));
    wh_link_to(span, &whole);
    const struct wh_span_view view = ended_span(&spans, span, "links");
    struct wh_cursor cursor = {view.raw};
    for (int i = 0; i < 2; i++) {
        assert_true(wh_next_link(&cursor, &link) && link.tracestate.len == 3 && link.trace_id[0] == 0);
        assert_true(wh_next_link(&cursor, &link) && link.tracestate.len == 0 && link.span_id[0] == 0);
        assert_true(wh_next_link(&cursor, &link) && link.trace_id[0] == 1 && link.span_id[0] == 1);
    }
    assert_false(wh_next_link(&cursor, &link));
    assert_int_equal(view.dropped_links, 0);
    spans_end(&spans);
}

static void events_and_links_keep_their_order(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct wh_event_view event;
    struct wh_link_view link;
    wh_ctx *span = wh_start(spans.root, "order");
    for (int i = 0; i < 100; i++) {
        const struct wh_span_context other = {.trace_id = {1}, .span_id = {(uint8_t)(i + 1)}};
        char name[12];
        snprintf(name, sizeof name, "%d", i);
        wh_event(span, (const char *)name, .at = 1000 - i);
        wh_set(span, name, i);
        wh_link_to(span, &other);
    }
    const struct wh_span_view view = ended_span(&spans, span, "order");
    struct wh_cursor events = {view.raw}, links = {view.raw};
    for (int i = 0; i < 100; i++) {
        char name[12];
        assert_true(wh_next_event(&events, &event));
        assert_int_equal(event.name.len, snprintf(name, sizeof name, "%d", i));
        assert_memory_equal(event.name.ptr, name, event.name.len);
        assert_true(wh_next_link(&links, &link));
        assert_int_equal(link.span_id[0], i + 1);
    }
    spans_end(&spans);
}

/* ---- exceptions ---- */

static const char *event_text(const struct wh_event_view *event, const char *key)
{
    static char text[64];
    struct wh_cursor cursor = {event->raw};
    struct wh_attr_view attr;
    while (wh_next_event_attr(&cursor, &attr)) {
        if (attr.key.len != strlen(key) || memcmp(attr.key.ptr, key, attr.key.len)) continue;
        wh_value_text(&attr, text, sizeof text);
        return text;
    }
    return NULL;
}

static void an_exception_is_an_event_whose_own_attributes_give_way(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct wh_event_view event;
    wh_ctx *span = wh_start(spans.root, "whole");
    wh_exception(span, "ValueError", "no such thing", .stacktrace = "at line 7", .attrs = WH_ATTRS(wh_attr("n", 1)));
    struct wh_span_view view = ended_span(&spans, span, "whole");
    assert_true(span_event(&view, "exception", &event));
    assert_string_equal(event_text(&event, "exception.type"), "ValueError");
    assert_string_equal(event_text(&event, "exception.message"), "no such thing");
    assert_string_equal(event_text(&event, "exception.stacktrace"), "at line 7");
    assert_string_equal(event_text(&event, "n"), "1");
    assert_int_equal(view.status, WH_STATUS_UNSET);
    span = wh_start(spans.root, "given");
    wh_exception(span, "ValueError", NULL, .attrs = WH_ATTRS(wh_attr("exception.type", "mine")), .at = wh_now() - WH_SEC(5));
    view = ended_span(&spans, span, "given");
    assert_true(span_event(&view, "exception", &event));
    assert_string_equal(event_text(&event, "exception.type"), "mine");
    assert_null(event_text(&event, "exception.message"));
    assert_null(event_text(&event, "exception.stacktrace"));
    assert_true(event.at < view.start);
    wh_exception(spans.root, "nobody", "records this");
    spans_end(&spans);
}

static void an_exception_keeps_to_the_limits(void **state)
{
    (void)state;
    const struct { uint32_t limit, dropped; } rows[] = {{WH_LIMIT_ZERO, 5}, {1, 4}, {3, 2}, {4, 1}, {5, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = {.event_attributes = rows[i].limit, .value_length = 4}});
        struct wh_event_view event;
        wh_ctx *span = wh_start(spans.root, "limits");
        wh_exception(span, "ValueError", "m", .stacktrace = "s", .attrs = WH_ATTRS(wh_attr("a", 1), wh_attr("b", 2)));
        const struct wh_span_view view = ended_span(&spans, span, "limits");
        assert_true(span_event(&view, "exception", &event));
        assert_int_equal(event.dropped_attributes, rows[i].dropped);
        if (rows[i].dropped < 5) assert_string_equal(event_text(&event, "exception.type"), "Valu");
        spans_end(&spans);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamps_are_taken_when_it_happens),
        cmocka_unit_test(a_start_and_an_end_may_be_given),
        cmocka_unit_test(timestamps_out_of_range_are_kept_as_they_are),
        cmocka_unit_test(an_end_before_the_start_is_kept),
        cmocka_unit_test(an_end_is_given_to_the_span_that_ends_with_the_context),
        cmocka_unit_test(a_given_end_is_no_end_of_a_cancelled_context),
        cmocka_unit_test(a_span_of_another_is_asked_and_handed_on_but_not_recorded),
        cmocka_unit_test(below_a_span_that_is_none_a_trace_begins),
        cmocka_unit_test(a_span_of_another_lives_in_a_context),
        cmocka_unit_test(without_a_provider_a_span_of_another_is_handed_on),
        cmocka_unit_test(links_to_nowhere_are_kept_if_they_say_something),
        cmocka_unit_test(events_and_links_keep_their_order),
        cmocka_unit_test(an_exception_is_an_event_whose_own_attributes_give_way),
        cmocka_unit_test(an_exception_keeps_to_the_limits),
    };
    return cmocka_run_group_tests_name("span_given", tests, NULL, NULL);
}
