#include "otlp/request.h"

#include <errno.h>

#include "otlp/grpc.h"

/* ---- compressing ---- */

/* The fastest level: names and keys repeat so much that better ones gain little. 15 + 16: the gzip format. */
static bool set_up_zip(struct wh__otlp_request *request)
{
    if (request->can_zip) return deflateReset(&request->zip) == Z_OK;
    request->zip = (z_stream){.zalloc = wh__otlp_zlib_get, .zfree = wh__otlp_zlib_give_back};
    request->can_zip = deflateInit2(&request->zip, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    return request->can_zip;
}

/* With room for a frame before it. */
static int zip(struct wh__otlp_request *request, struct wh_bytes *body)
{
    union { const void *in; uint8_t *out; } input = {body->ptr}; /* zlib only reads it */
    z_stream *stream = &request->zip;
    if (!set_up_zip(request)) return ENOMEM;
    const size_t bound = deflateBound(stream, (uLong)body->len);
    if (!wh__otlp_room_make(&request->zipped, WH__OTLP_FRAME + bound)) return ENOMEM;
    stream->next_in = input.out;
    stream->avail_in = (uInt)body->len;
    stream->next_out = request->zipped.bytes + WH__OTLP_FRAME;
    stream->avail_out = (uInt)bound;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END) return EIO;
    *body = (struct wh_bytes){request->zipped.bytes + WH__OTLP_FRAME, stream->total_out};
    return 0;
}

/* ---- the whole ---- */

/* In the room before it. */
static void frame(struct wh__otlp_request *request, bool gzip, struct wh_bytes *body)
{
    uint8_t *const head = gzip ? request->zipped.bytes : request->packed.bytes;
    wh__otlp_grpc_frame(head, gzip, body->len);
    *body = (struct wh_bytes){head, WH__OTLP_FRAME + body->len};
}

int wh__otlp_request_make(struct wh__otlp_request *request, const struct wh__otlp_target *target,
                          const struct wh_batch *batch, struct wh__otlp_range range, struct wh_bytes *body,
                          size_t *written)
{
    struct wh_batch part;
    struct wh_bytes made;
    size_t count = range.count;
    if (!wh__otlp_slice(batch, range, &request->slices, &part)) return ENOMEM;
    int rc = target->protocol == WH_OTLP_HTTP_JSON
                 ? wh__otlp_body_json(request, &part, target->max_request, &made, &count)
                 : wh__otlp_body_protobuf(request, &part, target->max_request, &made);
    if (rc == 0 && target->gzip) rc = zip(request, &made);
    if (rc) return rc;
    if (target->protocol == WH_OTLP_GRPC) frame(request, target->gzip, &made);
    *body = made;
    *written = count;
    return 0;
}

/* ---- memory ---- */

void wh__otlp_request_trim(struct wh__otlp_request *request)
{
    struct wh__otlp_room as_room = {.size = request->json.capacity, .used = request->json_used};
    wh__otlp_room_trim(&request->slices);
    wh__otlp_room_trim(&request->spans);
    wh__otlp_room_trim(&request->scopes);
    wh__otlp_room_trim(&request->packed);
    wh__otlp_room_trim(&request->zipped);
    wh__otlp_room_trim(&as_room); /* it has nothing to free, and says whether it would have been kept */
    if (as_room.size == 0) wh_json_free(&request->json);
}

void wh__otlp_request_free(struct wh__otlp_request *request)
{
    wh__otlp_room_free(&request->slices);
    wh__otlp_room_free(&request->spans);
    wh__otlp_room_free(&request->scopes);
    wh__otlp_room_free(&request->packed);
    wh__otlp_room_free(&request->zipped);
    wh_json_free(&request->json);
    if (request->can_zip) deflateEnd(&request->zip);
}
