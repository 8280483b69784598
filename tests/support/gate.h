/* Memory that runs out, for the calling thread alone (base/mem.h). */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

static _Thread_local size_t gate_allows; /* allocations: all that there will be; or until the one that fails, with it */

static inline bool gate_ends(size_t size)
{
    (void)size;
    return gate_allows ? gate_allows-- > 0 : false;
}

static inline bool gate_fails_once(size_t size)
{
    (void)size;
    return gate_allows == 0 || --gate_allows > 0;
}

/* After `count` more allocations every one fails, until memory_is_back(). */
static inline void memory_ends_after(size_t count)
{
    gate_allows = count;
    wh__mem_gate = gate_ends;
}

/* The nth allocation fails, the first being 1, and no other. */
static inline void memory_fails_once_at(size_t n)
{
    gate_allows = n;
    wh__mem_gate = gate_fails_once;
}

/* Returns whether all that was allowed was used up: the last one there was, or the one that failed. */
static inline bool memory_is_back(void)
{
    wh__mem_gate = NULL;
    return gate_allows == 0;
}

#endif
