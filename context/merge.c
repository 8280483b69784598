/* Merged contexts: made of several sources, done as soon as one of them is. How the news gets there: cancel.c. */
#include "context/merge.h"

#include <string.h>

#include "base/mem.h"
#include "context/clock.h"
#include "context/quick.h"
#include "context/tree.h"

/* Whether a source was named before is looked up among so many; a second tie to one would do no harm. */
enum { LOOK_AT = 32 };

/* ---- values ----
 *
 * A lookup goes straight up first, through the whole chain of every first source. What it does not find there stands in the
 * table of the nearest merged node: of each key, the one that comes first when all sources are read in their order. So no
 * lookup ever branches, and as there are only so many keys in a program, tables are small. */

static const struct wh__merged *nearest_merged(const wh_ctx *ctx)
{
    if (!ctx || !(ctx->flags & WH__MERGED_ABOVE)) return NULL;
    while (!(ctx->flags & WH__MERGED)) ctx = ctx->parent;
    return wh__merged(ctx);
}

static const struct wh__value_node *find(const struct wh__values *values, const struct wh_key *key)
{
    for (uint32_t i = 0; i < values->count; i++)
        if (values->nodes[i]->key == key) return values->nodes[i];
    return NULL;
}

const void *wh__merged_value(const wh_ctx *ctx, const struct wh_key *key)
{
    const struct wh__value_node *found = find(&nearest_merged(ctx)->values, key);
    return found ? found->value : NULL;
}

static bool add_value(struct wh__values *values, const struct wh__value_node *node)
{
    if (find(values, node->key)) return true;
    if (values->count >= values->capacity) {
        const uint32_t capacity = 2 * values->count + 4;
        const struct wh__value_node **nodes = wh__mem_get(capacity * sizeof *nodes);
        if (!nodes) return false;
        if (values->count) memcpy(nodes, values->nodes, values->count * sizeof *nodes);
        if (values->capacity) wh__mem_free(values->nodes);
        values->nodes = nodes;
        values->capacity = capacity;
    }
    values->nodes[values->count++] = node;
    return true;
}

static bool add_all(struct wh__values *values, const struct wh__values *more)
{
    for (uint32_t i = 0; i < more->count; i++)
        if (!add_value(values, more->nodes[i])) return false;
    return true;
}

/* Where the chain of a source runs into that of the first, whose values are seen anyway; NULL if it does not, or if its own
 * end is nearer. */
static const wh_ctx *meeting(const wh_ctx *source, const wh_ctx *first)
{
    if (!first) return NULL;
    const uint32_t apart = source->level > first->level ? source->level - first->level : first->level - source->level;
    if (apart > source->level) return NULL;
    while (source && first && source != first) {
        if (source->level >= first->level)
            source = wh__parent(source);
        else
            first = wh__parent(first);
    }
    return source == first ? source : NULL;
}

static bool add_chain(struct wh__values *values, const wh_ctx *source, const wh_ctx *first)
{
    const struct wh__merged *merged = nearest_merged(source);
    const wh_ctx *end = meeting(source, first);
    for (const wh_ctx *ctx = source; ctx != end; ctx = wh__parent(ctx))
        if (ctx->flags & WH__VALUE && !(ctx->flags & WH__IMMORTAL) && !add_value(values, (const void *)ctx)) return false;
    return !merged || add_all(values, &merged->values);
}

static bool gather_values(struct wh__merged *merged)
{
    const struct wh__merged *above = nearest_merged(merged->node.parent);
    if (above) merged->values = (struct wh__values){.nodes = above->values.nodes, .count = above->values.count};
    for (const struct wh__tie *tie = merged->ties; tie; tie = tie->also)
        if (!add_chain(&merged->values, tie->parent, merged->node.parent)) return false;
    return true;
}

/* ---- making: nobody else knows of it ---- */

static bool is_named(const struct wh__merged *merged, const wh_ctx *source)
{
    if (source == merged->node.parent) return true;
    const struct wh__tie *tie = merged->ties;
    for (int i = 0; tie && i < LOOK_AT; tie = tie->also, i++)
        if (tie->parent == source) return true;
    return false;
}

/* Two sources may have one live node, as values of it: that is tied to once. */
static bool is_tied(const struct wh__merged *merged, const wh_ctx *live)
{
    if (live == wh__live_above(&merged->node)) return true;
    const struct wh__tie *tie = merged->ties;
    for (int i = 0; tie && i < LOOK_AT; tie = tie->also, i++)
        if (tie->refs && wh__live(tie->parent) == live) return true;
    return false;
}

static void drop(struct wh__merged *merged)
{
    for (struct wh__tie *tie; (tie = merged->ties);) {
        merged->ties = tie->also;
        wh__slab_put(tie);
    }
    if (merged->values.capacity) wh__mem_free(merged->values.nodes);
    wh__slab_put(merged);
}

/* One for each further source that can say anything: wh_background() can not. */
static bool make_ties(struct wh__merged *merged, const wh_ctx *const *sources, size_t count)
{
    struct wh__tie **slot = &merged->ties;
    for (size_t i = 1; i < count; i++) {
        if (wh__is_background(sources[i]) || is_named(merged, sources[i])) continue;
        struct wh__tie *tie = wh__slab_get(WH__64);
        if (!tie) return false;
        *tie = (struct wh__tie){.state = WH_NOT_OPEN_, .flags = WH__TIE, .parent = (wh_ctx *)sources[i], .merged = merged};
        *slot = tie;
        slot = &tie->also;
    }
    return true;
}

