/* A context as bytes, version 1. Numbers have their highest byte first.
 *
 *   at  bytes
 *    0      2  'w' 'h'
 *    2      1  the version: 1
 *    3      1  how many fields
 *    4      8  where the clock is from (boot.h); 0: not known
 *   12      8  the instant of the writing, by that clock
 *   20      8  nanoseconds that were left of the deadline then; INT64_MAX: there is none
 *   28         the fields: length of the name (1 byte, not 0), of the value (2), name, 0, value, 0; and nothing behind the last
 *
 * The zeros are there so that a reader can hand out the texts where they lie. What is left of the deadline is a number, and no
 * field: so the length does not depend on when it is written. */
#ifndef PROPAGATE_BYTES_H
#define PROPAGATE_BYTES_H

enum { WH__BYTES_VERSION = 1, WH__BYTES_HEAD = 28, WH__BYTES_FIELD = 5 /* beside name and value */ };

#endif
