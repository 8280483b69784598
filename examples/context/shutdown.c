/* Shutting down in order: pattern 29. SIGTERM cancels the program's context, with the cause; nobody new is let in; who is
 * at work has a limit to finish in, and is named if he has not. A second SIGTERM ends the process at once. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <whence/whence.h>

/* A request that is under way when the signal comes is finished: it has its own limit and is detached from the shutdown. */
static int request(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    WH_AUTO wh_ctx *own = wh_detach(ctx);
    WH_AUTO wh_ctx *limited = wh_with_timeout(own, WH_SEC(30));
    return wh_sleep(limited, WH_MS(30));
}

/* One that waits for its next piece of work stops as soon as it is told. */
static int worker(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    wh_wait(ctx, WH_NEVER);
    return 0;
}

static int deaf(const wh_ctx *ctx, void *arg)
{
    const atomic_bool *over = arg;
    (void)ctx;
    while (!*over) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return 0;
}

int main(void)
{
    const int signals[] = {SIGTERM, SIGINT};
    atomic_bool over = false;
    WH_AUTO wh_ctx *root = wh_with_signals(NULL, signals, 2);
    WH_AUTO_GROUP wh_group *service = wh_group_new(root);
    wh_go(service, request, NULL);
    wh_go(service, worker, NULL);
    wh_go(service, deaf, &over);

    kill(getpid(), SIGTERM); /* stands for the one who stops the service */
    wh_wait(root, WH_NEVER); /* main() sleeps here; a server lets in connections here, until root is done */
    printf("stopping: %s\n", wh_cause(root)->name);

    struct wh_straggler late[8];
    wh_group_wait_until(service, wh_now() + WH_SEC(1)); /* what the supervisor allows, less a little */
    const size_t count = wh_group_stragglers(service, late, 8);
    for (size_t i = 0; i < count && i < 8; i++) printf("still at work: %s\n", late[i].name);
    over = true; /* a real one would be left to the end of the process: _exit() */
    wh_group_wait(service);
    puts("everybody has gone home");
    return 0;
}
