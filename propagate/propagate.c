/* In and out: from the fields of a carrier to a context, and back. */
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "context/clock.h"
#include "propagate/headers.h"
#include "trace/provider.h"
#include "trace/span.h"

#define TRACEPARENT "traceparent"
#define TRACESTATE "tracestate"
#define REQUEST_ID "x-request-id"
#define TIMEOUT "whence-timeout"
#define GRPC_TIMEOUT "grpc-timeout"

enum { MOST_ID = 128 };

/* ---- the request id ---- */

struct request_id {
    char text[MOST_ID + 1];
};
WH_KEY(request_id_value, struct request_id)

/* How many visible ASCII characters id has; 0 if anything else is in it, or it is longer than `most`. */
static size_t id_length(const char *id, size_t most)
{
    size_t len = 0;
    while (len <= most && id[len] > ' ' && id[len] <= '~') len++;
    return len <= most && id[len] == '\0' ? len : 0;
}

static wh_ctx *with_id(const wh_ctx *parent, const char *id, size_t len)
{
    struct request_id value = {0};
    memcpy(value.text, id, len);
    return wh_with_request_id_value(parent, value);
}

wh_ctx *wh_with_request_id(const wh_ctx *parent, const char *id)
{
    char digits[33];
    size_t len = id ? strnlen(id, MOST_ID + 1) : 0;
    if (len > MOST_ID) len = MOST_ID;
    for (size_t i = 0; i < len; i++)
        if (id[i] <= ' ' || id[i] > '~') len = 0;
    if (len) return with_id(parent, id, len);
    const uint64_t words[2] = {wh__random(), wh__random()};
    wh__hex(digits, (const uint8_t *)words, sizeof words);
    return with_id(parent, digits, 32);
}

const char *wh_request_id(const wh_ctx *ctx)
{
    const struct request_id *value = wh_value(ctx, &wh_key_request_id_value);
    return value ? value->text : NULL;
}

/* ---- in ---- */

/* A malformed tracestate does not make the traceparent worse; one without a traceparent says nothing. */
static bool get_span(wh_get_fn *get, void *carrier, struct wh_span_context *span, char *state)
{
    if (!wh__traceparent_read(get(carrier, TRACEPARENT), span)) return false;
    const char *field = get(carrier, TRACESTATE);
    if (field && wh__tracestate_read(field, state, WH_TRACESTATE_SIZE)) span->tracestate = state;
    return true;
}

static int64_t get_timeout(wh_get_fn *get, void *carrier)
{
    int64_t ns;
    const char *field = get(carrier, TIMEOUT);
    if (field && wh__timeout_read(field, &ns)) return ns;
    field = get(carrier, GRPC_TIMEOUT);
    return field && wh__timeout_read(field, &ns) ? ns : WH_NEVER;
}

wh_ctx *wh_extract_at(const wh_ctx *parent, wh_get_fn *get, void *carrier, const struct wh_site *site)
{
    char state[WH_TRACESTATE_SIZE];
    struct wh_span_context span;
    const bool has_span = get_span(get, carrier, &span, state);
    const int64_t timeout = get_timeout(get, carrier);
    const struct wh__trace_node *above = wh__trace_of(parent);
    wh_provider *provider = above ? above->provider : wh__default_provider();
    wh_ctx *from = has_span ? wh__anchor_new(parent, provider, &span, timeout, timeout == WH_NEVER ? 0 : wh__now_for(parent), site)
                            : wh_with_timeout_at(parent, timeout, site);
    const char *id = get(carrier, REQUEST_ID);
    const size_t len = id ? id_length(id, MOST_ID) : 0;
    return len ? wh_take_over(with_id(from, id, len), from) : from;
}

/* ---- out ---- */

void wh_inject(const wh_ctx *ctx, wh_set_fn *set, void *carrier)
{
    struct wh_span_context span;
    if (wh_span_of(ctx, &span)) {
        char field[WH__TRACEPARENT_SIZE];
        wh__traceparent_write(field, &span);
        set(carrier, TRACEPARENT, field);
        if (span.tracestate) set(carrier, TRACESTATE, span.tracestate);
    }
    const char *id = wh_request_id(ctx);
    if (id) set(carrier, REQUEST_ID, id);
    const int64_t remaining = wh_remaining(ctx);
    if (remaining != WH_NEVER) {
        char field[WH__TIMEOUT_SIZE];
        wh__timeout_write(field, remaining);
        set(carrier, TIMEOUT, field);
    }
}

const char *const *wh_inject_fields(void)
{
    static const char *const fields[] = {TRACEPARENT, TRACESTATE, REQUEST_ID, TIMEOUT, NULL};
    return fields;
}
