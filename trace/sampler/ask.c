/* What a sampler is told of a span that begins, and what it answers. */
#include "trace/sampler.h"

static const struct wh_span_context *see_parent(struct wh_span_context *out, const struct wh__trace_node *parent)
{
    if (!parent) return NULL;
    *out = (struct wh_span_context){.flags = parent->flags & (WH_SAMPLED | WH_RANDOM),
        .remote = parent->remote || parent->flags & WH__DECIDED, .tracestate = parent->tracestate};
    memcpy(out->trace_id, parent->trace_id, sizeof out->trace_id);
    memcpy(out->span_id, parent->span_id, sizeof out->span_id);
    return out;
}

void wh__ask(struct wh__asked *asked, const struct wh__trace_node *trace, const struct wh__trace_node *parent,
             const struct wh_start_opts *opts)
{
    struct wh_sampler *sampler = trace->provider->sampler;
    struct wh_sampling in = {.size = sizeof in, .parent = trace->node.parent, .parent_span = see_parent(&asked->parent, parent),
        .random = trace->flags & WH_RANDOM, .name = opts->name ? opts->name : "", .kind = (enum wh_kind)opts->kind,
        .attrs = opts->attrs, .links = opts->links, .link_count = opts->link_count};
    memcpy(in.trace_id, trace->trace_id, sizeof in.trace_id);
    asked->answer = (struct wh_sampled){.size = sizeof asked->answer, .decision = WH_DROP, .tracestate = trace->tracestate,
        .scratch = asked->scratch, .scratch_size = sizeof asked->scratch};
    sampler->should_sample(sampler, &in, &asked->answer);
}
