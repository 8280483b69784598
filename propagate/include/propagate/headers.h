/* The codecs of single header fields: text in, values out, and back. None allocates. */
#ifndef PROPAGATE_HEADERS_H
#define PROPAGATE_HEADERS_H

#include <string.h>
#include <whence/propagate.h>

#include "trace/tracestate.h" /* section 3.3 of the same text */

/* W3C Trace Context, level 2, section 3.2. Reads trace id, span id and flags; anything malformed: false. */
enum { WH__TRACEPARENT_SIZE = 56 };
bool wh__traceparent_read(const char *field, struct wh_span_context *out);
void wh__traceparent_write(char out[WH__TRACEPARENT_SIZE], const struct wh_span_context *span);

static inline bool wh__is_valid(const struct wh_span_context *span)
{
    uint64_t id[3];
    memcpy(id, span->trace_id, 16);
    memcpy(id + 2, span->span_id, 8);
    return (id[0] | id[1]) && id[2];
}

/* B3 in one header (openzipkin/b3-propagation), with what it can say beside ids and a flag. With WH__B3_ALONE the span
 * has no ids. */
enum {
    WH__B3_NONE,
    WH__B3_DEFERRED = 1, /* ids, but whether to sample is left to us */
    WH__B3_ALONE = 2,    /* whether to sample, but no ids */
    WH__B3_DEBUG = 4,    /* sampled, and everyone after us is to know that it is for debugging */
    WH__B3_SIZE = 52
};
struct wh__b3_field {
    struct wh_span_context span;
    uint8_t b3;
};
bool wh__b3_read(const char *text, struct wh__b3_field *out);
void wh__b3_write(char out[WH__B3_SIZE], const struct wh_span_context *span, unsigned b3);

/* uber-trace-id, the same way. */
enum { WH__UBER_SIZE = 54 };
bool wh__uber_read(const char *text, struct wh__b3_field *out);
void wh__uber_write(char out[WH__UBER_SIZE], const struct wh_span_context *span, unsigned b3);

/* A duration as gRPC has it (PROTOCOL-HTTP2, Timeout): 1 to 8 digits and one of H M S m u n. Written rounded up, the least
 * being 1n and the most 99999999H; or rounded down, the least being 0n. */
#define WH__TIMEOUT_FIELD "whence-timeout"
#define WH__GRPC_TIMEOUT_FIELD "grpc-timeout"
enum { WH__TIMEOUT_SIZE = 10 };
bool wh__timeout_read(const char *field, int64_t *ns);
void wh__timeout_write(char out[WH__TIMEOUT_SIZE], int64_t ns);
void wh__timeout_write_down(char out[WH__TIMEOUT_SIZE], int64_t ns);

#endif
