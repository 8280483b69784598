/* tracestate: W3C Trace Context, level 2, section 3.3. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "trace/tracestate.h"

static char *repeat(const char *format, int count)
{
    static char text[65536];
    size_t len = 0;
    for (int i = 0; i < count; i++) len += (size_t)snprintf(text + len, sizeof text - len, format, i);
    if (len) text[len - 1] = '\0'; /* the comma */
    return text;
}

#define K255 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" \
    "0123456789012345678901234567890123456789012345678901234"

static void accepted(void **state)
{
    (void)state;
    static const struct { const char *field, *is; } rows[] = {
        {"", ""}, {",", ""}, {" , ,", ""},
        {"a=1", "a=1"}, {"foo=1,bar=2", "foo=1,bar=2"}, {"foo=1 , \tbar=2\t, ,", "foo=1,bar=2"},
        {"foo= 1", "foo= 1"},                            /* a value may begin with blanks */
        {"0=1", "0=1"}, {"a-*/_@b=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~", "a-*/_@b=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~"},
        {"fw529a3039@dt=FfB4xx", "fw529a3039@dt=FfB4xx"},
        {"a=1,a=1", "a=1"}, {"a=1,b=2,a=3", "a=1,b=2"},  /* of one key twice, the first */
        {"a" K255 "=1", "a" K255 "=1"}, {"a=" K255 "x", "a=" K255 "x"},
    };
    char out[WH_TRACESTATE_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!wh__tracestate_read(rows[i].field, out, sizeof out)) fail_msg("rejected: %s", rows[i].field);
        assert_string_equal(out, rows[i].is);
    }
    assert_true(wh__tracestate_read(repeat("k%d=1,", 32), out, sizeof out));
    assert_string_equal(out, repeat("k%d=1,", 32));
}

static void rejected(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "a", "=", "=1", "a=", "a= ", "A=1", "foo 1=1", "foo =1", "foo\t=1", "foo=1=2", "foo=\x7f", "foo=b\xc3\xa4", "foo=\x01",
        "foo=1\x01", "-a=1", "@=1", "a=1,=2", "a=1 b=2", "a" K255 "0=1", "a=" K255 "xy", "foo=1;bar=2,",
    };
    char out[WH_TRACESTATE_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (wh__tracestate_read(rows[i], out, sizeof out)) fail_msg("accepted: %s", rows[i]);
        assert_string_equal(out, "");
    }
    assert_false(wh__tracestate_read(repeat("k%d=1,", 33), out, sizeof out));
}

/* Section 3.3.1.5: whole members go, those longer than 128 characters first, then from the end; at least 512 stay. */
static void too_long(void **state)
{
    (void)state;
    char field[8192] = "first=1,long=", out[WH_TRACESTATE_SIZE], small[64];
    memset(field + strlen(field), 'x', 150);
    strcat(field, ",last=2");
    assert_true(wh__tracestate_read(field, small, sizeof small));
    assert_string_equal(small, "first=1,last=2");
    assert_true(wh__tracestate_read("aa=1,bb=2,cc=3", small, 10));
    assert_string_equal(small, "aa=1,bb=2");
    assert_true(wh__tracestate_read("aa=1,bb=2,cc=3", small, 9));
    assert_string_equal(small, "aa=1");
    assert_true(wh__tracestate_read("aa=1,bb=2,cc=3", small, 1));
    assert_string_equal(small, "");
    field[0] = '\0';
    for (int i = 0; i < 32; i++) {
        size_t len = strlen(field);
        snprintf(field + len, sizeof field - len, "%sk%02d=", i ? "," : "", i);
        len = strlen(field);
        memset(field + len, 'v', 120);
        field[len + 120] = '\0';
    }
    assert_true(wh__tracestate_read(field, out, sizeof out));
    assert_true(strlen(out) < sizeof out && strlen(out) > sizeof out - 130);
    assert_memory_equal(out, field, strlen(out));
}

static void hostile_lengths(void **state)
{
    (void)state;
    char out[WH_TRACESTATE_SIZE];
    char *huge = malloc((1 << 20) + 1);
    assert_non_null(huge);
    static const char fill[] = {'a', ',', '=', ' ', '\xff'};
    for (size_t i = 0; i < sizeof fill; i++) {
        memset(huge, fill[i], 1 << 20);
        huge[1 << 20] = '\0';
        assert_false(wh__tracestate_read(huge, out, sizeof out));
    }
    free(huge);
}

/* ---- edits (trace/api.md, TraceState) ---- */

