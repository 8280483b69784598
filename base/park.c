#include "base/park.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

/* FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC; plain FUTEX_WAIT a relative one, which drifts. */
WH__MAY_VANISH void wh__park(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    const struct timespec until = wh__timespec(deadline);
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, deadline == WH_NEVER ? NULL : &until, NULL,
            FUTEX_BITSET_MATCH_ANY);
}

void wh__unpark(const uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, NULL, NULL, 0);
}
