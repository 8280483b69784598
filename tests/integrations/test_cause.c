/* The cause of a callee's failure, over real connections between services (docs/cause-header.md). */
#include "services.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

WH_REASON(out_of_rates, "out_of_rates", .http_status = 503);

static struct wh_cause_stats stats(void)
{
    struct wh_cause_stats now = {.size = sizeof now};
    wh_cause_stats(&now);
    return now;
}

static int usual(void **state)
{
    (void)state;
    wh_set_cause_policy(true, true);
    return 0;
}

/* ---- three services, one behind the other ---- */

static struct service rates, price, gateway;

/* Waits until its own limit is over. */
static enum MHD_Result too_slow(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/rate", .timeout = WH_MS(20), .edge = service->edge);
    wh_wait(req, WH_NEVER);
    return wh_mhd_reply_text(req, connection, (unsigned)wh_http_status(req), "text/plain", "late");
}

static enum MHD_Result gives_up(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/rate", .edge = service->edge);
    wh_cancel(req, out_of_rates, "none left");
    return wh_mhd_reply_text(req, connection, (unsigned)wh_http_status(req), "text/plain", "none");
}

/* Calls the next one, and knows no better than to say so. */
static enum MHD_Result passes_on(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/price", .edge = service->edge);
    const long status = call_port(req, service->callee->port, 0, NULL);
    return wh_mhd_reply_text(req, connection, status == 200 ? 200 : 502, "text/plain", "passed on");
}

static int fetch_price(const wh_ctx *ctx, void *arg)
{
    struct service *service = arg;
    return call_port(ctx, service->callee->port, 0, NULL) == 200 ? 0 : EIO;
}

static char root_of_stock[128]; /* reason and service of the first cause for which it was stopped */

static int fetch_stock(const wh_ctx *ctx, void *arg)
{
    struct wh_because list[WH_CAUSES_MAX];
    (void)arg;
    WH_AUTO wh_ctx *op = wh_start(ctx, "fetch stock");
    const int rc = wh_wait(op, WH_NEVER);
    const size_t count = wh_causes(op, list, WH_CAUSES_MAX);
    assert_true(count > 1);
    snprintf(root_of_stock, sizeof root_of_stock, "%s %s", list[count - 1].reason, list[count - 1].service);
    return rc;
}

/* A group, whose second member is stopped since the first one's callee has failed. */
static enum MHD_Result fans_out(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/order");
    wh_group *group = wh_group_new(req);
    wh_go(group, fetch_stock, service);
    wh_go(group, fetch_price, service);
    const int rc = wh_group_wait(group);
    wh_group_free(group);
    return wh_mhd_reply_text(req, connection, rc ? 502 : 200, "text/plain", "order");
}

static void begin_three(handler *last, handler *first)
{
    rates = price = gateway = (struct service){0};
    service_begin(&rates, "rates", last, NULL);
    service_begin(&price, "price", passes_on, &rates);
    service_begin(&gateway, "gateway", first, &price);
}

static void stop_three(void)
{
    service_stop(&gateway);
    service_stop(&price);
    service_stop(&rates);
}

static void end_three(void)
{
    service_end(&gateway);
    service_end(&price);
    service_end(&rates);
}

static const char *hex_id(const uint8_t *id, size_t len)
{
    static char text[33];
    for (size_t i = 0; i < len; i++) snprintf(text + 2 * i, 3, "%02x", id[i]);
    return text;
}

static void T153_the_client_span_shows_what_the_callee_said(void **state)
{
    (void)state;
    begin_three(gives_up, passes_on);
    assert_int_equal(call_port(gateway.spans.root, rates.port, 0, NULL), 503);
    stop_three();
    const struct wh_span_view s = span_of_kind(&rates.spans, WH_SERVER), c = span_of_kind(&gateway.spans, WH_CLIENT);
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_REASON), "out_of_rates");
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_MESSAGE), "none left");
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_SERVICE), "rates");
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_SPAN_NAME), "GET /rate");
    assert_non_null(strstr(span_text(&c, WH_ATTR_CALLEE_SITE), "gives_up"));
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_TRACE_ID), hex_id(s.trace_id, 16));
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_SPAN_ID), hex_id(s.span_id, 8));
    assert_string_equal(span_text(&c, WH_ATTR_ERROR_TYPE), "503");
    assert_int_equal(c.status, WH_STATUS_ERROR);
    end_three();
}

