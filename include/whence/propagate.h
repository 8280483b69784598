/* whence/propagate.h: across the wire, both ways. What travels with a request, as fields of a carrier, if nothing else is
 * asked for:
 *
 *   traceparent, tracestate   the span: W3C Trace Context, level 2
 *   baggage                   names and values (baggage.h): W3C Baggage
 *   x-request-id              the request id: at most 128 visible ASCII characters
 *   whence-timeout            what is left of the deadline, as a duration, so that no clocks are compared:
 *                             1 to 8 digits and a unit (H M S m u n), rounded up, as gRPC has it
 *   grpc-timeout              the same, read; written by the propagator "grpc". Of both, the shorter time holds
 *
 * What comes in is hostile until proven otherwise: a field that is malformed is ignored, costs at most one pass over its
 * bytes, allocates nothing, and never breaks the others. docs/propagation.md has the table of all fields and limits.
 */
#ifndef WHENCE_PROPAGATE_H
#define WHENCE_PROPAGATE_H

#include <whence/baggage.h>
#include <whence/trace.h>

WH_BEGIN_DECLS

/* ---- In and out ------------------------------------------------------------------------------------------------
 *
 * The carrier may be anything that maps names to values: headers, message properties, an environment. Header names are
 * compared without regard to case, by the getter. */

/* Returns the value of the field, terminated and valid until the next call, or NULL. Where the carrier holds several
 * lines of that name, their values joined by commas (RFC 9110, section 5.3). */
typedef const char *wh_get_fn(void *carrier, const char *name);

/* Sets the field, in place of one that is there. Both strings are valid only during the call. */
typedef void wh_set_fn(void *carrier, const char *name, const char *value);

/* Derives from parent a context for the request that the carrier describes: its span will be the parent of spans started
 * from here, its remaining budget is a deadline (the parent's still holds if it is earlier), its baggage takes the place of
 * the parent's, its request id is a value. An owner, even if there was nothing to extract. get: not NULL. */
#define wh_extract(parent, get, carrier) wh_extract_at((parent), (get), (carrier), WH_HERE)
WH_API WH_OWNER_ wh_ctx *wh_extract_at(const wh_ctx *parent, wh_get_fn *get, void *carrier, const struct wh_site *site);

/* Writes the fields for a request made under ctx: those for which ctx has something to say. A budget that is used up
 * travels as the least duration there is, never as none. Works with or without a provider, sampled or not. */
WH_API void wh_inject(const wh_ctx *ctx, wh_set_fn *set, void *carrier);

/* The names that wh_inject() may set, ending with NULL: for carriers that must be cleared before they are used again.
 * Valid for ever. Jaeger's uberctx- fields, whose names are the baggage's, are not among them. */
WH_API const char *const *wh_inject_fields(void);

/* ---- Carriers that can do more ---------------------------------------------------------------------------------
 *
 * A field may come in several lines, and a propagator may want to know which fields there are. The functions of a carrier;
 * what they work on is handed over beside them, so that this can be a constant. To extract there must be get, and to inject set.
 * Without get_all, get does; without keys, fields whose names are not known beforehand (Jaeger's uberctx-) are not found. */

/* Called with one text, valid during the call, which may ask the carrier's get; false: the rest is not wanted. */
typedef bool wh_each_fn(void *arg, const char *text);

struct wh_carrier {
    size_t size;                                                                    /* sizeof(struct wh_carrier) */
    wh_get_fn *get WH_ZERO_;                                                        /* one line, or all joined by commas */
    void (*get_all)(void *carrier, const char *name, wh_each_fn *each, void *arg) WH_ZERO_; /* every line, in order */
    void (*keys)(void *carrier, wh_each_fn *each, void *arg) WH_ZERO_;              /* every name, any case */
    wh_set_fn *set WH_ZERO_;
};

/* wh_extract() and wh_inject() with such a carrier, by one propagator; NULL: by those that are set for all. */
struct wh_propagator;
#define wh_extract_with(parent, propagator, from, carrier) wh_extract_with_at((parent), (propagator), (from), (carrier), WH_HERE)
WH_API WH_OWNER_ wh_ctx *wh_extract_with_at(const wh_ctx *parent, const struct wh_propagator *propagator,
                                               const struct wh_carrier *from, void *carrier, const struct wh_site *site);
WH_API void wh_inject_with(const wh_ctx *ctx, const struct wh_propagator *propagator, const struct wh_carrier *to, void *carrier);

/* ---- Propagators -----------------------------------------------------------------------------------------------
 *
 * How contexts become fields, and fields contexts. Each is immutable; all functions may be called from any thread. */

/* W3C Trace Context level 2; W3C Baggage; B3 in one header, and in several: both read either, the single one first; Jaeger
 * (uber-trace-id and uberctx-); gRPC's field for the remaining time; Whence's own (request id and remaining time). Their names, in
 * this order: tracecontext, baggage, b3, b3multi, jaeger, grpc, whence. Static. */
WH_API const struct wh_propagator *wh_tracecontext_propagator(void);
WH_API const struct wh_propagator *wh_baggage_propagator(void);
WH_API const struct wh_propagator *wh_b3_propagator(void);
WH_API const struct wh_propagator *wh_b3multi_propagator(void);
WH_API const struct wh_propagator *wh_jaeger_propagator(void);
WH_API const struct wh_propagator *wh_grpc_propagator(void);
WH_API const struct wh_propagator *wh_whence_propagator(void);

