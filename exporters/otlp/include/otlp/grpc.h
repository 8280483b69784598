/* gRPC as far as one call with one message each way needs it (gRPC over HTTP/2; OTLP/gRPC): frames, the status that comes
 * in the trailers, and what a status means for the sender. */
#ifndef OTLP_GRPC_H
#define OTLP_GRPC_H

#include <whence/exporters.h>

#include "otlp/room.h"
#include "otlp/text.h"

/* ---- codes ---- */

enum wh__otlp_grpc_code {
    WH__GRPC_OK, WH__GRPC_CANCELLED, WH__GRPC_UNKNOWN, WH__GRPC_INVALID_ARGUMENT, WH__GRPC_DEADLINE_EXCEEDED,
    WH__GRPC_NOT_FOUND, WH__GRPC_ALREADY_EXISTS, WH__GRPC_PERMISSION_DENIED, WH__GRPC_RESOURCE_EXHAUSTED,
    WH__GRPC_FAILED_PRECONDITION, WH__GRPC_ABORTED, WH__GRPC_OUT_OF_RANGE, WH__GRPC_UNIMPLEMENTED, WH__GRPC_INTERNAL,
    WH__GRPC_UNAVAILABLE, WH__GRPC_DATA_LOSS, WH__GRPC_UNAUTHENTICATED, WH__GRPC_CODES
};

/* "UNAVAILABLE"; for a number that is no code, "UNKNOWN". */
const char *wh__otlp_grpc_name(int code);

/* The code that a proxy's answer stands for, which knows nothing of gRPC (gRPC, HTTP to gRPC status code mapping). */
int wh__otlp_grpc_from_http(long status);

/* Whether the same request may be sent again (OTLP/gRPC, failures). */
bool wh__otlp_grpc_may_try_again(int code, bool has_retry_info);

/* ---- the status ---- */

/* What header and trailer fields have said; begin with WH__OTLP_GRPC_STATUS_INIT. */
struct wh__otlp_grpc_status {
    int code;                     /* -1: not said; a number that is no code is UNKNOWN */
    char words[WH__OTLP_WORDS];
    bool has_retry_info;
    int64_t retry_delay;          /* nanoseconds; -1: none that makes sense */
    bool gzip;                    /* what is marked as compressed is so by gzip */
};
#define WH__OTLP_GRPC_STATUS_INIT ((struct wh__otlp_grpc_status){.code = -1, .retry_delay = -1})

/* Takes a field, whatever its name; neither is terminated, the value has no blanks around it. */
void wh__otlp_grpc_take(struct wh__otlp_grpc_status *status, struct wh_str name, struct wh_str value);

/* A delay of google.rpc.RetryInfo in nanoseconds; -1 if it is negative, malformed, or more than a day. */
int64_t wh__otlp_grpc_delay(int64_t seconds, int32_t nanos);

/* ---- frames ---- */

enum { WH__OTLP_FRAME = 5 };      /* bytes before a message: whether it is compressed, and its length */

void wh__otlp_grpc_frame(uint8_t head[WH__OTLP_FRAME], bool compressed, size_t len);

/* The one message in body, in *room if it had to be decompressed. 0; EBADMSG: there is not exactly one, or it cannot be
 * decompressed; EMSGSIZE: it has more than `most` bytes; ENOMEM. */
int wh__otlp_grpc_unframe(struct wh_bytes body, bool gzip, size_t most, struct wh__otlp_room *room,
                          struct wh_bytes *message);

/* Writes the value of grpc-timeout for so many nanoseconds: at most eight digits and a unit (gRPC over HTTP/2). */
enum { WH__OTLP_GRPC_TIMEOUT = 16 };
void wh__otlp_grpc_timeout(char text[WH__OTLP_GRPC_TIMEOUT], int64_t ns);

#endif
