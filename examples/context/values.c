/* What belongs to the request and crosses every layer: patterns 6, 32 and 33. A key is an object with a type, so there are no
 * collisions and no casts. Not for connections, loggers, configuration or business data: those are arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <whence/whence.h>

struct principal {
    unsigned uid;
    bool admin;
};
static void wipe(char **token) { free(*token); puts("token freed"); }

WH_KEY(tenant, const char *)         /* borrowed: whoever sets it sees to it that it lives long enough */
WH_KEY(principal, struct principal)  /* copied in, any type */
WH_KEY_OWNED(token, char *, wipe)    /* the context's own: freed when the last context that can see it is gone */

/* Far down, in a function whose callers know nothing of tenants. */
static void audit(const wh_ctx *ctx, const char *action)
{
    struct principal who;
    const char *tenant = wh_tenant(ctx); /* NULL if there is none */
    if (!wh_find_principal(ctx, &who)) /* where a zero would be a valid value, ask whether there is one */
        printf("audit: somebody did \"%s\"\n", action);
    else
        printf("audit: uid %u%s of %s did \"%s\", request %s\n", who.uid, who.admin ? " (admin)" : "", tenant ? tenant : "nobody",
               action, wh_request_id(ctx));
}

static void handle(const wh_ctx *root)
{
    WH_AUTO wh_ctx *request = wh_with_request_id(root, "r-17"); /* travels to other services by itself */
    WH_AUTO wh_ctx *theirs = wh_with_tenant(request, "acme");
    WH_AUTO wh_ctx *ctx = wh_with_principal(theirs, (struct principal){.uid = 1000, .admin = true});
    audit(ctx, "read");

    /* The nearest value holds; those above do not change. */
    WH_AUTO wh_ctx *on_behalf = wh_with_tenant(ctx, "globex");
    audit(on_behalf, "write");
    audit(ctx, "close");
    audit(request, "log out"); /* above where it was set: it is not there */

    char *token = strdup("s3cr3t");
    if (!token) return;
    WH_AUTO wh_ctx *signed_in = wh_with_token(ctx, token);
    printf("token of %zu characters\n", strlen(wh_token(signed_in)));
}

int main(void)
{
    handle(wh_background());
    puts("handled");
    return 0;
}
