/* Members of baggage, gathered and kept. */
#include "propagate/bag.h"

#include <string.h>

#include "base/mem.h"
#include "propagate/percent.h"

/* ---- gathering ---- */

static inline uint64_t bit_of(const struct wh__part *name)
{
    const unsigned hash = (unsigned)name->len * 7 + (uint8_t)name->text[0] * 31u + (uint8_t)name->text[name->len / 2] * 13u +
                          (uint8_t)name->text[name->len - 1];
    return UINT64_C(1) << (hash & 63);
}

static struct wh__member *find(struct wh__members *members, const struct wh__part *name)
{
    for (uint32_t i = 0; i < members->count; i++) {
        struct wh__part *other = &members->list[i].name;
        if (other->len == name->len && memcmp(other->text, name->text, name->len) == 0) return &members->list[i];
    }
    return NULL;
}

static inline size_t bytes_of(const struct wh__member *member)
{
    return member->name.len + member->value.len + member->metadata.len;
}

/* baggage/api.md: "exactly one value per name", and the new one takes precedence. */
bool wh__members_add(struct wh__members *members, const struct wh__member *member)
{
    const uint64_t bit = bit_of(&member->name);
    struct wh__member *former = members->seen & bit ? find(members, &member->name) : NULL;
    const size_t room = WH__BAG_BYTES - members->bytes + (former ? bytes_of(former) : 0), bytes = bytes_of(member);
    if (bytes > room || (!former && members->count == WH__BAG_MEMBERS)) return false;
    members->bytes = (uint32_t)(WH__BAG_BYTES - room + bytes);
    members->seen |= bit;
    *(former ? former : &members->list[members->count++]) = *member;
    return true;
}

void wh__members_remove(struct wh__members *members, const char *name, size_t len)
{
    struct wh__member *found = find(members, &(struct wh__part){name, len});
    if (!found) return;
    members->count--;
    members->bytes -= (uint32_t)bytes_of(found);
    memmove(found, found + 1, (size_t)(members->list + members->count - found) * sizeof *found);
}

static struct wh__part part_of(const char *text)
{
    return (struct wh__part){text, text ? strlen(text) : 0};
}

void wh__members_add_bag(struct wh__members *members, const struct wh__bag *bag)
{
    for (size_t i = 0; bag && i < bag->count; i++) {
        const struct wh_baggage_member *member = &bag->members[i];
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
