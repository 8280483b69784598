/* The dump: what it says of each context, in each format, and how it gets to the descriptor. */
#include <fcntl.h>

#include "gate.h"
#include "live_tools.h"

WH_REASON(reason_x, "x");
WH_KEY(tenant, const char *)
WH_KEY(number, int)

static void never(void *arg)
{
    (void)arg;
}

/* ---- what it says ---- */

static void T174_the_text_says_everything(void **state)
{
    (void)state;
    char words[200];
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *timed = wh_with_timeout(root, WH_SEC(1000));
    WH_AUTO wh_ctx *inner = wh_with_timeout(timed, WH_SEC(5000));
    WH_AUTO wh_ctx *done = wh_with_cancel(timed);
    WH_AUTO wh_ctx *below = wh_with_number(done, 1);
    wh_callback *callbacks[2];
    for (int i = 0; i < 2; i++) assert_int_equal(wh_after(inner, never, NULL, &callbacks[i]), 0);
    wh_hold(inner);
    wh_cancel(done, reason_x, "as was said");
    char *text = dumped(WH_DUMP_TEXT);
    assert_int_equal(strncmp(text, "5 contexts are alive\n", 21), 0);

    char *line = line_with(text, " 2 callbacks");
    snprintf(words, sizeof words, "    #%llu deadline test_dump.c:", (unsigned long long)id_of(inner));
    assert_says(line, words);
    assert_says(line, " T174_the_text_says_everything, ");
    assert_says(line, " old, asked for 1.39 h, has less: 16.");
    assert_says(line, " left, open, 2 refs, 2 callbacks");
    free(line);

    line = line_with(text, "\"as was said\"");
    snprintf(words, sizeof words, "    #%llu cancel test_dump.c:", (unsigned long long)id_of(done));
    assert_says(line, words);
    assert_says(line, ", canceled: x \"as was said\" at test_dump.c:");
    assert_says(line, " ago, 2 refs, 1 child");
    free(line);

    line = line_with(text, "value number");
    assert_says(line, "value number (4 bytes), ");
    snprintf(words, sizeof words, ", by #%llu, 1 ref", (unsigned long long)id_of(done));
    assert_says(line, words);
    free(line);

    line = line_with(text, "2 children");
    assert_says(line, "left, open, 3 refs, 2 children");
    free(line);
    for (int i = 0; i < 2; i++) assert_true(wh_stop(callbacks[i]));
    wh_release(inner);
    free(text);
}

static void *wait_for_it(void *ctx)
{
    wh_wait(ctx, WH_NEVER);
    return NULL;
}

static void T174_waiters_are_counted(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    const struct wh__live_record *record = wh__live_record_of(ctx);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = start(wait_for_it, ctx);
    EVENTUALLY(__atomic_load_n(&record->waiters, __ATOMIC_RELAXED) == 3);
    char *text = dumped(WH_DUMP_TEXT);
    assert_says(text, ", 3 waiters");
    free(text);
    assert_int_equal(pthread_cancel(threads[0]), 0);
    join(threads[0]);
    EVENTUALLY(__atomic_load_n(&record->waiters, __ATOMIC_RELAXED) == 2);
    wh_cancel(ctx, reason_x, NULL);
    join(threads[1]);
    join(threads[2]);
    assert_int_equal(record->waiters, 0);
}

static void T174_spans_are_named(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    char id[17], words[100];
    {
        WH_AUTO wh_ctx *span = wh_start(spans.root, "GET /order");
        WH_AUTO wh_ctx *child = wh_start(span, (const char *)"renamed later");
        wh_rename(child, "SELECT");
        wh_span_id_hex(span, id);
        char *text = dumped(WH_DUMP_TEXT);
        char *line = line_with(text, "span \"GET /order\" test_dump.c:");
        snprintf(words, sizeof words, ", 1 child, recording span %s", id);
        assert_says(line, words);
        assert_says(text, "span \"SELECT\" test_dump.c:");
        free(line);
        free(text);
        text = dumped(WH_DUMP_JSON);
        snprintf(words, sizeof words, "\"span_id\":\"%s\",\"remote\":false,\"recording\":true}", id);
        assert_says(text, words);
        free(text);
    }
    spans_end(&spans);
}

