/* In and out: from the fields of a carrier to a context, and back. */
#include <string.h>

#include "context/clock.h"
#include "propagate/composite.h"
#include "trace/provider.h"
#include "trace/span.h"

/* ---- what B3 and Jaeger know and traceparent does not ----
 *
 * Whether a decision is missing, or there is nothing else, stands in the anchor, since samplers must see it. A debug flag says
 * nothing to them; it is a value, of the trace with that id. So is a missing decision: below a value every start goes the long
 * way, and only there the anchor is looked at for it. */

struct b3_value {
    uint8_t trace_id[16]; /* all zero: it came without one, and holds for whatever trace begins here */
    bool debug;
};
WH_KEY(b3_value, struct b3_value)

static bool is_debug(const wh_ctx *ctx, const struct wh_span_context *span)
{
    static const uint8_t any[16];
    struct b3_value value;
    if (!wh_find_b3_value(ctx, &value) || !value.debug || !(span->flags & WH_SAMPLED)) return false;
    return memcmp(value.trace_id, any, 16) == 0 || memcmp(value.trace_id, span->trace_id, 16) == 0;
}

bool wh__b3_of(const wh_ctx *ctx, struct wh__b3_field *out)
{
    const struct wh__trace_node *trace = wh__trace_of(ctx);
    out->b3 = WH__B3_NONE;
    if (wh_span_of(ctx, &out->span)) {
        if (trace->flags & WH__DEFERRED) out->b3 = WH__B3_DEFERRED;
    } else {
        if (!trace || !(trace->flags & WH__DECIDED)) return false;
        out->span.flags = trace->flags & WH_SAMPLED;
        out->b3 = WH__B3_ALONE;
    }
    if (is_debug(ctx, &out->span)) out->b3 |= WH__B3_DEBUG;
    return true;
}

/* ---- in ---- */

static bool is_same(const struct wh_span_context *a, const struct wh_span_context *b)
{
    return memcmp(a->trace_id, b->trace_id, sizeof a->trace_id) == 0 && memcmp(a->span_id, b->span_id, sizeof a->span_id) == 0;
}

/* Of one span, what the formats before know and the later one cannot say still holds. */
static void complete(struct wh_span_context *span, unsigned *b3, const struct wh__incoming *before)
{
    if (!span->tracestate) span->tracestate = before->span.tracestate;
    span->flags |= before->span.flags & WH_RANDOM;
    if (*b3 & WH__B3_DEFERRED) {
        span->flags |= before->span.flags & WH_SAMPLED;
        *b3 = before->b3;
    }
}

/* A decision that stands alone is less than a span. */
void wh__incoming_span(struct wh__incoming *in, const struct wh_span_context *later, unsigned b3)
{
    struct wh_span_context span = *later;
    if (wh__unlikely(in->has_span)) {
        if (b3 & WH__B3_ALONE) return;
        if (is_same(&span, &in->span)) complete(&span, &b3, in);
    }
    in->span = span;
    in->has_span = !(b3 & WH__B3_ALONE);
    in->b3 = (uint8_t)b3;
}

void wh__incoming_bag(struct wh__incoming *in, const struct wh__members *members)
{
    struct wh__bag *bag = members->count ? wh__bag_new(members) : NULL;
    if (!bag) return;
    wh__bag_free(in->bag);
    in->bag = bag;
}

static void begin(struct wh__incoming *in, const wh_ctx *parent, const struct wh_site *site, int64_t as_of)
{
    in->parent = parent;
    in->site = site;
    in->as_of = as_of;
    in->has_span = false;
    in->b3 = WH__B3_NONE;
    in->id_len = 0;
    in->timeout = WH_NEVER;
    in->bag = NULL;
}

static bool has_anything(const struct wh__incoming *in)
{
    return in->has_span || in->b3 || in->id_len || in->bag || in->timeout != WH_NEVER;
}

/* What is left of the time `now`; less than 0: since when there is none. */
static int64_t left_of(const struct wh__incoming *in, int64_t now)
{
    if (wh__likely(in->as_of == WH_NEVER) || in->timeout == WH_NEVER) return in->timeout;
    const int64_t end = wh__add(in->as_of, in->timeout);
    return end == WH_NEVER ? WH_NEVER : wh__sub(end, now);
}

static wh_ctx *new_anchor(struct wh__incoming *in, int64_t left, int64_t now)
{
    const struct wh__trace_node *above = wh__trace_of(in->parent);
    wh_provider *provider = above ? above->provider : wh__default_provider();
    wh_ctx *node = wh__anchor_new(in->parent, provider, &in->span, left, now, in->site);
    if (wh__unlikely(in->b3 & (WH__B3_DEFERRED | WH__B3_ALONE)) && node->flags & WH__TRACE)
        ((struct wh__trace_node *)(void *)node)->flags |= in->b3 & WH__B3_ALONE ? WH__DECIDED : WH__DEFERRED;
    return node;
}

