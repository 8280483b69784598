#include "trace/attr.h"

#include <stdio.h>

#include "base/mem.h"

/* ---- UTF-8 ---- */

/* Most text is ASCII: eight bytes at a time. */
static size_t ascii_prefix(const unsigned char *text, size_t len)
{
    size_t i = 0;
    for (uint64_t word; i + sizeof word <= len; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        if (word & UINT64_C(0x8080808080808080)) break;
    }
    while (i < len && text[i] < 0x80) i++;
    return i;
}

/* The length of the well-formed sequence at text, 0 if there is none. */
static size_t sequence(const unsigned char *text, size_t len)
{
    const unsigned char lead = text[0];
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    const size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (len < size) return 0;
    const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (text[1] < low || text[1] > high) return 0;
    for (size_t i = 2; i < size; i++)
        if ((text[i] & 0xc0) != 0x80) return 0;
    return size;
}

bool wh__is_utf8(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; (i += ascii_prefix(bytes + i, len - i)) < len;) {
        const size_t size = sequence(bytes + i, len - i);
        if (size == 0) return false;
        i += size;
    }
    return true;
}

static size_t first_characters(const char *text, size_t len, size_t limit)
{
    size_t i = 0;
    for (; i < len && limit; limit--) i += sequence((const unsigned char *)text + i, len - i);
    return i;
}

uint8_t *wh__put_text(uint8_t *p, unsigned field, const char *text, size_t len)
{
    uint8_t *start = wh__put_len(p, field, len), *end = start + len;
    if (len == 0 || wh__copy_ascii(start, text, len)) return end;
    for (p = start; (p += ascii_prefix(p, (size_t)(end - p))) < end;) {
        const size_t size = sequence(p, (size_t)(end - p));
        if (size == 0) *p = '?';
        p += size;
    }
    return end;
}

/* ---- values ---- */

static void ready_string(struct wh__attr *out, const char *text, size_t len, uint32_t limit)
{
    if (wh__is_utf8(text, len)) {
        out->field = WH__ANY_STRING;
        if (len > limit) len = first_characters(text, len, limit);
    } else {
        out->field = WH__ANY_BYTES;
        if (len > limit) len = limit;
    }
    out->as.bytes = (struct wh_str){text, len};
    out->value_size = wh__len_size(len);
}

static void ready_word(struct wh__attr *out, unsigned field, uint64_t word, size_t size)
{
    out->field = field;
    out->as.word = word;
    out->value_size = 1 + size;
}

static void ready_unsigned(struct wh__attr *out, uint64_t value, uint32_t limit)
{
    char digits[sizeof out->digits + 1];
    if (value <= INT64_MAX) {
        ready_word(out, WH__ANY_INT, value, wh__varint_size(value));
        return;
    }
    const int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    memcpy(out->digits, digits, (size_t)len);
    ready_string(out, out->digits, (size_t)len, limit);
}

void wh__value_ready(struct wh__attr *out, const struct wh_attr *attr, const struct wh_limits *limits)
{
    const uint32_t limit = limits ? limits->value_length : UINT32_MAX;
    uint64_t word;
    switch (attr->type) {
    case WH_BOOL:
        ready_word(out, WH__ANY_BOOL, attr->as.boolean, 1);
        break;
    case WH_INT:
        ready_word(out, WH__ANY_INT, (uint64_t)attr->as.integer, wh__varint_size((uint64_t)attr->as.integer));
        break;
    case WH_DOUBLE:
        memcpy(&word, &attr->as.real, sizeof word);
        ready_word(out, WH__ANY_DOUBLE, word, sizeof word);
        break;
    case WH_UINT:
        ready_unsigned(out, attr->as.natural, limit);
        break;
    case WH_BYTES:
        out->field = WH__ANY_BYTES;
        out->as.bytes = (struct wh_str){attr->as.ptr, !attr->as.ptr ? 0 : attr->len > limit ? limit : attr->len};
        out->value_size = wh__len_size(out->as.bytes.len);
        break;
    case WH_STRING:
        ready_string(out, attr->as.ptr, attr->as.ptr ? attr->len : 0, limit);
        break;
    default: /* the empty value, and what no header knows */
        out->field = 0;
        out->value_size = 0;
        break;
    }
}

/* Put together outside of the record, and outside of its lock. */
static bool ready_parts(struct wh__attr *out, const struct wh_attr *attr, const struct wh_limits *limits)
{
    struct wh__back back;
    wh__back_begin(&back, NULL, 0);
    wh__back_value(&back, attr, limits, 1);
    out->memory = back.memory;
    out->field = 0;
    out->value_size = wh__back_size(&back);
    if (out->value_size == 0) return !back.failed;
    const uint8_t *p = back.at;
    out->field = *p++ >> 3;
    while (*p++ & 0x80) continue; /* the length, of which this is the last byte */
    out->as.bytes = (struct wh_str){(const char *)p, (size_t)(back.end - p)};
    return !back.failed;
}

bool wh__attr_ready(struct wh__attr *out, const struct wh_attr *attr, size_t key_len, const struct wh_limits *limits)
{
    out->memory = NULL;
    if (!attr->key || key_len == 0 || !wh__is_utf8(attr->key, key_len)) return false;
    out->key = (struct wh_str){attr->key, key_len};
    if (wh__has_parts(attr->type)) {
        if (!ready_parts(out, attr, limits)) return false;
    } else {
        wh__value_ready(out, attr, limits);
    }
    out->size = wh__len_size(out->key.len) + wh__len_size(out->value_size);
    return true;
}

void wh__attr_done(struct wh__attr *attr)
{
    if (attr->memory) wh__mem_free(attr->memory);
}

uint8_t *wh__value_put(uint8_t *p, const struct wh__attr *attr)
{
    switch (attr->field) {
    case 0:
        return p;
    case WH__ANY_BOOL:
    case WH__ANY_INT:
        *p++ = WH__TAG(attr->field, WH__VARINT);
        return wh__put_varint(p, attr->as.word);
    case WH__ANY_DOUBLE:
        *p++ = WH__TAG(attr->field, WH__FIXED64);
        return wh__put_fixed64(p, attr->as.word);
    default:
        return wh__put_bytes(p, attr->field, attr->as.bytes.ptr, attr->as.bytes.len);
    }
}

uint8_t *wh__attr_put(uint8_t *p, unsigned field, const struct wh__attr *attr)
{
    p = wh__put_len(p, field, attr->size);
    p = wh__put_bytes(p, WH__KEY, attr->key.ptr, attr->key.len);
    p = wh__put_len(p, WH__VALUE_OF_KEY, attr->value_size);
    return wh__value_put(p, attr);
}
