/* Writing protobuf from its end to its front, so that the length of a message is known when its head is written, however
 * deep it lies. For values that have parts, and for lists of attributes. */
#ifndef TRACE_BACK_H
#define TRACE_BACK_H

#include <whence/trace.h>

#include "trace/wire.h"

enum { WH__MOST_BYTES = 4 << 20 }; /* of one span, and of any part of it */

struct wh__back {
    uint8_t *begin, *at, *end; /* from `at` on it is written */
    uint8_t *memory;           /* from wh__mem_get(); NULL: still what it began with */
    uint32_t looked;           /* at so many items and entries, together */
    bool failed;               /* no memory, or too much: nothing is written any more */
};

/* `room`, of that size, is where it begins; it may be none. */
static inline void wh__back_begin(struct wh__back *back, uint8_t *room, size_t size)
{
    uint8_t *const end = room ? room + size : NULL;
    *back = (struct wh__back){.begin = room, .at = end, .end = end};
}
void wh__back_end(struct wh__back *back);

static inline size_t wh__back_size(const struct wh__back *back)
{
    return (size_t)(back->end - back->at);
}

bool wh__back_grow(struct wh__back *back, size_t size);

/* So many bytes in front of what is there; NULL once it has failed. */
static inline uint8_t *wh__back_room(struct wh__back *back, size_t size)
{
    if (__builtin_expect(back->failed || (size_t)(back->at - back->begin) < size, 0) && !wh__back_grow(back, size)) return NULL;
    return back->at -= size;
}

/* What was written since the size was `before` becomes a field of that number. */
static inline void wh__back_head(struct wh__back *back, unsigned field, size_t before)
{
    const size_t len = wh__back_size(back) - before;
    uint8_t *p = wh__back_room(back, 1 + wh__varint_size(len));
    if (p) wh__put_len(p, field, len);
}

#endif
