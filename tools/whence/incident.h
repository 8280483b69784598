/* What went wrong in a trace: for each first cause, all that followed from it. */
#ifndef TOOLS_WHENCE_INCIDENT_H
#define TOOLS_WHENCE_INCIDENT_H

#include "model.h"

/* What a span was stopped or failed because of. */
struct because {
    struct span *span;     /* NULL: it began here, or it is not here */
    const struct culprit *missing; /* it is known, and its span is not here; NULL: it began here */
    bool probably;         /* nobody said so: a child of it failed */
};

struct incident {
    struct span *cause;            /* where it began; NULL: its span is not here */
    const struct culprit *missing; /* then this is known of it */
    struct span *subject;          /* the span nearest the root that was stopped or failed */
    struct span *witness;          /* the first that was stopped or failed and points straight at the cause; `cause` itself, if it did */
    bool probably;                 /* nobody said that the subject has to do with the cause */
    uint64_t at;                   /* when it began */
    struct span **hit;             /* stopped or failed because of it, without the cause itself, in the order of the trace */
    size_t hit_count, stopped, failed; /* of those */
    size_t services;               /* in which they are, different ones */
    int64_t wasted;                /* ns, see incident_wasted() */
    struct span *longest;          /* of those that were stopped, which ran on longest; NULL: all stopped at once */
};

struct incidents {
    struct incident *list; /* what reached the root of the trace first, then by time */
    size_t count;
    struct span **hits;    /* what the lists of all of them lie in */
};

struct incidents incidents_of(const struct trace *trace);
void incidents_free(struct incidents *incidents);

/* One step towards the first cause. */
struct because because_of(const struct span *span);

static inline bool was_cancelled(const struct span *span)
{
    return span->facts && span->facts->cancelled;
}
static inline bool is_troubled(const struct span *span)
{
    return was_cancelled(span) || span->status == STATUS_ERROR;
}

/* For how long this span ran on after it was told to stop, in ns; 0 if it was not. */
int64_t overrun_of(const struct span *span);

/* The part of that in which none of its cancelled children ran on: so that no instant is counted for a span and again for what it
 * waited for. What an incident has wasted is the sum of it over all whom it stopped. */
int64_t wasted_by(const struct span *span);

#endif
