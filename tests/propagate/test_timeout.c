/* Deadlines on the wire (gRPC over HTTP/2, Timeout; T149). */
#include <string.h>

#include "propagate/headers.h"
#include "test.h"

static void T149_written_rounded_up(void **state)
{
    (void)state;
    static const struct { int64_t ns; const char *field; } rows[] = {
        {INT64_MIN, "1n"}, {-1, "1n"}, {0, "1n"}, {1, "1n"}, {99999999, "99999999n"}, {100000000, "100000u"}, {100000001, "100001u"},
        {WH_SEC(2), "2000000u"}, {WH_SEC(99), "99000000u"}, {WH_SEC(100), "100000m"}, {WH_SEC(100) + 1, "100001m"},
        {WH_SEC(100000), "100000S"}, {WH_MIN(1700000), "1700000M"}, {INT64_MAX, "2562048H"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[WH__TIMEOUT_SIZE];
        int64_t back;
        wh__timeout_write(out, rows[i].ns);
        assert_string_equal(out, rows[i].field);
        assert_true(wh__timeout_read(out, &back));
        assert_true(back >= rows[i].ns);
    }
}

static void T149_read(void **state)
{
    (void)state;
    static const struct { const char *field; int64_t ns; } rows[] = {
        {"0n", 0}, {"1n", 1}, {"5u", 5000}, {"1m", 1000000}, {"00000002S", WH_SEC(2)}, {"3M", WH_MIN(3)}, {"1H", WH_MIN(60)},
        {"99999999n", 99999999}, {"99999999H", INT64_MAX},
    };
    static const char *const bad[] = {"", "5", "5x", "n", "123456789n", "999999999S", "+1n", "-1n", " 1n", "1 n", "1n ", "1nn",
        "0x1n", "1.5S", "1N", "1s", "\xff", "1,1n"};
    int64_t ns = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (wh__timeout_read(bad[i], &ns)) fail_msg("accepted: %s", bad[i]);
    assert_int_equal(ns, 77);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(wh__timeout_read(rows[i].field, &ns));
        assert_int_equal(ns, rows[i].ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T149_written_rounded_up),
        cmocka_unit_test(T149_read),
    };
    return cmocka_run_group_tests_name("timeout", tests, NULL, NULL);
}
