/* The experiment, in parts: each side is a process of its own, and all of them write what happened into one piece of shared
 * memory, in instants of the one clock that they share. */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <whence/whence.h>

struct plan {
    /* the requests */
    int requests, rate;                    /* how many, and how many a second */
    int64_t unit;                          /* what one request takes, of which nearly all is waiting for the backend */
    int steps;                             /* in which it is done: ask the backend, then compute */
    int step_bytes;                        /* of each answer; a request keeps all of them until its end */
    int slots;                             /* what the backend can work on at a time, as every database has its limit */
    int64_t least_patience, most_patience; /* after which a client gives up */
    int patient_every;                     /* one in so many waits for its answer */
    int64_t grace;                         /* "afterwards": so long after the last client has given up */
    /* the fan-out */
    int asks, callers;                     /* how many, by how many at a time */
    int64_t deadline;                      /* shared by the three calls of one */
    int64_t least_delay, most_delay;       /* of nearly all answers */
    int64_t least_tail, most_tail;         /* of the others, */
    int tail_every;                        /* one in so many */
};

/* One request, as its client and its worker have seen it. 0: not yet. */
struct record {
    _Atomic int64_t asked, gone;           /* the client: begins; has its answer or gives up */
    _Atomic int64_t began, ended;          /* the worker */
    _Atomic int steps, wasted;             /* steps done; of these, after the client had gone */
    _Atomic bool answered;
};

/* Of the server's process, and of those who ask three backends. */
struct usage {
    int64_t cpu;                           /* nanoseconds, user and system */
    long peak_kib;                         /* VmHWM */
};

struct sample {
    int64_t at;
    long rss_kib;
};
enum { MAX_SAMPLES = 4096, PARTS = 3 };

struct shared {
    struct usage usage;
    size_t sample_count;
    struct sample samples[MAX_SAMPLES];    /* written by the parent alone */
    atomic_int complete;                   /* fan-outs that had all three answers */
    _Atomic int64_t *took;                 /* of each fan-out */
    struct record *records;
};

/* What came of one way of doing it. */
struct outcome {
    struct shared *shared;
    double mean, mean_patient;             /* seconds until the client had its answer or gave up; of the patient ones */
    int patient, answered;
    int most_live, live_after;
    double wasted_share, wasted_seconds;   /* of the steps; worker-seconds after the client had gone */
    double cpu_seconds;
    int64_t began;
    double p50, p99, longest, complete;    /* the fan-out: milliseconds, share of complete ones */
};

/* ---- processes and sockets (process.c) ---- */

/* Memory that children share; zero. Ends the program if there is none. */
void *shared_memory(size_t size);

/* A listening socket on loopback, and its port. Ends the program if there is none. */
int listen_on_loopback(uint16_t *port);

/* A connected socket, or -1. */
int connect_to(uint16_t port);

/* Runs fn in a child. */
pid_t spawn(void (*fn)(void *arg), void *arg);

/* This process, up to now. */
struct usage own_usage(void);
long rss_kib(pid_t pid);

void must(bool good, const char *what);

/* ---- the parts ---- */

struct question {
    uint32_t delay_us;                     /* ANY_DELAY: as the backend likes, with a slow tail */
    uint32_t bytes;
};
#define ANY_DELAY UINT32_MAX

/* Answers questions late, until it is killed. */
void backend(int listener, const struct plan *plan, unsigned seed);

/* Reads that many bytes. 0; wh_err(ctx) as soon as ctx is done; EIO. A context that is never done waits for ever. */
int ask(const wh_ctx *ctx, int fd, struct question question, void *answer);

/* Serves requests until SIGTERM, and then those that are left. */
void server(int listener, uint16_t backend_port, const struct plan *plan, bool with, struct shared *shared);

/* Sends the requests and leaves them; returns when the last has its answer or has given up. */
void clients(uint16_t port, const struct plan *plan, struct shared *shared);
bool is_patient(const struct plan *plan, int request);

/* Asks three backends for each of its requests. */
void fan_out(const uint16_t *ports, const struct plan *plan, bool with, struct shared *shared);

/* ---- what came of it (report.c) ---- */

void judge(const struct plan *plan, struct outcome *outcome);
void print_table(const struct plan *plan, const struct outcome *without, const struct outcome *with);
void write_csv(const char *folder, const struct plan *plan, const struct outcome *without, const struct outcome *with);

#endif
