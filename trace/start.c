/* How a span starts: its ids, whether it is recorded, its place in the tree. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "context/clock.h"
#include "context/quick.h"
#include "trace/begin.h"
#include "trace/keep.h"
#include "trace/sampler.h"
#include "trace/scope.h"
#include "trace/wire.h"

/* ---- ids ---- */

static inline uint64_t new_word(struct wh__thread *self)
{
    uint64_t word;
    do {
        word = wh__likely(self) ? wh__random_next(self->random) : wh__random_without_thread();
    } while (wh__unlikely(word == 0));
    return word;
}

/* A child carries on its parent's trace; a root begins one, whose id is random as level 2 of W3C's text asks. */
static inline void begin_ids(struct wh__trace_node *trace, const struct wh__trace_node *parent, struct wh__thread *self)
{
    if (parent) {
        memcpy(trace->trace_id, parent->trace_id, sizeof trace->trace_id);
        trace->flags = parent->flags & WH_RANDOM;
        trace->tracestate = parent->tracestate;
        trace->parent_is_remote = parent->remote;
    } else {
        const uint64_t words[2] = {new_word(self), new_word(self)};
        memcpy(trace->trace_id, words, sizeof words);
        trace->flags = WH_RANDOM;
        trace->tracestate = NULL;
        trace->parent_is_remote = false;
    }
    const uint64_t id = new_word(self);
    memcpy(trace->span_id, &id, sizeof id);
}

/* ---- nodes ---- */

/* `record` and `lock` are zero already, as the last span in the block has left them. */
static inline void fill(struct wh__trace_node *trace, wh_provider *provider)
{
    trace->provider = provider;
    trace->wall = 0;
    trace->root = NULL;
    trace->remote = trace->owns_tracestate = false;
}

/* Whose decision counts for a span: its parent's, but for what B3 can say and W3C cannot. A decision without ids holds for the trace
 * that begins here; ids without a decision leave it to the sampler, as for a root. `parent` is `above`, or NULL for a root. */
static inline const struct wh__trace_node *decider_of(const struct wh__trace_node *parent, const struct wh__trace_node *above)
{
    if (wh__likely(!above || !(above->flags & (WH__DECIDED | WH__DEFERRED)))) return parent;
    return above->flags & WH__DECIDED ? above : NULL;
}

/* From here on others may find the span, if it is never ended: it is whole, and what changes it takes its lock. */
static inline void open_span(struct wh__trace_node *trace, struct wh__record *record)
{
    __atomic_store_n(&trace->record, record, __ATOMIC_RELEASE);
}

/* Returns its record, which open_span() is to be given; NULL: it is not recorded. */
static inline __attribute__((always_inline)) struct wh__record *begin_span(struct wh__trace_node *trace,
                              const struct wh__trace_node *parent, const struct wh__trace_node *above, const struct wh_start_opts *opts, const struct wh__scope *scope,
                              struct wh__thread *self, int64_t now)
{
    if (wh__likely(opts->literal))
        trace->name = opts->name;
    else
        wh__copy_name(trace, opts->name ? opts->name : "");
    const struct wh__trace_node *decider = decider_of(parent, above);
    if (wh__unlikely(wh__is_asked(trace->provider, decider))) {
        return wh__begin_asking(trace, parent, decider, opts, scope);
    }
    begin_ids(trace, parent, self);
    if (!wh__sampled(trace->provider, decider, trace->trace_id)) return NULL;
    trace->flags |= WH_SAMPLED;
    return wh__begin_record(trace, parent, opts, scope, now && !(trace->node.flags & WH__CLOCKED) ? now : wh__now()); /* by the system's clock */
}

/* What an ancestor records is no matter of those below this node. */
static wh_ctx *new_trace_node(const wh_ctx *parent, wh_provider *provider, uint32_t flags, int64_t timeout, int64_t now,
                              const struct wh_site *made)
{
    wh_ctx *node = wh__node_new(parent, WH__KEPT, WH__TRACE | WH__TRACE_ABOVE | flags, timeout, now, made);
    if (!node) return NULL;
    node->flags &= ~WH_RECORDS_;
    fill((void *)node, provider);
    return node;
}

