/* Some TLS libraries write to a connection that has gone without saying that they want no signal: SIGPIPE would end the
 * program. */
#ifndef OTLP_SIGPIPE_H
#define OTLP_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct wh__otlp_sigpipe {
    sigset_t mask;                /* of the thread, as it was */
    bool was_pending;
};

/* Between these two, on one thread, SIGPIPE does nothing; one that was meant for others is still delivered. */
void wh__otlp_sigpipe_block(struct wh__otlp_sigpipe *before);
void wh__otlp_sigpipe_restore(const struct wh__otlp_sigpipe *before);

#endif
