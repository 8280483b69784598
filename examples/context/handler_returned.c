/* The handler has returned, and somebody still works for its request: pattern 23, the other half. He finds that out, and why:
 * not "canceled", which anybody could have done, but that the request is over. */
#include <stdio.h>
#include <whence/whence.h>

static int prefetch(const wh_ctx *ctx, void *arg)
{
    const wh_ctx *request = arg; /* held for us: ours to release */
    (void)ctx;
    wh_wait(request, WH_NEVER);
    printf("prefetch: %s\n", wh_cause(request)->name);
    wh_release(request);
    return 0;
}

/* What a server does around every handler. */
static void serve(const wh_ctx *root, void (*handler)(const wh_ctx *request, wh_group *background), wh_group *background)
{
    wh_ctx *request = wh_with_timeout(root, WH_SEC(60));
    handler(request, background);
    wh_end_because(request, WH_HANDLER_RETURNED);
}

static void handler(const wh_ctx *request, wh_group *background)
{
    const wh_ctx *held = wh_hold(request); /* it is to live on a thread of its own */
    if (wh_go(background, prefetch, (void *)held)) wh_release(held); /* not taken */
    puts("answered");
}

int main(void)
{
    WH_AUTO_GROUP wh_group *background = wh_group_new(NULL);
    serve(NULL, handler, background);
    return wh_group_wait(background) ? 1 : 0;
}
