/* Deadlines: hierarchical wheels of vectors.
 *
 * A wheel has six levels of 64 slots. A slot of level 0 is one tick wide, about a millisecond; one of each further level 64
 * times as wide as one of the level before. A timer goes to the level of the highest digit, base 64, in which its tick and
 * the wheel's differ, and sinks as its time comes near; most are disarmed long before. Slots are vectors, not lists: firing
 * runs through memory in order, and a disarmed entry is a hole that the next timer fills. The exact instant stands in the
 * entry, so that nothing fires early and the thread sleeps until just then.
 *
 * There are several wheels, each with its lock, so that threads seldom meet. Locks go from wheel to node.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "context/because.h"
#include "context/clock.h"
#include "context/tree.h"
#include "loop.h"

enum { WHEELS = 8, AHEAD = 32, LEVELS = 6, SLOTS = 64, DIGIT = 6, TICK_SHIFT = 20, SMALL = 64, BATCH = 128 };

struct entry {
    wh_ctx *node;      /* NULL: a hole */
    int64_t instant;   /* of a hole: the index of the next one, -1 for none */
};

struct slot {
    struct entry *entries;
    uint32_t count, capacity; /* count includes holes */
    uint32_t live;
    int32_t hole;             /* the first, -1 for none */
};

struct wheel {
    uint32_t lock;
    int64_t tick;             /* never ahead of the clock */
    uint64_t used[LEVELS];    /* a bit for each slot that has live entries */
    struct slot slots[LEVELS * SLOTS]; /* those of level 0 first */
} __attribute__((aligned(64)));

static struct wheel wheels[WHEELS];

/* Where a timer stands, in one word that is never 0. In that of a node that goes by another clock, `there` is another number. */
enum { IN_WHEEL = 1 };
struct place {
    uint32_t index;
    uint16_t slot;
    uint8_t wheel, there;
};

static inline void set_place(wh_ctx *node, struct place place)
{
    const uint64_t word = (uint64_t)place.index << 32 | (uint64_t)place.slot << 16 | (uint64_t)place.wheel << 8 | place.there;
    __atomic_store_n(&node->timer, word, __ATOMIC_RELEASE);
}

static inline struct place place_of(const wh_ctx *node)
{
    const uint64_t word = __atomic_load_n(&node->timer, __ATOMIC_ACQUIRE);
    return (struct place){.index = (uint32_t)(word >> 32), .slot = (uint16_t)(word >> 16), .wheel = (uint8_t)(word >> 8),
        .there = (uint8_t)word};
}

static unsigned digit_of(int64_t tick, unsigned level)
{
    return (unsigned)(tick >> (DIGIT * level)) % SLOTS;
}

/* The top level is a circle: what is more than a turn away waits in the slot that comes last, and is looked at then. */
static inline unsigned choose_slot(const struct wheel *wheel, int64_t instant)
{
    int64_t tick = instant >> TICK_SHIFT;
    if (tick < wheel->tick) tick = wheel->tick;
    const uint64_t difference = (uint64_t)(tick ^ wheel->tick) | 1;
    unsigned level = (unsigned)(63 - __builtin_clzll(difference)) / DIGIT;
    if (level >= LEVELS) {
        level = LEVELS - 1;
        const int64_t last = (wheel->tick >> (DIGIT * level)) + SLOTS - 1;
        if (tick >> (DIGIT * level) > last) tick = last << (DIGIT * level);
    }
    return level * SLOTS + digit_of(tick, level);
}

/* The vector keeps its memory, so a wheel that has found its size allocates no more. */
static __attribute__((noinline)) bool grow(struct slot *slot)
{
    const uint32_t capacity = slot->capacity ? 2 * slot->capacity : 8;
    struct entry *entries = wh__mem_resize(slot->entries, capacity * sizeof *entries);
    if (!entries) return false;
    slot->entries = entries;
    slot->capacity = capacity;
    return true;
}

static inline __attribute__((always_inline)) bool put(struct wheel *wheel, wh_ctx *node, int64_t instant)
{
    const unsigned number = choose_slot(wheel, instant);
    struct place place = {.slot = (uint16_t)number, .wheel = (uint8_t)(wheel - wheels), .there = IN_WHEEL};
    struct slot *slot = &wheel->slots[number];
    if (slot->live < slot->count) {
        place.index = (uint32_t)slot->hole;
        slot->hole = (int32_t)slot->entries[place.index].instant;
    } else {
        if (slot->count == slot->capacity && !grow(slot)) return false;
        if (slot->count == 0) slot->hole = -1;
        place.index = slot->count++;
    }
    slot->entries[place.index] = (struct entry){node, instant};
    slot->live++;
    wheel->used[number / SLOTS] |= UINT64_C(1) << number % SLOTS;
    set_place(node, place);
    return true;
}

