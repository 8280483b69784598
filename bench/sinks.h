/* Exporters for measuring: what happens to spans when nobody sends them anywhere. */
#ifndef SINKS_H
#define SINKS_H

#include <whence/whence.h>

/* Reads every byte of every span. */
struct wh_exporter *reading_sink_new(void);

/* Writes every batch into one buffer as an ExportTraceServiceRequest, ready to be sent. */
struct wh_exporter *request_sink_new(void);

/* How many bytes of requests all of the latter have written. */
uint64_t request_bytes(void);

#endif
