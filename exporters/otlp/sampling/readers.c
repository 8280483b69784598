#include "otlp/readers.h"

#include <time.h>

/* Threads have their variables far apart. */
static unsigned own_shard(void)
{
    static _Thread_local char here;
    return (unsigned)((uint64_t)(uintptr_t)&here * UINT64_C(0x9e3779b97f4a7c15) >> 60) % WH__READER_SHARDS;
}

unsigned wh__readers_enter(struct wh__readers *readers)
{
    const unsigned shard = own_shard(), phase = __atomic_load_n(&readers->phase, __ATOMIC_RELAXED) & 1;
    __atomic_fetch_add(&readers->shards[shard].inside[phase], 1, __ATOMIC_SEQ_CST);
    return shard << 1 | phase;
}

void wh__readers_leave(struct wh__readers *readers, unsigned ticket)
{
    __atomic_fetch_sub(&readers->shards[ticket >> 1].inside[ticket & 1], 1, __ATOMIC_RELEASE);
}

static void wait_for(struct wh__readers *readers, unsigned phase)
{
    for (unsigned shard = 0; shard < WH__READER_SHARDS; shard++)
        while (__atomic_load_n(&readers->shards[shard].inside[phase], __ATOMIC_SEQ_CST))
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

/* Twice: a reader may have looked at the phase before the first change and come in after it. Nobody who comes in later is
 * waited for, so that this ends. */
void wh__readers_wait(struct wh__readers *readers)
{
    for (int i = 0; i < 2; i++) wait_for(readers, __atomic_fetch_add(&readers->phase, 1, __ATOMIC_SEQ_CST) & 1);
}
