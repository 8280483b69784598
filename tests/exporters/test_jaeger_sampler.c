/* The Jaeger remote sampler, with a server that says what it is told to. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "collector.h"
#include "otlp/mem.h"
#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ALL "{\"strategyType\":\"PROBABILISTIC\",\"probabilisticSampling\":{\"samplingRate\":1}}"
#define NONE "{\"strategyType\":0,\"probabilisticSampling\":{\"samplingRate\":0}}"
#define SAYS(text) {.body = (text), .body_len = sizeof(text) - 1, .headers = "Content-Type: application/json\r\n"}

/* ---- what the library says ---- */

static pthread_mutex_t words_lock = PTHREAD_MUTEX_INITIALIZER;
static char words[16][512];
static size_t word_count;

static void hear(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity;
    (void)arg;
    pthread_mutex_lock(&words_lock);
    if (word_count < COUNT(words)) snprintf(words[word_count++], sizeof *words, "%s", line);
    pthread_mutex_unlock(&words_lock);
}

static size_t times_said(const char *part)
{
    size_t count = 0;
    pthread_mutex_lock(&words_lock);
    for (size_t i = 0; i < word_count; i++) count += strstr(words[i], part) != NULL;
    pthread_mutex_unlock(&words_lock);
    return count;
}

static void begin_listening(void)
{
    word_count = 0;
    wh_report_to(hear, NULL);
}

/* ---- asking ---- */

static bool is_sampled(struct spans *spans, const char *name)
{
    wh_ctx *span = wh_start(spans->root, name);
    const bool sampled = wh_recording(span);
    wh_end(span);
    return sampled;
}

static unsigned sampled_of(struct spans *spans, const char *name, unsigned count)
{
    unsigned sampled = 0;
    for (unsigned i = 0; i < count; i++) sampled += is_sampled(spans, name);
    return sampled;
}

static void a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Until it comes out so, however slow the machine is; 30 seconds are a hang. */
static void await(struct spans *spans, const char *name, bool sampled)
{
    const int64_t limit = wh_now() + WH_SEC(30);
    while (is_sampled(spans, name) != sampled) {
        if (wh_now() > limit) fail_msg("\"%s\" is not as it should be", name);
        a_moment();
    }
}

static struct spans spans_with(const char *endpoint, int64_t interval, struct wh_sampler *initial)
{
    struct wh_sampler *jaeger = wh_jaeger_sampler_new(.endpoint = endpoint, .service = "orders & more", .interval = interval, .initial = initial);
    return spans_begin_with((struct wh_provider_opts){.sampler = wh_sampler_parent_based(jaeger)});
}

static void the_initial_sampler_decides_until_there_is_an_answer(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {{.manner = COLLECTOR_HANGS}};
    struct collector *collector = collector_start(script, 1);
    struct spans spans = spans_with(collector_url(collector), WH_SEC(60), wh_sampler_always_on());
    for (int i = 0; i < 10; i++) assert_true(is_sampled(&spans, "span"));
    assert_true(collector_wait(collector, 1, WH_SEC(30)));
    assert_true(is_sampled(&spans, "span"));
    spans_end(&spans);
    collector_stop(collector);
}

static void it_asks_for_its_service_at_the_first_span_and_does_as_it_is_told(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {SAYS(NONE)};
    struct collector *collector = collector_start(script, 1);
    struct spans spans = spans_with(collector_url(collector), WH_SEC(600), wh_sampler_always_on());
    assert_int_equal(collector_connections(collector), 0);
    await(&spans, "span", false);
    assert_int_equal(sampled_of(&spans, "span", 100), 0);
    assert_int_equal(collector_requests(collector), 1);
    assert_string_equal(collector_request(collector, 0).line, "GET /sampling?service=orders%20%26%20more HTTP/1.1");
    spans_end(&spans);
    collector_stop(collector);
}

static void it_asks_again_every_interval(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {SAYS(NONE), SAYS(ALL), SAYS(NONE)};
    struct collector *collector = collector_start(script, 3);
    struct spans spans = spans_with(collector_url(collector), WH_MS(300), wh_sampler_always_on());
    await(&spans, "span", false);
    await(&spans, "span", true);
    await(&spans, "span", false);
    assert_true(collector_request(collector, 1).at - collector_request(collector, 0).at >= WH_MS(299));
    spans_end(&spans);
    collector_stop(collector);
}

