/* The console on what may be full, slow or gone: pipes, devices, files with a limit; and when the spans of this process
 * are drawn. The spans are real ones, kept in memory first. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"

/* ---- spans ---- */

enum { MOST = 600 };

struct recorded {
    struct spans spans;
    struct wh_bytes list[MOST];
    size_t count;
};

/* A root and so many children of it, in the order of their ends. */
static void record(struct recorded *recorded, const char *root_name, size_t children)
{
    char name[48];
    struct wh_span_view view;
    assert_true(children < MOST);
    recorded->spans = spans_begin();
    wh_ctx *root = wh_start(recorded->spans.root, root_name);
    for (size_t i = 0; i < children; i++) {
        snprintf(name, sizeof name, "child %zu of them", i);
        wh_end(wh_start(root, name));
    }
    wh_end(root);
    assert_int_equal(wh_provider_flush(recorded->spans.provider, WH_SEC(30)), 0);
    recorded->count = wh_memory_count(recorded->spans.memory);
    assert_int_equal(recorded->count, children + 1);
    for (size_t i = 0; i < recorded->count; i++) {
        assert_true(wh_memory_span(recorded->spans.memory, i, &view));
        recorded->list[i] = view.raw;
    }
}

static void forget(struct recorded *recorded)
{
    spans_end(&recorded->spans);
}

/* As much as is drawn at once comes in batches of a hundred. Returns how many were refused. */
static size_t export_until(struct wh_exporter *console, const struct recorded *recorded, int64_t deadline)
{
    size_t refused = 0, rejected;
    for (size_t i = 0; i < recorded->count; i += 100, refused += rejected) {
        const size_t left = recorded->count - i;
        const struct wh_batch batch = {.size = sizeof batch, .spans = recorded->list + i,
            .count = left < 100 ? left : 100};
        rejected = 0;
        assert_int_equal(console->export_batch(console, &batch, deadline, &rejected), 0);
    }
    return refused;
}

static int prepare(void **state)
{
    (void)state;
    setenv("LC_ALL", "C", 1);
    setenv("COLUMNS", "80", 1);
    return 0;
}

/* ---- pipes ---- */

struct channel {
    int reader;
    FILE *out;
    struct wh_exporter *console;
};

static struct channel open_pipe(int flags)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, flags), 0);
    struct channel channel = {.reader = ends[0], .out = fdopen(ends[1], "w")};
    channel.console = wh_console_exporter_new(channel.out);
    assert_non_null(channel.console);
    return channel;
}

static void close_pipe(struct channel *channel)
{
    wh_exporter_free(channel->console);
    fclose(channel->out);
    close(channel->reader);
}

static char content[1 << 20];

/* What is there now. */
static size_t read_pipe(const struct channel *channel)
{
    size_t len = 0;
    for (ssize_t n; (n = read(channel->reader, content + len, sizeof content - 1 - len)) > 0;) len += (size_t)n;
    content[len] = '\0';
    return len;
}

static void fill_pipe(const struct channel *channel)
{
    static const char noise[4096];
    const int fd = fileno(channel->out), flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    while (write(fd, noise, sizeof noise) > 0) continue;
    fcntl(fd, F_SETFL, flags);
}

static void a_full_pipe_costs_no_more_than_the_deadline(void **state)
{
    static struct recorded one, two;
    (void)state;
    record(&one, "lost", 1);
    record(&two, "seen", 1);
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        struct channel channel = open_pipe(flags);
        fill_pipe(&channel);
        const int64_t began = wh_now();
        assert_int_equal(export_until(channel.console, &one, began + WH_MS(50)), 2);
        assert_true(wh_now() - began >= WH_MS(50) && wh_now() - began < WH_SEC(20));
        assert_non_null(strstr(channel.console->last_error(channel.console), strerror(ETIMEDOUT)));
        read_pipe(&channel);
        assert_int_equal(export_until(channel.console, &two, WH_NEVER), 0);
        assert_null(channel.console->last_error(channel.console));
        read_pipe(&channel);
        assert_memory_equal(content, "ok  ", 4);
        assert_non_null(strstr(content, "\nseen "));
        close_pipe(&channel);
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
    struct channel channel = open_pipe(0);
    assert_int_equal(fcntl(channel.reader, F_SETPIPE_SZ, 4096), 4096);
    assert_int_equal(export_until(channel.console, &large, wh_now() + WH_MS(30)), 51); /* of the last batch */
    const size_t len = read_pipe(&channel);
    assert_true(len > 1000 && len <= 4096);
    assert_int_equal(content[len - 1], '\n'); /* in whole lines */
    assert_int_equal(fcntl(channel.reader, F_SETPIPE_SZ, 65536), 65536);
    assert_int_equal(export_until(channel.console, &small, WH_NEVER), 2); /* what was lost before and is not told yet */
    read_pipe(&channel);
    assert_memory_equal(content, "\nok  ", 5);
    assert_non_null(strstr(content, "small"));
    close_pipe(&channel);
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
    while (reading->len < 2 || memcmp(content + reading->len - 2, "\n\n", 2)) {
        if (poll(&fd, 1, 20000) <= 0) break;
        const ssize_t n = read(fd.fd, content + reading->len, 700);
        if (n > 0) reading->len += (size_t)n;
        wh_wait(wh_background(), WH_US(50));
    }
    content[reading->len] = '\0';
    return NULL;
}

