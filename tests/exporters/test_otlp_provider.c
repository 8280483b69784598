/* A provider whose collector is absent, refuses, hangs or is busy: nobody waits for it, every span is accounted for.
 * The export thread may come between any two spans: how many requests there are, and what a flush has left to do and to
 * fail at, is nothing that a test can know. */
#include "test_otlp.h"

#include <dirent.h>
#include <unistd.h>

struct setting {
    struct collector *collector;
    wh_provider *provider;
    wh_ctx *root;
};

static struct setting begin(struct collector *collector, struct wh_provider_opts opts)
{
    struct wh_exporter *otlp = otlp_to(collector);
    listen_to_reports();
    opts.size = sizeof opts;
    opts.exporters = &otlp;
    opts.exporter_count = 1;
    wh_provider *provider = wh_provider_new_at(&opts);
    assert_non_null(provider);
    return (struct setting){collector, provider, wh_provider_root(provider)};
}

static const struct wh_provider_opts at_once = {.schedule_delay = 1000000};

static void make_spans(const wh_ctx *root, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        WH_AUTO wh_ctx *ctx = wh_start(root, "work", .kind = WH_SERVER);
        wh_set(ctx, "number", i);
    }
}

static struct wh_provider_stats stats_of(const wh_provider *provider)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    return stats;
}

static uint64_t accounted(const struct wh_provider_stats *stats)
{
    return stats->exported + stats->dropped_queue + stats->dropped_memory + stats->dropped_export +
           stats->dropped_shutdown;
}

/* The sums after the shutdown. One that ran out of time leaves the last counting to the export thread. */
static struct wh_provider_stats settled(const struct setting *setting)
{
    const int64_t until = wh_now() + LONG;
    struct wh_provider_stats stats = stats_of(setting->provider);
    while (accounted(&stats) < stats.started && wh_now() < until) {
        usleep(1000);
        stats = stats_of(setting->provider);
    }
    assert_int_equal(stats.started, stats.ended);
    assert_int_equal(stats.started, accounted(&stats));
    return stats;
}

static bool is_export_thread(const char *task)
{
    char path[300], name[32] = "";
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", task);
    FILE *comm = fopen(path, "r");
    if (!comm) return false;
    if (!fgets(name, sizeof name, comm)) name[0] = '\0';
    fclose(comm);
    return strncmp(name, "whence-export", 13) == 0;
}

static int export_threads(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *task; (task = readdir(tasks));) count += is_export_thread(task->d_name);
    closedir(tasks);
    return count;
}

/* What could not be waited for has its last word from the export thread, which then ends: it is no part of the next test. */
static struct wh_provider_stats shut_down_and_settle(const struct setting *setting, int64_t timeout, int rc)
{
    const int64_t begun = wh_now();
    wh_end(setting->root);
    assert_int_equal(wh_provider_shutdown(setting->provider, timeout), rc);
    assert_true(wh_now() - begun < timeout + LONG);
    const struct wh_provider_stats stats = settled(setting);
    for (const int64_t until = wh_now() + LONG; export_threads() && wh_now() < until;) usleep(1000);
    return stats;
}

static int count_spans(const struct wh_batch *batch, void *count)
{
    *(size_t *)count += batch->count;
    return 0;
}

static size_t spans_in(struct collector *collector, size_t i)
{
    size_t count = 0;
    const struct collector_request request = collector_request(collector, i);
    assert_int_equal(wh_read_request((struct wh_bytes){request.body, request.body_len}, count_spans, &count), 0);
    return count;
}

static size_t spans_received(struct collector *collector)
{
    size_t count = 0;
    for (size_t i = 0; i < collector_requests(collector); i++) count += spans_in(collector, i);
    return count;
}

