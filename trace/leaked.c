/* Spans that nobody has ended: a provider that is shut down ends them itself, so that they are not lost, and says which they were.
 *
 * There is no list of open spans, which every start and end would have to pay for. Instead, the blocks of all trace nodes are
 * looked through (base/slab.h, WH__KEPT): a node has a record exactly while its span is open, and whoever takes that away holds
 * the node's lock. What is found is held and loses its record under that lock; so its owner, who may be ending it just now,
 * comes either before us or too late, and then finds nothing to do.
 */
#include <errno.h>
#include <whence/names.h>

#include "base/clock.h"
#include "base/text.h"
#include "trace/batch.h"
#include "trace/keep.h"
#include "trace/own.h"
#include "trace/provider.h"
#include "trace/scope.h"
#include "trace/span.h"

enum { PLACES = 32, SAID = 4, SITE = 256 };

struct found {
    struct wh__trace_node *trace; /* held */
    struct wh__record *record;    /* ours */
    bool cancelled;
};

struct hunt {
    wh_provider *provider;
    int64_t limit;
    bool in_time;
    uint64_t room;                /* so many more may wait before the queues are emptied */
    struct found found[WH__MOST_ON_PAGE];
    size_t count;                 /* of these */
    uint64_t all, elsewhere;      /* in total, and at places for which there was no room */
    struct place {
        const struct wh_site *site;
        uint64_t count;
    } places[PLACES];
};

/* ---- finding: under the lock of the pages ---- */

/* Under its lock. By now it may be another span, opened without it. What was open at a fork is the parent's. */
static struct wh__record *leaking(const struct wh__trace_node *trace, const wh_provider *provider)
{
    struct wh__record *record = __atomic_load_n(&trace->record, __ATOMIC_ACQUIRE);
    if (!record || trace->flags & WH__TWIN || trace->provider != provider || record->forks != wh__forks) return NULL;
    return record;
}

/* Not by the program's leaving itself: nobody could have listened. */
static bool was_told(const wh_ctx *node, int64_t leaving)
{
    return wh__state(node) >= WH_NOT_OPEN_ && wh__origin(node)->at < leaving;
}

static void look_at(void *block, void *arg)
{
    struct wh__trace_node *trace = block;
    struct hunt *hunt = arg;
    if (!__atomic_load_n(&trace->record, __ATOMIC_ACQUIRE)) return;
    wh__lock(&trace->lock);
    struct wh__record *record = leaking(trace, hunt->provider);
    if (record) {
        wh__ref(&trace->node);
        hunt->found[hunt->count++] = (struct found){trace, record, was_told(&trace->node, hunt->provider->leaving)};
        __atomic_store_n(&trace->record, NULL, __ATOMIC_RELEASE);
    }
    wh__unlock(&trace->lock);
}

/* ---- ending ---- */

static void note_place(struct hunt *hunt, const struct wh_site *site)
{
    size_t i = 0;
    hunt->all++;
    while (i < PLACES && hunt->places[i].site && hunt->places[i].site != site) i++;
    if (i == PLACES) {
        hunt->elsewhere++;
        return;
    }
    hunt->places[i].site = site;
    hunt->places[i].count++;
}

/* How many spans of one thread every queue holds. */
static uint64_t room_of(const wh_provider *provider)
{
    uint64_t room = UINT64_MAX;
    for (size_t i = 0; i < provider->processor_count; i++) {
        const struct wh__pipe *pipe = provider->pipes[i];
        const struct wh__batch *batch = pipe && pipe->is_batch ? (const struct wh__batch *)pipe : NULL;
        if (batch && batch->max_queue < room) room = batch->max_queue;
    }
    return room;
}

/* While there is time, the queues are not left to overflow. */
static void make_room(struct hunt *hunt)
{
    if (hunt->room-- > 0) return;
    hunt->room = room_of(hunt->provider) - 1;
    if (hunt->in_time) hunt->in_time = wh__provider_drain(hunt->provider, hunt->limit) != ETIMEDOUT && wh__now() < hunt->limit;
}

static void end_late(struct hunt *hunt, const struct found *found)
{
    struct wh__counts *counts = wh__counts_own(hunt->provider);
    const bool sampled = found->trace->flags & WH_SAMPLED;
    if (counts && sampled) wh__count(&counts->dropped_shutdown);
    if (counts && !sampled && !found->record->charged) wh__count(&counts->recorded_only);
    if (counts) wh__count(&counts->ended);
    wh__keep_lose(found->trace, found->record);
}

static void end_leaked(const struct found *found)
{
    struct wh__trace_node *trace = found->trace;
    struct wh__record *record = found->record;
    const int64_t now = wh__now();
    char site[SITE];
    wh__own_attr(&record, wh_attr(WH_ATTR_LEAKED, (bool)true));
    wh__own_text(&record, WH_ATTR_LEAKED_SITE, wh__say_site(site, sizeof site, trace->node.made));
    wh__own_ms(&record, WH_ATTR_LEAKED_AGE_MS, now - trace->started);
    wh__span_finish(trace, record, now, found->cancelled);
}

static void end_all(struct hunt *hunt)
{
    struct wh__counts *counts = wh__counts_own(hunt->provider);
    for (size_t i = 0; i < hunt->count; i++) {
        const struct found *found = &hunt->found[i];
        note_place(hunt, found->trace->node.made);
        if (counts) wh__count(&counts->leaked);
        make_room(hunt);
        if (hunt->in_time)
            end_leaked(found);
        else
            end_late(hunt, found);
        wh__unref(&found->trace->node);
    }
    hunt->count = 0;
}

/* ---- saying ---- */

/* The place with the most of those that were not yet named. */
static struct place *worst(struct hunt *hunt)
{
    struct place *worst = &hunt->places[0];
    for (size_t i = 1; i < PLACES; i++)
        if (hunt->places[i].count > worst->count) worst = &hunt->places[i];
    return worst;
}

static void report(struct hunt *hunt)
{
    char line[480], site[SITE];
    struct wh__text text = {.buf = line, .size = sizeof line};
    uint64_t left = hunt->all;
    if (!left) return;
    for (int i = 0; i < SAID; i++) {
        struct place *place = worst(hunt);
        if (!place->count) break;
        wh__put(&text, "%s%llu started at %s", i ? ", " : "", (unsigned long long)place->count, wh__say_site(site, sizeof site, place->site));
        left -= place->count;
        place->count = 0;
    }
    if (left) wh__put(&text, ", %llu elsewhere", (unsigned long long)left);
    wh_report(WH_WARNING, "%llu span%s never ended: %s", (unsigned long long)hunt->all, hunt->all == 1 ? " was" : "s were", line);
}

void wh__end_leaked(wh_provider *provider, int64_t limit)
{
    struct hunt hunt = {.provider = provider, .limit = limit, .in_time = true};
    struct wh__walk walk;
    wh__walk_begin(&walk);
    while (wh__walk_page(&walk, look_at, &hunt)) end_all(&hunt);
    wh__walk_end(&walk);
    report(&hunt);
}
