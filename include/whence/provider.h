/* whence/provider.h: who records spans, and where they go. For the program's main function: a library that starts spans needs
 * none of this.
 *
 * The concepts and their names are OpenTelemetry's (specification 1.60, trace/sdk.md).
 */
#ifndef WHENCE_PROVIDER_H
#define WHENCE_PROVIDER_H

#include <whence/trace.h>

WH_BEGIN_DECLS

struct wh_exporter; /* exporters.h */
struct wh_sampler;  /* sampler.h, as the next */
struct wh_id_generator;

/* ---- Processors ------------------------------------------------------------------------------------------------
 *
 * What becomes of spans: the provider calls its processors in the order in which they were given, on the thread that starts or
 * ends a span (trace/sdk.md, Span processor). Those below take sampled spans to an exporter; your own may look at spans,
 * annotate them, or hand them on to another. Spans that are recorded but not sampled come to processors, and to no exporter. */

/* A span that has ended. Valid during the call, but what ctx points to may be held. A processor that hands on something else
 * copies this structure and changes what it wants. */
struct wh_ended {
    size_t size;
    struct wh_bytes span;              /* opentelemetry.proto.trace.v1.Span: wh_span_read() (exporters.h) */
    bool sampled;
    const wh_ctx *ctx;                 /* the span's context, which records no more */
    struct wh_bytes resource;          /* opentelemetry.proto.resource.v1.Resource */
    struct wh_str schema_url;          /* of the resource */
    struct wh_bytes scope;             /* opentelemetry.proto.common.v1.InstrumentationScope */
    struct wh_str scope_schema_url;
    const void *origin;                /* where the last four stand for ever: for the batch processor */
};

/* Put this first in a structure of your own. Members that are NULL are skipped. Every function may be called from any thread,
 * from several at once, and holds up whoever calls it: none may wait, nor throw. With no lock of the library held. */
struct wh_processor {
    size_t size;
    const char *name;
    /* A recording span has started: it can be annotated, and outlives the call if it is held. parent: what wh_start() was given. */
    void (*on_start)(struct wh_processor *self, const wh_ctx *span, const wh_ctx *parent);
    /* It ends: its end timestamp is taken, and nobody but this call can change it any more. `span` is another context of the same
     * span, for this; it is below the one that ends, and records until every processor has had its turn. Without memory for it, it
     * records nothing. */
    void (*on_ending)(struct wh_processor *self, const wh_ctx *span);
    void (*on_end)(struct wh_processor *self, const struct wh_ended *ended);
    /* What has ended by now is to be through when this returns, or at the deadline, an instant. 0 or an errno value. */
    int (*flush)(struct wh_processor *self, int64_t deadline);
    /* Once, after a flush; after it only destroy is called, although on_start, on_ending and on_end may still be running. */
    int (*shutdown)(struct wh_processor *self, int64_t deadline);
    /* Nobody is in any of these any more, nor will be. */
    void (*destroy)(struct wh_processor *self);
};

/* Spans wait in memory of the thread that ended them and are exported by a background thread of the processor's own, started at
 * the first span (trace/sdk.md, Batching processor). When they come faster than they leave, the new ones are dropped, counted,
 * and reported once per outage. Owns the exporter, also if it returns NULL (ENOMEM, or EINVAL: there is none). */
struct wh_batch_processor_opts {
    size_t size;
    struct wh_exporter *exporter;
    uint32_t max_queue WH_ZERO_;                      /* spans that may wait, for each thread that ends some; 0: 2048 */
    uint32_t max_batch WH_ZERO_;                      /* spans in one export; 0: 512; at most max_queue */
    int64_t schedule_delay WH_ZERO_;                  /* the longest a span waits when few come; 0: 5 s */
    int64_t export_timeout WH_ZERO_;                  /* for one export; 0: 30 s */
};
#define wh_batch_processor_new(...) wh_batch_processor_new_at(WH_OPTS_(struct wh_batch_processor_opts, .exporter = __VA_ARGS__))
WH_API struct wh_processor *wh_batch_processor_new_at(const struct wh_batch_processor_opts *opts);

