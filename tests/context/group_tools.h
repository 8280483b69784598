/* What the tests of a group's limit share: its inside, members, and threads that ask for a place. */
#ifndef GROUP_TOOLS_H
#define GROUP_TOOLS_H

#include <errno.h>
#include <semaphore.h>

#include "group.h" /* into whose line it looks */
#include "tools.h"

static inline int succeed(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    if (arg) __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
    return 0;
}

/* Keeps its place until it may go. */
static inline int hold(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    sem_wait(arg);
    return 0;
}

static inline unsigned in_line(wh_group *group)
{
    unsigned count = 0;
    wh__lock(&group->lock);
    for (const struct wh__waiter *waiter = group->line.first; waiter; waiter = waiter->next) count++;
    wh__unlock(&group->lock);
    return count;
}

/* ---- threads that ask for a place ---- */

struct asker {
    pthread_t thread;
    wh_group *group;
    int (*fn)(const wh_ctx *ctx, void *arg);
    void *arg;
    int rc;
};

static inline void *ask(void *arg)
{
    struct asker *asker = arg;
    asker->rc = wh_go(asker->group, asker->fn, asker->arg);
    return NULL;
}

static inline void line_up(struct asker *asker, wh_group *group, int (*fn)(const wh_ctx *ctx, void *arg), void *arg)
{
    const unsigned before = in_line(group);
    *asker = (struct asker){.group = group, .fn = fn, .arg = arg, .rc = -1};
    asker->thread = start(ask, asker);
    EVENTUALLY(in_line(group) == before + 1);
}

static inline int answer_to(struct asker *asker)
{
    join(asker->thread);
    return asker->rc;
}

#endif
