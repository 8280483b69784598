/* The body of a request: what is encoded already, in an envelope; or the same as JSON; compressed and framed, if so
 * wanted. */
#ifndef OTLP_REQUEST_H
#define OTLP_REQUEST_H

#include <protobuf-c/protobuf-c.h>
#include <whence/exporters.h>
#include <zlib.h>

#include "otlp/room.h"
#include "otlp/split.h"
#include "otlp/target.h"

/* Memory that is used again by the next request; all zero: none yet. */
struct wh__otlp_request {
    struct wh__otlp_room slices;         /* struct wh_scope_spans: those of the part */
    struct wh__otlp_room spans, scopes;  /* as the schema has them */
    struct wh__otlp_room packed, zipped;
    struct wh_json json;
    size_t json_used;
    z_stream zip;
    bool can_zip;                        /* zip is set up */
};

/* Makes the body for those spans of batch, valid until the next call for this request; *written is how many are in it: as
 * JSON, those that are no spans are left out. 0, ENOMEM, or EMSGSIZE: before compression it is larger than the target's
 * max_request. */
int wh__otlp_request_make(struct wh__otlp_request *request, const struct wh__otlp_target *target,
                          const struct wh_batch *batch, struct wh__otlp_range range, struct wh_bytes *body,
                          size_t *written);

/* Gives back memory that is far more than the last request needed. */
void wh__otlp_request_trim(struct wh__otlp_request *request);

void wh__otlp_request_free(struct wh__otlp_request *request);

/* ---- body.c ---- */

/* The part as a message, with room for a frame before it. */
int wh__otlp_body_protobuf(struct wh__otlp_request *request, const struct wh_batch *part, size_t most,
                           struct wh_bytes *body);
int wh__otlp_body_json(struct wh__otlp_request *request, const struct wh_batch *part, size_t most,
                       struct wh_bytes *body, size_t *written);

#endif
