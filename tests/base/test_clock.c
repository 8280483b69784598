/* Durations and instants: units, and arithmetic that saturates. */
#include <math.h>

#include "base/clock.h"
#include "base/text.h"
#include "test.h"

/* As variables, so that the compiler does not know them. */
static volatile double real;
static volatile int64_t whole;

static void T059_units_are_exact_and_saturate(void **state)
{
    (void)state;
    _Static_assert(WH_SEC(2) == 2000000000, "a constant of a constant");
    assert_int_equal(WH_NS(5), 5);
    assert_int_equal(WH_US(5), 5000);
    assert_int_equal(WH_MS(5), 5000000);
    assert_int_equal(WH_MIN(5), INT64_C(300000000000));
    assert_int_equal(WH_SEC(0.25), 250000000);
    assert_int_equal(WH_SEC(-3), -INT64_C(3000000000));
    assert_int_equal(WH_SEC(1e12), WH_NEVER);
    assert_int_equal(WH_SEC(-1e12), INT64_MIN);
}

static void T059_also_of_what_is_not_constant(void **state)
{
    (void)state;
    const struct { double n; int64_t seconds; } reals[] = {
        {0.001, 1000000}, {-0.5, -500000000}, {1e12, WH_NEVER}, {-1e12, INT64_MIN},
        {INFINITY, WH_NEVER}, {-INFINITY, INT64_MIN}, {NAN, WH_NEVER}, {0, 0},
    };
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        real = reals[i].n;
        assert_int_equal(WH_SEC(real), reals[i].seconds);
    }
    const struct { int64_t n, minutes; } wholes[] = {
        {1, INT64_C(60000000000)}, {-2, -INT64_C(120000000000)}, {INT64_MAX, WH_NEVER}, {INT64_MIN, INT64_MIN}, {0, 0},
    };
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        whole = wholes[i].n;
        assert_int_equal(WH_MIN(whole), wholes[i].minutes);
    }
    int evaluated = 0;
    assert_int_equal(WH_MS(++evaluated), 1000000);
    assert_int_equal(evaluated, 1);
}

static void a_time_of_day_becomes_an_instant(void **state)
{
    (void)state;
    const int64_t earliest = wh__now(), wall = wh__clock(CLOCK_REALTIME);
    const int64_t in_an_hour = wh_from_wall(wh__add(wall, WH_MIN(60)));
    assert_in_range((unsigned long)(in_an_hour - WH_MIN(60)), (unsigned long)(earliest - WH_SEC(1)), (unsigned long)(wh__now() + WH_SEC(1)));
    assert_true(wh_from_wall(wh__sub(wall, WH_MIN(60))) < wh__now());
    assert_int_equal(wh_from_wall(WH_NEVER), WH_NEVER);
    assert_true(wh_from_wall(INT64_MIN) < 0);
}

static void sums_and_differences_saturate(void **state)
{
    (void)state;
    assert_int_equal(wh__add(1, 2), 3);
    assert_int_equal(wh__add(INT64_MAX, 1), INT64_MAX);
    assert_int_equal(wh__add(INT64_MIN, -1), INT64_MIN);
    assert_int_equal(wh__add(INT64_MAX, INT64_MIN), -1);
    assert_int_equal(wh__sub(1, 2), -1);
    assert_int_equal(wh__sub(0, INT64_MIN), INT64_MAX);
    assert_int_equal(wh__sub(INT64_MIN, 1), INT64_MIN);
    assert_int_equal(wh__sub(-1, INT64_MIN), INT64_MAX);
    assert_int_equal(wh__until(WH_NEVER, 5), WH_NEVER);
    assert_int_equal(wh__until(5, WH_NEVER), 0);
    assert_int_equal(wh__until(5, 5), 0);
    assert_int_equal(wh__until(7, 5), 2);
    assert_int_equal(wh__until(INT64_MAX - 1, INT64_MIN), INT64_MAX);
}

static void a_timespec_is_never_negative(void **state)
{
    (void)state;
    assert_int_equal(wh__timespec(-1).tv_sec, 0);
    assert_int_equal(wh__timespec(INT64_MIN).tv_nsec, 0);
    assert_int_equal(wh__timespec(1999999999).tv_sec, 1);
    assert_int_equal(wh__timespec(1999999999).tv_nsec, 999999999);
}

static void the_clock_is_monotonic_and_knows_the_wall(void **state)
{
    (void)state;
    int64_t last = wh_now();
    for (int i = 0; i < 10000; i++) {
        const int64_t now = wh_now();
        assert_true(now >= last);
        last = now;
    }
    const int64_t wall = wh_now() + wh__wall_offset();
    const int64_t known = (int64_t)time(NULL) * WH_SEC(1);
    assert_true(wall > known - WH_SEC(2) && wall < known + WH_SEC(10));
}

static void durations_as_people_say_them(void **state)
{
    (void)state;
    const struct { int64_t ns; const char *words; } all[] = {
        {0, "0 ns"}, {1, "1 ns"}, {850, "850 ns"}, {1000, "1 us"}, {41200000, "41.2 ms"}, {WH_SEC(2), "2 s"},
        {WH_MS(1610), "1.61 s"}, {WH_MIN(1), "1 min"}, {WH_MIN(90), "1.5 h"}, {-41200000, "-41.2 ms"},
        {WH_NEVER, "never"}, {WH_NEVER - 1, "2562048 h"}, {INT64_MIN, "-2562048 h"}, 
        {WH_US(999.6), "1 ms"}, {WH_US(999.4), "999 us"}, {999499, "999 us"}, {999500, "1 ms"}, {WH_MS(999.5), "1 s"},
        {WH_MS(999.5) - 1, "999 ms"}, {-WH_MS(999.9), "-1 s"}, {999, "999 ns"}, {WH_SEC(59.95), "1 min"},
        {WH_SEC(59.95) - 1, "59.9 s"}, {WH_MIN(59.95), "1 h"}, {WH_MIN(59.95) - 1, "59.9 min"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char buf[40] = "";
        struct wh__text text = {.buf = buf, .size = sizeof buf};
        wh__put_duration(&text, all[i].ns);
        assert_string_equal(buf, all[i].words);
        assert_int_equal(text.len, strlen(buf));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T059_units_are_exact_and_saturate),
        cmocka_unit_test(T059_also_of_what_is_not_constant),
        cmocka_unit_test(a_time_of_day_becomes_an_instant),
        cmocka_unit_test(sums_and_differences_saturate),
        cmocka_unit_test(a_timespec_is_never_negative),
        cmocka_unit_test(the_clock_is_monotonic_and_knows_the_wall),
        cmocka_unit_test(durations_as_people_say_them),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
