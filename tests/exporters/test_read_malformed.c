/* The readers of spans on bytes that are none: refused, or read without a step beyond them. */
#include <stdio.h>

#include "exporters/reader.h"
#include "reading.h"

/* Only where a field ends is a prefix a span. */
static void every_prefix_is_refused_or_read_safely(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = everything(&spans);
    struct wh_bytes rest = view.raw;
    struct wh__field field;
    size_t fields = 0, read = 0;
    while (wh__next_field(&rest, &field, NULL)) fields++;
    for (size_t len = 0; len <= view.raw.len; len++) {
        const struct wh_bytes prefix = copy_of(view.raw.ptr, len);
        read += read_all(prefix);
        free_copy(prefix);
    }
    assert_true(fields > 10);
    assert_int_equal(read, fields + 1);
    spans_end(&spans);
}

static void mutations_are_read_safely(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = everything(&spans);
    size_t refused = 0;
    for (int i = 0; i < 20000; i++) {
        const struct wh_bytes mutant = mutant_of(view.raw);
        refused += !read_all(mutant);
        free_copy(mutant);
    }
    assert_true(refused > 100 && refused < 20000);
    spans_end(&spans);
}

static void garbage_is_read_safely(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[64];
        const size_t len = any(sizeof bytes);
        for (size_t j = 0; j < len; j++) bytes[j] = (uint8_t)any(256);
        const struct wh_bytes garbage = copy_of(bytes, len);
        read_all(garbage);
        free_copy(garbage);
    }
}

/* What the other exporters make of them: not in words, but without a step beyond. */
static void mutations_pass_through_the_exporters(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = everything(&spans);
    FILE *nowhere = fopen("/dev/null", "w");
    struct wh_exporter *exporters[] = {wh_console_exporter_new(nowhere), wh_file_exporter_new("/dev/null")};
    for (int i = 0; i < 300; i++) {
        struct wh_bytes mutants[8], resource = mutant_of(view.raw), scope = mutant_of(view.raw);
        for (size_t j = 0; j < 8; j++) mutants[j] = mutant_of(view.raw);
        const struct wh_scope_spans spans_of_scope = {.scope = scope, .spans = mutants, .count = 8};
        const struct wh_batch batch = {.size = sizeof batch, .resource = resource, .scopes = &spans_of_scope,
            .scope_count = 1, .count = 8};
        for (size_t j = 0; j < 2; j++) {
            size_t rejected = 0;
            assert_int_equal(exporters[j]->export_batch(exporters[j], &batch, WH_NEVER, &rejected), 0);
            assert_true(rejected <= 8);
        }
        for (size_t j = 0; j < 8; j++) free_copy(mutants[j]);
        free_copy(resource);
        free_copy(scope);
    }
    assert_int_equal(exporters[0]->flush(exporters[0], WH_NEVER), 0);
    wh_exporter_free(exporters[0]);
    wh_exporter_free(exporters[1]);
    fclose(nowhere);
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix_is_refused_or_read_safely),
        cmocka_unit_test(mutations_are_read_safely),
        cmocka_unit_test(garbage_is_read_safely),
        cmocka_unit_test(mutations_pass_through_the_exporters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
