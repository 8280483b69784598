/* Several propagators as one. Immutable. */
#ifndef PROPAGATE_COMPOSITE_H
#define PROPAGATE_COMPOSITE_H

#include "propagate/incoming.h"

struct wh__composite {
    struct wh_propagator public;
    size_t count;
    const struct wh_propagator *const *list; /* none of them a composite, none twice */
    struct wh__composite *next;              /* of all that were ever set for all */
};

/* The one that is set for all. */
const struct wh__composite *wh__composite_now(void);

/* wh_set_propagators_named(); what is unknown is said of that environment variable, if it is not NULL. */
int wh__set_propagators_named(const char *names, const char *variable);

/* An owner, also if there was nothing. */
wh_ctx *wh__extract_all(const struct wh__composite *all, const wh_ctx *parent, const struct wh_carrier *from, void *carrier,
                        const struct wh_site *site);
/* The same, and what they say of the time that is left was so at that instant, by the clock of parent; WH_NEVER: it is so now. */
wh_ctx *wh__extract_as_of(const struct wh__composite *all, const wh_ctx *parent, const struct wh_carrier *from, void *carrier,
                          const struct wh_site *site, int64_t as_of);
void wh__inject_all(const struct wh__composite *all, const wh_ctx *ctx, const struct wh_carrier *to, void *carrier);

#endif
