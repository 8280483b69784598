/* Writing protobuf by hand: what a span is recorded in (encoding of protobuf version 3; the field numbers are those of
 * opentelemetry.proto.trace.v1). Every function writes at p, where the caller has made room, and returns the end. */
#ifndef TRACE_WIRE_H
#define TRACE_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { WH__VARINT = 0, WH__FIXED64 = 1, WH__LEN = 2, WH__FIXED32 = 5 };

/* Field numbers. A tag of fields 1 to 15 is one byte. */
enum {
    WH__SPAN_TRACE_ID = 1, WH__SPAN_ID = 2, WH__SPAN_TRACESTATE = 3, WH__SPAN_PARENT = 4, WH__SPAN_NAME = 5,
    WH__SPAN_KIND = 6, WH__SPAN_START = 7, WH__SPAN_END = 8, WH__SPAN_ATTRIBUTE = 9, WH__SPAN_DROPPED_ATTRIBUTES = 10,
    WH__SPAN_EVENT = 11, WH__SPAN_DROPPED_EVENTS = 12, WH__SPAN_LINK = 13, WH__SPAN_DROPPED_LINKS = 14,
    WH__SPAN_STATUS = 15, WH__SPAN_FLAGS = 16,
    WH__EVENT_TIME = 1, WH__EVENT_NAME = 2, WH__EVENT_ATTRIBUTE = 3, WH__EVENT_DROPPED = 4,
    WH__LINK_TRACE_ID = 1, WH__LINK_SPAN_ID = 2, WH__LINK_TRACESTATE = 3, WH__LINK_ATTRIBUTE = 4, WH__LINK_DROPPED = 5,
    WH__LINK_FLAGS = 6,
    WH__STATUS_MESSAGE = 2, WH__STATUS_CODE = 3,
    WH__KEY = 1, WH__VALUE_OF_KEY = 2,
    WH__ANY_STRING = 1, WH__ANY_BOOL = 2, WH__ANY_INT = 3, WH__ANY_DOUBLE = 4, WH__ANY_ARRAY = 5, WH__ANY_MAP = 6,
    WH__ANY_BYTES = 7,
    WH__RESOURCE_ATTRIBUTE = 1, WH__SCOPE_NAME = 1, WH__SCOPE_VERSION = 2, WH__SCOPE_ATTRIBUTE = 3
};

/* Arrays and maps that lie deeper than this become the empty value, whatever the limit is: what reads and writes them
 * calls itself. */
enum { WH__DEEPEST = 128 };

/* Flags of a span (of its parent) and of a link, above the eight of W3C. */
#define WH__KNOWS_REMOTE 0x100u
#define WH__IS_REMOTE 0x200u

#define WH__TAG(field, type) ((uint8_t)((field) << 3 | (type)))

static inline size_t wh__varint_size(uint64_t value)
{
    return (size_t)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

static inline uint8_t *wh__put_varint(uint8_t *p, uint64_t value)
{
    while (value >= 0x80) {
        *p++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    return p;
}

/* In five bytes, whatever it is: for what is written over later. Readers of varints take that (encoding, Base 128 Varints). */
static inline uint8_t *wh__put_wide(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++, value >>= 7) *p++ = (uint8_t)(value | 0x80);
    *p++ = (uint8_t)value;
    return p;
}

static inline uint8_t *wh__put_fixed64(uint8_t *p, uint64_t value)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    memcpy(p, &value, sizeof value);
    return p + sizeof value;
}

static inline uint8_t *wh__put_fixed32(uint8_t *p, uint32_t value)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    value = __builtin_bswap32(value);
#endif
    memcpy(p, &value, sizeof value);
    return p + sizeof value;
}

/* A length-delimited field of fields 1 to 15: its size with tag and length, and writing it. */
static inline size_t wh__len_size(size_t len)
{
    return 1 + wh__varint_size(len) + len;
}

static inline uint8_t *wh__put_len(uint8_t *p, unsigned field, size_t len)
{
    *p++ = WH__TAG(field, WH__LEN);
    return wh__put_varint(p, len);
}

static inline uint8_t *wh__put_bytes(uint8_t *p, unsigned field, const void *bytes, size_t len)
{
    p = wh__put_len(p, field, len);
    if (len) memcpy(p, bytes, len);
    return p + len;
}

#endif