/* Which ones wh_extract() and wh_inject() use, in that order; count 0: none. By default tracecontext, baggage and whence. Where
 * two find different spans, the later one's holds; of the same span, what either knows. The propagators are not copied and must stay valid for ever. At any time, from any
 * thread: who is at work goes on with the former ones. 0, or ENOMEM and nothing has changed. */
WH_API int wh_set_propagators(const struct wh_propagator *const *list, size_t count);

/* The same by names, as OTEL_PROPAGATORS has them: "tracecontext,b3", in any case, "none" for none; NULL or "": the default.
 * What is unknown is said, and ignored. 0, or ENOMEM and nothing has changed. */
WH_API int wh_set_propagators_named(const char *names);

/* All that are set, as one. Valid for ever. */
WH_API const struct wh_propagator *wh_propagators(void);

/* Several as one, in that order, each once; a composite among them counts as what it is made of, here and for
 * wh_set_propagators(), and may be freed after. NULL without memory. */
WH_API struct wh_propagator *wh_composite_propagator_new(const struct wh_propagator *const *list, size_t count);
WH_API void wh_composite_propagator_free(struct wh_propagator *composite);

/* One of your own. `inject` writes what ctx has to say with to->set, which is not NULL. `extract` returns an owner derived from
 * parent, or NULL if the carrier says nothing, or nothing that can be understood; from->get is there. */
struct wh_propagator {
    size_t size; /* sizeof(struct wh_propagator) */
    const char *name;
    void (*inject)(const struct wh_propagator *self, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier);
    wh_ctx *(*extract)(const struct wh_propagator *self, const wh_ctx *parent, const struct wh_carrier *from, void *carrier,
                       const struct wh_site *site);
    const char *const *fields; /* what inject may set, ending with NULL */
};

/* ---- The environment as a carrier ------------------------------------------------------------------------------
 *
 * From a program to those that it starts (OpenTelemetry's context/env-carriers.md). Names of variables are those of fields in
 * upper case, every other character than a letter or a digit being '_': TRACEPARENT, BAGGAGE, X_REQUEST_ID. */

/* wh_extract() from the process's own environment. Like getenv(), not while another thread changes that. */
#define wh_extract_env(parent) wh_extract_env_at((parent), WH_HERE)
WH_API WH_OWNER_ wh_ctx *wh_extract_env_at(const wh_ctx *parent, const struct wh_site *site);

/* An environment for execve() or posix_spawn(): that of `envp` (NULL: the process's own, which stays as it is) without what it
 * says of a context, and with what ctx has to say. One block of memory, to be given to free(); what comes from envp is not copied,
 * and must stay. Allocates: call it before a fork(). NULL without memory. */
WH_API WH_MUST_USE_ char **wh_inject_env(const wh_ctx *ctx, char *const *envp);

/* ---- A message as a carrier ------------------------------------------------------------------------------------
 *
 * For queues: what travels, as bytes that go with the message, before its body or in a property. A queue whose messages have
 * headers needs none of this: they are a carrier like any other, but then the time in the queue is not deducted. */

/* Writes every field that wh_inject() would set for ctx, and when that was. Returns how many bytes that takes, at most
 * WH_BYTES_MAX; if it is more than `size`, nothing is written. 0: ctx has nothing to say. The length does not depend on when
 * it is called. A field for which there is no room, or whose name has more than 255 characters, is left out as a whole, which
 * is said once. No allocation. docs/propagation.md has the layout. */
#define WH_BYTES_MAX 16384 /* all that the propagators here send has room, with baggage at its limit of 8192 */
WH_API size_t wh_inject_bytes(const wh_ctx *ctx, void *buf, size_t size);

/* wh_extract() from such bytes: wh_extract_bytes(parent, bytes, len, .waited = ns). `bytes` may be NULL; they are not needed
 * after the call. Unless they are sound to the last one, and of a version that is known (1), they say nothing, and nothing is
 * allocated for them; each field is then judged as if it had come in a header. An owner in any case.
 *
 * The time since the writing is deducted from the deadline; if nothing is left, the context is done at once. Where writer and
 * reader are on the same boot of the same machine, that time is known to the nanosecond, whatever was done to its wall clock
 * (the monotonic clock goes on counting; while the machine is suspended it stands still). Otherwise it is `waited`, which
 * the consumer may know from its broker: by two stamps of one clock. Otherwise nothing is deducted: then a message has in the
 * queue all the time of the world, and after it what was left when it was sent. The deadline never moves to later than where
 * the producer had it, but by what is not deducted. Below a clock of test.h only `waited` counts. */
struct wh_bytes_opts {
    size_t size;
    const struct wh_site *site;
    const void *bytes;
    size_t len;
    int64_t waited WH_ZERO_; /* nanoseconds since it was written; less than 0 is 0 */
};
#define wh_extract_bytes(parent, bytes_, ...) \
    wh_extract_bytes_at((parent), WH_OPTS_(struct wh_bytes_opts, .site = WH_HERE, .bytes = (bytes_), .len = __VA_ARGS__))
WH_API WH_OWNER_ wh_ctx *wh_extract_bytes_at(const wh_ctx *parent, const struct wh_bytes_opts *opts);

/* ---- The request id --------------------------------------------------------------------------------------------*/

/* The request id of ctx, or NULL. wh_with_request_id() sets it for what is derived: a copy of id, cut after 128
 * characters, or a new one (32 random hex digits) if id is NULL or holds anything but visible ASCII. An owner. */
WH_API const char *wh_request_id(const wh_ctx *ctx);
WH_API WH_OWNER_ wh_ctx *wh_with_request_id(const wh_ctx *parent, const char *id);

WH_END_DECLS
#endif
