/* The library's own voice: what is said, how loud, and to whom. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

static struct heard {
    int count;
    enum wh_severity severity;
    char line[600];
} heard;

static void hear(enum wh_severity severity, const char *line, void *arg)
{
    struct heard *to = arg;
    to->count++;
    to->severity = severity;
    snprintf(to->line, sizeof to->line, "%s", line);
}

/* What is written to standard error while `fn` runs. */
static const char *stderr_of(void (*fn)(void))
{
    static char text[4096];
    int ends[2];
    const int before = dup(STDERR_FILENO);
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    dup2(ends[1], STDERR_FILENO);
    fn();
    dup2(before, STDERR_FILENO);
    const ssize_t len = read(ends[0], text, sizeof text - 1);
    text[len > 0 ? len : 0] = '\0';
    close(before);
    close(ends[0]);
    close(ends[1]);
    return text;
}

static int begin(void **state)
{
    (void)state;
    heard = (struct heard){0};
    wh_report_to(NULL, NULL);
    wh_report_from(WH_INFO);
    return 0;
}

/* ---- to whom ---- */

static void say_two_lines(void)
{
    wh_report(WH_WARNING, "%d of them", 17);
    wh_report(WH_ERROR, "and more");
}

static void by_default_it_is_a_line_each_on_standard_error(void **state)
{
    (void)state;
    assert_string_equal(stderr_of(say_two_lines), "whence: 17 of them\nwhence: and more\n");
}

static void say_to_listener(void)
{
    wh_report_to(hear, &heard);
    wh_report(WH_WARNING, "%d of them", 17);
}

static void a_listener_gets_it_in_place_of_standard_error(void **state)
{
    (void)state;
    assert_string_equal(stderr_of(say_to_listener), "");
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.severity, WH_WARNING);
    assert_string_equal(heard.line, "17 of them");
}

static void say_after_listener(void)
{
    wh_report_to(hear, &heard);
    wh_report_to(NULL, NULL);
    wh_report(WH_ERROR, "to all");
}

static void without_a_listener_it_is_standard_error_again(void **state)
{
    (void)state;
    assert_string_equal(stderr_of(say_after_listener), "whence: to all\n");
    assert_int_equal(heard.count, 0);
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    wh_report_to(hear, &heard);
    wh_report(WH_ERROR, "%s", text);
    assert_in_range(strlen(heard.line), 490, 511);
}

static void say_long_line(void)
{
    char text[2000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    wh_report(WH_ERROR, "%s", text);
}

static void a_long_line_on_standard_error_ends_where_it_is_cut(void **state)
{
    (void)state;
    const char *said = stderr_of(say_long_line);
    assert_in_range(strlen(said), 500, 512);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void errno_stays_as_it_was(void **state)
{
    (void)state;
    wh_report_to(hear, &heard);
    errno = EXDEV;
    wh_report(WH_ERROR, "x");
    assert_int_equal(errno, EXDEV);
}

/* ---- how loud ---- */

static void what_is_less_severe_than_asked_for_is_not_said(void **state)
{
    (void)state;
    static const enum wh_severity severities[] = {WH_DEBUG, WH_INFO, WH_WARNING, WH_ERROR};
    static const struct { enum wh_severity from; int said; } table[] = {
        {WH_DEBUG, 4}, {WH_INFO, 3}, {WH_WARNING, 2}, {WH_ERROR, 1}, {WH_SILENT, 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        heard.count = 0;
        wh_report_to(hear, &heard);
        wh_report_from(table[i].from);
        for (int s = 0; s < 4; s++) wh_report(severities[s], "x");
        assert_int_equal(heard.count, table[i].said);
    }
}

static void say_all(void)
{
    wh_report(WH_DEBUG, "debug");
    wh_report(WH_INFO, "info");
}

static void by_default_it_begins_with_info(void **state)
{
    (void)state;
    assert_string_equal(stderr_of(say_all), "whence: info\n");
}

/* ---- a listener that calls back ---- */

static void call_back(enum wh_severity severity, const char *line, void *arg)
{
    struct spans *spans = arg;
    hear(severity, line, &heard);
    wh_ctx *span = wh_start(spans->root, "said");
    wh_set(span, "line", line);
    wh_cancel(span, WH_CANCELED, "said");
    wh_end(span);
    wh_report(WH_ERROR, "from within");
    wh_report_from(WH_WARNING);
    wh_report_to(call_back, spans);
}

static struct spans spans;

static void say_to_one_who_calls_back(void)
{
    wh_report_to(call_back, &spans);
    wh_report(WH_ERROR, "first");
    wh_report(WH_ERROR, "second");
}

static void a_listener_may_call_the_library(void **state)
{
    (void)state;
    spans = spans_begin();
    assert_string_equal(stderr_of(say_to_one_who_calls_back), "whence: from within\nwhence: from within\n");
    wh_report_to(NULL, NULL);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.line, "second");
    assert_int_equal(wh_provider_flush(spans.provider, WH_SEC(60)), 0);
    assert_int_equal(wh_memory_count(spans.memory), 2);
    spans_end(&spans);
}

/* ---- threads ---- */

enum { THREADS = 4, LINES = 200 };
static int said; /* atomic */

static void count(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity;
    if (strcmp(line, "from a thread") == 0) __atomic_fetch_add((int *)arg, 1, __ATOMIC_RELAXED);
}

static void *say_often(void *unused)
{
    for (int i = 0; i < LINES; i++) {
        wh_report_to(count, &said);
        wh_report(WH_INFO, "from a %s", "thread");
    }
    return unused;
}

static void any_thread_may_speak_and_set_the_listener(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    wh_report_to(count, &said);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, say_often, NULL);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(said, THREADS * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_default_it_is_a_line_each_on_standard_error, begin, begin),
        cmocka_unit_test_setup_teardown(a_listener_gets_it_in_place_of_standard_error, begin, begin),
        cmocka_unit_test_setup_teardown(without_a_listener_it_is_standard_error_again, begin, begin),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut, begin, begin),
        cmocka_unit_test_setup_teardown(a_long_line_on_standard_error_ends_where_it_is_cut, begin, begin),
        cmocka_unit_test_setup_teardown(errno_stays_as_it_was, begin, begin),
        cmocka_unit_test_setup_teardown(what_is_less_severe_than_asked_for_is_not_said, begin, begin),
        cmocka_unit_test_setup_teardown(by_default_it_begins_with_info, begin, begin),
        cmocka_unit_test_setup_teardown(a_listener_may_call_the_library, begin, begin),
        cmocka_unit_test_setup_teardown(any_thread_may_speak_and_set_the_listener, begin, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
