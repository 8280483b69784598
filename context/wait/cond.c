/* Waiting for a condition variable and for a context at once.
 *
 * When the context is done somebody has to wake the waiter, and not between his look at the context and his sleep: so
 * whoever wakes him holds his mutex. That cannot be the canceller, who may hold it himself, or hold another whose holder
 * waits for this one: it is a callback on the library's thread. Nor may that thread sleep until the mutex is free, since
 * whoever holds it may be waiting for another callback. So it tries; and where it does not get the mutex soon, the other
 * callbacks have their turn before it tries again. Thus nobody waits for the mutex who has anything that its holder could
 * be waiting for.
 *
 * The callback needs mutex and condition variable, so it must be over before the waiter returns. If it cannot be
 * prevented any more the waiter waits for it, without the mutex.
 */
#include <errno.h>
#include <features.h>

#include "base/lock.h"
#include "base/park.h"
#include "wait.h"

/* A wait until an instant of CLOCK_MONOTONIC, whatever clock the condition variable was made for. */
#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 30)
#define HAS_CLOCKWAIT 1
#endif
#endif
#ifndef HAS_CLOCKWAIT
#define HAS_CLOCKWAIT 0
#endif

enum { TRIES = 16 }; /* at most some 50 microseconds each, while other callbacks wait */

struct sleeper {
    const wh_ctx *ctx;
    pthread_cond_t *cond;
    pthread_mutex_t *mutex;
    wh_callback *callback;
    unsigned round;        /* of the callback's */
};

static bool wake(void *arg)
{
    struct sleeper *sleeper = arg;
    for (int i = 0; i < TRIES; i++) {
        if (pthread_mutex_trylock(sleeper->mutex) == 0) {
            pthread_cond_broadcast(sleeper->cond);
            pthread_mutex_unlock(sleeper->mutex);
            return true;
        }
        wh__back_off(sleeper->round++);
    }
    return false;
}

/* With the mutex; also when pthread_cancel() ends the thread. */
static void leave(void *arg)
{
    const struct sleeper *sleeper = arg;
    const bool still = wh__is_still(sleeper->callback);
    if (!still) pthread_mutex_unlock(sleeper->mutex);
    wh_stop_wait(sleeper->callback);
    if (!still) pthread_mutex_lock(sleeper->mutex);
}

#if HAS_CLOCKWAIT
static int block(const struct sleeper *sleeper)
{
    const int64_t until = wh__asks_by(sleeper->ctx, WH_NEVER);
    if (until == WH_NEVER) return pthread_cond_wait(sleeper->cond, sleeper->mutex);
    const struct timespec at = wh__timespec(until);
    const int rc = pthread_cond_clockwait(sleeper->cond, sleeper->mutex, CLOCK_MONOTONIC, &at);
    return rc == ETIMEDOUT ? 0 : rc;
}

static bool is_told(const wh_ctx *ctx)
{
    (void)ctx;
    return true;
}
#else
static int block(const struct sleeper *sleeper)
{
    return pthread_cond_wait(sleeper->cond, sleeper->mutex);
}

/* Whether the timers know of its deadline: they do not where they had no thread when it was made. */
static bool is_told(const wh_ctx *ctx)
{
    const wh_ctx *node = wh__live(ctx);
    if (node->deadline == WH_NEVER) return true;
    while (node && !(node->flags & WH__TIMED)) node = wh__live_parent(node);
    return node && __atomic_load_n(&node->timer, __ATOMIC_ACQUIRE);
}
#endif

/* ---- where nobody can wake it ---- */

static void lock_again(void *mutex)
{
    pthread_mutex_lock(mutex);
}

/* Wakes for nothing, now and then. Who signals meanwhile has changed what the caller looks at next. */
WH__MAY_VANISH static int doze(const struct sleeper *sleeper)
{
    int err = pthread_mutex_unlock(sleeper->mutex);
    if (err) return err;
    pthread_cleanup_push(lock_again, sleeper->mutex);
    err = wh__nap_until(sleeper->ctx, wh__now() + WH__SLICE);
    pthread_cleanup_pop(1);
    return err;
}

WH__MAY_VANISH static int sleep_on(struct sleeper *sleeper)
{
    int err = is_told(sleeper->ctx) ? wh__after_attempts(sleeper->ctx, wake, sleeper, &sleeper->callback) : EAGAIN;
    if (err) return doze(sleeper);
    pthread_cleanup_push(leave, sleeper);
    err = block(sleeper);
    pthread_cleanup_pop(1);
    return err;
}

/* A signal may have woken this waiter and no other; if he goes because of ctx he passes it on. */
WH__MAY_VANISH int wh_cond_wait(const wh_ctx *ctx, pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    int err = wh__ask(ctx);
    if (err) return err;
    if (!wh_cancellable(ctx)) return pthread_cond_wait(cond, mutex);
    struct sleeper sleeper = {.ctx = ctx, .cond = cond, .mutex = mutex};
    const int rc = sleep_on(&sleeper);
    err = wh__ask(ctx);
    if (err) pthread_cond_signal(cond);
    return err ? err : rc;
}