static size_t reports;
static void count_report(enum wh_severity severity, const char *line, void *arg)
{
    (void)arg;
    assert_int_equal(severity, WH_WARNING);
    assert_non_null(strstr(line, "tracestate"));
    reports++;
}

/* The first of the tests: it is said once in a process. */
static void an_invalid_edit_is_said_once_and_changes_nothing(void **state)
{
    (void)state;
    char out[WH_TRACESTATE_SIZE];
    wh_report_to(count_report, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wh_tracestate_set(out, sizeof out, "a=1,b=2", "B", "3"), EINVAL);
        assert_string_equal(out, "a=1,b=2");
        assert_int_equal(wh_tracestate_remove(out, sizeof out, "a=1,b=2", ""), EINVAL);
        assert_string_equal(out, "a=1,b=2");
    }
    wh_report_to(NULL, NULL);
    assert_int_equal(reports, 1);
}

static void keys_and_values_are_checked_before_they_are_set(void **state)
{
    (void)state;
    static const struct { const char *key, *value; bool is_valid; } rows[] = {
        {"a", "1", true}, {"0", "1", true}, {"a_-*/@", "!", true}, {"a" K255, "1", true}, {"a", K255 "x", true}, {"k", " 1", true},
        {"k", "~", true}, {"", "1", false}, {NULL, "1", false}, {"A", "1", false}, {"_a", "1", false}, {"-a", "1", false},
        {"@a", "1", false}, {"aB", "1", false}, {"a b", "1", false}, {"a=", "1", false}, {"a,b", "1", false}, {"a\x80", "1", false},
        {"a" K255 "0", "1", false}, {"a", "", false}, {"a", NULL, false}, {"a", "1 ", false}, {"a", "1,2", false},
        {"a", "1=2", false}, {"a", "\t", false}, {"a", "\x7f", false}, {"a", "\xc3\xa4", false}, {"a", K255 "xy", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[WH_TRACESTATE_SIZE], is[WH_TRACESTATE_SIZE] = "z=1";
        if (rows[i].is_valid) snprintf(is, sizeof is, "%s=%s,z=1", rows[i].key, rows[i].value);
        assert_int_equal(wh_tracestate_set(out, sizeof out, "z=1", rows[i].key, rows[i].value), rows[i].is_valid ? 0 : EINVAL);
        assert_string_equal(out, is);
    }
}

static void an_added_or_updated_key_goes_to_the_front(void **state)
{
    (void)state;
    static const struct { const char *state, *key, *value, *is; } rows[] = {
        {NULL, "a", "1", "a=1"}, {"", "a", "1", "a=1"}, {"b=2", "a", "1", "a=1,b=2"}, {"b=2,c=3", "a", "1", "a=1,b=2,c=3"},
        {"a=1,b=2,c=3", "a", "9", "a=9,b=2,c=3"}, {"a=1,b=2,c=3", "b", "9", "b=9,a=1,c=3"}, {"a=1,b=2,c=3", "c", "9", "c=9,a=1,b=2"},
        {"aa=1", "a", "2", "a=2,aa=1"}, {"a=1", "aa", "2", "aa=2,a=1"},
    };
    char out[WH_TRACESTATE_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(wh_tracestate_set(out, sizeof out, rows[i].state, rows[i].key, rows[i].value), 0);
        assert_string_equal(out, rows[i].is);
    }
}

static void a_removed_key_is_gone_and_the_order_of_the_rest_is_kept(void **state)
{
    (void)state;
    static const struct { const char *state, *key, *is; } rows[] = {
        {NULL, "a", ""}, {"a=1", "a", ""}, {"a=1,b=2,c=3", "a", "b=2,c=3"}, {"a=1,b=2,c=3", "b", "a=1,c=3"},
        {"a=1,b=2,c=3", "c", "a=1,b=2"}, {"a=1,b=2", "d", "a=1,b=2"}, {"aa=1", "a", "aa=1"},
    };
    char out[WH_TRACESTATE_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(wh_tracestate_remove(out, sizeof out, rows[i].state, rows[i].key), 0);
        assert_string_equal(out, rows[i].is);
    }
}

static void a_value_is_got_by_its_key(void **state)
{
    (void)state;
    static const struct { const char *state, *key, *is; } rows[] = {
        {"a=1,bb= 2,c=3", "a", "1"}, {"a=1,bb= 2,c=3", "bb", " 2"}, {"a=1,bb= 2,c=3", "c", "3"}, {"a=1", "b", NULL}, {"aa=1", "a", NULL},
        {"a=1", "aa", NULL}, {"a=1", "", NULL}, {"a=1", NULL, NULL}, {NULL, "a", NULL}, {"", "a", NULL}, {"a=1,,b", "a", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wh_str value = {"untouched", 9};
        assert_int_equal(wh_tracestate_get(rows[i].state, rows[i].key, &value), rows[i].is != NULL);
        const char *is = rows[i].is ? rows[i].is : "untouched";
        assert_int_equal(value.len, strlen(is));
        assert_memory_equal(value.ptr, is, value.len);
    }
}

static void with_a_33rd_member_the_last_one_goes(void **state)
{
    (void)state;
    char out[WH_TRACESTATE_SIZE], again[WH_TRACESTATE_SIZE];
    const char *full = repeat("k%d=1,", 32);
    assert_int_equal(wh_tracestate_set(out, sizeof out, full, "new", "2"), 0);
    assert_memory_equal(out, "new=2,k0=1,", 11);
    assert_string_equal(out + strlen(out) - 5, "k30=1");
    assert_int_equal(wh_tracestate_set(again, sizeof again, out, "k30", "3"), 0); /* an update makes it no longer */
    assert_memory_equal(again, "k30=3,new=2,k0=1,", 17);
    assert_string_equal(again + strlen(again) - 5, "k29=1");
}

static void what_does_not_fit_goes_as_a_whole_and_the_new_member_stays(void **state)
{
    (void)state;
    char field[512] = "first=1,long=", out[32];
    memset(field + strlen(field), 'x', 150);
    strcat(field, ",last=2");
    assert_int_equal(wh_tracestate_set(out, sizeof out, field, "new", "3"), 0);
    assert_string_equal(out, "new=3,first=1,last=2");
    assert_int_equal(wh_tracestate_set(out, 14, field, "new", "3"), 0);
    assert_string_equal(out, "new=3,first=1");
    assert_int_equal(wh_tracestate_set(out, 13, field, "new", "3"), 0);
    assert_string_equal(out, "new=3");
    assert_int_equal(wh_tracestate_set(out, 6, field, "new", "3"), 0);
    assert_string_equal(out, "new=3");
    assert_int_equal(wh_tracestate_set(out, 5, "a=1", "new", "3"), EINVAL);
    assert_string_equal(out, "a=1");
    assert_int_equal(wh_tracestate_remove(out, 8, field, "last"), 0);
    assert_string_equal(out, "first=1");
}

static void lists_of_512_characters_are_handed_on(void **state)
{
    (void)state;
    char field[WH_TRACESTATE_SIZE] = "", out[WH_TRACESTATE_SIZE];
    while (strlen(field) < 506) snprintf(field + strlen(field), 64, "%sk%zu=0123456789abcdefghij", *field ? "," : "", strlen(field));
    assert_in_range(strlen(field), 506, 550);
    assert_int_equal(wh_tracestate_set(out, sizeof out, field, "new", "1"), 0);
    assert_memory_equal(out, "new=1,", 6);
    assert_string_equal(out + 6, field);
}

static void what_is_no_list_is_nothing(void **state)
{
    (void)state;
    char out[WH_TRACESTATE_SIZE];
    assert_int_equal(wh_tracestate_set(out, sizeof out, "a=1,B=2", "c", "3"), EINVAL);
    assert_string_equal(out, "");
    assert_int_equal(wh_tracestate_remove(out, sizeof out, "a", "a"), EINVAL);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invalid_edit_is_said_once_and_changes_nothing),
        cmocka_unit_test(accepted),
        cmocka_unit_test(rejected),
        cmocka_unit_test(too_long),
        cmocka_unit_test(hostile_lengths),
        cmocka_unit_test(keys_and_values_are_checked_before_they_are_set),
        cmocka_unit_test(an_added_or_updated_key_goes_to_the_front),
        cmocka_unit_test(a_removed_key_is_gone_and_the_order_of_the_rest_is_kept),
        cmocka_unit_test(a_value_is_got_by_its_key),
        cmocka_unit_test(with_a_33rd_member_the_last_one_goes),
        cmocka_unit_test(what_does_not_fit_goes_as_a_whole_and_the_new_member_stays),
        cmocka_unit_test(lists_of_512_characters_are_handed_on),
        cmocka_unit_test(what_is_no_list_is_nothing),
    };
    return cmocka_run_group_tests_name("tracestate", tests, NULL, NULL);
}
