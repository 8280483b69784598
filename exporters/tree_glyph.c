#include "exporters/glyph.h"

#include <stddef.h>
#include <string.h>

#include "base/utf8.h"

struct range {
    uint32_t first, last;
};

/* Invisible, and able to make text look like other text: controls, directions, tags. */
static const struct range harmful[] = {
    {0x00, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x180e, 0x180e}, {0x200b, 0x200c}, {0x200e, 0x200f}, {0x2028, 0x202e},
    {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}, {0x10fffe, UINT32_MAX},
};

/* How they join their neighbours, terminals disagree about: they are left out. */
static const struct range joining[] = {{0x200d, 0x200d}, {0xfe00, 0xfe0f}};

/* No column of their own, and two columns: the blocks that are common, not every character of Unicode. */
static const struct range combining[] = {
    {0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd}, {0x610, 0x61a}, {0x64b, 0x65f}, {0x6d6, 0x6dc}, {0x730, 0x74a},
    {0x941, 0x948}, {0x94d, 0x94d}, {0xe31, 0xe31}, {0xe34, 0xe3a}, {0xe47, 0xe4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x20d0, 0x20ff}, {0xfe20, 0xfe2f},
};
static const struct range wide[] = {
    {0x1100, 0x115f}, {0x231a, 0x231b}, {0x23e9, 0x23ec}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xa960, 0xa97f},
    {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

static bool is_in(const struct range *ranges, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count && ranges[i].first <= c; i++)
        if (c <= ranges[i].last) return true;
    return false;
}
#define IS_IN(ranges, c) is_in(ranges, sizeof(ranges) / sizeof *(ranges), c)

struct wh__glyph wh__glyph_next(const char **at, const char *end, bool utf8)
{
    const char *const start = *at;
    const uint32_t c = wh__utf8_next(at, end);
    struct wh__glyph glyph = {.columns = 1};
    if (c >= 0x20 && c < 0x7f)
        glyph.bytes[0] = (char)c;
    else if (c == '\t' || c == '\n' || c == '\r')
        glyph.bytes[0] = ' ';
    else if (IS_IN(harmful, c))
        strcpy(glyph.bytes, utf8 ? "\xef\xbf\xbd" : "?");
    else if (IS_IN(joining, c) || (!utf8 && IS_IN(combining, c)))
        glyph.columns = 0;
    else if (!utf8)
        glyph.bytes[0] = '?';
    else {
        memcpy(glyph.bytes, start, (size_t)(*at - start));
        glyph.columns = IS_IN(wide, c) ? 2 : IS_IN(combining, c) ? 0 : 1;
    }
    return glyph;
}
