#include "exporters/reader.h"

#include <string.h>

#include "trace/wire.h"

static bool get_varint(struct wh_bytes *rest, uint64_t *value)
{
    const uint8_t *p = rest->ptr;
    *value = 0;
    for (unsigned i = 0; i < 10 && i < rest->len; i++) {
        *value |= (uint64_t)(p[i] & 0x7f) << (7 * i);
        if (p[i] & 0x80) continue;
        *rest = (struct wh_bytes){p + i + 1, rest->len - i - 1};
        return true;
    }
    return false;
}

static inline bool get_fixed(struct wh_bytes *rest, size_t size, uint64_t *value)
{
    if (rest->len < size) return false;
    const uint8_t *p = rest->ptr;
    *value = 0;
    memcpy(value, p, size);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    *value = __builtin_bswap64(*value);
#endif
    *rest = (struct wh_bytes){p + size, rest->len - size};
    return true;
}

static bool get_field(struct wh_bytes *rest, struct wh__field *field)
{
    uint64_t tag, len;
    if (!get_varint(rest, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3) return false;
    *field = (struct wh__field){.number = (uint32_t)(tag >> 3), .type = tag & 7};
    switch (field->type) {
    case 0: return get_varint(rest, &field->word);
    case 1: return get_fixed(rest, 8, &field->word);
    case 5: return get_fixed(rest, 4, &field->word);
    case 2:
        if (!get_varint(rest, &len) || len > rest->len) return false;
        field->bytes = (struct wh_bytes){rest->ptr, (size_t)len};
        *rest = (struct wh_bytes){(const uint8_t *)rest->ptr + len, rest->len - (size_t)len};
        return true;
    default: return false;
    }
}

bool wh__next_field(struct wh_bytes *rest, struct wh__field *field, bool *broken)
{
    if (rest->len == 0) return false;
    if (get_field(rest, field)) return true;
    rest->len = 0;
    if (broken) *broken = true;
    return false;
}

void wh__read_value(struct wh_bytes any, struct wh_attr_view *attr)
{
    struct wh__field field;
    const uint8_t *at = any.ptr;
    attr->raw = any;
    if (any.len == 0) attr->type = WH_EMPTY;
    for (; wh__next_field(&any, &field, NULL); at = any.ptr) {
        switch (field.number << 3 | field.type) {
        case WH__TAG(WH__ANY_STRING, WH__LEN):
            attr->type = WH_STRING;
            attr->as.string = (struct wh_str){field.bytes.ptr, field.bytes.len};
            break;
        case WH__TAG(WH__ANY_BOOL, WH__VARINT): attr->type = WH_BOOL; attr->as.boolean = field.word != 0; break;
        case WH__TAG(WH__ANY_INT, WH__VARINT): attr->type = WH_INT; attr->as.integer = (int64_t)field.word; break;
        case WH__TAG(WH__ANY_DOUBLE, WH__FIXED64):
            attr->type = WH_DOUBLE;
            memcpy(&attr->as.real, &field.word, sizeof attr->as.real);
            break;
        case WH__TAG(WH__ANY_ARRAY, WH__LEN):
        case WH__TAG(WH__ANY_MAP, WH__LEN):
            attr->type = field.number == WH__ANY_ARRAY ? WH_ARRAY : WH_MAP;
            attr->as.bytes = (struct wh_bytes){at, (size_t)((const uint8_t *)any.ptr - at)};
            break;
        case WH__TAG(WH__ANY_BYTES, WH__LEN): attr->type = WH_BYTES; attr->as.bytes = field.bytes; break;
        default: break;
        }
    }
}
