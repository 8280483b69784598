/* Whence's own fields: the request id, and what is left of the deadline. */
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "propagate/incoming.h"

#define REQUEST_ID "x-request-id"

/* ---- the request id ---- */

struct request_id {
    char text[WH__MOST_ID + 1];
};
WH_KEY(request_id_value, struct request_id)

/* How many visible ASCII characters id has; 0 if anything else is in it, or it is longer than `most`. */
static size_t id_length(const char *id, size_t most)
{
    size_t len = 0;
    while (len <= most && id[len] > ' ' && id[len] <= '~') len++;
    return len <= most && id[len] == '\0' ? len : 0;
}

wh_ctx *wh__with_id(const wh_ctx *parent, const char *id, size_t len)
{
    struct request_id value = {0};
    memcpy(value.text, id, len);
    return wh_with_request_id_value(parent, value);
}

wh_ctx *wh_with_request_id(const wh_ctx *parent, const char *id)
{
    char digits[33];
    size_t len = id ? strnlen(id, WH__MOST_ID + 1) : 0;
    if (len > WH__MOST_ID) len = WH__MOST_ID;
    for (size_t i = 0; i < len; i++)
        if (id[i] <= ' ' || id[i] > '~') len = 0;
    if (len) return wh__with_id(parent, id, len);
    const uint64_t words[2] = {wh__random(), wh__random()};
    wh__hex(digits, (const uint8_t *)words, sizeof words);
    return wh__with_id(parent, digits, 32);
}

const char *wh_request_id(const wh_ctx *ctx)
{
    const struct request_id *value = wh_value(ctx, &wh_key_request_id_value);
    return value ? value->text : NULL;
}

/* ---- the propagator ---- */

static void read(struct wh__incoming *in, const struct wh_carrier *from, void *carrier)
{
    char buf[WH__FIELD_SIZE];
    wh__incoming_timeout(in, from, carrier, WH__TIMEOUT_FIELD);
    wh__incoming_timeout(in, from, carrier, WH__GRPC_TIMEOUT_FIELD);
    const char *id = wh__get_only(from, carrier, REQUEST_ID, buf);
    const size_t len = id ? id_length(id, WH__MOST_ID) : 0;
    if (!len) return;
    memcpy(in->id, id, len);
    in->id_len = (uint8_t)len;
}

static void inject(const struct wh_propagator *self, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier)
{
    const char *id = wh_request_id(ctx);
    (void)self;
    if (id) to->set(carrier, REQUEST_ID, id);
    wh__set_timeout(ctx, to, carrier, WH__TIMEOUT_FIELD);
}

const struct wh__codec wh__whence = {
    .public = {sizeof(struct wh_propagator), "whence", inject, wh__codec_extract, (const char *const[]){REQUEST_ID, WH__TIMEOUT_FIELD, NULL}},
    .read = read,
};
