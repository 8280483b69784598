#include "otlp/grpc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* ---- codes ---- */

static const struct { const char *name; bool again; } codes[WH__GRPC_CODES] = {
    [WH__GRPC_OK] = {"OK", false},
    [WH__GRPC_CANCELLED] = {"CANCELLED", true},
    [WH__GRPC_UNKNOWN] = {"UNKNOWN", false},
    [WH__GRPC_INVALID_ARGUMENT] = {"INVALID_ARGUMENT", false},
    [WH__GRPC_DEADLINE_EXCEEDED] = {"DEADLINE_EXCEEDED", true},
    [WH__GRPC_NOT_FOUND] = {"NOT_FOUND", false},
    [WH__GRPC_ALREADY_EXISTS] = {"ALREADY_EXISTS", false},
    [WH__GRPC_PERMISSION_DENIED] = {"PERMISSION_DENIED", false},
    [WH__GRPC_RESOURCE_EXHAUSTED] = {"RESOURCE_EXHAUSTED", false},
    [WH__GRPC_FAILED_PRECONDITION] = {"FAILED_PRECONDITION", false},
    [WH__GRPC_ABORTED] = {"ABORTED", true},
    [WH__GRPC_OUT_OF_RANGE] = {"OUT_OF_RANGE", true},
    [WH__GRPC_UNIMPLEMENTED] = {"UNIMPLEMENTED", false},
    [WH__GRPC_INTERNAL] = {"INTERNAL", false},
    [WH__GRPC_UNAVAILABLE] = {"UNAVAILABLE", true},
    [WH__GRPC_DATA_LOSS] = {"DATA_LOSS", true},
    [WH__GRPC_UNAUTHENTICATED] = {"UNAUTHENTICATED", false},
};

static bool is_code(int code)
{
    return code >= 0 && code < WH__GRPC_CODES;
}

const char *wh__otlp_grpc_name(int code)
{
    return codes[is_code(code) ? code : WH__GRPC_UNKNOWN].name;
}

bool wh__otlp_grpc_may_try_again(int code, bool has_retry_info)
{
    return is_code(code) && (codes[code].again || (code == WH__GRPC_RESOURCE_EXHAUSTED && has_retry_info));
}

int wh__otlp_grpc_from_http(long status)
{
    switch (status) {
    case 400: return WH__GRPC_INTERNAL;
    case 401: return WH__GRPC_UNAUTHENTICATED;
    case 403: return WH__GRPC_PERMISSION_DENIED;
    case 404: return WH__GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504: return WH__GRPC_UNAVAILABLE;
    default: return WH__GRPC_UNKNOWN;
    }
}

/* ---- frames ---- */

void wh__otlp_grpc_frame(uint8_t head[WH__OTLP_FRAME], bool compressed, size_t len)
{
    head[0] = compressed;
    for (int i = 0; i < 4; i++) head[1 + i] = (uint8_t)(len >> (24 - 8 * i));
}

/* Piece by piece, as nothing says how much it will be. */
static int inflate_all(z_stream *stream, size_t most, struct wh__otlp_room *room)
{
    int said = Z_OK;
    while (said == Z_OK) {
        if (room->used > most) return EMSGSIZE;
        if (!wh__otlp_room_grow(room, room->used + 4096)) return ENOMEM;
        stream->next_out = room->bytes + room->used;
        stream->avail_out = (uInt)(room->size - room->used);
        said = inflate(stream, Z_NO_FLUSH);
        room->used = room->size - stream->avail_out;
    }
    if (said == Z_MEM_ERROR) return ENOMEM;
    return said != Z_STREAM_END || stream->avail_in ? EBADMSG : room->used > most ? EMSGSIZE : 0;
}

static int gunzip(struct wh_bytes zipped, size_t most, struct wh__otlp_room *room, struct wh_bytes *message)
{
    union { const void *in; uint8_t *out; } input = {zipped.ptr}; /* zlib only reads it */
    z_stream stream = {.zalloc = wh__otlp_zlib_get, .zfree = wh__otlp_zlib_give_back, .next_in = input.out,
        .avail_in = (uInt)zipped.len};
    if (inflateInit2(&stream, 15 + 16) != Z_OK) return ENOMEM;
    room->used = 0;
    const int rc = inflate_all(&stream, most, room);
    inflateEnd(&stream);
    if (rc == 0) *message = (struct wh_bytes){room->bytes, room->used};
    return rc;
}

int wh__otlp_grpc_unframe(struct wh_bytes body, bool gzip, size_t most, struct wh__otlp_room *room,
                          struct wh_bytes *message)
{
    const uint8_t *head = body.ptr;
    if (body.len < WH__OTLP_FRAME || head[0] > 1) return EBADMSG;
    const size_t len = (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
    if (len > most) return EMSGSIZE;
    if (len != body.len - WH__OTLP_FRAME) return EBADMSG;
    const struct wh_bytes inner = {head + WH__OTLP_FRAME, len};
    if (head[0]) return gzip ? gunzip(inner, most, room, message) : EBADMSG;
    *message = inner;
    return 0;
}

/* ---- the time that is left ---- */

void wh__otlp_grpc_timeout(char text[WH__OTLP_GRPC_TIMEOUT], int64_t ns)
{
    static const struct { int64_t ns; char unit; } units[] = {
        {1000000, 'm'}, {INT64_C(1000000000), 'S'}, {INT64_C(60000000000), 'M'}, {INT64_C(3600000000000), 'H'}};
    size_t i = 0;
    while (i < 3 && ns / units[i].ns > 99999999) i++;
    const int64_t number = ns / units[i].ns;
    snprintf(text, WH__OTLP_GRPC_TIMEOUT, "%lld%c", number > 0 ? (long long)number : 1LL, units[i].unit);
}
