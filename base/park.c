#include "base/park.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

/* ThreadSanitizer keeps a signal back until the thread calls a function that it knows: so under it nobody sleeps for long. */
static int64_t sooner(int64_t deadline)
{
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
    const int64_t soon = wh__now() + INT64_C(20000000);
    return deadline < soon ? deadline : soon;
#else
    return deadline;
#endif
}

/* FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC; plain FUTEX_WAIT a relative one, which drifts. */
WH__MAY_VANISH void wh__park(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    const int64_t limit = sooner(deadline);
    const struct timespec until = wh__timespec(limit);
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, limit == WH_NEVER ? NULL : &until, NULL,
            FUTEX_BITSET_MATCH_ANY);
}

void wh__unpark(const uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, NULL, NULL, 0);
}
