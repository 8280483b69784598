/* The lists of those who are alive, several so that threads seldom meet; and what turns them on. */
#include <stdlib.h>

#include "base/clock.h"
#include "list.h"

struct wh__list wh__lists[WH__LISTS];
static uint64_t ids; /* atomic: the last one given. In each list they ascend: they are given under its lock */

/* ---- what is tracked ---- */

static uint32_t lock;      /* of demand, and of making the gate say what is tracked */
static unsigned asked;     /* [lock to change] what wh_track() was told */
static unsigned demand;    /* [lock] test roots */
static size_t unlisted;    /* contexts for whose record there was no memory */

static bool lists(void)
{
    return __atomic_load_n(&asked, __ATOMIC_RELAXED) & (WH_TRACK_LIVE | WH_TRACK_LEAKS) ||
           __atomic_load_n(&demand, __ATOMIC_RELAXED);
}

bool wh__live_measures(void)
{
    return __atomic_load_n(&asked, __ATOMIC_RELAXED) & WH_TRACK_LATENCY;
}

/* Under the lock. */
static void set_gate(void)
{
    if (asked || demand)
        __atomic_fetch_or(&wh__gate, WH__TRACKING, __ATOMIC_RELEASE);
    else
        __atomic_fetch_and(&wh__gate, ~WH__TRACKING, __ATOMIC_RELEASE);
}

static void at_exit(void)
{
    if (__atomic_load_n(&asked, __ATOMIC_RELAXED) & WH_TRACK_LEAKS) wh__leaks_at_exit();
}

void wh_track(unsigned what)
{
    static bool registered;
    what &= WH_TRACK_LIVE | WH_TRACK_LATENCY | WH_TRACK_LEAKS;
    if (what & WH_TRACK_LEAKS && !__atomic_exchange_n(&registered, true, __ATOMIC_RELAXED)) atexit(at_exit);
    wh__lock(&lock);
    __atomic_store_n(&asked, what, __ATOMIC_RELAXED);
    set_gate();
    wh__unlock(&lock);
}

void wh__live_demand(int more)
{
    wh__lock(&lock);
    __atomic_store_n(&demand, demand + (unsigned)more, __ATOMIC_RELAXED);
    set_gate();
    wh__unlock(&lock);
}

size_t wh__live_unlisted(void)
{
    return __atomic_load_n(&unlisted, __ATOMIC_RELAXED);
}

/* ---- coming and going ---- */

void wh__list_put(struct wh__live_record *record, struct wh__live_record *before)
{
    record->next = before;
    record->prev = before->prev;
    record->prev->next = record;
    before->prev = record;
}

void wh__list_take(struct wh__live_record *record)
{
    record->prev->next = record->next;
    record->next->prev = record->prev;
}

void wh__list_begin(struct wh__list *list)
{
    if (!list->ends.next) list->ends.next = list->ends.prev = &list->ends;
}

static void list(struct wh__live_record *record)
{
    struct wh__list *list = &wh__lists[record->list];
    wh__lock(&list->lock);
    wh__list_begin(list);
    record->id = __atomic_add_fetch(&ids, 1, __ATOMIC_RELAXED);
    wh__list_put(record, &list->ends);
    list->count++;
    wh__unlock(&list->lock);
}

uint64_t wh__live_last_id(void)
{
    return __atomic_load_n(&ids, __ATOMIC_RELAXED);
}

/* What is not listed may be measured: for that it has what few have, so that ending it goes the long way. */
wh_ctx *wh__live_enter(wh_ctx *node)
{
    const bool is_value = node->flags & WH__VALUE;
    struct wh__extra *extra = is_value ? NULL : wh__extra_of(node, true);
    if (!lists()) return node;
    struct wh__live_record *record = extra || is_value ? wh__slab_get(WH__64) : NULL;
    if (!record) {
        __atomic_fetch_add(&unlisted, 1, __ATOMIC_RELAXED);
        return node;
    }
    const struct wh__live_record *parent = wh__live_record_of(wh__parent(node));
    const struct wh__thread *self = wh__self();
    *record = (struct wh__live_record){
        .node = node,
        .parent = parent ? parent->id : 0,
        .born = wh__now(),
        .thread = self ? self->id : 0,
        .flags = node->flags | (node->parent ? node->parent->flags & WH__SHARD : 0),
        .forks = (uint16_t)wh__forks,
        .list = self ? self->id % WH__LISTS : 0,
    };
    list(record);
    if (is_value)
        ((struct wh__value_node *)(void *)node)->record = record;
    else
        __atomic_store_n(&extra->record, record, __ATOMIC_RELEASE);
    return node;
}

static void set_stage(struct wh__live_record *record, uint8_t stage)
{
    struct wh__list *list = &wh__lists[record->list];
    wh__lock(&list->lock);
    record->stage = stage;
    wh__unlock(&list->lock);
}

void wh__live_ending(struct wh__live_record *record)
{
    set_stage(record, WH__ENDING);
}

void wh__live_stays(struct wh__live_record *record)
{
    set_stage(record, WH__HELD);
}

void wh__live_leave(struct wh__live_record *record)
{
    struct wh__list *list = &wh__lists[record->list];
    wh__lock(&list->lock);
    wh__list_take(record);
    list->count--;
    wh__unlock(&list->lock);
    wh__slab_put(record);
}

void wh__live_waits(struct wh__live_record *record, int more)
{
    __atomic_fetch_add(&record->waiters, (uint32_t)more, __ATOMIC_RELAXED);
}

size_t wh_live_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < WH__LISTS; i++) {
        wh__lock(&wh__lists[i].lock);
        count += wh__lists[i].count;
        wh__unlock(&wh__lists[i].lock);
    }
    return count;
}
