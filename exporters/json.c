#include "exporters/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { FIRST_CAPACITY = 16384 };
static const size_t most_capacity = (size_t)64 << 20;

/* ---- growing ---- */

void wh__json_free(struct wh__json *json)
{
    wh__mem_free(json->buf);
    *json = (struct wh__json){0};
}

char *wh__json_grow(struct wh__json *json, size_t size)
{
    if (json->error) return NULL;
    if (json->capacity - json->len >= size) return json->buf + json->len;
    size_t capacity = json->capacity ? json->capacity : FIRST_CAPACITY;
    while (capacity - json->len < size && capacity < most_capacity) capacity *= 2;
    char *buf = capacity - json->len < size ? NULL : wh__mem_resize(json->buf, capacity);
    if (!buf) {
        json->error = capacity - json->len < size ? EMSGSIZE : ENOMEM;
        return NULL;
    }
    json->buf = buf;
    json->capacity = capacity;
    return buf + json->len;
}

static inline void put(struct wh__json *json, const char *text, size_t len)
{
    wh__json_put_some(json, text, len);
}

/* ---- text ---- */

/* Beyond what JSON asks: DEL, the controls above ASCII, and the two line ends of Unicode. */
static bool must_escape(uint32_t c)
{
    return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

static void escape(struct wh__json *json, uint32_t c)
{
    static const char digits[] = "0123456789abcdef", named[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    const char *which = c && c < 0x80 ? strchr(named, (int)c) : NULL;
    if (c == WH__MALFORMED)
        put(json, "\xef\xbf\xbd", 3);
    else if (which)
        put(json, (const char[]){'\\', letters[which - named]}, 2);
    else
        put(json, (const char[]){'\\', 'u', digits[c >> 12 & 15], digits[c >> 8 & 15], digits[c >> 4 & 15],
                                 digits[c & 15]}, 6);
}

static __attribute__((noinline)) void put_escaped(struct wh__json *json, struct wh_bytes text)
{
    const char *at = text.ptr, *end = at + text.len, *plain = at;
    while (at < end && !json->error) {
        const char *const start = at;
        const uint32_t c = wh__utf8_next(&at, end);
        if (c != WH__MALFORMED && !must_escape(c)) continue;
        put(json, plain, (size_t)(start - plain));
        escape(json, c);
        plain = at;
    }
    put(json, plain, (size_t)(end - plain));
}

void wh__json_text(struct wh__json *json, struct wh_bytes text)
{
    char *p = wh__json_room(json, text.len + 2);
    if (!p) return;
    *p = '"';
    if (__builtin_expect(wh__json_copy_plain(p + 1, text.ptr, text.len), 1)) {
        p[1 + text.len] = '"';
        json->len += text.len + 2;
        return;
    }
    json->len++;
    put_escaped(json, text);
    put(json, "\"", 1);
}

/* ---- bytes ---- */

/* Four bytes as eight digits: each half of a byte in a byte of its own, and those from ten on moved up to the letters. */
static inline void put_hex(char *to, const uint8_t *from)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t x = (uint64_t)from[0] | (uint64_t)from[1] << 16 | (uint64_t)from[2] << 32 | (uint64_t)from[3] << 48;
    x = (x >> 4 & UINT64_C(0x000f000f000f000f)) | (x & UINT64_C(0x000f000f000f000f)) << 8;
    x += ones * '0' + ((x + ones * 6) >> 4 & ones) * ('a' - '0' - 10);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    memcpy(to, &x, sizeof x);
}

void wh__json_hex(struct wh__json *json, struct wh_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes.ptr;
    char *p = wh__json_room(json, 2 * bytes.len + 2);
    size_t i = 0;
    if (!p) return;
    *p++ = '"';
    for (; i + 4 <= bytes.len; i += 4) put_hex(p + 2 * i, from + i);
    for (; i < bytes.len; i++) {
        p[2 * i] = digits[from[i] >> 4];
        p[2 * i + 1] = digits[from[i] & 15];
    }
    p[2 * bytes.len] = '"';
    json->len += 2 * bytes.len + 2;
}

/* RFC 4648, section 4: three bytes to four characters, padded. */
static inline void base64_group(char out[4], const uint8_t *p, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned bits = (unsigned)p[0] << 16 | (len > 1 ? (unsigned)p[1] << 8 : 0) | (len > 2 ? p[2] : 0);
    out[0] = digits[bits >> 18];
    out[1] = digits[bits >> 12 & 63];
    out[2] = len > 1 ? digits[bits >> 6 & 63] : '=';
    out[3] = len > 2 ? digits[bits & 63] : '=';
}

void wh__json_base64(struct wh__json *json, struct wh_bytes bytes)
{
    const uint8_t *from = bytes.ptr;
    const size_t size = (bytes.len + 2) / 3 * 4;
    size_t i = 0;
    char *p = wh__json_room(json, size + 2);
    if (!p) return;
    *p++ = '"';
    for (; i + 3 <= bytes.len; i += 3, p += 4) base64_group(p, from + i, 3);
    if (i < bytes.len) base64_group(p, from + i, bytes.len - i);
    json->buf[json->len + size + 1] = '"';
    json->len += size + 2;
}

/* ---- whole numbers ---- */

enum { MOST_DIGITS = WH__JSON_DIGITS };

static const char pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

static inline void put_eight(char *to, uint32_t value)
{
    const uint32_t high = value / 10000, low = value % 10000;
    memcpy(to, pairs + 2 * (high / 100), 2);
    memcpy(to + 2, pairs + 2 * (high % 100), 2);
    memcpy(to + 4, pairs + 2 * (low / 100), 2);
    memcpy(to + 6, pairs + 2 * (low % 100), 2);
}

static inline char *put_at_most_eight(char *to, uint32_t value)
{
    char digits[8], *p = digits + sizeof digits;
    for (; value >= 100; value /= 100) memcpy(p -= 2, pairs + 2 * (value % 100), 2);
    if (value >= 10)
        memcpy(p -= 2, pairs + 2 * value, 2);
    else
        *--p = (char)('0' + value);
    const size_t len = (size_t)(digits + sizeof digits - p);
    memcpy(to, p, len);
    return to + len;
}

/* Returns the end. */
static char *put_digits(char *to, uint64_t value)
{
    const uint64_t eight = 100000000;
    if (value < eight) return put_at_most_eight(to, (uint32_t)value);
    const uint64_t high = value / eight;
    to = high < eight ? put_at_most_eight(to, (uint32_t)high) : put_at_most_eight(to, (uint32_t)(high / eight));
    if (high >= eight) put_eight(to, (uint32_t)(high % eight)), to += 8;
    put_eight(to, (uint32_t)(value % eight));
    return to + 8;
}

char *wh__json_put_signed(char *to, int64_t value)
{
    if (value < 0) *to++ = '-';
    return put_digits(to, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void wh__json_signed(struct wh__json *json, int64_t value)
{
    char *p = wh__json_room(json, MOST_DIGITS);
    if (p) json->len = (size_t)(wh__json_put_signed(p, value) - json->buf);
}

void wh__json_unsigned(struct wh__json *json, uint64_t value)
{
    char *p = wh__json_room(json, MOST_DIGITS);
    if (p) json->len = (size_t)(put_digits(p, value) - json->buf);
}

/* ---- other numbers ---- */

/* Up to 15 digits, of which six at most stand behind the point: nearly all numbers that people measure. A decimal of so few
 * digits that is read as `value` is the shortest, and what printf() would write. */
static bool put_plainly(struct wh__json *json, double value)
{
    const double size = fabs(value);
    if (size >= 1e15 || (size < 1e-4 && size > 0)) return false;
    const uint64_t scale = size < 1e9 ? 1000000 : 1, scaled = (uint64_t)(size * (double)scale + 0.5);
    char *p = (double)scaled / (double)scale == size ? wh__json_room(json, MOST_DIGITS + 3) : NULL;
    if (!p) return false;
    if (signbit(value)) *p++ = '-';
    p = put_digits(p, scaled / scale);
    uint64_t part = scaled % scale;
    if (part) *p++ = '.';
    for (uint64_t place = scale / 10; part; part %= place, place /= 10) *p++ = (char)('0' + part / place);
    json->len = (size_t)(p - json->buf);
    return true;
}

/* A program's locale may have another decimal point, of several bytes even. */
static void put_with_point(struct wh__json *json, const char *text)
{
    for (bool in_point = false; *text; text++) {
        const bool usual = strchr("0123456789+-e", *text) != NULL;
        if (usual) put(json, text, 1);
        if (!usual && !in_point) put(json, ".", 1);
        in_point = !usual;
    }
}

void wh__json_double(struct wh__json *json, double value)
{
    char text[40];
    if (!isfinite(value)) {
        wh__json_put(json, isnan(value) ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
        return;
    }
    if (value == 0 && signbit(value)) {
        wh__json_put(json, "-0.0"); /* many read -0 as an integer, which has no sign then */
        return;
    }
    if (put_plainly(json, value)) return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    put_with_point(json, text);
}
