/* What an observer may ask of a context: whether it is done, until when it has, and to be told. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/park.h"
#include "context/tree.h"

/* Also for a signal handler: loads, and at most one write(). */
int wh_err_(const wh_ctx *ctx)
{
    const wh_ctx *node = wh__live(ctx);
    const uint32_t state = node ? wh__state(node) : 0;
    if (state < WH_NOT_OPEN_) return 0;
    if (state & WH__SIGNALLING) {
        const uint64_t one = 1;
        const int saved = errno;
        if (write(node->extra->fd, &one, sizeof one) < 0) errno = saved; /* full: then it is readable */
    }
    return WH__ERR(state);
}

int64_t wh_deadline(const wh_ctx *ctx)
{
    const wh_ctx *node = wh__live(ctx);
    return node ? node->deadline : WH_NEVER;
}

int64_t wh_remaining(const wh_ctx *ctx)
{
    const int64_t deadline = wh_deadline(ctx);
    return deadline == WH_NEVER ? WH_NEVER : wh__until(deadline, wh__now());
}

bool wh_cancellable(const wh_ctx *ctx)
{
    return wh__live(ctx) != NULL;
}

static void wait_forever_or(int64_t limit)
{
    const uint32_t never = 0;
    while (limit == WH_NEVER || wh__now() < limit) wh__park(&never, 0, limit);
}

/* The timer thread may be late or, after a fork, not there yet: who waits for a deadline looks at the clock itself. */
int wh_wait(const wh_ctx *ctx, int64_t limit)
{
    wh_ctx *node = wh__live(ctx);
    const int64_t until = limit == WH_NEVER ? WH_NEVER : wh__add(wh__now(), limit);
    if (!node) {
        wait_forever_or(until);
        return 0;
    }
    for (;;) {
        const uint32_t state = wh__state(node);
        if (state >= WH_NOT_OPEN_) return wh_err_(node);
        if (until != WH_NEVER && wh__now() >= until) return 0;
        if (node->deadline != WH_NEVER && wh__now() >= node->deadline) {
            wh__expire(node);
        } else if (!(state & WH__WAITERS)) {
            wh__lock(&node->state);
            wh__unlock_to(&node->state, (node->state | WH__WAITERS) & ~WH__LOCK_BIT);
        } else if (state & WH__LOCK_BIT) {
            wh__lock_wait(&node->state);
        } else {
            wh__park(&node->state, state, until < node->deadline ? until : node->deadline);
        }
    }
}

struct wh__extra *wh__extra_of(wh_ctx *node, bool may_ask)
{
    struct wh__extra *extra = __atomic_load_n(&node->extra, __ATOMIC_ACQUIRE);
    if (extra) return extra;
    struct wh__extra *fresh = may_ask ? wh__slab_get(WH__128) : wh__slab_take(WH__128);
    if (!fresh) return NULL;
    *fresh = (struct wh__extra){.fd = -1};
    wh__lock(&node->state);
    extra = node->extra;
    if (!extra) __atomic_store_n(&node->extra, fresh, __ATOMIC_RELEASE);
    wh__unlock(&node->state);
    if (extra) wh__slab_put(fresh);
    return extra ? extra : fresh;
}

int wh_done_fd(const wh_ctx *ctx)
{
    wh_ctx *node = wh__live(ctx);
    errno = 0;
    if (!node) return -1;
    if (wh__state(node) & WH__HAS_FD) return node->extra->fd;
    if (node->flags & WH__IMMORTAL) {
        errno = ENOMEM;
        return -1;
    }
    struct wh__extra *extra = wh__extra_of(node, true);
    if (!extra) {
        errno = ENOMEM;
        return -1;
    }
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return -1;
    wh__lock(&node->state);
    const bool first = !(node->state & WH__HAS_FD);
    uint32_t state = node->state & ~WH__LOCK_BIT;
    if (first) {
        extra->fd = fd;
        state |= WH__HAS_FD | (state >= WH_NOT_OPEN_ ? WH__SIGNALLING : 0);
    }
    wh__unlock_to(&node->state, state);
    if (!first) close(fd);
    wh_err_(node);
    return extra->fd;
}
