/* The flaw: both values are put on the same parent, so that each is in a context of its own, and the first is lost. The dump
 * shows it: a leaf that nobody uses. */
#include <stdio.h>
#include <unistd.h>
#include <whence/whence.h>

WH_KEY(user, const char *)
WH_KEY(tenant, const char *)

static void audit(const wh_ctx *ctx)
{
    printf("user %s, tenant %s\n", wh_user(ctx) ? wh_user(ctx) : "(none)", wh_tenant(ctx) ? wh_tenant(ctx) : "(none)");
}

int main(void)
{
    wh_track(WH_TRACK_LIVE);
    WH_AUTO wh_ctx *request = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *user = wh_with_user(request, "ada");
    WH_AUTO wh_ctx *ctx = wh_with_tenant(request, "acme"); /* should be: user */
    audit(ctx);
    fflush(stdout);
    return wh_dump(STDOUT_FILENO, WH_DUMP_TEXT) ? 1 : 0;
}
