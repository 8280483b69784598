/* What a thread keeps for one provider or processor: counters, and spans that wait. Written by that thread alone.
 *
 * Providers and processors draw numbers, and each thread has a table by these. So nothing is shared between threads, and no
 * number of providers makes two of them share anything. Tables and slots are never freed: who asks for sums reads them at
 * any time, also when the thread is gone; the next thread goes on with them. */
#ifndef TRACE_SLOT_H
#define TRACE_SLOT_H

#include "base/thread.h"

struct wh__slots {
    uint32_t count;
    struct wh__slots *smaller; /* the table that this one has replaced: somebody may be reading it */
    void *slot[];              /* atomic; NULL: not needed yet */
};

/* The next number of the process. */
uint32_t wh__slot_number(void);

/* That many bytes, all zero, for this thread under that number, where nothing is yet. NULL without memory. */
void *wh__slot_make(struct wh__thread *self, uint32_t number, size_t size);

/* Of the calling thread; NULL: nothing is there yet, or the thread has no record. */
static inline void *wh__slot_own(const struct wh__thread *self, uint32_t number)
{
    const struct wh__slots *slots = wh__likely(self) ? self->slots : NULL;
    return wh__likely(slots && number < slots->count) ? slots->slot[number] : NULL;
}

/* Of any thread. */
static inline void *wh__slot_of(const struct wh__thread *thread, uint32_t number)
{
    const struct wh__slots *slots = __atomic_load_n(&thread->slots, __ATOMIC_ACQUIRE);
    return slots && number < slots->count ? __atomic_load_n(&slots->slot[number], __ATOMIC_ACQUIRE) : NULL;
}

#endif
