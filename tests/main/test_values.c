/* The rules by which the values of variables are read (configuration/sdk-environment-variables.md). */
#include <errno.h>
#include <locale.h>
#include <math.h>

#include "left_out.h"
#include "main/values.h"
#include "said.h"

enum { UNTOUCHED = 4711 };

/* ---- text ---- */

static void numbers_are_decimal_digits_within_their_bounds(void **state)
{
    (void)state;
    static const struct { const char *text; int rc; uint64_t number; } table[] = {
        {"10", 0, 10}, {"99", 0, 99}, {"010", 0, 10}, {" 10\t", 0, 10}, {"0000000000000000000000000000010", 0, 10},
        {"9", ERANGE, 0}, {"100", ERANGE, 0}, {"0", ERANGE, 0}, {"-1", ERANGE, 0}, {"-10", ERANGE, 0},
        {"18446744073709551615", ERANGE, 0}, {"18446744073709551616", ERANGE, 0}, {"99999999999999999999999999", ERANGE, 0},
        {"", EINVAL, 0}, {" ", EINVAL, 0}, {"x", EINVAL, 0}, {"10x", EINVAL, 0}, {"1 0", EINVAL, 0}, {"1.5", EINVAL, 0},
        {"1e1", EINVAL, 0}, {"0x10", EINVAL, 0}, {"+10", EINVAL, 0}, {"--10", EINVAL, 0}, {"-", EINVAL, 0}, {"10s", EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint64_t number = UNTOUCHED;
        const int rc = wh__parse_number(table[i].text, 10, 99, &number);
        if (rc != table[i].rc) fail_msg("\"%s\": %d", table[i].text, rc);
        assert_int_equal(number, rc ? UNTOUCHED : table[i].number);
    }
    uint64_t number = 0;
    assert_int_equal(wh__parse_number("18446744073709551615", 0, UINT64_MAX, &number), 0);
    assert_true(number == UINT64_MAX);
    assert_int_equal(wh__parse_number("18446744073709551616", 0, UINT64_MAX, &number), ERANGE);
}

static void fractions_lie_between_0_and_1(void **state)
{
    (void)state;
    static const struct { const char *text; int rc; double ratio; } table[] = {
        {"0", 0, 0}, {"1", 0, 1}, {"0.25", 0, 0.25}, {".5", 0, 0.5}, {"1.", 0, 1}, {"1e-3", 0, 0.001}, {" 0.5 ", 0, 0.5},
        {"1.0000001", ERANGE, 0}, {"-0.1", ERANGE, 0}, {"2", ERANGE, 0}, {"1e400", ERANGE, 0},
        {"", EINVAL, 0}, {" ", EINVAL, 0}, {"half", EINVAL, 0}, {"0,5", EINVAL, 0}, {"0.5x", EINVAL, 0}, {"nan", EINVAL, 0},
        {"inf", EINVAL, 0}, {"infinity", EINVAL, 0}, {"0x1p-1", EINVAL, 0}, {".", EINVAL, 0}, {"50%", EINVAL, 0}, {"0.5 0.5", EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        double ratio = UNTOUCHED;
        const int rc = wh__parse_ratio(table[i].text, &ratio);
        if (rc != table[i].rc) fail_msg("\"%s\": %d", table[i].text, rc);
        assert_true(ratio == (rc ? UNTOUCHED : table[i].ratio));
    }
}

static void fractions_have_a_point_in_every_locale(void **state)
{
    (void)state;
    double ratio = 0;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        LEFT_OUT("fractions in other locales", "none with a comma is installed");
    assert_int_equal(wh__parse_ratio("0.25", &ratio), 0);
    assert_true(ratio == 0.25);
    setlocale(LC_NUMERIC, "C");
}

static void true_is_true_in_any_case_and_nothing_else_is(void **state)
{
    (void)state;
    static const struct { const char *text; int rc; bool value; } table[] = {
        {"true", 0, true}, {"TRUE", 0, true}, {"True", 0, true}, {" true ", 0, true}, {"false", 0, false}, {"FALSE", 0, false},
        {"", EINVAL, 0}, {"1", EINVAL, 0}, {"0", EINVAL, 0}, {"yes", EINVAL, 0}, {"on", EINVAL, 0}, {"t", EINVAL, 0}, {"truee", EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bool value = false;
        assert_int_equal(wh__parse_bool(table[i].text, &value), table[i].rc);
        assert_int_equal(value, table[i].value);
    }
}

static void words_are_compared_without_regard_to_case(void **state)
{
    (void)state;
    static const char *const words[] = {"none", "gzip", NULL};
    static const struct { const char *text; int which; } table[] = {
        {"none", 0}, {"gzip", 1}, {"GZIP", 1}, {"GZip", 1}, {" gzip\t", 1}, {"", -1}, {" ", -1}, {"gzi", -1}, {"gzip2", -1}, {"g zip", -1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) assert_int_equal(wh__parse_word(table[i].text, words), table[i].which);
}

static void percent_encoding_is_undone(void **state)
{
    (void)state;
    static const struct { const char *text, *decoded; } table[] = {
        {"", ""}, {"plain", "plain"}, {"a%2Cb%3dc", "a,b=c"}, {"%C3%A4", "\xc3\xa4"}, {"%25", "%"}, {"%252C", "%2C"}, {"a+b", "a+b"},
        {"%", NULL}, {"%2", NULL}, {"%2g", NULL}, {"%g2", NULL}, {"%00", NULL}, {"abc%", NULL}, {"%%20", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[32];
        strcpy(text, table[i].text);
        assert_int_equal(wh__decode(text), table[i].decoded != NULL);
        if (table[i].decoded) assert_string_equal(text, table[i].decoded);
    }
}

/* ---- variables ---- */

static void an_empty_variable_counts_as_unset(void **state)
{
    (void)state;
    static const char *const words[] = {"a", NULL};
    uint64_t number = UNTOUCHED;
    uint32_t size = UNTOUCHED;
    int64_t time = UNTOUCHED;
    int which = UNTOUCHED;
    bool flag = true;
    for (int i = 0; i < 2; i++) {
        set_variable("WHENCE_TESTED", i ? "" : NULL);
        assert_null(wh__env("WHENCE_TESTED"));
        assert_false(wh__env_number("WHENCE_TESTED", 0, 9, &number));
        assert_false(wh__env_size("WHENCE_TESTED", 0, &size));
        assert_false(wh__env_timeout("WHENCE_TESTED", &time));
        assert_false(wh__env_delay("WHENCE_TESTED", &time));
        assert_false(wh__env_word("WHENCE_TESTED", words, &which));
        assert_false(wh__env_bool("WHENCE_TESTED", &flag));
        assert_int_equal(said_count, 0);
    }
    assert_true(number == UNTOUCHED && size == UNTOUCHED && time == UNTOUCHED && which == UNTOUCHED && flag);
}

static void what_is_not_understood_is_said_once_and_ignored(void **state)
{
    (void)state;
    static const char *const words[] = {"a", NULL};
    uint64_t number = UNTOUCHED;
    int which = UNTOUCHED;
    bool flag = true;
    set_variable("WHENCE_TESTED", "nonsense");
    assert_false(wh__env_number("WHENCE_TESTED", 0, 9, &number));
    assert_said(true, "WHENCE_TESTED", "nonsense");
    set_variable("WHENCE_TESTED", "10");
    assert_false(wh__env_number("WHENCE_TESTED", 0, 9, &number));
    assert_said(true, "WHENCE_TESTED", "10");
    assert_non_null(strstr(said, "out of range"));
    set_variable("WHENCE_TESTED", "b");
    assert_false(wh__env_word("WHENCE_TESTED", words, &which));
    assert_said(true, "WHENCE_TESTED", "b");
    set_variable("WHENCE_TESTED", "yes");
    assert_false(wh__env_bool("WHENCE_TESTED", &flag));
    assert_said(true, "WHENCE_TESTED", "yes");
    assert_true(number == UNTOUCHED && which == UNTOUCHED && flag);
}

static void times_are_milliseconds_and_a_timeout_of_0_is_no_limit(void **state)
{
    (void)state;
    static const struct { const char *value; int64_t timeout, delay; bool bad; } table[] = {
        {"1", WH_MS(1), WH_MS(1), false},       {"5000", WH_SEC(5), WH_SEC(5), false}, {"0", WH_NEVER, 1, false},
        {"9223372036854", WH_MS(INT64_C(9223372036854)), WH_MS(INT64_C(9223372036854)), false},
        {"9223372036855", UNTOUCHED, UNTOUCHED, true}, {"-1", UNTOUCHED, UNTOUCHED, true},
        {"5s", UNTOUCHED, UNTOUCHED, true},     {"1.5", UNTOUCHED, UNTOUCHED, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t timeout = UNTOUCHED, delay = UNTOUCHED;
        set_variable("WHENCE_TESTED", table[i].value);
        assert_int_equal(wh__env_timeout("WHENCE_TESTED", &timeout), !table[i].bad);
        assert_said(table[i].bad, "WHENCE_TESTED", table[i].value);
        wh__env_delay("WHENCE_TESTED", &delay);
        assert_true(timeout == table[i].timeout && delay == table[i].delay);
    }
}

static void a_long_value_is_cut_in_the_line(void **state)
{
    (void)state;
    char value[1000];
    uint64_t number;
    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = '\0';
    set_variable("WHENCE_TESTED", value);
    wh__env_number("WHENCE_TESTED", 0, 9, &number);
    assert_said(true, "WHENCE_TESTED", value);
    assert_true(strlen(said) < 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEARING(numbers_are_decimal_digits_within_their_bounds),
        HEARING(fractions_lie_between_0_and_1),
        HEARING(fractions_have_a_point_in_every_locale),
        HEARING(true_is_true_in_any_case_and_nothing_else_is),
        HEARING(words_are_compared_without_regard_to_case),
        HEARING(percent_encoding_is_undone),
        HEARING(an_empty_variable_counts_as_unset),
        HEARING(what_is_not_understood_is_said_once_and_ignored),
        HEARING(times_are_milliseconds_and_a_timeout_of_0_is_no_limit),
        HEARING(a_long_value_is_cut_in_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