/* A client of the gateway, two services away from the deadline that passed. */
static void the_first_cause_is_known_three_services_up(void **state)
{
    (void)state;
    begin_three(too_slow, passes_on);
    struct wh_because list[WH_CAUSES_MAX];
    wh_ctx *outside = wh_start(gateway.spans.root, "outside");
    assert_int_equal(call_port(outside, gateway.port, 0, NULL), 502);
    const size_t count = wh_causes(outside, list, WH_CAUSES_MAX);
    stop_three();
    const struct wh_span_view s = span_of_kind(&rates.spans, WH_SERVER);
    assert_true(count >= 3);
    assert_string_equal(list[0].reason, "502");
    assert_false(list[0].remote);
    assert_string_equal(list[count - 1].reason, "deadline_exceeded");
    assert_string_equal(list[count - 1].service, "rates");
    assert_string_equal(list[count - 1].span_name, "GET /rate");
    assert_memory_equal(list[count - 1].span_id, s.span_id, 8);
    assert_memory_equal(list[count - 1].trace_id, s.trace_id, 16);
    assert_true(list[count - 1].remote);
    for (size_t i = 1; i < count; i++)
        for (size_t k = 0; k < i; k++) assert_memory_not_equal(list[i].span_id, list[k].span_id, 8); /* everyone once */
    wh_end(outside);
    end_three();
}

static void a_sibling_that_is_stopped_for_it_knows_the_first_cause(void **state)
{
    (void)state;
    begin_three(too_slow, fans_out);
    assert_int_equal(call_port(rates.spans.root, gateway.port, 0, NULL), 502);
    stop_three();
    const struct wh_span_view stock = span_named(&gateway.spans, "fetch stock");
    assert_string_equal(span_text(&stock, WH_ATTR_CANCEL_REASON), "sibling_failed");
    assert_string_equal(root_of_stock, "deadline_exceeded rates");
    assert_string_equal(span_text(&stock, WH_ATTR_CAUSE_ROOT_REASON), "deadline_exceeded");
    assert_string_equal(span_text(&stock, WH_ATTR_CAUSE_ROOT_SERVICE), "rates");
    assert_string_equal(span_text(&stock, WH_ATTR_CAUSE_ROOT_SPAN_NAME), "GET /rate");
    assert_string_equal(span_text(&stock, WH_ATTR_CAUSE_ROOT_SPAN_ID), hex_id(span_of_kind(&rates.spans, WH_SERVER).span_id, 8));
    end_three();
}

static void what_is_cancelled_because_of_it_knows_the_first_cause(void **state)
{
    (void)state;
    begin_three(gives_up, passes_on);
    wh_ctx *req = wh_start(gateway.spans.root, "req"), *other = wh_start(gateway.spans.root, "other");
    call_port(req, price.port, 0, NULL);
    assert_true(wh_cancel_because(other, WH_SIBLING_FAILED, "no use without a price", req));
    struct wh_because list[WH_CAUSES_MAX];
    const size_t count = wh_causes(other, list, WH_CAUSES_MAX);
    assert_true(count > 2);
    assert_string_equal(list[0].reason, "sibling_failed");
    assert_string_equal(list[count - 1].reason, "out_of_rates");
    assert_string_equal(list[count - 1].text, "none left");
    assert_string_equal(list[count - 1].service, "rates");
    wh_end(other);
    wh_end(req);
    stop_three();
    const struct wh_span_view o = span_named(&gateway.spans, "other");
    assert_string_equal(span_text(&o, WH_ATTR_CAUSE_ROOT_REASON), "out_of_rates");
    assert_string_equal(span_text(&o, WH_ATTR_CAUSE_ROOT_MESSAGE), "none left");
    assert_string_equal(span_text(&o, WH_ATTR_CAUSE_ROOT_SERVICE), "rates");
    end_three();
}

