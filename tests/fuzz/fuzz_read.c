/* Any bytes as a span, and as a whole request: read to the last field, by the views, the JSON writer and the terminal tree. */
#include <stdint.h>
#include <stdio.h>
#include <whence/exporters.h>

static struct wh_exporter *file, *console;

static void read_span(struct wh_bytes bytes)
{
    struct wh_span_view span;
    struct wh_attr_view attr;
    struct wh_event_view event;
    struct wh_link_view link;
    if (!wh_span_read(bytes, &span)) return;
    wh_span_attr(&span, "whence.cancelled", &attr);
    for (struct wh_cursor c = {bytes}; wh_next_span_attr(&c, &attr);) continue;
    for (struct wh_cursor c = {bytes}; wh_next_event(&c, &event);)
        for (struct wh_cursor inner = {event.raw}; wh_next_event_attr(&inner, &attr);) continue;
    for (struct wh_cursor c = {bytes}; wh_next_link(&c, &link);)
        for (struct wh_cursor inner = {link.raw}; wh_next_link_attr(&inner, &attr);) continue;
}

static int read_batch(const struct wh_batch *batch, void *arg)
{
    struct wh_attr_view attr;
    size_t rejected = 0;
    (void)arg;
    for (struct wh_cursor c = {batch->resource}; wh_next_resource_attr(&c, &attr);) continue;
    for (size_t i = 0; i < batch->count; i++) read_span(batch->spans[i]);
    file->export_batch(file, batch, WH_NEVER, &rejected);
    console->export_batch(console, batch, WH_NEVER, &rejected);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct wh_bytes bytes = {data, size};
    static FILE *nowhere;
    if (!file) {
        nowhere = fopen("/dev/null", "w");
        file = wh_file_exporter_new("/dev/null");
        console = wh_console_exporter_new(nowhere);
    }
    read_span(bytes);
    wh_read_request(bytes, read_batch, NULL);
    read_batch(&(struct wh_batch){.size = sizeof(struct wh_batch), .resource = bytes, .scope = bytes, .spans = &bytes, .count = 1}, NULL);
    console->flush(console, WH_NEVER);
    return 0;
}
