/* The file exporter on a disk that fills up: it stops, counts, and goes on once there is room. The disk is a small tmpfs in a mount
 * namespace of a child's; where none may be made, a limit on the size of files stands for it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "left_out.h"
#include "lines.h"
#include "test.h"
#include "tools.h"

enum { DISK = 64 << 10, CANNOT_MOUNT = 77 };

#define REQUIRE(condition) do { if (!(condition)) { fprintf(stderr, "line %d: %s\n", __LINE__, #condition); _exit(1); } } while (0)

static int outages;

static void count_outages(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity;
    (void)arg;
    if (strstr(line, "spans are being lost")) outages++;
}

static bool record(wh_provider *provider, const wh_ctx *root, int spans)
{
    for (int i = 0; i < spans; i++) {
        wh_ctx *span = wh_start(root, "a span that takes some room on the disk");
        wh_set(span, "padding", "0123456789012345678901234567890123456789012345678901234567890123456789");
        wh_end(span);
    }
    return wh_provider_flush(provider, WH_SEC(60)) == 0;
}

static struct wh_provider_stats stats_of(const wh_provider *provider)
{
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    return stats;
}

static bool ends_with_a_whole_line(const char *name)
{
    const char *text = read_file(name);
    const size_t len = strlen(text);
    return len == 0 || (text[0] == '{' && text[len - 1] == '\n' && !strstr(text, "\n\n"));
}

static long lines_of(const char *name)
{
    long lines = 0;
    for (const char *p = read_file(name); (p = strchr(p, '\n')); p++) lines++;
    return lines;
}

static void mount_disk(const char *at)
{
    if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) _exit(CANNOT_MOUNT);
    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
    char options[32];
    snprintf(options, sizeof options, "size=%d", DISK);
    if (mount("disk", at, "tmpfs", 0, options)) _exit(CANNOT_MOUNT);
}

/* Fills the disk, frees it, and counts. */
static void fill_and_free(const char *at)
{
    char name[128], other[128];
    static char block[40 << 10];
    snprintf(name, sizeof name, "%s/spans.jsonl", at);
    snprintf(other, sizeof other, "%s/other", at);
    const int fd = open(other, O_WRONLY | O_CREAT, 0600);
    REQUIRE(fd >= 0 && write(fd, block, sizeof block) == (ssize_t)sizeof block);
    close(fd);
    wh_report_to(count_outages, NULL);
    struct wh_exporter *file = wh_file_exporter_new(name);
    REQUIRE(file);
    wh_provider *provider = wh_provider_new(.exporters = &file, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider);
    uint64_t started = 0;
    while (record(provider, root, 20)) started += 20;
    started += 20;
    for (int i = 0; i < 5; i++, started += 20) REQUIRE(!record(provider, root, 20));
    const struct wh_provider_stats full = stats_of(provider);
    REQUIRE(full.exported > 0 && full.dropped_export >= 20);
    REQUIRE(full.exported + full.dropped_export == started);
    REQUIRE(outages == 1);
    REQUIRE(ends_with_a_whole_line(name));
    const long lines = lines_of(name);

    REQUIRE(unlink(other) == 0);
    REQUIRE(record(provider, root, 20));
    const struct wh_provider_stats freed = stats_of(provider);
    REQUIRE(freed.exported == full.exported + 20 && freed.dropped_export == full.dropped_export);
    REQUIRE(ends_with_a_whole_line(name) && lines_of(name) == lines + 1);
    wh_end(root);
    wh_provider_shutdown(provider, WH_SEC(60));
    wh_report_to(NULL, NULL);
}

static void on_a_full_disk_it_stops_counts_and_goes_on(void **state)
{
    (void)state;
    int status;
    const pid_t child = fork_clean();
    if (child == 0) {
        mount_disk(folder);
        fill_and_free(folder);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_MOUNT) LEFT_OUT("a full disk", "no file system can be mounted here");
    assert_int_equal(status, 0);
}

/* Rotation gives a full disk room by itself: the oldest file goes. */
static void rotate_on_disk(const char *at)
{
    char name[128];
    snprintf(name, sizeof name, "%s/spans.jsonl", at);
    struct wh_exporter *file = wh_file_exporter_new(name, .max_bytes = DISK / 4, .max_files = 3);
    wh_provider *provider = wh_provider_new(.exporters = &file, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider);
    for (int i = 0; i < 50; i++) REQUIRE(record(provider, root, 20));
    REQUIRE(stats_of(provider).exported == 1000);
    wh_end(root);
    wh_provider_shutdown(provider, WH_SEC(60));
}

static void a_rotated_file_stays_within_a_small_disk(void **state)
{
    (void)state;
    int status;
    const pid_t child = fork_clean();
    if (child == 0) {
        mount_disk(folder);
        rotate_on_disk(folder);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_MOUNT) LEFT_OUT("a full disk", "no file system can be mounted here");
    assert_int_equal(status, 0);
}

/* The same with a limit on the size of files, which needs no privileges. */
static void beyond_a_limit_it_stops_counts_and_goes_on(void **state)
{
    (void)state;
    outages = 0;
    wh_report_to(count_outages, NULL);
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    wh_provider *provider = wh_provider_new(.exporters = &file, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider);
    assert_true(record(provider, root, 20));
    const struct rlimit before = limit_file_size((rlim_t)(strlen(read_file(path)) + 100));
    for (int i = 0; i < 3; i++) assert_false(record(provider, root, 20));
    lift_limit(before);
    assert_int_equal(lines_of(path), 1);
    assert_true(record(provider, root, 20));
    const struct wh_provider_stats stats = stats_of(provider);
    assert_int_equal(stats.exported, 40);
    assert_int_equal(stats.dropped_export, 60);
    assert_int_equal(outages, 1);
    assert_true(ends_with_a_whole_line(path));
    assert_readable(path, 2, 40);
    wh_end(root);
    wh_provider_shutdown(provider, WH_SEC(60));
    wh_report_to(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_full_disk_it_stops_counts_and_goes_on),
        cmocka_unit_test(a_rotated_file_stays_within_a_small_disk),
        cmocka_unit_test(beyond_a_limit_it_stops_counts_and_goes_on),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
