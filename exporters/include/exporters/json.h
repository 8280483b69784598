/* Writing JSON, and OTLP as JSON. */
#ifndef EXPORTERS_JSON_H
#define EXPORTERS_JSON_H

#include <string.h>
#include <whence/exporters.h>

/* Text that grows. When it cannot, it stays as it is and `error` says why: ENOMEM, or EMSGSIZE beyond 64 MiB. */
struct wh__json {
    char *buf;       /* not terminated */
    size_t len, capacity;
    int error;
};
void wh__json_free(struct wh__json *json);
char *wh__json_grow(struct wh__json *json, size_t size);

/* Room for so many more characters; NULL once there was none. Whoever writes there adds to len. */
static inline char *wh__json_room(struct wh__json *json, size_t size)
{
    if (__builtin_expect(json->error || json->capacity - json->len < size, 0)) return wh__json_grow(json, size);
    return json->buf + json->len;
}

/* As it stands. */
static inline void wh__json_put_some(struct wh__json *json, const char *text, size_t len)
{
    char *p = wh__json_room(json, len);
    if (!p) return;
    if (len) memcpy(p, text, len);
    json->len += len;
}

static inline void wh__json_put(struct wh__json *json, const char *text)
{
    wh__json_put_some(json, text, strlen(text));
}

/* ---- what is copied without a look back ---- */

/* Eight characters at a time. A bit is set for each that is not of ASCII or must be escaped; for one above such a one
 * perhaps without need. */
static inline uint64_t wh__json_unusual(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    const uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    return (word | (word + ones) | (word - ones * 0x20) | (quote - ones) | (backslash - ones)) & high;
}

typedef uint8_t wh__json_block __attribute__((vector_size(16)));
static inline wh__json_block wh__json_unusual_of(wh__json_block block)
{
    return (wh__json_block)((block - 0x20 >= 0x5f) | (block == '"') | (block == '\\'));
}

/* Copies a text, and returns whether that was all there was to do. The last words overlap the ones before. */
static inline bool wh__json_copy_plain(char *to, const char *from, size_t len)
{
    if (len >= 16) {
        wh__json_block block, seen = {0};
        for (size_t i = 0; i + 16 < len; i += 16) {
            memcpy(&block, from + i, 16);
            memcpy(to + i, &block, 16);
            seen |= wh__json_unusual_of(block);
        }
        memcpy(&block, from + len - 16, 16);
        memcpy(to + len - 16, &block, 16);
        seen |= wh__json_unusual_of(block);
        uint64_t words[2];
        memcpy(words, &seen, sizeof words);
        return (words[0] | words[1]) == 0;
    }
    if (len >= 8) {
        uint64_t low, high;
        memcpy(&low, from, 8);
        memcpy(&high, from + len - 8, 8);
        memcpy(to, &low, 8);
        memcpy(to + len - 8, &high, 8);
        return (wh__json_unusual(low) | wh__json_unusual(high)) == 0;
    }
    if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, from, 4);
        memcpy(&high, from + len - 4, 4);
        memcpy(to, &low, 4);
        memcpy(to + len - 4, &high, 4);
        return wh__json_unusual((uint64_t)high << 32 | low) == 0;
    }
    if (len == 0) return true;
    const uint8_t first = (uint8_t)from[0], middle = (uint8_t)from[len / 2], last = (uint8_t)from[len - 1];
    to[0] = (char)first;
    to[len / 2] = (char)middle;
    to[len - 1] = (char)last;
    return wh__json_unusual(UINT64_C(0x2020202020000000) | (uint64_t)first << 16 | (uint64_t)middle << 8 | last) == 0;
}

/* In at most WH__JSON_DIGITS characters; returns the end. */
enum { WH__JSON_DIGITS = 20 };
char *wh__json_put_signed(char *to, int64_t value);

/* ---- values ---- */

/* What is not UTF-8 becomes U+FFFD; characters that a terminal or a reader of lines might obey are escaped. */
void wh__json_text(struct wh__json *json, struct wh_bytes text);
void wh__json_hex(struct wh__json *json, struct wh_bytes bytes);
void wh__json_base64(struct wh__json *json, struct wh_bytes bytes);
void wh__json_signed(struct wh__json *json, int64_t value);
void wh__json_unsigned(struct wh__json *json, uint64_t value);

/* The shortest of 15 to 17 digits that reads back as the same; "NaN", "Infinity" and "-Infinity" as strings. */
void wh__json_double(struct wh__json *json, double value);

/* An ExportTraceServiceRequest of the batch in one line without its end (OTLP JSON encoding). Returns how many spans
 * are in it: those that cannot be read are left out, and none at all gives no text. */
size_t wh__json_batch(struct wh__json *json, const struct wh_batch *batch);

#endif
