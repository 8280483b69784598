/* A batch in parts: the whole of it first; a part that proves too large becomes two. */
#ifndef OTLP_SPLIT_H
#define OTLP_SPLIT_H

#include <whence/exporters.h>

#include "otlp/room.h"

struct wh__otlp_range {
    size_t from, count;       /* spans, counted over all scopes */
};

/* Each halving leaves one half here and goes on with the other, which is smaller: one for each bit is enough. */
struct wh__otlp_split {
    struct wh__otlp_range waiting[8 * sizeof(size_t) + 1];
    size_t depth;
};

void wh__otlp_split_begin(struct wh__otlp_split *split, size_t count);

/* Takes the next part, in order; false: none is left. */
bool wh__otlp_split_next(struct wh__otlp_split *split, struct wh__otlp_range *range);

/* Puts the part that was taken last back, in two; it has more than one span. */
void wh__otlp_split_halve(struct wh__otlp_split *split, struct wh__otlp_range range);

/* How many spans are in no part that was taken. */
size_t wh__otlp_split_left(const struct wh__otlp_split *split);

/* Those spans of batch, as a batch of their own, whose scopes are in *room. False: no memory. */
bool wh__otlp_slice(const struct wh_batch *batch, struct wh__otlp_range range, struct wh__otlp_room *room,
                    struct wh_batch *part);

#endif
