/* The console on pipes whose readers are slow, late or gone. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>

#include "drawing.h"
#include "recorded.h"
#include "test.h"
#include "tools.h"

/* ---- full, and slow ---- */

static void a_full_pipe_costs_no_more_than_the_deadline(void **state)
{
    static struct recorded one, two;
    (void)state;
    record(&one, "lost", 1);
    record(&two, "seen", 1);
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        struct channel channel = channel_open(flags);
        channel_fill(&channel);
        const int64_t began = wh_now();
        assert_int_equal(export_recorded(channel.console, &one, began + WH_MS(50)), 2);
        assert_true(wh_now() - began >= WH_MS(50) && wh_now() - began < WH_SEC(20));
        assert_non_null(strstr(channel.console->last_error(channel.console), strerror(ETIMEDOUT)));
        channel_read(&channel);
        assert_int_equal(export_recorded(channel.console, &two, WH_NEVER), 0);
        assert_null(channel.console->last_error(channel.console));
        channel_read(&channel);
        assert_memory_equal(drawn, "ok  ", 4);
        assert_non_null(strstr(drawn, "\nseen "));
        channel_close(&channel);
    }
    forget(&one);
    forget(&two);
}

/* The pipe takes a part of it. */
static void what_was_cut_off_is_ended_before_the_next(void **state)
{
    static struct recorded large, small;
    (void)state;
    record(&large, "large", 450);
    record(&small, "small", 1);
    struct channel channel = channel_open(0);
    channel_resize(&channel, 4096);
    assert_int_equal(export_recorded(channel.console, &large, wh_now() + WH_MS(30)), 51); /* of the last batch */
    const size_t len = channel_read(&channel);
    assert_true(len > 1000 && len <= 4096);
    assert_int_equal(drawn[len - 1], '\n'); /* in whole lines */
    channel_resize(&channel, 65536);
    /* what was lost before and is not told yet */
    assert_int_equal(export_recorded(channel.console, &small, WH_NEVER), 2);
    channel_read(&channel);
    assert_memory_equal(drawn, "\nok  ", 5);
    assert_non_null(strstr(drawn, "small"));
    channel_close(&channel);
    forget(&large);
    forget(&small);
}

struct reading {
    const struct channel *channel;
    size_t len;
};

/* A little at a time, until an empty line ends the drawing. */
static void *read_slowly(void *arg)
{
    struct reading *reading = arg;
    struct pollfd fd = {.fd = reading->channel->reader, .events = POLLIN};
    while (reading->len < 2 || memcmp(drawn + reading->len - 2, "\n\n", 2)) {
        if (poll(&fd, 1, 20000) <= 0) break;
        const ssize_t n = read(fd.fd, drawn + reading->len, 700);
        if (n > 0) reading->len += (size_t)n;
        wh_wait(wh_background(), WH_US(50));
    }
    drawn[reading->len] = '\0';
    return NULL;
}

static void a_slow_reader_gets_everything(void **state)
{
    static struct recorded large;
    static char expected[sizeof drawn];
    (void)state;
    record(&large, "large", 450);
    FILE *paper = tmpfile();
    struct wh_exporter *console = wh_console_exporter_new(paper);
    assert_int_equal(export_recorded(console, &large, WH_NEVER), 0);
    wh_exporter_free(console);
    strcpy(expected, read_back(paper));
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        pthread_t thread;
        struct channel channel = channel_open(flags);
        channel_resize(&channel, 4096);
        struct reading reading = {&channel, 0};
        assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reading), 0);
        assert_int_equal(export_recorded(channel.console, &large, WH_NEVER), 0);
        pthread_join(thread, NULL);
        assert_string_equal(drawn, expected);
        channel_close(&channel);
    }
    forget(&large);
}

/* One that waits is let go; from then on nobody waits, however many traces there are. */
static void an_interrupt_ends_the_waiting(void **state)
{
    static struct recorded one;
    pthread_t thread;
    (void)state;
    record(&one, "lost", 1);
    struct channel channel = channel_open(0);
    channel_fill(&channel);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, channel.console), 0);
    assert_int_equal(export_recorded(channel.console, &one, WH_NEVER), 2);
    pthread_join(thread, NULL);
    assert_int_equal(export_recorded(channel.console, &one, WH_NEVER), 2);
    channel_read(&channel);
    assert_int_equal(export_recorded(channel.console, &one, WH_NEVER), 0);
    channel_close(&channel);
    forget(&one);
}

/* ---- beside what the program prints ---- */

static void *print_meanwhile(void *arg)
{
    FILE *out = arg;
    wh_wait(wh_background(), WH_MS(20));
    const int64_t began = wh_now();
    flockfile(out);
    funlockfile(out);
    return wh_now() - began < WH_SEC(5) ? out : NULL;
}

