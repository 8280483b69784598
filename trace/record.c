/* The block in which an open span is written. */
#include "base/mem.h"
#include "trace/span.h"
#include "trace/wire.h"

enum { BLOCK = 512, MOST = 4 << 20 };

struct wh__record *wh__record_new(const struct wh__trace_node *trace, enum wh_kind kind, uint64_t start, uint32_t flags)
{
    struct wh__record *record = wh__slab_get(WH__512);
    if (!record) return NULL;
    *record = (struct wh__record){.capacity = BLOCK - sizeof *record, .len = WH__HEAD, .forks = wh__forks()};
    uint8_t *p = record->bytes;
    p = wh__put_bytes(p, WH__SPAN_TRACE_ID, trace->trace_id, sizeof trace->trace_id);
    p = wh__put_bytes(p, WH__SPAN_ID, trace->span_id, sizeof trace->span_id);
    *p++ = WH__TAG(WH__SPAN_KIND, WH__VARINT);
    *p++ = (uint8_t)(kind + 1); /* SPAN_KIND_UNSPECIFIED is 0 */
    *p++ = WH__TAG(WH__SPAN_START, WH__FIXED64);
    p = wh__put_fixed64(p, start);
    *p++ = WH__TAG(WH__SPAN_END, WH__FIXED64);
    p = wh__put_fixed64(p, start);
    *p++ = (uint8_t)((WH__SPAN_FLAGS << 3 | WH__FIXED32) | 0x80); /* a tag of two bytes */
    *p++ = (WH__SPAN_FLAGS << 3 | WH__FIXED32) >> 7;
    wh__put_fixed32(p, flags);
    return record;
}

void wh__record_free(struct wh__record *record)
{
    if (record && record->capacity > BLOCK)
        wh__mem_free(record);
    else
        wh__slab_put(record);
}

static struct wh__record *grown(struct wh__record *record, size_t needed)
{
    size_t capacity = 2 * BLOCK;
    while (capacity < needed) capacity *= 2;
    if (needed > MOST) return NULL;
    struct wh__record *bigger = wh__mem_get(sizeof *bigger + capacity);
    if (!bigger) return NULL;
    memcpy(bigger, record, sizeof *record + record->len);
    bigger->capacity = (uint32_t)capacity;
    wh__record_free(record);
    return bigger;
}

uint8_t *wh__record_room(struct wh__record **record, size_t size)
{
    const size_t needed = (*record)->len + size;
    if (__builtin_expect(needed > (*record)->capacity, 0)) {
        struct wh__record *bigger = grown(*record, needed);
        if (!bigger) return NULL;
        *record = bigger;
    }
    return (*record)->bytes + (*record)->len;
}

void wh__record_cut(struct wh__record *record, uint32_t at, uint32_t size)
{
    memmove(record->bytes + at, record->bytes + at + size, record->len - at - size);
    record->len -= size;
    if (record->name_at > at) record->name_at -= size;
    if (record->status_at > at) record->status_at -= size;
}
