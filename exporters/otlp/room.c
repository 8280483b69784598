#include "otlp/room.h"

#include <string.h>

#include "otlp/mem.h"

enum { SMALL = 256 << 10, LARGE = 8 << 20 };

/* Small; or not large, and used well. */
static bool is_worth_keeping(size_t size, size_t used)
{
    return size <= SMALL || (size <= LARGE && size / 4 <= used);
}

void wh__otlp_room_free(struct wh__otlp_room *room)
{
    wh__otlp_mem_free(room->bytes);
    *room = (struct wh__otlp_room){.bytes = NULL};
}

bool wh__otlp_room_make(struct wh__otlp_room *room, size_t size)
{
    if (room->size < size) {
        wh__otlp_room_free(room);
        room->bytes = wh__otlp_mem_get(size + size / 4);
        if (room->bytes) room->size = size + size / 4;
    }
    room->used = size;
    return room->size >= size;
}

bool wh__otlp_room_grow(struct wh__otlp_room *room, size_t size)
{
    if (room->size >= size) return true;
    const size_t larger = size > 2 * room->size ? size : 2 * room->size;
    uint8_t *bytes = wh__otlp_mem_get(larger);
    if (!bytes) return false;
    if (room->used) memcpy(bytes, room->bytes, room->used);
    wh__otlp_mem_free(room->bytes);
    room->bytes = bytes;
    room->size = larger;
    return true;
}

void wh__otlp_room_trim(struct wh__otlp_room *room)
{
    if (!is_worth_keeping(room->size, room->used)) wh__otlp_room_free(room);
}

void *wh__otlp_zlib_get(void *unused, unsigned items, unsigned size)
{
    (void)unused;
    return wh__otlp_mem_zero((size_t)items * size);
}

void wh__otlp_zlib_give_back(void *unused, void *ptr)
{
    (void)unused;
    wh__otlp_mem_free(ptr);
}