static void T174_the_pictures_have_every_context_and_line(void **state)
{
    (void)state;
    char words[100];
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *child = wh_with_cancel(root);
    WH_AUTO wh_ctx *detached = wh_detach(child);
    wh_cancel(child, reason_x, NULL);
    const unsigned long long ids[] = {id_of(root), id_of(child), id_of(detached)};
    char *text = dumped(WH_DUMP_DOT);
    assert_int_equal(strncmp(text, "digraph contexts {\n", 19), 0);
    assert_string_equal(text + strlen(text) - 2, "}\n");
    snprintf(words, sizeof words, "  n%llu -> n%llu;\n", ids[0], ids[1]);
    assert_says(text, words);
    snprintf(words, sizeof words, "  n%llu -> n%llu [style=dashed];\n", ids[1], ids[2]);
    assert_says(text, words);
    snprintf(words, sizeof words, "  n%llu [label=\"#%llu cancel \\ntest_dump.c:", ids[1], ids[1]);
    char *line = line_with(text, words);
    assert_says(line, "\\nx\", color=grey];");
    free(line);
    free(text);
}

static void T087_detached_work_says_from_where(void **state)
{
    (void)state;
    char words[60];
    wh_ctx *request = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *audit = wh_detach(request);
    const unsigned long long from = id_of(request);
    wh_end(request);
    assert_int_equal(wh_err(audit), 0);
    char *text = dumped(WH_DUMP_TEXT);
    char *line = line_with(text, "detached test_dump.c:");
    snprintf(words, sizeof words, ", open, 1 ref, detached from #%llu", from);
    assert_says(line, words);
    assert_says(text, ", ended but held, 1 ref, 1 child");
    free(line);
    free(text);
    text = dumped(WH_DUMP_JSON);
    snprintf(words, sizeof words, "\"detached_from\":%llu", from);
    assert_says(text, words);
    free(text);
}

/* A value may be a pointer to nowhere, or a secret. */
static void T083_values_are_not_touched(void **state)
{
    (void)state;
    struct secret {
        char bytes[600];
    };
    static const struct wh_key key = {.size = sizeof key, .name = "password", .value_size = sizeof(struct secret)};
    const struct secret secret = {"hunter2"};
    WH_AUTO wh_ctx *nowhere = wh_with_tenant(NULL, (const char *)8);
    WH_AUTO wh_ctx *ctx = wh_with_value(nowhere, &key, &secret);
    for (enum wh_dump_format format = WH_DUMP_TEXT; format <= WH_DUMP_DOT; format++) {
        char *text = dumped(format);
        assert_says(text, "password");
        assert_says(text, "tenant");
        assert_false(says(text, "hunter2"));
        free(text);
    }
}

static void what_was_made_before_is_a_parent_by_its_address(void **state)
{
    (void)state;
    char words[100];
    wh_track(0);
    WH_AUTO wh_ctx *before = wh_with_cancel(NULL);
    wh_track(WH_TRACK_LIVE);
    WH_AUTO wh_ctx *after = wh_with_cancel(before);
    assert_int_equal(wh_live_count(), 1);
    char *text = dumped(WH_DUMP_TEXT);
    snprintf(words, sizeof words, ", 1 ref, below %p, which was made before tracking\n", (void *)before);
    assert_says(text, words);
    free(text);
}

static void nothing_is_tracked_and_it_says_so(void **state)
{
    (void)state;
    wh_track(0);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    char *text = dumped(WH_DUMP_TEXT);
    assert_int_equal(strncmp(text, "0 contexts are alive: nothing is tracked (wh_track())\n", 54), 0);
    free(text);
}

static void names_of_strangers_do_no_harm(void **state)
{
    (void)state;
    static const struct wh_key key = {.size = sizeof key, .name = "a\"b\\c\n\x1b[31m\xff\xe2\x80\xa8", .value_size = 1};
    WH_AUTO wh_ctx *ctx = wh_with_value(NULL, &key, "x");
    WH_AUTO wh_ctx *done = wh_with_cancel(ctx);
    wh_cancelf(done, reason_x, "%s", "\r\"\x80\x7f");
    char *text = dumped(WH_DUMP_TEXT);
    assert_says(text, "value a\"b\\c??[31m\xef\xbf\xbd? (1 bytes)");
    assert_says(text, "\"?\"\xef\xbf\xbd?\" at");
    free(text);
    text = dumped(WH_DUMP_JSON);
    assert_says(text, "\"name\":\"a\\\"b\\\\c\\u000a\\u001b[31m\xef\xbf\xbd\\u2028\"");
    assert_says(text, "\"text\":\"\\u000d\\\"\xef\xbf\xbd\\u007f\"");
    free(text);
    text = dumped(WH_DUMP_DOT);
    assert_says(text, "value a\\\"b\\\\c\\u000a\\u001b[31m");
    free(text);
}

