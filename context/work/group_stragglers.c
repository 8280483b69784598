/* Who of a group has not returned, and since when for nobody. */
#include "group.h"

/* Under the lock, which keeps its context. The news may still be on its way down from the group's; a member may be there an
 * instant after it, or for want of memory have been done from the start. */
static int64_t done_since(const struct wh__member *member)
{
    const wh_ctx *ctx = wh__state(member->ctx) >= WH_NOT_OPEN_ ? member->ctx : member->group->ctx;
    if (wh__state(ctx) < WH_NOT_OPEN_) return 0;
    const int64_t at = wh__origin(ctx)->at;
    return at > member->since ? at : member->since;
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
