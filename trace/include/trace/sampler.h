#ifndef TRACE_SAMPLER_H
#define TRACE_SAMPLER_H

#include "trace/provider.h"
#include "trace/span.h"

/* The randomness of a trace id from which on a root is sampled. */
uint64_t wh__ratio_threshold(const struct wh_sampler *sampler);

/* parent: NULL for a root. */
bool wh__sampled(const wh_provider *provider, const struct wh__trace_node *parent, const uint8_t trace_id[16]);

#endif
