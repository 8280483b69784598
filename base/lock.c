#include "base/lock.h"

#include <sched.h>

#include "base/clock.h"
#include "base/park.h"

enum { SPINS = 100, YIELDS = 20, NAP_NS = 50000 };

uint32_t wh__gate;

/* Sleeping, in the end, lets a holder run that has a lower priority than we have. By a word that nobody changes, since
 * pthread_cancel() may end a thread that is in nanosleep(). */
void wh__back_off(unsigned round)
{
    static const uint32_t never;
    if (round < SPINS)
        wh__pause();
    else if (round < SPINS + YIELDS)
        sched_yield();
    else
        wh__park(&never, 0, wh__now() + NAP_NS);
}

void wh__lock_wait(uint32_t *word)
{
    for (unsigned round = 0; __atomic_load_n(word, __ATOMIC_RELAXED) & WH__LOCK_BIT; round++) wh__back_off(round);
}

static bool is_forking(void)
{
    return __atomic_load_n(&wh__gate, __ATOMIC_SEQ_CST) & WH__FORKING;
}

/* Only a thread that holds nothing else gives way: the fork waits for the others to finish. */
void wh__lock_yield_to_fork(struct wh__thread *self, uint32_t *word)
{
    if (!self || self->critical != 1 || !is_forking()) return;
    do {
        wh__unlock(word);
        for (unsigned round = 0; is_forking(); round++) wh__back_off(round);
        __atomic_store_n(&self->critical, 1, __ATOMIC_SEQ_CST);
        while (__atomic_fetch_or(word, WH__LOCK_BIT, __ATOMIC_SEQ_CST) & WH__LOCK_BIT) wh__lock_wait(word);
    } while (is_forking());
}
