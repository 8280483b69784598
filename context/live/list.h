/* The shards of the list, for what reads them. */
#ifndef LIST_H
#define LIST_H

#include "context/live.h"

enum { WH__SHARDS = 16 };

struct wh__shard {
    uint32_t lock;
    size_t count;                 /* [lock] without bookmarks */
    struct wh__live_record ends;  /* [lock] before the first and after the last; next NULL: nothing was ever listed */
} __attribute__((aligned(64)));
extern struct wh__shard wh__shards[WH__SHARDS];

/* Under the shard's lock. */
void wh__shard_begin(struct wh__shard *shard);
void wh__shard_put(struct wh__live_record *record, struct wh__live_record *before);
void wh__shard_take(struct wh__live_record *record);

/* The last that was given: who has a greater one came later. A parent's is less than its children's. */
uint64_t wh__live_last_id(void);

/* What is left of this process's own, if anything, to standard error. */
void wh__leaks_at_exit(void);

#endif
