/* Attribute values of every type, from every place that takes some; what they become (common/README.md, AnyValue). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

static const char *text_of(const struct wh_attr_view *value)
{
    static char text[8192];
    assert_true(wh_value_text(value, text, sizeof text) < sizeof text);
    return text;
}

static void assert_value(const struct wh_span_view *span, const char *key, enum wh_type type, const char *text)
{
    struct wh_attr_view value;
    if (!wh_span_attr(span, key, &value)) fail_msg("no attribute %s", key);
    if (value.type != type) fail_msg("%s is of type %d, not %d", key, (int)value.type, (int)type);
    assert_string_equal(text_of(&value), text);
}

static size_t count_attrs(struct wh_bytes raw, bool (*next)(struct wh_cursor *, struct wh_attr_view *))
{
    struct wh_cursor cursor = {raw};
    struct wh_attr_view attr;
    size_t count = 0;
    while (next(&cursor, &attr)) count++;
    return count;
}

/* ---- every type ---- */

static const int64_t ints[] = {INT64_MIN, -1, 0, INT64_MAX};
static const double doubles[] = {0.5, -1e300, INFINITY};
static const bool bools[] = {true, false};
static const char *const strings[] = {"a", "", NULL, "\xe2\x82\xac"};

#define INTS ((struct wh_ints){ints, 4})
#define DOUBLES ((struct wh_doubles){doubles, 3})
#define BOOLS ((struct wh_bools){bools, 2})
#define STRINGS ((struct wh_strings){strings, 4})
#define ITEMS WH_ITEMS(wh_item(1), wh_item("two"), wh_item(3.5), wh_item((bool)true), wh_item(WH_NULL), \
                       wh_item(((struct wh_bytes){"\0\1", 2})), wh_item(WH_ITEMS(wh_item(4))), wh_item(INTS))
#define MAP WH_ATTRS(wh_attr("a", 1), wh_attr("b", WH_ATTRS(wh_attr("c", WH_NULL), wh_attr("d", STRINGS))))

/* Every type there is, in the order of the table. */
#define EVERY_TYPE(USE) \
    USE("bool", (bool)true) USE("char", (char)'A') USE("signed char", (signed char)-1) USE("unsigned char", (unsigned char)255) \
    USE("short", (short)-7) USE("unsigned short", (unsigned short)65535) USE("int", -42) USE("unsigned", 4000000000u) \
    USE("long", (long)INT64_MIN) USE("unsigned long", (unsigned long)INT64_MAX) USE("long long", (long long)5) \
    USE("unsigned long long", UINT64_MAX) USE("float", 0.5f) USE("double", -0.25) USE("char *", (char *)text) \
    USE("const char *", "text") USE("struct wh_str", ((struct wh_str){"piecework", 5})) \
    USE("struct wh_bytes", ((struct wh_bytes){"\0\1\2", 3})) USE("null", WH_NULL) USE("items", ITEMS) USE("map", MAP) \
    USE("ints", INTS) USE("doubles", DOUBLES) USE("bools", BOOLS) USE("strings", STRINGS)

static const struct { const char *key; enum wh_type type; const char *text; } every[] = {
    {"bool", WH_BOOL, "true"}, {"char", WH_INT, "65"}, {"signed char", WH_INT, "-1"}, {"unsigned char", WH_INT, "255"},
    {"short", WH_INT, "-7"}, {"unsigned short", WH_INT, "65535"}, {"int", WH_INT, "-42"}, {"unsigned", WH_INT, "4000000000"},
    {"long", WH_INT, "-9223372036854775808"}, {"unsigned long", WH_INT, "9223372036854775807"}, {"long long", WH_INT, "5"},
    {"unsigned long long", WH_STRING, "18446744073709551615"}, {"float", WH_DOUBLE, "0.5"}, {"double", WH_DOUBLE, "-0.25"},
    {"char *", WH_STRING, "changeable"}, {"const char *", WH_STRING, "text"}, {"struct wh_str", WH_STRING, "piece"},
    {"struct wh_bytes", WH_BYTES, "AAEC"}, {"null", WH_EMPTY, ""},
    {"items", WH_ARRAY, "[1,\"two\",3.5,true,null,\"AAE=\",[4],[-9223372036854775808,-1,0,9223372036854775807]]"},
    {"map", WH_MAP, "{\"a\":1,\"b\":{\"c\":null,\"d\":[\"a\",\"\",null,\"\xe2\x82\xac\"]}}"},
    {"ints", WH_ARRAY, "[-9223372036854775808,-1,0,9223372036854775807]"},
    {"doubles", WH_ARRAY, "[0.5,-1e+300,\"Infinity\"]"}, {"bools", WH_ARRAY, "[true,false]"},
    {"strings", WH_ARRAY, "[\"a\",\"\",null,\"\xe2\x82\xac\"]"},
};
enum { TYPES = sizeof every / sizeof *every };

