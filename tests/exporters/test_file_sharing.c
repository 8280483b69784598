/* The file exporter among other processes: how the file is opened, and who else writes to it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lines.h"
#include "test.h"
#include "tools.h"

/* ---- how it is opened ---- */

static int descriptor_of(const char *name)
{
    DIR *open_files = opendir("/proc/self/fd");
    int found = -1;
    for (struct dirent *entry; found < 0 && (entry = readdir(open_files));) {
        char link[300], target[300] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%s", entry->d_name);
        if (readlink(link, target, sizeof target - 1) > 0 && strcmp(target, name) == 0) found = atoi(entry->d_name);
    }
    closedir(open_files);
    return found;
}

static void it_is_opened_for_appending_and_not_inherited(void **state)
{
    (void)state;
    struct stat now;
    const mode_t mask = umask(0);
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    umask(mask);
    const int fd = descriptor_of(path);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_APPEND);
    assert_int_equal(stat(path, &now), 0);
    assert_int_equal(now.st_mode & 07777, 0644);
    wh_exporter_free(file);
    assert_int_equal(descriptor_of(path), -1);
}

/* ---- several writers ---- */

enum { WRITERS = 3, LINES = 150 };

/* Short lines, and every tenth a long one of three spans. */
static bool write_lines(struct wh_exporter *file)
{
    for (int i = 0; i < LINES; i++)
        if (export_large(file, i % 10 ? 3000 : 120000, WH_NEVER)) return false;
    wh_exporter_free(file);
    return true;
}

static bool append_lines(void)
{
    struct wh_exporter *file = wh_file_exporter_new(path);
    return file && write_lines(file);
}

static void processes_share_a_file_line_by_line(void **state)
{
    (void)state;
    pid_t children[WRITERS];
    in_folder("shared");
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork_clean();
        if (children[i] == 0) _exit(append_lines() ? 0 : 1);
    }
    for (int i = 0; i < WRITERS; i++) assert_child_went_well(children[i]);
    assert_readable(path, WRITERS * LINES, WRITERS * LINES / 10 * (9 + 3));
}

/* What a child has opened by inheritance: its lines stand beside those of its parent. */
static void a_child_process_writes_beside_its_parent(void **state)
{
    (void)state;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("shared"));
    assert_int_equal(export_small(file, WH_NEVER), 0);
    const pid_t child = fork_clean();
    const bool well = write_lines(file);
    if (child == 0) _exit(well ? 0 : 1);
    assert_true(well);
    assert_child_went_well(child);
    assert_readable(path, 1 + 2 * LINES, 1 + 2 * LINES / 10 * (9 + 3));
}

/* The child has it open and may have written to it, so that nothing is cut off its end. */
static void a_parent_does_not_take_back_what_its_child_may_have_followed(void **state)
{
    (void)state;
    int go[2], done[2];
    char byte;
    struct stat now;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("shared"));
    assert_true(pipe(go) == 0 && pipe(done) == 0);
    const pid_t child = fork_clean();
    if (child == 0) {
        close(go[1]);
        const bool well = export_small(file, WH_NEVER) == 0 && write(done[1], "!", 1) == 1 &&
                          read(go[0], &byte, 1) == 0;
        wh_exporter_free(file);
        _exit(well ? 0 : 1);
    }
    close(go[0]);
    assert_int_equal(read(done[0], &byte, 1), 1);
    assert_int_equal(stat(path, &now), 0);
    const off_t size = now.st_size;
    assert_int_equal(export_small_below(file, (rlim_t)size + 100), EFBIG);
    assert_int_equal(stat(path, &now), 0);
    assert_int_equal(now.st_size, size + 100);
    close(go[1]);
    assert_child_went_well(child);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    wh_exporter_free(file);
    close(done[0]);
    close(done[1]);
    assert_memory_equal(read_file(path) + size + 100, "\n{\"resource", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_opened_for_appending_and_not_inherited),
        cmocka_unit_test(processes_share_a_file_line_by_line),
        cmocka_unit_test(a_child_process_writes_beside_its_parent),
        cmocka_unit_test(a_parent_does_not_take_back_what_its_child_may_have_followed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
