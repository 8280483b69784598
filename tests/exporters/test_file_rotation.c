/* The file exporter when a file is full: rotation by size and count, alone and among processes. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "exporters/rotate.h"
#include "gate.h"
#include "lines.h"
#include "test.h"
#include "tools.h"

/* ---- a folder of its own for each test ---- */

static char own[64];
static char file_path[128];

static int make_own(void **state)
{
    (void)state;
    strcpy(own, "/tmp/whence-rotation-XXXXXX");
    return mkdtemp(own) ? 0 : -1;
}

static int remove_own(void **state)
{
    (void)state;
    DIR *dir = opendir(own);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s", own, entry->d_name);
        if (entry->d_name[0] != '.') unlink(name);
    }
    closedir(dir);
    return rmdir(own);
}

static const char *named(const char *name)
{
    snprintf(file_path, sizeof file_path, "%s/%s", own, name);
    return file_path;
}

static off_t size_of(const char *name)
{
    struct stat now;
    return stat(named(name), &now) == 0 ? now.st_size : -1;
}

static int files(void)
{
    int count = 0;
    DIR *dir = opendir(own);
    for (struct dirent *entry; (entry = readdir(dir));) count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* How many bytes a small line takes. */
static off_t line_size(void)
{
    static off_t size;
    if (size) return size;
    struct wh_exporter *file = wh_file_exporter_new(named("measure"));
    assert_int_equal(export_small(file, WH_NEVER), 0);
    size = size_of("measure");
    wh_exporter_free(file);
    unlink(named("measure"));
    return size;
}

static void write_small(struct wh_exporter *file, int lines)
{
    for (int i = 0; i < lines; i++) assert_int_equal(export_small(file, WH_NEVER), 0);
}

/* ---- names ---- */

static void numbers_stand_before_the_extension(void **state)
{
    (void)state;
    static const struct { const char *path; uint32_t number; const char *expected; } table[] = {
        {"spans.jsonl", 0, "spans.jsonl"},   {"spans.jsonl", 1, "spans.1.jsonl"}, {"/a.b/spans.jsonl", 12, "/a.b/spans.12.jsonl"},
        {"spans", 1, "spans.1"},             {"spans.json", 2, "spans.json.2"},   {".jsonl", 1, ".jsonl.1"},
        {"/a/.jsonl", 1, "/a/.jsonl.1"},     {"x.jsonl.old", 1, "x.jsonl.old.1"}, {"a.jsonl", 4294967295u, "a.4294967295.jsonl"},
    };
    char name[WH__NUMBERED];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        wh__numbered(name, table[i].path, table[i].number);
        assert_string_equal(name, table[i].expected);
    }
}

/* ---- by size and count ---- */

static void a_full_file_gets_a_number_and_a_new_one_its_name(void **state)
{
    (void)state;
    const off_t line = line_size();
    struct wh_exporter *file = wh_file_exporter_new(named("spans.jsonl"), .max_bytes = 3 * line, .max_files = 3);
    write_small(file, 3);
    assert_int_equal(files(), 1);
    assert_int_equal(size_of("spans.jsonl"), 3 * line);
    write_small(file, 1);
    assert_int_equal(files(), 2);
    assert_int_equal(size_of("spans.jsonl"), line);
    assert_int_equal(size_of("spans.1.jsonl"), 3 * line);
    write_small(file, 5);
    assert_int_equal(files(), 3);
    assert_readable(named("spans.jsonl"), 3, 3);
    assert_readable(named("spans.1.jsonl"), 3, 3);
    assert_readable(named("spans.2.jsonl"), 3, 3);
    wh_exporter_free(file);
}

static void the_oldest_file_goes(void **state)
{
    (void)state;
    const off_t line = line_size();
    struct wh_exporter *file = wh_file_exporter_new(named("spans"), .max_bytes = line, .max_files = 3);
    for (int i = 0; i < 10; i++) {
        write_small(file, 1);
        assert_true(files() <= 3);
    }
    assert_int_equal(size_of("spans"), line);
    assert_int_equal(size_of("spans.1"), line);
    assert_int_equal(size_of("spans.2"), line);
    assert_int_equal(size_of("spans.3"), -1);
    wh_exporter_free(file);
}

