/* What the waits have in common: how they ask, by which clock, and how they wait for a descriptor. */
#ifndef WAIT_WAIT_H
#define WAIT_WAIT_H

#include <pthread.h>
#include <whence/wait.h>

#include "base/clock.h"
#include "context/clock.h"
#include "context/tree.h"

/* How long a wait goes on without asking where nobody can wake it. */
#define WH__SLICE WH_MS(5)

/* When, by the system's clock, who waits until `until` has to ask again: at the deadline, since the timers may be late or
 * have no thread. */
static inline int64_t wh__asks_by(const wh_ctx *ctx, int64_t until)
{
    const wh_ctx *node = wh__live(ctx);
    const int64_t deadline = !node ? WH_NEVER : node->flags & WH__CLOCKED ? wh__look_by(node) : node->deadline;
    return deadline < until ? deadline : until;
}

/* What wh_wait(ctx, 0) says, without looking at the clock more than once while nothing is wrong. */
static inline int wh__ask(const wh_ctx *ctx)
{
    const wh_ctx *node = wh__live(ctx);
    const int err = wh_err(node);
    const int64_t by = wh__asks_by(node, WH_NEVER);
    return err || by == WH_NEVER || wh__now() < by ? err : wh_wait(node, 0);
}

/* Until fd has one of these events, or an error to tell: 0; wh_err(ctx), also if both are there; an error of poll(). */
int wh__await(const wh_ctx *ctx, int fd, short events);

/* Until an instant of the system's clock: 0, or wh_err(ctx). */
int wh__nap_until(const wh_ctx *ctx, int64_t until);

/* Around calls that produce something: there pthread_cancel() must not end the thread. */
static inline int wh__stay_whole(void)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void wh__stay_whole_over(int before)
{
    pthread_setcancelstate(before, &before);
}

#endif