/* The span of a scope that is disabled: the parent's over again, not recorded here; without one, none (trace/api.md, Behavior of
 * the API in the absence of an installed SDK). */
static void carry_on(struct wh__trace_node *trace, const struct wh__trace_node *parent)
{
    static const struct wh__trace_node none;
    const struct wh__trace_node *from = parent ? parent : &none;
    memcpy(trace->trace_id, from->trace_id, sizeof trace->trace_id);
    memcpy(trace->span_id, from->span_id, sizeof trace->span_id);
    trace->flags = from->flags & (WH_SAMPLED | WH_RANDOM | WH__KEEPS);
    trace->keep = from->keep;
    trace->tracestate = from->tracestate;
    trace->remote = from->remote;
    trace->parent_is_remote = from->parent_is_remote;
    trace->name = parent ? wh__name_of(parent) : "";
    trace->started = from->started;
    trace->wall = from->wall;
}

/* ---- the span that ends, once more ---- */

wh_ctx *wh__twin_new(struct wh__trace_node *trace, struct wh__record *record)
{
    wh_ctx *node = new_trace_node(&trace->node, trace->provider, 0, WH_NEVER, 0, trace->node.made);
    if (!node) return wh__no_memory();
    struct wh__trace_node *twin = (void *)node;
    carry_on(twin, trace);
    twin->flags |= WH__TWIN;
    node->flags |= WH_RECORDS_;
    wh__node_enter(node, 0);
    open_span(twin, record);
    return node;
}

struct wh__record *wh__twin_end(wh_ctx *node)
{
    struct wh__record *record = NULL;
    if (node->flags & WH__TRACE) {
        struct wh__trace_node *twin = (void *)node;
        wh__lock(&twin->lock);
        record = twin->record;
        __atomic_store_n(&twin->record, NULL, __ATOMIC_RELAXED);
        wh__unlock(&twin->lock);
    }
    wh_end(node);
    return record;
}

static int64_t timeout_of(const wh_ctx *ctx, const struct wh_start_opts *opts, int64_t *now)
{
    *now = opts->timeout || opts->deadline ? wh__now_for(ctx) : 0;
    if (opts->timeout) return opts->timeout;
    return opts->deadline ? wh__sub(opts->deadline, *now) : WH_NEVER;
}

static bool is_at_work(const wh_provider *provider)
{
    return provider && !__atomic_load_n(&provider->shut_down, __ATOMIC_RELAXED);
}

static inline bool is_plain(const wh_provider *provider)
{
    return provider && __atomic_load_n(&provider->plain, __ATOMIC_RELAXED);
}

static inline bool is_simple(const struct wh_start_opts *opts)
{
    return opts->size == sizeof *opts && !(opts->timeout | opts->deadline | opts->at) && !opts->peer_fd && !opts->root;
}

/* Instants far from now may leave what 64 bits of nanoseconds hold: they are written as they come. */
static void give_start(const struct wh__trace_node *trace, struct wh__record *record, int64_t at)
{
    wh__put_fixed64(record->bytes + WH__START_AT, (uint64_t)at + (uint64_t)trace->wall);
}

static __attribute__((noinline)) wh_ctx *start_fully(const wh_ctx *ctx, const struct wh_start_opts *opts,
                                                     const struct wh__trace_node *above, wh_provider *provider)
{
    const struct wh__scope *scope = is_at_work(provider) ? wh__scope_find(provider, opts->scope) : NULL;
    const struct wh__trace_node *parent = above && wh__has_span(above) && !opts->root ? above : NULL;
    int64_t now;
    const int64_t timeout = timeout_of(ctx, opts, &now);
    wh_ctx *node = scope ? new_trace_node(ctx, provider, 0, timeout, now, opts->site)
                         : wh__node_new(ctx, WH__128, 0, timeout, now, opts->site);
    if (!node) return wh__no_memory();
    struct wh__record *record = NULL;
    if (scope && wh__scope_enabled(scope)) {
        record = begin_span((void *)node, parent, above, opts, scope, wh__self(), now);
        if (wh__unlikely(provider->keeping)) record = wh__keep_join((void *)node, parent, opts, scope, record);
        if (opts->at && record) give_start((void *)node, record, opts->at);
        if (wh__unlikely(provider->observes)) wh__observe_start((void *)node, parent);
    } else if (scope) {
        carry_on((void *)node, parent);
    }
    wh__node_enter(node, now);
    if (record) open_span((void *)node, record);
    if (scope && provider->has_start && node->flags & WH_RECORDS_ && !(((struct wh__trace_node *)(void *)node)->flags & WH__UNASKED))
        wh__process_start((void *)node, ctx);
    if (opts->peer_fd) wh_watch_peer_at(node, opts->peer_fd, 0, opts->site);
    return node;
}