static void a_slow_reader_gets_everything(void **state)
{
    static struct recorded large;
    static char expected[sizeof content];
    (void)state;
    record(&large, "large", 450);
    FILE *paper = tmpfile();
    struct wh_exporter *console = wh_console_exporter_new(paper);
    assert_int_equal(export_until(console, &large, WH_NEVER), 0);
    wh_exporter_free(console);
    rewind(paper);
    expected[fread(expected, 1, sizeof expected - 1, paper)] = '\0';
    fclose(paper);
    for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
        pthread_t thread;
        struct channel channel = open_pipe(flags);
        assert_int_equal(fcntl(channel.reader, F_SETPIPE_SZ, 4096), 4096);
        struct reading reading = {&channel, 0};
        assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reading), 0);
        assert_int_equal(export_until(channel.console, &large, WH_NEVER), 0);
        pthread_join(thread, NULL);
        assert_string_equal(content, expected);
        close_pipe(&channel);
    }
    forget(&large);
}

static void *interrupt_soon(void *arg)
{
    struct wh_exporter *console = arg;
    wh_wait(wh_background(), WH_MS(30));
    console->interrupt(console);
    return NULL;
}

/* One that waits is let go; from then on nobody waits, however many traces there are. */
static void an_interrupt_ends_the_waiting(void **state)
{
    static struct recorded one;
    pthread_t thread;
    (void)state;
    record(&one, "lost", 1);
    struct channel channel = open_pipe(0);
    fill_pipe(&channel);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, channel.console), 0);
    assert_int_equal(export_until(channel.console, &one, WH_NEVER), 2);
    pthread_join(thread, NULL);
    assert_int_equal(export_until(channel.console, &one, WH_NEVER), 2);
    read_pipe(&channel);
    assert_int_equal(export_until(channel.console, &one, WH_NEVER), 0);
    close_pipe(&channel);
    forget(&one);
}

/* A program that prints while the drawing waits is not kept waiting itself: its stream is free. */
static void *print_meanwhile(void *arg)
{
    FILE *out = arg;
    wh_wait(wh_background(), WH_MS(20));
    const int64_t began = wh_now();
    flockfile(out);
    funlockfile(out);
    return wh_now() - began < WH_SEC(5) ? out : NULL;
}

static void the_stream_is_not_locked_while_its_reader_is_slow(void **state)
{
    static struct recorded one;
    pthread_t thread;
    void *free_at_once;
    (void)state;
    record(&one, "lost", 1);
    struct channel channel = open_pipe(0);
    fill_pipe(&channel);
    assert_int_equal(pthread_create(&thread, NULL, print_meanwhile, channel.out), 0);
    assert_int_equal(export_until(channel.console, &one, wh_now() + WH_SEC(1)), 2);
    pthread_join(thread, &free_at_once);
    assert_ptr_equal(free_at_once, channel.out);
    close_pipe(&channel);
    forget(&one);
}

