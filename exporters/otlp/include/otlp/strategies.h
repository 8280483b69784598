/* What a Jaeger answers to "GET /sampling?service=S": which share of a service's traces is to be sampled. */
#ifndef OTLP_STRATEGIES_H
#define OTLP_STRATEGIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WH__MOST_OPERATIONS = 2000 }; /* of one answer; all further ones are sampled by default */

enum wh__strategy {
    WH__BY_PROBABILITY,          /* so many of all */
    WH__BY_RATE,                 /* so many in a second */
    WH__BY_OPERATION             /* so many of each operation, and at least so many in a second of it */
};

struct wh__operation {
    const char *name;
    uint64_t threshold;
};

/* Immutable, in one block. A threshold is the randomness, the last 56 bits of a trace id, from which on it is sampled. */
struct wh__strategies {
    enum wh__strategy kind;
    uint64_t threshold;          /* by operation: of those that are not listed */
    double rate;                 /* in a second: the most, or the least of each operation */
    size_t count;                /* sorted by name */
    struct wh__operation operations[];
};

/* Reads an answer. 0 and a new object, freed with wh__otlp_mem_free(); EBADMSG, if it says no strategy or one that makes no
 * sense; ENOMEM. */
int wh__strategies_read(const char *text, size_t len, struct wh__strategies **out);

uint64_t wh__strategies_threshold(const struct wh__strategies *strategies, const char *operation);

#endif
