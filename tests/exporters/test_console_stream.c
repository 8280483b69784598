/* The console on streams that are no pipe and no terminal: a device, a file with a limit, memory; and one that several
 * share. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "drawing.h"
#include "recorded.h"
#include "test.h"
#include "tools.h"

/* ---- devices and files ---- */

static void a_full_device_loses_spans_and_counts_them(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    struct wh_exporter *console = wh_console_exporter_new(full);
    wh_provider *provider = wh_provider_new(.service = "test", .exporters = &console, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider);
    for (int i = 0; i < 3; i++) wh_end(wh_start(root, "lost"));
    assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), 0); /* the batch was taken, and its spans refused */
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    assert_int_equal(stats.dropped_export, 3);
    assert_int_equal(stats.exported, 0);
    wh_end(root);
    wh_provider_shutdown(provider, WH_SEC(10));
    fclose(full);
}

/* A limit on the size of files: what is refused does not come later, out of the stream's buffer. */
static void what_a_file_refuses_does_not_come_later(void **state)
{
    static struct recorded one, two;
    (void)state;
    record(&one, "refused", 1);
    record(&two, "written", 1);
    FILE *paper = tmpfile();
    struct wh_exporter *console = wh_console_exporter_new(paper);
    const struct rlimit before = limit_file_size(0);
    const size_t refused = export_recorded(console, &one, WH_NEVER);
    lift_limit(before);
    assert_int_equal(refused, 2);
    assert_non_null(strstr(console->last_error(console), strerror(EFBIG)));
    assert_false(ferror(paper));
    assert_int_equal(export_recorded(console, &two, WH_NEVER), 0);
    wh_exporter_free(console);
    const char *text = read_back(paper);
    assert_null(strstr(text, "refused"));
    assert_non_null(strstr(text, "written"));
    forget(&one);
    forget(&two);
}

static void a_stream_in_memory_will_do(void **state)
{
    static struct recorded one;
    char *text = NULL;
    size_t len = 0;
    (void)state;
    record(&one, "in memory", 1);
    FILE *out = open_memstream(&text, &len);
    struct wh_exporter *console = wh_console_exporter_new(out);
    assert_int_equal(export_recorded(console, &one, WH_NEVER), 0);
    wh_exporter_free(console);
    fclose(out);
    assert_non_null(strstr(text, "in memory"));
    free(text);
    forget(&one);
}

static void without_a_stream_there_is_no_exporter(void **state)
{
    (void)state;
    errno = 0;
    assert_null(wh_console_exporter_new(NULL));
    assert_int_equal(errno, EINVAL);
}

/* ---- several at once ---- */

enum { THREADS = 3, TRACES = 40 };

static void *draw_many(void *arg)
{
    FILE *out = arg;
    static struct recorded recorded[THREADS];
    static int next;
    struct recorded *own = &recorded[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)];
    size_t refused = 0;
    struct wh_exporter *console = wh_console_exporter_new(out);
    record(own, "root", 20);
    for (int i = 0; i < TRACES; i++) refused += export_recorded(console, own, WH_NEVER);
    wh_exporter_free(console);
    forget(own);
    return refused ? NULL : out;
}

/* Each with a thread of its own, to one file: no drawing comes into another. */
static void several_consoles_share_a_stream(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    FILE *paper = tmpfile();
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, draw_many, paper), 0);
    for (int i = 0; i < THREADS; i++) {
        void *well;
        pthread_join(threads[i], &well);
        assert_ptr_equal(well, paper);
    }
    const char *p = read_back(paper);
    for (int i = 0; i < THREADS * TRACES; i++) {
        assert_memory_equal(p, "ok  ", 4);
        const char *end = strstr(p, "\n\n");
        assert_non_null(end);
        assert_int_equal(strncmp(strchr(strchr(p, '\n') + 1, '\n') + 1, "root ", 5), 0);
        size_t lines = 0;
        for (; p < end; p++) lines += *p == '\n';
        assert_int_equal(lines, 2 + 20);
        p = end + 2;
    }
    assert_int_equal(*p, '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_device_loses_spans_and_counts_them),
        cmocka_unit_test(what_a_file_refuses_does_not_come_later),
        cmocka_unit_test(a_stream_in_memory_will_do),
        cmocka_unit_test(without_a_stream_there_is_no_exporter),
        cmocka_unit_test(several_consoles_share_a_stream),
    };
    return cmocka_run_group_tests(tests, set_plain_environment, NULL);
}
