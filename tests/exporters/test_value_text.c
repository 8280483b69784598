/* Values as text (common/README.md, AnyValue representation for non-OTLP protocols), by the examples that stand there too. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "test.h"

static const char *text_of(const struct wh_attr *value, size_t size)
{
    static char text[4096];
    static struct spans spans;
    struct wh_attr_view read;
    struct wh_attr attr = *value;
    attr.key = "key";
    spans = spans_begin();
    wh_end(wh_start(spans.root, "span", .attrs = {&attr, 1}));
    const struct wh_span_view view = span_named(&spans, "span");
    assert_true(wh_span_attr(&view, "key", &read));
    memset(text, '#', sizeof text);
    const size_t len = wh_value_text(&read, size ? text : NULL, size);
    if (size > len) assert_int_equal(strlen(text), len);
    assert_int_equal(text[size], '#');
    spans_end(&spans);
    return text;
}

static void every_type_has_its_form(void **state)
{
    (void)state;
    const int64_t ints[] = {1, -2};
    const double doubles[] = {1.5, NAN, INFINITY, -INFINITY};
    const struct { struct wh_attr value; const char *text; } rows[] = {
        {wh_item("hello world"), "hello world"}, {wh_item(""), ""}, {wh_item("\"quoted\"\n"), "\"quoted\"\n"},
        {wh_item((bool)true), "true"}, {wh_item((bool)false), "false"}, {wh_item(42), "42"}, {wh_item(-123), "-123"},
        {wh_item(INT64_MIN), "-9223372036854775808"}, {wh_item(3.14159), "3.14159"}, {wh_item(1.23e20), "1.23e+20"},
        {wh_item((double)NAN), "NaN"}, {wh_item((double)INFINITY), "Infinity"}, {wh_item(-(double)INFINITY), "-Infinity"},
        {wh_item(-0.0), "-0.0"}, {wh_item(DBL_MAX), "1.7976931348623157e+308"},
        {wh_item(((struct wh_bytes){"hello world", 11})), "aGVsbG8gd29ybGQ="}, {wh_item(((struct wh_bytes){"", 0})), ""},
        {wh_item(WH_NULL), ""}, {wh_item(WH_ITEMS()), "[]"}, {wh_item(WH_ATTRS()), "{}"},
        {wh_item(WH_ITEMS(wh_item(1), wh_item(-(double)INFINITY), wh_item("a"), wh_item((bool)true),
                          wh_item(WH_ATTRS(wh_attr("nested", ((struct wh_bytes){"hello world", 11})))))),
         "[1,\"-Infinity\",\"a\",true,{\"nested\":\"aGVsbG8gd29ybGQ=\"}]"},
        {wh_item(WH_ATTRS(wh_attr("a", -(double)INFINITY), wh_attr("b", 2), wh_attr("c", WH_ITEMS(wh_item(3), wh_item(WH_NULL))))),
         "{\"a\":\"-Infinity\",\"b\":2,\"c\":[3,null]}"},
        {wh_item(((struct wh_ints){ints, 2})), "[1,-2]"}, {wh_item(((struct wh_doubles){doubles, 4})), "[1.5,\"NaN\",\"Infinity\",\"-Infinity\"]"},
        {wh_item(WH_ITEMS(wh_item("\"\\\x01\xe2\x82\xac"))), "[\"\\\"\\\\\\u0001\xe2\x82\xac\"]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_string_equal(text_of(&rows[i].value, 4000), rows[i].text);
}

static void what_does_not_fit_is_cut_between_characters(void **state)
{
    (void)state;
    const struct wh_attr euros = wh_item("\xe2\x82\xac\xe2\x82\xac"), list = wh_item(WH_ITEMS(wh_item(12), wh_item(34)));
    const struct { const struct wh_attr *value; size_t size; const char *text; } rows[] = {
        {&euros, 7, "\xe2\x82\xac\xe2\x82\xac"}, {&euros, 6, "\xe2\x82\xac"}, {&euros, 4, "\xe2\x82\xac"}, {&euros, 3, ""},
        {&euros, 1, ""}, {&list, 5, "[12,"}, {&list, 8, "[12,34]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_string_equal(text_of(rows[i].value, rows[i].size), rows[i].text);
    text_of(&euros, 0); /* only asked for its length */
}

/* What no span recorder writes: a kind that is not known, and lists within lists beyond all limits. */
static void odd_values_have_a_form_too(void **state)
{
    (void)state;
    static struct bytes value, list;
    char text[2048];
    struct wh_attr_view odd = {.type = (enum wh_type)0};
    assert_int_equal(wh_value_text(&odd, text, sizeof text), 0);
    assert_string_equal(text, "");
    value.len = 0;
    for (int i = 0; i < 1000; i++) {
        list.len = 0;
        put_in(&list, 1, &value);
        value.len = 0;
        put_in(&value, WH__ANY_ARRAY, &list);
    }
    odd = (struct wh_attr_view){.type = WH_ARRAY, .as.bytes = bytes_of(&value)};
    assert_int_equal(wh_value_text(&odd, text, sizeof text), 128 + 4 + 128);
    assert_non_null(strstr(text, "[[null]]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_its_form),
        cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
        cmocka_unit_test(odd_values_have_a_form_too),
    };
    return cmocka_run_group_tests_name("value_text", tests, NULL, NULL);
}
