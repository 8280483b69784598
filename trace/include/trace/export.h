/* The export thread: takes what waits, in batches, to the exporters. */
#ifndef TRACE_EXPORT_H
#define TRACE_EXPORT_H

#include "trace/provider.h"

/* A record has been added; `waiting` now wait on this thread. Starts the thread, or wakes it, when it is time. */
void wh__export_notice(const wh_provider *provider, uint64_t waiting);

/* Everything that waits now is exported or dropped when this returns 0; ETIMEDOUT at the deadline. */
int wh__export_all(int64_t deadline);

/* Alone with the exporters: nothing is exported between these. False at the deadline. */
bool wh__drain_lock(int64_t deadline);
void wh__drain_unlock(void);

/* Between these: everything that waits now is exported or dropped. 0, or EIO if an exporter failed. */
int wh__drain(void);

#endif
