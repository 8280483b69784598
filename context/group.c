/* Groups: members on threads of their own under one context; the first failure cancels the rest. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/errname.h"
#include "base/mem.h"
#include "base/park.h"
#include "context/tree.h"

struct member {
    wh_group *group;
    wh_ctx *ctx;
    int (*fn)(const wh_ctx *ctx, void *arg);
    void *arg;
    const char *name;
    const struct wh_site *site;
    pthread_t thread;
    bool started, returned;  /* [lock]: `thread` is set; fn has returned */
    bool left;               /* fn has not returned, and will not: its thread has ended; its own, as rc */
    int rc;
    uint32_t forks;          /* wh__forks when it started: another number, and its thread is in the parent process */
    struct wh__failure failure;
    struct member *next;     /* [lock] */
};

struct wh_group {
    wh_ctx *ctx;
    uint32_t lock;
    uint32_t running;        /* [lock]; waited for with wh__park() */
    bool closed;             /* [lock] takes no more members */
    int failure;             /* [lock] the first */
    struct member *members;  /* [lock] started and not joined */
};

/* What wh_group_new() gives out when there is no memory for one. */
static wh_group no_group = {.closed = true, .failure = ENOMEM};

wh_group *wh_group_new_at(const struct wh_group_opts *opts)
{
    wh_group *group = wh__mem_zero(sizeof *group);
    wh_ctx *ctx = wh_with_cancel_at(opts->parent, opts->site);
    if (!group || ctx == wh__no_memory() || !wh__extra_of(ctx, true)) {
        wh__mem_free(group);
        wh_end(ctx);
        return &no_group;
    }
    group->ctx = ctx;
    return group;
}

const wh_ctx *wh_group_ctx(const wh_group *group)
{
    return group->ctx ? group->ctx : wh__no_memory();
}

/* ---- failing ---- */

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

/* Nobody may note anything from here on: the member's memory goes. */
static void close_note(wh_ctx *ctx)
{
    if (!(ctx->flags & WH__MEMBER)) return;
    wh__lock(&ctx->state);
    ctx->extra->member = NULL;
    wh__unlock(&ctx->state);
}

/* The first failure is the one that cancels, so that the cause and what waiting returns are of the same member. */
static void fail(wh_group *group, const struct member *member, int rc, const char *what)
{
    wh__lock(&group->lock);
    const bool first = group->failure == 0;
    if (first) group->failure = rc;
    wh__unlock(&group->lock);
    if (!first) return;
    wh__expire(group->ctx); /* if its time is up, and only the timer late, that is what ends it */
    struct wh__failure *culprit = wh__slab_get(WH__512);
    if (culprit) {
        *culprit = member->failure;
        if (!culprit->noted) culprit->site = member->site;
        if (!culprit->text[0])
            snprintf(culprit->text, sizeof culprit->text, "%.40s %s %s", member->name, what, wh__errno_name(rc));
    }
    wh__cancel(group->ctx, &(struct wh__verdict){.reason = WH_SIBLING_FAILED, .site = member->site, .not_a_loser = true,
                               .culprit = culprit});
}

/* ---- members ---- */

/* Under the lock. Who waits looks at the number without it. */
static uint32_t one_less(wh_group *group)
{
    const uint32_t left = group->running - 1;
    __atomic_store_n(&group->running, left, __ATOMIC_RELEASE);
    return left;
}

/* The group that this thread is a member of. */
static _Thread_local const wh_group *works_for;

/* Also when the member has left its thread by pthread_exit() or was cancelled in it. */
static void finish(void *arg)
{
    struct member *member = arg;
    wh_group *group = member->group;
    close_note(member->ctx);
    if (member->rc) fail(group, member, member->rc, member->left ? "left its thread:" : "returned");
    wh_end(member->ctx);
    wh__lock(&group->lock);
    member->returned = true;
    const uint32_t left = one_less(group);
    wh__unlock(&group->lock);
    if (left == 0) wh__unpark(&group->running);
}

static void *work(void *arg)
{
    struct member *member = arg;
    works_for = member->group;
    member->rc = ECANCELED;
    member->left = true;
    pthread_cleanup_push(finish, member);
    member->rc = member->fn(member->ctx, member->arg);
    member->left = false;
    pthread_cleanup_pop(1);
    return NULL;
}

/* In the child of a fork the members that were running are not there and will not return. */
static bool is_lost(const struct member *member)
{
    return member->forks != wh__forks;
}

static struct member *next_returned(wh_group *group)
{
    wh__lock(&group->lock);
    struct member **slot = &group->members;
    while (*slot && !is_lost(*slot) && !((*slot)->started && (*slot)->returned)) slot = &(*slot)->next;
    struct member *member = *slot;
    if (member) *slot = member->next;
    if (member && !member->returned) {
        one_less(group);
        if (group->failure == 0) group->failure = ECANCELED;
    }
    wh__unlock(&group->lock);
    return member;
}

