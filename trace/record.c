/* The block in which an open span is written. */
#include "base/mem.h"
#include "trace/attr.h"
#include "trace/provider.h"
#include "trace/span.h"

enum { BLOCK = WH__RECORD_BLOCK };

/* The fixed fields with nothing in them yet. */
static const uint8_t head[WH__HEAD] = {
    WH__TAG(WH__SPAN_TRACE_ID, WH__LEN), 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* at 2 */
    WH__TAG(WH__SPAN_ID, WH__LEN), 8, 0, 0, 0, 0, 0, 0, 0, 0,                                 /* at 20 */
    WH__TAG(WH__SPAN_KIND, WH__VARINT), 0,                                                    /* at 29 */
    WH__TAG(WH__SPAN_START, WH__FIXED64), 0, 0, 0, 0, 0, 0, 0, 0,                             /* at 31 */
    WH__TAG(WH__SPAN_END, WH__FIXED64), 0, 0, 0, 0, 0, 0, 0, 0,                               /* at 40 */
    (WH__SPAN_FLAGS << 3 | WH__FIXED32) | 0x80, (WH__SPAN_FLAGS << 3 | WH__FIXED32) >> 7, 0, 0, 0, 0, /* at 50 */
};

static uint32_t short_until(size_t capacity)
{
    return (uint32_t)capacity - WH__SHORT_ATTR + 1;
}

uint32_t wh__record_short_until(const struct wh_limits *limits)
{
    const bool any = limits->value_length == UINT32_MAX && limits->attributes > 0;
    return any ? short_until(BLOCK - sizeof(struct wh__record)) : 0;
}

struct wh__record *wh__record_new(const struct wh__trace_node *trace, const struct wh__scope *scope, enum wh_kind kind)
{
    struct wh__record *record = wh__slab_get(WH__512);
    if (!record) return NULL;
    *record = (struct wh__record){.capacity = BLOCK - sizeof *record, .len = WH__HEAD, .forks = wh__forks, .scope = scope,
        .most_attributes = trace->provider->limits.attributes,
        .short_until = trace->provider->short_until};
    uint8_t *bytes = record->bytes;
    const uint64_t start = (uint64_t)(trace->started + trace->wall);
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + 2, trace->trace_id, sizeof trace->trace_id);
    memcpy(bytes + 20, trace->span_id, sizeof trace->span_id);
    bytes[WH__KIND_AT] = (uint8_t)(kind + 1); /* SPAN_KIND_UNSPECIFIED is 0 */
    wh__put_fixed64(bytes + WH__START_AT, start);
    wh__put_fixed64(bytes + WH__END_AT, start);
    wh__put_fixed32(bytes + WH__FLAGS_AT, (uint32_t)trace->flags | WH__KNOWS_REMOTE | (trace->parent_is_remote ? WH__IS_REMOTE : 0));
    return record;
}

void wh__record_free(struct wh__record *record)
{
    if (record && record->capacity > BLOCK)
        wh__mem_free(record);
    else
        wh__slab_put_if(record);
}

static struct wh__record *grown(struct wh__record *record, size_t needed)
{
    size_t capacity = 2 * BLOCK;
    while (capacity < needed) capacity *= 2;
    if (needed > WH__MOST_BYTES) return NULL;
    struct wh__record *bigger = wh__mem_get(sizeof *bigger + capacity);
    if (!bigger) return NULL;
    memcpy(bigger, record, sizeof *record + record->len);
    bigger->capacity = (uint32_t)capacity;
    if (bigger->short_until) bigger->short_until = short_until(capacity);
    wh__record_free(record);
    return bigger;
}

uint8_t *wh__record_room(struct wh__record **record, size_t size)
{
    const size_t needed = (*record)->len + size;
    if (__builtin_expect(needed > (*record)->capacity, 0)) {
        struct wh__record *bigger = grown(*record, needed);
        if (!bigger) return NULL;
        __atomic_store_n(record, bigger, __ATOMIC_RELAXED); /* others look whether there is one */
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
