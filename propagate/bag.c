/* Members of baggage, gathered and kept. */
#include "propagate/bag.h"

#include <string.h>

#include "base/mem.h"
#include "propagate/percent.h"

/* ---- gathering ---- */

static inline uint64_t word_at(const char *text, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, text, len < 8 ? len : 8);
    return word;
}

/* Of the length, the first eight bytes and the last: names that differ elsewhere only are compared. */
static inline unsigned hash_of(const struct wh__part *name)
{
    const uint64_t first = word_at(name->text, name->len), last = name->len > 8 ? word_at(name->text + name->len - 8, 8) : 0;
    return (unsigned)(((first ^ (last << 21 | last >> 43) ^ name->len) * UINT64_C(0x9e3779b97f4a7c15)) >> 57);
}

static bool is_same(const struct wh__part *a, const struct wh__part *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Where its index stands, or may stand. At most half of the slots are taken. */
static uint8_t *slot_of(struct wh__members *members, const struct wh__part *name)
{
    unsigned at = hash_of(name);
    while (members->slots[at] && !is_same(&members->list[members->slots[at] - 1].name, name)) at = (at + 1) % WH__BAG_SLOTS;
    return &members->slots[at];
}

static inline size_t bytes_of(const struct wh__member *member)
{
    return member->name.len + member->value.len + member->metadata.len;
}

/* baggage/api.md: "exactly one value per name", and the new one takes precedence. */
bool wh__members_add(struct wh__members *members, const struct wh__member *member)
{
    uint8_t *slot = slot_of(members, &member->name);
    struct wh__member *former = *slot ? &members->list[*slot - 1] : NULL;
    const size_t room = WH__BAG_BYTES - members->bytes + (former ? bytes_of(former) : 0), bytes = bytes_of(member);
    if (bytes > room || (!former && members->count == WH__BAG_MEMBERS)) return false;
    members->bytes = (uint32_t)(WH__BAG_BYTES - room + bytes);
    if (!former) {
        former = &members->list[members->count++];
        *slot = (uint8_t)members->count;
    }
    *former = *member;
    return true;
}

static struct wh__part part_of(const char *text)
{
    return (struct wh__part){text, text ? strlen(text) : 0};
}

void wh__members_add_bag(struct wh__members *members, const struct wh__bag *bag, const char *but)
{
    for (size_t i = 0; bag && i < bag->count; i++) {
        const struct wh_baggage_member *member = &bag->members[i];
        if (but && strcmp(member->name, but) == 0) continue;
        wh__members_add(members, &(struct wh__member){part_of(member->name), part_of(member->value), part_of(member->metadata), false});
    }
}

/* ---- keeping ---- */

static const char *put(char **room, const struct wh__part *part, bool encoded)
{
    const char *text = *room;
    if (encoded)
        *room = wh__percent_decode(*room, part->text, part->len);
    else
        *room = (char *)memcpy(*room, part->text, part->len) + part->len;
    *(*room)++ = '\0';
    return text;
}

struct wh__bag *wh__bag_new(const struct wh__members *members)
{
    const size_t count = members->count, ends = 3 * count;
    struct wh__bag *bag = count ? wh__mem_get(sizeof *bag + count * sizeof *bag->members + members->bytes + ends) : NULL;
    if (!bag) return NULL;
    bag->count = count;
    char *room = (char *)(bag->members + count);
    for (size_t i = 0; i < count; i++) {
        const struct wh__member *member = &members->list[i];
        struct wh_baggage_member *kept = &bag->members[i];
        kept->name = put(&room, &member->name, false);
        kept->value = put(&room, &member->value, member->encoded);
        kept->metadata = member->metadata.len ? put(&room, &member->metadata, false) : NULL;
    }
    return bag;
}

void wh__bag_free(struct wh__bag *bag)
{
    wh__mem_free(bag);
}
