/* A group counts those that have returned and not what they say. It waits for all of them, always; the first failure
 * cancels the others, so that this does not take longer than it must. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

static atomic_int at_work;

static int good(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    const int err = wh_sleep(ctx, WH_MS(10)); /* its work */
    atomic_fetch_sub(&at_work, 1);
    return err;
}

static int slow(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    wh_wait(ctx, WH_NEVER);
    atomic_fetch_sub(&at_work, 1);
    return wh_err(ctx);
}

static int bad(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    atomic_fetch_sub(&at_work, 1);
    return EIO;
}

static void run(const char *what, int (*first)(const wh_ctx *ctx, void *arg), int (*others)(const wh_ctx *ctx, void *arg))
{
    at_work = 3;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
    wh_go(group, others, NULL);
    wh_go(group, others, NULL);
    wh_go(group, first, NULL);
    const int rc = wh_group_wait(group);
    printf("%s: waiting returns: %s, %d stages at work\n", what, rc ? strerror(rc) : "all is well", at_work);
}

int main(void)
{
    run("one fails", bad, slow);
    run("all succeed", good, good);
    return 0;
}
