/* What a span is by itself: its ids, its kind, what it has of its parent, and what it is not. */
#include <stdio.h>
#include <string.h>

#include "test.h"

static void ids_are_asked_as_bytes_and_as_lowercase_hex(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct wh_span_context given = {
        .trace_id = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36},
        .span_id = {0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7}};
    struct wh_span_context ids;
    char hex[33];
    wh_ctx *wrapped = wh_with_span(spans.root, &given);
    assert_string_equal(wh_trace_id_hex(wrapped, hex), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_string_equal(wh_span_id_hex(wrapped, hex), "00f067aa0ba902b7");
    assert_true(wh_span_of(wrapped, &ids));
    assert_memory_equal(ids.trace_id, given.trace_id, 16);
    memset(&ids, 0xff, sizeof ids); /* a copy: the span's own is not touched */
    assert_true(wh_span_of(wrapped, &ids));
    assert_memory_equal(ids.span_id, given.span_id, 8);
    assert_string_equal(wh_trace_id_hex(spans.root, hex), "00000000000000000000000000000000");
    assert_string_equal(wh_span_id_hex(spans.root, hex), "0000000000000000");
    wh_end(wrapped);
    spans_end(&spans);
}

static void a_context_is_valid_if_neither_id_is_zero(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct { uint8_t trace, span; bool valid; } rows[] = {{0, 0, false}, {1, 0, false}, {0, 1, false}, {1, 1, true}};
    for (size_t i = 0; i < 4; i++) {
        const struct wh_span_context given = {.trace_id = {rows[i].trace}, .span_id = {rows[i].span}};
        struct wh_span_context ids;
        const uint8_t none[16] = {0};
        wh_ctx *wrapped = wh_with_span(spans.root, &given);
        assert_int_equal(wh_span_of(wrapped, &ids), rows[i].valid);
        assert_int_equal(memcmp(ids.trace_id, none, 16) != 0, rows[i].valid);
        wh_end(wrapped);
    }
    spans_end(&spans);
}

static void it_is_remote_only_where_it_came_in(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct wh_span_context given = {.trace_id = {1}, .span_id = {2}, .flags = WH_SAMPLED, .remote = true};
    struct wh_span_context ids;
    wh_ctx *came = wh_with_span(spans.root, &given);
    wh_ctx *child = wh_start(came, "child"), *grandchild = wh_start(child, "grandchild");
    assert_true(wh_span_of(came, &ids) && ids.remote);
    assert_true(wh_span_of(child, &ids) && !ids.remote);
    assert_true(wh_span_of(grandchild, &ids) && !ids.remote);
    wh_end(grandchild);
    wh_end(child);
    wh_end(came);
    assert_int_equal(span_named(&spans, "child").flags & 0x300, 0x300);
    assert_int_equal(span_named(&spans, "grandchild").flags & 0x300, 0x100);
    spans_end(&spans);
}

static void a_child_has_all_of_the_tracestate_and_a_root_none(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct wh_span_context given = {.trace_id = {1}, .span_id = {2}, .flags = WH_SAMPLED, .tracestate = "a=1,b=2,c=3"};
    struct wh_span_context ids;
    wh_ctx *came = wh_with_span(spans.root, &given);
    wh_ctx *child = wh_start(came, "child"), *grandchild = wh_start(child, "grandchild"), *root = wh_start(child, "root", .root = true);
    assert_true(wh_span_of(grandchild, &ids));
    assert_string_equal(ids.tracestate, "a=1,b=2,c=3");
    assert_true(wh_span_of(root, &ids));
    assert_null(ids.tracestate);
    assert_memory_not_equal(ids.trace_id, given.trace_id, 16);
    wh_end(root);
    wh_end(grandchild);
    wh_end(child);
    wh_end(came);
    assert_int_equal(span_named(&spans, "grandchild").tracestate.len, 11);
    assert_int_equal(span_named(&spans, "root").tracestate.len, 0);
    spans_end(&spans);
}

