/* Structured field values (RFC 9651), as far as a list of items with parameters needs them. Nothing allocates. */
#ifndef PROPAGATE_STRUCTURED_H
#define PROPAGATE_STRUCTURED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "propagate/bag.h"

/* ---- in ---- */

/* What is still to be read; and where decoded texts go: never more bytes than were read, with a zero byte after each. */
struct wh__sf {
    const char *at, *end;
    char *room;
};

enum wh__sf_kind { WH__SF_INTEGER, WH__SF_DECIMAL, WH__SF_STRING, WH__SF_TOKEN, WH__SF_BYTES, WH__SF_BOOLEAN, WH__SF_DATE, WH__SF_DISPLAY };

/* text: decoded and terminated, of strings, tokens and display strings. It lies at sf->room, which the next item will use again
 * unless wh__sf_keep() is called first. number: of integers. */
struct wh__sf_item {
    enum wh__sf_kind kind;
    const char *text;
    size_t len;
    int64_t number;
};

/* Section 4.2.3.1. False if it is malformed: nothing more can be read then, and so for all others. */
bool wh__sf_item(struct wh__sf *sf, struct wh__sf_item *item);

/* Section 4.2.3.2, one parameter. Its key is not copied. A parameter without a value is the boolean true. */
bool wh__sf_at_parameter(const struct wh__sf *sf);
bool wh__sf_parameter(struct wh__sf *sf, struct wh__part *key, struct wh__sf_item *value);

/* Sections 4.2 and 4.2.1: what goes before the list, and what stands between two members. After wh__sf_next() either nothing
 * is left, or a member has to follow. */
void wh__sf_begin(struct wh__sf *sf);
bool wh__sf_next(struct wh__sf *sf);

static inline void wh__sf_keep(struct wh__sf *sf, const struct wh__sf_item *item)
{
    sf->room += item->len + 1;
}

/* ---- out ---- */

/* How many bytes of the text have an encoding of at most `most` bytes; a character of several bytes counts as a whole. */
size_t wh__sf_fit_string(const char *text, size_t len, size_t most);
size_t wh__sf_fit_display(const char *text, size_t len, size_t most);

/* What wh__sf_fit_*() allows, with the quotes around it: `most` + 3 bytes do. Returns the end. In a string, what is not
 * printable ASCII becomes a question mark; in a display string, controls do, and what is not UTF-8 becomes U+FFFD. */
char *wh__sf_put_string(char *out, const char *text, size_t len, size_t most);
char *wh__sf_put_display(char *out, const char *text, size_t len, size_t most);

bool wh__sf_is_token(const char *text, size_t len);

/* What may lead a terminal or a reader astray: controls, separators of lines, and what turns the direction of writing. */
bool wh__is_control(uint32_t character);

#endif
