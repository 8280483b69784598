/* What a callee in another process has said of itself, on the span that called it. */
#include "trace/callee.h"

#include <whence/names.h>

#include "base/text.h"
#include "context/because.h"
#include "trace/attr.h"
#include "trace/provider.h"
#include "trace/span.h"

static void put(struct wh__record **record, const char *key, const char *text)
{
    struct wh__attr ready;
    if (!text || !*text) return;
    const struct wh_attr attr = {.key = key, .type = WH_STRING, .len = strlen(text), .as.ptr = text};
    if (wh__attr_ready(&ready, &attr, strlen(key), NULL)) wh__record_attr(record, &ready);
}

static void put_id(struct wh__record **record, const char *key, const uint8_t *id, size_t size)
{
    static const uint8_t none[16];
    char hex[33] = "";
    if (memcmp(id, none, size) == 0) return;
    wh__hex(hex, id, size);
    put(record, key, hex);
}

static void put_all(struct wh__record **record, const struct wh_because *said)
{
    const uint32_t most = (*record)->most_attributes;
    (*record)->most_attributes = UINT32_MAX; /* the cause gets its place in any case */
    put(record, WH_ATTR_CALLEE_REASON, said->reason);
    put(record, WH_ATTR_CALLEE_MESSAGE, said->text);
    put(record, WH_ATTR_CALLEE_SITE, said->site);
    put_id(record, WH_ATTR_CALLEE_TRACE_ID, said->trace_id, sizeof said->trace_id);
    put_id(record, WH_ATTR_CALLEE_SPAN_ID, said->span_id, sizeof said->span_id);
    put(record, WH_ATTR_CALLEE_SPAN_NAME, said->span_name);
    put(record, WH_ATTR_CALLEE_SERVICE, said->service);
    (*record)->most_attributes = most;
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
    struct wh__trace_node *trace = wh__trace_of(ctx);
    if (trace && __atomic_load_n(&trace->record, __ATOMIC_RELAXED)) {
        wh__lock(&trace->lock);
        if (trace->record) put_all(&trace->record, &list[0]);
        wh__unlock(&trace->lock);
    }
    wh__because_note(ctx, chain_of(list, count));
}
