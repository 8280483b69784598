/* Random spans come back as they were given: every type of value, nested, with and without limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_spans.h"
#include "test.h"

enum { SPANS = 300, DEEPEST = 6 };

struct limits {
    uint32_t length, depth;
};

static void check_events(const struct random_span *given, const struct wh_span_view *view, struct limits limits)
{
    struct wh_cursor cursor = {view->raw};
    struct wh_event_view event;
    for (size_t i = 0; i < given->event_count; i++) {
        assert_true(wh_next_event(&cursor, &event));
        assert_int_equal(event.name.len, strlen(given->events[i].name));
        assert_memory_equal(event.name.len ? event.name.ptr : "", given->events[i].name, event.name.len);
        assert_int_equal(event.at - view->start, given->events[i].at - given->start);
        assert_true(random_attrs_are(given->events[i].attrs, event.raw, wh_next_event_attr, limits.length, limits.depth));
    }
    assert_false(wh_next_event(&cursor, &event));
}

static void check_links(const struct random_span *given, const struct wh_span_view *view, struct limits limits)
{
    struct wh_cursor cursor = {view->raw};
    struct wh_link_view link;
    for (size_t i = 0; i < given->link_count; i++) {
        const struct wh_span_context *to = &given->links[i].to;
        const char *state = to->tracestate ? to->tracestate : "";
        assert_true(wh_next_link(&cursor, &link));
        assert_memory_equal(link.trace_id, to->trace_id, 16);
        assert_memory_equal(link.span_id, to->span_id, 8);
        assert_int_equal(link.tracestate.len, strlen(state));
        assert_memory_equal(link.tracestate.len ? link.tracestate.ptr : "", state, strlen(state));
        assert_int_equal(link.flags, to->flags | 0x100u | (to->remote ? 0x200u : 0u));
        assert_true(random_attrs_are(given->links[i].attrs, link.raw, wh_next_link_attr, limits.length, limits.depth));
    }
    assert_false(wh_next_link(&cursor, &link));
}

static void check(const struct random_span *given, const struct wh_span_view *view, struct limits limits)
{
    assert_int_equal(view->kind, given->kind);
    assert_int_equal(view->status, given->status);
    assert_int_equal(view->status_text.len, strlen(given->status_text));
    assert_memory_equal(view->status_text.len ? view->status_text.ptr : "", given->status_text, view->status_text.len);
    assert_int_equal(view->end - view->start, given->end - given->start);
    assert_int_equal(view->dropped_attributes + view->dropped_events + view->dropped_links, 0);
    assert_true(random_attrs_are(given->attrs, view->raw, wh_next_span_attr, limits.length, limits.depth));
    check_events(given, view, limits);
    check_links(given, view, limits);
}

static void come_back_under(struct limits limits, uint64_t seed)
{
    struct spans spans = spans_begin_with((struct wh_provider_opts){
        .limits = {.value_length = limits.length, .value_depth = limits.depth}});
    struct random_spans *random = random_spans_new(seed, DEEPEST);
    assert_non_null(random);
    for (size_t i = 0; i < SPANS; i++) {
        const struct random_span *given = random_span_new(random);
        wh_end_at(random_span_record(random, given, spans.root), given->end);
        const struct wh_span_view view = span_named(&spans, given->name);
        check(given, &view, limits);
        wh_memory_clear(spans.memory);
        random_spans_reset(random);
    }
    random_spans_free(random);
    spans_end(&spans);
}

static void random_spans_come_back_as_they_were_given(void **state)
{
    (void)state;
    come_back_under((struct limits){UINT32_MAX, 64}, 1);
    come_back_under((struct limits){UINT32_MAX, UINT32_MAX}, 2);
}

static void limits_of_length_reach_into_arrays_and_maps(void **state)
{
    (void)state;
    for (uint32_t length = 1; length < 20; length += 6) come_back_under((struct limits){length, 64}, 3 + length);
}

static void limits_of_depth_make_deeper_arrays_and_maps_empty(void **state)
{
    (void)state;
    for (uint32_t depth = 1; depth <= DEEPEST; depth++) come_back_under((struct limits){UINT32_MAX, depth}, 30 + depth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_spans_come_back_as_they_were_given),
        cmocka_unit_test(limits_of_length_reach_into_arrays_and_maps),
        cmocka_unit_test(limits_of_depth_make_deeper_arrays_and_maps_empty),
    };
    return cmocka_run_group_tests_name("value_random", tests, NULL, NULL);
}