static void what_the_program_printed_first_comes_first(void **state)
{
    static struct recorded one;
    (void)state;
    record(&one, "drawn", 1);
    struct channel channel = open_pipe(0);
    fputs("the program's\n", channel.out); /* waits in the buffer */
    assert_int_equal(export_until(channel.console, &one, WH_NEVER), 0);
    read_pipe(&channel);
    assert_memory_equal(content, "the program's\nok  ", 18);
    close_pipe(&channel);
    forget(&one);
}

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
    struct rlimit limit, before;
    (void)state;
    record(&one, "refused", 1);
    record(&two, "written", 1);
    FILE *paper = tmpfile();
    struct wh_exporter *console = wh_console_exporter_new(paper);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const size_t refused = export_until(console, &one, WH_NEVER);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(refused, 2);
    assert_non_null(strstr(console->last_error(console), strerror(EFBIG)));
    assert_false(ferror(paper));
    assert_int_equal(export_until(console, &two, WH_NEVER), 0);
    wh_exporter_free(console);
    rewind(paper);
    content[fread(content, 1, sizeof content - 1, paper)] = '\0';
    fclose(paper);
    assert_null(strstr(content, "refused"));
    assert_non_null(strstr(content, "written"));
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
    assert_int_equal(export_until(console, &one, WH_NEVER), 0);
    wh_exporter_free(console);
    fclose(out);
    assert_non_null(strstr(text, "in memory"));
    free(text);
    forget(&one);
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
    drawing->refused = export_until(drawing->channel->console, drawing->recorded, WH_NEVER);
    return NULL;
}

/* In the child the exporter is found in the middle of it, and nobody there will go on with that. */
static void a_fork_in_mid_drawing_leaves_the_drawing_to_the_parent(void **state)
{
    static struct recorded large, small;
    pthread_t thread;
    int status;
    (void)state;
    record(&large, "the parent's", 450);
    record(&small, "the child's", 1);
    struct channel channel = open_pipe(0);
    assert_int_equal(fcntl(channel.reader, F_SETPIPE_SZ, 4096), 4096);
    struct drawing drawing = {&channel, &large, 1};
    assert_int_equal(pthread_create(&thread, NULL, draw, &drawing), 0);
    struct pollfd begun = {.fd = channel.reader, .events = POLLIN};
    assert_int_equal(poll(&begun, 1, 20000), 1);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const size_t refused = export_until(channel.console, &small, WH_NEVER);
        const int rc = channel.console->flush(channel.console, WH_NEVER);
        wh_exporter_free(channel.console);
        execlp(refused || rc ? "false" : "true", "", NULL); /* no leak check: what the parent was at is left alone */
        _exit(2);
    }
    size_t len = 0;
    for (bool both = false; !both && poll(&begun, 1, 20000) > 0;) {
        const ssize_t n = read(channel.reader, content + len, sizeof content - 1 - len);
        if (n > 0) len += (size_t)n;
        content[len] = '\0';
        const char *first = strstr(content, "\n\n");
        both = first && strstr(first + 2, "\n\n");
    }
    pthread_join(thread, NULL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(drawing.refused, 0);
    const char *parents = strstr(content, "\nthe parent's"), *childs = strstr(content, "\nthe child's");
    assert_true(parents && childs);
    assert_null(strstr(parents + 1, "\nthe parent's"));
    assert_non_null(strstr(content, "child 449 of them"));
    close_pipe(&channel);
    forget(&large);
    forget(&small);
}

/* ---- when the spans of this process are drawn ---- */

static const char *header(void *carrier, const char *name)
{
    (void)carrier;
    return strcmp(name, "traceparent") == 0 ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" : NULL;
}

/* A request that came from elsewhere and called elsewhere: nothing more of it comes to this process. */
static void a_request_is_drawn_when_it_has_ended(void **state)
{
    (void)state;
    struct channel channel = open_pipe(0);
    wh_provider *provider = wh_provider_new(.service = "orders", .exporters = &channel.console, .exporter_count = 1,
        .schedule_delay = WH_MS(1));
    wh_ctx *root = wh_provider_root(provider), *from = wh_extract(root, header, NULL);
    wh_ctx *request = wh_start(from, "GET /order", .kind = WH_SERVER);
    wh_end(wh_start(request, "GET /price", .kind = WH_CLIENT));
    wh_end(request);
    struct pollfd drawn = {.fd = channel.reader, .events = POLLIN};
    assert_int_equal(poll(&drawn, 1, 20000), 1); /* without a flush */
    wh_end(from);
    wh_end(root);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
    read_pipe(&channel);
    assert_non_null(strstr(content, "\nGET /order "));
    assert_non_null(strstr(content, "`- GET /price (client)"));
    assert_null(strstr(content, "has not been seen"));
    fclose(channel.out);
    close(channel.reader);
}

