/* whence/sampler.h: which spans are recorded. The samplers that are here, and how to write one of your own; and where ids
 * come from.
 *
 * The concepts and their names are OpenTelemetry's (specification 1.60, trace/sdk.md, Sampling, and
 * trace/tracestate-handling.md). A program that asks for nothing has ParentBased(AlwaysOn).
 */
#ifndef WHENCE_SAMPLER_H
#define WHENCE_SAMPLER_H

#include <whence/trace.h>

WH_BEGIN_DECLS

/* ---- The samplers that are here --------------------------------------------------------------------------------
 *
 * Each of these returns a sampler for wh_provider_new(), or for one of the others, which owns it then. None returns NULL:
 * without memory it is one that samples nothing, and that is said. A sampler that was given to nobody is freed with
 * wh_sampler_free(). */
struct wh_sampler;

WH_API struct wh_sampler *wh_sampler_always_on(void);
WH_API struct wh_sampler *wh_sampler_always_off(void);

/* TraceIdRatioBased: by the rightmost 7 bytes of the trace id, whatever the parent did; a higher ratio samples all that a
 * lower does. ratio: 0 to 1; NaN is 0. Meant for roots: that it decides for a child is said once. */
WH_API struct wh_sampler *wh_sampler_ratio(double ratio);

/* ParentBased: does for a child what one of four others says, by what its parent was, and for a root what `root` says.
 * wh_sampler_parent_based(wh_sampler_ratio(0.01)): whoever begins a trace decides for all of it. */
struct wh_parent_based_opts {
    size_t size;
    struct wh_sampler *root;                             /* NULL: always on */
    struct wh_sampler *remote_sampled WH_ZERO_;          /* NULL: always on */
    struct wh_sampler *remote_not_sampled WH_ZERO_;      /* NULL: always off */
    struct wh_sampler *local_sampled WH_ZERO_;           /* NULL: always on */
    struct wh_sampler *local_not_sampled WH_ZERO_;       /* NULL: always off */
};
#define wh_sampler_parent_based(...) wh_sampler_parent_based_at(WH_OPTS_(struct wh_parent_based_opts, .root = __VA_ARGS__))
WH_API struct wh_sampler *wh_sampler_parent_based_at(const struct wh_parent_based_opts *opts);

/* AlwaysRecord: as `inner`, but what that drops is recorded and not exported: processors see every span. */
WH_API struct wh_sampler *wh_sampler_always_record(struct wh_sampler *inner);

/* ProbabilitySampler (development): so many of all spans, whatever the parent did, by the randomness of the trace, which
 * all services share, so that a higher ratio samples all that a lower does. Writes the threshold to the tracestate, where
 * whoever counts spans finds it: `ot=th:...`, to 4 significant hexadecimal digits. ratio: 2^-56 to 1; below that, and NaN:
 * nothing is sampled. */
WH_API struct wh_sampler *wh_sampler_probability(double ratio);

/* CompositeSampler (development): by a threshold that composable samplers, below, agree on. */
struct wh_composable;
WH_API struct wh_sampler *wh_sampler_composite(struct wh_composable *composable);

/* JaegerRemoteSampler: does what a Jaeger says: so many of all traces, so many in a second, or so many of each operation
 * (span name) and at least so many in a second of it. In the library whence-otlp, which needs libcurl. Asks at its first
 * span, from a thread of its own, and then every interval; an answer that is none, or does not come, is said once an outage,
 * and what was said last holds on. Best as the root of a ParentBased. An endpoint that is no http or https URL is said, and
 * then `initial` decides for good. */
struct wh_jaeger_opts {
    size_t size;
    const char *endpoint WH_ZERO_;        /* of which /sampling?service=... is asked; NULL: http://localhost:5778 */
    const char *service WH_ZERO_;         /* service.name; NULL: unknown_service */
    int64_t interval WH_ZERO_;            /* 0: a minute */
    struct wh_sampler *initial WH_ZERO_;  /* until there is an answer; owned; NULL: ratio 0.001 */
};
#define wh_jaeger_sampler_new(...) wh_jaeger_sampler_new_at(WH_OPTS_(struct wh_jaeger_opts, __VA_ARGS__))
WH_API struct wh_sampler *wh_jaeger_sampler_new_at(const struct wh_jaeger_opts *opts);

/* "ParentBased{root:AlwaysOnSampler,...}": what a sampler is, in words; may change while it lives. Returns buf. */
WH_API char *wh_sampler_description(struct wh_sampler *sampler, char *buf, size_t size);

/* For a sampler that no provider owns. NULL is ignored. */
WH_API void wh_sampler_free(struct wh_sampler *sampler);

/* ---- One of your own -------------------------------------------------------------------------------------------*/

enum wh_decision {
    WH_DROP,               /* nothing is recorded; ids are handed on */
    WH_RECORD_ONLY,        /* processors see it, exporters do not; the flag WH_SAMPLED is not set */
    WH_RECORD_AND_SAMPLE
};

/* What a sampler is told. Valid during the call. */
struct wh_sampling {
    size_t size;
    const wh_ctx *parent;                      /* what wh_start() was given; NULL if that was */
    const struct wh_span_context *parent_span; /* NULL: a root, whatever is in `parent`. Ids of zeros: a root, too, but its caller has
                                                  said in .flags whether it is to be sampled (B3 without ids) */
    uint8_t trace_id[16];                      /* of the span, as are all that follow; there is no span id yet */
    bool random;                               /* its last 7 bytes are random, as WH_RANDOM says */
    const char *name;
    enum wh_kind kind;
    struct wh_attrs attrs;                     /* those given at the start: later ones are nothing to decide by */
    const struct wh_link *links;
    size_t link_count;
};

