#include "exporters/reader.h"

#include <string.h>

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

static bool get_fixed(struct wh_bytes *rest, size_t size, uint64_t *value)
{
    if (rest->len < size) return false;
    const uint8_t *p = rest->ptr;
    *value = 0;
    for (size_t i = 0; i < size; i++) *value |= (uint64_t)p[i] << 8 * i;
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
    attr->raw = any;
    while (wh__next_field(&any, &field, NULL)) {
        switch (field.number) {
        case 1: attr->type = WH_STRING; attr->as.string = (struct wh_str){field.bytes.ptr, field.bytes.len}; break;
        case 2: attr->type = WH_BOOL; attr->as.boolean = field.word != 0; break;
        case 3: attr->type = WH_INT; attr->as.integer = (int64_t)field.word; break;
        case 4: attr->type = WH_DOUBLE; memcpy(&attr->as.real, &field.word, sizeof attr->as.real); break;
        case 7: attr->type = WH_BYTES; attr->as.bytes = field.bytes; break;
        default: break;
        }
    }
}
