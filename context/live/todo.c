/* wh_todo(): a background that remembers who asked for it. */
#include "context/live.h"

enum { SITES = 256 };

const wh_ctx wh__todo = {.flags = WH__VALUE | WH__IMMORTAL};

/* Places are only ever added, in the order of their first call: a place that is seen stays. */
static struct {
    const struct wh_site *site;
    uint64_t count;
} uses[SITES];
static uint64_t lost; /* of places for which there was no room */

const wh_ctx *wh_todo_at(const struct wh_site *site)
{
    for (size_t i = 0; i < SITES; i++) {
        const struct wh_site *there = __atomic_load_n(&uses[i].site, __ATOMIC_ACQUIRE);
        if (!there && __atomic_compare_exchange_n(&uses[i].site, &there, site, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            there = site;
        if (there != site) continue;
        __atomic_fetch_add(&uses[i].count, 1, __ATOMIC_RELAXED);
        return &wh__todo;
    }
    __atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
    return &wh__todo;
}

const struct wh_site *wh__todo_site(size_t i, uint64_t *count)
{
    const struct wh_site *site = i < SITES ? __atomic_load_n(&uses[i].site, __ATOMIC_ACQUIRE) : NULL;
    if (site) *count = __atomic_load_n(&uses[i].count, __ATOMIC_RELAXED);
    return site;
}

uint64_t wh__todo_lost(void)
{
    return __atomic_load_n(&lost, __ATOMIC_RELAXED);
}