static void assert_every_type(struct wh_bytes raw, bool (*next)(struct wh_cursor *, struct wh_attr_view *))
{
    struct wh_cursor cursor = {raw};
    struct wh_attr_view value;
    for (size_t i = 0; i < TYPES; i++) {
        assert_true(next(&cursor, &value));
        assert_int_equal(value.key.len, strlen(every[i].key));
        assert_memory_equal(value.key.ptr, every[i].key, value.key.len);
        assert_int_equal(value.type, every[i].type);
        assert_string_equal(text_of(&value), every[i].text);
    }
    assert_false(next(&cursor, &value));
}

static void a_setter_takes_every_type(void **state)
{
    (void)state;
    char text[] = "changeable";
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "types");
#define SET(key, value) wh_set(span, key, value);
    EVERY_TYPE(SET)
    memset(text, 'x', sizeof text - 1); /* it was copied */
    wh_end(span);
    assert_every_type(span_named(&spans, "types").raw, wh_next_span_attr);
    spans_end(&spans);
}

static void a_list_takes_every_type(void **state)
{
    (void)state;
    char text[] = "changeable";
    struct spans spans = spans_begin();
#define ATTR(key, value) wh_attr(key, value),
    const struct wh_attr list[] = {EVERY_TYPE(ATTR)};
    const struct wh_attrs attrs = {list, TYPES};
    const struct wh_span_context other = {.trace_id = {1}, .span_id = {2}};
    const struct wh_link link = {&other, attrs};
    struct wh_event_view event;
    struct wh_link_view seen;
    wh_ctx *span = wh_start(spans.root, "types", .attrs = attrs, .links = &link, .link_count = 1);
    wh_event(span, "event", .attrs = attrs);
    wh_link_to(span, &other, .attrs = attrs);
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "types");
    assert_every_type(view.raw, wh_next_span_attr);
    assert_true(span_event(&view, "event", &event));
    assert_every_type(event.raw, wh_next_event_attr);
    struct wh_cursor cursor = {view.raw};
    for (int i = 0; i < 2; i++) {
        assert_true(wh_next_link(&cursor, &seen));
        assert_every_type(seen.raw, wh_next_link_attr);
    }
    spans_end(&spans);
}

/* Empty values are meaningful: stored and exported, also within others. */
static void empty_values_are_values(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "empty");
    wh_set(span, "zero", 0);
    wh_set(span, "zero.real", 0.0);
    wh_set_bool(span, "false", false);
    wh_set(span, "text", "");
    wh_set(span, "bytes", ((struct wh_bytes){NULL, 0}));
    wh_set(span, "null", WH_NULL);
    wh_set(span, "items", WH_ITEMS());
    wh_set(span, "map", WH_ATTRS());
    wh_set(span, "ints", ((struct wh_ints){NULL, 0}));
    wh_set(span, "strings", ((struct wh_strings){NULL, 0}));
    wh_set(span, "all", WH_ITEMS(wh_item(0), wh_item(0.0), wh_item(""), wh_item(WH_NULL), wh_item(WH_ITEMS()), wh_item(WH_ATTRS()),
                                 wh_item((const char *)NULL), wh_item(((struct wh_bytes){"", 0}))));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "empty");
    assert_value(&view, "zero", WH_INT, "0");
    assert_value(&view, "zero.real", WH_DOUBLE, "0");
    assert_value(&view, "false", WH_BOOL, "false");
    assert_value(&view, "text", WH_STRING, "");
    assert_value(&view, "bytes", WH_BYTES, "");
    assert_value(&view, "null", WH_EMPTY, "");
    assert_value(&view, "items", WH_ARRAY, "[]");
    assert_value(&view, "map", WH_MAP, "{}");
    assert_value(&view, "ints", WH_ARRAY, "[]");
    assert_value(&view, "strings", WH_ARRAY, "[]");
    assert_value(&view, "all", WH_ARRAY, "[0,0,\"\",null,[],{},\"\",\"\"]");
    assert_int_equal(count_attrs(view.raw, wh_next_span_attr), 11);
    spans_end(&spans);
}

/* ---- keys ---- */

static void a_map_has_every_key_once_and_its_last_value(void **state)
{
    (void)state;
    static struct wh_attr many[1000];
    static char keys[500][16];
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "maps");
    wh_set(span, "few", WH_ATTRS(wh_attr("a", 1), wh_attr("b", 2), wh_attr("a", "three"), wh_attr("A", 4)));
    wh_set(span, "inner", WH_ITEMS(wh_item(WH_ATTRS(wh_attr("x", 1), wh_attr("x", WH_NULL)))));
    for (int i = 0; i < 1000; i++) {
        if (i < 500) snprintf(keys[i], sizeof keys[i], "k%d", i);
        many[i] = wh_attr(keys[i % 500], i);
    }
    wh_set(span, "many", ((struct wh_attrs){many, 1000}));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "maps");
    struct wh_attr_view map, entry;
    assert_value(&view, "few", WH_MAP, "{\"b\":2,\"a\":\"three\",\"A\":4}");
    assert_value(&view, "inner", WH_ARRAY, "[{\"x\":null}]");
    assert_true(wh_span_attr(&view, "many", &map));
    struct wh_cursor cursor = {map.as.bytes};
    for (int i = 0; i < 500; i++) {
        assert_true(wh_next_item(&cursor, &entry));
        assert_int_equal(entry.as.integer, 500 + i);
        assert_memory_equal(entry.key.ptr, keys[i], entry.key.len);
    }
    assert_false(wh_next_item(&cursor, &entry));
    spans_end(&spans);
}