static void long_names_are_cut_at_a_character(void **state)
{
    (void)state;
    char name[201], shown[WH__NAME_MAX + 20];
    memset(name, 'n', sizeof name - 1);
    memcpy(name + WH__NAME_MAX - 1, "\xc3\xa4", 2);
    name[200] = '\0';
    const struct wh_key key = {.size = sizeof key, .name = name, .value_size = 1};
    WH_AUTO wh_ctx *ctx = wh_with_value(NULL, &key, "x");
    snprintf(shown, sizeof shown, "value %.*s (1", WH__NAME_MAX - 1, name);
    char *text = dumped(WH_DUMP_TEXT);
    assert_says(text, shown);
    free(text);
}

/* Far more than a recursion could, and no line longer than some hundred bytes. */
static void a_chain_of_any_depth_is_drawn(void **state)
{
    (void)state;
    const int deep = rounds(20000);
    wh_ctx **chain = calloc((size_t)deep, sizeof(wh_ctx *));
    assert_non_null(chain);
    for (int i = 0; i < deep; i++) chain[i] = wh_with_cancel(i ? chain[i - 1] : NULL);
    char *text = dumped(WH_DUMP_TEXT);
    char words[40];
    snprintf(words, sizeof words, "(depth %d) #%llu cancel", deep - 1, (unsigned long long)id_of(chain[deep - 1]));
    assert_says(text, words);
    assert_true(strlen(text) < (size_t)deep * 250);
    free(text);
    for (int i = deep; i--;) wh_end(chain[i]);
    free(chain);
}

/* ---- how it gets there ---- */

static void what_cannot_be_written_is_said(void **state)
{
    (void)state;
    int fds[2];
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    assert_int_equal(wh_dump(fds[1], WH_DUMP_TEXT), EPIPE);
    assert_int_equal(wh_report_leaks(fds[1]), EPIPE);
    assert_int_equal(wh_report_latency(fds[1]), EPIPE);
    close(fds[1]);
    assert_int_equal(wh_dump(-1, WH_DUMP_TEXT), EBADF);
    assert_int_equal(wh_dump(1, (enum wh_dump_format)3), EINVAL);
    assert_int_equal(wh_dump(1, (enum wh_dump_format)-1), EINVAL);
}

static void *read_all(void *arg)
{
    const int fd = *(const int *)arg;
    char part[100];
    size_t *total = calloc(1, sizeof *total);
    for (ssize_t n; total && (n = read(fd, part, sizeof part)) > 0;) *total += (size_t)n;
    return total;
}

static void a_pipe_that_is_full_is_waited_for(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    static wh_ctx *all[MANY];
    int fds[2];
    void *total;
    for (int i = 0; i < MANY; i++) all[i] = wh_with_cancel(NULL);
    char *text = dumped(WH_DUMP_DOT);
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        assert_int_equal(pipe2(fds, flags), 0);
        assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
        const pthread_t reader = start(read_all, &fds[0]);
        assert_int_equal(wh_dump(fds[1], WH_DUMP_DOT), 0);
        close(fds[1]);
        assert_int_equal(pthread_join(reader, &total), 0);
        assert_true(*(size_t *)total > 65536 && *(size_t *)total > strlen(text) / 2);
        free(total);
        close(fds[0]);
    }
    for (int i = 0; i < MANY; i++) wh_end(all[i]);
    free(text);
}

static void without_memory_nothing_is_written(void **state)
{
    (void)state;
    int (*const calls[])(int fd) = {wh_report_leaks, wh_report_latency};
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    for (size_t which = 0; which <= 2; which++) {
        int rc = ENOMEM;
        for (size_t i = 0; rc; i++) {
            const int fd = paper();
            memory_ends_after(i);
            rc = which < 2 ? calls[which](fd) : wh_dump(fd, WH_DUMP_JSON);
            memory_is_back();
            assert_true(rc == 0 || rc == ENOMEM);
            assert_true((lseek(fd, 0, SEEK_END) == 0) == (rc == ENOMEM));
            assert_true(rc == ENOMEM || i > 1);
            close(fd);
            assert_true(i < 100);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(T174_the_text_says_everything, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(T174_waiters_are_counted, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(T174_spans_are_named, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(T174_the_pictures_have_every_context_and_line, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(T087_detached_work_says_from_where, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(T083_values_are_not_touched, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(what_was_made_before_is_a_parent_by_its_address, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(nothing_is_tracked_and_it_says_so, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(names_of_strangers_do_no_harm, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(long_names_are_cut_at_a_character, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(a_chain_of_any_depth_is_drawn, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_said, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(a_pipe_that_is_full_is_waited_for, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(without_memory_nothing_is_written, tracks, leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