static __attribute__((noinline)) wh_ctx *start_as_older(const wh_ctx *ctx, const struct wh_start_opts *given)
{
    struct wh_start_opts opts = {0};
    memcpy(&opts, given, given->size);
    opts.size = sizeof opts;
    return wh_start_at(ctx, &opts);
}

static __attribute__((noinline)) wh_ctx *start_slowly(const wh_ctx *ctx, const struct wh_start_opts *opts)
{
    if (wh__unlikely(opts->size < sizeof *opts)) return start_as_older(ctx, opts);
    const struct wh__trace_node *above = wh__trace_of(ctx);
    wh_provider *provider = above ? above->provider : wh__default_provider();
    if (!is_at_work(provider) && is_simple(opts)) return wh_with_cancel_at(ctx, opts->site);
    return start_fully(ctx, opts, above, provider);
}

/* The child of a span, with nothing asked for but what every span has; NULL if memory is not there at once. */
static inline __attribute__((always_inline)) struct wh__trace_node *child_of(const struct wh__trace_node *parent,
                                                                           const struct wh_start_opts *opts,
                                                                           struct wh__thread *self)
{
    struct wh__trace_node *trace = wh__slab_at_once(self, WH__KEPT);
    if (wh__unlikely(!trace)) return NULL;
    wh__node_fill(&trace->node, &parent->node, WH__TRACE | WH__KEPT << 28, parent->node.deadline, WH_NEVER, opts->site);
    trace->node.flags &= ~WH_RECORDS_;
    fill(trace, parent->provider);
    begin_ids(trace, parent, self);
    trace->name = opts->name;
    return trace;
}

static __attribute__((noinline)) wh_ctx *start_sampled(const struct wh__trace_node *parent, const struct wh_start_opts *opts,
                                                       const struct wh__scope *scope, struct wh__thread *self)
{
    struct wh__trace_node *trace = child_of(parent, opts, self);
    if (wh__unlikely(!trace)) return start_slowly(&parent->node, opts);
    trace->flags |= WH_SAMPLED;
    struct wh__record *record = wh__begin_record(trace, parent, opts, scope, wh__now());
    if (!wh__enter_quickly(self, &trace->node, (wh_ctx *)&parent->node)) wh__node_enter(&trace->node, 0);
    open_span(trace, record);
    return &trace->node;
}

static __attribute__((noinline)) wh_ctx *start_kept(const struct wh__trace_node *parent, const struct wh_start_opts *opts,
                                                    const struct wh__scope *scope, struct wh__thread *self)
{
    if (wh__unlikely(parent->flags & WH_SAMPLED)) return start_slowly(&parent->node, opts);
    struct wh__trace_node *trace = child_of(parent, opts, self);
    if (wh__unlikely(!trace)) return start_slowly(&parent->node, opts);
    struct wh__record *record = wh__keep_join(trace, parent, opts, scope, NULL);
    if (!wh__enter_quickly(self, &trace->node, (wh_ctx *)&parent->node)) wh__node_enter(&trace->node, 0);
    open_span(trace, record);
    return &trace->node;
}

static inline __attribute__((always_inline)) wh_ctx *start_unsampled(const struct wh__trace_node *parent,
                                                                     const struct wh_start_opts *opts, struct wh__thread *self)
{
    struct wh__trace_node *trace = child_of(parent, opts, self);
    if (wh__unlikely(!trace)) return start_slowly(&parent->node, opts);
    return wh__likely(wh__enter_quickly(self, &trace->node, (wh_ctx *)&parent->node)) ? &trace->node
                                                                                      : wh__node_enter(&trace->node, 0);
}

