#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hex.h"

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

/* size / unit, which is at least 1 or exactly 0, in at most three digits if that is less than 100, and without zeros that say
 * nothing. By hand: printf() writes the decimal point of the locale. */
static void put_quotient(struct wh__text *text, int64_t size, int64_t unit)
{
    int64_t whole = size / unit, part = 0, scale = 1;
    while (whole < 100 && scale < 100 && whole * scale < 100) scale *= 10;
    if (whole < 100) {
        const int64_t scaled = (size * scale + unit / 2) / unit;
        whole = scaled / scale;
        part = scaled % scale;
    } else if (size % unit >= unit / 2 + unit % 2) {
        whole++;
    }
    while (part && part % 10 == 0) part /= 10, scale /= 10;
    wh__put(text, "%" PRId64, whole);
    if (part) wh__put(text, ".%0*" PRId64, scale == 100 ? 2 : 1, part);
}

/* The least size that is said in a unit: what would round to 1000 of the smaller one, or to 60, is one of this. */
static int64_t least_of(int64_t unit, int64_t smaller)
{
    return unit - smaller / (unit / smaller < 100 ? 20 : 2);
}

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
    while (i < 5 && size < least_of(units[i].unit, units[i + 1].unit)) i++;
    wh__put(text, ns < 0 ? "-" : "");
    put_quotient(text, size, units[i].unit);
    wh__put(text, " %s", units[i].name);
}

void wh__hex(char *out, const uint8_t *bytes, size_t len)
{
    wh__put_hex(out, bytes, len);
}

bool wh__unhex(uint8_t *bytes, const char *digits, size_t len)
{
    return wh__take_hex(bytes, digits, len);
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
