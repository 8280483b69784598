/* Keeps spans, for tests. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "exporters/reader.h"

struct memory {
    struct wh_exporter exporter;
    size_t max, count;
    bool shut_down;
    struct wh_bytes spans[];
};

static bool keep(struct memory *memory, struct wh_bytes span)
{
    void *copy = memory->count < memory->max ? wh__mem_get(span.len) : NULL;
    if (!copy) return false;
    memory->spans[memory->count++] = (struct wh_bytes){memcpy(copy, span.ptr, span.len), span.len};
    return true;
}

static int export_batch(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    (void)deadline;
    if (((struct memory *)self)->shut_down) return ESHUTDOWN;
    for (size_t s = 0; s < batch->scope_count; s++)
        for (size_t i = 0; i < batch->scopes[s].count; i++)
            if (!keep((struct memory *)self, batch->scopes[s].spans[i])) ++*rejected;
    return 0;
}

static void shut_down(struct wh_exporter *self, int64_t deadline)
{
    (void)deadline;
    ((struct memory *)self)->shut_down = true;
}

static void destroy(struct wh_exporter *self)
{
    wh_memory_clear(self);
    wh__mem_free(self);
}

struct wh_exporter *wh_memory_exporter_new(size_t max)
{
    struct memory *memory = wh__mem_zero(sizeof *memory + max * sizeof *memory->spans);
    if (!memory) {
        errno = ENOMEM;
        return NULL;
    }
    memory->exporter = (struct wh_exporter){.size = sizeof memory->exporter, .name = "memory",
        .export_batch = export_batch, .shutdown = shut_down, .destroy = destroy};
    memory->max = max;
    return &memory->exporter;
}

size_t wh_memory_count(struct wh_exporter *self)
{
    return ((struct memory *)self)->count;
}

bool wh_memory_span(struct wh_exporter *self, size_t i, struct wh_span_view *view)
{
    struct memory *memory = (struct memory *)self;
    return i < memory->count && wh_span_read(memory->spans[i], view);
}

bool wh_memory_find(struct wh_exporter *self, const char *name, struct wh_span_view *view)
{
    struct wh_span_view found;
    for (size_t i = 0; wh_memory_span(self, i, &found); i++) {
        if (found.name.len != strlen(name) || memcmp(found.name.ptr, name, found.name.len)) continue;
        *view = found;
        return true;
    }
    return false;
}

void wh_memory_clear(struct wh_exporter *self)
{
    struct memory *memory = (struct memory *)self;
    while (memory->count) wh__mem_free((void *)memory->spans[--memory->count].ptr);
}
