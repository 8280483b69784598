/* Baggage in contexts, and the propagator "baggage". */
#include <whence/baggage.h>

#include <string.h>

#include "base/utf8.h"
#include "context/tree.h"
#include "propagate/incoming.h"

#define BAGGAGE "baggage"

/* ---- in contexts ---- */

static void free_bag(struct wh__bag **bag)
{
    wh__bag_free(*bag);
}
WH_KEY_OWNED(bag_value, struct wh__bag *, free_bag)

const struct wh__bag *wh__bag_of(const wh_ctx *ctx)
{
    return wh_bag_value(ctx);
}

wh_ctx *wh__with_bag(const wh_ctx *parent, struct wh__bag *bag)
{
    return wh_with_bag_value(parent, bag);
}

bool wh_find_baggage(const wh_ctx *ctx, const char *name, struct wh_baggage_member *member)
{
    const struct wh__bag *bag = wh__bag_of(ctx);
    for (size_t i = 0; bag && name && i < bag->count; i++) {
        if (strcmp(bag->members[i].name, name)) continue;
        *member = bag->members[i];
        return true;
    }
    return false;
}

const char *wh_baggage(const wh_ctx *ctx, const char *name)
{
    struct wh_baggage_member member;
    return wh_find_baggage(ctx, name, &member) ? member.value : NULL;
}

bool wh_baggage_at(const wh_ctx *ctx, size_t index, struct wh_baggage_member *member)
{
    const struct wh__bag *bag = wh__bag_of(ctx);
    if (!bag || index >= bag->count) return false;
    *member = bag->members[index];
    return true;
}

/* ---- changes ---- */

static bool is_utf8(const char *text)
{
    for (const char *end = text + strlen(text); text < end;)
        if (wh__utf8_next(&text, end) == WH__MALFORMED) return false;
    return true;
}

static void say_once(bool *said, const char *what, const char *name)
{
    if (!__atomic_exchange_n(said, true, __ATOMIC_RELAXED)) wh_report(WH_WARNING, "baggage \"%.60s\" %s", name, what);
}

static bool is_good(const struct wh_baggage_opts *opts)
{
    static bool said;
    const char *metadata = opts->metadata ? opts->metadata : "";
    if (opts->name && *opts->name && is_utf8(opts->name) && is_utf8(opts->value) && is_utf8(metadata)) return true;
    say_once(&said, "is not added: it is no UTF-8, or has no name", opts->name && is_utf8(opts->name) ? opts->name : "");
    return false;
}

static wh_ctx *with_members(const wh_ctx *parent, const struct wh__members *members)
{
    struct wh__bag *bag = wh__bag_new(members);
    return bag || members->count == 0 ? wh__with_bag(parent, bag) : wh__no_memory();
}

wh_ctx *wh_with_baggage_of(const wh_ctx *parent, const struct wh_baggage_opts *given)
{
    static bool said;
    struct wh_baggage_opts opts = {0};
    struct wh__members members;
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    if (!opts.value) opts.value = "";
    wh__members_begin(&members);
    wh__members_add_bag(&members, wh__bag_of(parent), NULL);
    if (is_good(&opts)) {
        const struct wh__member member = {
            .name = {opts.name, strlen(opts.name)},
            .value = {opts.value, strlen(opts.value)},
            .metadata = {opts.metadata, opts.metadata ? strlen(opts.metadata) : 0},
        };
        if (!wh__members_add(&members, &member)) say_once(&said, "is not added: there is too much of it", opts.name);
    }
    return with_members(parent, &members);
}

wh_ctx *wh_without_baggage(const wh_ctx *parent, const char *name)
{
    struct wh__members members;
    wh__members_begin(&members);
    wh__members_add_bag(&members, wh__bag_of(parent), name);
    return with_members(parent, &members);
}

wh_ctx *wh_clear_baggage(const wh_ctx *parent)
{
    return wh__with_bag(parent, NULL);
}

/* ---- the propagator ---- */

static void inject(const struct wh_propagator *self, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier)
{
    static bool said;
    const struct wh__bag *bag = wh__bag_of(ctx);
    char header[WH__BAG_HEADER_SIZE];
    unsigned left_out;
    (void)self;
    if (!bag) return;
    const size_t len = wh__bag_write(bag, header, &left_out);
    if (len) to->set(carrier, BAGGAGE, header);
    if (left_out) say_once(&said, "or some other is not sent: its name is no token, or there is too much of it", bag->members[0].name);
}

static void read(struct wh__incoming *in, const struct wh_carrier *from, void *carrier)
{
    char joined[WH__BAG_BYTES + 2]; /* one byte more than may be, so that it is seen where there are more */
    struct wh__members members;
    bool cut;
    const char *header = wh__get_joined(from, carrier, BAGGAGE, joined, sizeof joined, &cut);
    if (!header) return;
    wh__members_begin(&members);
    wh__members_add_bag(&members, in->bag, NULL);
    wh__bag_read(&members, header, strnlen(header, WH__BAG_BYTES + 1));
    wh__incoming_bag(in, &members);
}

const struct wh__codec wh__baggage = {
    .public = {sizeof(struct wh_propagator), BAGGAGE, inject, wh__codec_extract, (const char *const[]){BAGGAGE, NULL}},
    .read = read,
};
