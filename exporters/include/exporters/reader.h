/* Reading protobuf, bounds checked, without copies: safe on any bytes. */
#ifndef EXPORTERS_READER_H
#define EXPORTERS_READER_H

#include <whence/exporters.h>

struct wh__field {
    uint32_t number;
    uint8_t type;            /* wire type: 0 varint, 1 fixed64, 2 length-delimited, 5 fixed32 */
    uint64_t word;           /* of all but length-delimited */
    struct wh_bytes bytes;   /* of length-delimited */
};

/* Takes the next field off the front of *rest. False at the end, and where the bytes make no sense: then rest->len is 0
 * and *broken, if given, is set. */
bool wh__next_field(struct wh_bytes *rest, struct wh__field *field, bool *broken);

/* The value of an attribute, from AnyValue. */
void wh__read_value(struct wh_bytes any, struct wh_attr_view *attr);

#endif
