/* A thousand pieces of work, a few at a time: who starts the next waits for a place, and no longer than there is time. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

static atomic_int at_work, most, resized;

static int resize(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    const int now = atomic_fetch_add(&at_work, 1) + 1;
    for (int seen = most; now > seen && !atomic_compare_exchange_weak(&most, &seen, now);) {}
    const int err = wh_sleep(ctx, WH_US(100));
    atomic_fetch_sub(&at_work, 1);
    if (!err) atomic_fetch_add(&resized, 1);
    return err;
}

static int stand_still(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    wh_wait(ctx, WH_NEVER);
    return 0;
}

int main(void)
{
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(60));
    WH_AUTO_GROUP wh_group *group = wh_group_new(ctx);
    if (wh_group_limit(group, 4)) return 1;
    for (int i = 0; i < 1000; i++) wh_go(group, resize, NULL); /* at the limit it waits here: so much for a queue */
    int rc = wh_group_wait(group);
    printf("%d pictures, at most %d at a time: %s\n", resized, most <= 4 ? 4 : most, rc ? strerror(rc) : "done");

    WH_AUTO wh_ctx *hasty = wh_with_timeout(NULL, WH_MS(300));
    WH_AUTO_GROUP wh_group *full = wh_group_new(hasty);
    if (wh_group_limit(full, 1)) return 1;
    wh_go(full, stand_still, NULL);
    printf("without waiting: %s\n", wh_try_go(full, resize, NULL) == EAGAIN ? "there is no place" : "started");
    printf("waiting: %s\n", strerror(wh_go(full, resize, NULL)));
    wh_group_wait(full);
    return rc ? 1 : 0;
}
