/* A tracer is a provider and a scope: whether it would record, and changing that. */
#include <string.h>

#include "trace/scope.h"
#include "trace/span.h"

/* trace/sdk.md, Enabled: false without a processor, or where the configurator says so. */
bool wh_enabled_at(const struct wh_enabled_opts *given)
{
    struct wh_enabled_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    const struct wh__trace_node *above = wh__trace_of(opts.ctx);
    wh_provider *provider = above ? above->provider : wh__default_provider();
    if (!provider || __atomic_load_n(&provider->shut_down, __ATOMIC_RELAXED) || !provider->processor_count) return false;
    return wh__scope_enabled(wh__scope_find(provider, opts.scope));
}

void wh_provider_reconfigure(wh_provider *provider)
{
    wh__scopes_configure(provider);
    wh__provider_settle(provider);
}