/* ---- who says nothing, and who does not listen ---- */

static void ask_raw(unsigned short port, char *answer, size_t size)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    const int fd = connect_to(port);
    assert_int_equal(write(fd, request, sizeof request - 1), sizeof request - 1);
    read_all(fd, answer, size);
    close(fd);
}

static void nothing_of_the_inside_leaves_by_the_edge(void **state)
{
    (void)state;
    char answer[8192];
    begin_three(gives_up, passes_on);
    ask_raw(gateway.port, answer, sizeof answer);
    assert_non_null(strstr(answer, "whence-cause: "));
    assert_non_null(strstr(answer, "out_of_rates"));
    gateway.edge = true;
    const struct wh_cause_stats before = stats();
    ask_raw(gateway.port, answer, sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 502", 12);
    assert_null(strstr(answer, "whence-cause"));
    assert_null(strstr(answer, "out_of_rates"));
    assert_null(strstr(answer, "rates"));
    assert_int_equal(stats().hidden, before.hidden + 1);
    assert_int_equal(stats().accepted, before.accepted + 2); /* inside it is said as ever */
    wh_set_cause_policy(false, true);
    gateway.edge = false;
    ask_raw(gateway.port, answer, sizeof answer);
    assert_null(strstr(answer, "whence-cause"));
    stop_three();
    end_three();
}

static void who_does_not_accept_shows_nothing(void **state)
{
    (void)state;
    begin_three(gives_up, passes_on);
    wh_set_cause_policy(true, false);
    const struct wh_cause_stats before = stats();
    assert_int_equal(call_port(gateway.spans.root, rates.port, 0, NULL), 503);
    stop_three();
    assert_int_equal(stats().unwanted, before.unwanted + 1);
    const struct wh_span_view c = span_of_kind(&gateway.spans, WH_CLIENT);
    assert_false(span_has(&c, WH_ATTR_CALLEE_REASON));
    assert_string_equal(span_text(&c, WH_ATTR_ERROR_TYPE), "503");
    end_three();
}

static enum MHD_Result is_fine(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/rate");
    wh_ctx *op = wh_start(req, "tried in vain, and done in another way");
    wh_fail(op, EIO, "no matter");
    wh_end(op);
    return wh_mhd_reply_text(req, connection, 200, "text/plain", "fine");
}

static enum MHD_Result is_not_found(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/rate");
    return wh_mhd_reply_text(req, connection, 404, "text/plain", "nothing");
}

static enum MHD_Result has_a_response_of_its_own(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/rate");
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    wh_mhd_add_cause(req, response); /* nothing yet */
    wh_cancel(req, out_of_rates, "r\xc3\xa4tes");
    wh_mhd_add_cause(req, response);
    const enum MHD_Result queued = wh_mhd_reply(req, connection, 503, response);
    MHD_destroy_response(response);
    return queued;
}

static void only_failures_have_causes(void **state)
{
    (void)state;
    static const struct { handler *handle; const char *status; const char *says; } rows[] = {
        {is_fine, "HTTP/1.1 200", NULL}, {is_not_found, "HTTP/1.1 404", NULL},
        {has_a_response_of_its_own, "HTTP/1.1 503", "whence-cause: out_of_rates;v=1;m=%\"r%c3%a4tes\";s="},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char answer[8192];
        service_begin(&rates, "rates", rows[i].handle, NULL);
        ask_raw(rates.port, answer, sizeof answer);
        assert_memory_equal(answer, rows[i].status, 12);
        if (rows[i].says) assert_non_null(strstr(answer, rows[i].says));
        else assert_null(strstr(answer, "whence-cause"));
        service_stop(&rates);
        service_end(&rates);
    }
}

/* ---- strangers: a child that answers one connection as it is told ---- */

enum how { CLOSES, RESETS, IS_KILLED, HANGS };

static unsigned short listen_on(int *listener)
{
    struct sockaddr_in bound = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof bound;
    *listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*listener, (const struct sockaddr *)&bound, sizeof bound), 0);
    assert_int_equal(listen(*listener, 4), 0);
    getsockname(*listener, (struct sockaddr *)&bound, &size);
    return ntohs(bound.sin_port);
}

