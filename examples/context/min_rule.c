/* A client with a longer timeout inside a shorter context: pattern 36. The earlier deadline holds; what was asked for is
 * kept, and shown. */
#include <stdio.h>
#include <unistd.h>
#include <whence/whence.h>

/* A client library that was configured once: ten seconds for everything. */
static int client_call(const wh_ctx *ctx)
{
    char why[500];
    WH_AUTO wh_ctx *call = wh_with_timeout(ctx, WH_SEC(10));
    printf("the call's deadline is the request's: %s\n", wh_deadline(call) == wh_deadline(ctx) ? "yes" : "no");
    fflush(stdout);
    wh_dump(STDOUT_FILENO, WH_DUMP_TEXT);
    const int rc = wh_wait(call, WH_NEVER);
    wh_explain(call, why, sizeof why);
    puts(why);
    return rc;
}

int main(void)
{
    wh_track(WH_TRACK_LIVE); /* for the dump */
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_SEC(1));
    return client_call(request) ? 0 : 1;
}
