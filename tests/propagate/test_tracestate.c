/* tracestate: W3C Trace Context, level 2, section 3.3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "propagate/headers.h"
#include "test.h"

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
    char out[WH__TRACESTATE_SIZE];
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
    char out[WH__TRACESTATE_SIZE];
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
    char field[8192] = "first=1,long=", out[WH__TRACESTATE_SIZE], small[64];
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
    char out[WH__TRACESTATE_SIZE];
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(rejected),
        cmocka_unit_test(too_long),
        cmocka_unit_test(hostile_lengths),
    };
    return cmocka_run_group_tests_name("tracestate", tests, NULL, NULL);
}
