/* What a callee in another process has said of itself, on the span that called it. */
#include "trace/callee.h"

#include <whence/names.h>

#include "context/because.h"
#include "trace/keep.h"
#include "trace/own.h"

static void put_all(struct wh__record **record, const struct wh_because *said)
{
    wh__own_text(record, WH_ATTR_CALLEE_REASON, said->reason);
    wh__own_text(record, WH_ATTR_CALLEE_MESSAGE, said->text);
    wh__own_text(record, WH_ATTR_CALLEE_SITE, said->site);
    wh__own_id(record, WH_ATTR_CALLEE_TRACE_ID, said->trace_id, sizeof said->trace_id);
    wh__own_id(record, WH_ATTR_CALLEE_SPAN_ID, said->span_id, sizeof said->span_id);
    wh__own_text(record, WH_ATTR_CALLEE_SPAN_NAME, said->span_name);
    wh__own_text(record, WH_ATTR_CALLEE_SERVICE, said->service);
}

/* From the first cause to the nearest; of too many, those in the middle are left out. */
static struct wh__because *chain_of(const struct wh_because *list, size_t count)
{
    struct wh__because *chain = NULL;
    for (size_t i = count; i-- > 0;) {
        if (i >= WH_CAUSES_MAX - 1 && i != count - 1) continue;
        struct wh__because_facts facts = {.kind = WH__BY_OTHERS, .said = list[i]};
        facts.said.remote = true;
        chain = wh__because_new(&facts, chain);
    }
    return chain;
}

void wh__note_callee(const wh_ctx *ctx, const struct wh_because *list, size_t count)
{
    if (count == 0) return;
    struct wh__trace_node *trace;
    if (wh__own_open(ctx, &trace)) {
        put_all(&trace->record, &list[0]);
        wh__unlock(&trace->lock);
    }
    wh__keep_mark(trace, WH_KEEP_FAILED);
    wh__because_note(ctx, chain_of(list, count));
}
