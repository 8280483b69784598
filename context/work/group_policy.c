/* What the end of a member means for the others. */
#include "group.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/errname.h"

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

/* The cancel as a link: where it went wrong, if a member below has said so, and what that was because of. `text` is for people
 * if it has not. What another process says has no place here. */
static struct wh__because *link_of(const struct wh__job *job, const struct wh_reason *reason, struct wh__because *noted, const char *text)
{
    struct wh__because_facts facts = {.kind = WH__BY_SIBLING, .place = job->site, .said = {.text = text}};
    if (noted && !noted->said.remote) {
        facts.said = noted->said;
        facts.place = noted->place;
        facts.made = noted->made;
        if (!facts.said.text || noted->kind != WH__BY_FAILURE) facts.said.text = text;
    }
    facts.said.reason = reason->name;
    struct wh__because *link = wh__because_new(&facts, wh__because_hold(noted));
    if (link != noted) return link;
    wh__because_put(link);
    return NULL;
}

/* Cancels the others because of one of them: the words are for people if nobody has noted any. */
static WH_PRINTF_(5, 6) void cancel_others(wh_group *group, const struct wh__job *job, const struct wh_reason *reason,
                                           struct wh__because *noted, const char *format, ...)
{
    char text[WH_TEXT_MAX + 1];
    wh__expire(group->ctx); /* if its time is up, and only the timer late, that is what ends it */
    if (wh_err(group->ctx)) return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct wh__because *link = link_of(job, reason, noted, text);
    wh__cancel(group->ctx, &(struct wh__verdict){.reason = reason, .site = job->site, .not_a_loser = true, .link = link});
}

static struct wh__because *nearest_of(const struct wh__notes *notes)
{
    return !notes ? NULL : notes->failure ? notes->failure : notes->others;
}

static bool has_failed(const wh_group *group)
{
    return wh__state(group->ctx) & WH__ORIGIN && group->ctx->reason == WH_SIBLING_FAILED;
}

static void count_losers(wh_group *group, uint32_t count, struct wh__loser first)
{
    if (!has_failed(group)) return;
    while (count-- > 0) wh__count_loser(group->ctx, WH_SIBLING_FAILED, first.site, first.at);
}

/* What failed meanwhile came second. */
static void have_cancelled(wh_group *group)
{
    wh__lock(&group->lock);
    const uint32_t early = group->early;
    const struct wh__loser earliest = group->earliest;
    group->cancelled = true;
    wh__unlock(&group->lock);
    count_losers(group, early, earliest);
}

static void be_suppressed(wh_group *group, struct wh__loser loser)
{
    wh__lock(&group->lock);
    const bool counts = group->cancelled;
    if (!counts && group->early++ == 0) group->earliest = loser;
    wh__unlock(&group->lock);
    if (counts) count_losers(group, 1, loser);
}

/* The first failure is the one that cancels, so that the cause and what waiting returns are of the same member. Later ones of
 * their own are counted with that cancel. */
void wh__group_failed(wh_group *group, const struct wh__job *job, const struct wh__notes *notes, int rc, bool is_own, const char *what)
{
    wh__lock(&group->lock);
    const bool first = wh__group_note(group, job, rc), second = !first && !job->optional && !group->closed && !group->won;
    wh__unlock(&group->lock);
    if (group->policy != WH_ALL) return;
    struct wh__because *noted = nearest_of(notes);
    if (first) {
        cancel_others(group, job, WH_SIBLING_FAILED, noted, "%.40s %s %s", job->name, what, wh__errno_name(rc));
        if (has_failed(group)) wh__because_settle(group->ctx, noted);
        have_cancelled(group);
    } else if (second && is_own) {
        be_suppressed(group, (struct wh__loser){noted && noted->place ? noted->place : job->site, wh__now()});
    }
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
