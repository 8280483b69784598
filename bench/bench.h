/* What every part of the benchmark shares: how something is measured, and what it is compared with.
 *
 * A subject is something that can be run n times; a sample of it is one such run, and gives a figure for each of its rows.
 * All subjects are sampled in turn, round after round, so that what else the machine does hits all alike. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "mallocs.h"

enum { MOST_ROWS = 3 };

/* What one row has taken in one sample. */
struct lap {
    int64_t ns;
    uint64_t mallocs;
};

struct row {
    const char *name;
    const char *floor;   /* the row that its ratio refers to, or NULL */
    const char *unit;    /* NULL: "ns" */
    const char *note;    /* or NULL */
};

struct subject {
    struct row rows[MOST_ROWS];          /* those that have a name */
    void (*op)(size_t n);                /* n operations, timed as a whole; or this, which times itself: */
    void (*sample)(size_t n, struct lap *laps);
    void (*rest)(void);                  /* after every sample, not timed; or NULL */
    size_t fixed;                        /* operations in a sample; 0: as many as take about as long as wanted, */
    size_t most;                         /* but no more than this, if it is not 0 */
    bool heavy;                          /* takes long: sampled in a few rounds only */
    bool counted;                        /* one of those whose instructions are counted, too */
};

struct room {
    const char *name;
    void (*begin)(void);                 /* or NULL */
    const struct subject *subjects;      /* up to one without rows */
    void (*end)(void);                   /* or NULL */
};
extern const struct room cancelled_room, floor_room, context_room, fanout_room, handover_room, growth_room, wait_room, timer_room, trace_room, operation_room,
    sampling_room, keep_room, propagate_room, cause_room, encode_room, wire_room;

/* Marks what is being sampled as not to be believed, and why. */
void bench_invalid(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line below the table. */
void bench_remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the program: the benchmark cannot be run. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- time ---- */

static inline int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline struct lap lap_begin(void)
{
    const uint64_t mallocs = mallocs_now();
    return (struct lap){.ns = clock_ns(CLOCK_MONOTONIC), .mallocs = mallocs};
}

/* Adds what has passed since `begin`. */
static inline void lap_add(struct lap *lap, struct lap begin)
{
    lap->ns += clock_ns(CLOCK_MONOTONIC) - begin.ns;
    lap->mallocs += mallocs_now() - begin.mallocs;
}

/* The compiler must have that value, and may assume nothing about it afterwards. */
#define HIDE(value) __asm__ volatile("" : "+r"(value))
/* It must have written everything to memory, and may assume nothing about it afterwards. */
#define CLOBBER() __asm__ volatile("" ::: "memory")

/* ---- threads (threads.c) ---- */

/* Whether there are two CPUs to be had. */
bool two_cpus(void);

/* A thread runs where the one that starts it may run. So, while threads are started that are not to be in the way of the
 * one that measures, it leaves its CPU free; then it takes that CPU. Any CPU will do for a child process. Without two CPUs
 * these do nothing. */
void leave_cpu_free(void);
void take_cpu(void);
void take_any_cpu(void);

/* Runs fn(arg) on the helper thread, which has another CPU; and waits for it. */
void helper_start(void (*fn)(void *arg), void *arg);
void helper_wait(void);

/* How often the kernel has taken the CPU away from the calling thread, and from the helper while it worked. */
uint64_t preemptions(void);

/* op(n, 0) here and op(n, 1) on the helper at the same time; the lap ends with the later one. */
struct lap both(void (*op)(size_t n, int who), size_t n);

#endif
