/* Shutting down in order: pattern 29. SIGTERM cancels the program's context, with the cause; nobody new is let in; who is
 * at work has a limit to finish in, and is named if he has not. A second SIGTERM ends the process at once. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <whence/whence.h>

/* A request that is under way when the signal comes is finished: it looks at its own limit and not at the shutdown. */
static int request(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    WH_AUTO wh_ctx *own = wh_detach(ctx);
    WH_AUTO wh_ctx *limited = wh_with_timeout(own, WH_SEC(30));
    return wh_wait(limited, WH_MS(30));
}

/* One that waits for its next piece of work stops as soon as it is told. */
static int worker(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    wh_wait(ctx, WH_NEVER);
    return 0;
}

int main(void)
{
    const int signals[] = {SIGTERM, SIGINT};
    WH_AUTO wh_ctx *root = wh_with_signals(NULL, signals, 2);
    WH_AUTO_GROUP wh_group *service = wh_group_new(root);
    wh_go(service, request, NULL);
    wh_go(service, worker, NULL);

    kill(getpid(), SIGTERM); /* stands for the one who stops the service */
    wh_wait(root, WH_NEVER); /* main() sleeps here; a server accepts connections here, and polls wh_done_fd(root) */
    printf("stopping: %s\n", wh_cause(root)->name);

    printf("one more: %s\n", wh_go(service, request, NULL) == ECANCELED ? "refused" : "taken");
    wh_group_wait(service);
    puts("everybody has gone home");
    return 0;
}
