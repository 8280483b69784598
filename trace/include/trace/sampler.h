/* Samplers, as the parts of the room see them. */
#ifndef TRACE_SAMPLER_H
#define TRACE_SAMPLER_H

#include <string.h>
#include <whence/sampler.h>

#include "trace/provider.h"
#include "trace/span.h"

/* ---- what a provider does without asking ---- */

/* Finds out what of provider->sampler, and of provider->ids, wh_start() can do by itself. */
void wh__sampler_plan(wh_provider *provider);

/* True if it is always on, always off or ratio, and then the randomness of a trace id from which on it samples. */
bool wh__sampler_threshold(const struct wh_sampler *sampler, uint64_t *threshold);

/* The root's sampler of a ParentBased whose other branches are those that it has by itself; else NULL. */
const struct wh_sampler *wh__parent_based_root(const struct wh_sampler *sampler);

/* W3C trace context, level 2: the rightmost seven bytes are random. */
enum { WH__RANDOM_BITS = 56 };
#define WH__ALL_RANDOM ((UINT64_C(1) << WH__RANDOM_BITS) - 1)
static inline uint64_t wh__randomness(const uint8_t trace_id[16])
{
    uint64_t word;
    memcpy(&word, trace_id + 8, sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word & WH__ALL_RANDOM;
}

/* Whether that span is to be asked about, with its parent or NULL for a root. */
static inline bool wh__is_asked(const wh_provider *provider, const struct wh__trace_node *parent)
{
    return parent ? provider->asks_for_children : provider->asks_for_roots;
}

/* For one that is not asked about. */
static inline bool wh__sampled(const wh_provider *provider, const struct wh__trace_node *parent, const uint8_t trace_id[16])
{
    return parent ? parent->flags & WH_SAMPLED : wh__randomness(trace_id) >= provider->root_threshold;
}

/* ---- asking ---- */

struct wh__asked {
    struct wh_sampled answer;
    struct wh_span_context parent;
    _Alignas(16) char scratch[WH_TRACESTATE_SIZE + 4096];
};

/* Asks the sampler about the span that begins in `trace`, whose trace id is there, and which is not yet hung in. `parent`: whose
 * decision counts, or NULL. The answer lives as long as *asked. */
void wh__ask(struct wh__asked *asked, const struct wh__trace_node *trace, const struct wh__trace_node *parent,
             const struct wh_start_opts *opts);

/* ---- what samplers share ---- */

extern struct wh_sampler wh__always_on, wh__always_off;
struct wh_sampler *wh__default_sampler(void); /* ParentBased(AlwaysOn) */

/* Says that there is no memory for one. */
void wh__sampler_no_memory(void);

/* Whether this is the first time; for what is said once. */
static inline bool wh__first_time(bool *told)
{
    return !__atomic_load_n(told, __ATOMIC_RELAXED) && !__atomic_exchange_n(told, true, __ATOMIC_RELAXED);
}

/* A ratio from 0 to 1 with six digits behind the point, which no locale moves. */
struct wh__text;
void wh__put_ratio(struct wh__text *text, double ratio);
void wh__put_sampler(struct wh__text *text, struct wh_sampler *sampler);
void wh__put_composable(struct wh__text *text, struct wh_composable *composable);

static inline void wh__sampler_shut_down(struct wh_sampler *sampler)
{
    if (sampler && sampler->shutdown) sampler->shutdown(sampler);
}

static inline void wh__composable_shut_down(struct wh_composable *composable)
{
    if (composable->shutdown) composable->shutdown(composable);
}

#endif
