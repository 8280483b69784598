/* The flaw: both values are put on the same parent, so that each is in a context of its own, and the first is lost. */
#include <stdio.h>
#include <whence/whence.h>

WH_KEY(user, const char *)
WH_KEY(tenant, const char *)

static void audit(const wh_ctx *ctx)
{
    printf("user %s, tenant %s\n", wh_user(ctx) ? wh_user(ctx) : "(none)", wh_tenant(ctx) ? wh_tenant(ctx) : "(none)");
}

int main(void)
{
    WH_AUTO wh_ctx *request = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *user = wh_with_user(request, "ada");
    WH_AUTO wh_ctx *ctx = wh_with_tenant(request, "acme"); /* should be: user */
    (void)user;
    audit(ctx);
    return 0;
}
