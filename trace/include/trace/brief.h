/* What a span says of its cancellation when very many were stopped by the same. */
#ifndef TRACE_BRIEF_H
#define TRACE_BRIEF_H

#include "trace/span.h"

/* Whether it is to be the short form: many of the same origin have ended on this thread. Counts it. Never of the origin itself. */
bool wh__is_brief(const struct wh__trace_node *trace, const struct wh_cause *cause);

/* overrun: in nanoseconds. */
void wh__record_briefly(struct wh__record **record, const struct wh_cause *cause, int64_t overrun);

#endif
