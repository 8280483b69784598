#ifndef TRACE_SAMPLER_H
#define TRACE_SAMPLER_H

#include "trace/provider.h"
#include "trace/span.h"

/* The randomness of a trace id from which on a root is sampled. */
uint64_t wh__ratio_threshold(const struct wh_sampler *sampler);

bool wh__root_sampled(const wh_provider *provider, const uint8_t trace_id[16]);

/* Decided before any argument is looked at. parent: NULL for a root. */
static inline bool wh__sampled(const wh_provider *provider, const struct wh__trace_node *parent, const uint8_t trace_id[16])
{
    return parent && !provider->sampler.ignore_parent ? parent->flags & WH_SAMPLED : wh__root_sampled(provider, trace_id);
}

#endif
