/* libcurl and libmicrohttpd under contexts, against each other: real connections over loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <whence/curl.h>
#include <whence/microhttpd.h>

#include "scopes.h"
#include "test.h"

/* ---- a server that does as its URL says ---- */

static struct server {
    struct MHD_Daemon *daemon;
    wh_ctx *root;
    unsigned short port;
    unsigned requests;
    const wh_ctx *held; /* by work in the background, of "/hold" and "/keep" */
    enum MHD_Result (*refuse)(void *root, struct MHD_Connection *connection); /* "/refuse", */
    int line;                                                                  /* and where it did */
} server;

/* "/keep": the request outlives the handler, up to the end of its answer. */
static enum MHD_Result keep_it(void *root, struct MHD_Connection *connection)
{
    wh_ctx *req = wh_mhd_start(root, connection, .route = "/keep");
    __atomic_store_n(&server.held, wh_hold(req), __ATOMIC_RELEASE);
    const enum MHD_Result queued = wh_mhd_reply_text(req, connection, 200, "text/plain", "kept");
    if (wh_mhd_keep(req, connection)) wh_end(req);
    return queued;
}

static enum MHD_Result handle(void *root, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state)
{
    (void)version, (void)upload, (void)upload_size, (void)state;
    if (strcmp(url, "/keep") == 0) return keep_it(root, connection);
    if (strcmp(url, "/refuse") == 0) return server.refuse(root, connection);
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/{what}", .timeout = WH_SEC(5));
    if (strcmp(url, "/hold") == 0) __atomic_store_n(&server.held, wh_hold(req), __ATOMIC_RELEASE);
    __atomic_fetch_add(&server.requests, 1, __ATOMIC_RELAXED);
    if (strcmp(url, "/wait") == 0) wh_wait(req, WH_SEC(5));
    const unsigned status = strncmp(url, "/status/", 8) == 0 ? (unsigned)atoi(url + 8) : wh_err(req) ? (unsigned)wh_http_status(req) : 200;
    return wh_mhd_reply_text(req, connection, status, "text/plain", wh_request_id(req));
}

static void serve(struct spans *spans)
{
    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server = (struct server){.root = wh_with_cancel(spans->root)};
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

/* ---- a client ---- */

struct answer {
    CURLcode rc;
    long status;
    char body[256];
};

static size_t keep(char *data, size_t one, size_t count, void *arg)
{
    struct answer *answer = arg;
    strncat(answer->body, data, one * count < 255 ? one * count : 255);
    return one * count;
}

static struct answer get_url(const wh_ctx *ctx, const char *url, int64_t timeout, const char *header)
{
    struct answer answer = {0};
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = header ? curl_slist_append(NULL, header) : NULL;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    answer.rc = wh_curl_perform(ctx, easy, .headers = headers, .route = "/{what}", .timeout = timeout);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    return answer;
}

static struct answer get(const wh_ctx *ctx, const char *path, int64_t timeout)
{
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", server.port, path);
    return get_url(ctx, url, timeout, NULL);
}

static struct wh_span_view span_of_kind(struct spans *spans, enum wh_kind kind)
{
    struct wh_span_view view, found;
    int count = 0;
    assert_int_equal(wh_provider_flush(spans->provider, WH_SEC(10)), 0);
    for (size_t i = 0; wh_memory_span(spans->memory, i, &view); i++)
        if (view.kind == kind) found = view, count++;
    assert_int_equal(count, 1);
    return found;
}

/* ---- tests ---- */

static void a_request_is_two_spans(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    serve(&spans);
    WH_AUTO wh_ctx *with_id = wh_with_request_id(spans.root, "r-17");
    const struct answer answer = get(with_id, "/hello", 0);
    assert_int_equal(answer.rc, CURLE_OK);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "r-17");
    stop_serving();
    const struct wh_span_view c = span_of_kind(&spans, WH_CLIENT), s = span_of_kind(&spans, WH_SERVER);
    assert_memory_equal(c.trace_id, s.trace_id, 16);
    assert_memory_equal(s.parent_span_id, c.span_id, 8);
    assert_memory_equal(c.name.ptr, "GET /{what}", 11);
    assert_memory_equal(s.name.ptr, "GET /{what}", 11);
    assert_string_equal(span_text(&s, "url.path"), "/hello");
    assert_string_equal(span_text(&s, "server.address"), "127.0.0.1");
    assert_int_equal(span_int(&s, "server.port"), server.port);
    assert_string_equal(span_text(&s, "whence.request_id"), "r-17");
    assert_int_equal(span_int(&c, "server.port"), server.port);
    assert_int_equal(span_int(&c, "http.response.status_code"), 200);
    assert_int_equal(c.status, WH_STATUS_UNSET);
    spans_end(&spans);
}

