/* Jaeger's own format, for those who still send it: uber-trace-id, and a header for each member of baggage. */
#include <string.h>

#include "base/hex.h"
#include "propagate/incoming.h"
#include "propagate/percent.h"

#define UBER "uber-trace-id"
#define PREFIX "uberctx-"
enum { PREFIX_LEN = sizeof PREFIX - 1, MOST_NAME = 256 };
enum { FLAG_SAMPLED = 1, FLAG_DEBUG = 2 };

/* ---- {trace-id}:{span-id}:{parent-span-id}:{flags} ---- */

/* The next digit or colon: what stands there, or is percent-encoded. Returns what follows. */
static const char *next(const char *text, char *c)
{
    *c = *text;
    if (*text != '%') return text + (*text != '\0');
    if (text[1] != '3' || (text[2] != 'a' && text[2] != 'A')) return text;
    *c = ':';
    return text + 3;
}

/* A number of up to 2 * size digits, with or without leading zeros, up to its colon or the end, which is taken, too. NULL: it is
 * none. */
static const char *read_number(const char *text, uint8_t *bytes, size_t size, char end)
{
    uint8_t values[32];
    size_t len = 0;
    for (char c;;) {
        text = next(text, &c);
        if (c == end) break;
        const unsigned value = wh__hex_value(c);
        if (value == WH__NO_DIGIT || len == 2 * size) return NULL;
        values[len++] = (uint8_t)value;
    }
    memset(bytes, 0, size);
    for (size_t i = 0; i < len; i++) bytes[size - 1 - i / 2] |= (uint8_t)(values[len - 1 - i] << (i % 2 ? 4 : 0));
    return len ? text : NULL;
}

bool wh__uber_read(const char *text, struct wh__b3_field *out)
{
    struct wh__b3_field field = {.span.remote = true};
    uint8_t parent[8], flags;
    if (!(text = read_number(text, field.span.trace_id, 16, ':')) || !(text = read_number(text, field.span.span_id, 8, ':')) ||
        !(text = read_number(text, parent, 8, ':')) || !read_number(text, &flags, 1, '\0') || !wh__is_valid(&field.span))
        return false;
    if (flags & FLAG_DEBUG) field.b3 = WH__B3_DEBUG;
    field.span.flags = flags & (FLAG_SAMPLED | FLAG_DEBUG) ? WH_SAMPLED : 0;
    *out = field;
    return true;
}

/* The parent's id "is deprecated, most Jaeger clients ignore it": 0. */
void wh__uber_write(char out[WH__UBER_SIZE], const struct wh_span_context *span, unsigned b3)
{
    wh__put_hex(out, span->trace_id, 16);
    out[32] = ':';
    wh__put_hex(out + 33, span->span_id, 8);
    memcpy(out + 49, ":0:0", 5);
    if (span->flags & WH_SAMPLED) out[52] = b3 & WH__B3_DEBUG ? '3' : '1';
}

/* ---- uberctx-{name}: {value, percent-encoded} ---- */

struct found {
    const struct wh_carrier *from;
    void *carrier;
    struct wh__members members;
    size_t len;
    char text[WH__BAG_BYTES]; /* what the members point to: what a carrier gives is soon gone */
};

static bool has_prefix(const char *name)
{
    for (size_t i = 0; i < PREFIX_LEN; i++) {
        const char c = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 'a' - 'A') : name[i];
        if (c != PREFIX[i]) return false;
    }
    return name[PREFIX_LEN] != '\0';
}

static struct wh__part keep(struct found *found, const char *text, size_t len)
{
    char *kept = memcpy(found->text + found->len, text, len);
    found->len += len;
    return (struct wh__part){kept, len};
}

static bool look_at(void *arg, const char *key)
{
    struct found *found = arg;
    if (!has_prefix(key)) return true;
    const size_t name = strnlen(key + PREFIX_LEN, MOST_NAME + 1);
    const char *value = name <= MOST_NAME ? found->from->get(found->carrier, key) : NULL;
    const size_t room = sizeof found->text - found->len, len = value ? strnlen(value, room + 1) : 0;
    if (!value || name + len > room || !wh__are(key + PREFIX_LEN, name, WH__TOKEN) || !wh__are(value, len, WH__OPAQUE)) return true;
    const struct wh__member member = {.name = keep(found, key + PREFIX_LEN, name), .value = keep(found, value, len), .encoded = true};
    return wh__members_add(&found->members, &member);
}

static __attribute__((noinline)) void read_baggage(struct wh__incoming *in, const struct wh_carrier *from, void *carrier)
{
    struct found found;
    found.from = from;
    found.carrier = carrier;
    found.len = 0;
    wh__members_begin(&found.members);
    wh__members_add_bag(&found.members, in->bag, NULL);
    from->keys(carrier, look_at, &found);
    if (found.len) wh__incoming_bag(in, &found.members);
}

static __attribute__((noinline)) void inject_baggage(const struct wh__bag *bag, const struct wh_carrier *to, void *carrier)
{
    char name[PREFIX_LEN + MOST_NAME + 1], value[WH__BAG_HEADER_SIZE];
    memcpy(name, PREFIX, PREFIX_LEN);
    size_t room = WH__BAG_BYTES;
    for (size_t i = 0; i < bag->count; i++) {
        const struct wh_baggage_member *member = &bag->members[i];
        const size_t len = strlen(member->name);
        char *end = wh__percent_encode(value, value + room, member->value, strlen(member->value));
        if (!end || len > MOST_NAME || !wh__are(member->name, len, WH__TOKEN)) continue;
        memcpy(name + PREFIX_LEN, member->name, len + 1);
        *end = '\0';
        to->set(carrier, name, value);
        room -= (size_t)(end - value);
    }
}

/* ---- the propagator ---- */

static void read(struct wh__incoming *in, const struct wh_carrier *from, void *carrier)
{
    char buf[WH__FIELD_SIZE];
    struct wh__b3_field field;
    const char *text = wh__get_only(from, carrier, UBER, buf);
    if (text && wh__uber_read(text, &field)) wh__incoming_span(in, &field.span, field.b3);
    if (from->keys) read_baggage(in, from, carrier);
}

static void inject(const struct wh_propagator *self, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier)
{
    struct wh__b3_field field;
    char text[WH__UBER_SIZE];
    (void)self;
    if (wh__b3_of(ctx, &field) && !(field.b3 & WH__B3_ALONE)) {
        wh__uber_write(text, &field.span, field.b3);
        to->set(carrier, UBER, text);
    }
    const struct wh__bag *bag = wh__bag_of(ctx);
    if (bag) inject_baggage(bag, to, carrier);
}

const struct wh__codec wh__jaeger = {
    .public = {sizeof(struct wh_propagator), "jaeger", inject, wh__codec_extract, (const char *const[]){UBER, NULL}},
    .read = read,
};
