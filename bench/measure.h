/* Sampling subjects, and what came of it. */
#ifndef MEASURE_H
#define MEASURE_H

#include "bench.h"

enum { MOST_SAMPLES = 128, MOST_RESULTS = 192 };

struct result {
    const char *name, *floor, *unit, *note, *room;
    const char *peer;              /* for a peer's: who; `floor` is then the row of ours that it stands against */
    double ns[MOST_SAMPLES];       /* one operation, in each sample */
    size_t samples;
    size_t disturbed;              /* samples during which the CPU was taken away, however often they were repeated */
    double mallocs, ops;           /* in all samples; ops 0: not counted */
    bool speedup;                  /* of two threads over one: `floor` is the row for one, and the times are not shown */
    char invalid[120];             /* why not to believe it, or "" */
};

/* All of them, in the order of the table. */
extern struct result results[MOST_RESULTS];
extern size_t result_count;
struct result *result_new(void);
struct result *result_named(const char *name);   /* NULL: there is none */

/* Sorts its samples. NAN if there are none, or none to be believed. */
double result_least(const struct result *result);
double result_median(const struct result *result);

struct settings {
    unsigned rounds, heavy_rounds;
    int64_t sample_ns;             /* how long a sample should be */
    const char *only;              /* rows and rooms with this in their names, and the floor; NULL: all */
};

/* Makes ready what was asked for, with warm-up and calibration; then one round. */
void measure_begin(const struct settings *settings);
void measure_round(unsigned round);
void measure_end(void);

/* All rooms there are, and how many. */
extern const struct room *const rooms[];
extern const size_t room_count;

/* ---- peers (peers.c) ---- */

/* "name=program": a program that measures something else. It runs one round for each line it reads, and prints a line of
 * JSON for each row, {"name", "ns", "allocs", "against"}, and an empty one after the last. */
void peer_add(const char *spec);
void peers_begin(void);
void peers_round(void);
void peers_end(void);

/* ---- output (report.c) ---- */
void report_begin(const struct settings *settings); /* what machine this is, and how to read what follows */
void report_table(void);
int report_json(const char *path);     /* 0 or an errno value */

/* ---- instructions (instructions.c) ---- */

/* Runs the counted subjects, each n and then 2n times, in a function that a tool can recognize; prints a line for
 * each: how many operations, of what, and the row that it is compared with, with tabs in between. */
void count_instructions(size_t n);

#endif
