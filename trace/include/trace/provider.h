/* The provider, as the parts of the room see it. */
#ifndef TRACE_PROVIDER_H
#define TRACE_PROVIDER_H

#include <whence/exporters.h>
#include <whence/provider.h>
#include <whence/resource.h>
#include <whence/sampler.h>

#include "trace/gather.h"

/* Counters of one provider on one thread: written by that thread alone, read by whoever asks. */
struct wh__counts {
    uint64_t started, ended, dropped_queue, dropped_memory, dropped_shutdown;
};
enum { WH__COUNTED_PROVIDERS = 16 }; /* that many have counters on every thread; all later ones share the last */

enum { WH__SCOPE_BUCKETS = 64 };
struct wh__scope;
struct wh__scope_seen;

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
    uint32_t max_queue, max_batch;
    int64_t schedule_delay, export_timeout;
    bool cancelled_is_error;
    bool processes;                   /* somebody takes what is recorded */
    unsigned index;                   /* of its counters */
    size_t exporter_count;
    struct wh_exporter **exporters;   /* [the drain's lock] after the shutdown there are none */

    bool closing;                     /* atomic: its shutdown has begun */
    bool shut_down;                   /* atomic: nothing is recorded any more */
    bool close_late;                  /* atomic: its exporters were busy when its shutdown had to end: they are closed after */
    int64_t closing_deadline;         /* atomic, with `closing` */
    uint64_t dropped_homeless;        /* atomic: on threads without memory for counters */
    bool plain;                       /* atomic: what is started without a scope may begin by the short way */
    uint32_t plain_lock;              /* for changing that */

    struct {
        uint32_t lock;                /* for adding to these */
        uint32_t count, seen_count;
        uint32_t configured;          /* atomic: how often the configurator was asked about all of them */
        struct wh__scope *all;        /* atomic, as the buckets: lists that only grow, at their heads */
        struct wh__scope_seen *seen[WH__SCOPE_BUCKETS];
    } scopes;

    /* of whoever holds the drain; the counters are atomic for those who ask */
    struct wh__gather gather;
    uint64_t exported, dropped_export, dropped_at_shutdown;
    uint64_t losses_seen, losses_said, exported_seen;
    int64_t last_loss;
    bool in_outage;                   /* that spans are lost has been said, and not yet that it is over */

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

/* So many spans waiting on one thread are worth waking the export thread for. */
static inline uint64_t wh__many(const wh_provider *provider)
{
    return provider->max_batch < provider->max_queue / 2 ? provider->max_batch : (provider->max_queue + 1) / 2;
}

/* Says when spans begin to be lost, and when that is over, or how many it were at the end. For whoever holds the drain. */
void wh__provider_report_losses(wh_provider *provider, bool at_the_end);

/* Closes the exporters that a shutdown could not wait for. For whoever holds the drain. */
void wh__provider_close_late(wh_provider *provider);

/* After anything that it depends on has changed. */
void wh__provider_settle(wh_provider *provider);

/* In the child of a fork: what is counted and what waits is the parent's. */
void wh__provider_forget(wh_provider *provider);

#endif
