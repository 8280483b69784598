/* Text into buffers of fixed size, and ids into hex. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whence/base.h>

/* Appends to a buffer; what does not fit is counted and dropped. Always terminated if size > 0. */
struct wh__text {
    char *buf;
    size_t size;
    size_t len; /* what it has, or would have */
};
void wh__put(struct wh__text *text, const char *format, ...) WH_PRINTF_(2, 3);
void wh__put_list(struct wh__text *text, const char *format, va_list args) WH_PRINTF_(2, 0);

/* A duration as people say it: "850 ns", "41.2 ms", "2 s". WH_NEVER is "never". */
void wh__put_duration(struct wh__text *text, int64_t ns);

/* len bytes as 2 * len lowercase digits; not terminated. */
void wh__hex(char *out, const uint8_t *bytes, size_t len);

/* The reverse: false, leaving bytes in any state, unless all 2 * len are lowercase hex digits. */
bool wh__unhex(uint8_t *bytes, const char *digits, size_t len);

/* How many of the first `len` bytes make whole UTF-8 characters: cutting there breaks none. */
size_t wh__utf8_cut(const char *text, size_t len);

#endif
