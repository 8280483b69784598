/* The pieces of the program that meets collectors of ill will. */
#ifndef ILLWILL_DRIVER_H
#define ILLWILL_DRIVER_H

#include <whence/exporters.h>
#include <whence/whence.h>

/* What was asked for, as name=value on the command line: scenarios.py has the names, and times in milliseconds. */
struct settings {
    const char *endpoint, *second; /* second: of another exporter, over HTTP */
    const char *protocol;          /* http/protobuf, http/json, grpc */
    const char *name;              /* of the spans */
    const char *fork;              /* what a child is to do, made in mid export: exit, exec, record; NULL: none */
    char *text;                    /* the value of one attribute, made from: */
    long bytes;
    long threads, spans;           /* spans: of all threads together */
    long phases;                   /* more than one: each waits for a line on standard input */
    long batch, queue, pace;       /* pace: microseconds of sleep after every eighth span */
    int64_t timeout, export_timeout, delay, flush, shutdown;
    int64_t blocked;               /* an operation of a producer that takes as long as this was held up */
    bool gzip;
};

/* What the producers have met. */
struct strain {
    int64_t longest;
    uint64_t blocked;
};

/* Threads that end spans, each its part of them. Not to be started again before they were awaited. */
void producers_start(const struct settings *settings, const wh_ctx *root);
void producers_wait(struct strain *strain);

/* Ends spans in the calling thread. */
void produce(const struct settings *settings, const wh_ctx *root, long spans, struct strain *strain);

/* The reports of the library: how many lines, and how many of them would do something to a terminal. */
void reports_count(void);
unsigned long reports_seen(void);
unsigned long reports_rude(void);

/* Writes a line of JSON to standard output. */
void print_stats(const char *side, wh_provider *provider, const struct strain *strain, const char *more);

/* started = exported + every kind of dropped. */
bool adds_up(wh_provider *provider);

#endif