static void errors_keep_what_was_said_last_and_are_said_once_an_outage(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {SAYS(NONE), {.status = 500}, SAYS("{}"), {.manner = COLLECTOR_RESETS}, SAYS("{\"strategy"),
        {.padding = (1 << 20) + 1}, {.status = 302, .headers = "Location: /elsewhere\r\n"}, {.manner = COLLECTOR_SAYS, .body = "no HTTP", .body_len = 7},
        SAYS(NONE), {.status = 404}, SAYS(ALL)};
    struct collector *collector = collector_start(script, COUNT(script));
    begin_listening();
    struct spans spans = spans_with(collector_url(collector), WH_MS(20), wh_sampler_always_on());
    await(&spans, "span", false);
    while (collector_requests(collector) < COUNT(script) - 1) assert_false(is_sampled(&spans, "span"));
    await(&spans, "span", true);
    spans_end(&spans);
    wh_report_to(NULL, NULL);
    collector_stop(collector);
    assert_int_equal(times_said("no sampling strategies for orders & more from http://127.0.0.1:"), 2);
    assert_int_equal(times_said("HTTP 500"), 1);
    assert_int_equal(times_said("HTTP 404"), 1);
    assert_true(times_said("there are sampling strategies") >= 1); /* the second time may come after the end */
}

static void of_a_rate_so_many_are_sampled(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {SAYS("{\"strategyType\":1,\"rateLimitingSampling\":{\"maxTracesPerSecond\":3}}")};
    struct collector *collector = collector_start(script, 1);
    struct spans spans = spans_with(collector_url(collector), WH_SEC(600), wh_sampler_always_on());
    await(&spans, "span", false);
    const int64_t begun = wh_now();
    const unsigned sampled = sampled_of(&spans, "span", 2000);
    assert_true(sampled <= 3.0 * (double)(wh_now() - begun) / 1e9 + 4);
    await(&spans, "span", true); /* it fills again */
    spans_end(&spans);
    collector_stop(collector);
}

static void operations_have_their_own_share_and_a_least_rate(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {SAYS("{\"strategyType\":0,\"probabilisticSampling\":{\"samplingRate\":1},\"operationSampling\":{"
        "\"defaultSamplingProbability\":0,\"defaultLowerBoundTracesPerSecond\":0.0001,\"perOperationStrategies\":["
        "{\"operation\":\"all\",\"probabilisticSampling\":{\"samplingRate\":1}},{\"operation\":\"none\",\"probabilisticSampling\":{\"samplingRate\":0}}]}}")};
    struct collector *collector = collector_start(script, 1);
    struct spans spans = spans_with(collector_url(collector), WH_SEC(600), wh_sampler_always_off());
    await(&spans, "all", true);
    assert_int_equal(sampled_of(&spans, "all", 500), 500);
    assert_int_equal(sampled_of(&spans, "none", 500), 1); /* one in 10,000 seconds, and the first at once */
    assert_int_equal(sampled_of(&spans, "unheard of", 500), 1);
    assert_int_equal(sampled_of(&spans, "another one", 500), 1);
    spans_end(&spans);
    collector_stop(collector);
}

/* ---- life ---- */

static void shutdown_ends_the_asking(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {SAYS(NONE)};
    struct collector *collector = collector_start(script, 1);
    struct spans spans = spans_with(collector_url(collector), WH_MS(20), wh_sampler_always_on());
    await(&spans, "span", false);
    wh_end(spans.root);
    assert_int_equal(wh_provider_shutdown(spans.provider, WH_SEC(10)), 0);
    const size_t requests = collector_requests(collector);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    assert_true(collector_requests(collector) <= requests + 1); /* one may have been on its way */
    collector_stop(collector);
}

static void it_may_be_freed_while_it_asks_or_before(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {{.manner = COLLECTOR_HANGS}};
    struct collector *collector = collector_start(script, 1);
    wh_sampler_free(wh_jaeger_sampler_new(.endpoint = collector_url(collector), .initial = wh_sampler_ratio(0.5)));
    assert_int_equal(collector_connections(collector), 0);
    struct wh_sampler *jaeger = wh_jaeger_sampler_new(.endpoint = collector_url(collector), .initial = wh_sampler_ratio(0.5));
    struct wh_sampled out = {.size = sizeof out};
    jaeger->should_sample(jaeger, &(struct wh_sampling){.size = sizeof(struct wh_sampling), .name = "span"}, &out);
    assert_true(collector_wait(collector, 1, WH_SEC(30)));
    wh_sampler_free(jaeger);
    assert_true(collector_wait_closed(collector, 1, WH_SEC(30)));
    collector_stop(collector);
}

