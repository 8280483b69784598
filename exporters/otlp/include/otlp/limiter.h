/* So many in a second: buckets that fill at a steady rate, up to one second's worth, or to one. A bucket is one word, which
 * begins as 0 and is changed atomically: the instant at which it will be full again. */
#ifndef OTLP_LIMITER_H
#define OTLP_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes one, if there is one. `now`: of wh_now(). Any thread. */
bool wh__limiter_take(int64_t *bucket, double rate, int64_t now);

/* A bucket for each operation, by its name; for so many, which never go. */
enum { WH__LIMITERS = 4096 }; /* kept no more than half full */
struct wh__limiters {
    uint32_t used;
    struct {
        uint64_t hash;        /* 0: nobody's; atomic */
        int64_t bucket;
    } slots[WH__LIMITERS];
};

/* NULL: there are too many already. Any thread. */
int64_t *wh__limiters_of(struct wh__limiters *limiters, const char *operation);

#endif
