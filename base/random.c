#include "base/random.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"

/* Without a kernel that gives random bytes, what differs from run to run and thread to thread has to do. */
static void seed_from_circumstances(uint64_t state[4])
{
    state[0] = (uint64_t)wh__now();
    state[1] = (uint64_t)wh__clock(CLOCK_REALTIME);
    state[2] = (uint64_t)(uintptr_t)state;
    state[3] = (uint64_t)getpid() + 1;
    for (int i = 0; i < 20; i++) wh__random_next(state);
}

void wh__random_seed(uint64_t state[4])
{
    const size_t size = 4 * sizeof *state;
    ssize_t got;
    do {
        got = getrandom(state, size, 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)size || (state[0] | state[1] | state[2] | state[3]) == 0) seed_from_circumstances(state);
}

uint64_t wh__random_without_thread(void)
{
    uint64_t state[4];
    wh__random_seed(state);
    return wh__random_next(state);
}
