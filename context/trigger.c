/* Cancelling from a signal handler.
 *
 * The handler may only store and write: it fills the trigger's slot, links it to those that have fired, and wakes the
 * loop's thread, which cancels.
 *
 * While one thread frees a trigger another may be in a handler that is about to fire it; nobody could wait for that. So a
 * trigger is no pointer but a number: which slot, and which of all the triggers that this slot has been. Slots stay for
 * ever, and the first atomic operation on one settles whether the number still holds.
 */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "context/tree.h"
#include "loop.h"

/* The low bits of a slot's word; above them, the number of the trigger that it is. */
enum {
    FREE,
    ARMED,
    FIRED,     /* among those that have fired, or about to be */
    ABANDONED, /* the same, and freed: who has cancelled gives the slot back */
    OVER,
    STATE = 7
};
enum { STATE_BITS = 3, INDEX_BITS = 18, PAGE_BITS = 6, PAGE = 1 << PAGE_BITS, PAGES = 1 << (INDEX_BITS - PAGE_BITS) };

struct slot {
    uintptr_t word;          /* atomic */
    uint32_t index;
    uint32_t forks;          /* wh__forks when it was made: another number, and it is the parent process's */
    wh_ctx *ctx;             /* held */
    const struct wh_reason *reason;
    const struct wh_site *site;
    int signo;
    struct slot *next;       /* among those that have fired, or those that are free */
};

static struct slot *pages[PAGES]; /* atomic; each is written once */
static struct {
    uint32_t lock;
    uint32_t count;          /* pages */
    struct slot *free;
} all;
static struct slot *fired;   /* atomic; newest first */
static struct slot *taken;   /* out of these, by the loop's thread; the first is being cancelled */

static uintptr_t word_of(const struct slot *slot)
{
    return __atomic_load_n(&slot->word, __ATOMIC_ACQUIRE);
}

