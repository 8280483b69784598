/* What every test needs. The contexts and spans of a test come from a provider of its own with a memory exporter. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include <whence/whence.h>

/* Spans as a batch of one scope without a name: struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(list, count)}; */
#define ONE_SCOPE(list, n) \
    .scopes = &(const struct wh_scope_spans){.spans = (list), .count = (n)}, .scope_count = 1, .count = (n)

/* A provider that keeps its spans in memory, and a root of it. */
struct spans {
    wh_provider *provider;
    struct wh_exporter *memory;
    wh_ctx *root;
};
struct spans spans_begin(void);
struct spans spans_begin_with(struct wh_provider_opts opts);
void spans_end(struct spans *spans);

/* Flushes, and fails the test unless there is exactly one span of that name. */
struct wh_span_view span_named(struct spans *spans, const char *name);

/* Attributes of a span; each fails the test unless it is there and of that type. */
const char *span_text(const struct wh_span_view *span, const char *key); /* valid until the next call */
int64_t span_int(const struct wh_span_view *span, const char *key);
double span_double(const struct wh_span_view *span, const char *key);
bool span_bool(const struct wh_span_view *span, const char *key);
bool span_has(const struct wh_span_view *span, const char *key);

/* The first event of that name; false if there is none. */
bool span_event(const struct wh_span_view *span, const char *name, struct wh_event_view *event);

/* fork(), for a process in which the library has threads: fork.c says why. */
pid_t fork_at_rest(void);

#endif
