/* What the library keeps for each thread: its memory, its random numbers, and the mark that lets fork() wait for it.
 *
 * A record belongs to one thread at a time. When the thread exits, the next new thread takes it over as it is, with the
 * memory and the unexported spans in it; records are never freed. After fork() the child has one thread and one record;
 * the others' are left alone for ever, since nobody knows what their owners were doing. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define wh__likely(condition) __builtin_expect(!!(condition), 1)
#define wh__unlikely(condition) __builtin_expect(!!(condition), 0)

/* Small blocks of memory, by size; slab.h. */
enum wh__size { WH__64, WH__128, WH__256, WH__512, WH__KEPT, WH__SIZES };
struct wh__heap {
    struct wh__page *open[WH__SIZES]; /* pages with room, the one in use first */
    void *returned;                   /* blocks that other threads gave back; atomic */
    void *collecting;                 /* of these, what has been taken from there and is not yet in its pages */
};

struct wh__thread {
    uint32_t critical;          /* how many of the library's locks it holds or waits for; others only read it */
    uint32_t id;                /* the kernel's thread id */
    uint32_t *wants;            /* the lock that it took last, or is about to take; means something while critical does */
    struct wh__heap heap;
    uint64_t random[4];         /* state of the generator; random.h */
    uint32_t number;            /* of this record, from 0 */
    uint32_t busy_times;        /* context: how often */
    const void *busy_parent;    /* this parent's lock was found taken */
    void *slots;                /* trace: what it keeps for each provider and processor, */
    void *spools;               /* and which of these may hold spans */
    bool taken;                 /* under the registry's lock */
    bool lost;                  /* its thread stayed in the parent process; set at a fork() and never again */
    struct wh__thread *next;    /* the next of all records ever made; immutable once linked */
};

extern _Thread_local struct wh__thread *wh__current;
struct wh__thread *wh__thread_begin(void);

/* The record of the calling thread; NULL if there is no memory for one. */
static inline struct wh__thread *wh__self(void)
{
    struct wh__thread *self = wh__current;
    return wh__likely(self) ? self : wh__thread_begin();
}

/* The newest of all records; follow `next`. May be called at any time. */
struct wh__thread *wh__threads(void);

/* fn runs in the child after every fork(), on its only thread, when no lock of the library is held, and in the order of
 * registration. For whoever keeps threads or descriptors. The handler is static, and the caller's: so there may be any
 * number, and none is refused. Registered a second time it stays where it is. */
struct wh__fork_handler {
    void (*fn)(void);
    struct wh__fork_handler *next; /* the registry's */
};
void wh__at_fork(struct wh__fork_handler *handler);

/* How often this process has come out of a fork(). */
extern uint32_t wh__forks;

#endif
