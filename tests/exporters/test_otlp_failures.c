/* The OTLP exporter with a collector that refuses, is not there, or is no collector. */
#include "test_otlp.h"

#include <unistd.h>

/* ---- answers that are final ---- */

static void other_statuses_are_not_tried_again(void **state)
{
    (void)state;
    static const int statuses[] = {
        300, 301, 302, 307, 400, 401, 403, 404, 405, 408, 415, 418, 500, 501, 505, 599, 999};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        char said[32];
        const struct collector_answer script[] = {
            {.status = statuses[i], .headers = "Location: http://127.0.0.1:1/\r\nRetry-After: 1\r\n"}, {.status = 200}};
        struct collector *collector = collector_start(script, 2);
        struct wh_exporter *otlp = otlp_to(collector);
        expect(otlp, WH_SEC(60), EIO);
        assert_int_equal(collector_requests(collector), 1);
        snprintf(said, sizeof said, "/v1/traces: HTTP %d", statuses[i]);
        assert_error_says(otlp, said);
        expect(otlp, WH_SEC(60), 0);
        assert_null(otlp->last_error(otlp));
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
}

static void other_kinds_of_success_are_success(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {{.status = 202}, {.status = 204}};
    struct collector *collector = collector_start(script, 2);
    struct wh_exporter *otlp = otlp_to(collector);
    expect(otlp, WH_SEC(60), 0);
    expect(otlp, WH_SEC(60), 0);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void the_error_tells_the_collectors_message(void **state)
{
    (void)state;
    static const struct { struct collector_answer answer; const char *said; } cases[] = {
        {{.status = 400, BODY("\x08\x03\x12\x08no spans")}, "/v1/traces: HTTP 400: no spans"},
        {{.status = 400, BODY("\x08\x03\x12\x06\x1b[31m!\x1a\x02\x08\x01")}, "/v1/traces: HTTP 400: ?[31m!"},
        {{.status = 400, BODY("\x08\x03\x12\x7fno spans")}, "/v1/traces: HTTP 400"},
        {{.status = 404, BODY("<html>not here</html>")}, "/v1/traces: HTTP 404"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct collector *collector = collector_start(&cases[i].answer, 1);
        struct wh_exporter *otlp = otlp_to(collector);
        expect(otlp, WH_SEC(60), EIO);
        const char *error = otlp->last_error(otlp), *url = collector_url(collector);
        assert_int_equal(strncmp(error, url, strlen(url)), 0);
        assert_string_equal(error + strlen(url), cases[i].said);
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
}

/* Two million unknown fields, each of which would cost a decoder dozens of bytes. */
static void a_costly_answer_is_not_decoded_at_any_price(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20 };
    char *fields = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i += 2) memcpy(fields + i, "\x78\x01", 2);
    const struct collector_answer script[] = {
        {.body = fields, .body_len = SIZE}, {.status = 400, .body = fields, .body_len = SIZE}};
    listen_to_reports();
    struct collector *collector = collector_start(script, 2);
    struct wh_exporter *otlp = otlp_to(collector);
    expect(otlp, WH_SEC(60), 0);
    assert_int_equal(report_count(), 1);
    expect(otlp, WH_SEC(60), EIO);
    wh_exporter_free(otlp);
    collector_stop(collector);
    free(fields);
}

static void an_answer_of_more_than_4_mib_is_an_error(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {
        {.padding = (4 << 20) + 1}, {.padding = UINT64_C(1) << 50}, {.status = 503, .padding = 5 << 20}, {0}};
    struct collector *collector = collector_start(script, 4);
    struct wh_exporter *otlp = otlp_to(collector);
    for (size_t i = 1; i <= 3; i++) {
        expect(otlp, WH_SEC(60), EIO);
        assert_error_says(otlp, "the answer is longer than 4 MiB");
        assert_int_equal(collector_requests(collector), i);
    }
    expect(otlp, WH_SEC(60), 0);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* ---- nobody there ---- */

static void one_that_was_never_reached_is_not_waited_for(void **state)
{
    (void)state;
    struct collector *collector = collector_start_refusing(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    for (int i = 0; i < 10; i++) {
        const int64_t begun = wh_now();
        expect(otlp, WH_SEC(600), ECONNREFUSED);
        assert_true(wh_now() - begun < LONG);
    }
    char said[128];
    snprintf(said, sizeof said, "%s/v1/traces: Connection refused", collector_url(collector));
    assert_string_equal(otlp->last_error(otlp), said);
    collector_listen(collector);
    expect(otlp, WH_SEC(60), 0);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void *listen_after_a_while(void *collector)
{
    usleep(1200000);
    collector_listen(collector);
    return NULL;
}

static void one_that_was_reached_is_waited_for(void **state)
{
    (void)state;
    pthread_t thread;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    expect(otlp, WH_SEC(60), 0);
    collector_refuse(collector);
    assert_int_equal(pthread_create(&thread, NULL, listen_after_a_while, collector), 0);
    expect(otlp, WH_SEC(60), 0);
    pthread_join(thread, NULL);
    assert_int_equal(collector_requests(collector), 2);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void one_that_was_reached_is_not_waited_for_beyond_the_deadline(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    expect(otlp, WH_SEC(60), 0);
    collector_refuse(collector);
    const int64_t begun = wh_now();
    expect(otlp, WH_SEC(3), ECONNREFUSED);
    assert_true(wh_now() - begun < WH_SEC(3) + LONG);
    assert_error_says(otlp, "Connection refused (tried ");
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void a_name_that_cannot_be_found_is_an_error(void **state)
{
    (void)state;
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new("http://no-such-host.invalid:4318"));
    const int64_t begun = wh_now();
    assert_int_not_equal(export_within(otlp, WH_SEC(5)), 0);
    assert_true(wh_now() - begun < LONG);
    assert_error_says(otlp, "http://no-such-host.invalid:4318/v1/traces: ");
    wh_exporter_free(otlp);
}

/* ---- somebody strange ---- */

static void what_breaks_off_is_tried_again_only_where_it_once_worked(void **state)
{
    (void)state;
    static const char said[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    static const struct collector_answer strange[] = {
        {.manner = COLLECTOR_CLOSES}, {.manner = COLLECTOR_CLOSES_UNREAD}, {.manner = COLLECTOR_RESETS},
        {.manner = COLLECTOR_SAYS, BODY("HTTP/1.1 200")}};
    for (size_t i = 0; i < COUNT(strange); i++) {
        const struct collector_answer script[] = {strange[i], {.close_after = true}, strange[i], {.close_after = true}};
        struct collector *collector = collector_start(script, COUNT(script));
        struct wh_exporter *otlp = otlp_to(collector);
        assert_int_not_equal(export_within(otlp, WH_SEC(60)), 0);
        assert_int_equal(collector_connections(collector), 1);
        expect(otlp, WH_SEC(60), 0);
        expect(otlp, WH_SEC(60), 0);
        assert_true(collector_connections(collector) >= 4);
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
    /* A status was told: it was reached. */
    const struct collector_answer script[] = {{.manner = COLLECTOR_SAYS, BODY(said)}, {.status = 200}};
    struct collector *collector = collector_start(script, 2);
    struct wh_exporter *otlp = otlp_to(collector);
    expect(otlp, WH_SEC(60), 0);
    assert_int_equal(collector_requests(collector), 2);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* "400" and then nothing is a refusal; "503" and then nothing is not. */
static void a_status_counts_though_its_answer_breaks_off(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {
        {.manner = COLLECTOR_SAYS, BODY("HTTP/1.1 400 No\r\nContent-Length: 10\r\n\r\nabc")},
        {.manner = COLLECTOR_SAYS, BODY("HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\nabc")}, {.status = 200}};
    struct collector *collector = collector_start(script, 3);
    struct wh_exporter *otlp = otlp_to(collector);
    assert_int_not_equal(export_within(otlp, WH_SEC(60)), 0);
    assert_error_says(otlp, "/v1/traces: HTTP 400: ");
    assert_int_equal(collector_requests(collector), 1);
    expect(otlp, WH_SEC(60), 0);
    assert_int_equal(collector_requests(collector), 3);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void what_is_no_http_is_an_error(void **state)
{
    (void)state;
    static char long_line[1 << 20] = "HTTP/1.1 200 OK\r\nX-Long: ";
    memset(long_line + strlen(long_line), 'x', sizeof long_line - strlen(long_line));
    static const struct collector_answer strange[] = {
        {.manner = COLLECTOR_SAYS, BODY("220 mail.example.org ESMTP\r\n")},
        {.manner = COLLECTOR_SAYS, BODY("\x15\x03\x01\x00\x02\x02\x16")},
        {.manner = COLLECTOR_SAYS, BODY("HTTP/1.1 2x0 OK\r\n\r\n")},
        {.manner = COLLECTOR_SAYS, BODY("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n")},
        {.manner = COLLECTOR_SAYS, BODY("HTTP/7.\x1b[31m 200 OK\r\n\r\n")},
        {.manner = COLLECTOR_SAYS, BODY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")},
        {.manner = COLLECTOR_SAYS, .body = long_line, .body_len = sizeof long_line},
    };
    for (size_t i = 0; i < COUNT(strange); i++) {
        struct collector *collector = collector_start(&strange[i], 1);
        struct wh_exporter *otlp = otlp_to(collector);
        const int64_t begun = wh_now();
        assert_int_not_equal(export_within(otlp, WH_SEC(5)), 0);
        assert_true(wh_now() - begun < LONG);
        assert_error_says(otlp, "/v1/traces: ");
        for (const char *p = otlp->last_error(otlp); *p; p++) assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
}

/* The kept connection has gone while nobody looked: no export is lost by it. */
static void a_kept_connection_may_be_closed_by_the_collector(void **state)
{
    (void)state;
    static const struct collector_answer closing = {.close_after = true};
    struct collector *collector = collector_start(&closing, 1);
    struct wh_exporter *otlp = otlp_to(collector);
    for (size_t i = 1; i <= 5; i++) {
        expect(otlp, WH_SEC(60), 0);
        assert_true(collector_wait_closed(collector, i, LONG));
    }
    assert_int_equal(collector_requests(collector), 5);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void https_does_not_talk_to_plain_http(void **state)
{
    (void)state;
    static const struct collector_answer plain = {.manner = COLLECTOR_SAYS, BODY("HTTP/1.1 400 Bad Request\r\n\r\n")};
    char url[64];
    struct collector *collector = collector_start(&plain, 1);
    snprintf(url, sizeof url, "https%s", collector_url(collector) + strlen("http"));
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(url));
    const int64_t begun = wh_now();
    assert_int_not_equal(export_within(otlp, WH_SEC(2)), 0);
    assert_true(wh_now() - begun < LONG);
    assert_int_equal(collector_requests(collector), 0);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_statuses_are_not_tried_again),
        cmocka_unit_test(other_kinds_of_success_are_success),
        cmocka_unit_test(the_error_tells_the_collectors_message),
        cmocka_unit_test(a_costly_answer_is_not_decoded_at_any_price),
        cmocka_unit_test(an_answer_of_more_than_4_mib_is_an_error),
        cmocka_unit_test(one_that_was_never_reached_is_not_waited_for),
        cmocka_unit_test(one_that_was_reached_is_waited_for),
        cmocka_unit_test(one_that_was_reached_is_not_waited_for_beyond_the_deadline),
        cmocka_unit_test(a_name_that_cannot_be_found_is_an_error),
        cmocka_unit_test(what_breaks_off_is_tried_again_only_where_it_once_worked),
        cmocka_unit_test(a_status_counts_though_its_answer_breaks_off),
        cmocka_unit_test(what_is_no_http_is_an_error),
        cmocka_unit_test(a_kept_connection_may_be_closed_by_the_collector),
        cmocka_unit_test(https_does_not_talk_to_plain_http),
    };
    return cmocka_run_group_tests_name("exporters/otlp_failures", tests, NULL, NULL);
}