static void answer_one(int listener, const char *text, enum how how)
{
    char request[4096];
    size_t len = 0;
    alarm(60);
    const int fd = accept(listener, NULL, NULL);
    while (len < sizeof request - 1) { /* all of it, so that what follows is no reset unless it is to be one */
        const ssize_t n = read(fd, request + len, sizeof request - 1 - len);
        if (n <= 0) break;
        request[len += (size_t)n] = '\0';
        if (strstr(request, "\r\n\r\n")) break;
    }
    for (const char *at = text, *end = text + strlen(text); at < end;) {
        const ssize_t n = write(fd, at, (size_t)(end - at));
        if (n <= 0) break;
        at += n;
    }
    if (how == IS_KILLED) raise(SIGKILL);
    if (how == HANGS) pause();
    if (how == RESETS) setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(fd);
    _exit(0);
}

/* Calls it, and returns the client's span. */
static struct wh_span_view call_stranger(struct spans *spans, const char *text, enum how how, int64_t timeout)
{
    int listener;
    const unsigned short port = listen_on(&listener);
    const pid_t child = fork_at_rest();
    if (child == 0) answer_one(listener, text, how);
    assert_true(child > 0);
    close(listener);
    call_port(spans->root, port, timeout, NULL);
    if (how == HANGS) kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return span_of_kind(spans, WH_CLIENT);
}

static void a_peer_that_vanishes_is_an_unknown_cause(void **state)
{
    (void)state;
    static const struct { const char *text; enum how how; } rows[] = {
        {"", CLOSES}, {"", RESETS}, {"", IS_KILLED}, {"HTTP/1.1 20", IS_KILLED},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it", CLOSES},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it", IS_KILLED},
        {"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf of it", IS_KILLED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spans spans = spans_begin();
        const struct wh_span_view c = call_stranger(&spans, rows[i].text, rows[i].how, 0);
        if (!span_has(&c, WH_ATTR_CALLEE_REASON)) fail_msg("row %zu", i);
        assert_string_equal(span_text(&c, WH_ATTR_CALLEE_REASON), "unknown");
        assert_string_equal(span_text(&c, WH_ATTR_CALLEE_MESSAGE), "peer vanished");
        assert_int_equal(c.status, WH_STATUS_ERROR);
        spans_end(&spans);
    }
}

