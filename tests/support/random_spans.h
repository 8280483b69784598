/* Random spans: every type of value, nested, and all else that a span may have. The same seed makes the same spans, so that
 * what a program saw can be seen again. First a span is made up, then it is recorded: whoever reads it back has in the
 * former what it should be. */
#ifndef RANDOM_SPANS_H
#define RANDOM_SPANS_H

#include <whence/whence.h>

struct random_spans;

/* seed: not 0. `deepest`: of arrays and maps, the outermost being 1. NULL without memory: then nothing goes on. */
struct random_spans *random_spans_new(uint64_t seed, unsigned deepest);
void random_spans_free(struct random_spans *random);

/* Everything that was made up may be forgotten. */
void random_spans_reset(struct random_spans *random);

/* ---- pieces; valid until the reset ---- */

uint64_t random_word(struct random_spans *random);
uint64_t random_below(struct random_spans *random, uint64_t below);      /* less than `below`, which is not 0 */
char *random_text(struct random_spans *random, size_t most);             /* UTF-8 of at most so many characters, terminated */
struct wh_bytes random_bytes(struct random_spans *random, size_t most);
struct wh_attr random_attr(struct random_spans *random, const char *key); /* of any type that wh_set() takes, WH_UINT too */
struct wh_attrs random_attrs(struct random_spans *random, size_t most);   /* their keys are unique */
struct wh_span_context random_span_context(struct random_spans *random);  /* valid; with tracestate, flags, remote */

/* ---- spans ---- */

struct random_event {
    const char *name;
    struct wh_attrs attrs;
    int64_t at; /* an instant */
};
struct random_link {
    struct wh_span_context to;
    struct wh_attrs attrs;
};
struct random_span {
    char name[40];           /* "random <seed> <N>", N counting from 0 */
    enum wh_kind kind;
    enum wh_status status;
    const char *status_text; /* not NULL */
    int64_t start, end;      /* instants */
    struct wh_attrs attrs;   /* unique */
    const struct random_event *events;
    size_t event_count;
    const struct random_link *links;
    size_t link_count;
};
const struct random_span *random_span_new(struct random_spans *random);

/* Records it as a child of parent: half of it is given at the start, and some keys are set twice. Its owner; end it with
 * wh_end_at(ctx, span->end). */
wh_ctx *random_span_record(struct random_spans *random, const struct random_span *span, const wh_ctx *parent);

/* ---- reading back ---- */

/* Whether what was read is what was given, under limits of values: UINT32_MAX is none. */
bool random_value_is(const struct wh_attr *given, const struct wh_attr_view *read, uint32_t value_length, uint32_t value_depth);

/* Whether such an iteration has exactly these attributes, in any order. */
bool random_attrs_are(struct wh_attrs given, struct wh_bytes raw, bool (*next)(struct wh_cursor *, struct wh_attr_view *),
                      uint32_t value_length, uint32_t value_depth);

#endif
