/* whence/baggage.h: what the services of one request tell each other: names and values that travel in contexts and, with
 * wh_inject() and wh_extract() (propagate.h), from process to process (OpenTelemetry's baggage/api.md; on the wire, W3C
 * Baggage).
 *
 *   WH_AUTO wh_ctx *ctx = wh_with_baggage(parent, "tenant", "blue");
 *   const char *tenant = wh_baggage(ctx, "tenant");
 *
 * Everyone on the way can read it and change it, and it goes to whomever is called: nothing secret belongs into it, and what
 * came in is a stranger's word. It is not copied to spans; wh_set() what should be there.
 *
 * A name is any UTF-8 but the empty one, upper and lower case being different; a value any UTF-8, also the empty one. A
 * context holds at most 64 members, and 8192 bytes of names, values and metadata. Like every value it never changes: what is
 * set is seen by what is derived. All of it works without a provider. Any thread.
 */
#ifndef WHENCE_BAGGAGE_H
#define WHENCE_BAGGAGE_H

#include <whence/context.h>

WH_BEGIN_DECLS

struct wh_baggage_member {
    const char *name, *value;
    const char *metadata; /* what stood after the value, as one text ("ttl=30;sealed"), or NULL */
};

/* The value of that name, valid as long as ctx; NULL if there is none. wh_find_baggage() gives metadata as well: false, and
 * *member untouched, if there is none. */
WH_API const char *wh_baggage(const wh_ctx *ctx, const char *name);
WH_API bool wh_find_baggage(const wh_ctx *ctx, const char *name, struct wh_baggage_member *member);

/* The member at `index`, in the order in which they will be sent; false after the last:
 *   for (size_t i = 0; wh_baggage_at(ctx, i, &member); i++) ... */
WH_API bool wh_baggage_at(const wh_ctx *ctx, size_t index, struct wh_baggage_member *member);

/* Adds a member for what is derived, in place of one of that name: wh_with_baggage(parent, name, value), or with
 * .metadata = "..." behind. All are copied. What is not UTF-8, has an empty name, or is beyond the limits is not added, which is
 * said once. A value or metadata of NULL: "" and none. An owner in any case. */
struct wh_baggage_opts {
    size_t size;
    const char *name;
    const char *value;
    const char *metadata WH_ZERO_;
};
#define wh_with_baggage(parent, member_name, ...) \
    wh_with_baggage_of((parent), WH_OPTS_(struct wh_baggage_opts, .name = (member_name), .value = __VA_ARGS__))
WH_API WH_OWNER_ wh_ctx *wh_with_baggage_of(const wh_ctx *parent, const struct wh_baggage_opts *opts);

/* The same without that member, and without any: before a call to somebody who is not to know. Owners. */
WH_API WH_OWNER_ wh_ctx *wh_without_baggage(const wh_ctx *parent, const char *name);
WH_API WH_OWNER_ wh_ctx *wh_clear_baggage(const wh_ctx *parent);

WH_END_DECLS
#endif
