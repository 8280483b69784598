/* What has come in, before it is a context; and the propagators that are built in, which fill it.
 *
 * Each context costs a node, so those that know each other leave what they have read in one of these, and only when all have
 * read, or one of the user's comes in between, nodes are made of it. */
#ifndef PROPAGATE_INCOMING_H
#define PROPAGATE_INCOMING_H

#include <whence/propagate.h>

#include "propagate/bag.h"
#include "propagate/headers.h"

enum { WH__MOST_ID = 128 };

struct wh__incoming {
    const wh_ctx *parent;
    const struct wh_site *site;
    bool has_span;
    uint8_t b3;               /* WH__B3_... */
    uint8_t id_len;           /* of the request id; 0: none */
    int64_t timeout;          /* WH_NEVER: none */
    int64_t as_of;            /* the instant from which that counts; WH_NEVER: when a context is made of it */
    struct wh__bag *bag;      /* ours; NULL: none */
    struct wh_span_context span;
    char id[WH__MOST_ID + 1];
    char state[WH_TRACESTATE_SIZE]; /* span.tracestate, if there is one */
};

/* A propagator of ours. `public` is the first member, so that either is known by the other's address. */
struct wh__codec {
    struct wh_propagator public;
    void (*read)(struct wh__incoming *in, const struct wh_carrier *from, void *carrier);
};
extern const struct wh__codec wh__tracecontext, wh__baggage, wh__b3_single, wh__b3_multi, wh__jaeger, wh__grpc, wh__whence;

/* The `extract` of all codecs, by which they are known. */
wh_ctx *wh__codec_extract(const struct wh_propagator *self, const wh_ctx *parent, const struct wh_carrier *from, void *carrier,
                          const struct wh_site *site);

/* A later span takes the place of an earlier one, with all that was said about that; the same one completes it. */
void wh__incoming_span(struct wh__incoming *in, const struct wh_span_context *span, unsigned b3);

/* A remaining time; of several, the shortest holds: whoever is between and knows only one of the fields shortens that. */
void wh__incoming_timeout(struct wh__incoming *in, const struct wh_carrier *from, void *carrier, const char *name);

/* Baggage that was gathered on top of in->bag takes the place of that. */
void wh__incoming_bag(struct wh__incoming *in, const struct wh__members *members);

/* ---- fields of a carrier ---- */

enum { WH__FIELD_SIZE = 512 };

/* The only line of that name, in the carrier's memory or in buf, there cut after WH__FIELD_SIZE - 1 bytes; NULL if there is none,
 * or are several. Of carriers that have no get_all, what their get returns. */
const char *wh__get_only(const struct wh_carrier *from, void *carrier, const char *name, char buf[WH__FIELD_SIZE]);

/* All lines of that name, joined by commas, in the carrier's memory or in buf, there cut after size - 1 bytes; NULL if there are
 * none. */
const char *wh__get_joined(const struct wh_carrier *from, void *carrier, const char *name, char *buf, size_t size, bool *cut);

/* ---- what contexts carry of it ---- */

/* What is to be sent of the span of ctx, or of a decision that came without one. */
bool wh__b3_of(const wh_ctx *ctx, struct wh__b3_field *out);

/* Writes what is left of the deadline, if there is one. */
void wh__set_timeout(const wh_ctx *ctx, const struct wh_carrier *to, void *carrier, const char *name);

/* The request id, of at least one character. */
wh_ctx *wh__with_id(const wh_ctx *parent, const char *id, size_t len);

#endif
