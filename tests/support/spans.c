#include "test.h"

#include <stdio.h>
#include <string.h>

struct spans spans_begin_with(struct wh_provider_opts opts)
{
    struct spans spans = {.memory = wh_memory_exporter_new(100000)};
    assert_non_null(spans.memory);
    opts.size = sizeof opts;
    opts.exporters = &spans.memory;
    opts.exporter_count = 1;
    if (!opts.service) opts.service = "test";
    spans.provider = wh_provider_new_at(&opts);
    assert_non_null(spans.provider);
    spans.root = wh_provider_root(spans.provider);
    return spans;
}

struct spans spans_begin(void)
{
    return spans_begin_with((struct wh_provider_opts){0});
}

void spans_end(struct spans *spans)
{
    wh_end(spans->root);
    assert_int_equal(wh_provider_shutdown(spans->provider, WH_SEC(10)), 0);
}

struct wh_span_view span_named(struct spans *spans, const char *name)
{
    struct wh_span_view view, found;
    size_t count = 0;
    assert_int_equal(wh_provider_flush(spans->provider, WH_SEC(10)), 0);
    for (size_t i = 0; wh_memory_span(spans->memory, i, &view); i++) {
        if (view.name.len != strlen(name) || memcmp(view.name.ptr, name, view.name.len)) continue;
        found = view;
        count++;
    }
    if (count != 1) fail_msg("%zu spans are called \"%s\"", count, name);
    return found;
}

static struct wh_attr_view attr_of(const struct wh_span_view *span, const char *key, enum wh_type type)
{
    struct wh_attr_view attr;
    if (!wh_span_attr(span, key, &attr)) fail_msg("no attribute %s", key);
    if (attr.type != type) fail_msg("attribute %s is of type %d, not %d", key, (int)attr.type, (int)type);
    return attr;
}

const char *span_text(const struct wh_span_view *span, const char *key)
{
    static char text[4096];
    const struct wh_attr_view attr = attr_of(span, key, WH_STRING);
    snprintf(text, sizeof text, "%.*s", (int)attr.as.string.len, attr.as.string.ptr);
    return text;
}

int64_t span_int(const struct wh_span_view *span, const char *key)
{
    return attr_of(span, key, WH_INT).as.integer;
}

double span_double(const struct wh_span_view *span, const char *key)
{
    return attr_of(span, key, WH_DOUBLE).as.real;
}

bool span_bool(const struct wh_span_view *span, const char *key)
{
    return attr_of(span, key, WH_BOOL).as.boolean;
}

bool span_has(const struct wh_span_view *span, const char *key)
{
    struct wh_attr_view attr;
    return wh_span_attr(span, key, &attr);
}

bool span_event(const struct wh_span_view *span, const char *name, struct wh_event_view *event)
{
    struct wh_cursor cursor = {span->raw};
    while (wh_next_event(&cursor, event))
        if (event->name.len == strlen(name) && memcmp(event->name.ptr, name, event->name.len) == 0) return true;
    return false;
}
