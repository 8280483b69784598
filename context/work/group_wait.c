/* Waiting until every member of a group has returned. */
#include "group.h"

#include <errno.h>

#include "base/clock.h"
#include "base/park.h"
#include "context/clock.h"

/* Where nobody may start, whoever waits for a place is not waited for. */
static bool close_if_empty(wh_group *group)
{
    wh__lock(&group->lock);
    const bool empty = group->running == 0 && !group->members && !group->gone;
    if (empty) group->closed = true;
    wh__unlock(&group->lock);
    return empty;
}

/* Nobody rings who moves a clock of the group's own: that is looked at now and then. */
static int64_t look_by(const wh_group *group, int64_t instant)
{
    return instant != WH_NEVER && group->ctx->flags & WH__CLOCKED ? wh__now() + WH_MS(2) : instant;
}

static bool wait_until_empty(wh_group *group, int64_t instant)
{
    for (unsigned round = 0; !close_if_empty(group);) {
        const uint32_t running = __atomic_load_n(&group->running, __ATOMIC_ACQUIRE);
        if (wh__group_join(group)) continue;
        if (instant != WH_NEVER && wh__now_for(group->ctx) >= instant) return false;
        if (running)
            wh__park(&group->running, running, look_by(group, instant));
        else
            wh__back_off(round++); /* its thread is being started */
    }
    return true;
}

int wh_group_wait_until(wh_group *group, int64_t instant)
{
    if (!group->ctx) return ENOMEM;
    if (wh__works_for(group)) return EDEADLK;
    wh__group_adopt(group);
    if (!wait_until_empty(group, instant)) return ETIMEDOUT;
    wh__cancel(group->ctx, &(struct wh__verdict){.reason = WH_GROUP_DONE, .site = group->ctx->made, .not_a_loser = true});
    return group->won ? 0 : group->failure; /* fixed since it was closed */
}

int wh_group_wait(wh_group *group)
{
    return wh_group_wait_until(group, WH_NEVER);
}
