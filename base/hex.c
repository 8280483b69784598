/* The tables of hex.h. */
#include "base/hex.h"

#define PAIRS(h) h, '0', h, '1', h, '2', h, '3', h, '4', h, '5', h, '6', h, '7', h, '8', h, '9', \
    h, 'a', h, 'b', h, 'c', h, 'd', h, 'e', h, 'f'
const char wh__hex_digits[512] = {
    PAIRS('0'), PAIRS('1'), PAIRS('2'), PAIRS('3'), PAIRS('4'), PAIRS('5'), PAIRS('6'), PAIRS('7'), PAIRS('8'), PAIRS('9'),
    PAIRS('a'), PAIRS('b'), PAIRS('c'), PAIRS('d'), PAIRS('e'), PAIRS('f'),
};

#define NONE WH__NO_DIGIT
#define NONE8 NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE
#define NONE16 NONE8, NONE8
const uint8_t wh__hex_values[256] = {
    NONE16, NONE16, NONE16,
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, NONE, NONE8,
    NONE16,
    NONE, 10, 11, 12, 13, 14, 15, NONE, NONE8,
    NONE16,
    NONE16, NONE16, NONE16, NONE16, NONE16, NONE16, NONE16, NONE16,
};
