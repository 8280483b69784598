/* OTLP over HTTP as JSON: what is sent, and what answers in JSON mean. The text itself is looked at by test_file.c and the
 * round trips. */
#include "gate.h"
#include "test_otlp.h"

static struct wh_exporter *json_to(struct collector *collector, bool gzip)
{
    return not_null(wh_otlp_exporter_new(collector_url(collector), .gzip = gzip, .protocol = WH_OTLP_HTTP_JSON));
}

static const char span[] = "\x0a\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x12\x08"
                           "\x01\x02\x03\x04\x05\x06\x07\x08\x2a\x05hello";
static const struct wh_bytes spans[] = {{span, sizeof span - 1}, {"\xff", 1}, {span, sizeof span - 1}};
#define TEXT "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[" ONE "," ONE "]}]}]}"
#define ONE "{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\",\"name\":\"hello\"}"

static int export_all(struct wh_exporter *otlp, size_t *rejected)
{
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(spans, 3)};
    return otlp->export_batch(otlp, &batch, wh_now() + LONG, rejected);
}

static void a_request_in_json_says_what_it_is(void **state)
{
    (void)state;
    for (int gzip = 0; gzip <= 1; gzip++) {
        struct collector *collector = collector_start(NULL, 0);
        struct wh_exporter *otlp = json_to(collector, gzip);
        size_t rejected = 0;
        assert_int_equal(export_all(otlp, &rejected), 0);
        assert_int_equal(rejected, 1); /* the second was no span */
        const struct collector_request request = collector_request(collector, 0);
        const char *encoding = collector_header(&request, "Content-Encoding");
        assert_string_equal(request.line, "POST /v1/traces HTTP/1.1");
        assert_string_equal(collector_header(&request, "Content-Type"), "application/json");
        if (gzip)
            assert_string_equal(encoding, "gzip");
        else
            assert_null(encoding);
        assert_int_equal(request.body_len, strlen(TEXT));
        assert_memory_equal(request.body, TEXT, strlen(TEXT));
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
}

static void what_holds_no_span_is_not_sent(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = json_to(collector, false);
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(spans + 1, 1)};
    size_t rejected = 0;
    assert_int_equal(otlp->export_batch(otlp, &batch, wh_now() + LONG, &rejected), EBADMSG);
    assert_error_says(otlp, "no spans");
    assert_int_equal(collector_connections(collector), 0);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void an_answer_in_json_is_understood(void **state)
{
    (void)state;
    static const struct { struct collector_answer answer; int rc; size_t rejected; const char *said; } cases[] = {
        {{BODY("{}"), .headers = "Content-Type: application/json\r\n"}, 0, 1, NULL},
        {{BODY("{\"partialSuccess\":{\"rejectedSpans\":\"1\",\"errorMessage\":\"bad id\"}}")}, 0, 2, "bad id"},
        {{BODY("{\"partialSuccess\":{\"errorMessage\":\"slow down\"}}")}, 0, 1, "slow down"},
        {{BODY("<html>")}, 0, 1, "is it a collector?"},
        {{.status = 400, BODY("{\"code\":3,\"message\":\"no such field\"}")}, EIO, 0, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct collector *collector = collector_start(&cases[i].answer, 1);
        struct wh_exporter *otlp = json_to(collector, false);
        size_t rejected = 0;
        listen_to_reports();
        assert_int_equal(export_all(otlp, &rejected), cases[i].rc);
        assert_int_equal(rejected, cases[i].rejected);
        if (cases[i].rc) assert_error_says(otlp, "HTTP 400: no such field");
        assert_int_equal(report_count(), cases[i].said ? 1 : 0);
        if (cases[i].said) assert_non_null(strstr(reports.last, cases[i].said));
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
}

static void a_400_for_its_size_is_halved(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {
        {.status = 400, BODY("{\"code\":3,\"message\":\"http: request body too large\"}")}, {.status = 200}};
    struct collector *collector = collector_start(script, COUNT(script));
    struct wh_exporter *otlp = json_to(collector, true);
    size_t rejected = 0;
    assert_int_equal(export_until(otlp, 10, wh_now() + LONG, &rejected), 0);
    assert_int_equal(rejected, 0);
    assert_int_equal(collector_requests(collector), 3);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* ---- the writer ---- */

static void the_writer_keeps_its_memory_and_its_limit(void **state)
{
    (void)state;
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(spans, 3)};
    struct wh_json json = {.text = NULL};
    size_t written = 77;
    assert_int_equal(wh_json_write(&json, &batch, strlen(TEXT) - 1, &written), EMSGSIZE);
    assert_int_equal(written, 77);
    const char *const text = json.text;
    assert_int_equal(wh_json_write(&json, &batch, strlen(TEXT), &written), 0);
    assert_ptr_equal(json.text, text);
    assert_int_equal(written, 2);
    assert_int_equal(json.len, strlen(TEXT));
    assert_memory_equal(json.text, TEXT, json.len);
    const struct wh_batch none = {.size = sizeof none, ONE_SCOPE(spans + 1, 1)};
    assert_int_equal(wh_json_write(&json, &none, SIZE_MAX, &written), 0);
    assert_int_equal(written, 0);
    assert_int_equal(json.len, 0);
    wh_json_free(&json);
    assert_null(json.text);
    wh_json_free(&json);
}

static void without_memory_the_writer_says_so(void **state)
{
    (void)state;
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(spans, 3)};
    struct wh_json json = {.text = NULL};
    size_t written = 0;
    memory_ends_after(0);
    const int rc = wh_json_write(&json, &batch, SIZE_MAX, &written);
    memory_is_back();
    assert_int_equal(rc, ENOMEM);
    assert_int_equal(wh_json_write(&json, &batch, SIZE_MAX, &written), 0);
    wh_json_free(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_in_json_says_what_it_is),
        cmocka_unit_test(what_holds_no_span_is_not_sent),
        cmocka_unit_test(an_answer_in_json_is_understood),
        cmocka_unit_test(a_400_for_its_size_is_halved),
        cmocka_unit_test(the_writer_keeps_its_memory_and_its_limit),
        cmocka_unit_test(without_memory_the_writer_says_so),
    };
    return cmocka_run_group_tests_name("exporters/otlp_json", tests, NULL, NULL);
}