/* What an instrumented library starts: its scope is known after the first span. */
static __attribute__((noinline)) wh_ctx *start_scoped(const struct wh__trace_node *parent, const struct wh_start_opts *opts,
                                                      struct wh__thread *self)
{
    const struct wh__scope *scope = wh__scope_find(parent->provider, opts->scope);
    if (wh__unlikely(!wh__scope_enabled(scope))) return start_slowly(&parent->node, opts);
    if (wh__unlikely(parent->flags & WH__KEEPS)) return start_kept(parent, opts, scope, self);
    return parent->flags & WH_SAMPLED ? start_sampled(parent, opts, scope, self) : start_unsampled(parent, opts, self);
}

/* The short ways; the one of a span that is not sampled calls no function, so that it has nothing to save. */
wh_ctx *wh_start_at(const wh_ctx *ctx, const struct wh_start_opts *opts)
{
    const struct wh__trace_node *parent = (const void *)ctx;
    struct wh__thread *self = wh__current;
    if (wh__unlikely(!self || !ctx || !(ctx->flags & WH__TRACE) || !wh__has_span(parent) || !is_plain(parent->provider) ||
                     !opts->literal || !is_simple(opts)))
        return start_slowly(ctx, opts);
    if (wh__unlikely(opts->scope)) return start_scoped(parent, opts, self);
    if (parent->flags & (WH_SAMPLED | WH__KEEPS)) {
        if (wh__unlikely(parent->flags & WH__KEEPS)) return start_kept(parent, opts, parent->provider->own, self);
        return start_sampled(parent, opts, parent->provider->own, self);
    }
    return start_unsampled(parent, opts, self);
}

/* ---- what is no span ---- */

wh_ctx *wh__anchor_new(const wh_ctx *parent, wh_provider *provider, const struct wh_span_context *from, int64_t timeout,
                       int64_t now, const struct wh_site *made)
{
    wh_ctx *node = new_trace_node(parent, provider, timeout == WH_NEVER ? 0 : WH__CALLERS, timeout, now, made);
    if (!node) return wh__no_memory();
    struct wh__trace_node *trace = (void *)node;
    const struct wh_span_context none = {0};
    if (!from) from = &none;
    wh__give_span_ops(&wh__trace_ops);
    trace->name = "";
    memcpy(trace->trace_id, from->trace_id, sizeof trace->trace_id);
    memcpy(trace->span_id, from->span_id, sizeof trace->span_id);
    trace->flags = from->flags & (WH_SAMPLED | WH_RANDOM);
    trace->remote = from->remote;
    trace->parent_is_remote = false;
    trace->tracestate = NULL;
    trace->keep = NULL;
    if (trace->remote && !(trace->flags & WH_SAMPLED) && provider && provider->keeping) trace->flags |= WH__KEEPS;
    if (from->tracestate && *from->tracestate) {
        const size_t size = strlen(from->tracestate) + 1;
        char *copy = wh__mem_get(size);
        if (copy) trace->tracestate = memcpy(copy, from->tracestate, size);
        trace->owns_tracestate = copy != NULL;
        if (copy) node->flags |= WH__DISPOSES;
    }
    return wh__node_enter(node, now);
}

wh_ctx *wh_with_span_at(const wh_ctx *parent, const struct wh_span_context *span, const struct wh_site *site)
{
    static const uint8_t none[16];
    const struct wh__trace_node *above = wh__trace_of(parent);
    if (span && (!memcmp(span->trace_id, none, 16) || !memcmp(span->span_id, none, 8))) span = NULL;
    return wh__anchor_new(parent, above ? above->provider : wh__default_provider(), span, WH_NEVER, 0, site);
}

wh_ctx *wh_provider_root_at(wh_provider *provider, const struct wh_site *site)
{
    return wh__anchor_new(NULL, provider, NULL, WH_NEVER, 0, site);
}