/* Their threads are at their very end, so this does not wait for long; and it is not to be left half-way. */
static void join_returned(wh_group *group)
{
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    for (struct member *member; (member = next_returned(group));) {
        if (!is_lost(member)) pthread_join(member->thread, NULL);
        wh__mem_free(member);
    }
    pthread_setcancelstate(state, &state);
}

static wh_ctx *member_ctx(wh_group *group, struct member *member)
{
    wh_ctx *ctx = wh__node_new(group->ctx, WH__128, WH__MEMBER, WH_NEVER, 0, member->site);
    if (!ctx || !wh__extra_of(ctx, true)) {
        if (ctx) wh__slab_put(ctx);
        return wh__no_memory();
    }
    ctx->extra->member = &member->failure;
    return wh__node_enter(ctx, 0);
}

/* False: waiting is over, it comes too late. */
static bool enlist(wh_group *group, struct member *member)
{
    wh__lock(&group->lock);
    const bool open = !group->closed;
    if (open) {
        member->next = group->members;
        group->members = member;
        __atomic_store_n(&group->running, group->running + 1, __ATOMIC_RELAXED);
    }
    wh__unlock(&group->lock);
    return open;
}

static void strike_off(wh_group *group, struct member *member)
{
    wh__lock(&group->lock);
    struct member **slot = &group->members;
    while (*slot != member) slot = &(*slot)->next;
    *slot = member->next;
    const uint32_t left = one_less(group);
    wh__unlock(&group->lock);
    if (left == 0) wh__unpark(&group->running);
}

static int start(wh_group *group, struct member *member)
{
    if (!enlist(group, member)) {
        close_note(member->ctx);
        wh_end(member->ctx);
        wh__mem_free(member);
        return ECANCELED;
    }
    const int rc = pthread_create(&member->thread, NULL, work, member);
    if (rc) {
        close_note(member->ctx);
        wh_end(member->ctx);
        fail(group, member, rc, "could not be started:");
        strike_off(group, member);
        wh__mem_free(member);
        return rc;
    }
    wh__lock(&group->lock);
    member->started = true;
    wh__unlock(&group->lock);
    return 0;
}

/* Done or closed: then no member starts, and that counts as a failure of the group unless waiting is over. */
static int refuse(wh_group *group)
{
    const int err = wh_err(group->ctx);
    wh__lock(&group->lock);
    const bool closed = group->closed;
    if (err && !closed && group->failure == 0) group->failure = err;
    wh__unlock(&group->lock);
    return closed ? ECANCELED : err;
}

int wh_go_at(wh_group *group, int (*fn)(const wh_ctx *ctx, void *arg), void *arg, const char *name,
             const struct wh_site *site)
{
    if (group == &no_group) return ENOMEM;
    const int refused = refuse(group);
    if (refused) return refused;
    join_returned(group);
    struct member out_of_memory = {.name = name, .site = site};
    struct member *member = wh__mem_zero(sizeof *member);
    if (!member) {
        fail(group, &out_of_memory, ENOMEM, "could not be started:");
        return ENOMEM;
    }
    *member = (struct member){.group = group, .fn = fn, .arg = arg, .name = name, .site = site, .forks = wh__forks};
    member->ctx = member_ctx(group, member);
    return start(group, member);
}

/* ---- waiting ---- */

static bool all_joined(wh_group *group)
{
    wh__lock(&group->lock);
    const bool none = group->members == NULL;
    if (none) group->closed = true;
    wh__unlock(&group->lock);
    return none;
}

int wh_group_wait(wh_group *group)
{
    if (group == &no_group) return ENOMEM;
    if (works_for == group) return EDEADLK;
    for (unsigned round = 0; !all_joined(group);) {
        const uint32_t running = __atomic_load_n(&group->running, __ATOMIC_ACQUIRE);
        join_returned(group);
        if (running)
            wh__park(&group->running, running, WH_NEVER);
        else
            wh__back_off(round++); /* its thread is being started, or has just returned */
    }
    wh__cancel(group->ctx, &(struct wh__verdict){.reason = WH_GROUP_DONE, .site = group->ctx->made, .not_a_loser = true});
    return group->failure;
}

void wh_group_free(wh_group *group)
{
    if (!group || group == &no_group) return;
    wh__cancel(group->ctx, &(struct wh__verdict){.reason = WH_ENDED, .site = group->ctx->made, .not_a_loser = true});
    if (works_for == group) return; /* a member cannot wait for itself: whoever made the group frees it */
    wh_group_wait(group);
    wh_end(group->ctx);
    wh__mem_free(group);
}
