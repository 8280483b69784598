/* The provider, as the parts of the room see it. */
#ifndef TRACE_PROVIDER_H
#define TRACE_PROVIDER_H

#include <whence/exporters.h>
#include <whence/provider.h>
#include <whence/resource.h>
#include <whence/sampler.h>

#include "trace/slot.h"

/* Of one cancelled context: how many spans below it this thread has ended that said all of it. */
enum { WH__MOST_IN_FULL = 1000, WH__STOPPED = 32, WH__STOPPED_WAYS = 8 };
struct wh__stopped {
    const void *origin;               /* which it was, with `at`: it may be gone, and another stand there */
    int64_t at;
    uint32_t count;
};

/* What is counted of one provider on one thread: written by that thread alone, read by whoever asks. */
struct wh__counts {
    uint64_t started, ended, recorded_only, dropped_memory, dropped_shutdown, leaked, brief;
    uint64_t kept_traces, kept_spans, keep_forgotten, keep_skipped, keep_limited, keep_alike;
    int64_t keep_stock;               /* bytes of keeping->memory; nobody else reads it */
    uint64_t inside;                  /* how often the thread is in a processor of somebody's own */
    uint64_t origins[3][3];           /* observed: spans, recorded or not, by the parent (none, local, remote) and the decision */
    struct wh__stopped stopped[WH__STOPPED]; /* nobody else reads these */
};

enum { WH__SCOPE_BUCKETS = 64 };
struct wh__scope;
struct wh__scope_seen;
struct wh__batch;
struct wh__pipe;
struct wh__keeping;

struct wh_provider {
    struct wh_limits limits;          /* immutable, as all up to here; every one is what holds */
    uint32_t short_until;             /* of a new record: span.h. 0: nothing of it may be written in the short form */
    struct wh_sampler *sampler;       /* never NULL */
    struct wh_id_generator *ids;      /* or NULL */
    bool asks_for_roots, asks_for_children; /* the sampler, or the generator; otherwise a child does as its parent did, */
    uint64_t root_threshold;          /* and a root is sampled from this randomness of its trace id on */
    wh_resource *who;
    struct wh_bytes resource;         /* encoded */
    struct wh__scope *own;            /* of what is started without a scope */
    struct wh_tracer_configure configure;
    bool cancelled_is_error;
    uint32_t number;                  /* of its counters on every thread */
    size_t processor_count, pipe_count; /* of all, and of those that are the library's */
    struct wh_processor **processors;
    struct wh__pipe **pipes;          /* the same, those that are the library's */
    struct wh__batch *only;           /* the one processor, if there is no other */
    bool has_start, has_ending;       /* some processor has such a function */
    bool has_others;                  /* some processor is somebody's own */
    bool observes;                    /* counts what is started by its origin */
    struct wh__keeping *keeping;      /* what is not sampled waits for a verdict; NULL: it is not recorded */

    bool closing;                     /* atomic: its shutdown has begun */
    int64_t leaving;                  /* the instant at which that was, or the end of the program that has led to it; 0: not yet */
    bool shut_down;                   /* atomic: nothing is recorded any more */
    bool destroys;                    /* atomic: its processors are to be destroyed when nobody is in them */
    uint64_t homeless_started, homeless_ended; /* atomic: spans lost on threads without memory for counters, which started or
                                         ended them; */
    uint64_t homeless_inside;         /* and how many of these threads are in processors */
    bool plain;                       /* atomic: what is started without a scope may begin by the short way */
    uint32_t plain_lock;              /* for changing that */

    struct {
        uint32_t lock;                /* for adding to these */
        uint32_t count, seen_count;
        uint32_t configured;          /* atomic: how often the configurator was asked about all of them */
        struct wh__scope *all;        /* atomic, as the buckets: lists that only grow, at their heads */
        struct wh__scope_seen *seen[WH__SCOPE_BUCKETS];
    } scopes;

    wh_provider *next;                /* all providers, newest first; none is ever freed */
};

/* For the one who writes a counter that others read. */
static inline void wh__count(uint64_t *counter)
{
    __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/* The one for contexts that come from nowhere: what wh_main() made, or NULL. */
wh_provider *wh__default_provider(void);
void wh__set_default_provider(wh_provider *provider);

/* All providers, newest first. */
wh_provider *wh__providers(void);

/* The counters of this thread; NULL without memory. */
static inline struct wh__counts *wh__counts_own(const wh_provider *provider)
{
    struct wh__thread *self = wh__self();
    struct wh__counts *counts = wh__slot_own(self, provider->number);
    return wh__likely(counts) || !self ? counts : wh__slot_make(self, provider->number, sizeof *counts);
}

/* Nine tenths of the time that is left: the rest is kept for those who do not come back by themselves. */
int64_t wh__most_of(int64_t deadline);

/* After anything that it depends on has changed. */
void wh__provider_settle(wh_provider *provider);

/* From now on, in the child of a fork: what is counted and what waits is the parent's. */
void wh__provider_sees_forks(void);

/* ---- process.c: calling the processors ---- */
struct wh__trace_node;
struct wh__record;
void wh__process_start(const struct wh__trace_node *trace, const wh_ctx *parent);
void wh__process_ending(struct wh__trace_node *trace, struct wh__record **record);
void wh__process_end(const struct wh__trace_node *trace, const struct wh__record *record);

/* The same for a span that goes on to wait for its verdict: to those processors that see what is not sampled; and later, if it is
 * kept, to those of the library, from a thread with such counters. */
void wh__process_seen(const struct wh__trace_node *trace, const struct wh__record *record);
void wh__process_kept(const wh_provider *provider, struct wh__counts *counts, const struct wh__record *record);

/* Destroys them when nobody is in them any more: now, until the deadline, or when the last one leaves. */
void wh__process_no_more(wh_provider *provider, int64_t deadline);

/* ---- leaked.c: ends, as leaked, what is still open of a provider that is being shut down; until `limit`, an instant ---- */
void wh__end_leaked(wh_provider *provider, int64_t limit);

/* ---- shutdown.c: everything that waits is to be through by then, although it is closing; 0, or an errno value ---- */
int wh__provider_drain(wh_provider *provider, int64_t deadline);

/* ---- observe.c: a span has been started ---- */
void wh__observe_start(const struct wh__trace_node *trace, const struct wh__trace_node *parent);

/* ---- stats.c: of a pipe; and what was lost before it came to any, `stats` being all zero ---- */
void wh__pipe_stats(const struct wh__pipe *pipe, struct wh_processor_stats *stats);
void wh__provider_losses(const wh_provider *provider, struct wh_provider_stats *stats);

#endif
