/* What travels between libcurl and libmicrohttpd under Whence, over a real connection. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <whence/curl.h>
#include <whence/microhttpd.h>

#include "test.h"

/* ---- a server that keeps what it has seen of the last request ---- */

struct seen {
    char trace_id[33], tenant[64], metadata[64], headers[8192], state[128];
    bool recording;
};

static struct {
    pthread_mutex_t lock;
    struct seen seen;
} last = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct seen last_seen(void)
{
    pthread_mutex_lock(&last.lock);
    const struct seen seen = last.seen;
    pthread_mutex_unlock(&last.lock);
    return seen;
}

static struct {
    struct MHD_Daemon *daemon;
    wh_ctx *root;
    unsigned short port;
} server;

static enum MHD_Result note(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct seen *seen = arg;
    (void)kind;
    const size_t len = strlen(seen->headers);
    snprintf(seen->headers + len, sizeof seen->headers - len, "%s: %s\n", name, value ? value : "");
    return MHD_YES;
}

static enum MHD_Result handle(void *root, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_size, void **state)
{
    struct wh_baggage_member member = {"", "", ""};
    struct wh_span_context span;
    (void)version, (void)upload, (void)upload_size, (void)state;
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url);
    struct seen seen = {.recording = wh_recording(req)};
    wh_find_baggage(req, "tenant", &member);
    wh_trace_id_hex(req, seen.trace_id);
    snprintf(seen.tenant, sizeof seen.tenant, "%s", member.value);
    snprintf(seen.metadata, sizeof seen.metadata, "%s", member.metadata ? member.metadata : "");
    if (wh_span_of(req, &span) && span.tracestate) snprintf(seen.state, sizeof seen.state, "%s", span.tracestate);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, note, &seen);
    pthread_mutex_lock(&last.lock);
    last.seen = seen;
    pthread_mutex_unlock(&last.lock);
    return wh_mhd_reply_text(req, connection, 200, "text/plain", "seen");
}

static void serve(struct spans *spans)
{
    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server.root = wh_with_cancel(spans->root);
    server.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0, NULL, NULL,
        handle, server.root, MHD_OPTION_SOCK_ADDR, &loopback, WH_MHD_OPTIONS, MHD_OPTION_END);
    assert_non_null(server.daemon);
    server.port = MHD_get_daemon_info(server.daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void stop_serving(void)
{
    wh_mhd_stop(server.daemon, WH_SEC(5));
    wh_end(server.root);
}

static size_t ignore(char *data, size_t one, size_t count, void *arg)
{
    (void)data, (void)arg;
    return one * count;
}

static void call(const wh_ctx *ctx)
{
    char url[64];
    CURL *easy = curl_easy_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", server.port);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    assert_int_equal(wh_curl_perform(ctx, easy), CURLE_OK);
    curl_easy_cleanup(easy);
}

/* A request as it stands. */
static void send_text(const char *text)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer[512];
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_true(read(fd, answer, sizeof answer) > 12);
    assert_memory_equal(answer, "HTTP/1.1 200", 12);
    close(fd);
}

/* ---- tests ---- */

static void baggage_passes_through_with_its_metadata(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    serve(&spans);
    WH_AUTO wh_ctx *with = wh_with_baggage(spans.root, "tenant", "blue, \xc3\xa4", .metadata = "ttl=3");
    call(with);
    stop_serving();
    assert_string_equal(last_seen().tenant, "blue, \xc3\xa4");
    assert_string_equal(last_seen().metadata, "ttl=3");
    assert_non_null(strstr(last_seen().headers, "baggage: tenant=blue%2C%20%C3%A4;ttl=3\n"));
    wh_end(with);
    with = NULL;
    spans_end(&spans);
}

static void every_format_carries_the_trace(void **state)
{
    (void)state;
    static const struct { const char *names, *header, *not_there; } rows[] = {
        {"tracecontext", "traceparent: 00-", "b3"}, {"b3", "b3: ", "traceparent"}, {"b3multi", "X-B3-TraceId: ", "traceparent"},
        {"jaeger", "uber-trace-id: ", "traceparent"}, {"b3,tracecontext", "b3: ", "X-B3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char id[33];
        struct spans spans = spans_begin();
        serve(&spans);
        assert_int_equal(wh_set_propagators_named(rows[i].names), 0);
        wh_ctx *client = wh_start(spans.root, "client");
        call(client);
        stop_serving();
        assert_string_equal(last_seen().trace_id, wh_trace_id_hex(client, id));
        assert_true(last_seen().recording);
        assert_non_null(strstr(last_seen().headers, rows[i].header));
        assert_null(strstr(last_seen().headers, rows[i].not_there));
        wh_end(client);
        spans_end(&spans);
    }
    assert_int_equal(wh_set_propagators_named(NULL), 0);
}

static void jaegers_baggage_is_found_among_the_headers(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    serve(&spans);
    assert_int_equal(wh_set_propagators_named("jaeger"), 0);
    WH_AUTO wh_ctx *with = wh_with_baggage(spans.root, "tenant", "blue");
    call(with);
    stop_serving();
    assert_string_equal(last_seen().tenant, "blue");
    assert_non_null(strstr(last_seen().headers, "uberctx-tenant: blue\n"));
    assert_int_equal(wh_set_propagators_named(NULL), 0);
    wh_end(with);
    with = NULL;
    spans_end(&spans);
}

static void several_header_lines_are_combined_in_order(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    serve(&spans);
    send_text("GET / HTTP/1.1\r\nHost: h\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nBaggage: a=1\r\n"
              "TraceState: a=1\r\nbaggage: tenant=green;m,b=2\r\ntracestate: b=2\r\nConnection: close\r\n\r\n");
    assert_string_equal(last_seen().tenant, "green");
    assert_string_equal(last_seen().state, "a=1,b=2");
    assert_string_equal(last_seen().trace_id, "0af7651916cd43dd8448eb211c80319c");
    send_text("GET / HTTP/1.1\r\nHost: h\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
              "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nConnection: close\r\n\r\n");
    assert_string_not_equal(last_seen().trace_id, "0af7651916cd43dd8448eb211c80319c");
    stop_serving();
    spans_end(&spans);
}

static void b3_decides_for_the_server(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    serve(&spans);
    assert_int_equal(wh_set_propagators_named("b3"), 0);
    send_text("GET / HTTP/1.1\r\nHost: h\r\nb3: 0\r\nConnection: close\r\n\r\n");
    assert_false(last_seen().recording);
    send_text("GET / HTTP/1.1\r\nHost: h\r\nX-B3-Sampled: 1\r\nConnection: close\r\n\r\n");
    assert_true(last_seen().recording);
    stop_serving();
    assert_int_equal(wh_set_propagators_named(NULL), 0);
    spans_end(&spans);
}

static int begin(void **state)
{
    (void)state;
    return (int)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int end(void **state)
{
    (void)state;
    curl_global_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(baggage_passes_through_with_its_metadata),
        cmocka_unit_test(every_format_carries_the_trace),
        cmocka_unit_test(jaegers_baggage_is_found_among_the_headers),
        cmocka_unit_test(several_header_lines_are_combined_in_order),
        cmocka_unit_test(b3_decides_for_the_server),
    };
    return cmocka_run_group_tests_name("propagation", tests, begin, end);
}
