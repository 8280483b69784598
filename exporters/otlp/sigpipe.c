#include "otlp/sigpipe.h"

#include <stddef.h>
#include <time.h>

static sigset_t only_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void wh__otlp_sigpipe_block(struct wh__otlp_sigpipe *before)
{
    const sigset_t set = only_sigpipe();
    sigset_t pending;
    sigpending(&pending);
    before->was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &set, &before->mask);
}

void wh__otlp_sigpipe_restore(const struct wh__otlp_sigpipe *before)
{
    const sigset_t set = only_sigpipe();
    if (!before->was_pending) sigtimedwait(&set, NULL, &(struct timespec){0, 0});
    pthread_sigmask(SIG_SETMASK, &before->mask, NULL);
}
