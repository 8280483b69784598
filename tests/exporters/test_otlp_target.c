/* Where the OTLP exporter sends to, and with which header fields. */
#include "test_otlp.h"

/* ---- headers ---- */

static void headers_are_decoded(void **state)
{
    (void)state;
    listen_to_reports();
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector),
        .headers = "api-key=a%2Cb%3D=c, x-plain = some words ,x-empty=,,X%2DName=1,Authorization=Basic%20QTpC=="));
    assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
    const struct collector_request request = collector_request(collector, 0);
    assert_string_equal(collector_header(&request, "api-key"), "a,b==c");
    assert_string_equal(collector_header(&request, "x-plain"), "some words");
    assert_string_equal(collector_header(&request, "x-empty"), "");
    assert_string_equal(collector_header(&request, "x-name"), "1");
    assert_string_equal(collector_header(&request, "authorization"), "Basic QTpC==");
    assert_int_equal(report_count(), 0);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void malformed_headers_are_ignored_and_reported_once(void **state)
{
    (void)state;
    listen_to_reports();
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector),
        .headers = "good=1,secret,=2,sp ace=3,cut=%2,bad=%zz,split=a%0d%0ax-injected: 1,nul=%00,"
                   "Content-Type=text/plain,content-length=5,colon%3a=1,good2=2"));
    assert_int_equal(report_count(), 1);
    assert_non_null(strstr(reports.last, "10 of the 12"));
    assert_null(strstr(reports.last, "secret"));
    assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
    const struct collector_request request = collector_request(collector, 0);
    static const char *const absent[] = {"secret", "sp ace", "cut", "bad", "split", "x-injected", "nul", "colon"};
    for (size_t i = 0; i < COUNT(absent); i++) assert_null(collector_header(&request, absent[i]));
    assert_string_equal(collector_header(&request, "good"), "1");
    assert_string_equal(collector_header(&request, "good2"), "2");
    assert_string_equal(collector_header(&request, "Content-Type"), "application/x-protobuf");
    assert_int_not_equal(atoi(collector_header(&request, "Content-Length")), 5);
    assert_int_equal(report_count(), 1);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* ---- the URL ---- */

static void the_path_is_added_to_an_endpoint_only(void **state)
{
    (void)state;
    static const struct { const char *endpoint, *traces_endpoint, *line; } cases[] = {
        {"", NULL, "POST /v1/traces HTTP/1.1"},
        {"/", NULL, "POST /v1/traces HTTP/1.1"},
        {"/otlp", NULL, "POST /otlp/v1/traces HTTP/1.1"},
        {"/otlp/", NULL, "POST /otlp/v1/traces HTTP/1.1"},
        {"/o%20t?key=1", NULL, "POST /o%20t/v1/traces?key=1 HTTP/1.1"},
        {"", "", "POST / HTTP/1.1"},
        {"/ignored", "/custom/path?x=y", "POST /custom/path?x=y HTTP/1.1"},
        {"", "/v1/traces/", "POST /v1/traces/ HTTP/1.1"},
    };
    struct collector *collector = collector_start(NULL, 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *own = cases[i].traces_endpoint;
        char endpoint[128], traces[128];
        snprintf(endpoint, sizeof endpoint, "%s%s", collector_url(collector), cases[i].endpoint);
        snprintf(traces, sizeof traces, "%s%s", collector_url(collector), own ? own : "");
        struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(endpoint, .traces_endpoint = own ? traces : NULL));
        assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
        assert_string_equal(collector_request(collector, i).line, cases[i].line);
        wh_exporter_free(otlp);
    }
    collector_stop(collector);
}

static void what_is_no_http_url_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "%", "http", "http:", "http://", "https://", "://x", "localhost", "localhost:4318", "http:/localhost",
        "http:///v1", "http://:4318", "http://?x", "http://@", "http://user@", "http://local host", "http://a\nb",
        "http://localhost:port", "http://localhost:99999", "http://[::1", " http://localhost", "ftp://localhost",
        "grpc://localhost:4317", "file:///tmp/x", "unix:/run/otel.sock"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        errno = 0;
        if (wh_otlp_exporter_new(bad[i])) fail_msg("\"%s\" was taken for a URL", bad[i]);
        assert_int_equal(errno, EINVAL);
        errno = 0;
        assert_null(wh_otlp_exporter_new(NULL, .traces_endpoint = bad[i]));
        assert_int_equal(errno, EINVAL);
    }
    static const char *const good[] = {
        "http://localhost:4318", "HTTP://LOCALHOST", "https://[::1]:4318/x", "http://user:pw@host/"};
    for (size_t i = 0; i < COUNT(good); i++) wh_exporter_free(not_null(wh_otlp_exporter_new(good[i])));
}

/* Nothing is sent there: the exporter is shut down. */
static void errors_name_the_url_but_no_secret(void **state)
{
    (void)state;
    static const struct { const char *endpoint, *said; } cases[] = {
        {NULL, "http://localhost:4318/v1/traces: the exporter was shut down"},
        {"https://name:secret@example.org:99/a?token=secret#secret",
            "https://example.org:99/a/v1/traces: the exporter was shut down"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(cases[i].endpoint));
        otlp->shutdown(otlp, wh_now());
        assert_int_equal(export_within(otlp, WH_SEC(20)), ESHUTDOWN);
        assert_string_equal(otlp->last_error(otlp), cases[i].said);
        wh_exporter_free(otlp);
    }
}

static void a_shorter_structure_of_an_older_program_is_understood(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_otlp_opts opts = {.size = offsetof(struct wh_otlp_opts, traces_endpoint),
        .endpoint = collector_url(collector), .traces_endpoint = "not looked at", .gzip = true};
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new_at(&opts));
    assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
    const struct collector_request request = collector_request(collector, 0);
    assert_string_equal(request.line, "POST /v1/traces HTTP/1.1");
    assert_null(collector_header(&request, "Content-Encoding"));
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* ---- proxies ---- */

/* One that the environment names is asked for other machines, and not for this one. */
static void a_proxy_is_used_for_other_machines_only(void **state)
{
    (void)state;
    struct collector *proxy = collector_start(NULL, 0), *collector = collector_start(NULL, 0);
    setenv("http_proxy", collector_url(proxy), 1);
    unsetenv("no_proxy");
    unsetenv("NO_PROXY");
    struct wh_exporter *far = not_null(wh_otlp_exporter_new("http://collector.invalid:4318"));
    struct wh_exporter *near = otlp_to(collector);
    assert_int_equal(export_within(far, WH_SEC(20)), 0);
    assert_string_equal(collector_request(proxy, 0).line, "POST http://collector.invalid:4318/v1/traces HTTP/1.1");
    assert_int_equal(export_within(near, WH_SEC(20)), 0);
    assert_int_equal(collector_requests(collector), 1);
    assert_int_equal(collector_requests(proxy), 1);
    unsetenv("http_proxy");
    wh_exporter_free(far);
    wh_exporter_free(near);
    collector_stop(proxy);
    collector_stop(collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_decoded),
        cmocka_unit_test(malformed_headers_are_ignored_and_reported_once),
        cmocka_unit_test(the_path_is_added_to_an_endpoint_only),
        cmocka_unit_test(what_is_no_http_url_is_refused),
        cmocka_unit_test(errors_name_the_url_but_no_secret),
        cmocka_unit_test(a_shorter_structure_of_an_older_program_is_understood),
        cmocka_unit_test(a_proxy_is_used_for_other_machines_only),
    };
    return cmocka_run_group_tests_name("exporters/otlp_target", tests, NULL, NULL);
}
