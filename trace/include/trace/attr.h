/* Encoding attributes: opentelemetry.proto.common.v1.KeyValue. */
#ifndef TRACE_ATTR_H
#define TRACE_ATTR_H

#include <whence/provider.h>

#include "trace/back.h"
#include "trace/wire.h"

/* ---- one attribute ---- */

/* An attribute made ready: as it will be written, with its size. The strings are borrowed. */
struct wh__attr {
    struct wh_str key;
    unsigned field;      /* of AnyValue; 0: the empty value */
    union {
        struct wh_str bytes; /* of a string, of bytes, of an array or a map as they are encoded */
        uint64_t word;       /* of all else */
    } as;
    size_t value_size;   /* of the AnyValue */
    size_t size;         /* of the KeyValue */
    char digits[20];     /* of an integer that fits no int64: as.bytes points here */
    uint8_t *memory;     /* that as.bytes points into, of an array or a map; else NULL */
};

/* False if there is no key, or none that is UTF-8, or if an array or a map takes too much memory. A value that should be
 * text and is not UTF-8 becomes bytes. limits: NULL for none. In the end wh__attr_done(). */
bool wh__attr_ready(struct wh__attr *out, const struct wh_attr *attr, size_t key_len, const struct wh_limits *limits);
void wh__attr_done(struct wh__attr *attr);

/* Writes it as a field of that number, which takes wh__len_size(attr->size) bytes. */
uint8_t *wh__attr_put(uint8_t *p, unsigned field, const struct wh__attr *attr);

/* A plain value, neither array nor map: all but the key and the size of both; and its AnyValue. */
void wh__value_ready(struct wh__attr *out, const struct wh_attr *attr, const struct wh_limits *limits);
uint8_t *wh__value_put(uint8_t *p, const struct wh__attr *attr);

/* ---- values with parts, and lists; back->failed says whether all of it was written ---- */

/* Whether it is an array or a map. */
static inline bool wh__has_parts(enum wh_type type)
{
    return type > WH_EMPTY && type <= WH_STRINGS;
}

/* The content of an AnyValue that lies so deep, the outermost being 1. */
void wh__back_value(struct wh__back *back, const struct wh_attr *value, const struct wh_limits *limits, unsigned depth);

/* Every key once, with its last value, in fields of that number; of new keys the first `most` are kept. Adds to *dropped
 * those that were not, and those whose key is none. */
void wh__back_attrs(struct wh__back *back, unsigned field, struct wh_attrs attrs, uint32_t most,
                    const struct wh_limits *limits, uint32_t *dropped);

/* All of them, in fields of that number, in memory from wh__mem_get(); ptr NULL without memory. Nothing is limited. */
struct wh_bytes wh__attrs_encode(unsigned field, struct wh_attrs attrs);

/* ---- text ---- */

/* Text as a field of that number, in wh__len_size(len) bytes: what is not UTF-8 in it becomes '?', because a decoder refuses
 * a whole request for one bad string. */
uint8_t *wh__put_text(uint8_t *p, unsigned field, const char *text, size_t len);

/* Copies a text; returns whether it is ASCII. The last words overlap the ones before, so that no loop runs byte by byte. */
static inline bool wh__copy_ascii(uint8_t *to, const char *from, size_t len)
{
    typedef uint64_t pair __attribute__((vector_size(16)));
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    uint64_t seen = 0;
    if (len >= 16) {
        pair words, all = {0, 0};
        for (size_t i = 0; i + 16 < len; i += 16) {
            memcpy(&words, from + i, 16);
            memcpy(to + i, &words, 16);
            all |= words;
        }
        memcpy(&words, from + len - 16, 16);
        memcpy(to + len - 16, &words, 16);
        all |= words;
        seen = all[0] | all[1];
    } else if (len >= 8) {
        uint64_t low, high;
        memcpy(&low, from, 8);
        memcpy(&high, from + len - 8, 8);
        memcpy(to, &low, 8);
        memcpy(to + len - 8, &high, 8);
        seen = low | high;
    } else if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, from, 4);
        memcpy(&high, from + len - 4, 4);
        memcpy(to, &low, 4);
        memcpy(to + len - 4, &high, 4);
        seen = low | high;
    } else if (len) {
        const uint8_t first = (uint8_t)from[0], middle = (uint8_t)from[len / 2], last = (uint8_t)from[len - 1];
        to[0] = first;
        to[len / 2] = middle;
        to[len - 1] = last;
        seen = first | middle | last;
    }
    return (seen & high_bits) == 0;
}

/* Whether `text` is UTF-8 as the Unicode standard, table 3-7, has it. */
bool wh__is_utf8(const char *text, size_t len);

#endif
