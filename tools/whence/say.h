/* What is told of an incident, a sentence a line. The sentences are stable: tests and people search for them. */
#ifndef TOOLS_WHENCE_SAY_H
#define TOOLS_WHENCE_SAY_H

#include "incident.h"
#include "text.h"

/* One sentence, without a newline: who was stopped or failed, after how long, by what, where. */
void say_headline(struct text *text, const struct incident *incident);

/* The lines below it, each with a newline: Reason, Chain, Hit, Ran on, Budget, Too late, Gave up, Callee. */
void say_details(struct text *text, const struct incident *incident);

/* The span that nobody has ended, where nothing else is wrong: then that is the sentence above all, without a newline. NULL: there is
 * none, or something failed or was stopped other than in the course of things. */
const struct span *leak_above_all(const struct trace *trace);
void say_leak(struct text *text, const struct span *span);

/* What is told once of a trace: Nearly late, Leaked, Child process, Work for nobody, Gap, Kept, Unknown, Trace. Not again of a leak
 * that say_leak() has told; NULL: it has told none. */
void say_trace(struct text *text, const struct trace *trace, const struct incidents *incidents, const struct span *above);

/* What began it: a reason's name, or error.type; where; never NULL. */
const char *reason_of(const struct incident *incident);
const char *site_of(const struct incident *incident); /* NULL: nobody told */
const char *message_of(const struct incident *incident); /* NULL: nobody told */

/* say_failure.c: " failed after 3 ms: HTTP 502, "status 502", at shop.c:33 shop_get" */
void say_failure(struct text *text, const struct span *span);
bool is_http_status(const char *type); /* a bare number */
bool looks_like_timeout(const struct span *span);

#endif