static void a_collector_that_is_well_gets_every_span(void **state)
{
    (void)state;
    const struct setting s = begin(collector_start(NULL, 0), (struct wh_provider_opts){.max_queue = 100000});
    make_spans(s.root, 5000);
    const struct wh_provider_stats stats = shut_down_and_settle(&s, WH_SEC(60), 0);
    assert_int_equal(stats.exported, 5000);
    assert_int_equal(spans_received(s.collector), 5000);
    assert_int_equal(report_count(), 0);
    collector_stop(s.collector);
}

static void an_absent_collector_costs_the_spans_and_a_line(void **state)
{
    (void)state;
    const struct setting s = begin(collector_start_refusing(NULL, 0), (struct wh_provider_opts){0});
    for (int i = 0; i < 5; i++) {
        make_spans(s.root, 20);
        wh_provider_flush(s.provider, WH_SEC(60));
    }
    assert_int_equal(report_count(), 1);
    assert_non_null(strstr(reports.last, collector_url(s.collector)));
    assert_non_null(strstr(reports.last, "/v1/traces: Connection refused"));
    const struct wh_provider_stats stats = shut_down_and_settle(&s, WH_SEC(60), 0);
    assert_int_equal(stats.dropped_export, 100);
    assert_true(report_count() <= 2); /* the sum, at the end */
    collector_stop(s.collector);
}

static void a_collector_that_appears_later_gets_what_comes_later(void **state)
{
    (void)state;
    const struct setting s = begin(collector_start_refusing(NULL, 0), (struct wh_provider_opts){0});
    make_spans(s.root, 30);
    wh_provider_flush(s.provider, WH_SEC(60));
    collector_listen(s.collector);
    make_spans(s.root, 40);
    assert_int_equal(wh_provider_flush(s.provider, WH_SEC(60)), 0);
    assert_int_equal(report_count(), 1); /* of the outage */
    const struct wh_provider_stats stats = shut_down_and_settle(&s, WH_SEC(60), 0);
    assert_int_equal(stats.dropped_export, 30);
    assert_int_equal(stats.exported, 40);
    assert_int_equal(spans_received(s.collector), 40);
    collector_stop(s.collector);
}

static void *make_many(void *root)
{
    make_spans(root, 10000);
    return NULL;
}

/* While the export thread is stuck, two threads make more spans than have room; the shutdown gets half a second. */
static void a_collector_that_hangs_blocks_nobody(void **state)
{
    (void)state;
    static const struct collector_answer hanging[] = {
        {.manner = COLLECTOR_HANGS}, {.manner = COLLECTOR_HANGS_UNREAD}, {.byte_delay = 1000000000}};
    for (size_t i = 0; i < COUNT(hanging); i++) {
        const struct setting s = begin(collector_start(&hanging[i], 1), at_once);
        pthread_t threads[2];
        make_spans(s.root, 1);
        const int64_t begun = wh_now();
        while (collector_connections(s.collector) == 0 && wh_now() < begun + LONG) usleep(1000);
        assert_int_equal(collector_connections(s.collector), 1);
        for (size_t j = 0; j < COUNT(threads); j++)
            assert_int_equal(pthread_create(&threads[j], NULL, make_many, s.root), 0);
        for (size_t j = 0; j < COUNT(threads); j++) pthread_join(threads[j], NULL);
        assert_true(wh_now() - begun < LONG);
        assert_int_equal(wh_provider_flush(s.provider, WH_MS(50)), ETIMEDOUT);
        const struct wh_provider_stats stats = shut_down_and_settle(&s, WH_MS(500), ETIMEDOUT);
        assert_int_equal(stats.started, 20001);
        assert_int_equal(stats.exported, 0);
        assert_true(stats.dropped_queue >= 10000 && stats.dropped_export >= 1 && stats.dropped_shutdown >= 1);
        collector_stop(s.collector);
    }
}

