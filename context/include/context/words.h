/* Words about contexts, for people: what the explanation and the line for a log share. */
#ifndef CONTEXT_WORDS_H
#define CONTEXT_WORDS_H

#include <whence/context.h>

#include "base/text.h"

/* `before` and "file.c:17", without the file's folders. Nothing if site is NULL. */
void wh__put_site(struct wh__text *text, const char *before, const struct wh_site *site);

/* Text of strangers, in quotes: what would end the line, command a terminal or is not UTF-8 is a question mark. */
void wh__put_clean(struct wh__text *text, const char *from);

/* The same without quotes. */
void wh__put_harmless(struct wh__text *text, const char *from);

/* A link of a chain: `sibling_failed "no price" at gateway.c:41 fill, span 00f067aa0ba902b7 "GET /price" of gateway`. */
void wh__put_because(struct wh__text *text, const struct wh_because *said);

#endif
