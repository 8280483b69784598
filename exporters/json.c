#include "exporters/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"

enum { FIRST_CAPACITY = 16384 };
static const size_t most_capacity = (size_t)64 << 20;

/* ---- growing ---- */

void wh__json_free(struct wh__json *json)
{
    wh__mem_free(json->buf);
    *json = (struct wh__json){0};
}

static char *room(struct wh__json *json, size_t size)
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

static void put(struct wh__json *json, const char *text, size_t len)
{
    char *p = len ? room(json, len) : NULL;
    if (!p) return;
    memcpy(p, text, len);
    json->len += len;
}

void wh__json_put(struct wh__json *json, const char *text)
{
    put(json, text, strlen(text));
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

void wh__json_text(struct wh__json *json, struct wh_bytes text)
{
    const char *at = text.ptr, *end = at + text.len, *plain = at;
    put(json, "\"", 1);
    while (at < end && !json->error) {
        const char *const start = at;
        const uint32_t c = wh__utf8_next(&at, end);
        if (c != WH__MALFORMED && !must_escape(c)) continue;
        put(json, plain, (size_t)(start - plain));
        escape(json, c);
        plain = at;
    }
    if (text.len) put(json, plain, (size_t)(end - plain));
    put(json, "\"", 1);
}

/* ---- bytes ---- */

void wh__json_hex(struct wh__json *json, struct wh_bytes bytes)
{
    put(json, "\"", 1);
    char *p = bytes.len ? room(json, 2 * bytes.len) : NULL;
    if (p) {
        wh__hex(p, bytes.ptr, bytes.len);
        json->len += 2 * bytes.len;
    }
    put(json, "\"", 1);
}

/* RFC 4648, section 4: three bytes to four characters, padded. */
static void base64_group(char out[4], const uint8_t *p, size_t len)
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
    put(json, "\"", 1);
    char *p = size ? room(json, size) : NULL;
    for (size_t i = 0; p && i < bytes.len; i += 3, p += 4) base64_group(p, from + i, bytes.len - i);
    if (p) json->len += size;
    put(json, "\"", 1);
}

/* ---- numbers ---- */

void wh__json_signed(struct wh__json *json, int64_t value)
{
    char text[24];
    put(json, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)value));
}

void wh__json_unsigned(struct wh__json *json, uint64_t value)
{
    char text[24];
    put(json, text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)value));
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
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    put_with_point(json, text);
}
