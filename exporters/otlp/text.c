#include "otlp/text.h"

#include <stdio.h>
#include <string.h>

void wh__otlp_copy_words(char words[WH__OTLP_WORDS], const char *text, size_t len)
{
    size_t i = 0;
    for (; i < len && i < WH__OTLP_WORDS - 1; i++) words[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    words[i] = '\0';
}

void wh__otlp_say_size(char text[WH__OTLP_SIZE], size_t bytes)
{
    const size_t mib = (size_t)1 << 20;
    snprintf(text, WH__OTLP_SIZE, "%zu %s", bytes % mib ? bytes : bytes / mib, bytes % mib ? "bytes" : "MiB");
}

int wh__otlp_hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char wh__otlp_percent_next(const char **at, const char *end)
{
    const char *text = *at;
    const int high = *text == '%' && end - text > 2 ? wh__otlp_hex_digit(text[1]) : -1;
    const int low = high < 0 ? -1 : wh__otlp_hex_digit(text[2]);
    *at = text + (low < 0 ? 1 : 3);
    return low < 0 ? *text : (char)(high << 4 | low);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool wh__otlp_base64(const char *text, size_t len, uint8_t *out, size_t *out_len)
{
    uint32_t bits = 0;
    size_t made = 0;
    if (len % 4 == 0)
        for (int i = 0; i < 2 && len && text[len - 1] == '='; i++) len--;
    if (len % 4 == 1) return false;
    for (size_t i = 0; i < len; i++) {
        const int digit = base64_digit(text[i]);
        if (digit < 0) return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4) out[made++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    *out_len = made;
    return true;
}
