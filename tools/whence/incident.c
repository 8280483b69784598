#include "incident.h"

#include <stdlib.h>
#include <string.h>

#include "store.h"

enum { MOST_ELSEWHERE = 64 };

/* ---- one step ---- */

static bool says_anything(const struct culprit *culprit)
{
    return culprit->reason || culprit->site || culprit->span_name || !is_zero(culprit->span_id, 8);
}

/* Whether it failed by itself, not because somebody else had cancelled it. */
static bool failed_itself(const struct span *span)
{
    if (span->status != STATUS_ERROR) return false;
    if (!was_cancelled(span)) return true;
    const struct culprit *origin = &span->facts->origin;
    return origin->span == span || is_zero(origin->span_id, 8);
}

/* Of the children that failed the last one, as of several attempts; of those that ran beside it, the one that failed first. */
static struct span *failed_child(const struct span *span)
{
    struct span *last = NULL, *first;
    for (struct span *child = span->down; child; child = child->next)
        if (failed_itself(child) && (!last || child->end > last->end)) last = child;
    first = last;
    for (struct span *child = span->down; child; child = child->next)
        if (failed_itself(child) && child->end < first->end && child->end > last->start) first = child;
    return first;
}

/* What is on this one's other side failed: that needs nobody to say so. */
static bool is_other_side(const struct span *span, const struct span *child)
{
    return child->parent_is_remote && (span->kind == KIND_CLIENT || span->kind == KIND_PRODUCER);
}

static bool leads_to(const struct span *span, const struct span *cause)
{
    return span == cause || (span->facts && (span->facts->root.span == cause || span->facts->callee.span == cause));
}

/* The child by which the first cause came up: what lies between is worth telling. */
static struct span *child_towards(const struct span *span, const struct span *cause)
{
    for (struct span *child = span->down; child; child = child->next)
        if (failed_itself(child) && leads_to(child, cause)) return child;
    return NULL;
}

static struct because because_of_failure(const struct span *span)
{
    const struct facts *facts = span->facts;
    if (facts && facts->callee.span && facts->callee.span != span) return (struct because){.span = facts->callee.span};
    if (facts && facts->root.span && facts->root.span != span) {
        struct span *child = child_towards(span, facts->root.span);
        return (struct because){.span = child ? child : facts->root.span};
    }
    struct span *child = failed_child(span);
    if (child && (is_other_side(span, child) || !facts || !facts->callee.reason))
        return (struct because){.span = child, .probably = !is_other_side(span, child)};
    if (facts && says_anything(&facts->callee)) return (struct because){.missing = &facts->callee};
    if (facts && !facts->root.span && says_anything(&facts->root)) return (struct because){.missing = &facts->root};
    return (struct because){0};
}

/* What belongs to no span, as a signal to the program, stopped the parent in the same way. */
static bool is_from_above(const struct span *span)
{
    const struct span *up = span->up;
    if (!up || !was_cancelled(up) || up->resource->service != span->resource->service) return false;
    if (!is_zero(up->facts->origin.span_id, 8) || up->facts->reason != span->facts->reason) return false;
    return up->facts->site == span->facts->site || up->facts->brief || span->facts->brief;
}

static struct because because_of_cancel(const struct span *span)
{
    const struct facts *facts = span->facts;
    const struct culprit *origin = &facts->origin, *root = &facts->root;
    if (origin->span && origin->span != span) return (struct because){.span = origin->span};
    if (root->span && root->span != span) return (struct because){.span = root->span};
    if (!origin->span && !is_zero(origin->span_id, 8)) return (struct because){.missing = says_anything(root) ? root : origin};
    if (!root->span && says_anything(root)) return (struct because){.missing = root};
    if (!origin->span && is_from_above(span)) return (struct because){.span = span->up};
    return (struct because){0};
}

struct because because_of(const struct span *span)
{
    if (was_cancelled(span)) return because_of_cancel(span);
    return span->status == STATUS_ERROR ? because_of_failure(span) : (struct because){0};
}

/* ---- all steps ---- */

/* For each span of the trace what it leads to; another span of it, or none. */
struct walk {
    const struct trace *trace;
    struct because *ends; /* by index: .span NULL and .missing NULL: not known yet */
    uint32_t *marks;      /* by index: the walk that came by */
    struct span **path;
    struct incidents found;
    uint32_t *table;      /* of what was found, by its cause, plus one; open addressing */
    size_t slots;         /* a power of two */
};

static bool is_here(const struct walk *walk, const struct span *span)
{
    return span->trace == walk->trace;
}