/* The whole answer came, or it was the client who left, or there never was anybody. */
static void all_else_is_no_vanished_peer(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct wh_span_view c = call_stranger(&spans, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", CLOSES, 0);
    assert_false(span_has(&c, WH_ATTR_CALLEE_REASON));
    spans_end(&spans);
    spans = spans_begin();
    c = call_stranger(&spans, "", HANGS, WH_MS(50));
    assert_false(span_has(&c, WH_ATTR_CALLEE_REASON));
    assert_string_equal(span_text(&c, WH_ATTR_CANCEL_REASON), "deadline_exceeded");
    spans_end(&spans);
    spans = spans_begin();
    int listener;
    const unsigned short port = listen_on(&listener);
    close(listener);
    CURLcode rc;
    assert_int_equal(call_port(spans.root, port, 0, &rc), 0);
    assert_int_equal(rc, CURLE_COULDNT_CONNECT);
    c = span_of_kind(&spans, WH_CLIENT);
    assert_false(span_has(&c, WH_ATTR_CALLEE_REASON));
    spans_end(&spans);
}

static void T153_what_strangers_say_is_taken_or_refused(void **state)
{
    (void)state;
    static const struct { const char *status, *lines, *reason; bool refused; } rows[] = {
        {"500 No", "Whence-Cause: timeout;v=1\r\n", "timeout", false},
        {"500 No", "whence-cause: timeout;v=1\r\nx: y\r\nWHENCE-CAUSE: shutdown;v=1\r\n", "timeout", false},
        {"404 No", "whence-cause: not_here;v=1\r\n", "not_here", false},
        {"200 OK", "whence-cause: timeout;v=1\r\n", NULL, false},
        {"500 No", "x: whence-cause\r\n", NULL, false},
        {"500 No", "whence-cause: timeout;v=2\r\n", NULL, true},
        {"500 No", "whence-cause: a;v=1;m=%\"%1b[2J\"\r\n", NULL, true},
        {"500 No", "whence-cause: a;v=1;m=%\"\xff\"\r\n", NULL, true},
        {"500 No", "whence-cause: a;v=1;t=\"GGf92f3577b34da6a3ce929d0e0e4736\";p=\"00f067aa0ba902b7\"\r\n", NULL, true},
        {"500 No", "whence-cause: a;v=1, b, c, d, e\r\nwhence-cause: f;v=1, g, h, i\r\n", NULL, true},
        {"500 No", "whence-cause:\r\n", NULL, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        struct spans spans = spans_begin();
        const struct wh_cause_stats before = stats();
        snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: 0\r\n%s\r\n", rows[i].status, rows[i].lines);
        const struct wh_span_view c = call_stranger(&spans, text, CLOSES, 0);
        if (span_has(&c, WH_ATTR_CALLEE_REASON) != (rows[i].reason != NULL)) fail_msg("row %zu", i);
        if (rows[i].reason) assert_string_equal(span_text(&c, WH_ATTR_CALLEE_REASON), rows[i].reason);
        assert_int_equal(stats().refused, before.refused + rows[i].refused);
        assert_int_equal(stats().accepted, before.accepted + (rows[i].reason != NULL));
        spans_end(&spans);
    }
}

static void a_field_of_any_length_does_no_harm(void **state)
{
    (void)state;
    static const size_t sizes[] = {2000, 2031, 2032, 2033, 2048, 2049, 2050, 4000, 60000};
    static char text[70000];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct spans spans = spans_begin();
        int len = snprintf(text, sizeof text, "HTTP/1.1 500 No\r\nContent-Length: 0\r\nwhence-cause: a;v=1;x=\"");
        memset(text + len, 'y', sizes[i]);
        snprintf(text + len + sizes[i], sizeof text - (size_t)len - sizes[i], "\"\r\n\r\n");
        const struct wh_span_view c = call_stranger(&spans, text, CLOSES, 0);
        assert_int_equal(span_has(&c, WH_ATTR_CALLEE_REASON), sizes[i] + strlen("a;v=1;x=\"\"") <= 2048);
        assert_string_equal(span_text(&c, WH_ATTR_ERROR_TYPE), "500");
        spans_end(&spans);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(T153_the_client_span_shows_what_the_callee_said, usual),
        cmocka_unit_test_teardown(the_first_cause_is_known_three_services_up, usual),
        cmocka_unit_test_teardown(a_sibling_that_is_stopped_for_it_knows_the_first_cause, usual),
        cmocka_unit_test_teardown(what_is_cancelled_because_of_it_knows_the_first_cause, usual),
        cmocka_unit_test_teardown(nothing_of_the_inside_leaves_by_the_edge, usual),
        cmocka_unit_test_teardown(who_does_not_accept_shows_nothing, usual),
        cmocka_unit_test_teardown(only_failures_have_causes, usual),
        cmocka_unit_test_teardown(a_peer_that_vanishes_is_an_unknown_cause, usual),
        cmocka_unit_test_teardown(all_else_is_no_vanished_peer, usual),
        cmocka_unit_test_teardown(T153_what_strangers_say_is_taken_or_refused, usual),
        cmocka_unit_test_teardown(a_field_of_any_length_does_no_harm, usual),
    };
    return cmocka_run_group_tests_name("cause", tests, set_up_curl, clean_up_curl);
}
