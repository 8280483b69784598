/* Weighted semaphores: permits go to those who wait in the order in which they asked (R28). */
#include <errno.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/park.h"
#include "context/tree.h"

/* On the stack of the thread that waits. */
struct waiter {
    uint32_t weight;
    bool called;                  /* atomic; something has become of it. Who has set it touches the waiter no more */
    bool granted;                 /* [lock] */
    struct waiter *next, **link;  /* [lock] while it is in the queue */
};

struct wh_sem {
    uint32_t lock;
    uint32_t size, taken;         /* [lock] */
    struct waiter *first, **last; /* [lock] */
};

wh_sem *wh_sem_new(uint32_t size)
{
    wh_sem *sem = wh__mem_zero(sizeof *sem);
    if (!sem) {
        errno = ENOMEM;
        return NULL;
    }
    sem->size = size;
    sem->last = &sem->first;
    return sem;
}

void wh_sem_free(wh_sem *sem)
{
    wh__mem_free(sem);
}

/* ---- the queue, under the lock ---- */

static void enter(wh_sem *sem, struct waiter *waiter)
{
    waiter->link = sem->last;
    *sem->last = waiter;
    sem->last = &waiter->next;
}

static void leave(wh_sem *sem, struct waiter *waiter)
{
    *waiter->link = waiter->next;
    if (waiter->next)
        waiter->next->link = waiter->link;
    else
        sem->last = waiter->link;
}

static bool fits(const wh_sem *sem, uint32_t weight)
{
    return weight <= sem->size - sem->taken;
}

static bool take_if_nobody_waits(wh_sem *sem, uint32_t weight)
{
    const bool takes = !sem->first && fits(sem, weight);
    if (takes) sem->taken += weight;
    return takes;
}

static bool give_back(wh_sem *sem, uint32_t weight)
{
    const bool held = weight <= sem->taken;
    if (held) sem->taken -= weight;
    return held;
}

/* ---- waking ---- */

/* What waiters sleep on: counters that are still there when a waiter, called and already on his way, has left his stack
 * to others. Some may share one: then they look again in vain. */
static uint32_t bells[1024];

static uint32_t *bell_of(const struct waiter *waiter)
{
    return &bells[(uint64_t)(uintptr_t)waiter * UINT64_C(0x9e3779b97f4a7c15) >> 54];
}

static void call(struct waiter *waiter)
{
    __atomic_store_n(&waiter->called, true, __ATOMIC_RELEASE);
}

static void ring(uint32_t *bell)
{
    __atomic_fetch_add(bell, 1, __ATOMIC_RELEASE);
    wh__unpark(bell);
}

/* ---- granting ---- */

enum { AT_ONCE = 16 };

/* Those at the head, as far as there are permits. Returns how many; their bells are to be rung without the lock. */
static int grant(wh_sem *sem, uint32_t *called[AT_ONCE])
{
    int count = 0;
    for (struct waiter *first; count < AT_ONCE && (first = sem->first) && fits(sem, first->weight); count++) {
        leave(sem, first);
        sem->taken += first->weight;
        first->granted = true;
        called[count] = bell_of(first);
        call(first);
    }
    return count;
}

/* Lets in whoever can go now, as whoever changes anything does before he unlocks. If more than a few can, those who are let
 * in go on with it on their way out of wh_sem_acquire(): nobody comes back for the semaphore, which may be freed by then. */
static void let_in_and_unlock(wh_sem *sem)
{
    uint32_t *called[AT_ONCE];
    const int count = grant(sem, called);
    wh__unlock(&sem->lock);
    for (int i = 0; i < count; i++) ring(called[i]);
}

/* ---- waiting ---- */

static void look_again(void *arg)
{
    call(arg);
    ring(bell_of(arg));
}

/* Until something has become of the waiter or of ctx. Without memory for a callback it has to look now and then. */
static void wait_for_either(const wh_ctx *ctx, struct waiter *waiter)
{
    wh_callback *callback = NULL;
    const bool looks = wh_cancellable(ctx) && wh_after_inline(ctx, look_again, waiter, &callback) != 0;
    uint32_t *bell = bell_of(waiter);
    for (;;) {
        const uint32_t rung = __atomic_load_n(bell, __ATOMIC_ACQUIRE);
        if (__atomic_load_n(&waiter->called, __ATOMIC_ACQUIRE) || wh_wait(ctx, 0)) break;
        const int64_t soon = looks ? wh__now() + WH_MS(5) : WH_NEVER, deadline = wh_deadline(ctx);
        wh__park(bell, rung, soon < deadline ? soon : deadline);
    }
    wh_stop_wait(callback);
}

/* A context that is done has the last word: who was let in at the same time gives back what he got. */
int wh_sem_acquire(const wh_ctx *ctx, wh_sem *sem, uint32_t weight)
{
    int err = wh_wait(ctx, 0);
    if (err) return err;
    if (weight > sem->size) return wh_wait(ctx, WH_NEVER);
    struct waiter waiter = {.weight = weight};
    wh__lock(&sem->lock);
    const bool at_once = take_if_nobody_waits(sem, weight);
    if (!at_once) enter(sem, &waiter);
    wh__unlock(&sem->lock);
    if (at_once) return 0;

    wait_for_either(ctx, &waiter);
    err = wh_wait(ctx, 0);
    wh__lock(&sem->lock);
    if (!waiter.granted)
        leave(sem, &waiter);
    else if (err)
        give_back(sem, weight);
    let_in_and_unlock(sem);
    return err;
}

bool wh_sem_try_acquire(wh_sem *sem, uint32_t weight)
{
    wh__lock(&sem->lock);
    const bool taken = take_if_nobody_waits(sem, weight);
    wh__unlock(&sem->lock);
    return taken;
}

int wh_sem_release(wh_sem *sem, uint32_t weight)
{
    wh__lock(&sem->lock);
    const bool held = give_back(sem, weight);
    let_in_and_unlock(sem);
    return held ? 0 : EINVAL;
}
