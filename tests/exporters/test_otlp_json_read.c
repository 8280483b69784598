/* The JSON cursor: what it takes, what it refuses, and that it stays inside. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/json_read.h"
#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* In memory of exactly its size: a read beyond it is seen by the sanitizers. */
static struct wh__otlp_json begin(const char *text, char **copy)
{
    const size_t len = strlen(text);
    *copy = malloc(len ? len : 1);
    memcpy(*copy, text, len);
    return wh__otlp_json_of(*copy, len);
}

static bool is_json(const char *text)
{
    char *copy;
    struct wh__otlp_json json = begin(text, &copy);
    const bool is = wh__otlp_json_end(&json);
    free(copy);
    return is;
}

static void what_the_grammar_allows_is_taken(void **state)
{
    (void)state;
    static const char *const texts[] = {"0", "-0", "10", "-1.5", "1e5", "1E+5", "1e-5", "0.0", "true", "false", "null", "\"\"",
        "{}", "[]", " { } ", "\t[\r\n]\n", "[1,2]", "[ 1 , [ ] , { \"a\" : { } } ]", "{\"a\":1,\"a\":2}", "\"\\u00e9\\\"\\/\"",
        "\"\x7f\"", "\"\xc3\xa9\""};
    for (size_t i = 0; i < COUNT(texts); i++)
        if (!is_json(texts[i])) fail_msg("refused: %s", texts[i]);
}

static void what_the_grammar_forbids_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " ", "01", "+1", ".5", "1.", "1e", "1e+", "-", "- 1", "0x1", "NaN", "Infinity", "tru",
        "truer", "TRUE", "nul", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "'a'", "{", "}", "[", "]", "[1",
        "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{1:1}", "{,}",
        "1 2", "{}{}", "[]]", "// a\n1", "[1]x"};
    for (size_t i = 0; i < COUNT(texts); i++)
        if (is_json(texts[i])) fail_msg("taken: %s", texts[i]);
}

static void every_beginning_of_a_text_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1.5e3,\"x\\u0041\",{\"b\":null}],\"c\":true}";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        char beginning[sizeof text];
        snprintf(beginning, sizeof beginning, "%.*s", (int)len, text);
        if (is_json(beginning)) fail_msg("taken: %s", beginning);
    }
    assert_true(is_json(text));
}

static void numbers_are_read_to_the_last_bit(void **state)
{
    (void)state;
    static const char *const numbers[] = {"0", "0.1", "0.001", "0.5", "1e-5", "123456.789", "1.7976931348623e308", "4.9e-21", "-2.5e22",
        "9007199254740992", "0.3", "1e22", "0.000123"};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct wh__otlp_json json = wh__otlp_json_of(numbers[i], strlen(numbers[i]));
        double value = -1;
        assert_true(wh__otlp_json_number(&json, &value) && wh__otlp_json_end(&json));
        const double expected = strtod(numbers[i], NULL);
        if (fabs(value - expected) > fabs(expected) * 1e-14) fail_msg("%s: %.17g", numbers[i], value);
        if (strlen(numbers[i]) < 12 && value != expected) fail_msg("%s: %.17g", numbers[i], value);
    }
}