/* A program that prints while the drawing waits is not kept waiting itself: its stream is free. */
static void the_stream_is_not_locked_while_its_reader_is_slow(void **state)
{
    static struct recorded one;
    pthread_t thread;
    void *free_at_once;
    (void)state;
    record(&one, "lost", 1);
    struct channel channel = channel_open(0);
    channel_fill(&channel);
    assert_int_equal(pthread_create(&thread, NULL, print_meanwhile, channel.out), 0);
    assert_int_equal(export_recorded(channel.console, &one, wh_now() + WH_SEC(1)), 2);
    pthread_join(thread, &free_at_once);
    assert_ptr_equal(free_at_once, channel.out);
    channel_close(&channel);
    forget(&one);
}

static void what_the_program_printed_first_comes_first(void **state)
{
    static struct recorded one;
    (void)state;
    record(&one, "drawn", 1);
    struct channel channel = channel_open(0);
    fputs("the program's\n", channel.out); /* waits in the buffer */
    assert_int_equal(export_recorded(channel.console, &one, WH_NEVER), 0);
    channel_read(&channel);
    assert_memory_equal(drawn, "the program's\nok  ", 18);
    channel_close(&channel);
    forget(&one);
}

/* ---- gone ---- */

static void a_reader_that_left_does_not_end_the_process(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    FILE *out = fdopen(ends[1], "w");
    struct wh_exporter *console = wh_console_exporter_new(out);
    close(ends[0]);
    assert_int_equal(export_in(console, child_and_root, 2, the_trace), 2); /* drawn at once, and lost */
    assert_non_null(strstr(console->last_error(console), strerror(EPIPE)));
    export_in(console, from_elsewhere, 1, the_trace);
    assert_int_equal(console->flush(console, WH_NEVER), EPIPE);
    wh_exporter_free(console);
    fclose(out);
}

/* ---- processes ---- */

struct drawing {
    const struct channel *channel;
    const struct recorded *recorded;
    size_t refused;
};

static void *draw(void *arg)
{
    struct drawing *drawing = arg;
    drawing->refused = export_recorded(drawing->channel->console, drawing->recorded, WH_NEVER);
    return NULL;
}

/* In the child the exporter is found in the middle of it, and nobody there will go on with that. */
static void a_fork_in_mid_drawing_leaves_the_drawing_to_the_parent(void **state)
{
    static struct recorded large, small;
    pthread_t thread;
    (void)state;
    record(&large, "the parent's", 450);
    record(&small, "the child's", 1);
    struct channel channel = channel_open(0);
    channel_resize(&channel, 4096);
    struct drawing drawing = {&channel, &large, 1};
    assert_int_equal(pthread_create(&thread, NULL, draw, &drawing), 0);
    struct pollfd begun = {.fd = channel.reader, .events = POLLIN};
    assert_int_equal(poll(&begun, 1, 20000), 1);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const size_t refused = export_recorded(channel.console, &small, WH_NEVER);
        const int rc = channel.console->flush(channel.console, WH_NEVER);
        wh_exporter_free(channel.console);
        execlp(refused || rc ? "false" : "true", "", NULL); /* no leak check: what the parent was at is left alone */
        _exit(2);
    }
    size_t len = 0;
    for (bool both = false; !both && poll(&begun, 1, 20000) > 0;) {
        const ssize_t n = read(channel.reader, drawn + len, sizeof drawn - 1 - len);
        if (n > 0) len += (size_t)n;
        drawn[len] = '\0';
        const char *first = strstr(drawn, "\n\n");
        both = first && strstr(first + 2, "\n\n");
    }
    pthread_join(thread, NULL);
    assert_child_went_well(child);
    assert_int_equal(drawing.refused, 0);
    const char *parents = strstr(drawn, "\nthe parent's"), *childs = strstr(drawn, "\nthe child's");
    assert_true(parents && childs);
    assert_null(strstr(parents + 1, "\nthe parent's"));
    assert_non_null(strstr(drawn, "child 449 of them"));
    channel_close(&channel);
    forget(&large);
    forget(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_pipe_costs_no_more_than_the_deadline),
        cmocka_unit_test(what_was_cut_off_is_ended_before_the_next),
        cmocka_unit_test(a_slow_reader_gets_everything),
        cmocka_unit_test(an_interrupt_ends_the_waiting),
        cmocka_unit_test(the_stream_is_not_locked_while_its_reader_is_slow),
        cmocka_unit_test(what_the_program_printed_first_comes_first),
        cmocka_unit_test(a_reader_that_left_does_not_end_the_process),
        cmocka_unit_test(a_fork_in_mid_drawing_leaves_the_drawing_to_the_parent),
    };
    return cmocka_run_group_tests(tests, set_plain_environment, NULL);
}
