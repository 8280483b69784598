/* Work that outlives its request on purpose: patterns 7 and 28. The audit record is written after the answer has gone out:
 * it keeps the request's values and its trace and drops its end, has five seconds of its own, and belongs to the service,
 * whose shutdown waits for it. */
#include <stdio.h>
#include <stdlib.h>
#include <whence/whence.h>

WH_KEY(user, const char *)

struct service {
    wh_group *background; /* detached work belongs to somebody: without an owner nobody could wait for it, or stop it */
};

static int write_audit(const wh_ctx *service, void *arg)
{
    wh_ctx *request = arg; /* handed over: ours to end */
    WH_AUTO wh_ctx *ctx = wh_take_over(wh_with_timeout(request, WH_SEC(5)), request);
    (void)service; /* its end comes after ours: the shutdown waits. Work that may be cut short would look at both */
    if (wh_sleep(ctx, WH_MS(20))) return wh_err(ctx); /* a slow disk */
    printf("audit: %s has paid (request %s)\n", wh_user(ctx), wh_request_id(ctx));
    return 0;
}

static void handle(struct service *service, const wh_ctx *root)
{
    WH_AUTO wh_ctx *from = wh_with_request_id(root, "r-17");
    WH_AUTO wh_ctx *user = wh_with_user(from, "ada");
    WH_AUTO wh_ctx *request = wh_with_timeout(user, WH_SEC(2));
    wh_cancel(request, WH_CLIENT_GONE, NULL); /* the client has its answer, and has gone */
    wh_ctx *rest = wh_detach(request);
    printf("request: %s; what is detached from it: %s\n", wh_cause(request)->name, wh_err(rest) ? "over" : "goes on");
    if (wh_go(service->background, write_audit, rest)) wh_end(rest); /* not taken: still ours */
}

int main(void)
{
    struct service service = {.background = wh_group_new(NULL)};
    handle(&service, NULL);
    const int rc = wh_group_wait(service.background); /* the shutdown: what was begun is finished, each within its own limit */
    wh_group_free(service.background);
    puts(rc ? "shutdown: something was left undone" : "shutdown: nothing left to do");
    return rc ? 1 : 0;
}
