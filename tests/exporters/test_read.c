/* The readers of spans: what was recorded is read, field by field. */
#include "exporters/reader.h"
#include "reading.h"
#include "trace/wire.h"

/* ---- spans ---- */

static void a_span_is_read_as_it_was_recorded(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = everything(&spans);
    assert_int_equal(view.trace_id[0], 0x4b);
    assert_int_equal(view.trace_id[15], 0x36);
    assert_int_equal(view.parent_span_id[1], 0xf0);
    assert_true(is(view.name, "everything"));
    assert_true(is(view.tracestate, "vendor=1"));
    assert_true(is(view.status_text, "it broke"));
    assert_int_equal(view.kind, WH_CONSUMER);
    assert_int_equal(view.status, WH_STATUS_ERROR);
    assert_true(view.start > 0 && view.end >= view.start);
    assert_int_equal(view.flags, WH_SAMPLED | WH_RANDOM | WH__KNOWS_REMOTE | WH__IS_REMOTE);
    assert_int_equal(view.dropped_attributes + view.dropped_events + view.dropped_links, 0);
    spans_end(&spans);
}

static void attributes_are_read_with_their_types(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = everything(&spans);
    struct wh_attr_view attr;
    assert_string_equal(span_text(&view, "text"), "a text");
    assert_true(span_bool(&view, "flag"));
    assert_int_equal(span_int(&view, "integer"), -5);
    assert_string_equal(span_text(&view, "natural"), "18446744073709551615");
    assert_true(span_double(&view, "real") == 0.5);
    assert_true(wh_span_attr(&view, "bytes", &attr));
    assert_int_equal(attr.type, WH_BYTES);
    assert_int_equal(attr.as.bytes.len, 3);
    assert_memory_equal(attr.as.bytes.ptr, "\0\1\2", 3);
    assert_false(wh_span_attr(&view, "tex", &attr));
    assert_false(wh_span_attr(&view, "", &attr));
    struct wh_cursor cursor = {view.raw};
    size_t count = 0;
    while (wh_next_span_attr(&cursor, &attr)) count++;
    assert_int_equal(count, 6);
    assert_false(wh_next_span_attr(&cursor, &attr));
    spans_end(&spans);
}

static void events_and_links_are_read_in_their_order(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = everything(&spans);
    struct wh_cursor cursor = {view.raw}, inner;
    struct wh_event_view event;
    struct wh_link_view link;
    struct wh_attr_view attr;
    assert_true(wh_next_event(&cursor, &event));
    assert_true(is(event.name, "tried"));
    assert_true(event.at >= view.start && event.at <= view.end);
    inner = (struct wh_cursor){event.raw};
    assert_true(wh_next_event_attr(&inner, &attr) && is(attr.key, "attempt") && attr.as.integer == 2);
    assert_false(wh_next_event_attr(&inner, &attr));
    assert_true(wh_next_event(&cursor, &event));
    assert_true(is(event.name, "tried again"));
    assert_false(wh_next_event(&cursor, &event));
    cursor = (struct wh_cursor){view.raw};
    assert_true(wh_next_link(&cursor, &link));
    assert_memory_equal(link.trace_id, far_trace, 16);
    assert_memory_equal(link.span_id, far_span, 8);
    assert_true(is(link.tracestate, "a=b"));
    assert_int_equal(link.flags & (WH__KNOWS_REMOTE | WH__IS_REMOTE), WH__KNOWS_REMOTE | WH__IS_REMOTE);
    inner = (struct wh_cursor){link.raw};
    assert_true(wh_next_link_attr(&inner, &attr) && is(attr.key, "why") && is(attr.as.string, "because"));
    assert_false(wh_next_link(&cursor, &link));
    spans_end(&spans);
}

static void what_was_dropped_is_read(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = {.attributes = 1, .events = 1,
        .links = 1}});
    record_everything(&spans);
    const struct wh_span_view view = span_named(&spans, "everything");
    assert_int_equal(view.dropped_attributes, 5);
    assert_int_equal(view.dropped_events, 1);
    assert_int_equal(view.dropped_links, 0);
    spans_end(&spans);
}

/* ---- single fields ---- */

