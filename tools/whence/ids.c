#include "ids.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_hex(uint8_t *id, size_t len, const char *text, size_t digits)
{
    memset(id, 0, len);
    if (digits == 0 || digits > 2 * len) return false;
    for (size_t i = 0, place = 2 * len - digits; i < digits; i++, place++) {
        const int digit = hex_digit(text[i]);
        if (digit < 0) return false;
        id[place / 2] |= (uint8_t)(place % 2 ? digit : digit << 4);
    }
    return true;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* 8 and 16 bytes both leave a rest: so there is an '=' at the end, which no hex has. */
static bool read_base64(uint8_t *id, size_t len, const char *text, size_t chars)
{
    uint32_t bits = 0;
    size_t held = 0, count = 0;
    if (chars != (len + 2) / 3 * 4 || text[chars - 1] != '=') return false;
    for (size_t i = 0; i < chars && text[i] != '='; i++) {
        const int digit = base64_digit(text[i]);
        if (digit < 0) return false;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        if (count == len) return false;
        id[count++] = (uint8_t)(bits >> held);
    }
    return count == len;
}

bool id_read(uint8_t *id, size_t len, const char *text)
{
    const size_t chars = strlen(text);
    if (read_hex(id, len, text, chars) || read_base64(id, len, text, chars)) return true;
    memset(id, 0, len);
    return false;
}

char *id_hex(char *hex, const uint8_t *id, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[id[i] >> 4];
        hex[2 * i + 1] = digits[id[i] & 15];
    }
    hex[2 * len] = '\0';
    return hex;
}
