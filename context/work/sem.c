/* Weighted semaphores: permits go to those who wait in the order in which they asked (R28). */
#include <errno.h>
#include <whence/work.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "context/tree.h"
#include "line.h"

struct wh_sem {
    uint32_t lock;
    uint32_t size, taken;         /* [lock] */
    struct wh__line line;         /* [lock] */
};

wh_sem *wh_sem_new(uint32_t size)
{
    wh_sem *sem = wh__mem_zero(sizeof *sem);
    if (!sem) {
        errno = ENOMEM;
        return NULL;
    }
    sem->size = size;
    wh__line_clear(&sem->line);
    return sem;
}

void wh_sem_free(wh_sem *sem)
{
    wh__mem_free(sem);
}

/* ---- permits, under the lock ---- */

static bool fits(const wh_sem *sem, uint32_t weight)
{
    return weight <= sem->size - sem->taken;
}

static bool take_if_nobody_waits(wh_sem *sem, uint32_t weight)
{
    const bool takes = !sem->line.first && fits(sem, weight);
    if (takes) sem->taken += weight;
    return takes;
}

static bool give_back(wh_sem *sem, uint32_t weight)
{
    const bool held = weight <= sem->taken;
    if (held) sem->taken -= weight;
    return held;
}

/* ---- granting ---- */

enum { AT_ONCE = 16 };

/* Those at the head, as far as there are permits. Returns how many; their bells are to be rung without the lock. */
static int grant(wh_sem *sem, uint32_t *called[AT_ONCE])
{
    int count = 0;
    for (const struct wh__waiter *first; count < AT_ONCE && (first = sem->line.first) && fits(sem, first->weight);) {
        sem->taken += first->weight;
        called[count++] = wh__line_grant(&sem->line);
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
    for (int i = 0; i < count; i++) wh__bell_ring(called[i]);
}

/* ---- waiting ---- */

static int give_up(const wh_ctx *ctx, uint32_t size, uint32_t weight, uint32_t taken, int64_t since, int err)
{
    wh__say_gave_up(ctx, &(struct wh__gave_up){.waited = wh__sub(wh__now(), since), .weight = weight, .size = size, .taken = taken});
    return err;
}

static int wait_for_more_than_there_is(const wh_ctx *ctx, wh_sem *sem, uint32_t weight)
{
    const int64_t since = wh__now();
    wh__lock(&sem->lock);
    const uint32_t taken = sem->taken;
    wh__unlock(&sem->lock);
    const int err = wh_wait(ctx, WH_NEVER);
    return give_up(ctx, sem->size, weight, taken, since, err);
}

/* A context that is done has the last word: who was let in at the same time gives back what he got. */
int wh_sem_acquire(const wh_ctx *ctx, wh_sem *sem, uint32_t weight)
{
    int err = wh_wait(ctx, 0);
    if (err) return err;
    if (weight > sem->size) return wait_for_more_than_there_is(ctx, sem, weight);
    struct wh__waiter waiter = {.weight = weight};
    wh__lock(&sem->lock);
    const uint32_t size = sem->size, taken = sem->taken; /* as it found it: what ends this wait may end others' holding, too */
    const bool at_once = take_if_nobody_waits(sem, weight);
    if (!at_once) wh__line_enter(&sem->line, &waiter);
    wh__unlock(&sem->lock);
    if (at_once) return 0;

    const int64_t since = wh__now();
    wh__waiter_wait(ctx, &waiter);
    err = wh_wait(ctx, 0);
    wh__lock(&sem->lock);
    if (!waiter.granted)
        wh__line_leave(&sem->line, &waiter);
    else if (err)
        give_back(sem, weight);
    let_in_and_unlock(sem);
    return err ? give_up(ctx, size, weight, taken, since, err) : 0;
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
