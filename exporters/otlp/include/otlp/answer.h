/* What the collector has said. */
#ifndef OTLP_ANSWER_H
#define OTLP_ANSWER_H

#include <whence/exporters.h>

enum { WH__OTLP_WORDS = 200 }; /* so much of the collector's words is shown: printable ASCII, terminated */

/* The body of a success. 0, and *rejected is from 0 to count, whatever it says; EBADMSG: it is not OTLP; ENOMEM. */
int wh__otlp_read_success(struct wh_bytes body, size_t count, size_t *rejected, char words[WH__OTLP_WORDS]);

/* The message in the body of a refusal; empty if there is none. */
void wh__otlp_read_refusal(struct wh_bytes body, char words[WH__OTLP_WORDS]);

/* Whether a request answered so may succeed when it is made again (OTLP/HTTP, retryable response codes). */
bool wh__otlp_may_try_again(long status);

#endif
