#include "propagate/percent.h"

#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"

/* ---- classes ---- */

#define ALL (WH__TOKEN | WH__OCTET | WH__PLAIN | WH__OPAQUE)
#define VALUE (WH__OCTET | WH__PLAIN | WH__OPAQUE) /* "(),/:;<=>?@[\]{}" are in no token */
#define META WH__OPAQUE                            /* nor are these in a value: '"', ';', '\' */

const uint8_t wh__class_of[256] = {
    ['\t'] = WH__OPAQUE | WH__BLANK, [' '] = WH__OPAQUE | WH__BLANK,
    ['!'] = ALL, ['"'] = META, ['#'] = ALL, ['$'] = ALL, ['%'] = WH__TOKEN | WH__OCTET | WH__OPAQUE, ['&'] = ALL, ['\''] = ALL,
    ['('] = VALUE, [')'] = VALUE, ['*'] = ALL, ['+'] = ALL & ~WH__PLAIN, ['-'] = ALL, ['.'] = ALL, ['/'] = VALUE,
    ['0'] = ALL, ['1'] = ALL, ['2'] = ALL, ['3'] = ALL, ['4'] = ALL, ['5'] = ALL, ['6'] = ALL, ['7'] = ALL, ['8'] = ALL, ['9'] = ALL,
    [':'] = VALUE, [';'] = META, ['<'] = VALUE, ['='] = VALUE, ['>'] = VALUE, ['?'] = VALUE, ['@'] = VALUE,
    ['A'] = ALL, ['B'] = ALL, ['C'] = ALL, ['D'] = ALL, ['E'] = ALL, ['F'] = ALL, ['G'] = ALL, ['H'] = ALL, ['I'] = ALL, ['J'] = ALL,
    ['K'] = ALL, ['L'] = ALL, ['M'] = ALL, ['N'] = ALL, ['O'] = ALL, ['P'] = ALL, ['Q'] = ALL, ['R'] = ALL, ['S'] = ALL, ['T'] = ALL,
    ['U'] = ALL, ['V'] = ALL, ['W'] = ALL, ['X'] = ALL, ['Y'] = ALL, ['Z'] = ALL,
    ['['] = VALUE, ['\\'] = META, [']'] = VALUE, ['^'] = ALL, ['_'] = ALL, ['`'] = ALL,
    ['a'] = ALL, ['b'] = ALL, ['c'] = ALL, ['d'] = ALL, ['e'] = ALL, ['f'] = ALL, ['g'] = ALL, ['h'] = ALL, ['i'] = ALL, ['j'] = ALL,
    ['k'] = ALL, ['l'] = ALL, ['m'] = ALL, ['n'] = ALL, ['o'] = ALL, ['p'] = ALL, ['q'] = ALL, ['r'] = ALL, ['s'] = ALL, ['t'] = ALL,
    ['u'] = ALL, ['v'] = ALL, ['w'] = ALL, ['x'] = ALL, ['y'] = ALL, ['z'] = ALL,
    ['{'] = VALUE, ['|'] = ALL, ['}'] = VALUE, ['~'] = ALL,
};

bool wh__are(const char *text, size_t len, unsigned classes)
{
    for (size_t i = 0; i < len; i++)
        if (!wh__is(text[i], classes)) return false;
    return true;
}

/* ---- out ---- */

char *wh__percent_encode(char *out, const char *end, const char *text, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    if (len > (size_t)(end - out)) return NULL;
    for (const char *last = text + len; text < last; text++) {
        if (wh__is(*text, WH__PLAIN)) {
            *out++ = *text;
            continue;
        }
        const uint8_t byte = (uint8_t)*text;
        if (end - out < 3 + (last - text - 1)) return NULL; /* what follows takes at least that much */
        *out++ = '%';
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    return out;
}

/* ---- in ---- */

/* The next byte that is meant; returns where the one after it begins. */
static inline const char *next_byte(const char *text, const char *end, char *byte)
{
    *byte = *text;
    if (*text != '%' || end - text < 3) return text + 1;
    const unsigned high = wh__hex_value(text[1]), low = wh__hex_value(text[2]);
    if ((high | low) & WH__NO_DIGIT) return text + 1;
    *byte = (char)(high << 4 | low);
    return text + 3;
}

/* A character of several bytes, or what is taken for one. */
static const char *decode_character(char **out, const char *text, const char *end)
{
    char bytes[4];
    const char *after[4];
    size_t count = 0;
    for (const char *p = text; p < end && count < 4; count++) after[count] = p = next_byte(p, end, &bytes[count]);
    const char *at = bytes;
    const uint32_t character = wh__utf8_next(&at, bytes + count);
    const size_t taken = (size_t)(at - bytes);
    const bool good = character != WH__MALFORMED && character != 0;
    memcpy(*out, good ? bytes : "\xef\xbf\xbd", good ? taken : 3);
    *out += good ? taken : 3;
    return after[taken - 1];
}

char *wh__percent_decode(char *out, const char *text, size_t len)
{
    for (const char *end = text + len; text < end;) {
        if (*text != '%') {
            *out++ = *text++;
            continue;
        }
        char byte;
        const char *after = next_byte(text, end, &byte);
        if (byte > 0) {
            *out++ = byte;
            text = after;
        } else {
            text = decode_character(&out, text, end);
        }
    }
    return out;
}
