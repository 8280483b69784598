/* Every way in gets a limit: pattern 27. A handler, a message from a queue and a job by the clock all begin with a context
 * of their own, below the program's; what is called from there needs no timeout of its own. */
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

/* Never answers. */
static int call_a_dead_service(const wh_ctx *ctx)
{
    return wh_wait(ctx, WH_NEVER);
}

static int on_request(const wh_ctx *root)
{
    WH_AUTO wh_ctx *ctx = wh_start(root, "GET /order", .kind = WH_SERVER, .timeout = WH_MS(20));
    return call_a_dead_service(ctx);
}

static int on_message(const wh_ctx *root)
{
    WH_AUTO wh_ctx *ctx = wh_start(root, "process orders", .kind = WH_CONSUMER, .timeout = WH_MS(40));
    return call_a_dead_service(ctx);
}

static int on_the_hour(const wh_ctx *root)
{
    WH_AUTO wh_ctx *ctx = wh_start(root, "clean up", .timeout = WH_MS(60));
    return call_a_dead_service(ctx);
}

int main(void)
{
    WH_AUTO wh_ctx *root = wh_main("entry_points");
    printf("handler: %s\n", strerror(on_request(root)));
    printf("consumer: %s\n", strerror(on_message(root)));
    printf("job: %s\n", strerror(on_the_hour(root)));
    printf("the program itself: %s\n", wh_err(root) ? "done" : "goes on");
    return 0;
}
