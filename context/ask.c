/* What an observer may ask of a context: whether it is done, until when it has, and to be told. */
#include <errno.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/park.h"
#include "context/clock.h"
#include "context/live.h"
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
        if (wh__write(node->extra->fd, &one, sizeof one) < 0) errno = saved; /* full: then it is readable */
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
    return deadline == WH_NEVER ? WH_NEVER : wh__until(deadline, wh__now_for(ctx));
}

bool wh_cancellable(const wh_ctx *ctx)
{
    return wh__live(ctx) != NULL;
}

/* The one place in the library where pthread_cancel() may end a thread: it holds nothing, and nobody counts on it. */
WH__MAY_VANISH static void sleep_on(const uint32_t *word, uint32_t expected, int64_t deadline)
{
    int type;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    wh__park(word, expected, deadline);
    pthread_setcanceltype(type, &type);
}

static void wait_no_more(void *record)
{
    wh__live_waits(record, -1);
}

/* Of a listed context, who sleeps is counted. */
WH__MAY_VANISH static void sleep_in(const wh_ctx *node, uint32_t state, int64_t deadline)
{
    struct wh__live_record *record = wh__live_record_of(node);
    if (!record) {
        sleep_on(&node->state, state, deadline);
        return;
    }
    wh__live_waits(record, 1);
    pthread_cleanup_push(wait_no_more, record);
    sleep_on(&node->state, state, deadline);
    pthread_cleanup_pop(1);
}

WH__MAY_VANISH static void wait_forever_or(int64_t limit)
{
    static const uint32_t never;
    while (limit == WH_NEVER || wh__now() < limit) sleep_on(&never, 0, limit);
}

/* By a clock of its own: the one that moves it fires what is due, and rings. */
WH__MAY_VANISH static int wait_by_clock(wh_ctx *node, int64_t limit)
{
    wh_clock *clock = wh__clock_of(node);
    const uint32_t *bell = wh__clock_bell(clock);
    const int64_t until = wh__add(wh_clock_now(clock), limit), look_by = wh__look_by(node);
    for (;;) {
        const uint32_t rung = __atomic_load_n(bell, __ATOMIC_ACQUIRE);
        const uint32_t state = wh__state(node);
        if (state >= WH_NOT_OPEN_) return wh_err_(node);
        if (look_by != WH_NEVER && wh__now() >= look_by) {
            wh__expire(node);
        } else if (limit != WH_NEVER && wh_clock_now(clock) >= until) {
            return 0;
        } else if (!(state & WH__WAITERS)) {
            wh__lock(&node->state);
            wh__unlock_to(&node->state, wh__state_held(node) | WH__WAITERS);
        } else {
            sleep_on(bell, rung, look_by);
        }
    }
}

/* The timer thread may be late or, after a fork, not there yet: who waits for a deadline looks at the clock itself. */
WH__MAY_VANISH int wh_wait(const wh_ctx *ctx, int64_t limit)
{
    wh_ctx *node = wh__live(ctx);
    if (node && node->flags & WH__CLOCKED) return wait_by_clock(node, limit);
    const int64_t until = limit == WH_NEVER ? WH_NEVER : wh__add(wh__now(), limit);
    if (!node) {
        wait_forever_or(until);
        return 0;
    }
    for (bool slept = false;;) {
        const uint32_t state = wh__state(node);
        if (state >= WH_NOT_OPEN_) {
            if (slept) wh__live_stopped(node, WH_STOP_WAITER);
            return wh_err_(node);
        }
        if (node->deadline != WH_NEVER && wh__now() >= node->deadline) {
            wh__expire(node);
        } else if (until != WH_NEVER && wh__now() >= until) {
            return 0;
        } else if (!(state & WH__WAITERS)) {
            wh__lock(&node->state);
            wh__unlock_to(&node->state, wh__state_held(node) | WH__WAITERS);
        } else if (state & WH__LOCK_BIT) {
            wh__lock_wait(&node->state);
        } else {
            sleep_in(node, state, until < node->deadline ? until : node->deadline);
            slept = true;
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
