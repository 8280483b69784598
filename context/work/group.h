/* A group and its members, for the files that share them.
 *
 *   group.c             made, freed, and found again after a fork()
 *   group_members.c     how members start and return
 *   group_places.c      the limit, and who waits for a place
 *   group_policy.c      what the end of a member means for the others
 *   group_wait.c        waiting for all of them
 *   group_stragglers.c  who has not returned
 */
#ifndef CONTEXT_WORK_GROUP_H
#define CONTEXT_WORK_GROUP_H

#include <pthread.h>
#include <whence/work.h>

#include "context/because.h"
#include "context/tree.h"
#include "line.h"

/* What was asked for. */
struct wh__job {
    int (*fn)(const wh_ctx *ctx, void *arg);
    void *arg;
    const char *name;
    const struct wh_site *site;
    bool optional;
    bool tries;              /* wh_try_go() */
};

struct wh__member {
    wh_group *group;
    struct wh__job job;
    int64_t since;
    wh_ctx *ctx;             /* [lock] NULL once it is about to be ended */
    pthread_t thread;
    bool started, returned;  /* [lock] `thread` is set; fn has returned */
    bool left;               /* fn has not returned, and will not: its thread has ended; its own, as rc */
    int rc;
    struct wh__notes notes;  /* what those below have noted */
    struct wh__member *next, **link; /* [lock] */
};

struct wh_group {
    wh_ctx *ctx;             /* NULL: it is the one that is given out when there is no memory for another */
    enum wh_policy policy;
    uint32_t lock;
    uint32_t forks;          /* wh__forks when the members were last known to be of this process; changes under the lock */
    uint32_t running;        /* [lock] members, and places kept for those that are about to start; waited for with wh__park() */
    int limit;               /* [lock] of `running`; less than 0: none */
    uint32_t kin;            /* [lock] how many of the members stand in the line */
    struct wh__line line;    /* [lock] for a place; the weight of a member is 1, of others 0 */
    bool closed;             /* [lock] takes no more members */
    bool won;                /* [lock] WH_FIRST_SUCCESS: somebody has; from then on no failure matters */
    int failure;             /* [lock] the first */
    bool cancelled;          /* [lock] because of that; what fails from now on is suppressed, and counted with the cancel; */
    uint32_t early;          /* [lock] what did so before, but after the first, is counted then: how many; */
    struct wh__loser { const struct wh_site *site; int64_t at; } earliest; /* [lock] the first of them */
    struct wh__member *members, **last; /* [lock] the oldest first: not returned, or their thread not known yet */
    struct wh__member *gone; /* [lock] to be joined */
    size_t failed;           /* [lock] all, of which the first are kept: */
    struct wh_member_failure failures[WH_FAILURES_KEPT];
};

/* The member that this thread is. */
extern _Thread_local struct wh__member *wh__works_as;

static inline bool wh__works_for(const wh_group *group)
{
    return wh__works_as && wh__works_as->group == group;
}

/* In the child of a fork(): takes the group over, without the members that stayed in the parent. */
void wh__group_adopt(wh_group *group);

/* ---- places; under the lock, but for the first ---- */

/* Takes a place, or waits for one; 0, or why there is none. While it is kept the group is not closed. */
int wh__place_take(wh_group *group, bool tries);
void wh__place_give_and_unlock(wh_group *group);

/* ---- members ---- */
void wh__member_list(wh_group *group, struct wh__member *member);   /* under the lock */
void wh__member_unlist(wh_group *group, struct wh__member *member); /* under the lock */
void wh__member_close_notes(wh_ctx *ctx); /* nobody may note anything from here on */
void wh__member_free(struct wh__member *member);
bool wh__group_join(wh_group *group);    /* those that have returned; whether there were any */

/* ---- policy ---- */

/* Under the lock: lists a failure. Returns whether it is the group's. */
bool wh__group_note(wh_group *group, const struct wh__job *job, int rc);

/* `is_own`: not what a member returns for no other reason than that its context is done. `what`: it has done, for people. */
void wh__group_failed(wh_group *group, const struct wh__job *job, const struct wh__notes *notes, int rc, bool is_own, const char *what);
void wh__group_succeeded(wh_group *group, const struct wh__job *job);

#endif
