#include "trace/keys.h"

#include "base/mem.h"
#include "base/random.h"

bool wh__keys_begin(struct wh__keys *keys, struct wh_attrs list)
{
    keys->list = list.list;
    keys->count = keys->mask = 0;
    keys->slots = NULL;
    if (list.count <= WH__FEW_KEYS) return true;
    uint32_t slots = 4 * WH__FEW_KEYS;
    while (slots < 2 * list.count) slots *= 2;
    keys->mask = slots - 1;
    keys->seed = wh__random_without_thread();
    keys->slots = wh__mem_zero(slots * sizeof *keys->slots);
    return keys->slots != NULL;
}

void wh__keys_end(struct wh__keys *keys)
{
    if (keys->slots) wh__mem_free(keys->slots);
}

static uint64_t hash(uint64_t seed, const char *key)
{
    uint64_t h = seed;
    for (; *key; key++) {
        h = (h ^ (unsigned char)*key) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    return h ^ h >> 32;
}

/* Where the key stands, or would stand. */
static uint32_t *slot_of(const struct wh__keys *keys, const char *key)
{
    uint32_t i = (uint32_t)hash(keys->seed, key) & keys->mask;
    while (keys->slots[i] && strcmp(keys->list[keys->slots[i] - 1].key, key)) i = (i + 1) & keys->mask;
    return &keys->slots[i];
}

bool wh__keys_has(const struct wh__keys *keys, size_t place)
{
    const char *key = keys->list[place].key;
    if (keys->slots) return *slot_of(keys, key) != 0;
    for (uint32_t i = 0; i < keys->count; i++)
        if (strcmp(keys->list[keys->few[i]].key, key) == 0) return true;
    return false;
}

bool wh__keys_add(struct wh__keys *keys, size_t place)
{
    if (keys->slots) {
        uint32_t *slot = slot_of(keys, keys->list[place].key);
        if (*slot) return false;
        *slot = (uint32_t)place + 1;
        return true;
    }
    if (wh__keys_has(keys, place)) return false;
    keys->few[keys->count++] = (uint32_t)place;
    return true;
}
