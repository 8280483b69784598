/* Instrumentation scopes as one provider knows them: each by value once, found by the address that a caller gave. */
#ifndef TRACE_SCOPE_H
#define TRACE_SCOPE_H

#include "trace/provider.h"

/* Lives as long as its provider: for ever. */
struct wh__scope {
    wh_provider *provider;
    struct wh_scope given;        /* as the first caller gave it; its strings are that caller's */
    struct wh_bytes encoded;      /* opentelemetry.proto.common.v1.InstrumentationScope, attributes by key */
    struct wh_str schema_url;
    uint64_t hash;                /* of these two */
    bool enabled;                 /* atomic: what the configurator last said */
    struct wh__scope *next;       /* all of the provider's; immutable once linked */
};

/* Where a caller's structure stands, and what it is. */
struct wh__scope_seen {
    const struct wh_scope *at;
    struct wh__scope *scope;
    struct wh__scope_seen *next;
};

/* That of the provider for `scope`; NULL: the provider's own. Asks the configurator about one that is new, with no lock held.
 * Never NULL: what there is no memory for, or no place among WH__MOST_SCOPES, goes by the provider's own. */
enum { WH__MOST_SCOPES = 1024 };
struct wh__scope *wh__scope_learn(wh_provider *provider, const struct wh_scope *scope);

/* The first of a provider; NULL without memory. */
struct wh__scope *wh__scope_new(wh_provider *provider, const struct wh_scope *scope);
void wh__scope_free(struct wh__scope *scope);

/* Asks the configurator again about those that there are. */
void wh__scopes_configure(wh_provider *provider);

static inline struct wh__scope_seen **wh__scope_bucket(wh_provider *provider, const struct wh_scope *scope)
{
    const uintptr_t at = (uintptr_t)scope;
    return &provider->scopes.seen[(at >> 4 ^ at >> 10) % WH__SCOPE_BUCKETS];
}

static inline struct wh__scope *wh__scope_find(wh_provider *provider, const struct wh_scope *scope)
{
    if (!scope) return provider->own;
    const struct wh__scope_seen *seen = __atomic_load_n(wh__scope_bucket(provider, scope), __ATOMIC_ACQUIRE);
    while (seen && seen->at != scope) seen = seen->next;
    return seen ? seen->scope : wh__scope_learn(provider, scope);
}

static inline bool wh__scope_enabled(const struct wh__scope *scope)
{
    return __atomic_load_n(&scope->enabled, __ATOMIC_RELAXED);
}

#endif
