/* The body of a request: the envelope around spans that are encoded already, compressed if so wanted. */
#ifndef OTLP_REQUEST_H
#define OTLP_REQUEST_H

#include <protobuf-c/protobuf-c.h>
#include <whence/exporters.h>
#include <zlib.h>

enum { WH__OTLP_MOST_REQUEST = 64 << 20 }; /* bytes, before compression: what is more is not sent */

struct wh__otlp_room {
    uint8_t *bytes;
    size_t size, used;
};

/* Memory that is used again by the next request; all zero: none yet. */
struct wh__otlp_request {
    ProtobufCBinaryData *spans;
    size_t span_size, span_used;  /* how many of them there is room for, and how many the last request had */
    struct wh__otlp_room scopes;  /* what a request says of each scope, and pointers to it */
    struct wh__otlp_room packed, zipped;
    z_stream zip;
    bool can_zip;                 /* zip is set up */
};

/* Makes the body, valid until the next call for this request. 0, ENOMEM, or EMSGSIZE: it is too large to be sent. */
int wh__otlp_request_make(struct wh__otlp_request *request, const struct wh_batch *batch, bool gzip,
                          struct wh_bytes *body);

/* Gives back memory that is far more than the last request needed. */
void wh__otlp_request_trim(struct wh__otlp_request *request);

void wh__otlp_request_free(struct wh__otlp_request *request);

#endif
