#include "base/random.h"
#include "trace/probability.h"
#include "trace/sampler.h"

/* Significant are the digits after those that a small ratio fills with f. Rounded, but never up to what samples nothing. */
uint64_t wh__threshold_of(double ratio)
{
    const double all = (double)(WH__ALL_RANDOM + 1);
    if (!(ratio >= 1 / all)) return WH_NO_THRESHOLD;
    if (ratio >= 1) return 0;
    const uint64_t sampled = (uint64_t)(ratio * all + 0.5);
    const int bits = 64 - __builtin_clzll(sampled), full = (WH__RANDOM_BITS - bits) / 4, digits = 4 + full;
    const unsigned cut = digits < 14 ? 4 * (14 - (unsigned)digits) : 0;
    const uint64_t unit = UINT64_C(1) << cut, threshold = (WH__ALL_RANDOM + 1 - sampled + unit / 2) & ~(unit - 1);
    return threshold > WH__ALL_RANDOM ? WH__ALL_RANDOM + 1 - unit : threshold;
}

uint64_t wh__trace_randomness(const struct wh_sampling *in, const struct wh__ot *ot, bool *told, bool *is_fresh)
{
    *is_fresh = false;
    if (ot->has_randomness) return ot->randomness;
    if (in->random) return wh__randomness(in->trace_id);
    if (!in->parent_span) {
        *is_fresh = true;
        return wh__random() & WH__ALL_RANDOM;
    }
    if (wh__first_time(told))
        wh_report(WH_WARNING, "a trace that came in does not say that its id is random: sampling presumes that it is");
    return wh__randomness(in->trace_id);
}
