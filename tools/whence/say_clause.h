/* Clauses of which the sentences of an incident are made. */
#ifndef TOOLS_WHENCE_SAY_CLAUSE_H
#define TOOLS_WHENCE_SAY_CLAUSE_H

#include <string.h>

#include "say.h"

static inline bool text_is(const char *text, const char *what)
{
    return text && strcmp(text, what) == 0;
}

/* ", at file.c:12 function", with what is to stand before it; ("message"): nothing, if there is none */
void say_site(struct text *text, const char *before, const char *site);
void say_message(struct text *text, const char *message);

/* say_failure.c: ", the last of 5 attempts,", where the parent has tried again until it gave up, and this was its last try. */
void say_attempts(struct text *text, const struct span *span);

/* How the span at which it began came to its end. */
void say_beginning(struct text *text, const struct span *span);

/* What happened to a span that was hit, without the cause. */
void say_short(struct text *text, const struct span *span);

/* A span that was stopped because of one with which all is well, or that is not here: its own attributes say why. Begins after its
 * name. */
void say_by_other(struct text *text, const struct span *span, const struct because *other);

/* What happened to a span of which because_of() leads to one that is not here, and why. */
void say_because_missing(struct text *text, const struct span *span);

#endif
