/* The fan-out: three backends with a slow tail, asked at the same time, behind one deadline or none. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "experiment.h"

struct caller {
    const struct plan *plan;
    const uint16_t *ports;
    bool with;
    struct shared *shared;
    atomic_int *next;
};

struct call {
    uint16_t port;
    bool answered;
};

static int one(const wh_ctx *ctx, void *arg)
{
    struct call *call = arg;
    char answer[64];
    const int fd = connect_to(call->port);
    const int rc = fd < 0 ? EIO : ask(ctx, fd, (struct question){ANY_DELAY, sizeof answer}, answer);
    if (fd >= 0) close(fd);
    call->answered = rc == 0;
    return rc;
}

static bool all_three(const struct caller *caller)
{
    struct call calls[PARTS];
    int answers = 0;
    WH_AUTO wh_ctx *limited = wh_with_timeout(NULL, caller->plan->deadline);
    const wh_ctx *ctx = caller->with ? limited : wh_background(); /* with or without: all the difference there is */
    WH_AUTO_GROUP wh_group *group = wh_group_new(ctx);
    for (int i = 0; i < PARTS; i++) {
        calls[i] = (struct call){.port = caller->ports[i]};
        wh_go(group, one, &calls[i]);
    }
    wh_group_wait(group); /* ETIMEDOUT: what has come by then is there, and is used */
    for (int i = 0; i < PARTS; i++) answers += calls[i].answered;
    return answers == PARTS;
}

static int caller(const wh_ctx *ctx, void *arg)
{
    const struct caller *self = arg;
    (void)ctx;
    for (int i; (i = atomic_fetch_add(self->next, 1)) < self->plan->asks;) {
        const int64_t began = wh_now();
        if (all_three(self)) atomic_fetch_add(&self->shared->complete, 1);
        atomic_store(&self->shared->took[i], wh_now() - began);
    }
    return 0;
}

void fan_out(const uint16_t *ports, const struct plan *plan, bool with, struct shared *shared)
{
    atomic_int next = 0;
    struct caller self = {plan, ports, with, shared, &next};
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    for (int i = 0; i < plan->callers; i++) wh_go(group, caller, &self);
    wh_group_wait(group);
}