static void there_are_five_files_unless_told_otherwise(void **state)
{
    (void)state;
    struct wh_exporter *file = wh_file_exporter_new(named("spans"), .max_bytes = line_size());
    write_small(file, 20);
    assert_int_equal(files(), 5);
    wh_exporter_free(file);
}

static void one_file_begins_again(void **state)
{
    (void)state;
    const off_t line = line_size();
    struct wh_exporter *file = wh_file_exporter_new(named("spans"), .max_bytes = 2 * line, .max_files = 1);
    write_small(file, 5);
    assert_int_equal(files(), 1);
    assert_int_equal(size_of("spans"), line);
    wh_exporter_free(file);
}

static void a_line_that_is_longer_than_a_file_has_one_of_its_own(void **state)
{
    (void)state;
    const off_t line = line_size();
    struct wh_exporter *file = wh_file_exporter_new(named("spans"), .max_bytes = 2 * line);
    write_small(file, 1);
    assert_int_equal(export_large(file, 3000, WH_NEVER), 0);
    write_small(file, 1);
    assert_int_equal(size_of("spans"), line);
    assert_int_equal(size_of("spans.2"), line);
    assert_readable(named("spans.1"), 1, 1);
    wh_exporter_free(file);
}

static void what_was_there_before_counts(void **state)
{
    (void)state;
    const off_t line = line_size();
    struct wh_exporter *file = wh_file_exporter_new(named("spans"));
    write_small(file, 4);
    wh_exporter_free(file);
    file = wh_file_exporter_new(named("spans"), .max_bytes = 4 * line);
    write_small(file, 1);
    assert_int_equal(size_of("spans.1"), 4 * line);
    assert_int_equal(size_of("spans"), line);
    wh_exporter_free(file);
}

static void without_a_limit_a_file_grows(void **state)
{
    (void)state;
    struct wh_exporter *file = wh_file_exporter_new(named("spans"), .max_files = 2);
    write_small(file, 50);
    assert_int_equal(files(), 1);
    assert_int_equal(size_of("spans"), 50 * line_size());
    wh_exporter_free(file);
}

static void what_is_no_file_is_not_rotated(void **state)
{
    (void)state;
    struct wh_exporter *file = wh_file_exporter_new("/dev/null", .max_bytes = 1);
    write_small(file, 3);
    assert_int_equal(access("/dev/null.1", F_OK), -1);
    wh_exporter_free(file);
}

/* ---- what others do to it ---- */

static void a_file_that_somebody_moves_away_is_made_anew(void **state)
{
    (void)state;
    char moved[128];
    const off_t line = line_size();
    struct wh_exporter *file = wh_file_exporter_new(named("spans"), .max_bytes = 100 * line);
    write_small(file, 2);
    strcpy(moved, named("moved"));
    assert_int_equal(rename(named("spans"), moved), 0);
    write_small(file, 1);
    assert_int_equal(size_of("moved"), 2 * line);
    assert_int_equal(size_of("spans"), line);
    assert_int_equal(unlink(named("spans")), 0);
    write_small(file, 1);
    assert_int_equal(size_of("spans"), line);
    wh_exporter_free(file);
}

static void a_file_that_cannot_be_rotated_refuses_spans_and_goes_on_when_it_can(void **state)
{
    (void)state;
    const off_t line = line_size();
    struct wh_exporter *file = wh_file_exporter_new(named("spans"), .max_bytes = 2 * line, .max_files = 2);
    write_small(file, 2);
    assert_int_equal(mkdir(named("spans.1"), 0700), 0); /* in its way */
    const int rc = export_small(file, WH_NEVER);
    assert_true(rc == EISDIR || rc == ENOTDIR || rc == EEXIST);
    assert_non_null(strstr(file->last_error(file), "spans: "));
    assert_int_equal(size_of("spans"), 2 * line);
    assert_int_equal(rmdir(named("spans.1")), 0);
    write_small(file, 1);
    assert_int_equal(size_of("spans"), line);
    assert_int_equal(size_of("spans.1"), 2 * line);
    wh_exporter_free(file);
}