/* The thread that ends a span exports it, and waits for that; threads that end spans at once wait for each other. For
 * development: a slow exporter is felt at every wh_end(). Owns the exporter likewise. */
struct wh_simple_processor_opts {
    size_t size;
    struct wh_exporter *exporter;
    int64_t export_timeout WH_ZERO_;                  /* for one export, and for waiting until it can begin; 0: 30 s */
};
#define wh_simple_processor_new(...) wh_simple_processor_new_at(WH_OPTS_(struct wh_simple_processor_opts, .exporter = __VA_ARGS__))
WH_API struct wh_processor *wh_simple_processor_new_at(const struct wh_simple_processor_opts *opts);

/* What has become of the sampled spans that such a processor was given. taken = exported + waiting + every kind of dropped. */
struct wh_processor_stats {
    size_t size;               /* sizeof(struct wh_processor_stats): set it before the call */
    uint64_t taken;
    uint64_t waiting;          /* in its queues or with its exporter */
    uint64_t exported;         /* the exporter has accepted them */
    uint64_t dropped_queue;    /* more waited than max_queue allows */
    uint64_t dropped_memory;   /* no memory to keep them */
    uint64_t dropped_export;   /* the exporter gave up or was refused; or, of a simple one, it was busy for too long */
    uint64_t dropped_shutdown; /* ended after the shutdown, or left when it ran out of time */
    uint64_t exports;          /* calls of the exporter, */
    uint64_t exports_failed;   /* those that failed as a whole, */
    uint64_t export_time;      /* and how long all of them took, in nanoseconds */
};
/* False, and *stats untouched, for a processor that is not of the library. */
WH_API bool wh_processor_stats(const struct wh_processor *processor, struct wh_processor_stats *stats);

/* For a processor that no provider owns. NULL is ignored. */
WH_API void wh_processor_free(struct wh_processor *processor);

/* ---- The provider ----------------------------------------------------------------------------------------------
 *
 * Holds what spans are recorded with and where they go. wh_main() makes one; a program that wants its own makes it
 * here. A process may have several, say a proxy's and a plugin's, and a provider several exporters: no one of them holds up
 * another. Every function may be called from any thread at any time. */

/* What a span may hold. 0: the general limit below, and where there is none, the default. What is over a limit is left out
 * and counted on the span. The attributes of resources and scopes have no limits. */
struct wh_limits {
    uint32_t attributes WH_ZERO_;       /* per span; default 128, as of the next four */
    uint32_t events WH_ZERO_;
    uint32_t links WH_ZERO_;
    uint32_t event_attributes WH_ZERO_;
    uint32_t link_attributes WH_ZERO_;
    uint32_t value_length WH_ZERO_;     /* bytes of bytes, characters of text, also within arrays and maps; default: any */
    uint32_t value_depth WH_ZERO_;      /* deeper arrays and maps become empty values; the outermost is 1; default 64, at most 128 */
    uint32_t attribute_count WH_ZERO_;        /* general: AttributeCountLimit, for spans, events and links */
    uint32_t attribute_value_length WH_ZERO_; /* AttributeValueLengthLimit */
    uint32_t attribute_value_depth WH_ZERO_;  /* AttributeValueDepthLimit */
};
#define WH_LIMIT_ZERO (UINT32_MAX - 1) /* a limit of none at all; UINT32_MAX: no limit */

/* What becomes of a scope (trace/sdk.md, TracerConfigurator). fn is called for every scope of the provider: when the first span
 * of it is started, from the thread that does, and again for all of them at wh_provider_reconfigure(). From any thread, with
 * no lock held; it may start spans only of other scopes. */
struct wh_tracer_config {
    size_t size;
    bool enabled; /* comes in as true; false: wh_start() starts no span, and hands on the parent's */
};
struct wh_tracer_configure {
    void (*fn)(const struct wh_scope *scope, struct wh_tracer_config *config, void *arg) WH_ZERO_;
    void *arg WH_ZERO_;
};

