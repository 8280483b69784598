/* Work that two can stop: a query ends when the request is over or when the pool of connections shuts down, whichever comes
 * first, and knows which it was. */
#include <stdio.h>
#include <whence/whence.h>

WH_KEY(user, const char *)

static void query(const char *what, bool pool_shuts_down)
{
    WH_AUTO wh_ctx *pool = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_SEC(60));
    WH_AUTO wh_ctx *theirs = wh_with_user(request, "ada");
    WH_AUTO wh_ctx *both = wh_merge(theirs, pool); /* the earlier deadline; values and span of the first, then the second */
    if (pool_shuts_down)
        wh_cancel(pool, WH_SHUTDOWN, NULL);
    else
        wh_cancel(request, WH_CLIENT_GONE, NULL);
    printf("%s: the query of %s: %s; the request: %s; the pool: %s\n", what, wh_user(both), wh_cause(both)->name,
           wh_err(request) ? "over" : "goes on", wh_err(pool) ? "over" : "goes on");
}

int main(void)
{
    query("the client goes", false);
    query("the pool goes", true);
    return 0;
}
