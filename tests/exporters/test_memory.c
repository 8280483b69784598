/* The memory exporter: keeps spans, as many as it was told, and hands them out. */
#include <errno.h>

#include "gate.h"
#include "reading.h"

static void memory_keeps_as_many_as_it_was_told(void **state)
{
    (void)state;
    struct wh_exporter *memory = wh_memory_exporter_new(2);
    assert_non_null(memory);
    const struct wh_bytes spans[] = {{"\x2a\x01" "a", 3}, {"\x2a\x01" "b", 3}, {"\x2a\x01" "c", 3}};
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(spans, 3)};
    struct wh_span_view view;
    for (int round = 0; round < 2; round++) {
        size_t rejected = 0;
        assert_int_equal(wh_memory_count(memory), 0);
        assert_false(wh_memory_span(memory, 0, &view));
        assert_int_equal(memory->export_batch(memory, &batch, WH_NEVER, &rejected), 0);
        assert_int_equal(rejected, 1);
        assert_int_equal(wh_memory_count(memory), 2);
        assert_true(wh_memory_span(memory, 1, &view) && is(view.name, "b"));
        assert_false(wh_memory_span(memory, 2, &view));
        assert_true(wh_memory_find(memory, "a", &view) && is(view.name, "a"));
        assert_false(wh_memory_find(memory, "c", &view));
        wh_memory_clear(memory);
    }
    wh_exporter_free(memory);
}

static void memory_without_memory_refuses(void **state)
{
    (void)state;
    struct wh_exporter *memory = wh_memory_exporter_new(10);
    const struct wh_bytes span = {"\x2a\x01" "a", 3};
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(&span, 1)};
    size_t rejected = 0;
    memory_ends_after(0);
    assert_int_equal(memory->export_batch(memory, &batch, WH_NEVER, &rejected), 0);
    errno = 0;
    struct wh_exporter *none = wh_memory_exporter_new(10);
    memory_is_back();
    assert_int_equal(rejected, 1);
    assert_null(none);
    assert_int_equal(errno, ENOMEM);
    wh_exporter_free(memory);
}

static void nobodys_exporter_is_freed_in_peace(void **state)
{
    (void)state;
    wh_exporter_free(NULL);
    wh_exporter_free(wh_memory_exporter_new(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_keeps_as_many_as_it_was_told),
        cmocka_unit_test(memory_without_memory_refuses),
        cmocka_unit_test(nobodys_exporter_is_freed_in_peace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
