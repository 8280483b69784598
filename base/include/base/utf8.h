/* UTF-8 that may be anything, one character at a time. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdint.h>

#define WH__MALFORMED UINT32_MAX

/* Takes the next character off *at, which is before end. Malformed: what could have begun a character is taken as one
 * (Unicode standard, table 3-7 and "maximal subpart"), so that each becomes one U+FFFD. */
static inline uint32_t wh__utf8_next(const char **at, const char *end)
{
    const unsigned char *p = (const unsigned char *)*at, lead = *p++;
    *at = (const char *)p;
    if (lead < 0x80) return lead;
    if (lead < 0xc2 || lead > 0xf4) return WH__MALFORMED;
    unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    const unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint32_t character = lead & (0x3fu >> more);
    for (unsigned i = 0; i < more; i++, low = 0x80, high = 0xbf) {
        if (*at == end || *p < low || *p > high) return WH__MALFORMED;
        character = character << 6 | (*p++ & 0x3f);
        *at = (const char *)p;
    }
    return character;
}

#endif
