/* An exporter that keeps whole batches as OTLP lines of text: "name version [schema]: span span; ..." for each export. */
#ifndef BATCHES_H
#define BATCHES_H

#include <stdio.h>
#include <string.h>

#include "test.h"

struct batches {
    struct wh_exporter exporter;
    char text[1 << 16];
    size_t count;
};

static inline void batches_put(struct batches *b, struct wh_str text)
{
    const size_t len = strlen(b->text);
    snprintf(b->text + len, sizeof b->text - len, "%.*s", (int)text.len, text.ptr ? text.ptr : "");
}

/* Field 1 or 2 of a scope: name and version. */
static inline struct wh_str batches_field(struct wh_bytes scope, unsigned field)
{
    const char *p = scope.ptr;
    for (size_t at = 0; at + 1 < scope.len; at += 2 + (unsigned char)p[at + 1])
        if ((unsigned char)p[at] == (field << 3 | 2)) return (struct wh_str){p + at + 2, (unsigned char)p[at + 1]};
    return (struct wh_str){0};
}

static inline int batches_export(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct batches *b = (struct batches *)self;
    struct wh_span_view span;
    (void)deadline, (void)rejected;
    size_t count = 0;
    b->count++;
    for (size_t s = 0; s < batch->scope_count; s++) {
        const struct wh_scope_spans *scope = &batch->scopes[s];
        batches_put(b, batches_field(scope->scope, 1));
        batches_put(b, (struct wh_str){" ", 1});
        batches_put(b, batches_field(scope->scope, 2));
        if (scope->schema_url.len) batches_put(b, (struct wh_str){" ", 1});
        batches_put(b, scope->schema_url);
        batches_put(b, (struct wh_str){":", 1});
        for (size_t i = 0; i < scope->count; i++, count++) {
            assert_true(wh_span_read(scope->spans[i], &span));
            batches_put(b, (struct wh_str){" ", 1});
            batches_put(b, span.name);
        }
        batches_put(b, (struct wh_str){"; ", 2});
    }
    assert_int_equal(count, batch->count);
    return 0;
}

static inline struct wh_exporter *batches_begin(struct batches *b)
{
    *b = (struct batches){.exporter = {.size = sizeof b->exporter, .name = "batches", .export_batch = batches_export}};
    return &b->exporter;
}

#endif