/* What it answers. Comes in as "drop", without attributes, and with the parent's tracestate. What it points to must be valid
 * after the call: it belongs to the sampler, or stands in the scratch room. Who uses that takes from its front, and moves
 * both members on. */
struct wh_sampled {
    size_t size;
    enum wh_decision decision;
    struct wh_attrs attrs;                     /* are added to the span */
    const char *tracestate;                    /* of the span; NULL or "": none. What is no list is ignored */
    char *scratch;                             /* at first aligned for any type, and of 4096 bytes at least */
    size_t scratch_size;
};

/* Put this first in a structure of your own. should_sample is called by wh_start(), once for each span, on its thread, with
 * no lock held, by many threads at once; it must not block, and not start spans of the provider that asks. The default
 * sampler is built into wh_start(), which then asks nobody; so are always on, always off and ratio at the root of a
 * ParentBased that leaves its other branches alone. Of the others each may be NULL. */
struct wh_sampler {
    size_t size;
    void (*should_sample)(struct wh_sampler *self, const struct wh_sampling *in, struct wh_sampled *out);
    /* Into buf, terminated. NULL: there are no words for it. */
    void (*description)(struct wh_sampler *self, char *buf, size_t size);
    /* The provider is being shut down: what the sampler does by itself is to end. It may still be asked. */
    void (*shutdown)(struct wh_sampler *self);
    /* Nobody can ask any more: who holds it is freed, or could not be made. A provider stays for ever, and so does its sampler. */
    void (*destroy)(struct wh_sampler *self);
};

/* ---- Composable samplers (development) -------------------------------------------------------------------------
 *
 * They do not decide, they say from which randomness on they would sample, so that they can be put together. Owned like
 * samplers: each by what it is given to; without memory one that samples nothing, which is said; wh_composable_free(). */
#define WH_NO_THRESHOLD UINT64_MAX

/* What one intends. Comes in with no threshold, not reliable, without attributes, and with the parent's tracestate. Pointers
 * as in struct wh_sampled. */
struct wh_intent {
    size_t size;
    uint64_t threshold;                        /* sampled from this randomness on, of 56 bits; WH_NO_THRESHOLD: never */
    bool reliable;                             /* spans may be counted by the threshold */
    struct wh_attrs attrs;                     /* if it is sampled: wh_intent_attrs() adds some */
    const char *tracestate;                    /* the key `ot` in it is seen to by the CompositeSampler */
    char *scratch;
    size_t scratch_size;
};

/* Adds attributes: the list is copied to the scratch room, what its members point to is not. Without room: false. */
WH_API bool wh_intent_attrs(struct wh_intent *intent, struct wh_attrs attrs);

/* in->trace_id is all zero: an intent does not depend on it. Otherwise as struct wh_sampler. */
struct wh_composable {
    size_t size;
    void (*get_intent)(struct wh_composable *self, const struct wh_sampling *in, struct wh_intent *out);
    void (*description)(struct wh_composable *self, char *buf, size_t size);
    void (*shutdown)(struct wh_composable *self);
    void (*destroy)(struct wh_composable *self);
};
WH_API void wh_composable_free(struct wh_composable *composable);

WH_API struct wh_composable *wh_composable_always_on(void);
WH_API struct wh_composable *wh_composable_always_off(void);
WH_API struct wh_composable *wh_composable_probability(double ratio); /* as wh_sampler_probability() */

/* What the parent's tracestate says; if it says nothing, as the parent did, which nobody can count by; for a root as `root`. */
WH_API struct wh_composable *wh_composable_parent_threshold(struct wh_composable *root);

/* The first rule that matches; none: not sampled. The list is copied, what it points to is owned. */
struct wh_rule {
    bool (*matches)(const struct wh_sampling *in, void *arg); /* as should_sample; NULL: always */
    void *arg;                                                 /* stays the caller's */
    struct wh_composable *then;
};
WH_API struct wh_composable *wh_composable_rule_based(const struct wh_rule *rules, size_t count);

/* As `inner`, and these attributes on what is sampled. They are not copied: a static list. */
WH_API struct wh_composable *wh_composable_annotating(struct wh_attrs attrs, struct wh_composable *inner);

/* ---- Ids -------------------------------------------------------------------------------------------------------
 *
 * By default random numbers, from a generator on each thread. One of your own: put this first in a structure, and give it
 * to wh_provider_new(), which owns it. Called on the thread of wh_start(), by many at once, with no lock held; it must not
 * block. An id of zeros is none: a random one is taken in its place, which is said once. */
struct wh_id_generator {
    size_t size;
    void (*trace_id)(struct wh_id_generator *self, uint8_t out[16]); /* NULL: random */
    void (*span_id)(struct wh_id_generator *self, uint8_t out[8]);   /* NULL: random */
    bool random; /* the last 7 bytes of its trace ids are random, as level 2 of W3C's text has it: roots carry WH_RANDOM */
    void (*destroy)(struct wh_id_generator *self); /* or NULL; as a sampler's */
};

WH_END_DECLS
#endif
