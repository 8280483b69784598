/* The codecs of single header fields: text in, values out, and back. None allocates. */
#ifndef PROPAGATE_HEADERS_H
#define PROPAGATE_HEADERS_H

#include <whence/propagate.h>

#include "trace/tracestate.h" /* section 3.3 of the same text */

/* W3C Trace Context, level 2, section 3.2. Reads trace id, span id and flags; anything malformed: false. */
enum { WH__TRACEPARENT_SIZE = 56 };
bool wh__traceparent_read(const char *field, struct wh_span_context *out);
void wh__traceparent_write(char out[WH__TRACEPARENT_SIZE], const struct wh_span_context *span);

/* A duration as gRPC has it (PROTOCOL-HTTP2, Timeout): 1 to 8 digits and one of H M S m u n. Written rounded up, the least
 * being 1n and the most 99999999H. */
enum { WH__TIMEOUT_SIZE = 10 };
bool wh__timeout_read(const char *field, int64_t *ns);
void wh__timeout_write(char out[WH__TIMEOUT_SIZE], int64_t ns);

#endif
