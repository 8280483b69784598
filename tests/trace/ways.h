/* Every way in which a span can end early: what is done, and what the span "victim" then says. A way more is a row more. */
#ifndef WAYS_H
#define WAYS_H

#include "cancelled.h"

struct way {
    const char *name;
    void (*happen)(struct spans *spans); /* leaves an ended span "victim", and others */
    const char *reason;    /* NULL: it was not cancelled */
    const char *message;   /* NULL: none */
    const char *site;      /* a part of it: the function */
    const char *origin;    /* the name of the span that it names; "remote": that of the caller; NULL: none */
    int depth;
    const char *error;     /* its own error.type, whatever the policy is; NULL: benign, or OK */
    const char *link;      /* the name of the span that it is linked to; NULL: none */
    const char *requested; /* the span on which the event stands; NULL: on none */
    const char *source;    /* of its deadline; NULL: it has none */
    const char *chain[WH_CAUSES_MAX + 1]; /* what its links begin with, the first cause last; empty: no chain */
    const char *root;      /* the span of the first cause; NULL: no chain, or none is known */
    const char *gave_up;
    int suppressed;
};

extern const struct way ways[];
extern const size_t way_count;

#define REMOTE_TRACE "0af7651916cd43dd8448eb211c80319c"
#define REMOTE_SPAN "b7ad6b7169203331"

#endif
