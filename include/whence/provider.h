/* whence/provider.h: who records spans, and where they go. For the program's main function: a library that starts spans needs
 * none of this.
 *
 * The concepts and their names are OpenTelemetry's (specification 1.60, trace/sdk.md).
 */
#ifndef WHENCE_PROVIDER_H
#define WHENCE_PROVIDER_H

#include <whence/trace.h>

WH_BEGIN_DECLS

/* ---- The provider ----------------------------------------------------------------------------------------------
 *
 * Holds what spans are recorded with and where they go. wh_main() makes one; a program that wants its own makes it
 * here. Spans wait in memory of the thread that ended them and are exported by one background thread, started at the
 * first span. When they come faster than they leave, the new ones are dropped, counted, and reported once per outage. */
struct wh_exporter; /* exporters.h */
struct wh_sampler;  /* sampler.h, as the next */
struct wh_id_generator;

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

struct wh_provider_opts {
    size_t size;
    const char *service WH_ZERO_;                     /* service.name; NULL: unknown_service:<program> */
    struct wh_attrs resource WH_EMPTY_;               /* further attributes of the resource */
    const struct wh_resource *base WH_ZERO_;          /* what they are added to (resource.h); copied; NULL: the default resource */
    struct wh_sampler *sampler WH_ZERO_;              /* owned, as the exporters; NULL: ParentBased(AlwaysOn) */
    struct wh_limits limits WH_EMPTY_;
    struct wh_exporter *const *exporters WH_ZERO_;    /* owned by the provider from here on, also on failure */
    size_t exporter_count WH_ZERO_;
    uint32_t max_queue WH_ZERO_;                      /* spans that may wait, for each thread that ends some; 0: 2048 */
    uint32_t max_batch WH_ZERO_;                      /* spans in one export; 0: 512 */
    int64_t schedule_delay WH_ZERO_;                  /* the longest a span waits when few come; 0: 5 s */
    int64_t export_timeout WH_ZERO_;                  /* for one export; 0: 30 s */
    bool cancelled_is_error WH_ZERO_;                 /* status ERROR also for spans that were cancelled benignly */
    const struct wh_scope *scope WH_ZERO_;            /* of spans that are started without one; NULL: whence and its version */
    struct wh_tracer_configure configure WH_EMPTY_;   /* no fn: every scope is enabled */
    struct wh_id_generator *ids WH_ZERO_;             /* owned likewise; NULL: random ids */
};

/* NULL and ENOMEM in errno if there is no memory for it. */
#define wh_provider_new(...) wh_provider_new_at(WH_OPTS_(struct wh_provider_opts, __VA_ARGS__))
WH_API wh_provider *wh_provider_new_at(const struct wh_provider_opts *opts);

/* A root for the contexts of this provider, to be ended like any other. */
#define wh_provider_root(provider) wh_provider_root_at((provider), WH_HERE)
WH_API WH_OWNER_ wh_ctx *wh_provider_root_at(wh_provider *provider, const struct wh_site *site);

/* Asks .configure again about every scope. For spans that are started from now on, soon. */
WH_API void wh_provider_reconfigure(wh_provider *provider);

/* Exports everything that has ended by now. 0; ETIMEDOUT after `timeout`, and the export goes on; EIO if an exporter failed;
 * EALREADY once the shutdown has begun. */
WH_API int wh_provider_flush(wh_provider *provider, int64_t timeout);

/* Flushes, shuts the exporters down, and ignores what comes later. Once: EALREADY afterwards. Same results;
 * after ETIMEDOUT the exporters are shut down as soon as they come back. The provider object itself stays valid for ever:
 * contexts may still point to it. All providers share one export thread, so an exporter that ignores its deadline holds up
 * all of them; and beyond the sixteenth of a process they share their statistics. */
WH_API int wh_provider_shutdown(wh_provider *provider, int64_t timeout);

/* What has become of the spans. started = exported + waiting + open + every kind of dropped. */
struct wh_provider_stats {
    size_t size; /* sizeof(struct wh_provider_stats): set it before the call */
    uint64_t started;          /* recording spans */
    uint64_t ended;
    uint64_t exported;         /* an exporter has accepted them */
    uint64_t dropped_queue;    /* more waited than max_queue allows */
    uint64_t dropped_memory;   /* no memory to record or to keep it */
    uint64_t dropped_export;   /* the exporter gave up or was refused */
    uint64_t dropped_shutdown; /* ended after the shutdown, or left when it ran out of time */
};
WH_API void wh_provider_stats(const wh_provider *provider, struct wh_provider_stats *stats);

WH_END_DECLS
#endif
