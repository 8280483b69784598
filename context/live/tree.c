/* What was copied, as a tree. */
#include <string.h>

#include "context/live.h"

_Static_assert(sizeof(struct wh__seen) % 8 == 0 && sizeof(struct wh__leak) % 8 == 0, "words");
_Static_assert(sizeof(struct wh_latency) % 8 == 0, "words");

/* ---- sorting ---- */

/* By words: what is sorted here is made of them. */
static void swap(char *a, char *b, size_t size)
{
    uint64_t one, other;
    for (size_t i = 0; i < size; i += sizeof one) {
        memcpy(&one, a + i, sizeof one);
        memcpy(&other, b + i, sizeof other);
        memcpy(a + i, &other, sizeof other);
        memcpy(b + i, &one, sizeof one);
    }
}

/* A heap: qsort() may allocate, and take much of a small stack. */
void wh__sort(void *list, size_t count, size_t size, wh__compare *compare, const void *arg)
{
    char *base = list;
    size_t start = count / 2, end = count;
    while (end > 1) {
        if (start)
            start--;
        else
            swap(base, base + --end * size, size);
        for (size_t root = start, child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && compare(base + child * size, base + (child + 1) * size, arg) < 0) child++;
            if (compare(base + root * size, base + child * size, arg) >= 0) break;
            swap(base + root * size, base + child * size, size);
        }
    }
}

static int by_id(const void *a, const void *b, const void *unused)
{
    const struct wh__seen *one = a, *other = b;
    (void)unused;
    return one->id < other->id ? -1 : one->id > other->id;
}

/* ---- the tree ---- */

int32_t wh__snapshot_find(const struct wh__snapshot *snapshot, uint64_t id)
{
    size_t low = 0, high = snapshot->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (snapshot->list[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < snapshot->count && snapshot->list[low].id == id ? (int32_t)low : WH__NONE;
}

/* From the youngest on, so that the oldest of siblings comes first. A parent that is not there has gone since its child was
 * read: then that stands at the top. */
void wh__snapshot_link(struct wh__snapshot *snapshot)
{
    struct wh__seen *list = snapshot->list;
    wh__sort(list, snapshot->count, sizeof *list, by_id, NULL);
    snapshot->roots = WH__NONE;
    for (size_t i = 0; i < snapshot->count; i++) list[i].first = WH__NONE;
    for (size_t i = snapshot->count; i--;) {
        const int32_t above = list[i].parent ? wh__snapshot_find(snapshot, list[i].parent) : WH__NONE;
        int32_t *slot = above == WH__NONE ? &snapshot->roots : &list[above].first;
        list[i].above = above;
        list[i].next = *slot;
        *slot = (int32_t)i;
        if (above != WH__NONE) list[above].children++;
    }
}

int32_t wh__snapshot_next(const struct wh__snapshot *snapshot, int32_t at, uint32_t *depth)
{
    const struct wh__seen *list = snapshot->list;
    if (list[at].first != WH__NONE) {
        ++*depth;
        return list[at].first;
    }
    while (list[at].next == WH__NONE && list[at].above != WH__NONE) {
        at = list[at].above;
        --*depth;
    }
    return list[at].next;
}

/* ---- what it is ---- */

/* Of one that is just being ended it was not asked whether it has a span. */
static const char *kind_of_trace(const struct wh__seen *seen)
{
    if (seen->has_span) return seen->span.is_remote ? "remote" : "span";
    return seen->stage == WH__ENDING ? "trace" : "root";
}

const char *wh__seen_kind(const struct wh__seen *seen)
{
    if (seen->flags & WH__VALUE) return "value";
    if (seen->flags & WH__TRACE) return kind_of_trace(seen);
    if (seen->flags & WH__MEMBER) return "member";
    if (seen->flags & WH__SIGNALS) return "signals";
    if (seen->flags & WH__DETACHED) return "detached";
    return seen->asked != WH_NEVER ? "deadline" : "cancel";
}
