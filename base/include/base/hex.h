/* Hex digits, where they are on a hot path: sixteen at a time, without a branch, and by tables what is left. */
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

typedef uint8_t wh__bytes8 __attribute__((vector_size(8)));
typedef uint8_t wh__bytes16 __attribute__((vector_size(16)));
typedef uint16_t wh__pairs __attribute__((vector_size(16))); /* of a high and a low digit, in the order of memory */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WH__JOIN(pairs) ((pairs) << 4 | (pairs) >> 8)
#define WH__SPLIT(bytes) (((bytes) >> 4 | (bytes) << 8) & 0x0f0f)
#else
#define WH__JOIN(pairs) (((pairs) >> 4 | (pairs)) & 0xff)
#define WH__SPLIT(bytes) (((bytes) << 4 | (bytes)) & 0x0f0f)
#endif

static inline void wh__put_hex8(char out[16], const uint8_t bytes[8])
{
    wh__bytes8 eight;
    memcpy(&eight, bytes, sizeof eight);
    const wh__pairs wide = __builtin_convertvector(eight, wh__pairs);
    const wh__bytes16 digits = (wh__bytes16)WH__SPLIT(wide);
    const wh__bytes16 text = digits + '0' + ((wh__bytes16)(digits > 9) & ('a' - '9' - 1));
    memcpy(out, &text, sizeof text);
}

static inline void wh__put_hex(char *out, const uint8_t *bytes, size_t len)
{
    for (; len >= 8; len -= 8, bytes += 8, out += 16) wh__put_hex8(out, bytes);
    for (size_t i = 0; i < len; i++) memcpy(out + 2 * i, wh__hex_digits + 2 * bytes[i], 2);
}

/* Which of them are no lowercase digits: all zero if all are. */
static inline wh__bytes16 wh__take_hex8(uint8_t bytes[8], const char digits[16])
{
    wh__bytes16 text;
    memcpy(&text, digits, sizeof text);
    const wh__bytes16 number = text - '0', letter = text - 'a';
    const wh__bytes16 is_number = (wh__bytes16)(number < 10), is_letter = (wh__bytes16)(letter < 6);
    const wh__pairs values = (wh__pairs)((number & is_number) | ((letter + 10) & is_letter));
    const wh__bytes8 joined = __builtin_convertvector(WH__JOIN(values), wh__bytes8);
    memcpy(bytes, &joined, sizeof joined);
    return ~(is_number | is_letter);
}

/* Whether all 2 * len are lowercase digits; bytes are in any state if not. The text is there in full. */
static inline bool wh__take_hex(uint8_t *bytes, const char *digits, size_t len)
{
    wh__bytes16 wrong = {0};
    uint8_t wrong_here = 0;
    for (; len >= 8; len -= 8, bytes += 8, digits += 16) wrong |= wh__take_hex8(bytes, digits);
    for (size_t i = 0; i < len; i++) {
        const uint8_t high = wh__hex_values[(uint8_t)digits[2 * i]], low = wh__hex_values[(uint8_t)digits[2 * i + 1]];
        wrong_here |= high | low;
        bytes[i] = (uint8_t)(high << 4 | (low & 15));
    }
    uint64_t halves[2];
    memcpy(halves, &wrong, sizeof halves);
    return !(halves[0] | halves[1] | (wrong_here & 0xf0));
}

/* Of a digit in either case; WH__NO_DIGIT: it is none. */
static inline unsigned wh__hex_value(char digit)
{
    const unsigned value = wh__hex_values[(uint8_t)digit];
    return value & WH__NO_DIGIT ? WH__NO_DIGIT : value & 15;
}

#endif
