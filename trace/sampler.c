#include "trace/sampler.h"

/* Always on and always off are ratios too. 2^56 is never reached by 56 bits. */
uint64_t wh__ratio_threshold(const struct wh_sampler *sampler)
{
    const double most = (double)(UINT64_C(1) << 56);
    const double ratio = sampler->kind == WH_SAMPLER_RATIO ? sampler->ratio : sampler->kind == WH_SAMPLER_ALWAYS_ON;
    if (!(ratio > 0)) return UINT64_C(1) << 56;
    return ratio >= 1 ? 0 : (uint64_t)((1 - ratio) * most);
}

bool wh__root_sampled(const wh_provider *provider, const uint8_t trace_id[16])
{
    uint64_t randomness = 0; /* W3C trace context level 2: the rightmost seven bytes are random */
    for (int i = 9; i < 16; i++) randomness = randomness << 8 | trace_id[i];
    return randomness >= provider->ratio_threshold;
}
