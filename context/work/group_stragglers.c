/* Who of a group has not returned, and since when for nobody. */
#include "group.h"

/* Of a context that is done; under the lock, which keeps it. Out of memory it was done from the start. */
static int64_t done_since(const struct wh__member *member)
{
    if (wh__state(member->ctx) < WH_NOT_OPEN_) return 0;
    const int64_t at = wh__origin(member->ctx)->at;
    return at ? at : member->since;
}

size_t wh_group_stragglers(wh_group *group, struct wh_straggler *list, size_t max)
{
    if (!group->ctx) return 0;
    wh__group_adopt(group);
    wh_wait(group->ctx, 0); /* the timer may be late */
    size_t count = 0;
    wh__lock(&group->lock);
    for (const struct wh__member *member = group->members; member; member = member->next) {
        if (!member->ctx) continue; /* it has returned, or as good as */
        if (count < max)
            list[count] = (struct wh_straggler){.name = member->job.name, .site = member->job.site, .since = member->since,
                .done = done_since(member)};
        count++;
    }
    wh__unlock(&group->lock);
    return count;
}
