/* Standing in line: how who waits is woken. */
#include "line.h"

#include "base/clock.h"
#include "base/park.h"
#include "context/clock.h"

/* What waiters sleep on: counters that are still there when a waiter, called and already on his way, has left his stack
 * to others. Some may share one: then they look again in vain. */
static uint32_t bells[1024];

static uint32_t *bell_of(const struct wh__waiter *waiter)
{
    return &bells[(uint64_t)(uintptr_t)waiter * UINT64_C(0x9e3779b97f4a7c15) >> 54];
}

static void call(struct wh__waiter *waiter)
{
    __atomic_store_n(&waiter->called, true, __ATOMIC_RELEASE);
}

uint32_t *wh__line_grant(struct wh__line *line)
{
    struct wh__waiter *first = line->first;
    wh__line_leave(line, first);
    first->granted = true;
    uint32_t *bell = bell_of(first);
    call(first);
    return bell;
}

void wh__bell_ring(uint32_t *bell)
{
    __atomic_fetch_add(bell, 1, __ATOMIC_RELEASE);
    wh__unpark(bell);
}

static void look_again(void *arg)
{
    uint32_t *bell = bell_of(arg);
    call(arg);
    wh__bell_ring(bell);
}

/* Without memory for a callback it has to look now and then. */
void wh__waiter_wait(const wh_ctx *ctx, struct wh__waiter *waiter)
{
    wh_callback *callback = NULL;
    const wh_ctx *node = wh__live(ctx);
    const bool looks = wh_cancellable(ctx) && wh_after_inline(ctx, look_again, waiter, &callback) != 0;
    uint32_t *bell = bell_of(waiter);
    for (;;) {
        const uint32_t rung = __atomic_load_n(bell, __ATOMIC_ACQUIRE);
        if (__atomic_load_n(&waiter->called, __ATOMIC_ACQUIRE) || wh_wait(ctx, 0)) break;
        const int64_t soon = looks ? wh__now() + WH_MS(5) : WH_NEVER, deadline = node ? wh__look_by(node) : WH_NEVER;
        wh__park(bell, rung, soon < deadline ? soon : deadline);
    }
    wh_stop_wait(callback);
}
