/* Random numbers, one generator a thread (xoshiro256++ by Blackman and Vigna), seeded by the kernel, and again in the
 * child of a fork(). For ids, not for secrets. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/thread.h"

void wh__random_seed(uint64_t state[4]);
uint64_t wh__random_without_thread(void);

static inline uint64_t wh__random_next(uint64_t s[4])
{
    const uint64_t sum = s[0] + s[3];
    const uint64_t result = ((sum << 23) | (sum >> 41)) + s[0];
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

static inline uint64_t wh__random(void)
{
    struct wh__thread *self = wh__self();
    return __builtin_expect(self != NULL, 1) ? wh__random_next(self->random) : wh__random_without_thread();
}

#endif
