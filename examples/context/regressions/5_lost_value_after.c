/* Each is derived from the one before. A function that adds all of them takes one context and returns one, so that there is
 * no second parent to mistake for the first. */
#include <stdio.h>
#include <unistd.h>
#include <whence/whence.h>

WH_KEY(user, const char *)
WH_KEY(tenant, const char *)

static void audit(const wh_ctx *ctx)
{
    printf("user %s, tenant %s\n", wh_user(ctx) ? wh_user(ctx) : "(none)", wh_tenant(ctx) ? wh_tenant(ctx) : "(none)");
}

static wh_ctx *signed_in(const wh_ctx *request, const char *name, const char *of)
{
    wh_ctx *user = wh_with_user(request, name);
    return wh_take_over(wh_with_tenant(user, of), user);
}

int main(void)
{
    wh_track(WH_TRACK_LIVE);
    WH_AUTO wh_ctx *request = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *ctx = signed_in(request, "ada", "acme");
    audit(ctx);
    fflush(stdout);
    return wh_dump(STDOUT_FILENO, WH_DUMP_TEXT) ? 1 : 0;
}
