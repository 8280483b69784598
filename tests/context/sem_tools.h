/* What the tests of the semaphore share: its inside, and threads that ask. */
#ifndef SEM_TOOLS_H
#define SEM_TOOLS_H

#include <errno.h>

#include "sem.c" /* whose line it looks into */
#include "tools.h"

/* ---- what is known of a semaphore ---- */

static inline unsigned waiting(wh_sem *sem)
{
    unsigned count = 0;
    wh__lock(&sem->lock);
    for (const struct wh__waiter *waiter = sem->line.first; waiter; waiter = waiter->next) count++;
    wh__unlock(&sem->lock);
    return count;
}

static inline uint32_t taken(wh_sem *sem)
{
    wh__lock(&sem->lock);
    const uint32_t count = sem->taken;
    wh__unlock(&sem->lock);
    return count;
}

static inline wh_sem *sem_with(uint32_t size, uint32_t held)
{
    wh_sem *sem = wh_sem_new(size);
    assert_non_null(sem);
    assert_true(wh_sem_try_acquire(sem, held));
    return sem;
}

/* All is back, and the queue works still. */
static inline void assert_idle(wh_sem *sem)
{
    assert_int_equal(taken(sem), 0);
    assert_int_equal(waiting(sem), 0);
    assert_ptr_equal(sem->line.last, &sem->line.first);
    assert_true(wh_sem_try_acquire(sem, sem->size));
    assert_false(wh_sem_try_acquire(sem, 1));
    assert_int_equal(wh_sem_release(sem, sem->size), 0);
}

/* ---- threads that ask ---- */

struct asker {
    pthread_t thread;
    const wh_ctx *ctx;
    wh_sem *sem;
    uint32_t weight;
    int err; /* atomic; -1: not back yet */
};

static inline void *ask(void *arg)
{
    struct asker *asker = arg;
    const int err = wh_sem_acquire(asker->ctx, asker->sem, asker->weight);
    __atomic_store_n(&asker->err, err, __ATOMIC_RELEASE);
    return NULL;
}

static inline void begin_to_ask(struct asker *asker, const wh_ctx *ctx, wh_sem *sem, uint32_t weight)
{
    *asker = (struct asker){.ctx = ctx, .sem = sem, .weight = weight, .err = -1};
    asker->thread = start(ask, asker);
}

static inline void line_up(struct asker *asker, const wh_ctx *ctx, wh_sem *sem, uint32_t weight)
{
    const unsigned before = waiting(sem);
    begin_to_ask(asker, ctx, sem, weight);
    EVENTUALLY(waiting(sem) == before + 1);
}

static inline int answer_to(struct asker *asker)
{
    join(asker->thread);
    return asker->err;
}

static inline bool still_asks(const struct asker *asker)
{
    return __atomic_load_n(&asker->err, __ATOMIC_ACQUIRE) == -1;
}

#endif
