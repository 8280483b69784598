/* A program that names no exporter: wh_main() finds whence-otlp because the program is linked with it. */
#include "test_otlp.h"

static int count_spans(const struct wh_batch *batch, void *count)
{
    *(size_t *)count += batch->count;
    return 0;
}

static void spans_go_where_the_environment_says(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    listen_to_reports();
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector_url(collector), 1);
    setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b", 1);
    setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", 1);
    wh_ctx *root = wh_main("main test", .no_signals = true);
    wh_end(wh_start(root, "only"));
    wh_end(root);
    assert_int_equal(report_count(), 0);
    assert_int_equal(collector_requests(collector), 1);
    size_t count = 0;
    const struct collector_request request = collector_request(collector, 0);
    assert_int_equal(wh_read_request((struct wh_bytes){request.body, request.body_len}, count_spans, &count), 0);
    assert_int_equal(count, 1);
    assert_string_equal(collector_header(&request, "x-key"), "a b");
    assert_string_equal(collector_header(&request, "Content-Encoding"), "gzip");
    collector_stop(collector);
}

static void an_endpoint_that_is_no_url_is_one_line(void **state)
{
    (void)state;
    listen_to_reports();
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", 1);
    wh_ctx *root = wh_main("main test", .no_signals = true);
    wh_end(wh_start(root, "still works"));
    wh_end(root);
    assert_int_equal(report_count(), 1);
    assert_non_null(strstr(reports.last, "localhost:4318"));
    assert_non_null(strstr(reports.last, "not an http or https URL"));
}

int main(void)
{
    static const char *const others[] = {"OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "WHENCE_TRACES_FILE",
        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"};
    for (size_t i = 0; i < COUNT(others); i++) unsetenv(others[i]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_go_where_the_environment_says),
        cmocka_unit_test(an_endpoint_that_is_no_url_is_one_line),
    };
    return cmocka_run_group_tests_name("exporters/otlp_main", tests, NULL, NULL);
}
