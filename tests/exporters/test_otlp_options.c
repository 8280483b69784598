/* The options of the OTLP exporter: what is taken, what is refused and why, and limits of what comes. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#include "test_otlp.h"

static char folder[] = "/tmp/whence-otlp-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[4][128];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* ---- where it goes ---- */

/* Nothing is sent: what an exporter that was shut down says begins with its URL. */
static void endpoints_for_grpc_are_scheme_host_and_port(void **state)
{
    (void)state;
    static const struct { const char *endpoint, *traces; bool insecure; const char *shown; } cases[] = {
        {NULL, NULL, false, "http://localhost:4317"},
        {NULL, NULL, true, "http://localhost:4317"},
        {"collector:4317", NULL, false, "https://collector:4317"},
        {"collector:4317", NULL, true, "http://collector:4317"},
        {"collector", NULL, false, "https://collector"},
        {"[::1]:4317", NULL, true, "http://[::1]:4317"},
        {"http://collector:1", NULL, false, "http://collector:1"},
        {"https://collector:1", NULL, true, "https://collector:1"},
        {"https://collector:1/some/path?query#fragment", NULL, false, "https://collector:1"},
        {"http://unused", "https://user:secret@traces:2", false, "https://traces:2"},
        {"unix:///run/otel.sock", NULL, false, "http://localhost"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char said[200];
        struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(cases[i].endpoint, .traces_endpoint = cases[i].traces,
            .insecure = cases[i].insecure, .protocol = WH_OTLP_GRPC));
        otlp->shutdown(otlp, wh_now());
        assert_int_equal(export_within(otlp, LONG), ESHUTDOWN);
        snprintf(said, sizeof said, "%s/opentelemetry.proto.collector.trace.v1.TraceService/Export: the exporter was",
            cases[i].shown);
        assert_error_says(otlp, said);
        wh_exporter_free(otlp);
    }
}

static void after_the_shutdown_everything_is_refused(void **state)
{
    (void)state;
    for (int protocol = WH_OTLP_HTTP_PROTOBUF; protocol <= WH_OTLP_GRPC; protocol++) {
        struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(NULL, .protocol = protocol));
        assert_int_equal(otlp->flush(otlp, wh_now() + LONG), 0);
        otlp->shutdown(otlp, wh_now());
        otlp->shutdown(otlp, wh_now());
        assert_int_equal(export_within(otlp, LONG), ESHUTDOWN);
        assert_int_equal(otlp->flush(otlp, wh_now() + LONG), ESHUTDOWN);
        wh_exporter_free(otlp);
    }
}

/* Takes one connection, and answers what comes over it. */
static void *serve(void *listener)
{
    static char got[4096];
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    const int fd = accept(*(const int *)listener, NULL, NULL);
    size_t len = 0;
    memset(got, 0, sizeof got);
    while (len < sizeof got - 1 && !strstr(got, "hello")) {
        const ssize_t n = read(fd, got + len, sizeof got - 1 - len);
        if (n <= 0) break;
        len += (size_t)n;
    }
    if (write(fd, answer, sizeof answer - 1) != sizeof answer - 1) got[0] = '\0';
    close(fd);
    return got;
}

static void assert_goes_through(int *listener, const struct wh_otlp_opts *opts, const char *line, const char *host)
{
    pthread_t thread;
    void *got;
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new_at(opts));
    assert_int_equal(pthread_create(&thread, NULL, serve, listener), 0);
    static const char text[] = "\x2a\x05hello";
    const struct wh_bytes span = {text, sizeof text - 1};
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(&span, 1)};
    size_t rejected = 0;
    assert_int_equal(otlp->export_batch(otlp, &batch, wh_now() + LONG, &rejected), 0);
    pthread_join(thread, &got);
    assert_int_equal(strncmp(got, line, strlen(line)), 0);
    assert_non_null(strstr(got, host));
    wh_exporter_free(otlp);
}

