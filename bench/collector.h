/* A collector that takes everything: an HTTP server on the loopback, on threads of its own. */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <stdint.h>

struct collector {
    char endpoint[40];
    int listener;
    uint64_t taken;           /* bytes of bodies; atomic */
    int64_t spent;            /* CPU time, up to the last answer; atomic */
};

/* Starts one, which serves until the process ends. */
struct collector *collector_new(void);

/* Bytes of bodies that it has taken; nanoseconds of CPU time that its thread has spent. */
uint64_t collector_bytes(const struct collector *collector);
int64_t collector_spent(const struct collector *collector);

#endif
