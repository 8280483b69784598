#include "sinks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static uint64_t sum; /* so that nothing can be left out */

static uint64_t words_of(struct wh_bytes span)
{
    const unsigned char *bytes = span.ptr;
    uint64_t words = 0;
    size_t at = 0;
    for (uint64_t word; at + sizeof word <= span.len; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        words += word;
    }
    for (; at < span.len; at++) words += bytes[at];
    return words;
}

static int read_all(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    (void)self, (void)deadline, (void)rejected;
    uint64_t words = 0;
    for (size_t s = 0; s < batch->scope_count; s++)
        for (size_t i = 0; i < batch->scopes[s].count; i++) words += words_of(batch->scopes[s].spans[i]);
    __atomic_store_n(&sum, words, __ATOMIC_RELAXED);
    return 0;
}

struct wh_exporter *reading_sink_new(void)
{
    static struct wh_exporter sink = {.size = sizeof sink, .name = "reading", .export_batch = read_all};
    return &sink;
}

/* ---- requests ---- */

/* Fields of opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest and below; all are of one byte. */
enum { RESOURCE_SPANS = 1, RESOURCE = 1, SCOPE_SPANS = 2, SCOPE = 1, SPANS = 2, LEN = 2 };

struct request_sink {
    struct wh_exporter exporter;
    unsigned char *buffer;
    size_t capacity;
};
static uint64_t written; /* atomic */

static size_t sized(size_t len)
{
    size_t size = 2 + len;
    for (size_t rest = len; rest >= 0x80; rest >>= 7) size++;
    return size;
}

static unsigned char *put_head(unsigned char *p, unsigned field, size_t len)
{
    *p++ = (unsigned char)(field << 3 | LEN);
    for (; len >= 0x80; len >>= 7) *p++ = (unsigned char)(len | 0x80);
    *p++ = (unsigned char)len;
    return p;
}

static unsigned char *put(unsigned char *p, unsigned field, struct wh_bytes bytes)
{
    p = put_head(p, field, bytes.len);
    if (bytes.len) memcpy(p, bytes.ptr, bytes.len);
    return p + bytes.len;
}

/* Keeps what it has, for the next. */
static bool make_room(struct request_sink *sink, size_t size)
{
    if (size <= sink->capacity) return true;
    free(sink->buffer);
    sink->capacity = 0;
    sink->buffer = malloc(2 * size);
    if (!sink->buffer) return false;
    sink->capacity = 2 * size;
    return true;
}

static size_t size_of_scope(const struct wh_scope_spans *scope)
{
    size_t size = sized(scope->scope.len);
    for (size_t i = 0; i < scope->count; i++) size += sized(scope->spans[i].len);
    return size;
}

static int write_request(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    (void)deadline, (void)rejected;
    struct request_sink *sink = (void *)self;
    size_t resource_spans = sized(batch->resource.len);
    for (size_t s = 0; s < batch->scope_count; s++) resource_spans += sized(size_of_scope(&batch->scopes[s]));
    if (!make_room(sink, sized(resource_spans))) return ENOMEM;
    unsigned char *p = put_head(sink->buffer, RESOURCE_SPANS, resource_spans);
    p = put(p, RESOURCE, batch->resource);
    for (size_t s = 0; s < batch->scope_count; s++) {
        const struct wh_scope_spans *scope = &batch->scopes[s];
        p = put_head(p, SCOPE_SPANS, size_of_scope(scope));
        p = put(p, SCOPE, scope->scope);
        for (size_t i = 0; i < scope->count; i++) p = put(p, SPANS, scope->spans[i]);
    }
    __atomic_fetch_add(&written, (uint64_t)(p - sink->buffer), __ATOMIC_RELAXED);
    return 0;
}

static void free_request_sink(struct wh_exporter *self)
{
    struct request_sink *sink = (void *)self;
    free(sink->buffer);
    free(sink);
}

struct wh_exporter *request_sink_new(void)
{
    struct request_sink *sink = malloc(sizeof *sink);
    if (!sink) return NULL;
    *sink = (struct request_sink){.exporter = {.size = sizeof sink->exporter, .name = "request",
        .export_batch = write_request, .destroy = free_request_sink}};
    return &sink->exporter;
}

uint64_t request_bytes(void)
{
    return __atomic_load_n(&written, __ATOMIC_RELAXED);
}