static inline void take(struct wheel *wheel, struct place place)
{
    struct slot *slot = &wheel->slots[place.slot];
    slot->entries[place.index] = (struct entry){NULL, slot->hole};
    slot->hole = (int32_t)place.index;
    if (--slot->live) return;
    slot->count = 0;
    wheel->used[place.slot / SLOTS] &= ~(UINT64_C(1) << place.slot % SLOTS);
    if (slot->capacity > SMALL) {
        wh__mem_free(slot->entries);
        *slot = (struct slot){0};
    }
}

bool wh__timer_arm(wh_ctx *node)
{
    if (wh__unlikely(node->flags & WH__CLOCKED)) return wh__clock_arm(node);
    if (!wh__loop_start()) return true; /* said so; who waits for the deadline looks at the clock itself */
    struct wh__thread *self = wh__self();
    struct wheel *wheel = &wheels[self ? self->number % WHEELS : 0];
    wh__lock_as(self, &wheel->lock);
    const bool armed = put(wheel, node, node->deadline);
    wh__unlock_as(self, &wheel->lock, 0);
    if (armed) wh__loop_wake_by(node->deadline);
    return armed;
}

/* Returns whether it was armed. */
static inline __attribute__((always_inline)) bool disarm(wh_ctx *node)
{
    struct place place = place_of(node);
    if (place.there != IN_WHEEL) {
        if (place.there) wh__clock_disarm(node);
        return false;
    }
    struct wheel *wheel = &wheels[place.wheel];
    struct wh__thread *self = wh__self();
    wh__lock_as(self, &wheel->lock);
    place = place_of(node);
    if (place.there) {
        take(wheel, place);
        set_place(node, (struct place){0});
    }
    wh__unlock_as(self, &wheel->lock, 0);
    return place.there;
}

void wh__timer_disarm(wh_ctx *node)
{
    disarm(node);
}

void wh__timer_leave(wh_ctx *node)
{
    if (wh__unlikely(!disarm(node))) wh__because_late(node);
}

/* ---- as time goes by, on the loop's thread ---- */

/* What has been taken out of its wheel and is not yet cancelled. Only that thread looks at it, and the child of a fork. */
static struct {
    wh_ctx *due[BATCH];
    size_t first, count; /* those before `first` are through */
    size_t taken;        /* in this turn of the wheel's lock: these, and those that needed no more */
    uint32_t scanned;    /* how much of the present slot of level 0 has been looked at in this round */
} firing;

/* A node on its way out is left to go. */
static bool pin(wh_ctx *node)
{
    wh__lock(&node->state);
    const bool lives = node->refs > 0;
    if (lives) wh__count_up(node);
    wh__unlock(&node->state);
    return lives;
}

/* Among a million, each node is a miss in every cache: the next ones are on their way while this one is worked at. Always
 * inline: gcc 12 takes a function that only fetches ahead for one without effect, and leaves the call out. */
static inline __attribute__((always_inline)) void fetch_ahead(const struct slot *slot, uint32_t i)
{
    const wh_ctx *node = i + AHEAD < slot->count ? slot->entries[i + AHEAD].node : NULL;
    if (!node) return;
    __builtin_prefetch(node, 1);
    __builtin_prefetch(&node->timer, 1);
}

/* Of the present slot of level 0: what is due by now, as far as there is room. A node is pinned before it says that it is in
 * no wheel: who sees that may give it back at once. */
static void take_due(struct wheel *wheel, int64_t now)
{
    struct place place = {.slot = (uint16_t)digit_of(wheel->tick, 0)};
    struct slot *slot = &wheel->slots[place.slot];
    for (; firing.scanned < slot->count && firing.taken < BATCH; firing.scanned++) {
        const uint32_t i = firing.scanned;
        wh_ctx *node = slot->entries[i].node;
        fetch_ahead(slot, i);
        if (!node || slot->entries[i].instant > now) continue;
        place.index = i;
        take(wheel, place);
        firing.taken++;
        if (!wh__expire_quietly(node, now) && pin(node)) firing.due[firing.count++] = node;
        set_place(node, (struct place){0});
    }
}

/* What does not find memory on its new level stays, and is tried again a tick later. */
static void sink(struct wheel *wheel, unsigned level)
{
    struct place place = {.slot = (uint16_t)(level * SLOTS + digit_of(wheel->tick, level))};
    struct slot *slot = &wheel->slots[place.slot];
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct entry entry = slot->entries[i];
        fetch_ahead(slot, i);
        if (!entry.node) continue;
        place.index = i;
        if (put(wheel, entry.node, entry.instant)) take(wheel, place);
    }
}

