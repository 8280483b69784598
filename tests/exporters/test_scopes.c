/* A batch of several scopes, each with its own spans and schema URL, as every exporter of the library takes it. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lines.h"
#include "recorded.h"
#include "tools.h"

static const char line[] =
    "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":["
    "{\"scope\":{\"name\":\"http\"},\"spans\":["
    "{\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"spanId\":\"00f067aa0ba902b7\",\"name\":\"a\"},"
    "{\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"spanId\":\"00f067aa0ba902b7\",\"name\":\"b\"}],"
    "\"schemaUrl\":\"https://scope\"},"
    "{\"scope\":{},\"spans\":["
    "{\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"spanId\":\"00f067aa0ba902b7\",\"name\":\"c\"}]}],"
    "\"schemaUrl\":\"https://resource\"}]}\n";

static struct bytes encoded[3], http;
static struct wh_bytes spans[4];
static struct wh_scope_spans scopes[4];
static struct wh_batch batch;

/* A scope without spans, one with two, one whose only span is none, one with one. */
static int make_batch(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        put_ids(&encoded[i]);
        spans[i] = bytes_of(put_text(&encoded[i], WH__SPAN_NAME, (const char *[]){"a", "b", "c"}[i]));
    }
    spans[3] = (struct wh_bytes){"\x2a\x05", 2};
    scopes[0] = (struct wh_scope_spans){.schema_url = {"https://unused", 14}};
    scopes[1] = (struct wh_scope_spans){.scope = bytes_of(put_text(&http, WH__SCOPE_NAME, "http")),
        .schema_url = {"https://scope", 13}, .spans = spans, .count = 2};
    scopes[2] = (struct wh_scope_spans){.spans = &spans[3], .count = 1};
    scopes[3] = (struct wh_scope_spans){.spans = &spans[2], .count = 1};
    batch = (struct wh_batch){.size = sizeof batch, .schema_url = {"https://resource", 16}, .scopes = scopes,
        .scope_count = 4, .count = 4};
    return make_folder(state);
}

static void a_line_has_every_scope_with_its_spans_and_schema_url(void **state)
{
    (void)state;
    size_t rejected = 0;
    const char *path_of_it = in_folder("lines");
    struct wh_exporter *file = wh_file_exporter_new(path_of_it);
    assert_int_equal(file->export_batch(file, &batch, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 1);
    wh_exporter_free(file);
    assert_string_equal(read_file(path_of_it), line);
    assert_readable(path_of_it, 1, 3);
}

static void memory_keeps_the_spans_of_all_scopes(void **state)
{
    (void)state;
    size_t rejected = 0;
    struct wh_span_view view;
    struct wh_exporter *memory = wh_memory_exporter_new(10);
    assert_int_equal(memory->export_batch(memory, &batch, WH_NEVER, &rejected), 0);
    assert_int_equal(wh_memory_count(memory), 4);
    static const char *const names[] = {"a", "b", NULL, "c"}; /* what is no span is kept, and reads as none */
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(wh_memory_span(memory, i, &view), names[i] != NULL);
        if (names[i]) assert_memory_equal(view.name.ptr, names[i], 1);
    }
    wh_exporter_free(memory);
}

static void the_console_draws_the_spans_of_all_scopes(void **state)
{
    (void)state;
    size_t rejected = 0;
    struct channel channel = channel_open(0);
    assert_int_equal(channel.console->export_batch(channel.console, &batch, WH_NEVER, &rejected), 0);
    assert_int_equal(channel.console->flush(channel.console, WH_NEVER), 0);
    assert_int_equal(rejected, 1);
    assert_true(channel_read(&channel) > 0);
    channel_close(&channel);
}

/* trace/sdk.md, Span exporter: after Shutdown, Export returns Failure. */
static void after_its_shutdown_an_exporter_refuses_every_batch(void **state)
{
    (void)state;
    struct channel channel = channel_open(0);
    struct wh_exporter *exporters[] = {channel.console, wh_memory_exporter_new(10), wh_file_exporter_new(in_folder("lines"))};
    for (size_t i = 0; i < 3; i++) {
        size_t rejected = 0;
        assert_int_equal(exporters[i]->export_batch(exporters[i], &batch, WH_NEVER, &rejected), 0);
        exporters[i]->shutdown(exporters[i], wh_now());
        assert_int_equal(exporters[i]->export_batch(exporters[i], &batch, WH_NEVER, &rejected), ESHUTDOWN);
    }
    assert_int_equal(wh_memory_count(exporters[1]), 4);
    wh_exporter_free(exporters[1]);
    wh_exporter_free(exporters[2]);
    channel_close(&channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_every_scope_with_its_spans_and_schema_url),
        cmocka_unit_test(memory_keeps_the_spans_of_all_scopes),
        cmocka_unit_test(the_console_draws_the_spans_of_all_scopes),
        cmocka_unit_test(after_its_shutdown_an_exporter_refuses_every_batch),
    };
    return cmocka_run_group_tests(tests, make_batch, remove_folder);
}