/* Record, then decide: traces that the sampler does not take are recorded all the same, wait in memory, and are exported if they
 * end badly. Per local trace, which is what is of this process below a root, or below a span whose parent is remote: it is
 * kept as a whole, when that span ends, if anywhere in it a span was cancelled (but in the course of things: WH_ENDED,
 * WH_GROUP_DONE, WH_RACE_LOST, WH_HANDLER_RETURNED), failed (status ERROR), or had less than a tenth of its time left when it
 * ended; else it is forgotten. A span that ends later follows that verdict. Other services are told what the sampler has
 * said. docs/sampling.md. */
enum wh_keep_because {
    WH_KEEP_CANCELLED = 1,
    WH_KEEP_FAILED = 2,
    WH_KEEP_LATE = 4
};
struct wh_keep {
    bool enabled WH_ZERO_;      /* it costs every span that is not sampled what a sampled one costs, and the export nothing */
    uint32_t per_second WH_ZERO_; /* traces that are kept, on average, and at once after a pause; 0: 10. At most 10^9 */
    uint64_t memory WH_ZERO_;   /* bytes of spans that are recorded for this or wait; 0: 16 MiB. When it is used up local traces that
                                   begin are not recorded; one alone may have an eighth */
    uint32_t spans WH_ZERO_;    /* that wait of one local trace; 0: 1024. Further ones are missing in it */
    unsigned because WH_ZERO_;  /* any of enum wh_keep_because; 0: all */
    int64_t every WH_ZERO_;     /* of traces that are alike (by reason, site, and name of the local root), one in this time is kept
                                   and the others are counted, which the next one kept says; 0: 1 s */
    void *reserved_[4] WH_EMPTY_;
};

struct wh_provider_opts {
    size_t size;
    const char *service WH_ZERO_;                     /* service.name; NULL: unknown_service:<program> */
    struct wh_attrs resource WH_EMPTY_;               /* further attributes of the resource */
    const struct wh_resource *base WH_ZERO_;          /* what they are added to (resource.h); copied; NULL: the default resource */
    struct wh_sampler *sampler WH_ZERO_;              /* owned, as the exporters; NULL: ParentBased(AlwaysOn) */
    struct wh_limits limits WH_EMPTY_;
    struct wh_exporter *const *exporters WH_ZERO_;    /* each with a batch processor of its own, after .processors; owned by
                                                         the provider from here on, also on failure, as are those */
    size_t exporter_count WH_ZERO_;
    uint32_t max_queue WH_ZERO_;                      /* of these batch processors, as the next three: see there */
    uint32_t max_batch WH_ZERO_;
    int64_t schedule_delay WH_ZERO_;
    int64_t export_timeout WH_ZERO_;
    bool cancelled_is_error WH_ZERO_;                 /* status ERROR also for spans that were cancelled benignly */
    const struct wh_scope *scope WH_ZERO_;            /* of spans that are started without one; NULL: whence and its version */
    struct wh_tracer_configure configure WH_EMPTY_;   /* no fn: every scope is enabled */
    struct wh_id_generator *ids WH_ZERO_;             /* owned likewise; NULL: random ids */
    struct wh_processor *const *processors WH_ZERO_;  /* called in this order */
    size_t processor_count WH_ZERO_;
    bool observe WH_ZERO_;                            /* count otel.sdk.span.started too, which costs every span some time */
    struct wh_keep keep WH_EMPTY_;                    /* for the exporters; off by default */
};

/* NULL and ENOMEM in errno if there is no memory for it. */
#define wh_provider_new(...) wh_provider_new_at(WH_OPTS_(struct wh_provider_opts, __VA_ARGS__))
WH_API wh_provider *wh_provider_new_at(const struct wh_provider_opts *opts);

/* The provider of contexts that come from nowhere, such as the children of wh_background(): what wh_main() has made or was given, or
 * what was set here. NULL: none. One that is shut down is it no longer. Not owned. */
WH_API wh_provider *wh_provider_default(void);
WH_API void wh_provider_set_default(wh_provider *provider);

/* A root for the contexts of this provider, to be ended like any other. */
#define wh_provider_root(provider) wh_provider_root_at((provider), WH_HERE)
WH_API WH_OWNER_ wh_ctx *wh_provider_root_at(wh_provider *provider, const struct wh_site *site);

/* Asks .configure again about every scope. For spans that are started from now on, soon. */
WH_API void wh_provider_reconfigure(wh_provider *provider);