/* The first tick at which something is to be done on that level: a slot of level 0 is due, or one above is to sink. */
static int64_t next_on(const struct wheel *wheel, unsigned level)
{
    const unsigned present = digit_of(wheel->tick, level);
    const int64_t turn = wheel->tick >> (DIGIT * (level + 1)) << (DIGIT * (level + 1));
    const uint64_t ahead = wheel->used[level] >> present << present;
    if (ahead) return turn + ((int64_t)__builtin_ctzll(ahead) << (DIGIT * level));
    if (wheel->used[level] == 0) return INT64_MAX;
    return turn + ((int64_t)(SLOTS + __builtin_ctzll(wheel->used[level])) << (DIGIT * level));
}

static int64_t next_tick(const struct wheel *wheel)
{
    int64_t next = INT64_MAX;
    for (unsigned level = 0; level < LEVELS; level++) {
        const int64_t tick = next_on(wheel, level);
        if (tick < next) next = tick;
    }
    return next;
}

/* Moves on to the next tick at which there is something to do, at most to `last`; false if there was none. */
static bool advance(struct wheel *wheel, int64_t last)
{
    const int64_t next = next_tick(wheel);
    if (next > last) {
        wheel->tick = last;
        return false;
    }
    if (next > wheel->tick) {
        wheel->tick = next;
        firing.scanned = 0;
    }
    for (unsigned level = LEVELS - 1; level > 0; level--)
        if (wheel->used[level] >> digit_of(wheel->tick, level) & 1) sink(wheel, level);
    return true;
}

/* Returns whether there may be more. */
static bool collect(struct wheel *wheel, int64_t now)
{
    const int64_t last = now >> TICK_SHIFT;
    wh__lock(&wheel->lock);
    firing.first = firing.count = firing.taken = 0;
    while (firing.taken < BATCH && advance(wheel, last)) {
        take_due(wheel, now);
        if (firing.taken == BATCH || wheel->tick == last) break;
        if (!(wheel->used[0] >> digit_of(wheel->tick, 0) & 1)) wheel->tick++; /* else some came while we fired others */
        firing.scanned = 0;
    }
    const bool full = firing.taken == BATCH;
    wh__unlock(&wheel->lock);
    return full;
}

static int64_t earliest_in(const struct slot *slot)
{
    int64_t earliest = WH_NEVER;
    for (uint32_t i = 0; i < slot->count; i++)
        if (slot->entries[i].node && slot->entries[i].instant < earliest) earliest = slot->entries[i].instant;
    return earliest;
}

/* When the thread must look at this wheel again. */
static int64_t next_instant(struct wheel *wheel)
{
    wh__lock(&wheel->lock);
    const int64_t tick = next_on(wheel, 0);
    int64_t next = tick == INT64_MAX ? WH_NEVER : earliest_in(&wheel->slots[digit_of(tick, 0)]);
    for (unsigned level = 1; level < LEVELS; level++) {
        const int64_t sinks = next_on(wheel, level);
        if (sinks == INT64_MAX) continue;
        const int64_t instant = (sinks > wheel->tick ? sinks : wheel->tick + 1) << TICK_SHIFT;
        if (instant < next) next = instant;
    }
    wh__unlock(&wheel->lock);
    return next;
}

static void fire_all(int64_t now)
{
    while (firing.first < firing.count) {
        wh_ctx *node = firing.due[firing.first];
        wh__cancel(node, &(struct wh__verdict){.reason = WH_DEADLINE_EXCEEDED, .site = node->made, .not_a_loser = true, .now = &now});
        __atomic_store_n(&firing.first, firing.first + 1, __ATOMIC_RELEASE);
        wh__unref(node);
    }
}

/* In the child of a fork: what was about to fire in the parent is armed again. */
void wh__timers_take_back(void)
{
    while (firing.first < firing.count) {
        wh_ctx *node = firing.due[firing.first++];
        wh__lock(&wheels[0].lock);
        if (wh__state(node) < WH_NOT_OPEN_) put(&wheels[0], node, node->deadline);
        wh__unlock(&wheels[0].lock);
        wh__unref(node);
    }
}

int64_t wh__timers_fire(void)
{
    int64_t next = WH_NEVER;
    for (struct wheel *wheel = wheels; wheel < wheels + WHEELS; wheel++) {
        bool more = true;
        for (firing.scanned = 0; more;) {
            const int64_t now = wh__now();
            more = collect(wheel, now);
            fire_all(now);
        }
        const int64_t instant = next_instant(wheel);
        if (instant < next) next = instant;
    }
    return next;
}
