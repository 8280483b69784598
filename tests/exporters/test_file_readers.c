/* The file exporter and who reads at the other end: of a named pipe, and of standard output. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lines.h"
#include "test.h"
#include "tools.h"

/* ---- named pipes ---- */

static struct wh_exporter *open_fifo(int *reader)
{
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    *reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(*reader >= 0);
    struct wh_exporter *file = wh_file_exporter_new(path);
    assert_non_null(file);
    return file;
}

static void a_reader_may_go_and_come_back(void **state)
{
    (void)state;
    int reader;
    struct wh_exporter *file = open_fifo(&reader);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    close(reader);
    assert_int_equal(export_small(file, WH_NEVER), EPIPE);
    assert_non_null(strstr(file->last_error(file), "/fifo: Broken pipe"));
    reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_true(read_now(reader, content, sizeof content) > 0);
    assert_memory_equal(content, "{\"resource", 10);
    close(reader);
    wh_exporter_free(file);
}

static void a_slow_reader_costs_no_more_than_the_deadline(void **state)
{
    (void)state;
    int reader;
    struct wh_exporter *file = open_fifo(&reader);
    const int64_t began = wh_now();
    assert_int_equal(export_large(file, 500000, began + WH_MS(50)), ETIMEDOUT);
    assert_true(wh_now() - began >= WH_MS(50));
    assert_true(wh_now() - began < WH_SEC(20));
    const size_t half = read_now(reader, content, sizeof content);
    assert_true(half >= 4096 && half < 500000 && content[half - 1] != '\n');
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_true(read_now(reader, content, sizeof content) > 2);
    assert_memory_equal(content, "\n{\"resource", 11); /* what was begun is ended first */
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_true(read_now(reader, content, sizeof content) > 2);
    assert_memory_equal(content, "{\"resource", 10);
    close(reader);
    wh_exporter_free(file);
}

static void an_interrupt_ends_the_waiting(void **state)
{
    (void)state;
    int reader;
    pthread_t thread;
    struct wh_exporter *file = open_fifo(&reader);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, file), 0);
    assert_int_equal(export_large(file, 500000, WH_NEVER), ETIMEDOUT);
    pthread_join(thread, NULL);
    close(reader);
    wh_exporter_free(file);
}

/* ---- standard output ---- */

/* A child that runs fn with its standard output on `fd`. */
static pid_t start_child(int fd, int (*fn)(void))
{
    const pid_t child = fork_clean();
    if (child == 0) {
        dup2(fd, STDOUT_FILENO);
        close(fd);
        _exit(fn());
    }
    return child;
}

static int export_to_stdout(void)
{
    struct wh_exporter *one = wh_file_exporter_new(NULL), *two = wh_file_exporter_new("-");
    bool well = one && two && export_small(one, WH_NEVER) == 0 && export_small(two, WH_NEVER) == 0;
    close(STDOUT_FILENO); /* the program's business */
    well = well && export_small(one, WH_NEVER) == 0;
    wh_exporter_free(one);
    wh_exporter_free(two);
    return well ? 0 : 1;
}

static void standard_output_gets_the_same_lines(void **state)
{
    (void)state;
    const int fd = open(in_folder("lines"), O_WRONLY | O_CREAT, 0600);
    assert_child_went_well(start_child(fd, export_to_stdout));
    close(fd);
    assert_readable(path, 3, 3);
}

/* Standard output as some shells and supervisors leave it: it says EAGAIN where others wait. */
static int export_to_impatient_stdout(void)
{
    struct wh_exporter *file = wh_file_exporter_new("-");
    const bool well = file && export_large(file, 500000, wh_now() + WH_SEC(20)) == 0;
    wh_exporter_free(file);
    return well ? 0 : 1;
}

static void an_output_that_says_to_try_again_gets_everything(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    const pid_t child = start_child(ends[1], export_to_impatient_stdout);
    close(ends[1]);
    const size_t len = read_now(ends[0], content, sizeof content);
    close(ends[0]);
    assert_child_went_well(child);
    assert_true(len > 500000 && content[len - 1] == '\n' && strchr(content, '\n') == content + len - 1);
}

static int export_to_broken_stdout(void)
{
    struct wh_exporter *file = wh_file_exporter_new("-");
    bool well = file && export_small(file, WH_NEVER) == EPIPE && export_small(file, WH_NEVER) == EPIPE;
    well = well && strcmp(file->last_error(file), "standard output: Broken pipe") == 0;
    wh_exporter_free(file);
    return well ? 0 : 1;
}

/* SIGPIPE is as it was: its default ends the process. */
static void a_broken_standard_output_does_not_end_the_process(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_child_went_well(start_child(ends[1], export_to_broken_stdout));
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_may_go_and_come_back),
        cmocka_unit_test(a_slow_reader_costs_no_more_than_the_deadline),
        cmocka_unit_test(an_interrupt_ends_the_waiting),
        cmocka_unit_test(standard_output_gets_the_same_lines),
        cmocka_unit_test(an_output_that_says_to_try_again_gets_everything),
        cmocka_unit_test(a_broken_standard_output_does_not_end_the_process),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
