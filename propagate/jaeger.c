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

static void put_word(uint8_t bytes[8], uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(bytes, &word, sizeof word);
}

/* A number of 1 to `most` digits, with or without leading zeros, up to its colon or the end, which is taken, too. NULL: it is
 * none. */
static const char *read_number(const char *text, uint64_t *high, uint64_t *low, unsigned most, char end)
{
    unsigned len = 0;
    *high = *low = 0;
    for (char c; text = next(text, &c), c != end; len++) {
        const unsigned value = wh__hex_value(c);
        if (value == WH__NO_DIGIT || len == most) return NULL;
        *high = *high << 4 | *low >> 60;
        *low = *low << 4 | value;
    }
    return len ? text : NULL;
}

bool wh__uber_read(const char *text, struct wh__b3_field *out)
{
    struct wh__b3_field field = {.span.remote = true};
    uint64_t trace[2], span, parent, unused, flags;
    if (!(text = read_number(text, &trace[0], &trace[1], 32, ':')) || !(text = read_number(text, &unused, &span, 16, ':')) ||
        !(text = read_number(text, &unused, &parent, 16, ':')) || !read_number(text, &unused, &flags, 2, '\0'))
        return false;
    if (!(trace[0] | trace[1]) || !span) return false;
    put_word(field.span.trace_id, trace[0]);
    put_word(field.span.trace_id + 8, trace[1]);
    put_word(field.span.span_id, span);
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

/* HTTP does not tell upper from lower case in names, and some clients change it: Jaeger's own lower it as well. */
static struct wh__part keep_lower(struct found *found, const char *name, size_t len)
{
    char *kept = found->text + found->len;
    for (size_t i = 0; i < len; i++) kept[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
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
    const struct wh__member member = {.name = keep_lower(found, key + PREFIX_LEN, name), .value = keep(found, value, len), .encoded = true};
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
