/* What a character of a stranger's text becomes in a terminal. */
#ifndef EXPORTERS_GLYPH_H
#define EXPORTERS_GLYPH_H

#include <stdbool.h>
#include <stdint.h>

struct wh__glyph {
    char bytes[5];    /* terminated; what is to be written, harmless; may be empty */
    unsigned columns; /* 0, 1 or 2 */
};

/* Takes one character off *at, which is before end. Controls, escape sequences' first characters, what changes the
 * direction of writing and what is not UTF-8 become a sign of replacement; white space becomes a space. */
struct wh__glyph wh__glyph_next(const char **at, const char *end, bool utf8);

#endif
