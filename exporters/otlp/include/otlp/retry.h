/* When to try again. */
#ifndef OTLP_RETRY_H
#define OTLP_RETRY_H

#include <stdint.h>
#include <time.h>

/* What the value of a Retry-After field (RFC 9110, section 10.2.3: seconds, or a date, compared with `wall`, seconds
 * since 1970) asks for, in nanoseconds; -1 if it makes no sense, has passed, or is more than a day off. */
int64_t wh__otlp_retry_after(const char *value, time_t wall);

/* How long to wait after try number `tries`, from 1 on: what the collector has asked for, at least 100 ms; or, if that
 * is -1, a second, half as much again after each further try, at most 5 s, and that times 0.5 to 1.5 by chance. */
int64_t wh__otlp_pause(unsigned tries, int64_t asked);

#endif
