/* The deadline as gRPC carries it (PROTOCOL-HTTP2, Timeout), for those who know that field and not ours. */
#include "propagate/incoming.h"

void wh__incoming_timeout(struct wh__incoming *in, const struct wh_carrier *from, void *carrier, const char *name)
{
    char buf[WH__FIELD_SIZE];
    int64_t ns;
    const char *field = wh__get_only(from, carrier, name, buf);
    if (field && wh__timeout_read(field, &ns) && ns < in->timeout) in->timeout = ns;
}

static void read(struct wh__incoming *in, const struct wh_carrier *from, void *carrier)
{
    wh__incoming_timeout(in, from, carrier, WH__GRPC_TIMEOUT_FIELD);
}

void wh__set_timeout(const wh_ctx *ctx, const struct wh_carrier *to, void *carrier, const char *name)
{
    const int64_t remaining = wh_remaining(ctx);
    if (remaining == WH_NEVER) return;
    char field[WH__TIMEOUT_SIZE];
    wh__timeout_write(field, remaining);
    to->set(carrier, name, field);
}

static void inject(const struct wh_propagator *self, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier)
{
    (void)self;
    wh__set_timeout(ctx, to, carrier, WH__GRPC_TIMEOUT_FIELD);
}

const struct wh__codec wh__grpc = {
    .public = {sizeof(struct wh_propagator), "grpc", inject, wh__codec_extract, (const char *const[]){WH__GRPC_TIMEOUT_FIELD, NULL}},
    .read = read,
};
