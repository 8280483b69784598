/* Spans on their way to an exporter, brought together by scope. */
#ifndef TRACE_GATHER_H
#define TRACE_GATHER_H

#include <whence/exporters.h>

enum { WH__GATHERED_SCOPES = 64, WH__GATHERED_BYTES = 4 << 20 };

struct wh__gather {
    size_t most;                  /* spans */
    size_t count, bytes, scope_count;
    struct wh_bytes *spans;       /* `most` of them, in the order in which they came */
    struct wh_bytes *sorted;      /* the same by scope, if there are several */
    uint8_t *which;               /* of which scope each is */
    const struct wh__scope *scopes[WH__GATHERED_SCOPES];
    struct wh_scope_spans views[WH__GATHERED_SCOPES];
};

/* False without memory. */
bool wh__gather_begin(struct wh__gather *gather, size_t most);
void wh__gather_end(struct wh__gather *gather);

/* False, and nothing has happened: what is there must go first. Only the bytes' address is kept. All are of one provider. */
bool wh__gather_add(struct wh__gather *gather, const struct wh__scope *scope, struct wh_bytes span);

/* What is there; valid until the next change. */
struct wh_batch wh__gather_batch(struct wh__gather *gather);
void wh__gather_clear(struct wh__gather *gather);

#endif
