/* Memory that is used again by the next request. */
#ifndef OTLP_ROOM_H
#define OTLP_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wh__otlp_room {
    uint8_t *bytes;               /* all zero: none yet */
    size_t size, used;
};

/* Room for so much; what was in it is lost. A quarter more is taken, so that the next request, a little larger, has room
 * too. False: no memory. */
bool wh__otlp_room_make(struct wh__otlp_room *room, size_t size);

/* The same, up to `size`, keeping the first `used` bytes. */
bool wh__otlp_room_grow(struct wh__otlp_room *room, size_t size);

/* Gives it back if it is far more than was last asked for. */
void wh__otlp_room_trim(struct wh__otlp_room *room);

void wh__otlp_room_free(struct wh__otlp_room *room);

/* For zlib's zalloc and zfree. */
void *wh__otlp_zlib_get(void *unused, unsigned items, unsigned size);
void wh__otlp_zlib_give_back(void *unused, void *ptr);

#endif
