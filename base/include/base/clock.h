/* The clock of everything: CLOCK_MONOTONIC, in nanoseconds, and how it relates to the wall. All arithmetic on instants
 * and durations saturates at WH_NEVER and at INT64_MIN. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>
#include <whence/base.h>

#define WH__SECOND INT64_C(1000000000)

static inline int64_t wh__clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * WH__SECOND + t.tv_nsec;
}

static inline int64_t wh__now(void)
{
    return wh__clock(CLOCK_MONOTONIC);
}

/* What to add to an instant of wh__now() to get nanoseconds since 1970, as of this moment. */
static inline int64_t wh__wall_offset(void)
{
    return wh__clock(CLOCK_REALTIME) - wh__now();
}

static inline int64_t wh__add(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}

static inline int64_t wh__sub(int64_t a, int64_t b)
{
    int64_t difference;
    return __builtin_sub_overflow(a, b, &difference) ? (b < 0 ? INT64_MAX : INT64_MIN) : difference;
}

/* From now to `instant`: 0 if it has passed, WH_NEVER if it is never. */
static inline int64_t wh__until(int64_t instant, int64_t now)
{
    if (instant == WH_NEVER) return WH_NEVER;
    const int64_t left = wh__sub(instant, now);
    return left > 0 ? left : 0;
}

static inline struct timespec wh__timespec(int64_t ns)
{
    if (ns < 0) ns = 0;
    return (struct timespec){.tv_sec = (time_t)(ns / WH__SECOND), .tv_nsec = (long)(ns % WH__SECOND)};
}

#endif
