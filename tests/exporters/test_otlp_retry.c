/* The OTLP exporter with a collector that wants to be asked again: when it is, and for how long. Times are bounds from
 * below, where waiting was asked for, and bounds from above that tell a hang from a slow machine. */
#include "test_otlp.h"

#include "otlp/retry.h"

/* ---- answers that ask for another try ---- */

static void busy_collectors_are_asked_again(void **state)
{
    (void)state;
    static const int statuses[] = {429, 502, 503, 504};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        const struct collector_answer script[] = {{.status = statuses[i], .headers = "Retry-After: 0\r\n"}, {0}};
        struct collector *collector = collector_start(script, 2);
        struct wh_exporter *otlp = otlp_to(collector);
        expect(otlp, WH_SEC(60), 0);
        assert_int_equal(collector_requests(collector), 2);
        const struct collector_request first = collector_request(collector, 0);
        const struct collector_request second = collector_request(collector, 1);
        assert_int_equal(first.body_len, second.body_len);
        assert_memory_equal(first.body, second.body, first.body_len);
        assert_int_equal(second.connection, 0);
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
}

static int64_t pause_after(const char *header)
{
    const struct collector_answer script[] = {{.status = 503, .headers = header}, {.status = 200}};
    struct collector *collector = collector_start(script, 2);
    struct wh_exporter *otlp = otlp_to(collector);
    expect(otlp, WH_SEC(60), 0);
    assert_int_equal(collector_requests(collector), 2);
    const int64_t pause = collector_request(collector, 1).at - collector_request(collector, 0).at;
    wh_exporter_free(otlp);
    collector_stop(collector);
    return pause;
}

static void without_a_word_it_waits_about_a_second(void **state)
{
    (void)state;
    assert_true(pause_after(NULL) >= WH_MS(499));
}

/* More than any pause that it would choose itself after a first try. */
static void retry_after_in_seconds_is_obeyed(void **state)
{
    (void)state;
    assert_true(pause_after("retry-after:  2 \r\n") >= WH_SEC(2));
}

static void retry_after_as_a_date_is_obeyed(void **state)
{
    (void)state;
    char header[96];
    const time_t then = time(NULL) + 4;
    struct tm tm;
    strftime(header, sizeof header, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&then, &tm));
    assert_true(pause_after(header) >= WH_SEC(2)); /* a date has whole seconds only, and the request takes time too */
}

static void senseless_retry_after_is_ignored(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "Retry-After: soon\r\n", "Retry-After: -100\r\n", "Retry-After: 3153600000\r\n",
        "Retry-After: Fri, 31 Dec 2199 23:59:59 GMT\r\n", "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\n"};
    for (size_t i = 0; i < COUNT(headers); i++) {
        const int64_t pause = pause_after(headers[i]);
        assert_true(pause >= WH_MS(499) && pause < LONG);
    }
}

static void retry_after_is_read_with_care(void **state)
{
    (void)state;
    const time_t wall = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct { const char *value; int64_t seconds; } cases[] = {
        {"0", 0}, {"1", 1}, {"007", 7}, {"86400", 86400}, {"86401", -1}, {"99999999999999999999999", -1}, {"", -1}, {"%", -1},
        {"-1", -1}, {"+1", -1}, {"1.5", -1}, {"1 ", -1}, {"0x10", -1}, {"1, 2", -1}, {"soon", -1}, {"Sun", -1},
        {"Sun, 06 Nov 1994 08:49:47 GMT", 10}, {"Sunday, 06-Nov-94 08:49:47 GMT", 10}, {"Sun Nov  6 08:49:47 1994", 10},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0}, {"Sun, 06 Nov 1994 08:49:36 GMT", -1},
        {"Tue, 08 Nov 1994 08:49:37 GMT", -1}, {"Fri, 31 Dec 9999 23:59:59 GMT", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const int64_t read = wh__otlp_retry_after(cases[i].value, wall);
        if (read != (cases[i].seconds < 0 ? -1 : WH_SEC(cases[i].seconds)))
            fail_msg("\"%s\": %lld", cases[i].value, (long long)read);
    }
}

static void pauses_grow_to_a_limit_and_differ(void **state)
{
    (void)state;
    static const struct { unsigned tries; double seconds; } cases[] = {
        {1, 1}, {2, 1.5}, {3, 2.25}, {4, 3.375}, {5, 5}, {1000000, 5}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t least = WH_NEVER, most = 0;
        for (int j = 0; j < 200; j++) {
            const int64_t pause = wh__otlp_pause(cases[i].tries, -1);
            if (pause < least) least = pause;
            if (pause > most) most = pause;
        }
        assert_true(least >= WH_SEC(cases[i].seconds * 0.5) && most < WH_SEC(cases[i].seconds * 1.5));
        assert_true(most - least > WH_SEC(cases[i].seconds * 0.5));
    }
    assert_true(wh__otlp_pause(1, 0) == WH_MS(100));
    assert_true(wh__otlp_pause(9, WH_SEC(3600)) == WH_SEC(3600));
}

static void a_pause_that_is_too_long_is_not_begun(void **state)
{
    (void)state;
    static const struct collector_answer busy = {.status = 429, .headers = "Retry-After: 3600\r\n"};
    struct collector *collector = collector_start(&busy, 1);
    struct wh_exporter *otlp = otlp_to(collector);
    const int64_t begun = wh_now();
    expect(otlp, WH_SEC(600), EIO);
    assert_true(wh_now() - begun < LONG);
    assert_int_equal(collector_requests(collector), 1);
    assert_error_says(otlp, "HTTP 429");
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void it_gives_up_before_the_deadline(void **state)
{
    (void)state;
    static const struct collector_answer busy = {.status = 503};
    struct collector *collector = collector_start(&busy, 1);
    struct wh_exporter *otlp = otlp_to(collector);
    const int64_t deadline = wh_now() + WH_SEC(4);
    assert_int_equal(export_until(otlp, 3, deadline, NULL), EIO);
    assert_true(wh_now() < deadline + LONG);
    const size_t requests = collector_requests(collector);
    assert_in_range(requests, 2, 5);
    assert_true(collector_request(collector, requests - 1).at < deadline + WH_SEC(1));
    assert_error_says(otlp, "HTTP 503 (tried ");
    wh_exporter_free(otlp);
    collector_stop(collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(busy_collectors_are_asked_again),
        cmocka_unit_test(without_a_word_it_waits_about_a_second),
        cmocka_unit_test(retry_after_in_seconds_is_obeyed),
        cmocka_unit_test(retry_after_as_a_date_is_obeyed),
        cmocka_unit_test(senseless_retry_after_is_ignored),
        cmocka_unit_test(retry_after_is_read_with_care),
        cmocka_unit_test(pauses_grow_to_a_limit_and_differ),
        cmocka_unit_test(a_pause_that_is_too_long_is_not_begun),
        cmocka_unit_test(it_gives_up_before_the_deadline),
    };
    return cmocka_run_group_tests_name("exporters/otlp_retry", tests, NULL, NULL);
}