/* Exports everything that has ended by now (and has its verdict), by all processors at once. 0; ETIMEDOUT after `timeout`, and the export goes on;
 * EIO if an exporter failed; EALREADY once the shutdown has begun. */
WH_API int wh_provider_flush(wh_provider *provider, int64_t timeout);

/* Ends, flushes, shuts processors and exporters down, and ignores what comes later. Spans that are open are ended as they are and
 * exported with whence.leaked, with where they were started and their age, as far as that takes no more than half of the time; the
 * worst places are reported once. When their owners end them after that, nothing happens. Once: EALREADY afterwards. Same results;
 * after ETIMEDOUT the exporters that were late are shut down as soon as they come back. The provider object itself stays valid
 * for ever: contexts may still point to it. */
WH_API int wh_provider_shutdown(wh_provider *provider, int64_t timeout);

/* What has become of the spans. With one exporter, started = exported + waiting + open + recorded_only + keep_forgotten + every kind
 * of dropped, where those that wait for a verdict are among the waiting.
 * With several, exported and dropped are sums over them: a span counts once in each; what no exporter of the library was
 * given is dropped for all of them. Processors of your own do their own counting. */
struct wh_provider_stats {
    size_t size; /* sizeof(struct wh_provider_stats): set it before the call */
    uint64_t started;          /* recording spans */
    uint64_t ended;
    uint64_t exported;         /* an exporter has accepted them */
    uint64_t dropped_queue;    /* more waited than max_queue allows */
    uint64_t dropped_memory;   /* no memory to record or to keep it */
    uint64_t dropped_export;   /* the exporter gave up or was refused */
    uint64_t dropped_shutdown; /* ended after the shutdown, or left when it ran out of time */
    uint64_t recorded_only;    /* ended, not sampled: for processors, not for exporters */
    uint64_t leaked;           /* of those that have ended, how many the shutdown had to end, */
    uint64_t brief;            /* and how many say little of their cancellation, since very many were stopped by the same */
    /* Of traces that are not sampled, where .keep is enabled: */
    uint64_t kept_traces;      /* local traces that were kept, */
    uint64_t kept_spans;       /* and their spans, which are exported or dropped like any other */
    uint64_t keep_forgotten;   /* spans of those that were not */
    uint64_t keep_skipped;     /* local traces that were not recorded: .memory was used up, or there was none */
    uint64_t keep_limited;     /* not kept, as the budget of .per_second was used up, */
    uint64_t keep_alike;       /* or as there had just been one like it: */
    uint64_t keep_untold;      /* of these two, those that no kept trace has told of in whence.kept.alike, yet */
    uint64_t keep_memory;      /* bytes of .memory in use; each thread may have 32 KB of it in stock */
};
WH_API void wh_provider_stats(const wh_provider *provider, struct wh_provider_stats *stats);

/* ---- The tracer, observed --------------------------------------------------------------------------------------
 *
 * How tracing itself is doing, under the names that OpenTelemetry's semantic conventions have for it (1.44, otel/sdk-metrics.md):
 * for whatever metrics a program has. */
enum wh_measure_kind { WH_COUNTER, WH_UP_DOWN_COUNTER, WH_HISTOGRAM };
struct wh_measure {
    size_t size;
    const char *name;          /* otel.sdk.span.live and so on */
    const char *unit;          /* "{span}", or "s" */
    enum wh_measure_kind kind;
    struct wh_attrs attrs;
    int64_t value;             /* of counters: since the provider was made, or in the child since the fork */
    uint64_t count;            /* of a histogram: how many, and what they took in all, least and most, in the unit */
    double sum, min, max;
};

/* Calls each(measure, arg) for everything that can be said now; of errors only those that have happened. What it is given is valid
 * during the call. */
WH_API void wh_provider_observe(const wh_provider *provider, void (*each)(const struct wh_measure *measure, void *arg), void *arg);

/* The same as one event, "otel.sdk.report", on the span of ctx: an attribute for each, its key the name and then, after slashes, the
 * values of the measure's attributes. Of a histogram the sum. ctx may be of the same provider. */
WH_API void wh_provider_observe_on(const wh_provider *provider, const wh_ctx *ctx);

WH_END_DECLS
#endif
