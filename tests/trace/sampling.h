/* For tests of samplers: callers from elsewhere, and one decision at a time. */
#ifndef SAMPLING_H
#define SAMPLING_H

#include <string.h>

#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What a remote caller sends; tracestate may be NULL. */
struct caller {
    const char *traceparent, *tracestate;
};

static inline const char *get_field(void *carrier, const char *name)
{
    const struct caller *caller = carrier;
    if (strcmp(name, "traceparent") == 0) return caller->traceparent;
    return strcmp(name, "tracestate") == 0 ? caller->tracestate : NULL;
}

/* How a span came out. */
struct outcome {
    bool recorded, sampled;
    struct wh_span_context ids;
    char tracestate[WH_TRACESTATE_SIZE];
};

static inline struct outcome outcome_of(const wh_ctx *span)
{
    struct outcome out = {.recorded = wh_recording(span)};
    wh_span_of(span, &out.ids);
    out.sampled = out.ids.flags & WH_SAMPLED;
    strcpy(out.tracestate, out.ids.tracestate ? out.ids.tracestate : "");
    return out;
}

/* A span called "decided", of a provider with that sampler; traceparent NULL: a root. */
static inline struct outcome decide(struct wh_sampler *sampler, const char *traceparent, const char *tracestate)
{
    struct caller caller = {traceparent, tracestate};
    struct spans spans = spans_begin_with((struct wh_provider_opts){.sampler = sampler});
    wh_ctx *from = wh_extract(spans.root, get_field, &caller);
    wh_ctx *span = wh_start(from, "decided");
    const struct outcome out = outcome_of(span);
    wh_end(span);
    wh_end(from);
    spans_end(&spans);
    wh_sampler_free(sampler);
    return out;
}

/* "00-<trace id whose last 14 digits are those>-b7ad6b7169203331-<flags>" */
#define TRACE(randomness, flags) "00-0af7651916cd43dd84" randomness "-b7ad6b7169203331-" flags

/* ---- what the library says ---- */

static unsigned said;
static char said_last[512];

static inline void hear(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity;
    (void)arg;
    said++;
    strncpy(said_last, line, sizeof said_last - 1);
}

static inline void begin_listening(void)
{
    said = 0;
    said_last[0] = '\0';
    wh_report_to(hear, NULL);
}

static inline unsigned end_listening(void)
{
    wh_report_to(NULL, NULL);
    return said;
}

#endif
