/* An exporter that keeps the spans that it gets, also after it is shut down. It belongs to the test. */
#ifndef KEEPER_H
#define KEEPER_H

#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { KEEPER_ROOM = 4000 };
struct keeper {
    struct wh_exporter exporter;
    struct wh_bytes spans[KEEPER_ROOM]; /* written by one thread at a time */
    size_t count;                       /* atomic */
};

static inline int keeper_export(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct keeper *keeper = (struct keeper *)self;
    (void)deadline, (void)rejected;
    for (size_t s = 0; s < batch->scope_count; s++)
        for (size_t i = 0; i < batch->scopes[s].count; i++) {
            const struct wh_bytes span = batch->scopes[s].spans[i];
            if (keeper->count == KEEPER_ROOM) return 1;
            keeper->spans[keeper->count] = (struct wh_bytes){memcpy(malloc(span.len), span.ptr, span.len), span.len};
            __atomic_fetch_add(&keeper->count, 1, __ATOMIC_RELEASE);
        }
    return 0;
}

static inline struct wh_exporter *keeper_begin(struct keeper *keeper)
{
    *keeper = (struct keeper){.exporter = {.size = sizeof keeper->exporter, .name = "keeper", .export_batch = keeper_export}};
    return &keeper->exporter;
}

static inline void keeper_end(struct keeper *keeper)
{
    for (size_t i = 0; i < keeper->count; i++) free((void *)keeper->spans[i].ptr);
    keeper->count = 0;
}

static inline bool keeper_find(const struct keeper *keeper, const char *name, struct wh_span_view *span)
{
    for (size_t i = 0; i < keeper->count; i++) {
        assert_true(wh_span_read(keeper->spans[i], span));
        if (span->name.len == strlen(name) && !memcmp(span->name.ptr, name, span->name.len)) return true;
    }
    return false;
}

static inline struct wh_span_view keeper_span(const struct keeper *keeper, const char *name)
{
    struct wh_span_view span = {0};
    if (!keeper_find(keeper, name, &span)) fail_msg("no span is called \"%s\"", name);
    return span;
}

#endif
