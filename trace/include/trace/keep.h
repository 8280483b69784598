/* Record, then decide: the spans of a local trace that is not sampled wait until it is known how it has ended.
 *
 * A local trace begins with a root, or with a span whose parent is remote, and is of this process. What waits is the records
 * themselves, linked to each other, so an end costs no copy. When the local root ends the verdict is given: all go to the
 * exporters, or all are forgotten; who ends later follows it. docs/adr/0016-record-then-decide.md
 */
#ifndef TRACE_KEEP_H
#define TRACE_KEEP_H

#include "trace/keeping.h"
#include "trace/span.h"

enum wh__fate { WH__UNDECIDED, WH__TO_BE_KEPT, WH__TO_BE_FORGOTTEN };

/* One block of WH__128, owned by the node of the local root: every node below that has a reference to it. */
struct wh__keep {
    uint32_t lock;                /* nothing else is locked under it */
    uint32_t fate;                /* [lock] */
    uint32_t because;             /* [lock] to change; atomic. Of enum wh_keep_because */
    uint32_t spans;               /* [lock] to change; atomic. That wait */
    uint32_t missing;             /* atomic; spans that could not be recorded or could not wait */
    uint32_t forks;               /* wh__forks when it began */
    uint64_t bytes;               /* [lock] of those that wait */
    const struct wh__trace_node *root;
    struct wh__record *waiting;   /* [lock] the newest first */
    const struct wh_site *site;   /* [lock] of what it would be kept for; or NULL */
    char reason[48];              /* [lock] likewise */
};
_Static_assert(sizeof(struct wh__keep) <= 128, "one block");

/* A span of a provider that keeps has its ids, its flags, and its record if it is sampled or the sampler wants it recorded; it is
 * not yet hung in. It becomes a part of its local trace, is recorded for that, or begins one. Returns its record, or NULL. */
struct wh__record *wh__keep_join(struct wh__trace_node *trace, const struct wh__trace_node *parent, const struct wh_start_opts *opts,
                                 const struct wh__scope *scope, struct wh__record *record);

/* A span with WH__KEEPS has ended, and its record is complete, but for what a verdict adds. Returns what is to be freed of the
 * record. */
struct wh__record *wh__keep_end(struct wh__trace_node *trace, struct wh__record *record);

/* Frees the record of a span of which nothing becomes any more, as for want of time at a shutdown. */
void wh__keep_lose(struct wh__trace_node *trace, struct wh__record *record);

/* The node of such a span goes. */
void wh__keep_dispose(struct wh__trace_node *trace);

void wh__keep_note(const struct wh__trace_node *trace, unsigned because, const char *reason, const struct wh_site *site);

/* Its local trace is to be kept because of that, one of enum wh_keep_because: what is not seen in its spans themselves, such as what
 * the answer of a callee says. `trace`: of any context of it, or NULL. */
static inline void wh__keep_mark(const struct wh__trace_node *trace, unsigned because)
{
    if (trace && trace->flags & WH__KEEPS) wh__keep_note(trace, because, "callee", NULL);
}

#endif
