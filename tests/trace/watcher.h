/* A processor that writes down what it is called for: "start a; ending a; end a; ". */
#ifndef WATCHER_H
#define WATCHER_H

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/park.h"
#include "test.h"

struct watcher {
    struct wh_processor processor;
    const char *mark;                 /* before each word */
    char *log;                        /* of `size` bytes; may be shared by several, on one thread */
    size_t size;
    uint32_t blocked;                 /* on_end waits while this is 1 */
    uint32_t inside;                  /* atomic: calls of on_end that have begun and not ended */
    int flush_result, shutdown_result;
    uint32_t starts, endings, ends, flushes, shutdowns, destroyed; /* atomic */
    void (*at_start)(const wh_ctx *span, const wh_ctx *parent);
    void (*at_ending)(const wh_ctx *span);
    void (*at_end)(const struct wh_ended *ended);
};

static inline void watcher_note(struct watcher *w, const char *what, const char *name)
{
    const size_t len = w->log ? strlen(w->log) : 0;
    if (w->log) snprintf(w->log + len, w->size - len, "%s%s %s; ", w->mark, what, name);
}

static inline void watcher_start(struct wh_processor *self, const wh_ctx *span, const wh_ctx *parent)
{
    struct watcher *w = (struct watcher *)self;
    __atomic_fetch_add(&w->starts, 1, __ATOMIC_RELAXED);
    watcher_note(w, "start", "");
    if (w->at_start) w->at_start(span, parent);
}

static inline void watcher_ending(struct wh_processor *self, const wh_ctx *span)
{
    struct watcher *w = (struct watcher *)self;
    __atomic_fetch_add(&w->endings, 1, __ATOMIC_RELAXED);
    watcher_note(w, "ending", "");
    if (w->at_ending) w->at_ending(span);
}

static inline void watcher_end(struct wh_processor *self, const struct wh_ended *ended)
{
    struct watcher *w = (struct watcher *)self;
    struct wh_span_view view;
    char name[64];
    __atomic_fetch_add(&w->inside, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&w->ends, 1, __ATOMIC_RELAXED);
    assert_true(wh_span_read(ended->span, &view));
    snprintf(name, sizeof name, "%.*s", (int)view.name.len, view.name.ptr);
    watcher_note(w, "end", name);
    if (w->at_end) w->at_end(ended);
    while (__atomic_load_n(&w->blocked, __ATOMIC_ACQUIRE)) wh__park(&w->blocked, 1, WH_NEVER);
    __atomic_fetch_sub(&w->inside, 1, __ATOMIC_SEQ_CST);
}

static inline int watcher_flush(struct wh_processor *self, int64_t deadline)
{
    (void)deadline;
    __atomic_fetch_add(&((struct watcher *)self)->flushes, 1, __ATOMIC_RELAXED);
    return ((struct watcher *)self)->flush_result;
}

static inline int watcher_shutdown(struct wh_processor *self, int64_t deadline)
{
    (void)deadline;
    __atomic_fetch_add(&((struct watcher *)self)->shutdowns, 1, __ATOMIC_RELAXED);
    return ((struct watcher *)self)->shutdown_result;
}

static inline void watcher_destroy(struct wh_processor *self)
{
    __atomic_fetch_add(&((struct watcher *)self)->destroyed, 1, __ATOMIC_RELEASE);
}

static inline struct wh_processor *watcher_begin(struct watcher *w)
{
    *w = (struct watcher){.processor = {.size = sizeof w->processor, .name = "watcher", .on_start = watcher_start,
        .on_ending = watcher_ending, .on_end = watcher_end, .flush = watcher_flush, .shutdown = watcher_shutdown,
        .destroy = watcher_destroy}, .mark = ""};
    return &w->processor;
}

static inline void watcher_unblock(struct watcher *w)
{
    __atomic_store_n(&w->blocked, 0, __ATOMIC_RELEASE);
    wh__unpark(&w->blocked);
}

#endif
