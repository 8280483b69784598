#include "base/text.h"

#include <stdio.h>

void wh__put_list(struct wh__text *text, const char *format, va_list args)
{
    const size_t room = text->size > text->len ? text->size - text->len : 0;
    const int len = vsnprintf(room ? text->buf + text->len : NULL, room, format, args);
    if (len > 0) text->len += (size_t)len;
}

void wh__put(struct wh__text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    wh__put_list(text, format, args);
    va_end(args);
}

/* Three digits are enough for people, and no zeros that say nothing. */
void wh__put_duration(struct wh__text *text, int64_t ns)
{
    static const struct { int64_t unit; const char *name; } units[] = {
        {INT64_C(3600000000000), "h"}, {INT64_C(60000000000), "min"}, {INT64_C(1000000000), "s"},
        {INT64_C(1000000), "ms"}, {INT64_C(1000), "us"}, {INT64_C(1), "ns"},
    };
    if (ns == WH_NEVER) {
        wh__put(text, "never");
        return;
    }
    const int64_t size = ns < 0 ? (ns == INT64_MIN ? INT64_MAX : -ns) : ns;
    size_t i = 0;
    while (i < 5 && size < units[i].unit) i++;
    const double value = (double)size / (double)units[i].unit;
    wh__put(text, ns < 0 ? "-" : "");
    wh__put(text, value < 99.95 ? "%.3g %s" : "%.0f %s", value, units[i].name);
}

void wh__hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool wh__unhex(uint8_t *bytes, const char *digits, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const int high = digit(digits[2 * i]);
        const int low = high < 0 ? -1 : digit(digits[2 * i + 1]);
        if (low < 0) return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

size_t wh__utf8_cut(const char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) start--;
    if (start == 0) return len;
    const unsigned char lead = (unsigned char)text[start - 1];
    const size_t whole = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return len - (start - 1) < whole ? start - 1 : len;
}
