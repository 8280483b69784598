/* A copy of the list, taken in slices.
 *
 * A bookmark in the list keeps the place between two slices. Under the list's lock no record goes, so no node that is
 * listed goes; under the node's own lock, while somebody has it and its owner is not just ending it, what it points to stays too.
 * Memory is had before the lock is. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "context/clock.h"
#include "context/shards.h"
#include "list.h"

_Static_assert(WH_DUMP_SLICE > 0 && WH__NAME_MAX < WH_TEXT_MAX, "room for the texts of a slice");
enum { TEXTS_OF_ONE = WH__NAME_MAX + 1 + WH_TEXT_MAX + 1 };

/* ---- one context ---- */

static size_t keep_text(struct wh__snapshot *snapshot, const char *text, size_t most)
{
    size_t len = text ? strnlen(text, most + 1) : 0;
    if (len == 0) return 0;
    if (len > most) len = wh__utf8_cut(text, most);
    const size_t at = snapshot->texts_len;
    memcpy(snapshot->texts + at, text, len);
    snapshot->texts[at + len] = '\0';
    snapshot->texts_len += len + 1;
    return at;
}

static bool is_static(const wh_ctx *node)
{
    return node == NULL || node == wh_background() || node == &wh__todo || node == wh__no_memory();
}

/* What is left of its deadline, by whatever clock it goes, from now on. */
static int64_t by_the_system(const wh_ctx *node)
{
    if (node->deadline == WH_NEVER || !(node->flags & WH__CLOCKED)) return node->deadline;
    return wh__add(wh__now(), wh__until(node->deadline, wh__now_for(node)));
}

/* What the record and the immutable part of the node say. */
static void copy_fixed(struct wh__snapshot *snapshot, struct wh__seen *seen, const struct wh__live_record *record)
{
    const wh_ctx *node = record->node;
    *seen = (struct wh__seen){
        .id = record->id,
        .parent = record->parent,
        .address = node,
        .parent_address = is_static(node->parent) || record->flags & WH__SHARD ? NULL : node->parent,
        .born = record->born,
        .asked = WH_NEVER,
        .deadline = WH_NEVER,
        .flags = record->flags,
        .thread = record->thread,
        .level = node->level,
        .waiters = __atomic_load_n(&record->waiters, __ATOMIC_RELAXED),
        .is_inherited = record->forks != (uint16_t)wh__forks,
        .stage = record->stage,
    };
    if (record->flags & WH__VALUE) {
        const struct wh_key *key = ((const struct wh__value_node *)(const void *)node)->key;
        seen->name = keep_text(snapshot, key->name, WH__NAME_MAX);
        seen->value_size = key->value_size;
    } else {
        seen->made = node->made;
        seen->asked = node->asked;
        if (!(record->flags & WH__CLOCKED)) seen->deadline = node->deadline;
    }
}

static void copy_cause(struct wh__snapshot *snapshot, struct wh__seen *seen, const wh_ctx *live)
{
    const uint32_t state = wh__state(live);
    if (state < WH_NOT_OPEN_) return;
    const wh_ctx *origin = wh__origin(live);
    const struct wh__live_record *record = wh__live_record_of(origin);
    seen->err = WH__ERR(state);
    seen->origin = record ? record->id : 0;
    seen->reason = origin->reason;
    seen->cause_site = origin->site;
    seen->done_at = origin->at;
    if (origin == seen->address) seen->text = keep_text(snapshot, origin->text, WH_TEXT_MAX);
}

/* Under the node's lock, and somebody has it. */
static void copy_rest(struct wh__snapshot *snapshot, struct wh__seen *seen, const wh_ctx *node)
{
    const bool is_value = seen->flags & WH__VALUE;
    const wh_ctx *live = wh__live(node);
    if (seen->flags & WH__SHARD) seen->parent_address = wh__parent(node);
    seen->refs = wh__refs(node);
    if (live) copy_cause(snapshot, seen, live);
    seen->deadline = live ? by_the_system(live) : WH_NEVER;
    if (is_value) return;
    seen->callbacks = wh__callbacks_count(node, WH__MOST_CALLBACKS);
    const struct wh__span_ops *ops = seen->flags & WH__TRACE ? wh__span_ops() : NULL;
    seen->has_span = ops && ops->look(node, &seen->span);
    if (seen->has_span) seen->name = keep_text(snapshot, seen->span.name, WH__NAME_MAX);
}