/* Through other traces, of whose spans nothing is noted: so far, and no further. */
static struct because follow_elsewhere(struct span *span)
{
    for (int i = 0; i < MOST_ELSEWHERE; i++) {
        const struct because next = because_of(span);
        if (next.missing) return next;
        if (!next.span) break;
        span = next.span;
    }
    return (struct because){.span = span};
}

/* Follows it to the end, and notes the end for all who are on the way: each span is walked over once. A circle ends where it
 * closes. */
static void follow(struct walk *walk, struct span *from)
{
    size_t len = 0;
    struct because end = {0};
    bool probably = false;
    for (struct span *span = from;;) {
        if (!is_here(walk, span)) {
            end = follow_elsewhere(span);
            break;
        }
        if (walk->marks[span->index] == from->index + 1) {
            end.span = span;
            break;
        }
        if (walk->ends[span->index].span || walk->ends[span->index].missing) {
            end = walk->ends[span->index];
            break;
        }
        walk->marks[span->index] = from->index + 1;
        walk->path[len++] = span;
        const struct because next = because_of(span);
        if (!next.span) {
            end = next.missing ? next : (struct because){.span = span};
            break;
        }
        span = next.span;
    }
    probably = end.probably;
    for (; len > 0; len--) {
        struct span *span = walk->path[len - 1];
        probably |= because_of(span).probably;
        walk->ends[span->index] = (struct because){.span = end.span, .missing = end.missing, .probably = probably};
    }
}

/* ---- what it cost ---- */

int64_t overrun_of(const struct span *span)
{
    if (!was_cancelled(span)) return 0;
    const uint64_t ns = span->end - span->facts->cancelled_at;
    return ns < INT64_MAX ? (int64_t)ns : INT64_MAX - 1;
}

/* Children come in the order of their starts, and what they ran on begins no earlier: but not in the order of the cancels. */
struct interval {
    uint64_t from, to;
};