static void the_child_of_a_fork_asks_for_itself(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {SAYS(NONE), SAYS(ALL)};
    struct collector *collector = collector_start(script, 2);
    struct spans spans = spans_with(collector_url(collector), WH_SEC(600), wh_sampler_always_on());
    await(&spans, "span", false);
    const pid_t child = fork_at_rest();
    if (child == 0) {
        alarm(60);
        if (is_sampled(&spans, "span")) a_moment(); /* what the parent was told holds until there is news, which may be now */
        while (!is_sampled(&spans, "span")) a_moment();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_false(is_sampled(&spans, "span"));
    assert_int_equal(collector_requests(collector), 2);
    spans_end(&spans);
    collector_stop(collector);
}

static int work(const wh_ctx *ctx, void *collector)
{
    while (collector_requests(collector) < 5)
        for (int i = 0; i < 50; i++) wh_end(wh_start(ctx, "span", .root = true));
    return 0;
}

static void many_threads_are_told_one_thing_or_the_other(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {SAYS(NONE), SAYS(ALL), SAYS("{\"operationSampling\":{\"defaultSamplingProbability\":1,"
        "\"defaultLowerBoundTracesPerSecond\":1,\"perOperationStrategies\":[{\"operation\":\"span\",\"probabilisticSampling\":{\"samplingRate\":0.5}}]}}"), SAYS(NONE)};
    struct collector *collector = collector_start(script, COUNT(script));
    struct spans spans = spans_with(collector_url(collector), WH_MS(5), NULL);
    wh_group *group = wh_group_new(spans.root);
    for (int i = 0; i < 3; i++) wh_go(group, work, collector);
    assert_int_equal(wh_group_wait(group), 0);
    wh_group_free(group);
    await(&spans, "span", false);
    spans_end(&spans);
    collector_stop(collector);
}

/* ---- what it is given ---- */

static void endpoints_are_completed_and_secrets_not_shown(void **state)
{
    (void)state;
    static const struct { const char *endpoint, *is; } rows[] = {
        {NULL, "JaegerRemoteSampler{http://localhost:5778/sampling?service=,initial:TraceIdRatioBased{0.001000}}"},
        {"http://jaeger:5778/", "JaegerRemoteSampler{http://jaeger:5778/sampling?service=,initial:TraceIdRatioBased{0.001000}}"},
        {"https://jaeger/base/sampling", "JaegerRemoteSampler{https://jaeger/base/sampling?service=,initial:TraceIdRatioBased{0.001000}}"},
        {"http://me:secret@jaeger", "JaegerRemoteSampler{jaeger/sampling?service=,initial:TraceIdRatioBased{0.001000}}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[300];
        struct wh_sampler *jaeger = wh_jaeger_sampler_new(.endpoint = rows[i].endpoint);
        assert_string_equal(wh_sampler_description(jaeger, text, sizeof text), rows[i].is);
        wh_sampler_free(jaeger);
    }
}

static void an_endpoint_that_is_none_is_said_and_the_initial_sampler_stays(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "localhost:14250", "ftp://jaeger", "http://", "http:///x", "http://jaeger/?a=b", "http://:1"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin_listening();
        struct spans spans = spans_with(rows[i], WH_SEC(1), wh_sampler_always_on());
        wh_report_to(NULL, NULL);
        assert_int_equal(times_said("not an http or https URL"), 1);
        assert_int_equal(sampled_of(&spans, "span", 10), 10);
        spans_end(&spans);
    }
}

static size_t allowed;
static bool gate(size_t size)
{
    (void)size;
    return allowed ? allowed-- > 0 : false;
}

static void without_memory_it_samples_nothing_and_says_so(void **state)
{
    (void)state;
    for (size_t most = 0; most < 3; most++) {
        begin_listening();
        allowed = most;
        wh__otlp_mem_gate = gate;
        struct wh_sampler *jaeger = wh_jaeger_sampler_new(.initial = wh_sampler_ratio(1));
        wh__otlp_mem_gate = NULL;
        wh_report_to(NULL, NULL);
        assert_ptr_equal(jaeger, wh_sampler_always_off());
        assert_int_equal(times_said("no memory for a sampler"), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initial_sampler_decides_until_there_is_an_answer),
        cmocka_unit_test(it_asks_for_its_service_at_the_first_span_and_does_as_it_is_told),
        cmocka_unit_test(it_asks_again_every_interval),
        cmocka_unit_test(errors_keep_what_was_said_last_and_are_said_once_an_outage),
        cmocka_unit_test(of_a_rate_so_many_are_sampled),
        cmocka_unit_test(operations_have_their_own_share_and_a_least_rate),
        cmocka_unit_test(shutdown_ends_the_asking),
        cmocka_unit_test(it_may_be_freed_while_it_asks_or_before),
        cmocka_unit_test(the_child_of_a_fork_asks_for_itself),
        cmocka_unit_test(many_threads_are_told_one_thing_or_the_other),
        cmocka_unit_test(endpoints_are_completed_and_secrets_not_shown),
        cmocka_unit_test(an_endpoint_that_is_none_is_said_and_the_initial_sampler_stays),
        cmocka_unit_test(without_memory_it_samples_nothing_and_says_so),
    };
    return cmocka_run_group_tests_name("exporters/jaeger_sampler", tests, NULL, NULL);
}
