#include "trace/slot.h"

#include <string.h>

#include "base/mem.h"

uint32_t wh__slot_number(void)
{
    static uint32_t next;
    return __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
}

/* Twice as large each time, so that the tables that were replaced take no more than the one in use. */
static struct wh__slots *table_for(struct wh__thread *self, uint32_t number)
{
    struct wh__slots *slots = self->slots;
    if (slots && number < slots->count) return slots;
    uint32_t count = slots ? slots->count : 8;
    while (count <= number) count *= 2;
    struct wh__slots *larger = wh__mem_zero(sizeof *larger + count * sizeof *larger->slot);
    if (!larger) return NULL;
    larger->count = count;
    larger->smaller = slots;
    if (slots) memcpy(larger->slot, slots->slot, slots->count * sizeof *slots->slot);
    __atomic_store_n(&self->slots, larger, __ATOMIC_RELEASE);
    return larger;
}

void *wh__slot_make(struct wh__thread *self, uint32_t number, size_t size)
{
    struct wh__slots *slots = table_for(self, number);
    void *slot = slots ? wh__mem_zero(size) : NULL;
    if (slot) __atomic_store_n(&slots->slot[number], slot, __ATOMIC_RELEASE);
    return slot;
}
