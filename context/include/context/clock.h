/* Clocks of one's own, by which the deadlines below some contexts go. Such nodes have WH__CLOCKED; the clock stands in the
 * nearest node above with WH__CLOCK. Everyone else's time is that of wh__now(). */
#ifndef CONTEXT_CLOCK_H
#define CONTEXT_CLOCK_H

#include <whence/test.h>

#include "base/clock.h"
#include "context/node.h"

/* The clock by which ctx goes; NULL: the system's. */
wh_clock *wh__clock_of(const wh_ctx *ctx);

/* In node->timer: in the upper half an index into the clock's timers, and below what no place in a wheel has (timer.c). */
#define WH__ON_CLOCK UINT64_C(2)

bool wh__clock_arm(wh_ctx *node);    /* false without memory */
void wh__clock_disarm(wh_ctx *node);
void wh__clock_let_go(wh_ctx *node); /* the node, with WH__CLOCK, goes */

/* Counts up when the time has changed, or a node is done that somebody sleeps for. */
const uint32_t *wh__clock_bell(const wh_clock *clock);
void wh__clock_ring(wh_clock *clock);

/* The time that counts for what is derived from ctx: what wh__node_new() is to be given. */
static inline int64_t wh__now_for(const wh_ctx *ctx)
{
    return ctx && ctx->flags & WH__CLOCKED ? wh_clock_now(wh__clock_of(ctx)) : wh__now();
}

/* The instant by which who waits for a live node must look at it itself: of the system's clock, the only one that may be
 * late. */
int64_t wh__look_by(const wh_ctx *node);

#endif
