/* The members of a group: each on a thread of its own, under a context of its own. */
#include "group.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "context/live.h"

_Thread_local struct wh__member *wh__works_as;

/* ---- who there is ---- */

void wh__member_list(wh_group *group, struct wh__member *member)
{
    member->next = NULL;
    member->link = group->last;
    *group->last = member;
    group->last = &member->next;
}

void wh__member_unlist(wh_group *group, struct wh__member *member)
{
    *member->link = member->next;
    if (member->next)
        member->next->link = member->link;
    else
        group->last = member->link;
}

/* Under the lock: it has returned, and its thread is known. */
static void let_go(wh_group *group, struct wh__member *member)
{
    wh__member_unlist(group, member);
    member->next = group->gone;
    group->gone = member;
}

static struct wh__member *next_gone(wh_group *group)
{
    wh__lock(&group->lock);
    struct wh__member *member = group->gone;
    if (member) group->gone = member->next;
    wh__unlock(&group->lock);
    return member;
}

/* Their threads are at their very end, so this does not wait for long; and it is not to be left half-way. */
bool wh__group_join(wh_group *group)
{
    int state;
    bool any = false;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    for (struct wh__member *member; (member = next_gone(group)); any = true) {
        pthread_join(member->thread, NULL);
        wh__member_free(member);
    }
    pthread_setcancelstate(state, &state);
    return any;
}

/* Nobody can note anything with it any more. */
void wh__member_free(struct wh__member *member)
{
    wh__notes_clear(&member->notes);
    wh__mem_free(member);
}

/* ---- its thread ---- */

void wh__member_close_notes(wh_ctx *ctx)
{
    if (!(ctx->flags & WH__MEMBER)) return;
    wh__lock(&ctx->state);
    ctx->extra->member = NULL;
    wh__unlock(&ctx->state);
}

/* Ends its context. Who lists stragglers looks at it under the lock. */
static void end_ctx(struct wh__member *member)
{
    wh_ctx *ctx = member->ctx;
    wh__member_close_notes(ctx);
    wh__lock(&member->group->lock);
    member->ctx = NULL;
    wh__unlock(&member->group->lock);
    wh_end(ctx);
}

static bool is_own_failure(const struct wh__member *member)
{
    return member->notes.failure || member->rc != wh_err(member->ctx);
}

/* Also when the member has left its thread by pthread_exit() or was cancelled in it. */
static void finish(void *arg)
{
    struct wh__member *member = arg;
    wh_group *group = member->group;
    wh__member_close_notes(member->ctx);
    if (member->rc)
        wh__group_failed(group, &member->job, &member->notes, member->rc, is_own_failure(member), member->left ? "left its thread:" : "returned");
    else
        wh__group_succeeded(group, &member->job);
    end_ctx(member);
    wh__lock(&group->lock);
    member->returned = true;
    if (member->started) let_go(group, member);
    if (group->running == 1) wh__live_stopped(group->ctx, WH_STOP_GROUP);
    wh__place_give_and_unlock(group);
}

static void *work(void *arg)
{
    struct wh__member *member = arg;
    wh__works_as = member;
    member->rc = ECANCELED;
    member->left = true;
    pthread_cleanup_push(finish, member);
    member->rc = member->job.fn(member->ctx, member->job.arg);
    member->left = false;
    pthread_cleanup_pop(1);
    return NULL;
}

/* ---- starting ---- */

static wh_ctx *member_ctx(wh_group *group, struct wh__member *member)
{
    wh_ctx *ctx = wh__node_new(group->ctx, WH__128, WH__MEMBER, WH_NEVER, 0, member->job.site);
    if (!ctx || !wh__extra_of(ctx, true)) {
        if (ctx) wh__slab_put(ctx);
        return wh__no_memory();
    }
    ctx->extra->member = &member->notes;
    return wh__node_enter(ctx, 0);
}

/* There is no thread for it, or no memory. */
static int come_to_nothing(wh_group *group, const struct wh__job *job, int rc)
{
    if (!(job->tries && rc == EAGAIN)) wh__group_failed(group, job, NULL, rc, true, "could not be started:");
    wh__lock(&group->lock);
    wh__place_give_and_unlock(group);
    return rc;
}

static int start(wh_group *group, struct wh__member *member)
{
    wh__lock(&group->lock);
    wh__member_list(group, member);
    wh__unlock(&group->lock);
    const int rc = pthread_create(&member->thread, NULL, work, member);
    wh__lock(&group->lock);
    member->started = rc == 0;
    if (rc)
        wh__member_unlist(group, member);
    else if (member->returned)
        let_go(group, member);
    wh__unlock(&group->lock);
    if (rc == 0) return 0;
    const struct wh__job job = member->job;
    end_ctx(member);
    wh__member_free(member);
    return come_to_nothing(group, &job, rc);
}

/* Done, closed, or without hope of a place: that counts as a failure of the group unless waiting is over. */
static int refuse(wh_group *group, const struct wh__job *job, int err)
{
    wh__lock(&group->lock);
    const bool closed = group->closed;
    wh__unlock(&group->lock);
    if (closed) return ECANCELED;
    wh__group_failed(group, job, NULL, err, false, "could not be started:");
    return err;
}

static int go(wh_group *group, const struct wh__job *job)
{
    if (!group->ctx) return ENOMEM;
    wh__group_adopt(group);
    int err = wh_wait(group->ctx, 0);
    if (!err) err = wh__place_take(group, job->tries);
    if (err) return err == EAGAIN ? EAGAIN : refuse(group, job, err);
    wh__group_join(group);
    struct wh__member *member = wh__mem_zero(sizeof *member);
    if (!member) return come_to_nothing(group, job, ENOMEM);
    *member = (struct wh__member){.group = group, .job = *job, .since = wh__now()};
    member->ctx = member_ctx(group, member);
    return start(group, member);
}

int wh_go_at(wh_group *group, int (*fn)(const wh_ctx *ctx, void *arg), void *arg, const char *name, const struct wh_site *site)
{
    return go(group, &(struct wh__job){.fn = fn, .arg = arg, .name = name, .site = site});
}

int wh_go_optional_at(wh_group *group, int (*fn)(const wh_ctx *ctx, void *arg), void *arg, const char *name,
                      const struct wh_site *site)
{
    return go(group, &(struct wh__job){.fn = fn, .arg = arg, .name = name, .site = site, .optional = true});
}

int wh_try_go_at(wh_group *group, int (*fn)(const wh_ctx *ctx, void *arg), void *arg, const char *name,
                 const struct wh_site *site)
{
    return go(group, &(struct wh__job){.fn = fn, .arg = arg, .name = name, .site = site, .tries = true});
}