static void copy(struct wh__snapshot *snapshot, const struct wh__live_record *record)
{
    struct wh__seen *seen = &snapshot->list[snapshot->count++];
    wh_ctx *node = (wh_ctx *)record->node;
    copy_fixed(snapshot, seen, record);
    if (seen->stage == WH__ENDING) return;
    wh__lock(&node->state);
    if (node->refs)
        copy_rest(snapshot, seen, node);
    else
        seen->stage = WH__ENDING;
    wh__unlock(&node->state);
}

/* ---- one list ---- */

static bool make_room(struct wh__snapshot *snapshot)
{
    while (snapshot->capacity - snapshot->count < WH_DUMP_SLICE) {
        const size_t capacity = snapshot->capacity ? 2 * snapshot->capacity : 2 * WH_DUMP_SLICE;
        struct wh__seen *list = wh__mem_resize(snapshot->list, capacity * sizeof *list);
        if (!list) return false;
        snapshot->list = list;
        snapshot->capacity = capacity;
    }
    while (snapshot->texts_capacity < snapshot->texts_len + (size_t)WH_DUMP_SLICE * TEXTS_OF_ONE) {
        const size_t least = (size_t)2 * WH_DUMP_SLICE * TEXTS_OF_ONE;
        const size_t capacity = snapshot->texts_capacity ? 2 * snapshot->texts_capacity : least;
        char *texts = wh__mem_resize(snapshot->texts, capacity);
        if (!texts) return false;
        snapshot->texts = texts;
        snapshot->texts_capacity = capacity;
    }
    return true;
}

/* Under the lock of the list. Returns the first that is still to be read, `ends` if there is none. A bookmark whose dump
 * stayed in the parent process is taken out, and its memory left alone. */
static struct wh__live_record *read_slice(struct wh__snapshot *snapshot, struct wh__list *list,
                                          struct wh__live_record *record, uint64_t last)
{
    size_t steps = 0;
    for (struct wh__live_record *next; record != &list->ends && steps < WH_DUMP_SLICE; record = next, steps++) {
        next = record->next;
        if (!record->node) {
            if (record->forks != (uint16_t)wh__forks) wh__list_take(record);
        } else if (record->id > last) {
            record = &list->ends; /* and so are all that follow */
            break;
        } else {
            copy(snapshot, record);
        }
    }
    if (steps > snapshot->longest) snapshot->longest = steps;
    snapshot->slices++;
    return record;
}

static bool read_list(struct wh__snapshot *snapshot, struct wh__list *list, struct wh__live_record *bookmark,
                       uint64_t last)
{
    bool more = true, placed = false, room = true;
    while (more) {
        room = make_room(snapshot);
        wh__lock(&list->lock);
        wh__list_begin(list);
        struct wh__live_record *from = placed ? bookmark->next : list->ends.next;
        if (placed) wh__list_take(bookmark);
        if (room) from = read_slice(snapshot, list, from, last);
        more = placed = room && from != &list->ends;
        if (placed) wh__list_put(bookmark, from);
        wh__unlock(&list->lock);
    }
    return room;
}

int wh__snapshot_take(struct wh__snapshot *snapshot)
{
    *snapshot = (struct wh__snapshot){.texts_len = 1, .at = wh__now(), .roots = WH__NONE};
    struct wh__live_record *bookmark = wh__mem_zero(sizeof *bookmark);
    const uint64_t last = wh__live_last_id();
    bool room = bookmark != NULL;
    if (bookmark) bookmark->forks = (uint16_t)wh__forks;
    for (size_t i = 0; room && i < WH__LISTS; i++) room = read_list(snapshot, &wh__lists[i], bookmark, last);
    wh__mem_free(bookmark);
    if (!room) return ENOMEM;
    snapshot->texts[0] = '\0';
    return 0;
}

void wh__snapshot_free(struct wh__snapshot *snapshot)
{
    wh__mem_free(snapshot->list);
    wh__mem_free(snapshot->texts);
    *snapshot = (struct wh__snapshot){.roots = WH__NONE};
}