/* ---- bounds and memory ---- */

static void a_megabyte_is_cut(void **state)
{
    static char text[1 << 20], name[1 << 20];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    memset(name, 0xf0, sizeof name - 1); /* not UTF-8 */
    FILE *paper = tmpfile();
    struct wh_exporter *console = wh_console_exporter_new(paper);
    wh_provider *provider = wh_provider_new(.service = "test", .exporters = &console, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider), *span = wh_start(root, "large");
    wh_rename(span, name);
    wh_set(span, "text", (const char *)text);
    wh_fail_as(span, EIO, text, text);
    wh_end(span);
    wh_end(root);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(30)), 0);
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    assert_int_equal(stats.exported + stats.dropped_memory, 1);
    rewind(paper);
    const size_t len = fread(content, 1, sizeof content - 1, paper);
    fclose(paper);
    assert_true(len < 2000);
    for (size_t i = 0; i < len; i++) assert_true(content[i] == '\n' || (content[i] >= ' ' && content[i] < 0x7f));
}

static size_t until_failure;

static bool fail_once(size_t size)
{
    (void)size;
    return until_failure == 0 || --until_failure > 0;
}

static size_t count_drawn(const char *text)
{
    size_t count = 0;
    for (const char *p = text; (p = strstr(p, " of them")); p++) count++;
    return count;
}

/* Each allocation fails once: of the spans that were handed in each is drawn, left out and said to be, or refused. */
static void an_allocation_that_fails_loses_what_it_was_for(void **state)
{
    static struct recorded large;
    (void)state;
    record(&large, "large", 250);
    bool went_well = false;
    for (size_t n = 1; n < 2000 && !went_well; n++) {
        FILE *paper = tmpfile();
        struct wh_exporter *console = wh_console_exporter_new(paper);
        until_failure = n;
        wh__mem_gate = fail_once;
        size_t refused = export_until(console, &large, WH_NEVER);
        const bool flushed = console->flush(console, WH_NEVER) == 0;
        went_well = until_failure > 0;
        wh__mem_gate = NULL;
        const struct wh_batch last = {.size = sizeof last, .spans = large.list, .count = large.count};
        size_t rejected = 0;
        /* what the flush has lost is told by the next batch */
        if (refused || !flushed) console->export_batch(console, &last, WH_NEVER, &rejected);
        if (!went_well) assert_true(refused + rejected > 0);
        rewind(paper);
        content[fread(content, 1, sizeof content - 1, paper)] = '\0';
        const size_t drawn = count_drawn(content) + (strstr(content, "\nlarge ") != NULL);
        assert_int_equal(drawn + refused + rejected, large.count);
        wh_exporter_free(console);
        fclose(paper);
    }
    assert_true(went_well);
    forget(&large);
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
    for (int i = 0; i < TRACES; i++) refused += export_until(console, own, WH_NEVER);
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
    rewind(paper);
    content[fread(content, 1, sizeof content - 1, paper)] = '\0';
    fclose(paper);
    const char *p = content;
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
        cmocka_unit_test(a_full_pipe_costs_no_more_than_the_deadline),
        cmocka_unit_test(what_was_cut_off_is_ended_before_the_next),
        cmocka_unit_test(a_slow_reader_gets_everything),
        cmocka_unit_test(an_interrupt_ends_the_waiting),
        cmocka_unit_test(the_stream_is_not_locked_while_its_reader_is_slow),
        cmocka_unit_test(what_the_program_printed_first_comes_first),
        cmocka_unit_test(a_full_device_loses_spans_and_counts_them),
        cmocka_unit_test(what_a_file_refuses_does_not_come_later),
        cmocka_unit_test(a_stream_in_memory_will_do),
        cmocka_unit_test(a_fork_in_mid_drawing_leaves_the_drawing_to_the_parent),
        cmocka_unit_test(a_request_is_drawn_when_it_has_ended),
        cmocka_unit_test(a_megabyte_is_cut),
        cmocka_unit_test(an_allocation_that_fails_loses_what_it_was_for),
        cmocka_unit_test(several_consoles_share_a_stream),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
