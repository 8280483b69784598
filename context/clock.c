/* Clocks of one's own: their timers stand in a heap, by deadline and then in the order in which they were set, and fire when
 * somebody moves the clock.
 *
 * A clock is held by whoever made it and by each context that begins to go by it. Its lock comes before those of nodes. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/park.h"
#include "context/clock.h"
#include "context/tree.h"

struct timer {
    int64_t instant;
    uint64_t number;      /* how many were set before it */
    wh_ctx *node;         /* not held: it leaves before it goes */
};

struct wh_clock {
    uint32_t lock;
    uint32_t refs;        /* atomic */
    int64_t now;          /* [lock] to change it */
    uint32_t bell;        /* atomic; clock.h */
    uint32_t count, capacity; /* [lock] the heap */
    struct timer *timers;
    uint64_t number;      /* [lock] of the next timer */

    /* [lock] Who moves it. */
    uint32_t turns;       /* atomic; counts up when somebody has done with it, and is waited for with wh__park() */
    uint32_t depth;       /* 0: nobody; more than 1: from inside of callbacks */
    const void *mover;    /* his thread: the address of something that each has */
    uint32_t forks;       /* wh__forks then: another number, and he may be in the parent process */
    wh_ctx *firing;       /* what he has taken out and pinned, until it is cancelled */
};

struct clocked {
    wh_ctx node;
    wh_clock *clock;
};
_Static_assert(sizeof(struct clocked) <= 256, "one block");

/* ---- whose it is ---- */

wh_clock *wh_clock_new(int64_t start)
{
    wh_clock *clock = wh__mem_zero(sizeof *clock);
    if (!clock) {
        errno = ENOMEM;
        return NULL;
    }
    clock->refs = 1;
    clock->now = start;
    return clock;
}

static void hold(wh_clock *clock)
{
    __atomic_fetch_add(&clock->refs, 1, __ATOMIC_RELAXED);
}

static void let_go(wh_clock *clock)
{
    if (__atomic_sub_fetch(&clock->refs, 1, __ATOMIC_ACQ_REL)) return;
    wh__mem_free(clock->timers);
    wh__mem_free(clock);
}

void wh_clock_free(wh_clock *clock)
{
    if (clock) let_go(clock);
}

wh_clock *wh__clock_of(const wh_ctx *ctx)
{
    if (!ctx || !(ctx->flags & WH__CLOCKED)) return NULL;
    while (!(ctx->flags & WH__CLOCK)) ctx = ctx->parent;
    return ((const struct clocked *)(const void *)ctx)->clock;
}

void wh__clock_let_go(wh_ctx *node)
{
    let_go(((struct clocked *)(void *)node)->clock);
}

/* An instant of another clock says nothing here: of a deadline up there, only the news comes down. */
wh_ctx *wh_with_clock_at(const wh_ctx *parent, wh_clock *clock, const struct wh_site *site)
{
    wh_ctx *node = clock ? wh__node_new(parent, WH__256, WH__CLOCK | WH__CLOCKED | WH__HAS_MORE, WH_NEVER, 0, site) : NULL;
    if (!node) return wh__no_memory();
    if (wh__clock_of(parent) != clock) node->deadline = WH_NEVER;
    ((struct clocked *)(void *)node)->clock = clock;
    hold(clock);
    return wh__node_enter(node, 0);
}

/* ---- the time ---- */

int64_t wh_clock_now(const wh_clock *clock)
{
    return __atomic_load_n(&clock->now, __ATOMIC_ACQUIRE);
}

const uint32_t *wh__clock_bell(const wh_clock *clock)
{
    return &clock->bell;
}

void wh__clock_ring(wh_clock *clock)
{
    __atomic_fetch_add(&clock->bell, 1, __ATOMIC_RELEASE);
    wh__unpark(&clock->bell);
}

/* ---- the heap, under the lock ---- */

static bool is_before(const struct timer *a, const struct timer *b)
{
    return a->instant < b->instant || (a->instant == b->instant && a->number < b->number);
}

static void set(wh_clock *clock, uint32_t i, struct timer timer)
{
    clock->timers[i] = timer;
    __atomic_store_n(&timer.node->timer, (uint64_t)i << 32 | WH__ON_CLOCK, __ATOMIC_RELEASE);
}

static void sift_up(wh_clock *clock, uint32_t i, struct timer timer)
{
    for (; i && is_before(&timer, &clock->timers[(i - 1) / 2]); i = (i - 1) / 2) set(clock, i, clock->timers[(i - 1) / 2]);
    set(clock, i, timer);
}

static void sift_down(wh_clock *clock, uint32_t i, struct timer timer)
{
    for (uint32_t child; (child = 2 * i + 1) < clock->count; i = child) {
        if (child + 1 < clock->count && is_before(&clock->timers[child + 1], &clock->timers[child])) child++;
        if (is_before(&timer, &clock->timers[child])) break;
        set(clock, i, clock->timers[child]);
    }
    set(clock, i, timer);
}

/* The node still says where it was. */
static void take(wh_clock *clock, uint32_t i)
{
    const struct timer last = clock->timers[--clock->count];
    if (i == clock->count) return;
    if (i && is_before(&last, &clock->timers[(i - 1) / 2]))
        sift_up(clock, i, last);
    else
        sift_down(clock, i, last);
}