/* ---- several processes ---- */

enum { WRITERS = 3, LINES = 200 };

static void processes_rotate_a_shared_file_and_lose_no_line(void **state)
{
    (void)state;
    pid_t children[WRITERS];
    const off_t line = line_size();
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork_clean();
        if (children[i]) continue;
        struct wh_exporter *file = wh_file_exporter_new(named("spans"), .max_bytes = 10 * line, .max_files = 1000);
        for (int n = 0; n < LINES; n++)
            if (export_small(file, WH_NEVER)) _exit(1);
        wh_exporter_free(file);
        _exit(0);
    }
    for (int i = 0; i < WRITERS; i++) assert_child_went_well(children[i]);
    off_t sum = 0;
    const int count = files();
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, i ? "spans.%d" : "spans", i);
        const off_t size = size_of(name);
        assert_true(size > 0 && size % line == 0); /* a process that has looked just before may write one more than fits */
        sum += size;
    }
    assert_int_equal(sum, WRITERS * LINES * line);
    assert_true(count > 1);
}

static void a_child_of_a_fork_follows_the_rotation(void **state)
{
    (void)state;
    const off_t line = line_size();
    struct wh_exporter *file = wh_file_exporter_new(named("spans"), .max_bytes = 2 * line, .max_files = 4);
    write_small(file, 2);
    const pid_t child = fork_clean();
    if (child == 0) _exit(export_small(file, WH_NEVER) || export_small(file, WH_NEVER) || export_small(file, WH_NEVER) ? 1 : 0);
    assert_child_went_well(child);
    assert_int_equal(size_of("spans"), line);
    write_small(file, 1);
    assert_int_equal(size_of("spans"), 2 * line);
    assert_int_equal(size_of("spans.1"), 2 * line);
    assert_int_equal(size_of("spans.2"), 2 * line);
    wh_exporter_free(file);
}

/* ---- options ---- */

static void a_program_of_an_older_header_has_the_older_options(void **state)
{
    (void)state;
    const struct wh_file_opts older = {.size = offsetof(struct wh_file_opts, max_bytes), .path = named("spans"), .max_bytes = 1};
    struct wh_exporter *file = wh_file_exporter_new_at(&older);
    write_small(file, 3);
    assert_int_equal(files(), 1);
    wh_exporter_free(file);
}

static void a_path_without_an_end_is_refused(void **state)
{
    (void)state;
    static char path_of_a[5001];
    memset(path_of_a, 'a', sizeof path_of_a - 1);
    assert_null(wh_file_exporter_new(path_of_a));
    assert_int_equal(errno, ENAMETOOLONG);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_own, remove_own)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stand_before_the_extension),
        IN_A_FOLDER(a_full_file_gets_a_number_and_a_new_one_its_name),
        IN_A_FOLDER(the_oldest_file_goes),
        IN_A_FOLDER(there_are_five_files_unless_told_otherwise),
        IN_A_FOLDER(one_file_begins_again),
        IN_A_FOLDER(a_line_that_is_longer_than_a_file_has_one_of_its_own),
        IN_A_FOLDER(what_was_there_before_counts),
        IN_A_FOLDER(without_a_limit_a_file_grows),
        IN_A_FOLDER(what_is_no_file_is_not_rotated),
        IN_A_FOLDER(a_file_that_somebody_moves_away_is_made_anew),
        IN_A_FOLDER(a_file_that_cannot_be_rotated_refuses_spans_and_goes_on_when_it_can),
        IN_A_FOLDER(processes_rotate_a_shared_file_and_lose_no_line),
        IN_A_FOLDER(a_child_of_a_fork_follows_the_rotation),
        IN_A_FOLDER(a_program_of_an_older_header_has_the_older_options),
        cmocka_unit_test(a_path_without_an_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
