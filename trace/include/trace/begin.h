/* The two long steps of a start. */
#ifndef TRACE_BEGIN_H
#define TRACE_BEGIN_H

#include "trace/provider.h"
#include "trace/span.h"

/* Begins the record of a span that has its ids and its flags. `now`: by the system's clock. NULL: without memory there is none, and
 * that is counted. It is the caller's until the span is open. */
struct wh__record *wh__begin_record(struct wh__trace_node *trace, const struct wh__trace_node *parent,
                                    const struct wh_start_opts *opts, const struct wh__scope *scope, int64_t now);

/* Makes the ids, asks the sampler, and begins the record if it says so. `decider`: whose decision counts, or NULL. */
struct wh__record *wh__begin_asking(struct wh__trace_node *trace, const struct wh__trace_node *parent,
                                    const struct wh__trace_node *decider, const struct wh_start_opts *opts,
                                    const struct wh__scope *scope);

#endif
