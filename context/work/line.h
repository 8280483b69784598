/* Threads that stand in line for something, each no longer than a context lasts. The line is kept, and what they wait for is
 * granted, under a lock of its owner's; waking is done without it. */
#ifndef CONTEXT_WORK_LINE_H
#define CONTEXT_WORK_LINE_H

#include "context/tree.h"

/* On the stack of the thread that waits. The fields are [lock] but for `called`. */
struct wh__waiter {
    uint32_t weight;                 /* what it waits for, as the owner of the line sees it */
    bool called;                     /* atomic; something has become of it. Who has set it touches the waiter no more */
    bool granted;
    struct wh__waiter *next, **link; /* while it is in the line */
};

struct wh__line {
    struct wh__waiter *first, **last;
};

static inline void wh__line_clear(struct wh__line *line)
{
    *line = (struct wh__line){.last = &line->first};
}

static inline void wh__line_enter(struct wh__line *line, struct wh__waiter *waiter)
{
    waiter->link = line->last;
    *line->last = waiter;
    line->last = &waiter->next;
}

static inline void wh__line_leave(struct wh__line *line, struct wh__waiter *waiter)
{
    *waiter->link = waiter->next;
    if (waiter->next)
        waiter->next->link = waiter->link;
    else
        line->last = waiter->link;
}

/* Takes the first out and tells it that it has been granted what it waits for. Returns its bell, to be rung without the
 * lock. */
uint32_t *wh__line_grant(struct wh__line *line);
void wh__bell_ring(uint32_t *bell);

/* Until something has become of the waiter or of ctx. Afterwards, under the lock, it is seen what; it may be both. */
void wh__waiter_wait(const wh_ctx *ctx, struct wh__waiter *waiter);

#endif
