/* whence/propagate.h: across the wire, both ways. What travels with a request, as header fields:
 *
 *   traceparent, tracestate   the span: W3C Trace Context, level 2
 *   x-request-id              the request id: at most 128 visible ASCII characters
 *   whence-timeout            what is left of the deadline, as a duration, so that no clocks are compared:
 *                             1 to 8 digits and a unit (H M S m u n), rounded up, as gRPC has it
 *   grpc-timeout              the same, read only
 *
 * The carrier may be anything that maps names to values: headers, message properties, an environment. Header names are
 * compared without regard to case, by the getter. What comes in is hostile until proven otherwise: a field that is
 * malformed is ignored, costs at most one pass over its bytes, allocates nothing, and never breaks the others.
 */
#ifndef WHENCE_PROPAGATE_H
#define WHENCE_PROPAGATE_H

#include <whence/trace.h>

WH_BEGIN_DECLS

/* Returns the value of the field, terminated and valid until the next call, or NULL. Where the carrier holds several
 * lines of that name, their values joined by commas (RFC 9110, section 5.3). */
typedef const char *wh_get_fn(void *carrier, const char *name);

/* Sets the field, in place of one that is there. Both strings are valid only during the call. */
typedef void wh_set_fn(void *carrier, const char *name, const char *value);

/* Derives from parent a context for the request that the carrier describes: its span will be the parent of spans started
 * from here, its remaining budget is a deadline (the parent's still holds if it is earlier), its request id a value. An
 * owner, even if there was nothing to extract. get: not NULL. */
#define wh_extract(parent, get, carrier) wh_extract_at((parent), (get), (carrier), WH_HERE)
WH_API WH_OWNER_ wh_ctx *wh_extract_at(const wh_ctx *parent, wh_get_fn *get, void *carrier, const struct wh_site *site);

/* Writes the fields for a request made under ctx: those for which ctx has something to say. A budget that is used up
 * travels as the least duration there is, never as none. Works with or without a provider, sampled or not. */
WH_API void wh_inject(const wh_ctx *ctx, wh_set_fn *set, void *carrier);

/* The names that wh_inject() may set, ending with NULL: for carriers that must be cleared before they are used again. */
WH_API const char *const *wh_inject_fields(void);

/* The request id of ctx, or NULL. wh_with_request_id() sets it for what is derived: a copy of id, cut after 128
 * characters, or a new one (32 random hex digits) if id is NULL or holds anything but visible ASCII. An owner. */
WH_API const char *wh_request_id(const wh_ctx *ctx);
WH_API WH_OWNER_ wh_ctx *wh_with_request_id(const wh_ctx *parent, const char *id);

WH_END_DECLS
#endif
