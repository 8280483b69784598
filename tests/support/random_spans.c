#include "random_spans.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16 };

struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(16) char bytes[];
};

struct random_spans {
    uint64_t seed, state;
    unsigned deepest;
    size_t count;
    struct chunk *chunks;
};

/* ---- memory ---- */

static void *take(struct random_spans *random, size_t size)
{
    struct chunk *chunk = random->chunks;
    size = (size + 15) / 16 * 16;
    if (!chunk || chunk->size - chunk->used < size) {
        const size_t room = size > CHUNK ? size : CHUNK;
        chunk = malloc(sizeof *chunk + room);
        if (!chunk) abort();
        *chunk = (struct chunk){.next = random->chunks, .size = room};
        random->chunks = chunk;
    }
    chunk->used += size;
    return chunk->bytes + chunk->used - size;
}

void random_spans_reset(struct random_spans *random)
{
    for (struct chunk *chunk = random->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    random->chunks = NULL;
}

struct random_spans *random_spans_new(uint64_t seed, unsigned deepest)
{
    struct random_spans *random = malloc(sizeof *random);
    if (random) *random = (struct random_spans){.seed = seed, .state = seed, .deepest = deepest};
    return random;
}

void random_spans_free(struct random_spans *random)
{
    random_spans_reset(random);
    free(random);
}

/* ---- numbers and text ---- */

/* splitmix64. */
uint64_t random_word(struct random_spans *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t random_below(struct random_spans *random, uint64_t below)
{
    return random_word(random) % below;
}

static char *put_character(char *p, uint32_t c)
{
    if (c < 0x80) {
        *p++ = (char)c;
        return p;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    *p++ = (char)(leads[more] | c >> 6 * more);
    for (int i = more; i-- > 0;) *p++ = (char)(0x80 | (c >> 6 * i & 0x3f));
    return p;
}

/* Mostly plain; sometimes a control, sometimes of any plane, never a surrogate. */
static uint32_t character(struct random_spans *random)
{
    switch (random_below(random, 12)) {
    case 0: return 1 + (uint32_t)random_below(random, 0x7f);
    case 1: return 0x80 + (uint32_t)random_below(random, 0x780);
    case 2: return 0x800 + (uint32_t)random_below(random, 0xd000);
    case 3: return 0xe000 + (uint32_t)random_below(random, 0x2000);
    case 4: return 0x10000 + (uint32_t)random_below(random, 0x100000);
    default: return 0x20 + (uint32_t)random_below(random, 0x5f);
    }
}

/* Short ones are many. */
static size_t length(struct random_spans *random, size_t most)
{
    const size_t some = most < 12 || random_below(random, 8) == 0 ? most : 12;
    return (size_t)random_below(random, some + 1);
}

char *random_text(struct random_spans *random, size_t most)
{
    const size_t characters = length(random, most);
    const bool plain = random_below(random, 2);
    char *text = take(random, 4 * characters + 1), *p = text;
    for (size_t i = 0; i < characters; i++)
        p = put_character(p, plain ? 0x20 + (uint32_t)random_below(random, 0x5f) : character(random));
    *p = '\0';
    return text;
}

struct wh_bytes random_bytes(struct random_spans *random, size_t most)
{
    const size_t len = length(random, most);
    uint8_t *bytes = take(random, len + 1);
    for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)random_word(random);
    return (struct wh_bytes){bytes, len};
}

static int64_t integer(struct random_spans *random)
{
    const uint64_t word = random_word(random) >> random_below(random, 64);
    return random_below(random, 2) ? (int64_t)word : (int64_t)-word;
}

static double real(struct random_spans *random)
{
    static const double odd[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 5e-324, 1.7976931348623157e308, 0.1};
    if (random_below(random, 3) == 0) return odd[random_below(random, sizeof odd / sizeof *odd)];
    return ldexp((double)integer(random), (int)random_below(random, 200) - 160);
}

/* ---- values ---- */

enum { MOST_PARTS = 5 };

static struct wh_attr value(struct random_spans *random, const char *key, unsigned depth);

static struct wh_attr list_of(struct random_spans *random, const char *key, enum wh_type type, unsigned depth)
{
    const size_t count = (size_t)random_below(random, MOST_PARTS + 1);
    struct wh_attr *list = take(random, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        char *name = NULL;
        if (type == WH_MAP) {
            name = take(random, 64);
            snprintf(name, 64, "%s.%zu", random_text(random, 8), i);
        }
        list[i] = value(random, name, depth + 1);
    }
    return (struct wh_attr){.key = key, .type = type, .len = count, .as.ptr = list};
}

static struct wh_attr uniform(struct random_spans *random, const char *key, enum wh_type type)
{
    const size_t count = (size_t)random_below(random, 3 * MOST_PARTS);
    int64_t *ints = take(random, (count + 1) * sizeof *ints);
    double *reals = take(random, (count + 1) * sizeof *reals);
    bool *flags = take(random, (count + 1) * sizeof *flags);
    const char **texts = take(random, (count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        ints[i] = integer(random);
        reals[i] = real(random);
        flags[i] = random_below(random, 2);
        texts[i] = random_below(random, 6) ? random_text(random, 20) : NULL;
    }
    const void *all[] = {ints, reals, flags, texts};
    return (struct wh_attr){.key = key, .type = type, .len = count, .as.ptr = all[type - WH_INTS]};
}

static struct wh_attr value(struct random_spans *random, const char *key, unsigned depth)
{
    struct wh_attr attr = {.key = key, .type = (enum wh_type)(1 + random_below(random, WH_STRINGS))};
    if (attr.type > WH_EMPTY && depth > random->deepest) attr.type = WH_EMPTY;
    struct wh_bytes bytes = {0};
    switch (attr.type) {
    case WH_STRING: attr.as.ptr = random_text(random, 80); attr.len = strlen(attr.as.ptr); break;
    case WH_BOOL: attr.as.boolean = random_below(random, 2); break;
    case WH_INT: attr.as.integer = integer(random); break;
    case WH_DOUBLE: attr.as.real = real(random); break;
    case WH_BYTES: bytes = random_bytes(random, 80); attr.as.ptr = bytes.ptr; attr.len = bytes.len; break;
    case WH_UINT: attr.as.natural = random_word(random); break;
    case WH_EMPTY: attr.as.ptr = NULL; break;
    case WH_ARRAY:
    case WH_MAP: return list_of(random, key, attr.type, depth);
    default: return uniform(random, key, attr.type);
    }
    return attr;
}

struct wh_attr random_attr(struct random_spans *random, const char *key)
{
    return value(random, key, 1);
}

struct wh_attrs random_attrs(struct random_spans *random, size_t most)
{
    const size_t count = (size_t)random_below(random, most + 1);
    struct wh_attr *list = take(random, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        char *key = take(random, 64);
        snprintf(key, 64, "%s.%zu", random_text(random, 8), i);
        list[i] = value(random, key, 1);
    }
    return (struct wh_attrs){list, count};
}

struct wh_span_context random_span_context(struct random_spans *random)
{
    static const char *const states[] = {NULL, "a=b", "vendor=1,other=x:y", "t61rcWkgMzE=,k=v w"};
    struct wh_span_context context = {.remote = random_below(random, 2)};
    for (size_t i = 0; i < 16; i++) context.trace_id[i] = (uint8_t)random_word(random);
    for (size_t i = 0; i < 8; i++) context.span_id[i] = (uint8_t)random_word(random);
    context.trace_id[0] |= 1;
    context.span_id[0] |= 1;
    context.flags = (uint8_t)random_below(random, 4);
    context.tracestate = states[random_below(random, 3)];
    return context;
}

/* ---- spans ---- */

const struct random_span *random_span_new(struct random_spans *random)
{
    struct random_span *span = take(random, sizeof *span);
    *span = (struct random_span){.kind = (enum wh_kind)random_below(random, 5), .status = (enum wh_status)random_below(random, 3)};
    snprintf(span->name, sizeof span->name, "random %llu %zu", (unsigned long long)random->seed, random->count++);
    span->status_text = span->status == WH_STATUS_ERROR ? random_text(random, 40) : "";
    span->start = wh_now() - (int64_t)random_below(random, WH_SEC(1000));
    span->end = span->start + (int64_t)random_below(random, WH_SEC(10));
    span->attrs = random_attrs(random, 20);
    span->event_count = (size_t)random_below(random, 4);
    span->link_count = (size_t)random_below(random, 4);
    struct random_event *events = take(random, (span->event_count + 1) * sizeof *events);
    struct random_link *links = take(random, (span->link_count + 1) * sizeof *links);
    for (size_t i = 0; i < span->event_count; i++) {
        events[i].name = random_text(random, 30);
        events[i].attrs = random_attrs(random, 6);
        events[i].at = span->start + (int64_t)random_below(random, WH_SEC(10));
    }
    for (size_t i = 0; i < span->link_count; i++) {
        links[i].to = random_span_context(random);
        links[i].attrs = random_attrs(random, 6);
    }
    span->events = events;
    span->links = links;
    return span;
}

/* As wh_set() does it, for a type that is known only now. */
static void set(const wh_ctx *ctx, const struct wh_attr *attr)
{
    const char *key = attr->key;
    switch (attr->type) {
    case WH_STRING: wh_set(ctx, key, ((struct wh_str){attr->as.ptr, attr->len})); break;
    case WH_BOOL: wh_set(ctx, key, attr->as.boolean); break;
    case WH_INT: wh_set(ctx, key, attr->as.integer); break;
    case WH_DOUBLE: wh_set(ctx, key, attr->as.real); break;
    case WH_BYTES: wh_set(ctx, key, ((struct wh_bytes){attr->as.ptr, attr->len})); break;
    case WH_UINT: wh_set(ctx, key, attr->as.natural); break;
    case WH_EMPTY: wh_set(ctx, key, WH_NULL); break;
    case WH_ARRAY: wh_set(ctx, key, ((struct wh_items){attr->as.ptr, attr->len})); break;
    case WH_MAP: wh_set(ctx, key, ((struct wh_attrs){attr->as.ptr, attr->len})); break;
    case WH_INTS: wh_set(ctx, key, ((struct wh_ints){attr->as.ptr, attr->len})); break;
    case WH_DOUBLES: wh_set(ctx, key, ((struct wh_doubles){attr->as.ptr, attr->len})); break;
    case WH_BOOLS: wh_set(ctx, key, ((struct wh_bools){attr->as.ptr, attr->len})); break;
    case WH_STRINGS: wh_set(ctx, key, ((struct wh_strings){attr->as.ptr, attr->len})); break;
    }
}

wh_ctx *random_span_record(struct random_spans *random, const struct random_span *span, const wh_ctx *parent)
{
    const size_t at_start = span->attrs.count / 2, links_at_start = span->link_count / 2;
    struct wh_link links[4];
    for (size_t i = 0; i < links_at_start; i++) links[i] = (struct wh_link){&span->links[i].to, span->links[i].attrs};
    wh_ctx *ctx = wh_start(parent, (const char *)span->name, .kind = span->kind, .at = span->start,
                           .attrs = {span->attrs.list, at_start}, .links = links, .link_count = links_at_start);
    for (size_t i = 0; i < span->attrs.count; i++) {
        if (i < at_start && random_below(random, 4)) continue;
        if (random_below(random, 4) == 0) wh_set(ctx, span->attrs.list[i].key, "for a while");
        set(ctx, &span->attrs.list[i]);
    }
    for (size_t i = 0; i < span->event_count; i++)
        wh_event(ctx, span->events[i].name, .attrs = span->events[i].attrs, .at = span->events[i].at);
    for (size_t i = links_at_start; i < span->link_count; i++)
        wh_link_to(ctx, &span->links[i].to, .attrs = span->links[i].attrs);
    wh_status(ctx, span->status, span->status_text);
    return ctx;
}

/* ---- reading back ---- */

static size_t characters(const char *text, size_t len, uint32_t most)
{
    size_t i = 0;
    for (; i < len; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && most-- == 0) break;
    return i;
}

static bool is_text(const char *text, size_t len, const struct wh_attr_view *read, uint32_t value_length)
{
    const size_t kept = characters(text, len, value_length);
    return read->type == WH_STRING && read->as.string.len == kept && (kept == 0 || memcmp(read->as.string.ptr, text, kept) == 0);
}

static struct wh_attr item_of(const struct wh_attr *given, size_t i)
{
    switch (given->type) {
    case WH_INTS: return wh_item(((const int64_t *)given->as.ptr)[i]);
    case WH_DOUBLES: return wh_item(((const double *)given->as.ptr)[i]);
    case WH_BOOLS: return wh_item(((const bool *)given->as.ptr)[i]);
    case WH_STRINGS: break;
    default: return ((const struct wh_attr *)given->as.ptr)[i];
    }
    const char *text = ((const char *const *)given->as.ptr)[i];
    return text ? wh_item(text) : wh_item(WH_NULL);
}

static bool is_list(const struct wh_attr *given, const struct wh_attr_view *read, uint32_t value_length, uint32_t value_depth)
{
    struct wh_cursor cursor = {read->as.bytes};
    struct wh_attr_view item;
    if (read->type != (given->type == WH_MAP ? WH_MAP : WH_ARRAY)) return false;
    for (size_t i = 0; i < given->len; i++) {
        const struct wh_attr expected = item_of(given, i);
        if (!wh_next_item(&cursor, &item) || !random_value_is(&expected, &item, value_length, value_depth - 1)) return false;
        if (given->type != WH_MAP) continue;
        if (item.key.len != strlen(expected.key) || memcmp(item.key.ptr, expected.key, item.key.len)) return false;
    }
    return !wh_next_item(&cursor, &item);
}

bool random_value_is(const struct wh_attr *given, const struct wh_attr_view *read, uint32_t value_length, uint32_t value_depth)
{
    char digits[24];
    switch (given->type) {
    case WH_STRING: return is_text(given->as.ptr, given->len, read, value_length);
    case WH_BOOL: return read->type == WH_BOOL && read->as.boolean == given->as.boolean;
    case WH_INT: return read->type == WH_INT && read->as.integer == given->as.integer;
    case WH_DOUBLE: return read->type == WH_DOUBLE && memcmp(&read->as.real, &given->as.real, sizeof read->as.real) == 0;
    case WH_UINT:
        if (given->as.natural <= INT64_MAX) return read->type == WH_INT && (uint64_t)read->as.integer == given->as.natural;
        return is_text(digits, (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)given->as.natural), read,
                       value_length);
    case WH_BYTES: {
        const size_t kept = given->len < value_length ? given->len : value_length;
        return read->type == WH_BYTES && read->as.bytes.len == kept &&
               (kept == 0 || memcmp(read->as.bytes.ptr, given->as.ptr, kept) == 0);
    }
    case WH_EMPTY: return read->type == WH_EMPTY;
    default: return value_depth == 0 ? read->type == WH_EMPTY : is_list(given, read, value_length, value_depth);
    }
}

bool random_attrs_are(struct wh_attrs given, struct wh_bytes raw, bool (*next)(struct wh_cursor *, struct wh_attr_view *),
                      uint32_t value_length, uint32_t value_depth)
{
    struct wh_cursor cursor = {raw};
    struct wh_attr_view read;
    size_t count = 0;
    for (; next(&cursor, &read); count++) {
        size_t i = 0;
        while (i < given.count && (strlen(given.list[i].key) != read.key.len || memcmp(given.list[i].key, read.key.ptr, read.key.len))) i++;
        if (i == given.count || !random_value_is(&given.list[i], &read, value_length, value_depth)) return false;
    }
    return count == given.count;
}
