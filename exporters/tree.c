/* Spans into a tree. Nothing of what they say is trusted: ids may be missing, double, or make a circle. */
#include "exporters/tree.h"

#include <stdlib.h>

#include "base/mem.h"

/* ---- finding ---- */

static size_t slot_of(const struct wh__tree *tree, const uint8_t id[8])
{
    uint64_t word;
    memcpy(&word, id, sizeof word);
    return (size_t)(word * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (tree->slot_count - 1);
}

/* The slot of that id, or the empty one where it would be. */
static uint32_t *look_up(const struct wh__tree *tree, const uint8_t id[8])
{
    size_t i = slot_of(tree, id);
    while (tree->slots[i] && memcmp(tree->spans[tree->slots[i] - 1]->id, id, 8)) i = (i + 1) & (tree->slot_count - 1);
    return &tree->slots[i];
}

struct wh__tree_span *wh__tree_find(const struct wh__tree *tree, const uint8_t id[8])
{
    const uint32_t found = tree->slots && wh__tree_has_id(id) ? *look_up(tree, id) : 0;
    return found ? tree->spans[found - 1] : NULL;
}

static bool make_index(struct wh__tree *tree)
{
    for (tree->slot_count = 4; tree->slot_count < 2 * tree->count;) tree->slot_count *= 2;
    tree->slots = wh__mem_zero(tree->slot_count * sizeof *tree->slots);
    for (size_t i = 0; tree->slots && i < tree->count; i++) {
        uint32_t *slot = look_up(tree, tree->spans[i]->id);
        if (!*slot) *slot = (uint32_t)i + 1;
    }
    return tree->slots;
}

/* ---- linking ---- */

static int by_start(const void *a, const void *b)
{
    const struct wh__tree_span *x = *(struct wh__tree_span *const *)a, *y = *(struct wh__tree_span *const *)b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return x->arrival < y->arrival ? -1 : x->arrival > y->arrival;
}

/* Walks up from every span that is not settled. Whoever is met twice on one walk closes a circle, which is cut there.
 * Until this is done `depth` says on which walk a span was met first; 0: on none. */
static void cut_circles(struct wh__tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        struct wh__tree_span *span = tree->spans[i];
        for (; span && span->depth == 0; span = span->up) span->depth = i + 1;
        if (span && span->depth == i + 1) span->up = NULL;
    }
}

static void add_below(struct wh__tree *tree, struct wh__tree_span *span, struct wh__tree_span **last_top)
{
    struct wh__tree_span **last = span->up ? &span->up->last_down : last_top;
    struct wh__tree_span **first = span->up ? &span->up->down : &tree->top;
    if (*last)
        (*last)->next = span;
    else
        *first = span;
    *last = span;
}

bool wh__tree_link(struct wh__tree *tree)
{
    struct wh__tree_span *last_top = NULL;
    qsort(tree->spans, tree->count, sizeof *tree->spans, by_start);
    if (!make_index(tree)) return false;
    for (size_t i = 0; i < tree->count; i++) tree->spans[i]->up = wh__tree_find(tree, tree->spans[i]->parent);
    cut_circles(tree);
    tree->start = tree->count ? tree->spans[0]->start : 0;
    tree->end = tree->start;
    for (size_t i = 0; i < tree->count; i++) {
        struct wh__tree_span *span = tree->spans[i];
        span->is_orphan = !span->up && !span->parent_is_remote && wh__tree_has_id(span->parent);
        if (span->end > tree->end) tree->end = span->end;
        add_below(tree, span, &last_top);
    }
    for (struct wh__tree_span *span = tree->top; span; span = wh__tree_next(span))
        span->depth = span->up ? span->up->depth + 1 : 0;
    return true;
}

struct wh__tree_span *wh__tree_next(const struct wh__tree_span *span)
{
    if (span->down) return span->down;
    while (span && !span->next) span = span->up;
    return span ? span->next : NULL;
}

void wh__tree_clear(struct wh__tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) wh__mem_free(tree->spans[i]);
    wh__mem_free(tree->spans);
    wh__mem_free(tree->slots);
    *tree = (struct wh__tree){0};
}