static void a_kind_is_internal_unless_it_is_given(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_end(wh_start(spans.root, "default"));
    assert_int_equal(span_named(&spans, "default").kind, WH_INTERNAL);
    for (int kind = WH_INTERNAL; kind <= WH_CONSUMER; kind++) {
        wh_end(wh_start(spans.root, "given", .kind = kind));
        const struct wh_span_view view = span_named(&spans, "given");
        assert_int_equal(view.kind, kind);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

/* Whoever has the parent's context goes on with the parent's span: the new one is only where it is handed to. */
static void a_new_span_is_nowhere_but_in_its_own_context(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *parent = wh_start(spans.root, "parent"), *child = wh_start(parent, "child");
    wh_set(parent, "of", "the parent");
    wh_set(child, "of", "the child");
    wh_end(wh_start(parent, "sibling"));
    wh_end(child);
    wh_end(parent);
    const struct wh_span_view p = span_named(&spans, "parent"), c = span_named(&spans, "child");
    assert_string_equal(span_text(&p, "of"), "the parent");
    assert_string_equal(span_text(&c, "of"), "the child");
    assert_memory_equal(span_named(&spans, "sibling").parent_span_id, p.span_id, 8);
    spans_end(&spans);
}

static void the_end_of_a_parent_leaves_its_children_going(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *parent = wh_start(spans.root, "parent"), *child = wh_start(parent, "child");
    wh_end(parent);
    assert_true(wh_recording(child));
    wh_set(child, "late", 1);
    wh_end(child);
    const struct wh_span_view view = span_named(&spans, "child");
    assert_int_equal(span_int(&view, "late"), 1);
    assert_memory_equal(view.parent_span_id, span_named(&spans, "parent").span_id, 8);
    spans_end(&spans);
}

static void what_comes_after_the_end_is_ignored_whatever_it_is(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct wh_span_context other = {.trace_id = {1}, .span_id = {2}};
    wh_ctx *span = wh_start(spans.root, "ended");
    const wh_ctx *held = wh_hold(span);
    struct wh_span_context before, after;
    struct wh_event_view event;
    struct wh_link_view link;
    wh_span_of(held, &before);
    wh_end(span);
    wh_set(held, "late", WH_ITEMS(wh_item(1)));
    wh_set(held, "late", "text");
    wh_set_bool(held, "late", true);
    wh_event(held, "late");
    wh_exception(held, "late", "late");
    wh_link_to(held, &other);
    wh_status(held, WH_STATUS_ERROR, "late");
    wh_fail(held, 5, "late");
    wh_rename(held, "late");
    assert_false(wh_recording(held));
    assert_true(wh_span_of(held, &after));
    assert_memory_equal(&before.span_id, &after.span_id, 8);
    assert_memory_equal(&before.trace_id, &after.trace_id, 16);
    assert_int_equal(before.flags, after.flags);
    wh_release(held);
    const struct wh_span_view view = span_named(&spans, "ended");
    struct wh_cursor cursor = {view.raw};
    struct wh_attr_view attr;
    assert_false(wh_next_span_attr(&cursor, &attr));
    cursor.rest = view.raw;
    assert_false(wh_next_event(&cursor, &event));
    cursor.rest = view.raw;
    assert_false(wh_next_link(&cursor, &link));
    assert_int_equal(view.status, WH_STATUS_UNSET);
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_asked_as_bytes_and_as_lowercase_hex),
        cmocka_unit_test(a_context_is_valid_if_neither_id_is_zero),
        cmocka_unit_test(it_is_remote_only_where_it_came_in),
        cmocka_unit_test(a_child_has_all_of_the_tracestate_and_a_root_none),
        cmocka_unit_test(a_kind_is_internal_unless_it_is_given),
        cmocka_unit_test(a_new_span_is_nowhere_but_in_its_own_context),
        cmocka_unit_test(the_end_of_a_parent_leaves_its_children_going),
        cmocka_unit_test(what_comes_after_the_end_is_ignored_whatever_it_is),
    };
    return cmocka_run_group_tests_name("span_context", tests, NULL, NULL);
}
