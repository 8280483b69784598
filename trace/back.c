#include "trace/back.h"

#include "base/mem.h"

enum { FIRST = 512 };

void wh__back_end(struct wh__back *back)
{
    if (back->memory) wh__mem_free(back->memory);
}

bool wh__back_grow(struct wh__back *back, size_t size)
{
    const size_t written = wh__back_size(back);
    size_t capacity = FIRST;
    if (back->failed || size > WH__MOST_BYTES - written) {
        back->failed = true;
        return false;
    }
    while (capacity < 2 * written || capacity < written + size) capacity *= 2;
    uint8_t *memory = wh__mem_get(capacity);
    if (!memory) {
        back->failed = true;
        return false;
    }
    if (written) memcpy(memory + capacity - written, back->at, written);
    wh__back_end(back);
    back->memory = back->begin = memory;
    back->end = memory + capacity;
    back->at = back->end - written;
    return true;
}