static void a_refusal_costs_the_spans_of_its_request(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {{.status = 400}, {.status = 200}};
    const struct setting s = begin(collector_start(script, 2), (struct wh_provider_opts){0});
    make_spans(s.root, 7);
    wh_provider_flush(s.provider, WH_SEC(60));
    assert_int_equal(report_count(), 1);
    assert_non_null(strstr(reports.last, "HTTP 400"));
    make_spans(s.root, 5);
    const struct wh_provider_stats stats = shut_down_and_settle(&s, WH_SEC(60), 0);
    assert_int_equal(stats.dropped_export, spans_in(s.collector, 0));
    assert_int_equal(stats.exported, 12 - stats.dropped_export);
    assert_int_equal(spans_received(s.collector), 12);
    collector_stop(s.collector);
}

static void a_busy_collector_gets_the_spans_when_it_is_not(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {
        {.status = 503}, {.status = 429, .headers = "Retry-After: 1\r\n"}, {.status = 200}};
    const struct setting s = begin(collector_start(script, 3), (struct wh_provider_opts){0});
    make_spans(s.root, 9);
    const struct wh_provider_stats stats = shut_down_and_settle(&s, WH_SEC(60), 0);
    assert_int_equal(stats.exported, 9);
    assert_int_equal(spans_in(s.collector, 1), spans_in(s.collector, 0));
    assert_int_equal(spans_in(s.collector, 2), spans_in(s.collector, 0));
    assert_int_equal(spans_received(s.collector), 9 + 2 * spans_in(s.collector, 0));
    assert_int_equal(report_count(), 0);
    collector_stop(s.collector);
}

static void a_collector_that_stays_busy_does_not_hold_up_the_shutdown(void **state)
{
    (void)state;
    static const struct collector_answer busy[] = {{.status = 429, .headers = "Retry-After: 20\r\n"}, {.status = 503}};
    for (size_t i = 0; i < COUNT(busy); i++) {
        const struct setting s = begin(collector_start(&busy[i], 1), at_once);
        make_spans(s.root, 3);
        assert_true(collector_wait(s.collector, 1, LONG));
        make_spans(s.root, 600);
        const int64_t begun = wh_now();
        wh_end(s.root);
        assert_int_not_equal(wh_provider_shutdown(s.provider, WH_MS(500)), 0);
        assert_true(wh_now() - begun < LONG);
        const struct wh_provider_stats stats = settled(&s);
        assert_int_equal(stats.started, 603);
        assert_int_equal(stats.exported, 0);
        collector_stop(s.collector);
    }
}

static void rejected_spans_are_counted(void **state)
{
    (void)state;
    static const struct collector_answer partial = {.body = "\x0a\x07\x08\x02\x12\x03" "bad", .body_len = 9};
    const struct setting s = begin(collector_start(&partial, 1), (struct wh_provider_opts){0});
    make_spans(s.root, 10);
    const struct wh_provider_stats stats = shut_down_and_settle(&s, WH_SEC(60), 0);
    size_t rejected = 0;
    for (size_t i = 0; i < collector_requests(s.collector); i++)
        rejected += spans_in(s.collector, i) < 2 ? spans_in(s.collector, i) : 2;
    assert_true(rejected >= 2);
    assert_int_equal(stats.dropped_export, rejected);
    assert_int_equal(spans_received(s.collector), 10);
    collector_stop(s.collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_collector_that_is_well_gets_every_span),
        cmocka_unit_test(an_absent_collector_costs_the_spans_and_a_line),
        cmocka_unit_test(a_collector_that_appears_later_gets_what_comes_later),
        cmocka_unit_test(a_collector_that_hangs_blocks_nobody),
        cmocka_unit_test(a_refusal_costs_the_spans_of_its_request),
        cmocka_unit_test(a_busy_collector_gets_the_spans_when_it_is_not),
        cmocka_unit_test(a_collector_that_stays_busy_does_not_hold_up_the_shutdown),
        cmocka_unit_test(rejected_spans_are_counted),
    };
    return cmocka_run_group_tests_name("exporters/otlp_provider", tests, NULL, NULL);
}