static void say_nowhere(wh_ctx *node)
{
    __atomic_store_n(&node->timer, 0, __ATOMIC_RELEASE);
}

/* ---- setting ---- */

/* Returns with the lock, or false without memory, which is got and given back without it. */
static bool lock_with_room(wh_clock *clock)
{
    for (;;) {
        wh__lock(&clock->lock);
        const uint32_t capacity = clock->capacity;
        if (clock->count < capacity) return true;
        wh__unlock(&clock->lock);
        const uint32_t more = capacity ? 2 * capacity : 16;
        struct timer *timers = wh__mem_get(more * sizeof *timers), *unused = timers;
        if (!timers) return false;
        wh__lock(&clock->lock);
        if (clock->capacity == capacity) {
            if (clock->count) memcpy(timers, clock->timers, clock->count * sizeof *timers);
            unused = clock->timers;
            clock->timers = timers;
            clock->capacity = more;
        }
        wh__unlock(&clock->lock);
        wh__mem_free(unused);
    }
}

static void fire(wh_ctx *node)
{
    wh__cancel(node, &(struct wh__verdict){.reason = WH_DEADLINE_EXCEEDED, .site = node->made, .not_a_loser = true});
}

/* If another thread has just moved the clock beyond it, nobody else might look for a while. */
bool wh__clock_arm(wh_ctx *node)
{
    wh_clock *clock = wh__clock_of(node);
    if (!lock_with_room(clock)) return false;
    sift_up(clock, clock->count++, (struct timer){.instant = node->deadline, .number = clock->number++, .node = node});
    const bool is_late = node->deadline <= clock->now;
    wh__unlock(&clock->lock);
    if (is_late) fire(node);
    return true;
}

void wh__clock_disarm(wh_ctx *node)
{
    wh_clock *clock = wh__clock_of(node);
    wh__lock(&clock->lock);
    const uint64_t place = __atomic_load_n(&node->timer, __ATOMIC_RELAXED);
    if (place) {
        take(clock, (uint32_t)(place >> 32));
        say_nowhere(node);
    }
    wh__unlock(&clock->lock);
}

/* ---- moving it ---- */

static const void *this_thread(void)
{
    static _Thread_local char own;
    return &own;
}

/* In the child of a fork, who moved the clock is gone, unless he forked: what he was about to fire is fired first. */
static bool begin_turn(wh_clock *clock)
{
    wh__lock(&clock->lock);
    const bool is_lost = clock->depth && clock->forks != wh__forks && clock->mover != this_thread();
    const bool begins = !clock->depth || clock->mover == this_thread() || is_lost;
    wh_ctx *left_behind = is_lost ? clock->firing : NULL;
    if (begins) {
        clock->depth = is_lost ? 1 : clock->depth + 1;
        clock->mover = this_thread();
        clock->forks = wh__forks;
        if (is_lost) clock->firing = NULL;
    }
    wh__unlock(&clock->lock);
    if (left_behind) {
        fire(left_behind);
        wh__unref(left_behind);
    }
    return begins;
}

static void wait_for_turn(wh_clock *clock)
{
    for (;;) {
        const uint32_t turns = __atomic_load_n(&clock->turns, __ATOMIC_ACQUIRE);
        if (begin_turn(clock)) return;
        wh__park(&clock->turns, turns, WH_NEVER);
    }
}

static void end_turn(wh_clock *clock)
{
    wh__lock(&clock->lock);
    const bool over = --clock->depth == 0;
    wh__unlock(&clock->lock);
    if (!over) return;
    __atomic_fetch_add(&clock->turns, 1, __ATOMIC_RELEASE);
    wh__unpark(&clock->turns);
}

/* Under the lock: takes out the first one. Returns it pinned, and NULL if it is on its way out. */
static wh_ctx *take_first(wh_clock *clock)
{
    wh_ctx *node = clock->timers[0].node;
    take(clock, 0);
    wh__lock(&node->state);
    const bool lives = node->refs > 0;
    if (lives) wh__count_up(node);
    wh__unlock(&node->state);
    say_nowhere(node); /* who sees that may give it back */
    return lives ? node : NULL;
}

static void set_now(wh_clock *clock, int64_t instant)
{
    if (instant > clock->now) __atomic_store_n(&clock->now, instant, __ATOMIC_RELEASE);
}

/* Moves it to the next deadline, and no further than `last`. Returns what fires there, pinned; NULL: it is through. */
static wh_ctx *step(wh_clock *clock, int64_t last)
{
    wh_ctx *due = NULL;
    wh__lock(&clock->lock);
    const int64_t before = clock->now;
    while (!due && clock->count && clock->timers[0].instant <= last) {
        set_now(clock, clock->timers[0].instant);
        due = take_first(clock);
    }
    if (!due) set_now(clock, last);
    clock->firing = due;
    const bool moved = clock->now != before;
    wh__unlock(&clock->lock);
    if (moved) wh__clock_ring(clock);
    return due;
}

/* One of its callbacks may free it. */
void wh_clock_advance(wh_clock *clock, int64_t by)
{
    hold(clock);
    wait_for_turn(clock);
    const int64_t last = wh__add(wh_clock_now(clock), by > 0 ? by : 0);
    for (wh_ctx *due; (due = step(clock, last)); wh__unref(due)) fire(due);
    end_turn(clock);
    let_go(clock);
}
