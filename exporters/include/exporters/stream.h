/* Writing to a stdio stream of the program's. */
#ifndef EXPORTERS_STREAM_H
#define EXPORTERS_STREAM_H

#include <stdio.h>

#include "exporters/output.h"

struct wh__stream {
    FILE *file;
    struct wh__output output; /* what it leads to now */
    const char *resume;       /* to be written first where the last text is not finished: how to get to a new line */
    bool unfinished;
};

/* After what the program has left in the stream's buffer. 0 or an errno value, ETIMEDOUT at the deadline and when
 * interrupted; what could not be written will not come later. Never waits with the stream locked. */
int wh__stream_write(struct wh__stream *stream, const char *text, size_t len, int64_t deadline);

/* From any thread: no more waiting. */
void wh__stream_interrupt(struct wh__stream *stream);

#endif
