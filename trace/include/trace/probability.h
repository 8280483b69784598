/* Sampling by threshold (specification, trace/tracestate-probability-sampling.md): a span is sampled if the randomness of its
 * trace, 56 bits, is not below the threshold, which is rejected / 2^56. */
#ifndef TRACE_PROBABILITY_H
#define TRACE_PROBABILITY_H

#include "trace/ot.h"

/* The threshold of that ratio, to 4 significant hexadecimal digits; WH_NO_THRESHOLD below 2^-56. */
uint64_t wh__threshold_of(double ratio);

/* The randomness of the trace: rv if there is one; that of the trace id; or, for a root whose id is not random, *fresh, which is
 * to be written. *is_fresh says so. That the randomness of somebody else's trace id is only presumed is said once, by *told. */
uint64_t wh__trace_randomness(const struct wh_sampling *in, const struct wh__ot *ot, bool *told, bool *is_fresh);

#endif