static void numbers_beyond_all_bounds_stay_numbers(void **state)
{
    (void)state;
    static const struct { const char *text; double value; } cases[] = {{"1e400", INFINITY}, {"-1e99999999999", -INFINITY},
        {"1e-99999999999", 0}, {"0e99999999999", 0}, {"0.0e400", 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wh__otlp_json json = wh__otlp_json_of(cases[i].text, strlen(cases[i].text));
        double value = 7;
        assert_true(wh__otlp_json_number(&json, &value));
        assert_true(value == cases[i].value);
    }
    static const char tiny[] = "12345678901234567890123456789e-330";
    struct wh__otlp_json json = wh__otlp_json_of(tiny, sizeof tiny - 1);
    double value;
    assert_true(wh__otlp_json_number(&json, &value) && fabs(value / 1.2345678901234567e-302 - 1) < 1e-14);
}

static void whole_numbers_come_bare_or_as_strings(void **state)
{
    (void)state;
    static const struct { const char *text; bool is; int64_t value; } cases[] = {{"12", true, 12}, {"\"12\"", true, 12},
        {"\"-7\"", true, -7}, {"9223372036854775807", true, INT64_MAX}, {"\"9223372036854775808\"", true, INT64_MAX},
        {"-99999999999999999999999", true, INT64_MIN}, {"9007199254740993", true, INT64_C(9007199254740993)}, {"1.5", false, 0},
        {"\"\"", false, 0}, {"\"1 \"", false, 0}, {"\"x\"", false, 0}, {"\"00000000000000000000000000000000000001\"", false, 0},
        {"true", false, 0}, {"[1]", false, 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wh__otlp_json json = wh__otlp_json_of(cases[i].text, strlen(cases[i].text));
        int64_t value = 0;
        if (wh__otlp_json_int(&json, &value) != cases[i].is || value != cases[i].value) fail_msg("%s: %lld", cases[i].text, (long long)value);
        assert_true(wh__otlp_json_end(&json)); /* also one that is not whole is a value, and passed over */
    }
}

static void strings_come_without_their_escapes(void **state)
{
    (void)state;
    static const struct { const char *text, *value; } cases[] = {{"\"plain\"", "plain"}, {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac"}, {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
        {"\"\\ud83dx\"", "\xef\xbf\xbdx"}, {"\"\\ude00\"", "\xef\xbf\xbd"}, {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd" "A"},
        {"\"\\u0000\"", "\xef\xbf\xbd"}, {"\"\xff\xc3\"", "\xff\xc3"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *copy, text[32];
        size_t len;
        struct wh__otlp_json json = begin(cases[i].text, &copy);
        assert_true(wh__otlp_json_string(&json, text, sizeof text, &len) && wh__otlp_json_end(&json));
        assert_string_equal(text, cases[i].value);
        assert_int_equal(len, strlen(cases[i].value));
        free(copy);
    }
}

static void a_string_that_is_too_long_is_cut_between_characters(void **state)
{
    (void)state;
    static const char text[] = "\"ab\xc3\xa9g\\u00e9\"";
    static const char *const cut[] = {"", "a", "ab", "ab", "ab\xc3\xa9", "ab\xc3\xa9g", "ab\xc3\xa9g", "ab\xc3\xa9g\xc3\xa9"};
    for (size_t size = 1; size <= COUNT(cut); size++) {
        struct wh__otlp_json json = wh__otlp_json_of(text, sizeof text - 1);
        char *out = malloc(size);
        size_t len;
        assert_true(wh__otlp_json_string(&json, out, size, &len));
        assert_int_equal(len, 7);
        assert_string_equal(out, cut[size - 1]);
        free(out);
    }
}

static void what_is_not_asked_for_is_passed_over(void **state)
{
    (void)state;
    static const char text[] = "{\"x\":[1,{\"y\":\"}\"}],\"rate\":0.25,\"name\":17,\"list\":[true,\"a\",3],\"a key of some length\":{},\"on\":true}";
    struct wh__otlp_json json = wh__otlp_json_of(text, sizeof text - 1);
    char key[8], name[8] = "none";
    double rate = 0, sum = 0;
    bool on = false;
    int keys = 0, nameless = 0, items = 0;
    assert_false(wh__otlp_json_array(&json));
    assert_true(wh__otlp_json_object(&json));
    while (wh__otlp_json_key(&json, key, sizeof key)) {
        keys++;
        if (!key[0]) nameless++;
        if (strcmp(key, "rate") == 0) assert_true(wh__otlp_json_number(&json, &rate));
        if (strcmp(key, "name") == 0) assert_false(wh__otlp_json_string(&json, name, sizeof name, NULL));
        if (strcmp(key, "on") == 0) assert_true(wh__otlp_json_bool(&json, &on));
        if (strcmp(key, "list") == 0 && wh__otlp_json_array(&json))
            for (double each; wh__otlp_json_item(&json); items++)
                if (wh__otlp_json_number(&json, &each)) sum += each;
    }
    assert_true(wh__otlp_json_end(&json));
    assert_int_equal(keys, 6);
    assert_int_equal(nameless, 1);
    assert_int_equal(items, 3);
    assert_true(rate == 0.25 && sum == 3 && on);
    assert_string_equal(name, "none");
}

static void it_goes_so_deep_and_no_deeper(void **state)
{
    (void)state;
    for (size_t depth = WH__OTLP_JSON_DEPTH - 1; depth <= WH__OTLP_JSON_DEPTH + 1; depth++) {
        char text[2 * WH__OTLP_JSON_DEPTH + 8] = "";
        for (size_t i = 0; i < depth; i++) text[i] = '[';
        for (size_t i = 0; i < depth; i++) text[depth + i] = ']';
        text[2 * depth] = '\0';
        assert_int_equal(is_json(text), depth <= WH__OTLP_JSON_DEPTH);
    }
    char *abyss = malloc(1 << 20);
    memset(abyss, '[', 1 << 20);
    struct wh__otlp_json json = wh__otlp_json_of(abyss, 1 << 20);
    assert_false(wh__otlp_json_end(&json));
    free(abyss);
}

static void once_broken_everything_is_false(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1,\"b\":tru,\"c\":3}";
    struct wh__otlp_json json = wh__otlp_json_of(text, sizeof text - 1);
    char key[8];
    double number;
    int keys = 0;
    assert_true(wh__otlp_json_object(&json));
    while (wh__otlp_json_key(&json, key, sizeof key)) keys++;
    assert_int_equal(keys, 2);
    assert_false(wh__otlp_json_number(&json, &number));
    assert_int_equal(wh__otlp_json_next(&json), WH__OTLP_JSON_NOTHING);
    assert_false(wh__otlp_json_end(&json));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_grammar_allows_is_taken),
        cmocka_unit_test(what_the_grammar_forbids_is_refused),
        cmocka_unit_test(every_beginning_of_a_text_is_refused),
        cmocka_unit_test(numbers_are_read_to_the_last_bit),
        cmocka_unit_test(numbers_beyond_all_bounds_stay_numbers),
        cmocka_unit_test(whole_numbers_come_bare_or_as_strings),
        cmocka_unit_test(strings_come_without_their_escapes),
        cmocka_unit_test(a_string_that_is_too_long_is_cut_between_characters),
        cmocka_unit_test(what_is_not_asked_for_is_passed_over),
        cmocka_unit_test(it_goes_so_deep_and_no_deeper),
        cmocka_unit_test(once_broken_everything_is_false),
    };
    return cmocka_run_group_tests_name("exporters/otlp_json_read", tests, NULL, NULL);
}
