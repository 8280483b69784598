/* What the library keeps for each thread: its memory, its random numbers, and the mark that lets fork() wait for it.
 *
 * A record belongs to one thread at a time. When the thread exits, the next new thread takes it over as it is, with the
 * memory and the unexported spans in it; records are never freed. After fork() the child has one thread and one record;
 * the others' are left alone for ever, since nobody knows what their owners were doing. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slab.h"

struct wh__thread {
    uint32_t critical;          /* how many of the library's locks this thread holds or waits for; others only read it */
    uint32_t id;                /* the kernel's thread id */
    uint64_t random[4];         /* state of the generator; random.h */
    struct wh__heap heap;       /* slab.h */
    void *spool;                /* trace: spans that have ended on this thread */
    bool taken;                 /* under the registry's lock */
    struct wh__thread *next;    /* the next of all records ever made; immutable once linked */
};

extern _Thread_local struct wh__thread *wh__current;

struct wh__thread *wh__thread_begin(void);

/* The record of the calling thread; NULL if there is no memory for one. */
static inline struct wh__thread *wh__self(void)
{
    struct wh__thread *self = wh__current;
    return __builtin_expect(self != NULL, 1) ? self : wh__thread_begin();
}

/* The newest of all records; follow `next`. May be called at any time. */
struct wh__thread *wh__threads(void);

/* fn runs in the child after every fork(), on its only thread, when no lock of the library is held. Registered once for
 * each room that keeps threads or descriptors; at most eight. */
void wh__at_fork(void (*fn)(void));

/* How often this process has come out of a fork(). */
uint32_t wh__forks(void);

#endif
