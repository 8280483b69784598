/* The OTLP exporter with a collector that is slow or never answers: deadlines, limits and interrupts. Times are bounds
 * from below, and bounds from above that tell a hang from a slow machine. */
#include "test_otlp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- somebody slow ---- */

static const struct collector_answer slow_ones[] = {
    {.manner = COLLECTOR_HANGS},
    {.manner = COLLECTOR_HANGS_UNREAD},
    {.byte_delay = 1000000000},
    {.delay = INT64_C(600) * 1000000000},
};

static void the_deadline_holds_whatever_the_collector_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(slow_ones); i++) {
        struct collector *collector = collector_start(&slow_ones[i], 1);
        struct wh_exporter *otlp = otlp_to(collector);
        const int64_t deadline = wh_now() + WH_MS(300);
        assert_int_equal(export_until(otlp, 3, deadline, NULL), ETIMEDOUT);
        assert_true(wh_now() >= deadline && wh_now() < deadline + LONG);
        assert_error_says(otlp, "no answer in time");
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
}

static void each_request_has_its_own_limit(void **state)
{
    (void)state;
    const struct collector_answer script[] = {{.status = 200}, {.manner = COLLECTOR_HANGS}, {.status = 200}};
    struct collector *collector = collector_start(script, 3);
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector), .timeout = WH_MS(200)));
    expect(otlp, WH_SEC(60), 0);
    expect(otlp, WH_SEC(60), 0);
    assert_int_equal(collector_requests(collector), 3);
    assert_int_equal(collector_connections(collector), 2);
    assert_true(collector_request(collector, 2).at - collector_request(collector, 1).at >= WH_MS(690));
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void no_limit_at_all_is_possible(void **state)
{
    (void)state;
    static const struct collector_answer slow = {.delay = 200000000};
    struct collector *collector = collector_start(&slow, 1);
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector), .timeout = WH_NEVER));
    assert_int_equal(export_until(otlp, 3, WH_NEVER, NULL), 0);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void nothing_is_begun_after_the_deadline(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    assert_int_equal(export_until(otlp, 3, wh_now() - 1, NULL), ETIMEDOUT);
    assert_int_equal(collector_connections(collector), 0);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* ---- interrupts ---- */

struct interruption {
    struct wh_exporter *otlp;
    struct collector *collector; /* NULL: a while is enough */
    size_t requests;
};

static void *interrupt_soon(void *arg)
{
    const struct interruption *interruption = arg;
    if (interruption->collector) collector_wait(interruption->collector, interruption->requests, LONG);
    usleep(100000);
    interruption->otlp->interrupt(interruption->otlp);
    return NULL;
}

static void expect_interrupted(struct wh_exporter *otlp, struct collector *collector, size_t requests)
{
    pthread_t thread;
    struct interruption interruption = {otlp, collector, requests};
    const int64_t begun = wh_now();
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, &interruption), 0);
    expect(otlp, WH_SEC(600), ECANCELED);
    assert_true(wh_now() - begun < LONG);
    assert_error_says(otlp, "interrupted");
    pthread_join(thread, NULL);
}

static void an_interrupt_ends_a_request(void **state)
{
    (void)state;
    const struct collector_answer script[] = {{.status = 200}, {.manner = COLLECTOR_HANGS}, {.status = 200}};
    struct collector *collector = collector_start(script, 3);
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector), .timeout = WH_NEVER));
    expect(otlp, WH_SEC(60), 0);
    expect_interrupted(otlp, collector, 2);
    expect(otlp, WH_SEC(60), 0);
    assert_int_equal(collector_requests(collector), 3);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void an_interrupt_ends_a_pause(void **state)
{
    (void)state;
    const struct collector_answer script[] = {{.status = 503, .headers = "Retry-After: 300\r\n"}, {.status = 200}};
    struct collector *collector = collector_start(script, 2);
    struct wh_exporter *otlp = otlp_to(collector);
    expect_interrupted(otlp, collector, 1);
    expect(otlp, WH_SEC(60), 0);
    assert_int_equal(collector_requests(collector), 2);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* A listener that accepts nothing, and whose queue is full: a further connect() is not answered. */
static void an_interrupt_ends_connecting(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fillers[8];
    char url[64];
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    for (size_t i = 0; i < COUNT(fillers); i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(fillers[i], (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) fail();
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(url, .timeout = WH_NEVER));
    expect_interrupted(otlp, NULL, 0);
    wh_exporter_free(otlp);
    for (size_t i = 0; i < COUNT(fillers); i++) close(fillers[i]);
    close(listener);
}

static void an_interrupt_just_before_a_call_is_for_that_call(void **state)
{
    (void)state;
    const struct collector_answer script[] = {{.manner = COLLECTOR_HANGS}, {.status = 200}};
    struct collector *collector = collector_start(script, 2);
    struct wh_exporter *otlp = otlp_to(collector);
    otlp->interrupt(otlp);
    const int64_t begun = wh_now();
    expect(otlp, WH_SEC(600), ECANCELED);
    assert_true(wh_now() - begun < LONG);
    for (int i = 0; i < 2 && collector_requests(collector) == 0; i++) export_within(otlp, WH_MS(200));
    expect(otlp, WH_SEC(60), 0);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void *interrupt_often(void *arg)
{
    const struct interruption *interruption = arg;
    for (int i = 0; i < 300; i++) {
        interruption->otlp->interrupt(interruption->otlp);
        usleep(200);
    }
    return NULL;
}

static void interrupts_at_any_time_do_no_harm(void **state)
{
    (void)state;
    pthread_t thread;
    struct collector *collector = collector_start(NULL, 0);
    struct interruption interruption = {.otlp = otlp_to(collector)};
    assert_int_equal(pthread_create(&thread, NULL, interrupt_often, &interruption), 0);
    for (int i = 0; i < 150; i++) {
        const int rc = export_within(interruption.otlp, WH_SEC(60));
        assert_true(rc == 0 || rc == ECANCELED); /* one that was meant for the call before breaks nothing of this */
    }
    pthread_join(thread, NULL);
    const int rc = export_within(interruption.otlp, WH_SEC(60));
    assert_true(rc == 0 || rc == ECANCELED);
    expect(interruption.otlp, WH_SEC(60), 0);
    wh_exporter_free(interruption.otlp);
    collector_stop(collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_deadline_holds_whatever_the_collector_does),
        cmocka_unit_test(each_request_has_its_own_limit),
        cmocka_unit_test(no_limit_at_all_is_possible),
        cmocka_unit_test(nothing_is_begun_after_the_deadline),
        cmocka_unit_test(an_interrupt_ends_a_request),
        cmocka_unit_test(an_interrupt_ends_a_pause),
        cmocka_unit_test(an_interrupt_ends_connecting),
        cmocka_unit_test(an_interrupt_just_before_a_call_is_for_that_call),
        cmocka_unit_test(interrupts_at_any_time_do_no_harm),
    };
    return cmocka_run_group_tests_name("exporters/otlp_time", tests, NULL, NULL);
}
