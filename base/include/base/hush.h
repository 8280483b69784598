/* Writing to what may have no reader, or be full: a library must not let the signals that say so end the process. What
 * they say comes back as EPIPE and EFBIG as well. */
#ifndef BASE_HUSH_H
#define BASE_HUSH_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

struct wh__hush {
    sigset_t before;  /* the thread's mask */
    sigset_t pending; /* what waited already, and is not ours to take */
};

/* SIGPIPE and SIGXFSZ that a write of this thread raises go to this thread: between these two calls they wait, and the
 * second one takes them away. */
static inline void wh__hush_begin(struct wh__hush *hush)
{
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGPIPE);
    sigaddset(&both, SIGXFSZ);
    sigpending(&hush->pending);
    pthread_sigmask(SIG_BLOCK, &both, &hush->before);
}

static inline void wh__hush_end(const struct wh__hush *hush)
{
    static const int both[] = {SIGPIPE, SIGXFSZ};
    sigset_t now, one;
    int taken;
    sigpending(&now);
    for (int i = 0; i < 2; i++) {
        if (!sigismember(&now, both[i]) || sigismember(&hush->pending, both[i])) continue;
        sigemptyset(&one);
        sigaddset(&one, both[i]);
        sigwait(&one, &taken);
    }
    pthread_sigmask(SIG_SETMASK, &hush->before, NULL);
}

#endif
