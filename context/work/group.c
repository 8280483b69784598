/* Groups: members on threads of their own under one context. */
#include "group.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

/* What wh_group_new() gives out when there is no memory for one. */
static wh_group no_group = {.closed = true, .failure = ENOMEM};

wh_group *wh_group_new_at(const struct wh_group_opts *given)
{
    struct wh_group_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    wh_group *group = wh__mem_zero(sizeof *group);
    wh_ctx *ctx = wh_with_cancel_at(opts.parent, opts.site);
    if (!group || ctx == wh__no_memory() || !wh__extra_of(ctx, true)) {
        wh__mem_free(group);
        wh_end(ctx);
        return &no_group;
    }
    group->ctx = ctx;
    group->policy = (enum wh_policy)opts.policy;
    group->forks = wh__forks;
    group->limit = -1;
    group->last = &group->members;
    wh__line_clear(&group->line);
    return group;
}

const wh_ctx *wh_group_ctx(const wh_group *group)
{
    return group->ctx ? group->ctx : wh__no_memory();
}

void wh_group_free(wh_group *group)
{
    if (!group || !group->ctx) return;
    wh__cancel(group->ctx, &(struct wh__verdict){.reason = WH_ENDED, .site = group->ctx->made, .not_a_loser = true});
    if (wh__works_for(group)) return; /* a member cannot wait for itself: whoever made the group frees it */
    wh_group_wait(group);
    wh_end(group->ctx);
    wh__mem_free(group);
}

/* ---- after a fork ---- */

/* Under the lock. Those that were running will not return, those that had returned cannot be joined; the others' places and
 * whoever stood in the line are not there either. The forking thread may be a member: then it is the one that stays. */
static struct wh__member *take_lost(wh_group *group)
{
    struct wh__member *lost = group->gone, *next = group->members;
    group->gone = NULL;
    group->members = NULL;
    group->last = &group->members;
    wh__line_clear(&group->line);
    group->kin = 0;
    uint32_t running = 0;
    for (struct wh__member *member; (member = next);) {
        next = member->next;
        if (member == wh__works_as) {
            wh__member_list(group, member);
            running++;
            continue;
        }
        if (!member->returned) wh__group_note(group, &member->job, ECANCELED);
        member->next = lost;
        lost = member;
    }
    __atomic_store_n(&group->running, running, __ATOMIC_RELEASE);
    return lost;
}

static __attribute__((noinline)) void adopt(wh_group *group)
{
    struct wh__member *lost = NULL;
    wh__lock(&group->lock);
    if (group->forks != wh__forks) {
        lost = take_lost(group);
        __atomic_store_n(&group->forks, wh__forks, __ATOMIC_RELAXED);
    }
    wh__unlock(&group->lock);
    for (struct wh__member *member; (member = lost);) {
        lost = member->next;
        if (member->ctx) wh__member_close_notes(member->ctx);
        wh__member_free(member);
    }
}

void wh__group_adopt(wh_group *group)
{
    if (wh__unlikely(__atomic_load_n(&group->forks, __ATOMIC_RELAXED) != wh__forks)) adopt(group);
}
