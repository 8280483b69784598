/* Who is alive, and why does he not stop? Pattern 34. Off it costs nothing; on, every context can be listed, as a tree or
 * counted by the line that made it. A service says WHENCE_TRACK=live and WHENCE_DUMP_SIGNAL=USR1, and asks with kill -USR1. */
#include <stdio.h>
#include <unistd.h>
#include <whence/whence.h>

WH_KEY(tenant, const char *)

/* A cache that keeps the context of the request that filled it: it should have been ended. */
static wh_ctx *fill_cache(const wh_ctx *request)
{
    return wh_with_cancel(request);
}

int main(void)
{
    wh_track(WH_TRACK_LIVE);
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *request = wh_start(root, "GET /order", .kind = WH_SERVER, .timeout = WH_SEC(60));
    WH_AUTO wh_ctx *theirs = wh_with_tenant(request, "acme"); /* the key is shown; the value never */
    WH_AUTO wh_ctx *query = wh_with_timeout(theirs, WH_MIN(10)); /* more than the request has: both are shown */
    wh_ctx *leaked[3];
    for (int i = 0; i < 3; i++) leaked[i] = fill_cache(request);
    wh_cancel(query, WH_CANCELED, "not needed");

    printf("%zu contexts\n", wh_live_count());
    fflush(stdout);
    if (wh_dump(STDOUT_FILENO, WH_DUMP_TEXT)) return 1;
    puts("");
    fflush(stdout);
    if (wh_report_leaks(STDOUT_FILENO)) return 1;
    for (int i = 0; i < 3; i++) wh_end(leaked[i]);
    return 0;
}
