/* At most so many at a time, and nobody queues for longer than his request lasts: pattern 22. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

enum { REQUESTS = 12, CONNECTIONS = 3 };

struct pool {
    wh_sem *free;
    atomic_int busy, most, served;
};

static int query(const wh_ctx *ctx, struct pool *pool)
{
    const int rc = wh_sem_acquire(ctx, pool->free, 1);
    if (rc) return rc; /* none is held: there is nothing to give back */
    const int busy = atomic_fetch_add(&pool->busy, 1) + 1;
    for (int most = pool->most; busy > most && !atomic_compare_exchange_weak(&pool->most, &most, busy);) {}
    const int err = wh_sleep(ctx, WH_MS(5)); /* the query itself */
    if (!err) atomic_fetch_add(&pool->served, 1);
    atomic_fetch_sub(&pool->busy, 1);
    wh_sem_release(pool->free, 1);
    return err;
}

static int request(const wh_ctx *ctx, void *pool)
{
    return query(ctx, pool);
}

int main(void)
{
    struct pool pool = {.free = wh_sem_new(CONNECTIONS)};
    if (!pool.free) return 1;
    wh_group *group = wh_group_new(NULL);
    for (int i = 0; i < REQUESTS; i++) wh_go(group, request, &pool);
    const int rc = wh_group_wait(group);
    wh_group_free(group);
    printf("%d requests, %d served, never more than %d at a time: %s\n", REQUESTS, pool.served,
           pool.most <= CONNECTIONS ? CONNECTIONS : pool.most, rc ? strerror(rc) : "no failure");

    /* All of them taken: who waits, waits as long as his request lasts. */
    if (!wh_sem_try_acquire(pool.free, CONNECTIONS)) return 1;
    WH_AUTO wh_ctx *hasty = wh_with_timeout(NULL, WH_MS(20));
    printf("all are taken: %s\n", strerror(query(hasty, &pool)));
    wh_sem_release(pool.free, CONNECTIONS);

    /* A request that is over takes none, even now that all are free. */
    printf("all are free, but the request is over: %s\n", strerror(query(hasty, &pool)));
    wh_sem_free(pool.free);
    return rc ? 1 : 0;
}
