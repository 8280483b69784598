/* Hex digits by tables, where they are on a hot path. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The two lowercase digits of every byte; the value of every digit, 0x10 more for A to F, and WH__NO_DIGIT. */
#define WH__NO_DIGIT 0x80
extern const char wh__hex_digits[512];
extern const uint8_t wh__hex_values[256];

static inline void wh__put_hex(char *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) memcpy(out + 2 * i, wh__hex_digits + 2 * bytes[i], 2);
}

/* `wrong` is 0 if all 2 * len are lowercase digits. The text is there in full: there is one branch, at the end. */
static inline bool wh__take_hex(uint8_t *bytes, const char *digits, size_t len)
{
    uint8_t wrong = 0;
    for (size_t i = 0; i < len; i++) {
        const uint8_t high = wh__hex_values[(uint8_t)digits[2 * i]], low = wh__hex_values[(uint8_t)digits[2 * i + 1]];
        wrong |= high | low;
        bytes[i] = (uint8_t)(high << 4 | (low & 15));
    }
    return (wrong & 0xf0) == 0;
}

/* Of a digit in either case; WH__NO_DIGIT or more: it is none. */
static inline unsigned wh__hex_value(char digit)
{
    const unsigned value = wh__hex_values[(uint8_t)digit];
    return value & WH__NO_DIGIT ? WH__NO_DIGIT : value & 15;
}

#endif
