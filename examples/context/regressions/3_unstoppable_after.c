/* What is detached gets a deadline of its own; and an owner, the service, that can stop it before that. */
#include <stdio.h>
#include <whence/whence.h>

/* Until somebody answers, or the work is not wanted any more. */
static int poll_printer(const wh_ctx *ctx)
{
    while (wh_sleep(ctx, WH_MS(1)) == 0) {}
    return wh_err(ctx);
}

/* Its own five seconds (here fewer), whatever becomes of the request. */
static void limited(const wh_ctx *request)
{
    WH_AUTO wh_ctx *detached = wh_detach(request);
    WH_AUTO wh_ctx *job = wh_with_timeout(detached, WH_MS(20));
    poll_printer(job);
    printf("nobody answers: %s\n", wh_cause(job)->name);
}

static int run(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    poll_printer(ctx);
    printf("the service stops: %s\n", wh_cause(ctx)->name);
    return 0;
}

int main(void)
{
    WH_AUTO wh_ctx *service = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *request = wh_with_timeout(service, WH_SEC(60));
    limited(request);
    WH_AUTO_GROUP wh_group *background = wh_group_new(service); /* or: below the service, not below the request */
    wh_go(background, run, NULL);
    wh_cancel(request, WH_CLIENT_GONE, NULL); /* does not concern it */
    wh_cancel(service, WH_SHUTDOWN, NULL);
    wh_group_wait(background);
    return 0;
}