static wh_ctx *with_b3(const wh_ctx *parent, const struct wh__incoming *in)
{
    struct b3_value value = {.debug = in->b3 & WH__B3_DEBUG};
    memcpy(value.trace_id, in->span.trace_id, sizeof value.trace_id);
    return wh_with_b3_value(parent, value);
}

/* An owner of all that has come in, even if that is nothing. */
static wh_ctx *finish(struct wh__incoming *in)
{
    const int64_t now = in->timeout == WH_NEVER ? 0 : wh__now_for(in->parent), left = left_of(in, now);
    wh_ctx *from = in->has_span || in->b3 ? new_anchor(in, left, now) : wh__with_callers_timeout(in->parent, left, now, in->site);
    if (in->b3 & (WH__B3_DEFERRED | WH__B3_DEBUG)) from = wh_take_over(with_b3(from, in), from);
    if (in->bag) from = wh_take_over(wh__with_bag(from, in->bag), from);
    if (in->id_len) from = wh_take_over(wh__with_id(from, in->id, in->id_len), from);
    return from;
}

wh_ctx *wh__codec_extract(const struct wh_propagator *self, const wh_ctx *parent, const struct wh_carrier *from, void *carrier,
                          const struct wh_site *site)
{
    struct wh__incoming in;
    begin(&in, parent, site, WH_NEVER);
    ((const struct wh__codec *)(const void *)self)->read(&in, from, carrier);
    return has_anything(&in) ? finish(&in) : NULL;
}

/* `owned` is all that there is up to now below what we were given, or NULL. */
static wh_ctx *add(wh_ctx *owned, wh_ctx *more)
{
    return owned && more ? wh_take_over(more, owned) : more ? more : owned;
}

wh_ctx *wh__extract_as_of(const struct wh__composite *all, const wh_ctx *parent, const struct wh_carrier *from, void *carrier,
                          const struct wh_site *site, int64_t as_of)
{
    struct wh__incoming in;
    wh_ctx *owned = NULL;
    begin(&in, parent, site, as_of);
    for (size_t i = 0; i < all->count; i++) {
        const struct wh_propagator *propagator = all->list[i];
        if (propagator->extract == wh__codec_extract) {
            ((const struct wh__codec *)(const void *)propagator)->read(&in, from, carrier);
            continue;
        }
        if (has_anything(&in)) owned = add(owned, finish(&in));
        owned = add(owned, propagator->extract(propagator, owned ? owned : parent, from, carrier, site));
        begin(&in, owned ? owned : parent, site, as_of);
    }
    return owned && !has_anything(&in) ? owned : add(owned, finish(&in));
}

wh_ctx *wh__extract_all(const struct wh__composite *all, const wh_ctx *parent, const struct wh_carrier *from, void *carrier,
                        const struct wh_site *site)
{
    return wh__extract_as_of(all, parent, from, carrier, site, WH_NEVER);
}

/* What an older caller does not know of is not there. */
static const struct wh_carrier *known(const struct wh_carrier *given, struct wh_carrier *room)
{
    if (wh__likely(given->size >= sizeof *room)) return given;
    memset(room, 0, sizeof *room);
    return memcpy(room, given, given->size);
}

wh_ctx *wh_extract_at(const wh_ctx *parent, wh_get_fn *get, void *carrier, const struct wh_site *site)
{
    return wh__extract_all(wh__composite_now(), parent, &(struct wh_carrier){.size = sizeof(struct wh_carrier), .get = get}, carrier, site);
}

wh_ctx *wh_extract_with_at(const wh_ctx *parent, const struct wh_propagator *propagator, const struct wh_carrier *given, void *carrier,
                           const struct wh_site *site)
{
    struct wh_carrier room;
    const struct wh_carrier *from = known(given, &room);
    if (!propagator) return wh__extract_all(wh__composite_now(), parent, from, carrier, site);
    wh_ctx *ctx = propagator->extract(propagator, parent, from, carrier, site);
    return ctx ? ctx : wh_with_cancel_at(parent, site);
}

/* ---- out ---- */

void wh_inject(const wh_ctx *ctx, wh_set_fn *set, void *carrier)
{
    wh__inject_all(wh__composite_now(), ctx, &(struct wh_carrier){.size = sizeof(struct wh_carrier), .set = set}, carrier);
}

void wh_inject_with(const wh_ctx *ctx, const struct wh_propagator *propagator, const struct wh_carrier *given, void *carrier)
{
    struct wh_carrier room;
    const struct wh_carrier *to = known(given, &room);
    if (propagator)
        propagator->inject(propagator, ctx, to, carrier);
    else
        wh__inject_all(wh__composite_now(), ctx, to, carrier);
}

const char *const *wh_inject_fields(void)
{
    return wh__composite_now()->public.fields;
}