static int by_from(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

static uint64_t covered(struct interval *list, size_t count, const struct interval *within)
{
    uint64_t sum = 0, at = within->from;
    qsort(list, count, sizeof *list, by_from);
    for (size_t i = 0; i < count; i++) {
        const uint64_t from = list[i].from > at ? list[i].from : at, to = list[i].to < within->to ? list[i].to : within->to;
        if (to <= from) continue;
        sum += to - from;
        at = to;
    }
    return sum;
}

int64_t wasted_by(const struct span *span)
{
    size_t count = 0;
    const int64_t overrun = overrun_of(span);
    if (overrun == 0) return 0;
    for (const struct span *child = span->down; child; child = child->next) count += was_cancelled(child);
    if (count == 0) return overrun;
    struct interval *list = must_get(count * sizeof *list);
    count = 0;
    for (const struct span *child = span->down; child; child = child->next)
        if (was_cancelled(child)) list[count++] = (struct interval){child->facts->cancelled_at, child->end};
    const struct interval within = {span->facts->cancelled_at, span->end};
    const uint64_t others = covered(list, count, &within);
    free(list);
    return overrun - (int64_t)others;
}

/* ---- gathering ---- */

static uint64_t instant_of(const struct span *span)
{
    return was_cancelled(span) ? span->facts->cancelled_at : span->end;
}

static bool same_culprit(const struct culprit *a, const struct culprit *b)
{
    if (a == b) return true;
    if (!a || !b || memcmp(a->span_id, b->span_id, 8) != 0) return false;
    return !is_zero(a->span_id, 8) || (a->reason == b->reason && a->site == b->site);
}

static size_t hash_of(const struct because *end)
{
    uint64_t word = (uint64_t)(uintptr_t)end->span;
    if (end->missing) memcpy(&word, end->missing->span_id, 8);
    if (end->missing && !word) word = (uint64_t)(uintptr_t)end->missing->site;
    word *= 0x9e3779b97f4a7c15;
    return (size_t)(word ^ word >> 32);
}

static uint32_t *slot_of(const struct walk *walk, const struct because *end)
{
    size_t i = hash_of(end) & (walk->slots - 1);
    for (uint32_t n; (n = walk->table[i]); i = (i + 1) & (walk->slots - 1)) {
        const struct incident *incident = &walk->found.list[n - 1];
        if (incident->cause == end->span && same_culprit(incident->missing, end->missing)) break;
    }
    return &walk->table[i];
}

static void make_slots(struct walk *walk)
{
    struct incidents *found = &walk->found;
    if (found->count * 2 < walk->slots) return;
    walk->slots = walk->slots ? walk->slots * 2 : 16;
    free(walk->table);
    walk->table = must_get(walk->slots * sizeof *walk->table);
    found->list = must_resize(found->list, walk->slots, sizeof *found->list);
    for (size_t i = 0; i < found->count; i++)
        *slot_of(walk, &(struct because){.span = found->list[i].cause, .missing = found->list[i].missing}) = (uint32_t)i + 1;
}

static struct incident *incident_for(struct walk *walk, const struct because *end)
{
    make_slots(walk);
    uint32_t *slot = slot_of(walk, end);
    if (*slot) return &walk->found.list[*slot - 1];
    walk->found.list[walk->found.count] = (struct incident){.cause = end->span, .missing = end->missing, .at = UINT64_MAX};
    *slot = (uint32_t)++walk->found.count;
    return &walk->found.list[*slot - 1];
}

static bool is_nearer(const struct span *a, const struct span *b)
{
    return !b || a->depth < b->depth || (a->depth == b->depth && a->start < b->start);
}

static void note(struct incident *incident, struct span *span, const struct because *end)
{
    const int64_t overrun = overrun_of(span);
    const struct because next = because_of(span);
    const bool is_direct = next.span ? next.span == incident->cause : next.missing != NULL;
    if (is_nearer(span, incident->subject)) {
        incident->subject = span;
        incident->probably = end->probably;
    }
    if (span == incident->cause || (is_direct && !incident->witness)) incident->witness = span;
    if (instant_of(span) < incident->at) incident->at = instant_of(span);
    if (overrun > 0 && (!incident->longest || overrun > overrun_of(incident->longest))) incident->longest = span;
    if (__builtin_add_overflow(incident->wasted, wasted_by(span), &incident->wasted)) incident->wasted = INT64_MAX - 1;
    if (span == incident->cause) return;
    incident->hit_count++;
    if (was_cancelled(span)) incident->stopped++;
    else incident->failed++;
}

static int by_service(const void *a, const void *b)
{
    const char *x = (*(struct span *const *)a)->resource->service, *y = (*(struct span *const *)b)->resource->service;
    return x < y ? -1 : x > y;
}

static size_t services_of(struct span *const *hit, size_t count)
{
    struct span **sorted = must_get(count * sizeof *sorted);
    size_t services = 0;
    if (count) memcpy(sorted, hit, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_service);
    for (size_t i = 0; i < count; i++) services += i == 0 || sorted[i]->resource->service != sorted[i - 1]->resource->service;
    free(sorted);
    return services;
}

static int by_reach(const void *a, const void *b)
{
    const struct incident *x = a, *y = b;
    const bool x_is_root = x->subject->depth == 0, y_is_root = y->subject->depth == 0;
    if (x_is_root != y_is_root) return x_is_root ? -1 : 1;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->subject->index < y->subject->index ? -1 : x->subject->index > y->subject->index;
}

/* The spans once more, now that it is known how many each has. */
static void list_hits(struct walk *walk)
{
    size_t at = 0;
    struct incidents *found = &walk->found;
    found->hits = must_get(walk->trace->count * sizeof *found->hits);
    for (size_t i = 0; i < found->count; i++) {
        found->list[i].hit = found->hits + at;
        at += found->list[i].hit_count;
        found->list[i].hit_count = 0;
    }
    for (size_t i = 0; i < walk->trace->count; i++) {
        struct span *span = walk->trace->spans[i];
        if (!is_troubled(span) || span == walk->ends[i].span) continue;
        struct incident *incident = incident_for(walk, &walk->ends[i]);
        incident->hit[incident->hit_count++] = span;
    }
    for (size_t i = 0; i < found->count; i++) found->list[i].services = services_of(found->list[i].hit, found->list[i].hit_count);
}

struct incidents incidents_of(const struct trace *trace)
{
    struct walk walk = {.trace = trace, .ends = must_get(trace->count * sizeof *walk.ends),
        .marks = must_get(trace->count * sizeof *walk.marks), .path = must_get(trace->count * sizeof *walk.path)};
    for (size_t i = 0; i < trace->count; i++) {
        struct span *span = trace->spans[i];
        if (!is_troubled(span)) continue;
        follow(&walk, span);
        note(incident_for(&walk, &walk.ends[i]), span, &walk.ends[i]);
    }
    list_hits(&walk);
    if (walk.found.count) qsort(walk.found.list, walk.found.count, sizeof *walk.found.list, by_reach);
    free(walk.ends);
    free(walk.marks);
    free(walk.path);
    free(walk.table);
    return walk.found;
}

void incidents_free(struct incidents *incidents)
{
    free(incidents->list);
    free(incidents->hits);
    *incidents = (struct incidents){0};
}
