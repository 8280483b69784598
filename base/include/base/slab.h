/* Small blocks of four sizes, from pages that belong to one thread.
 *
 * The owner takes and returns blocks with a few plain loads and stores. Anyone else returns them through one atomic list,
 * which the owner empties when it runs out. Pages that are wholly free go back to the system, all but one of each size.
 * Not under a lock of the library's except where the caller holds none that the system's allocator could need. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum wh__size { WH__64, WH__128, WH__256, WH__512, WH__SIZES };

struct wh__page;
struct wh__heap {
    struct wh__page *open[WH__SIZES]; /* pages with room, the one in use first */
    void *returned;                   /* blocks that other threads gave back; atomic */
};

/* A block aligned to its size, up to 64; NULL without memory. */
void *wh__slab_get(enum wh__size size);

/* The same, but never asks the system: for paths that must not allocate. */
void *wh__slab_take(enum wh__size size);

/* Any thread may return any block. NULL is ignored. */
void wh__slab_put(void *block);

/* Makes sure that the next wh__slab_take() on this thread finds something, as far as there is memory. */
void wh__slab_stock(enum wh__size size);

/* Pages held by all threads together, for tests and statistics. */
size_t wh__slab_pages(void);

#endif