static void unix_domain_sockets_are_connected_to(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char url[200];
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path_of("otlp.sock"));
    snprintf(url, sizeof url, "unix://%s", address.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    struct wh_otlp_opts opts = {.size = sizeof opts, .endpoint = url};
    assert_goes_through(&listener, &opts, "POST /v1/traces HTTP/1.1\r\n", "Host: localhost\r\n");
    opts.traces_endpoint = url;
    assert_goes_through(&listener, &opts, "POST /v1/traces HTTP/1.1\r\n", "Host: localhost\r\n");
    opts.traces_endpoint = "http://collector.invalid:99/x";
    opts.unix_socket = address.sun_path;
    assert_goes_through(&listener, &opts, "POST /x HTTP/1.1\r\n", "Host: collector.invalid:99\r\n");
    unsetenv("http_proxy");
    close(listener);
}

static void a_proxy_may_be_given_or_forbidden(void **state)
{
    (void)state;
    struct collector *proxy = collector_start(NULL, 0), *collector = collector_start(NULL, 0);
    struct wh_exporter *by_proxy =
        not_null(wh_otlp_exporter_new(collector_url(collector), .proxy = collector_url(proxy)));
    assert_int_equal(export_within(by_proxy, LONG), 0);
    assert_int_equal(collector_requests(proxy), 1);
    assert_int_equal(collector_requests(collector), 0);
    setenv("http_proxy", collector_url(proxy), 1);
    struct wh_exporter *without = not_null(wh_otlp_exporter_new("http://collector.invalid", .proxy = ""));
    assert_int_not_equal(export_within(without, WH_SEC(5)), 0);
    assert_int_equal(collector_requests(proxy), 1);
    unsetenv("http_proxy");
    wh_exporter_free(by_proxy);
    wh_exporter_free(without);
    collector_stop(proxy);
    collector_stop(collector);
}

static void the_user_agent_may_begin_with_a_product(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector), .user_agent = "shop/2.1"));
    assert_int_equal(export_within(otlp, LONG), 0);
    const struct collector_request request = collector_request(collector, 0);
    assert_string_equal(collector_header(&request, "User-Agent"), "shop/2.1 OTel-OTLP-Exporter-C/" WH_VERSION);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* ---- what is wrong is said at once ---- */

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"

static void assert_refused(struct wh_otlp_opts opts, const char *said)
{
    listen_to_reports();
    opts.size = sizeof opts;
    errno = 0;
    assert_null(wh_otlp_exporter_new_at(&opts));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(report_count(), 1);
    if (!strstr(reports.last, said)) fail_msg("\"%s\" does not say \"%s\"", reports.last, said);
}

static void certificates_and_keys_are_looked_at_when_it_is_made(void **state)
{
    (void)state;
    write_file("good.pem", "text before\n" CERTIFICATE);
    write_file("key.pem", KEY);
    write_file("both.pem", CERTIFICATE KEY);
    write_file("empty.pem", "");
    write_file("der.pem", "0\x82");
    const char *url = "https://localhost:4318";
#define WITH(...) (struct wh_otlp_opts){.endpoint = url, __VA_ARGS__}
    assert_refused(WITH(.certificate = path_of("none.pem")), "none.pem cannot be read: No such file or directory");
    assert_refused(WITH(.certificate = folder), "cannot be read: Is a directory");
    assert_refused(WITH(.certificate = path_of("empty.pem")), "holds no CERTIFICATE");
    assert_refused(WITH(.certificate = path_of("der.pem")), "holds no CERTIFICATE");
    assert_refused(WITH(.certificate = path_of("key.pem")), "holds no CERTIFICATE");
    assert_refused(WITH(.client_certificate = path_of("good.pem")), "the client key");
    assert_refused(WITH(.client_certificate = path_of("good.pem"), .client_key = path_of("good.pem")), "holds no PRIVATE KEY");
    assert_refused(WITH(.client_certificate = path_of("none.pem"), .client_key = path_of("key.pem")), "the client certificate");
    assert_refused(WITH(.client_key = path_of("key.pem")), "without a client certificate");
    listen_to_reports();
    wh_exporter_free(not_null(wh_otlp_exporter_new(url, .certificate = path_of("good.pem"))));
    wh_exporter_free(not_null(wh_otlp_exporter_new(url, .client_certificate = path_of("both.pem"))));
    wh_exporter_free(not_null(wh_otlp_exporter_new(url, .client_key = path_of("key.pem"),
        .client_certificate = path_of("good.pem"))));
    assert_int_equal(report_count(), 0);
    wh_exporter_free(not_null(wh_otlp_exporter_new("http://localhost", .certificate = path_of("good.pem"))));
    assert_int_equal(report_count(), 1);
    assert_non_null(strstr(reports.last, "is not https"));
}

