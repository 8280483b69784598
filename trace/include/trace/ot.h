/* The tracer's own entry of a tracestate: ot=th:8;rv:6e6d1a75832a2f (specification, trace/tracestate-handling.md). */
#ifndef TRACE_OT_H
#define TRACE_OT_H

#include <whence/sampler.h>

enum { WH__MOST_OT = 256 }; /* characters of its value */

struct wh__ot {
    struct wh_str value;           /* of the whole entry; empty: there is none, or it breaks a rule, and then: */
    bool broken;
    bool has_threshold, has_randomness;
    bool names_threshold;          /* there is a th, whether it can be read or not */
    uint64_t threshold, randomness; /* th: 1 to 14 hex digits, the rest being zeros; rv: 14 of them */
};

void wh__ot_read(const char *tracestate, struct wh__ot *out);

/* The tracestate with that threshold (WH_NO_THRESHOLD: without one), and with that randomness if it is not NULL and there was
 * none. All else in the entry is kept. Written to the scratch room, unless nothing changes. Where the entry would have more
 * than 256 characters, or there is no room, it stays as it is, and that is said once. */
const char *wh__ot_write(const char *tracestate, const struct wh__ot *ot, uint64_t threshold, const uint64_t *randomness,
                         char **scratch, size_t *scratch_size);

#endif
