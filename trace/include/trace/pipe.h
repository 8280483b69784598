/* The end of a pipeline: one exporter, and who may be with it. Begins the processors of the library, batch and simple.
 *
 * Every exporter has a pipe of its own, with its own lock, counters and reports, so that none can hold up or hide another.
 * Pipes are never freed: a thread may be about to hand over a span when they are shut down. */
#ifndef TRACE_PIPE_H
#define TRACE_PIPE_H

#include <whence/exporters.h>
#include <whence/provider.h>

/* How calls of export_batch have ended: slot 0 those that went well, then by errno value, in the last slot all others. */
enum { WH__OUTCOMES = 9 };
struct wh__outcome {
    int code;                              /* 0: not in use yet, or the first or last slot */
    uint64_t spans, calls;
    uint64_t time, shortest, longest;      /* how long the calls took, in nanoseconds */
};

/* Of whoever holds the drain; atomic for those who ask. */
struct wh__pipe_counts {
    uint64_t rejected;                     /* spans: refused by an export that went well */
    uint64_t left;                         /* spans: still there at the shutdown */
    uint64_t inflight;                     /* spans: with the exporter now */
    struct wh__outcome outcomes[WH__OUTCOMES];
};

struct wh__pipe {
    struct wh_processor processor;
    wh_provider *provider;            /* whose it is; NULL: of a processor of somebody's own */
    bool is_first, is_one_of_many;    /* of that provider's pipes */
    bool is_batch;
    uint32_t index, exporter_index;   /* among all of the kind: for their names */
    char exporter_type[40];           /* as otel.component.type has it */
    int64_t export_timeout;

    uint32_t drain;                   /* atomic; 1: somebody is with the exporter; parked on */
    struct wh_exporter *exporter;     /* [drain] NULL: shut down */
    bool closing;                     /* atomic: its shutdown has begun */
    bool shut_down;                   /* atomic: nothing is taken any more */
    bool close_late;                  /* atomic: the exporter was busy when the shutdown had to end: it is closed after */
    int64_t closing_deadline;         /* atomic, with `closing` */
    int64_t last_export;              /* atomic; its provider is being shut down: no export goes on after that. 0: it is not */
    struct wh__pipe_counts counts;

    uint64_t losses_seen, losses_said, exported_seen; /* [drain] for the reports */
    int64_t last_loss;
    bool in_outage;                   /* that spans are lost has been said, and not yet that it is over */

    struct wh__pipe *next;            /* all of them, newest first */
};

/* Makes it ready and lists it. */
void wh__pipe_begin(struct wh__pipe *pipe, struct wh_exporter *exporter, int64_t export_timeout);
struct wh__pipe *wh__pipes(void);

/* Of a processor of the library; NULL: it is somebody's own. */
struct wh__pipe *wh__pipe_of(const struct wh_processor *processor);

/* The rest of what every processor of the library has. */
void wh__pipe_destroy(struct wh_processor *self);
void wh__pipe_interrupt(struct wh__pipe *pipe);

/* Alone with the exporter: nothing is exported between these. False at the deadline. */
bool wh__pipe_lock(struct wh__pipe *pipe, int64_t deadline);
void wh__pipe_unlock(struct wh__pipe *pipe);

/* When an export that begins now is to be over. */
int64_t wh__export_until(const struct wh__pipe *pipe);

/* ---- for whoever holds that lock ---- */

/* 0, or EIO if it failed; counts. */
int wh__pipe_export(struct wh__pipe *pipe, const struct wh_batch *batch);
int wh__pipe_flush_exporter(struct wh__pipe *pipe, int64_t deadline);

/* Says when spans begin to be lost, and when that is over, or how many it were at the end. */
void wh__pipe_report(struct wh__pipe *pipe, bool at_the_end);

/* Shuts the exporter down, and frees it. */
void wh__pipe_close(struct wh__pipe *pipe, int64_t deadline);

/* In the child of a fork: the lock is free, and what was counted is the parent's. */
void wh__pipe_forget(struct wh__pipe *pipe);

#endif