static void other_options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static char long_path[200];
    memset(long_path, 'x', sizeof long_path - 1);
    assert_refused((struct wh_otlp_opts){.protocol = 3}, "no protocol number 3");
    assert_refused((struct wh_otlp_opts){.protocol = -1}, "no protocol number -1");
    assert_refused((struct wh_otlp_opts){.user_agent = "a\r\nX: y"}, "control character");
    assert_refused((struct wh_otlp_opts){.unix_socket = ""}, "Unix domain socket");
    assert_refused((struct wh_otlp_opts){.unix_socket = long_path}, "Unix domain socket");
    assert_refused((struct wh_otlp_opts){.endpoint = "http://user:secret@:1"}, "\":1\" is not an http or https URL");
    assert_refused((struct wh_otlp_opts){.endpoint = "grpc://x", .protocol = WH_OTLP_GRPC}, "not an http or https URL");
    assert_refused((struct wh_otlp_opts){.endpoint = "", .protocol = WH_OTLP_GRPC}, "not an http or https URL");
}

/* ---- limits of what comes ---- */

static size_t gzip(uint8_t *out, size_t size, const void *bytes, size_t len)
{
    union { const void *in; uint8_t *out; } input = {bytes};
    z_stream stream = {.next_in = input.out, .avail_in = (uInt)len, .next_out = out, .avail_out = (uInt)size};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

static void the_limit_of_an_answer_is_an_option(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {{.padding = 1000}, {.padding = 1001}};
    listen_to_reports();
    struct collector *collector = collector_start(script, COUNT(script));
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector), .max_response = 1000));
    expect(otlp, LONG, 0);
    expect(otlp, LONG, EIO);
    assert_error_says(otlp, "the answer is longer than 1000 bytes");
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* Five megabytes in five kilobytes. */
static void an_answer_counts_after_decompression(void **state)
{
    (void)state;
    static uint8_t bomb[8192], small[64];
    static char zeros[5 << 20];
    const struct collector_answer script[] = {
        {.headers = "Content-Encoding: gzip\r\n", .body = small, .body_len = gzip(small, sizeof small, "\x0a\x02\x08\x02", 4)},
        {.headers = "Content-Encoding: gzip\r\n", .body = bomb, .body_len = gzip(bomb, sizeof bomb, zeros, sizeof zeros)}};
    listen_to_reports();
    struct collector *collector = collector_start(script, COUNT(script));
    struct wh_exporter *otlp = otlp_to(collector);
    size_t rejected = 0;
    assert_int_equal(export_until(otlp, 3, wh_now() + LONG, &rejected), 0);
    assert_int_equal(rejected, 2);
    expect(otlp, LONG, EIO);
    assert_error_says(otlp, "the answer is longer than 4 MiB");
    const struct collector_request request = collector_request(collector, 0);
    assert_string_equal(collector_header(&request, "Accept-Encoding"), "gzip");
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"good.pem", "key.pem", "both.pem", "empty.pem", "der.pem", "otlp.sock"};
    for (size_t i = 0; i < COUNT(names); i++) unlink(path_of(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_for_grpc_are_scheme_host_and_port),
        cmocka_unit_test(after_the_shutdown_everything_is_refused),
        cmocka_unit_test(unix_domain_sockets_are_connected_to),
        cmocka_unit_test(a_proxy_may_be_given_or_forbidden),
        cmocka_unit_test(the_user_agent_may_begin_with_a_product),
        cmocka_unit_test(certificates_and_keys_are_looked_at_when_it_is_made),
        cmocka_unit_test(other_options_that_make_no_sense_are_refused),
        cmocka_unit_test(the_limit_of_an_answer_is_an_option),
        cmocka_unit_test(an_answer_counts_after_decompression),
    };
    return cmocka_run_group_tests_name("exporters/otlp_options", tests, make_folder, remove_folder);
}
