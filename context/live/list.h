/* The lists, for what reads them. */
#ifndef LIST_H
#define LIST_H

#include "context/live.h"

enum { WH__LISTS = 16 };

struct wh__list {
    uint32_t lock;
    size_t count;                 /* [lock] without bookmarks */
    struct wh__live_record ends;  /* [lock] before the first and after the last; next NULL: nothing was ever listed */
} __attribute__((aligned(64)));
extern struct wh__list wh__lists[WH__LISTS];

/* Under the list's lock. */
void wh__list_begin(struct wh__list *list);
void wh__list_put(struct wh__live_record *record, struct wh__live_record *before);
void wh__list_take(struct wh__live_record *record);

/* The last that was given: who has a greater one came later. A parent's is less than its children's. */
uint64_t wh__live_last_id(void);

/* What is left of this process's own, if anything, to standard error. */
void wh__leaks_at_exit(void);

#endif