static void spans_are_of_the_integrations_scopes(void **state)
{
    (void)state;
    struct spans spans = spans_with_scopes();
    serve(&spans);
    assert_int_equal(get(spans.root, "/hello", 0).status, 200);
    stop_serving();
    spans_end(&spans);
    assert_true(was_of_scope("whence-curl"));
    assert_true(was_of_scope("whence-microhttpd"));
}

static void credentials_stay_out_of_the_trace(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    serve(&spans);
    char url[128];
    snprintf(url, sizeof url, "http://me:secret@127.0.0.1:%u/hello?q=1", server.port);
    get_url(spans.root, url, 0, "X-Own: header");
    stop_serving();
    const struct wh_span_view c = span_of_kind(&spans, WH_CLIENT);
    snprintf(url, sizeof url, "http://REDACTED:REDACTED@127.0.0.1:%u/hello?q=1", server.port);
    assert_string_equal(span_text(&c, "url.full"), url);
    spans_end(&spans);
}

/* HTTP spans, Status: 4xx is an error for the client, not for the server; 5xx for both. */
static void statuses(void **state)
{
    (void)state;
    static const struct { const char *path; bool client_error, server_error; const char *type; } rows[] = {
        {"/status/204", false, false, ""}, {"/status/404", true, false, "404"}, {"/status/500", true, true, "500"},
        {"/status/503", true, true, "503"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spans spans = spans_begin();
        serve(&spans);
        assert_int_equal(get(spans.root, rows[i].path, 0).rc, CURLE_OK);
        stop_serving();
        const struct wh_span_view c = span_of_kind(&spans, WH_CLIENT), s = span_of_kind(&spans, WH_SERVER);
        assert_int_equal(c.status == WH_STATUS_ERROR, rows[i].client_error);
        assert_int_equal(s.status == WH_STATUS_ERROR, rows[i].server_error);
        assert_int_equal(span_has(&c, "error.type"), rows[i].client_error);
        if (rows[i].client_error) assert_string_equal(span_text(&c, "error.type"), rows[i].type);
        if (rows[i].server_error) assert_string_equal(span_text(&s, "error.type"), rows[i].type);
        spans_end(&spans);
    }
}

/* The line of the handler, not one of the integration. */
static enum MHD_Result refuse(void *root, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .route = "/refuse");
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    server.line = __LINE__ + 1;
    const enum MHD_Result queued = wh_mhd_reply(req, connection, 503, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result refuse_in_words(void *root, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .route = "/refuse");
    server.line = __LINE__ + 1;
    return wh_mhd_reply_text(req, connection, 500, "text/plain", "no");
}

static void a_failed_request_says_in_which_line_it_was_answered(void **state)
{
    (void)state;
    static const struct {
        enum MHD_Result (*handle)(void *root, struct MHD_Connection *connection);
        const char *func;
    } rows[] = {{refuse, "refuse"}, {refuse_in_words, "refuse_in_words"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char site[64];
        struct spans spans = spans_begin();
        serve(&spans);
        server.refuse = rows[i].handle;
        assert_int_equal(get(spans.root, "/refuse", 0).rc, CURLE_OK);
        stop_serving();
        snprintf(site, sizeof site, "test_http.c:%d %s", server.line, rows[i].func);
        const struct wh_span_view s = span_of_kind(&spans, WH_SERVER);
        assert_string_equal(span_text(&s, "whence.failure.site"), site);
        spans_end(&spans);
    }
}

static void a_transfer_ends_with_its_deadline(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    serve(&spans);
    const int64_t begun = wh_now();
    assert_int_equal(get(spans.root, "/wait", WH_MS(100)).rc, CURLE_OPERATION_TIMEDOUT);
    assert_true(wh_now() - begun >= WH_MS(100));
    assert_true(wh_now() - begun < WH_SEC(3));
    stop_serving();
    const struct wh_span_view c = span_of_kind(&spans, WH_CLIENT), s = span_of_kind(&spans, WH_SERVER);
    assert_string_equal(span_text(&c, "whence.cancel.reason"), "deadline_exceeded");
    assert_string_equal(span_text(&c, "error.type"), "timeout");
    assert_int_equal(c.status, WH_STATUS_ERROR);
    assert_true(span_bool(&s, "whence.cancelled")); /* by the same budget, or by the hang-up: whichever it noticed first */
    assert_int_equal(s.status, WH_STATUS_UNSET);
    spans_end(&spans);
}

static void *cancel_soon(void *arg)
{
    usleep(100000);
    wh_cancel((wh_ctx *)arg, WH_SHUTDOWN, "closing");
    return NULL;
}

static void a_transfer_ends_with_its_context(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    serve(&spans);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(spans.root);
    pthread_t canceller;
    pthread_create(&canceller, NULL, cancel_soon, ctx);
    const int64_t begun = wh_now();
    assert_int_equal(get(ctx, "/wait", 0).rc, CURLE_ABORTED_BY_CALLBACK);
    assert_true(wh_now() - begun < WH_SEC(3));
    pthread_join(canceller, NULL);
    const unsigned requests = __atomic_load_n(&server.requests, __ATOMIC_RELAXED);
    assert_int_equal(get(ctx, "/hello", 0).rc, CURLE_ABORTED_BY_CALLBACK); /* does not even begin */
    assert_int_equal(__atomic_load_n(&server.requests, __ATOMIC_RELAXED), requests);
    stop_serving();
    const struct wh_span_view s = span_of_kind(&spans, WH_SERVER);
    assert_string_equal(span_text(&s, "whence.cancel.reason"), "client_gone");
    assert_int_equal(span_int(&s, "http.response.status_code"), 499);
    spans_end(&spans);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in bound;
    socklen_t size = sizeof bound;
    char url[64];
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&loopback, sizeof loopback), 0);
    getsockname(fd, (struct sockaddr *)&bound, &size);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(bound.sin_port));
    assert_int_equal(get_url(spans.root, url, 0, NULL).rc, CURLE_COULDNT_CONNECT);
    close(fd);
    const struct wh_span_view c = span_of_kind(&spans, WH_CLIENT);
    assert_int_equal(c.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&c, "error.type"), "ECONNREFUSED");
    spans_end(&spans);
}

