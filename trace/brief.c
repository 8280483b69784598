/* Too many spans under one cancelled context: the first say everything, the others the least that still leads to the origin.
 *
 * What a cancellation says of itself is larger than most spans. Of a million spans that one cancel stops, the first thousand of
 * a thread say it in full; in the others it is five attributes. Each thread counts for itself, so that ends share nothing; it
 * remembers the origins of which it has ended most.
 */
#include "trace/brief.h"

#include <whence/names.h>

#include "base/clock.h"
#include "context/tree.h"
#include "trace/own.h"
#include "trace/provider.h"

/* A place for it among a few; the one that has least to lose. */
static struct wh__stopped *place_of(struct wh__counts *counts, const wh_ctx *origin, int64_t at)
{
    const size_t from = (size_t)(((uintptr_t)origin >> 7) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    struct wh__stopped *least = &counts->stopped[from % WH__STOPPED];
    for (size_t i = 0; i < WH__STOPPED_WAYS; i++) {
        struct wh__stopped *there = &counts->stopped[(from + i) % WH__STOPPED];
        if (there->origin == origin && there->at == at) return there;
        if (there->count < least->count) least = there;
    }
    *least = (struct wh__stopped){.origin = origin, .at = at};
    return least;
}

bool wh__is_brief(const struct wh__trace_node *trace, const struct wh_cause *cause)
{
    const wh_ctx *origin = wh__origin(&trace->node);
    struct wh__counts *counts = origin == &trace->node ? NULL : wh__counts_own(trace->provider);
    if (!counts) return false;
    struct wh__stopped *stopped = place_of(counts, origin, cause->at);
    if (stopped->count < WH__MOST_IN_FULL) {
        stopped->count++;
        return false;
    }
    wh__count(&counts->brief);
    return true;
}

void wh__record_briefly(struct wh__record **record, const struct wh_cause *cause, int64_t overrun)
{
    wh__own_attr(record, wh_attr(WH_ATTR_CANCELLED, (bool)true));
    wh__own_attr(record, wh_attr(WH_ATTR_CANCEL_BRIEF, (bool)true));
    wh__own_text(record, WH_ATTR_CANCEL_REASON, cause->reason->name);
    if (cause->has_span) wh__own_id(record, WH_ATTR_CANCEL_ORIGIN_SPAN_ID, cause->span_id, sizeof cause->span_id);
    wh__own_attr(record, wh_attr(WH_ATTR_CANCEL_DEPTH, (int64_t)cause->depth));
    wh__own_ms(record, WH_ATTR_CANCEL_OVERRUN_MS, overrun);
}
