/* A collector that takes everything: an HTTP server on the loopback, on a thread of its own. */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <stdint.h>

/* Starts it, and returns its port; 0 if it could not be had. */
int collector_start(void);

/* Bytes of bodies that it has taken; nanoseconds of CPU time that its thread has spent. */
uint64_t collector_bytes(void);
int64_t collector_spent(void);

#endif