static void keys_that_are_none_are_left_out(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "keys", .attrs = WH_ATTRS(wh_attr((const char *)NULL, 1), wh_attr("", 2)));
    struct wh_event_view event;
    wh_set(span, "", WH_NULL);
    wh_set(span, "not \xff utf-8", WH_ITEMS(wh_item(1)));
    wh_set(span, "Case", 1);
    wh_set(span, "case", 2);
    wh_set(span, "map", WH_ATTRS(wh_attr((const char *)NULL, 1), wh_attr("\xc0\x80", 2), wh_attr("", 3), wh_attr("ok", 4)));
    wh_event(span, "event", .attrs = WH_ATTRS(wh_attr("", 1), wh_attr((const char *)NULL, 2), wh_attr("\xfe", 3), wh_attr("ok", 4)));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "keys");
    assert_int_equal(view.dropped_attributes, 4);
    assert_value(&view, "Case", WH_INT, "1");
    assert_value(&view, "case", WH_INT, "2");
    assert_value(&view, "map", WH_MAP, "{\"\":3,\"ok\":4}"); /* in a map the empty key is one */
    assert_true(span_event(&view, "event", &event));
    assert_int_equal(event.dropped_attributes, 3);
    assert_int_equal(count_attrs(event.raw, wh_next_event_attr), 1);
    spans_end(&spans);
}

/* Short and long ways, arrays and plain values, growing and shrinking. */
static void any_type_replaces_any_other(void **state)
{
    (void)state;
    char text[] = "changeable";
    struct spans spans = spans_begin();
    const struct wh_attr list[] = {EVERY_TYPE(ATTR)};
    for (size_t i = 0; i < TYPES; i++) {
        struct wh_attr first = list[i];
        first.key = "key";
        wh_ctx *span = wh_start(spans.root, "again", .attrs = {&first, 1});
        wh_set(span, "other", 1);
#define AGAIN(key, value) wh_set(span, "key", value);
        EVERY_TYPE(AGAIN)
        wh_set(span, "last", 1);
        wh_end(span);
        const struct wh_span_view view = span_named(&spans, "again");
        assert_value(&view, "key", WH_ARRAY, every[TYPES - 1].text);
        assert_int_equal(count_attrs(view.raw, wh_next_span_attr), 3);
        assert_int_equal(view.dropped_attributes, 0);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

/* ---- what a value becomes ---- */

/* common/attribute-type-mapping.md. */
static void text_that_is_none_becomes_bytes_at_any_depth(void **state)
{
    (void)state;
    static const char *const list[] = {"ok", "\xc3\x28"};
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "mapping");
    wh_set(span, "text", "\xc3\x28");
    wh_set(span, "strings", ((struct wh_strings){list, 2}));
    wh_set(span, "map", WH_ATTRS(wh_attr("k", WH_ITEMS(wh_item("\xed\xa0\x80")))));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "mapping");
    assert_value(&view, "text", WH_BYTES, "wyg=");
    assert_value(&view, "strings", WH_ARRAY, "[\"ok\",\"wyg=\"]");
    assert_value(&view, "map", WH_MAP, "{\"k\":[\"7aCA\"]}");
    spans_end(&spans);
}

static void integers_above_int64_become_decimal_text_at_any_depth(void **state)
{
    (void)state;
    const uint64_t large = (uint64_t)INT64_MAX + 1;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "mapping");
    wh_set(span, "most", (uint64_t)INT64_MAX);
    wh_set(span, "more", large);
    wh_set(span, "items", WH_ITEMS(wh_item(large), wh_item((uint64_t)7)));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "mapping");
    assert_value(&view, "most", WH_INT, "9223372036854775807");
    assert_value(&view, "more", WH_STRING, "9223372036854775808");
    assert_value(&view, "items", WH_ARRAY, "[\"9223372036854775808\",7]");
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_setter_takes_every_type),
        cmocka_unit_test(a_list_takes_every_type),
        cmocka_unit_test(empty_values_are_values),
        cmocka_unit_test(a_map_has_every_key_once_and_its_last_value),
        cmocka_unit_test(keys_that_are_none_are_left_out),
        cmocka_unit_test(any_type_replaces_any_other),
        cmocka_unit_test(text_that_is_none_becomes_bytes_at_any_depth),
        cmocka_unit_test(integers_above_int64_become_decimal_text_at_any_depth),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
