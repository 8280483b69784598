/* Real spans, kept in memory first; and pipes to draw them into, which may be full, slow or gone. */
#ifndef RECORDED_H
#define RECORDED_H

#include <stdio.h>

#include "test.h"

enum { MOST_RECORDED = 600 };

struct recorded {
    struct spans spans;
    struct wh_bytes list[MOST_RECORDED];
    size_t count;
};

/* A root and so many children of it, "child <i> of them", in the order of their ends. */
void record(struct recorded *recorded, const char *root_name, size_t children);
void forget(struct recorded *recorded);

/* As much as is drawn at once comes in batches of a hundred. Returns how many were refused. */
size_t export_recorded(struct wh_exporter *console, const struct recorded *recorded, int64_t deadline);

/* A pipe, its console writing with these flags; its other end never waits. */
struct channel {
    int reader;
    FILE *out;
    struct wh_exporter *console;
};
struct channel channel_open(int flags);
void channel_close(struct channel *channel);
void channel_close_ends(struct channel *channel); /* whose console has been freed */

/* Reads what is there now into `drawn`; returns its length. */
size_t channel_read(const struct channel *channel);
void channel_fill(const struct channel *channel);
void channel_resize(const struct channel *channel, int bytes);

#endif
