/* Protobuf messages put together by hand, field by field: what no span recorder would write, too. */
#ifndef BYTES_H
#define BYTES_H

#include <whence/exporters.h>

#include "trace/wire.h"

struct bytes {
    uint8_t bytes[65536];
    size_t len;
};

static inline struct wh_bytes bytes_of(const struct bytes *b)
{
    return (struct wh_bytes){b->bytes, b->len};
}

/* Each returns the message it adds to. */
static inline struct bytes *put_len(struct bytes *b, unsigned field, const void *bytes, size_t len)
{
    b->len = (size_t)(wh__put_bytes(b->bytes + b->len, field, bytes, len) - b->bytes);
    return b;
}

static inline struct bytes *put_text(struct bytes *b, unsigned field, const char *text)
{
    return put_len(b, field, text, strlen(text));
}

static inline struct bytes *put_in(struct bytes *b, unsigned field, const struct bytes *inner)
{
    return put_len(b, field, inner->bytes, inner->len);
}

static inline struct bytes *put_varint(struct bytes *b, unsigned field, uint64_t value)
{
    b->bytes[b->len++] = WH__TAG(field, WH__VARINT);
    b->len = (size_t)(wh__put_varint(b->bytes + b->len, value) - b->bytes);
    return b;
}

static inline struct bytes *put_fixed64(struct bytes *b, unsigned field, uint64_t value)
{
    b->bytes[b->len++] = WH__TAG(field, WH__FIXED64);
    b->len = (size_t)(wh__put_fixed64(b->bytes + b->len, value) - b->bytes);
    return b;
}

static inline struct bytes *put_double(struct bytes *b, unsigned field, double value)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    return put_fixed64(b, field, word);
}

/* The tag of field 16 is two bytes. */
static inline struct bytes *put_span_flags(struct bytes *b, uint32_t flags)
{
    b->bytes[b->len++] = 0x85;
    b->bytes[b->len++] = 0x01;
    b->len = (size_t)(wh__put_fixed32(b->bytes + b->len, flags) - b->bytes);
    return b;
}

/* An attribute; value NULL: it has none. */
static inline struct bytes *put_attr(struct bytes *b, unsigned field, const char *key, const struct bytes *value)
{
    struct bytes attr = {.len = 0};
    put_text(&attr, WH__KEY, key);
    if (value) put_in(&attr, WH__VALUE_OF_KEY, value);
    return put_in(b, field, &attr);
}

static inline struct bytes *put_text_attr(struct bytes *b, unsigned field, const char *key, const char *text)
{
    struct bytes value = {.len = 0};
    return put_attr(b, field, key, put_text(&value, WH__ANY_STRING, text));
}

#endif
