/* A long command that stops at Ctrl-C, tidily and soon: pattern 30. The first signal cancels; a second one ends the
 * process as ever. Run it and press Ctrl-C; with an argument it does that itself. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <whence/whence.h>

static int copy_everything(const wh_ctx *ctx)
{
    for (int file = 1; file <= 100000; file++) {
        if (wh_err(ctx)) return wh_err(ctx); /* between two files, so that none is left half-copied */
        wh_sleep(ctx, WH_MS(1));
    }
    return 0;
}

int main(int argc, char **argv)
{
    (void)argv;
    const int signals[] = {SIGINT, SIGTERM};
    WH_AUTO wh_ctx *ctx = wh_with_signals(NULL, signals, 2); /* a program that is traced as well has wh_main() for it */
    if (argc > 1) kill(getpid(), SIGINT);

    const int rc = copy_everything(ctx);
    if (rc == 0) return 0;
    struct wh_cause cause = {.size = sizeof cause};
    wh_cause_info(ctx, &cause);
    /* What was printed must be said, and the shell told: 128 and the number of the signal is what it expects. */
    printf("stopped: %s \"%s\"\n", cause.reason->name, cause.text);
    fprintf(stderr, "%lld us after the signal\n", (long long)((wh_now() - cause.at) / 1000));
    return 128 + SIGINT;
}
