/* What the end of a member means for the others. */
#include "group.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/errname.h"

void wh__note_failure(const wh_ctx *ctx, const struct wh__failure *failure)
{
    while (ctx && !(ctx->flags & WH__MEMBER)) ctx = ctx->parent;
    if (!ctx) return;
    wh_ctx *node = (wh_ctx *)ctx;
    wh__lock(&node->state);
    struct wh__failure *note = node->extra->member;
    if (note && !note->noted) *note = *failure;
    wh__unlock(&node->state);
}

/* A failure after the end or after a victory is nobody's. */
bool wh__group_note(wh_group *group, const struct wh__job *job, int rc)
{
    if (group->closed || group->won) return false;
    if (group->failed < WH_FAILURES_KEPT)
        group->failures[group->failed] = (struct wh_member_failure){.name = job->name, .site = job->site, .rc = rc,
            .optional = job->optional, .at = wh__now()};
    group->failed++;
    if (job->optional || group->failure) return false;
    group->failure = rc;
    return true;
}

/* Cancels the others because of one of them: `noted` says where it went wrong, if it did and has said so; the words are for
 * people if it has not. */
static WH_PRINTF_(5, 6) void cancel_others(wh_group *group, const struct wh__job *job, const struct wh_reason *reason,
                                           const struct wh__failure *noted, const char *format, ...)
{
    wh__expire(group->ctx); /* if its time is up, and only the timer late, that is what ends it */
    if (wh_err(group->ctx)) return;
    struct wh__failure *culprit = wh__slab_get(WH__512);
    if (culprit) {
        *culprit = noted ? *noted : (struct wh__failure){0};
        if (!culprit->noted) culprit->site = job->site;
        va_list args;
        va_start(args, format);
        if (!culprit->text[0]) vsnprintf(culprit->text, sizeof culprit->text, format, args);
        va_end(args);
    }
    wh__cancel(group->ctx, &(struct wh__verdict){.reason = reason, .site = job->site, .not_a_loser = true, .culprit = culprit});
}

/* The first failure is the one that cancels, so that the cause and what waiting returns are of the same member. */
void wh__group_failed(wh_group *group, const struct wh__job *job, const struct wh__failure *noted, int rc, const char *what)
{
    wh__lock(&group->lock);
    const bool first = wh__group_note(group, job, rc);
    wh__unlock(&group->lock);
    if (first && group->policy == WH_ALL)
        cancel_others(group, job, WH_SIBLING_FAILED, noted, "%.40s %s %s", job->name, what, wh__errno_name(rc));
}

void wh__group_succeeded(wh_group *group, const struct wh__job *job)
{
    if (group->policy != WH_FIRST_SUCCESS) return;
    wh__lock(&group->lock);
    const bool first = !group->won;
    group->won = true;
    wh__unlock(&group->lock);
    if (first) cancel_others(group, job, WH_RACE_LOST, NULL, "%.40s was first", job->name);
}

size_t wh_group_failures(wh_group *group, struct wh_member_failure *list, size_t max)
{
    if (!group->ctx) return 0;
    wh__group_adopt(group);
    wh__lock(&group->lock);
    const size_t failed = group->failed;
    for (size_t i = 0; i < max && i < failed && i < WH_FAILURES_KEPT; i++) list[i] = group->failures[i];
    wh__unlock(&group->lock);
    return failed;
}