/* A client that closes in mid request is noticed at once, and so is one that resets, or that will send no more. The caller's span is
 * the origin: it is he who has given up. */
static void hang_ups(void **state)
{
    (void)state;
    enum { CLOSES, RESETS, SENDS_NO_MORE, WAYS };
    static const char request[] = "GET /wait HTTP/1.1\r\nHost: h\r\n"
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n";
    for (int how = 0; how < WAYS; how++) {
        struct spans spans = spans_begin();
        serve(&spans);
        const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(write(fd, request, sizeof request - 1), sizeof request - 1);
        while (__atomic_load_n(&server.requests, __ATOMIC_RELAXED) == 0) usleep(1000);
        if (how == SENDS_NO_MORE) shutdown(fd, SHUT_WR);
        if (how == RESETS) setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        if (how != SENDS_NO_MORE) close(fd);
        stop_serving();
        if (how == SENDS_NO_MORE) close(fd);
        const struct wh_span_view s = span_of_kind(&spans, WH_SERVER);
        assert_string_equal(span_text(&s, "whence.cancel.reason"), "client_gone");
        assert_string_equal(span_text(&s, "whence.cancel.message"), how == RESETS ? "connection reset" : "connection closed");
        assert_string_equal(span_text(&s, "whence.cancel.origin.trace_id"), "0af7651916cd43dd8448eb211c80319c");
        assert_string_equal(span_text(&s, "whence.cancel.origin.span_id"), "b7ad6b7169203331");
        assert_string_equal(span_text(&s, "whence.deadline.source"), "own");
        assert_int_equal(s.status, WH_STATUS_UNSET);
        assert_true(span_double(&s, "whence.cancel.overrun_ms") < 1000);
        spans_end(&spans);
    }
}

