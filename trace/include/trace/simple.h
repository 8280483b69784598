/* The simple processor, as the parts of the room see it. */
#ifndef TRACE_SIMPLE_H
#define TRACE_SIMPLE_H

#include "trace/pipe.h"

struct wh__simple {
    struct wh__pipe pipe;
    const struct wh__thread *inside;         /* atomic; who is with the exporter */
    uint64_t dropped_busy, dropped_shutdown; /* atomic */
};

/* Afterwards the exporter is shut down; ETIMEDOUT: it will be when it comes back. */
int wh__simple_end_shutdown(struct wh__pipe *pipe, int64_t deadline);

/* In the child of a fork. */
void wh__simple_forget(struct wh__pipe *pipe);

#endif
