/* Ids as text. */
#ifndef TOOLS_WHENCE_IDS_H
#define TOOLS_WHENCE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRACE_HEX = 33, SPAN_HEX = 17 };

/* Hex in any case, short ones filled up with zeros from the left as Jaeger has them; or base64, as Protobuf's own JSON has it.
 * False, leaving `id` all zero: it is none of these. */
bool id_read(uint8_t *id, size_t len, const char *text);

/* Writes 2 * len digits and a zero; returns `hex`. */
char *id_hex(char *hex, const uint8_t *id, size_t len);

#endif
