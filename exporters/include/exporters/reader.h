/* Reading protobuf, bounds checked, without copies: safe on any bytes. */
#ifndef EXPORTERS_READER_H
#define EXPORTERS_READER_H

#include <whence/exporters.h>

struct wh__field {
    uint32_t number;
    uint8_t type;            /* wire type: 0 varint, 1 fixed64, 2 length-delimited, 5 fixed32 */
    uint64_t word;           /* of all but length-delimited, there it is nothing */
    struct wh_bytes bytes;   /* of length-delimited */
};

/* Takes the next field off the front of *rest. False at the end, and where the bytes make no sense: then rest->len is 0
 * and *broken, if given, is set. */
bool wh__next_field(struct wh_bytes *rest, struct wh__field *field, bool *broken);

/* The same, at once for nearly all fields that there are: of a number below 16, and of fewer than 128 bytes, or of 64 bits, or
 * small. */
static inline bool wh__next_field_at_once(struct wh_bytes *rest, struct wh__field *field, bool *broken)
{
    const uint8_t *p = rest->ptr;
    if (__builtin_expect(rest->len < 2 || p[0] < 8 || p[0] >= 0x80, 0)) return wh__next_field(rest, field, broken);
    size_t size;
    field->type = p[0] & 7;
    if (field->type == 2 && p[1] < 0x80 && p[1] <= rest->len - 2) {
        field->bytes = (struct wh_bytes){p + 2, p[1]};
        size = 2 + (size_t)p[1];
    } else if (field->type == 0 && p[1] < 0x80) {
        field->bytes = (struct wh_bytes){NULL, 0};
        field->word = p[1];
        size = 2;
    } else {
        return wh__next_field(rest, field, broken);
    }
    field->number = p[0] >> 3;
    *rest = (struct wh_bytes){p + size, rest->len - size};
    return true;
}

/* The value of an attribute, from AnyValue. */
void wh__read_value(struct wh_bytes any, struct wh_attr_view *attr);

#endif
