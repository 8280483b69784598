/* Deadlines for who looks at the clock without waiting for the timers. */
#include "base/clock.h"
#include "context/clock.h"
#include "context/merge.h"
#include "context/tree.h"

/* A clock of one's own is never late. */
static wh_ctx *nearest_by_the_system(wh_ctx *node)
{
    while (node && node->flags & WH__CLOCKED) node = wh__live_parent(node);
    return node;
}

int64_t wh__look_by(const wh_ctx *node)
{
    node = nearest_by_the_system((wh_ctx *)node);
    return node ? node->deadline : WH_NEVER;
}

/* The deadline belongs to the highest node that has it: there it fires, and everything below is done with it. */
void wh__expire(wh_ctx *node)
{
    node = nearest_by_the_system(node);
    if (!node || node->deadline > wh__now()) return;
    while (!(node->flags & WH__TIMED)) {
        wh_ctx *above = node->flags & WH__MERGED ? wh__deadline_source(node) : wh__live_parent(node);
        if (!above) break;
        node = above;
    }
    wh__cancel(node, &(struct wh__verdict){.reason = WH_DEADLINE_EXCEEDED, .site = node->made, .not_a_loser = true});
}