static bool reads(const char *bytes, size_t len, struct wh__field *field)
{
    const struct wh_bytes copy = copy_of(bytes, len);
    struct wh_bytes rest = copy;
    bool broken = false;
    const bool read = wh__next_field(&rest, field, &broken);
    assert_true(read || rest.len == 0);
    assert_int_equal(broken, !read && len > 0);
    free_copy(copy);
    return read;
}

#define READS(bytes, field) reads(bytes, sizeof(bytes) - 1, field)

static void a_field_is_read_or_refused(void **state)
{
    (void)state;
    struct wh__field field;
    assert_true(READS("\x08\x96\x01", &field) && field.number == 1 && field.type == WH__VARINT && field.word == 150);
    assert_true(READS("\x09\1\2\3\4\5\6\7\x08", &field) && field.word == UINT64_C(0x0807060504030201));
    assert_true(READS("\x0d\1\2\3\x04", &field) && field.word == 0x04030201);
    assert_true(READS("\x0a\x00", &field) && field.bytes.len == 0);
    assert_true(READS("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &field) && field.word == UINT64_MAX);
    assert_false(READS("", &field));
    assert_false(READS("\x08", &field));                                          /* no value */
    assert_false(READS("\x08\x80", &field));                                      /* half a value */
    assert_false(READS("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", &field)); /* of 11 bytes */
    assert_false(READS("\x09\1\2\3\4\5\6\7", &field));
    assert_false(READS("\x0d\1\2\3", &field));
    assert_false(READS("\x0a\x05" "four", &field));                               /* longer than what is there */
    assert_false(READS("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &field));
    assert_false(READS("\x00\x00", &field));                                      /* no field has the number 0 */
    assert_false(READS("\x07\x00", &field));                                      /* the number 0 and wire type 7 */
    for (char type = 3; type < 8; type++) {
        const char bytes[] = {(char)(8 | type), 0, 0, 0, 0, 0, 0, 0, 0, 0};
        assert_int_equal(reads(bytes, sizeof bytes, &field), type == WH__FIXED32); /* groups are not read */
    }
    assert_false(READS("\x80\x80\x80\x80\x80\x01\x00", &field));                  /* a number beyond 32 bits */
}

/* Fields under another wire type than theirs, and ids of another size, say nothing. */
static void odd_fields_of_a_span_say_nothing(void **state)
{
    (void)state;
    static const char odd[] =
        "\x08\x05" "\x10\x05" "\x28\x05" "\x32\x01x" "\x3a\x01x" "\x7a\x04\x10\x05\x18\x09" "\x20\x05"
        "\x4a\x04\x08\x01\x10\x01" "\x4a\x04\x12\x02\x18\x07" "\x0a\x03" "abc" "\x12\x09" "123456789";
    struct wh_span_view view;
    struct wh_attr_view attr;
    const struct wh_bytes copy = copy_of(odd, sizeof odd - 1);
    const uint8_t none[16] = {0};
    assert_true(wh_span_read(copy, &view));
    assert_memory_equal(view.trace_id, none, 16);
    assert_memory_equal(view.span_id, none, 8);
    assert_memory_equal(view.parent_span_id, none, 8);
    assert_int_equal(view.name.len, 0);
    assert_int_equal(view.start, 0);
    assert_int_equal(view.kind, WH_INTERNAL);
    assert_int_equal(view.status, WH_STATUS_UNSET);
    struct wh_cursor cursor = {copy};
    assert_true(wh_next_span_attr(&cursor, &attr));
    assert_int_equal(attr.key.len, 0);
    assert_int_equal(attr.type, WH_EMPTY);
    assert_true(wh_next_span_attr(&cursor, &attr));
    assert_int_equal(attr.type, WH_INT);
    assert_int_equal(attr.as.integer, 7);
    free_copy(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_read_as_it_was_recorded),
        cmocka_unit_test(attributes_are_read_with_their_types),
        cmocka_unit_test(events_and_links_are_read_in_their_order),
        cmocka_unit_test(what_was_dropped_is_read),
        cmocka_unit_test(a_field_is_read_or_refused),
        cmocka_unit_test(odd_fields_of_a_span_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
