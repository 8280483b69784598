/* What the tests of the readers share: a span with everything in it, and bytes that are none. Bytes are read from
 * blocks of exactly their size, so that a sanitizer or valgrind sees every step beyond. */
#ifndef READING_H
#define READING_H

#include "test.h"

/* Attributes of every type, two events, a link, a parent from elsewhere: the only span of `spans`, whose limits leave
 * room for just that. */
struct wh_span_view everything(struct spans *spans);

/* The same into spans of the caller's. */
void record_everything(struct spans *spans);
extern const uint8_t far_trace[16], far_span[8]; /* to which it is linked */

bool is(struct wh_str text, const char *what);

/* A copy in a block of its own size; free_copy() gives it back. */
struct wh_bytes copy_of(const void *bytes, size_t len);
void free_copy(struct wh_bytes copy);

/* Everything that can be asked of a span, whether it is one or not; returns whether it was read as one. */
bool read_all(struct wh_bytes bytes);

/* Below that: the same numbers in every run. */
uint32_t any(uint32_t below);

/* A copy with one to four things wrong in it. */
struct wh_bytes mutant_of(struct wh_bytes bytes);

#endif
