/* The limit of a group: how many members run at a time, and who waits to start one. */
#include "group.h"

#include <errno.h>

#include "base/park.h"

/* All of these under the lock. */
static bool has_place(const wh_group *group)
{
    return group->limit < 0 || group->running < (uint32_t)group->limit;
}

/* Who waits for the group looks at the number without the lock. */
static void count(wh_group *group, uint32_t running)
{
    __atomic_store_n(&group->running, running, __ATOMIC_RELEASE);
}

/* A member would wait in vain if all of them did: nobody would be left to return and make room. */
static bool would_be_the_last(const wh_group *group, bool is_kin)
{
    return is_kin && group->kin + 1 >= group->running;
}

/* 0: the place is taken; EAGAIN: the waiter stands in the line, unless it only tries; or there will be none. */
static int take_or_line_up(wh_group *group, struct wh__waiter *waiter, bool tries)
{
    if (group->closed) return ECANCELED;
    if (!group->line.first && has_place(group)) {
        count(group, group->running + 1);
        return 0;
    }
    if (tries) return EAGAIN;
    if (would_be_the_last(group, waiter->weight)) return EDEADLK;
    group->kin += waiter->weight;
    wh__line_enter(&group->line, waiter);
    return EAGAIN;
}

/* Gives a place to the next in the line. One is free at a time: the limit does not change while somebody waits. */
void wh__place_give_and_unlock(wh_group *group)
{
    uint32_t *bell = NULL, left = group->running - 1;
    count(group, left);
    if (group->line.first && has_place(group)) {
        group->kin -= group->line.first->weight;
        count(group, ++left);
        bell = wh__line_grant(&group->line);
    }
    wh__unlock(&group->lock);
    if (bell) wh__bell_ring(bell);
    if (left == 0) wh__unpark(&group->running);
}

/* A context that is done has the last word, also over a place that came at that very moment. */
int wh__place_take(wh_group *group, bool tries)
{
    struct wh__waiter waiter = {.weight = wh__works_for(group)};
    wh__lock(&group->lock);
    const int rc = take_or_line_up(group, &waiter, tries);
    wh__unlock(&group->lock);
    if (rc != EAGAIN || tries) return rc;

    wh__waiter_wait(group->ctx, &waiter);
    const int err = wh_wait(group->ctx, 0);
    wh__lock(&group->lock);
    if (waiter.granted && err) {
        wh__place_give_and_unlock(group);
        return err;
    }
    if (!waiter.granted) {
        group->kin -= waiter.weight;
        wh__line_leave(&group->line, &waiter);
    }
    wh__unlock(&group->lock);
    return err;
}

int wh_group_limit(wh_group *group, int limit)
{
    if (!group->ctx) return ENOMEM;
    wh__group_adopt(group);
    wh__lock(&group->lock);
    const bool busy = group->running || group->line.first;
    if (!busy) group->limit = limit;
    wh__unlock(&group->lock);
    return busy ? EBUSY : 0;
}
