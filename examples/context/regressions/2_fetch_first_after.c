/* Whatever waits is given the context, asks it before it begins, and stops when it is done. */
#include <stdio.h>
#include <whence/whence.h>

static int fetch(const wh_ctx *ctx, int *waited, int *result)
{
    for (*waited = 0; *waited < 300; ++*waited)
        if (wh_sleep(ctx, WH_MS(1))) return wh_err(ctx); /* done already: it does not wait at all */
    *result = 17;
    return 0;
}

int main(void)
{
    int waited, result;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(60));
    wh_cancel(ctx, WH_CLIENT_GONE, NULL);
    if (fetch(ctx, &waited, &result))
        printf("not wanted any more: after %d of 300 steps\n", waited);
    else
        printf("got %d\n", result);
    return 0;
}