/* The caller's time and the server's own limit: the shorter one holds, and the span says whose that is. */
static void the_shorter_time_holds_and_says_whose_it_is(void **state)
{
    (void)state;
    static const struct { const char *header, *source; double least, most; } rows[] = { /* the server's own limit: 5 s */
        {NULL, "own", 5000, 5000}, {"grpc-timeout: 10S", "own", 5000, 5000}, {"grpc-timeout: 4S", "caller", 0, 4000},
        {"whence-timeout: 3000m", "caller", 0, 3000}, {"whence-timeout: 6S", "own", 5000, 5000}, {"grpc-timeout: x", "own", 5000, 5000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char url[64];
        struct spans spans = spans_begin();
        serve(&spans);
        snprintf(url, sizeof url, "http://127.0.0.1:%u/hello", server.port);
        assert_int_equal(get_url(spans.root, url, 0, rows[i].header).status, 200);
        stop_serving();
        const struct wh_span_view s = span_of_kind(&spans, WH_SERVER);
        assert_string_equal(span_text(&s, "whence.deadline.source"), rows[i].source);
        const double budget = span_double(&s, "whence.deadline.budget_ms");
        assert_true(budget >= rows[i].least && budget <= rows[i].most);
        spans_end(&spans);
    }
}

/* The status of every other reason: tests/context/test_cause.c. */
static void T147_a_callers_deadline_is_504(void **state)
{
    (void)state;
    char url[64];
    struct spans spans = spans_begin();
    serve(&spans);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/wait", server.port);
    assert_int_equal(get_url(spans.root, url, 0, "whence-timeout: 30m").status, 504);
    stop_serving();
    const struct wh_span_view s = span_of_kind(&spans, WH_SERVER);
    assert_string_equal(span_text(&s, "whence.cancel.reason"), "deadline_exceeded");
    assert_string_equal(span_text(&s, "whence.deadline.source"), "caller");
    spans_end(&spans);
}

static void shutdown_lets_requests_finish(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    serve(&spans);
    pthread_t canceller;
    pthread_create(&canceller, NULL, cancel_soon, server.root);
    WH_AUTO wh_ctx *other = wh_detach(spans.root);
    const struct answer answer = get(other, "/wait", 0);
    assert_int_equal(answer.rc, CURLE_OK);
    assert_int_equal(answer.status, 503);
    pthread_join(canceller, NULL);
    stop_serving();
    spans_end(&spans);
}

/* Sends a request and reads of the answer; the connection stays open. */
static int ask_by_hand(const char *path)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[256];
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    const int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);
    assert_int_equal(write(fd, text, (size_t)len), len);
    assert_true(read(fd, text, sizeof text) > 12);
    assert_memory_equal(text, "HTTP/1.1 200", 12);
    return fd;
}

/* Work in the background that has kept the context of a request sees that this is over, and not just that it was cancelled. */
static void T145_background_work_sees_that_the_handler_has_returned(void **state)
{
    (void)state;
    static const char *const paths[] = {"/hold", "/keep"};
    for (int i = 0; i < 2; i++) {
        struct spans spans = spans_begin();
        serve(&spans);
        const int fd = ask_by_hand(paths[i]);
        const wh_ctx *held = __atomic_load_n(&server.held, __ATOMIC_ACQUIRE);
        assert_int_equal(wh_wait(held, WH_SEC(30)), ECANCELED);
        close(fd);
        stop_serving();
        assert_ptr_equal(wh_cause(held), WH_HANDLER_RETURNED);
        wh_release(held);
        const struct wh_span_view s = span_of_kind(&spans, WH_SERVER);
        assert_false(span_has(&s, "whence.cancelled")); /* it had ended before */
        assert_int_equal(s.status, WH_STATUS_UNSET);
        spans_end(&spans);
    }
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
        cmocka_unit_test(a_request_is_two_spans),
        cmocka_unit_test(spans_are_of_the_integrations_scopes),
        cmocka_unit_test(credentials_stay_out_of_the_trace),
        cmocka_unit_test(statuses),
        cmocka_unit_test(a_failed_request_says_in_which_line_it_was_answered),
        cmocka_unit_test(a_transfer_ends_with_its_deadline),
        cmocka_unit_test(a_transfer_ends_with_its_context),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(hang_ups),
        cmocka_unit_test(the_shorter_time_holds_and_says_whose_it_is),
        cmocka_unit_test(T147_a_callers_deadline_is_504),
        cmocka_unit_test(shutdown_lets_requests_finish),
        cmocka_unit_test(T145_background_work_sees_that_the_handler_has_returned),
    };
    return cmocka_run_group_tests_name("http", tests, begin, end);
}
