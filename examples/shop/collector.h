/* A collector of a few lines: receives OTLP over HTTP, draws the traces, keeps them in a file, and passes them on to a
 * Jaeger if there is one. */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <stdbool.h>

/* Starts it on a free port of 127.0.0.1 and returns that; 0 if it cannot. `file`: for OTLP as JSON lines. `forward`: the
 * base URL of another collector, or NULL. */
unsigned short collector_start(const char *file, const char *forward);
void collector_stop(void);

/* Draws what has come since the last time, on standard output, and writes the id of a trace of it (33 bytes). False if nothing
 * has. */
bool collector_show(char trace_id[33]);

/* Whether a collector answers there. */
bool collector_is_at(const char *base_url);

#endif
