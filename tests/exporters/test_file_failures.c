/* The file exporter on what fails: full devices, lines cut short, memory that runs out. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "gate.h"
#include "lines.h"
#include "test.h"

/* ---- devices ---- */

static void a_full_device_is_an_error_that_names_it(void **state)
{
    (void)state;
    struct wh_exporter *file = wh_file_exporter_new("/dev/full");
    assert_non_null(file);
    assert_int_equal(export_small(file, WH_NEVER), ENOSPC);
    assert_string_equal(file->last_error(file), "/dev/full: No space left on device");
    assert_int_equal(export_small(file, WH_NEVER), ENOSPC);
    wh_exporter_free(file);
}

static void a_full_device_counts_as_dropped(void **state)
{
    (void)state;
    struct wh_exporter *file = wh_file_exporter_new("/dev/full");
    wh_provider *provider = wh_provider_new(.service = "test", .exporters = &file, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider);
    wh_end(wh_start(root, "lost"));
    assert_int_equal(wh_provider_flush(provider, WH_SEC(10)), EIO);
    struct wh_provider_stats stats = {.size = sizeof stats};
    wh_provider_stats(provider, &stats);
    assert_int_equal(stats.dropped_export, 1);
    assert_int_equal(stats.exported, 0);
    wh_end(root);
    wh_provider_shutdown(provider, WH_SEC(10));
}

static void what_cannot_be_opened_is_told(void **state)
{
    (void)state;
    errno = 0;
    assert_null(wh_file_exporter_new("/nonexistent/spans.jsonl"));
    assert_int_equal(errno, ENOENT);
    assert_null(wh_file_exporter_new(folder));
    assert_int_equal(errno, EISDIR);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_null(wh_file_exporter_new(path)); /* at once: nobody reads it */
    assert_int_equal(errno, ENXIO);
}

/* ---- lines cut short ---- */

/* The kernel writes what fits below the limit, and says so only the next time. */
static void a_line_cut_short_is_taken_back(void **state)
{
    (void)state;
    struct stat now;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_int_equal(stat(path, &now), 0);
    const off_t size = now.st_size;
    assert_int_equal(export_small_below(file, (rlim_t)size + 100), EFBIG);
    assert_int_equal(stat(path, &now), 0);
    assert_int_equal(now.st_size, size);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    wh_exporter_free(file);
    assert_readable(path, 2, 2);
}

/* What another process may have written after it is not ours to take back. */
static void a_line_cut_short_in_a_shared_file_is_ended(void **state)
{
    (void)state;
    struct stat now;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines")), *other = wh_file_exporter_new(path);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_int_equal(stat(path, &now), 0);
    const off_t size = now.st_size;
    assert_int_equal(export_small_below(file, (rlim_t)size + 100), EFBIG);
    assert_int_equal(stat(path, &now), 0);
    assert_int_equal(now.st_size, size + 100);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_int_equal(export_small(other, WH_NEVER), 0);
    wh_exporter_free(file);
    wh_exporter_free(other);
    const char *text = read_file(path);
    assert_memory_equal(text + size, text, 100);
    assert_memory_equal(text + size + 100, "\n{\"resource", 11);
    assert_null(strstr(text, "\n\n"));
    assert_int_equal(strlen(text), 3 * size + 101);
}

static void a_line_that_another_process_left_unfinished_is_ended(void **state)
{
    (void)state;
    FILE *half = fopen(in_folder("lines"), "w");
    fputs("{\"resourceSpans\":[{\"reso", half);
    fclose(half);
    struct wh_exporter *file = wh_file_exporter_new(path);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    assert_int_equal(export_small(file, WH_NEVER), 0);
    wh_exporter_free(file);
    const char *text = read_file(path);
    assert_memory_equal(text, "{\"resourceSpans\":[{\"reso\n{\"resourceSpans\":[{\"resource\"", 50);
    assert_null(strstr(text, "\n\n"));
}

/* ---- memory ---- */

static void without_memory_the_batch_is_refused(void **state)
{
    (void)state;
    memory_ends_after(0);
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    assert_null(file);
    assert_int_equal(errno, ENOMEM);
    memory_ends_after(1);
    file = wh_file_exporter_new(path);
    assert_non_null(file);
    assert_int_equal(export_small(file, WH_NEVER), ENOMEM);
    memory_ends_after(1);
    assert_int_equal(export_large(file, 100000, WH_NEVER), ENOMEM); /* to begin, but not to grow */
    memory_is_back();
    assert_int_equal(export_large(file, 100000, WH_NEVER), 0);
    wh_exporter_free(file);
    assert_readable(path, 1, 3);
}

/* Each allocation fails once: the line is there as a whole or not at all, and the next one is there. */
static void an_allocation_that_fails_loses_one_line(void **state)
{
    (void)state;
    bool went_well = false;
    for (size_t n = 1; n < 100 && !went_well; n++) {
        memory_fails_once_at(n);
        struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
        const int rc = file ? export_large(file, 400000, WH_NEVER) : ENOMEM;
        went_well = !memory_is_back();
        assert_int_equal(rc, went_well ? 0 : ENOMEM);
        if (!file) continue;
        assert_int_equal(export_small(file, WH_NEVER), 0);
        wh_exporter_free(file);
        const char *first = strchr(read_file(path), '\n');
        assert_int_equal(first && first[1], went_well); /* a second line */
        assert_int_equal(content[strlen(content) - 1], '\n');
    }
    assert_true(went_well);
    assert_readable(path, 2, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_device_is_an_error_that_names_it),
        cmocka_unit_test(a_full_device_counts_as_dropped),
        cmocka_unit_test(what_cannot_be_opened_is_told),
        cmocka_unit_test(a_line_cut_short_is_taken_back),
        cmocka_unit_test(a_line_cut_short_in_a_shared_file_is_ended),
        cmocka_unit_test(a_line_that_another_process_left_unfinished_is_ended),
        cmocka_unit_test(without_memory_the_batch_is_refused),
        cmocka_unit_test(an_allocation_that_fails_loses_one_line),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
