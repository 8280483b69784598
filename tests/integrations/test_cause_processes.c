/* The cause of a failure that happened in another process, and in one behind that. */
#include "services.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

WH_REASON(out_of_rates, "out_of_rates", .http_status = 503);

/* ---- what services do ---- */

static enum MHD_Result gives_up(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/rate");
    wh_cancel(req, out_of_rates, "none left");
    return wh_mhd_reply_text(req, connection, (unsigned)wh_http_status(req), "text/plain", "none");
}

/* Its own time is over long before the caller's. */
static enum MHD_Result too_slow(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/rate", .timeout = WH_MS(20));
    wh_wait(req, WH_NEVER);
    return wh_mhd_reply_text(req, connection, (unsigned)wh_http_status(req), "text/plain", "late");
}

static enum MHD_Result is_killed(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/rate");
    raise(SIGKILL);
    return MHD_NO;
}

static enum MHD_Result passes_on(struct service *service, struct MHD_Connection *connection)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(service->root, connection, .route = "/price", .timeout = WH_SEC(60));
    const long status = call_port(req, service->callee->port, 0, NULL);
    return wh_mhd_reply_text(req, connection, status == 200 ? 200 : 502, "text/plain", "passed on");
}

/* ---- processes ---- */

struct process {
    pid_t pid;
    unsigned short port;
};

static void serve_until_killed(const char *name, handler *handle, unsigned short callee, int report_to)
{
    static struct service self, next;
    alarm(120);
    next.port = callee;
    service_begin(&self, name, handle, &next);
    if (write(report_to, &self.port, sizeof self.port) != sizeof self.port) _exit(1);
    for (;;) pause();
}

static struct process begin_process(const char *name, handler *handle, unsigned short callee)
{
    struct process process;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    process.pid = fork_at_rest();
    if (process.pid == 0) serve_until_killed(name, handle, callee, ends[1]);
    assert_true(process.pid > 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], &process.port, sizeof process.port), sizeof process.port);
    close(ends[0]);
    return process;
}

static void end_process(struct process process)
{
    kill(process.pid, SIGKILL);
    waitpid(process.pid, NULL, 0);
}

/* ---- tests ---- */

struct expected {
    handler *last;
    const char *reason, *message, *service, *span_name; /* of the first cause */
};
static const struct expected table[] = {
    {gives_up, "out_of_rates", "none left", "rates", "GET /rate"},
    {too_slow, "deadline_exceeded", NULL, "rates", "GET /rate"},
    {is_killed, "unknown", "peer vanished", NULL, NULL}, /* nobody is left to say more */
};

/* Calls it, and looks at the end of the chain and at the span. */
static void check_call(unsigned short port, const struct expected *expected, const char *callee)
{
    struct wh_because list[WH_CAUSES_MAX];
    struct spans spans = spans_begin_with((struct wh_provider_opts){.service = "gateway"});
    wh_ctx *req = wh_start(spans.root, "GET /order", .timeout = WH_SEC(60));
    call_port(req, port, 0, NULL);
    const size_t count = wh_causes(req, list, WH_CAUSES_MAX);
    assert_true(count >= 2);
    const struct wh_because *first = &list[count - 1];
    assert_string_equal(first->reason, expected->reason);
    if (expected->message) assert_string_equal(first->text, expected->message);
    if (expected->service) assert_string_equal(first->service, expected->service);
    if (expected->span_name) assert_string_equal(first->span_name, expected->span_name);
    assert_true(first->remote);
    wh_end(req);
    const struct wh_span_view c = span_of_kind(&spans, WH_CLIENT);
    assert_string_equal(span_text(&c, WH_ATTR_CAUSE_ROOT_REASON), expected->reason);
    if (callee) assert_string_equal(span_text(&c, WH_ATTR_CALLEE_SERVICE), callee);
    assert_int_equal(c.status, WH_STATUS_ERROR);
    spans_end(&spans);
}

static void two_processes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct process rates = begin_process("rates", table[i].last, 0);
        check_call(rates.port, &table[i], table[i].service);
        end_process(rates);
    }
}

static void three_processes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct process rates = begin_process("rates", table[i].last, 0), price = begin_process("price", passes_on, rates.port);
        check_call(price.port, &table[i], "price");
        end_process(price);
        end_process(rates);
    }
}

/* The one behind it is not there at all: it is known who could not reach it. */
static void a_process_that_was_never_there(void **state)
{
    (void)state;
    const struct process gone = begin_process("rates", gives_up, 0);
    end_process(gone);
    const struct process price = begin_process("price", passes_on, gone.port);
    check_call(price.port, &(struct expected){.reason = "ECONNREFUSED", .service = "price", .span_name = "GET"}, "price");
    end_process(price);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_processes),
        cmocka_unit_test(three_processes),
        cmocka_unit_test(a_process_that_was_never_there),
    };
    return cmocka_run_group_tests_name("cause_processes", tests, set_up_curl, clean_up_curl);
}
