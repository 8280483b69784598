/* What a provider keeps of traces that are not sampled: how much memory they may take while they wait for their verdict, and
 * how many of them may be kept. keep.h has the single trace. */
#ifndef TRACE_KEEPING_H
#define TRACE_KEEPING_H

#include <whence/provider.h>

#include "trace/provider.h"

/* A kind of traces: those that are alike. */
struct wh__kind {
    uint64_t key;                  /* hash of all that follows; 0: nobody's */
    unsigned because;              /* one of enum wh_keep_because */
    const struct wh_site *site;    /* where it was cancelled, or failed; or NULL */
    char reason[48], operation[48]; /* what fits of them */
};

struct wh__kind_seen {
    struct wh__kind kind;
    int64_t kept;                  /* when the last one was, or INT64_MIN; and */
    int64_t seen;                  /* when the last one came */
    uint64_t alike;                /* since then, only counted */
};

enum { WH__KINDS = 1024, WH__KINDS_IN_A_ROW = 8 };

struct wh__keeping {
    uint64_t memory, trace_memory; /* bytes: of all that wait, of one trace. Immutable, as the next four */
    uint32_t trace_spans;
    unsigned because;              /* of enum wh_keep_because */
    int64_t every;                 /* one of a kind in this time, */
    int64_t cost;                  /* and one of any kind, on average */
    char apart[64];
    uint64_t taken;                /* atomic; bytes, with what threads have in stock */
    uint64_t homeless_skipped, homeless_ended, homeless_forgotten; /* atomic; by threads without memory for counters */
    char apart_too[64];
    uint32_t lock;                 /* of what follows; nothing else is locked under it */
    int64_t credit, credited;      /* nanoseconds up to a second, and as of when */
    uint64_t untold;               /* traces that were only counted, and of which no kept one has told */
    struct wh__kind_seen kinds[WH__KINDS];
};

/* NULL: without memory. */
struct wh__keeping *wh__keeping_new(const struct wh_keep *opts);

/* ---- memory: each thread has a stock, so that the sum is touched every 16 KB only ---- */

enum { WH__KEEP_STEP = 16384 };
bool wh__keeping_stock_up(struct wh__keeping *keeping, struct wh__counts *counts);
void wh__keeping_return(struct wh__keeping *keeping, struct wh__counts *counts);

/* False: there is none left. `counts`: of the calling thread. */
static inline bool wh__keeping_charge(struct wh__keeping *keeping, struct wh__counts *counts, int64_t bytes)
{
    counts->keep_stock -= bytes;
    if (wh__likely(counts->keep_stock >= 0) || wh__keeping_stock_up(keeping, counts)) return true;
    counts->keep_stock += bytes;
    return false;
}

static inline void wh__keeping_discharge(struct wh__keeping *keeping, struct wh__counts *counts, int64_t bytes)
{
    counts->keep_stock += bytes;
    if (wh__unlikely(counts->keep_stock > 2 * WH__KEEP_STEP)) wh__keeping_return(keeping, counts);
}

/* ---- the budget ---- */

/* Fills in the key. */
void wh__kind_settle(struct wh__kind *kind);

/* Whether a trace of that kind, which has ended just now, is kept: 0, and then *alike says how many were not since the last;
 * EEXIST: there was one like it; EAGAIN: the budget is used up. */
int wh__keeping_ask(struct wh__keeping *keeping, const struct wh__kind *kind, int64_t now, uint64_t *alike);

uint64_t wh__keeping_untold(struct wh__keeping *keeping);

/* Says what no trace has told: at the shutdown. */
void wh__keeping_report(struct wh__keeping *keeping);

/* In the child of a fork. */
void wh__keeping_forget(struct wh__keeping *keeping);

#endif