static struct wh__merged *make(const wh_ctx *const *sources, size_t count, const struct wh_site *site)
{
    const wh_ctx *first = count ? sources[0] : NULL;
    wh_ctx *node = wh__node_new(first, WH__256, WH__MERGED | WH__MERGED_ABOVE | WH__HAS_MORE, WH_NEVER, 0, site);
    if (!node) return NULL;
    struct wh__merged *merged = wh__merged(node);
    memset(&merged->node + 1, 0, sizeof *merged - sizeof merged->node);
    if (make_ties(merged, sources, count) && gather_values(merged)) return merged;
    drop(merged);
    return NULL;
}

/* ---- the earliest deadline ---- */

/* Of another clock only the news counts. */
static bool shares_clock(const wh_ctx *node, const wh_ctx *live)
{
    return !((node->flags | live->flags) & WH__CLOCKED) || wh__clock_of(node) == wh__clock_of(live);
}

static void set_deadline(struct wh__merged *merged)
{
    wh_ctx *node = &merged->node;
    for (const struct wh__tie *tie = merged->ties; tie; tie = tie->also) {
        const wh_ctx *live = wh__live(tie->parent);
        if (live && live->deadline < node->deadline && shares_clock(node, live)) node->deadline = live->deadline;
    }
}

wh_ctx *wh__deadline_source(const wh_ctx *node)
{
    wh_ctx *above = wh__live_above(node);
    const struct wh__tie *tie = wh__merged(node)->ties;
    while (tie && !(above && above->deadline == node->deadline && shares_clock(node, above))) {
        above = wh__live(tie->parent);
        tie = tie->also;
    }
    return above;
}

/* ---- entering ---- */

/* Under the lock of both, or while nobody else has the node. */
static uint32_t be_done_by(struct wh__merged *merged, const struct wh__tie *tie, const wh_ctx *live)
{
    merged->node.origin = wh__origin(live);
    merged->through = tie;
    return (uint32_t)WH__ERR(wh__state(live)) << 8;
}

static const struct wh__tie *first_done(const struct wh__merged *merged)
{
    const wh_ctx *above = wh__live_above(&merged->node);
    if (above && wh__state(above) >= WH_NOT_OPEN_) return NULL;
    const struct wh__tie *tie = merged->ties;
    while (tie && !wh_err_(tie->parent)) tie = tie->also;
    return tie;
}

/* R10: no cancel of the source can be lost. */
static void hang(struct wh__tie *tie, wh_ctx *live)
{
    wh_ctx *node = &tie->merged->node;
    tie->refs = 1;
    wh__lock(&live->state);
    if (wh__state_held(live) < WH_NOT_OPEN_) {
        wh__hang_in((wh_ctx *)(void *)tie, live);
    } else {
        wh__lock(&node->state);
        const uint32_t state = wh__state_held(node);
        wh__unlock_to(&node->state, state < WH_NOT_OPEN_ ? be_done_by(tie->merged, tie, live) : state);
    }
    wh__unlock(&live->state);
}

static void hang_all(struct wh__merged *merged)
{
    for (struct wh__tie *tie = merged->ties; tie && wh__state(&merged->node) < WH_NOT_OPEN_; tie = tie->also) {
        wh_ctx *live = wh__live(tie->parent);
        if (live && !is_tied(merged, live)) hang(tie, live);
    }
}

static wh_ctx *enter(struct wh__merged *merged)
{
    wh_ctx *node = &merged->node;
    for (const struct wh__tie *tie = merged->ties; tie; tie = tie->also) wh_hold(tie->parent);
    const struct wh__tie *done = first_done(merged);
    if (done) {
        node->state = be_done_by(merged, done, wh__live(done->parent));
        wh_hold(node->parent);
        return node;
    }
    wh__node_enter(node, 0);
    hang_all(merged);
    return node;
}

wh_ctx *wh_merge_at(const wh_ctx *const *sources, size_t count, const struct wh_site *site)
{
    struct wh__merged *merged = make(sources, count, site);
    if (!merged) return wh__no_memory();
    if (!merged->ties) { /* it has one source, or none */
        drop(merged);
        return wh_with_cancel_at(count ? sources[0] : NULL, site);
    }
    set_deadline(merged);
    return enter(merged);
}

/* ---- leaving ---- */

void wh__untie(wh_ctx *node)
{
    for (struct wh__tie *tie = wh__merged(node)->ties; tie; tie = tie->also) {
        wh_ctx *live = wh__live(tie->parent);
        if (!live || live->flags & WH__IMMORTAL) continue;
        wh__lock(&live->state);
        if (tie->link) wh__hang_out((wh_ctx *)(void *)tie);
        wh__unlock(&live->state);
    }
}

void wh__merged_dispose(wh_ctx *node)
{
    const struct wh__values *values = &wh__merged(node)->values;
    if (values->capacity) wh__mem_free(values->nodes);
}

/* ---- the cause ---- */

uint32_t wh__depth_below(const wh_ctx *ctx, const wh_ctx *origin)
{
    uint32_t depth = 0;
    const struct wh__merged *merged = nearest_merged(ctx);
    while (merged && &merged->node != origin && wh__state(&merged->node) >= WH_NOT_OPEN_ && wh__origin(&merged->node) == origin) {
        const struct wh__tie *through = merged->through;
        const wh_ctx *source = through ? through->parent : merged->node.parent;
        depth += ctx->level - merged->node.level + 1;
        ctx = source;
        merged = nearest_merged(ctx);
    }
    return depth + (ctx->level - origin->level);
}
