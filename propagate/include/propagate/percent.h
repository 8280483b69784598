/* Percent-encoding (RFC 3986, section 2.1), and which characters may stand where. */
#ifndef PROPAGATE_PERCENT_H
#define PROPAGATE_PERCENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WH__TOKEN 1   /* of a token: RFC 7230, section 3.2.6 */
#define WH__OCTET 2   /* a baggage-octet: W3C Baggage, section 3.3.1.3 */
#define WH__PLAIN 4   /* the same but '%', and '+', which many take for a blank: what need not be encoded */
#define WH__OPAQUE 8  /* what metadata may hold: visible ASCII, blanks and tabs, but no comma */
#define WH__BLANK 16  /* a blank or a tab */
extern const uint8_t wh__class_of[256];

static inline bool wh__is(char c, unsigned classes)
{
    return wh__class_of[(uint8_t)c] & classes;
}

/* Whether all of it is of these classes; true of nothing. */
bool wh__are(const char *text, size_t len, unsigned classes);

/* Encodes what is not WH__PLAIN. Returns the end, or NULL if it does not fit before `end`. */
char *wh__percent_encode(char *out, const char *end, const char *text, size_t len);

/* Decodes ASCII to UTF-8: never more than `len` bytes. What is encoded and no UTF-8, and U+0000, become U+FFFD ("MUST be replaced
 * with the replacement code point", W3C Baggage, section 3.3.1.3); a '%' that begins no code stands for itself. Returns the
 * end. out may not be text. */
char *wh__percent_decode(char *out, const char *text, size_t len);

#endif
