/* Memory that is short, for the calling thread: of blocks that are there, and of what the system gives. */
#ifndef MEMORY_TOOLS_H
#define MEMORY_TOOLS_H

#include "base/mem.h"
#include "base/slab.h"
#include "tools.h"

/* Of the calling thread: how many times it has asked the system, and which of them fails. */
static _Thread_local int asked;
static _Thread_local int fails_at = -1; /* -1: none */
static _Thread_local bool fail_all;
static _Thread_local bool fail_pages; /* from which blocks come */
static _Thread_local int refused;     /* pages */

static inline bool gate(size_t size)
{
    if (fail_pages && size == WH__PAGE) return refused++, false;
    return !fail_all && asked++ != fails_at;
}

static void *stash[WH__SIZES]; /* all small blocks of this thread, linked through their first words */

static inline int take_all(enum wh__size size)
{
    int count = 0;
    for (void *block; (block = wh__slab_take(size)); count++) {
        *(void **)block = stash[size];
        stash[size] = block;
    }
    return count;
}

static inline void give(enum wh__size size, int count)
{
    for (; count && stash[size]; count--) {
        void *block = stash[size];
        stash[size] = *(void **)block;
        wh__slab_put(block);
    }
}

static inline void leave_of(enum wh__size size, int count)
{
    fail_all = false;
    give(size, -1);
    wh__slab_stock(size); /* there is a page to give blocks back to */
    fail_all = true;
    take_all(size);
    give(size, count);
    fail_all = false;
}

static inline void leave_of_each_size(int count)
{
    for (int size = 0; size < WH__SIZES; size++) leave_of((enum wh__size)size, count);
}

/* Some come back from other threads, a little later: so there may be more, that an earlier round had to wait for. */
static inline void assert_left_of(enum wh__size size, int count)
{
    int found = 0;
    EVENTUALLY((found += take_all(size)) >= count);
}

static inline void assert_left_of_each_size(int count)
{
    for (int size = 0; size < WH__SIZES; size++) assert_left_of((enum wh__size)size, count);
}

static inline void give_all_back(void)
{
    for (int size = 0; size < WH__SIZES; size++) give((enum wh__size)size, -1);
}

#endif
