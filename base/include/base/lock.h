/* Locks of one bit, for critical sections of some tens of nanoseconds in which nothing blocks and no code of the user's
 * runs. Taking one is one atomic operation, leaving it one store. Who has to wait spins, then yields, then sleeps.
 *
 * fork() waits until no thread holds any of them and lets none in until it is over: so the child finds every structure
 * whole and every lock free. That is what `critical` and WH__FORKING are for: the thread raises its mark before it takes
 * the lock and looks at the gate afterwards; the forking thread shuts the gate and then looks at the marks. A thread that
 * comes just then may have the lock for an instant before it sees that; the child opens it: it stands in `wants`. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/thread.h"

/* What may be in the way of who wants a lock at once; nothing else than this one word is looked at. */
#define WH__FORKING 1u
#define WH__TRACKING 2u /* contexts that are made now are to go the long way: context/live.h */
extern uint32_t wh__gate;
void wh__lock_wait(uint32_t *word);

/* For who waits in a loop: spins in the first rounds, yields in the next, sleeps 50 us in each later one. */
void wh__back_off(unsigned round);
void wh__lock_yield_to_fork(struct wh__thread *self, uint32_t *word);

static inline void wh__pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

#define WH__LOCK_BIT 1u

/* The other bits of the word belong to whoever holds it. `self`: of the calling thread, or NULL if it has no record. */
static inline void wh__lock_as(struct wh__thread *self, uint32_t *word)
{
    if (wh__likely(self)) {
        self->wants = word;
        __atomic_store_n(&self->critical, self->critical + 1, __ATOMIC_RELAXED);
    }
    while (wh__unlikely(__atomic_fetch_or(word, WH__LOCK_BIT, __ATOMIC_SEQ_CST) & WH__LOCK_BIT)) wh__lock_wait(word);
#if !defined(__x86_64__) && !defined(__i386__)
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* there, the atomic operation above is no full barrier */
#endif
    if (wh__unlikely(__atomic_load_n(&wh__gate, __ATOMIC_RELAXED))) wh__lock_yield_to_fork(self, word);
}

/* For a thread that holds none: takes it if that is possible at once, calling no function. False, and nothing has happened,
 * if not. To be left with wh__unlock_at_once(). */
static inline bool wh__lock_at_once(struct wh__thread *self, uint32_t *word)
{
    self->wants = word;
    __atomic_store_n(&self->critical, 1, __ATOMIC_RELAXED);
    if (wh__unlikely(__atomic_fetch_or(word, WH__LOCK_BIT, __ATOMIC_SEQ_CST) & WH__LOCK_BIT)) goto busy;
#if !defined(__x86_64__) && !defined(__i386__)
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
    if (wh__likely(!__atomic_load_n(&wh__gate, __ATOMIC_RELAXED))) return true;
    __atomic_fetch_and(word, ~WH__LOCK_BIT, __ATOMIC_RELEASE);
busy:
    __atomic_store_n(&self->critical, 0, __ATOMIC_RELEASE);
    return false;
}

static inline void wh__unlock_at_once(struct wh__thread *self, uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    __atomic_store_n(&self->critical, 0, __ATOMIC_RELEASE);
}

/* Stores `value`, whose bit 0 must be clear, and so leaves. */
static inline void wh__unlock_as(struct wh__thread *self, uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    if (wh__likely(self)) __atomic_store_n(&self->critical, self->critical - 1, __ATOMIC_RELEASE);
}

/* Under a lock: makes fork() wait also for what this thread does after it has left that, until wh__stay_over(), so that the
 * child does not find it half done. Nothing that could run code of the user's happens in between. */
static inline void wh__stay(struct wh__thread *self)
{
    if (wh__likely(self)) __atomic_store_n(&self->critical, self->critical + 1, __ATOMIC_RELAXED);
}

static inline void wh__stay_over(struct wh__thread *self)
{
    if (wh__likely(self)) __atomic_store_n(&self->critical, self->critical - 1, __ATOMIC_RELEASE);
}

static inline void wh__lock(uint32_t *word)
{
    wh__lock_as(wh__self(), word);
}

static inline void wh__unlock_to(uint32_t *word, uint32_t value)
{
    struct wh__thread *self = wh__current;
    wh__unlock_as(self && self->critical ? self : NULL, word, value); /* it may have got its record since it came in */
}

static inline void wh__unlock(uint32_t *word)
{
    wh__unlock_to(word, __atomic_load_n(word, __ATOMIC_RELAXED) & ~WH__LOCK_BIT);
}

#endif