static bool turn(struct slot *slot, uintptr_t from, uintptr_t to)
{
    return __atomic_compare_exchange_n(&slot->word, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* ---- numbers ---- */

static wh_trigger *trigger_of(const struct slot *slot, uintptr_t number)
{
    return (wh_trigger *)(number << INDEX_BITS | slot->index);
}

static uintptr_t number_of(const wh_trigger *trigger)
{
    return (uintptr_t)trigger >> INDEX_BITS;
}

static struct slot *slot_of(const wh_trigger *trigger)
{
    const uintptr_t index = (uintptr_t)trigger & ((1u << INDEX_BITS) - 1);
    struct slot *page = __atomic_load_n(&pages[index >> PAGE_BITS], __ATOMIC_ACQUIRE);
    return page ? &page[index % PAGE] : NULL;
}

/* What its slot says while it is that trigger and in that state. */
static uintptr_t word_in(const wh_trigger *trigger, uintptr_t state)
{
    return number_of(trigger) << STATE_BITS | state;
}

/* ---- slots ---- */

static void give_back(struct slot *slot)
{
    wh_release(slot->ctx);
    __atomic_store_n(&slot->word, word_of(slot) & ~(uintptr_t)STATE, __ATOMIC_RELEASE);
    wh__lock(&all.lock);
    slot->next = all.free;
    all.free = slot;
    wh__unlock(&all.lock);
}

static void use_page(struct slot *page)
{
    for (uint32_t i = PAGE; i-- > 0;) {
        page[i].index = (all.count << PAGE_BITS) + i;
        page[i].next = all.free;
        all.free = &page[i];
    }
    __atomic_store_n(&pages[all.count++], page, __ATOMIC_RELEASE);
}

static struct slot *take_free(void)
{
    struct slot *slot = all.free;
    if (slot) all.free = slot->next;
    return slot;
}

/* NULL without memory. Numbers that come round to 0 begin again with 1: so a trigger is never NULL. */
static struct slot *new_slot(void)
{
    wh__lock(&all.lock);
    struct slot *slot = take_free();
    wh__unlock(&all.lock);
    if (slot) return slot;
    struct slot *page = wh__mem_zero(PAGE * sizeof *page);
    if (!page) return NULL;
    wh__lock(&all.lock);
    const bool fits = !all.free && all.count < PAGES;
    if (fits) use_page(page);
    slot = take_free();
    wh__unlock(&all.lock);
    if (!fits) wh__mem_free(page);
    return slot;
}

static uintptr_t next_number(const struct slot *slot)
{
    const uintptr_t most = UINTPTR_MAX >> INDEX_BITS, number = ((word_of(slot) >> STATE_BITS) + 1) & most;
    return number ? number : 1;
}

/* ---- the user's ---- */

int wh_trigger_new(wh_ctx *ctx, wh_trigger **trigger)
{
    wh_ctx *own = wh__own(ctx);
    if (own == wh__no_memory()) return ENOMEM;
    if (!own || own->flags & (WH__VALUE | WH__IMMORTAL)) return EINVAL;
    if (!wh__loop_start()) return EAGAIN;
    struct slot *slot = new_slot();
    if (!slot) return ENOMEM;
    wh_hold(own);
    slot->ctx = own;
    slot->forks = wh__forks;
    *trigger = trigger_of(slot, next_number(slot));
    __atomic_store_n(&slot->word, word_in(*trigger, ARMED), __ATOMIC_RELEASE);
    return 0;
}

/* Async-signal-safe: loads, stores, atomic operations, and one write(). In the child of a fork it fires in vain. */
bool wh_trigger_fire_at(wh_trigger *trigger, const struct wh_reason *reason, int signo, const struct wh_site *site)
{
    struct slot *slot = trigger ? slot_of(trigger) : NULL;
    if (!slot || !turn(slot, word_in(trigger, ARMED), word_in(trigger, FIRED)) || slot->forks != wh__forks) return false;
    slot->reason = reason;
    slot->signo = signo;
    slot->site = site;
    slot->next = __atomic_load_n(&fired, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&fired, &slot->next, slot, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) continue;
    const int saved = errno;
    wh__loop_signal();
    errno = saved;
    return true;
}

void wh_trigger_free(wh_trigger *trigger)
{
    struct slot *slot = trigger ? slot_of(trigger) : NULL;
    if (!slot) return;
    const bool is_parents = slot->forks != wh__forks; /* once it is abandoned it may be another's */
    const uintptr_t name = word_in(trigger, 0); /* its states are tried in the order in which it goes through them */
    if (turn(slot, name | ARMED, name | FREE)) {
        give_back(slot);
    } else if (turn(slot, name | FIRED, name | ABANDONED)) {
        if (is_parents) give_back(slot); /* nobody here will */
    } else if (turn(slot, name | OVER, name | FREE)) {
        give_back(slot);
    }
}

/* ---- on the loop's thread ---- */

static void cancel(const struct slot *slot)
{
    char text[32];
    snprintf(text, sizeof text, "signal %d", slot->signo);
    wh__slab_stock(WH__128); /* for the text */
    wh_cancel_at(slot->ctx, slot->reason, slot->signo ? text : NULL, false, slot->site);
}

/* The fields of the slot are not looked at once it may be given back. */
static void settle(struct slot *slot)
{
    const uintptr_t name = word_of(slot) & ~(uintptr_t)STATE;
    if (!turn(slot, name | FIRED, name | OVER)) give_back(slot);
}

static struct slot *in_order(struct slot *newest)
{
    struct slot *oldest = NULL;
    for (struct slot *slot; (slot = newest);) {
        newest = slot->next;
        slot->next = oldest;
        oldest = slot;
    }
    return oldest;
}

void wh__triggers_ready(void)
{
    taken = in_order(__atomic_exchange_n(&fired, NULL, __ATOMIC_ACQUIRE));
    for (struct slot *slot; (slot = taken);) {
        cancel(slot);
        taken = slot->next;
        settle(slot);
    }
}

/* ---- in the child of a fork: what the parent's have fired is the parent's to cancel ---- */

static void forget(struct slot **list)
{
    for (struct slot *slot; (slot = *list);) {
        *list = slot->next;
        if ((word_of(slot) & STATE) == ABANDONED) give_back(slot);
    }
}

void wh__triggers_forget(void)
{
    forget(&fired);
    forget(&taken);
}
