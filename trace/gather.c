#include "trace/gather.h"

#include "base/mem.h"
#include "trace/resource.h"
#include "trace/scope.h"

bool wh__gather_begin(struct wh__gather *gather, size_t most)
{
    uint8_t *memory = wh__mem_get(most * (2 * sizeof(struct wh_bytes) + 1));
    if (!memory) return false;
    gather->most = most;
    gather->spans = (void *)memory;
    gather->sorted = gather->spans + most;
    gather->which = (void *)(gather->sorted + most);
    wh__gather_clear(gather);
    return true;
}

void wh__gather_end(struct wh__gather *gather)
{
    wh__mem_free(gather->spans);
    gather->spans = NULL;
    gather->most = 0;
    wh__gather_clear(gather);
}

void wh__gather_clear(struct wh__gather *gather)
{
    gather->count = gather->bytes = gather->scope_count = 0;
}

/* Nearly always it is the one that came last. scope_count: it is not among them. */
static size_t place_of(const struct wh__gather *gather, const struct wh__scope *scope)
{
    const size_t last = gather->count ? gather->which[gather->count - 1] : 0;
    if (gather->count && gather->scopes[last] == scope) return last;
    size_t i = 0;
    while (i < gather->scope_count && gather->scopes[i] != scope) i++;
    return i;
}

static bool fits(const struct wh__gather *gather, const struct wh__scope *scope, size_t len)
{
    if (gather->count >= gather->most) return false;
    if (gather->count == 0) return true;
    return gather->bytes + len <= WH__GATHERED_BYTES && scope->provider == gather->scopes[0]->provider;
}

bool wh__gather_add(struct wh__gather *gather, const struct wh__scope *scope, struct wh_bytes span)
{
    if (!fits(gather, scope, span.len)) return false;
    const size_t place = place_of(gather, scope);
    if (place == gather->scope_count) {
        if (place == WH__GATHERED_SCOPES) return false;
        gather->scopes[gather->scope_count++] = scope;
        gather->views[place] = (struct wh_scope_spans){.scope = scope->encoded, .schema_url = scope->schema_url};
    }
    gather->spans[gather->count] = span;
    gather->which[gather->count++] = (uint8_t)place;
    gather->bytes += span.len;
    return true;
}

/* Scope after scope, in the order in which they came; so do the spans within one. */
static void sort(struct wh__gather *gather)
{
    size_t at[WH__GATHERED_SCOPES + 1] = {0};
    for (size_t i = 0; i < gather->count; i++) at[gather->which[i] + 1]++;
    for (size_t s = 0; s < gather->scope_count; s++) at[s + 1] += at[s];
    for (size_t i = 0; i < gather->count; i++) gather->sorted[at[gather->which[i]]++] = gather->spans[i];
    for (size_t s = 0, from = 0; s < gather->scope_count; from = at[s++]) {
        gather->views[s].spans = gather->sorted + from;
        gather->views[s].count = at[s] - from;
    }
}

struct wh_batch wh__gather_batch(struct wh__gather *gather)
{
    struct wh_batch batch = {.size = sizeof batch, .scopes = gather->views, .scope_count = gather->scope_count, .count = gather->count};
    if (gather->scope_count == 0) return batch;
    const wh_provider *provider = gather->scopes[0]->provider;
    batch.resource = provider->resource;
    batch.schema_url = wh__resource_url(provider->who);
    if (gather->scope_count > 1) sort(gather);
    if (gather->scope_count == 1) gather->views[0].spans = gather->spans;
    if (gather->scope_count == 1) gather->views[0].count = gather->count;
    return batch;
}
