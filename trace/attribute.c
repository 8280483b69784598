/* Attributes of a span: wh_set() in all its types. A key is in the record once; setting it again takes the old value out. */
#include "trace/attr.h"
#include "trace/provider.h"
#include "trace/span.h"

/* Cheap, and different enough for the keys that one span has. */
static uint64_t key_bit(struct wh_str key)
{
    const unsigned first = (unsigned char)key.ptr[0], last = (unsigned char)key.ptr[key.len - 1],
                   middle = (unsigned char)key.ptr[key.len / 2];
    return UINT64_C(1) << ((key.len * 11 + first * 5 + middle * 3 + last) & 63);
}

static uint64_t get_varint(const uint8_t **p)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        const uint8_t byte = *(*p)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value;
    }
}

/* After the head, every field that is written is length-delimited: these bytes are our own. */
static bool find(const struct wh__record *record, struct wh_str key, uint32_t *at, uint32_t *size)
{
    const uint8_t *p = record->bytes + WH__HEAD, *end = record->bytes + record->len;
    while (p < end) {
        const uint8_t *field = p;
        const uint8_t tag = *p++;
        const size_t len = get_varint(&p);
        const uint8_t *next = p + len;
        if (tag == WH__TAG(WH__SPAN_ATTRIBUTE, WH__LEN)) {
            p++;
            if (get_varint(&p) == key.len && memcmp(p, key.ptr, key.len) == 0) {
                *at = (uint32_t)(field - record->bytes);
                *size = (uint32_t)(next - field);
                return true;
            }
        }
        p = next;
    }
    return false;
}

void wh__record_attr(struct wh__record **record, const struct wh__attr *attr, uint32_t limit)
{
    const uint64_t bit = key_bit(attr->key);
    uint32_t at = 0, size = 0;
    if (__builtin_expect(((*record)->keys & bit) != 0, 0)) find(*record, attr->key, &at, &size);
    const bool over = size == 0 && (*record)->attributes >= limit && !(*record)->beyond_limits;
    const size_t needed = wh__len_size(attr->size);
    uint8_t *room = over ? NULL : wh__record_room(record, needed);
    if (!room) {
        (*record)->dropped_attributes++;
        return;
    }
    wh__attr_put(room, WH__SPAN_ATTRIBUTE, attr);
    (*record)->len += (uint32_t)needed;
    (*record)->keys |= bit;
    if (size)
        wh__record_cut(*record, at, size);
    else
        (*record)->attributes++;
}

static void set(const wh_ctx *ctx, size_t key_len, const struct wh_attr *attr)
{
    struct wh__trace_node *trace = wh__trace_of(ctx);
    if (!trace || !__atomic_load_n(&trace->record, __ATOMIC_RELAXED)) return;
    struct wh__attr ready;
    const bool valid = wh__attr_ready(&ready, attr, key_len, trace->provider->limits.value_length);
    wh__lock(&trace->lock);
    if (trace->record && valid)
        wh__record_attr(&trace->record, &ready, trace->provider->limits.attributes);
    else if (trace->record)
        trace->record->dropped_attributes++;
    wh__unlock(&trace->lock);
}

void wh_set_str_(const wh_ctx *ctx, const char *key, size_t key_len, const char *value, size_t len)
{
    set(ctx, key_len, &(struct wh_attr){.key = key, .type = WH_STRING, .len = len, .as.ptr = value});
}

void wh_set_bytes_(const wh_ctx *ctx, const char *key, size_t key_len, const void *value, size_t len)
{
    set(ctx, key_len, &(struct wh_attr){.key = key, .type = WH_BYTES, .len = len, .as.ptr = value});
}

void wh_set_int_(const wh_ctx *ctx, const char *key, size_t key_len, int64_t value)
{
    set(ctx, key_len, &(struct wh_attr){.key = key, .type = WH_INT, .as.integer = value});
}

void wh_set_uint_(const wh_ctx *ctx, const char *key, size_t key_len, uint64_t value)
{
    set(ctx, key_len, &(struct wh_attr){.key = key, .type = WH_UINT, .as.natural = value});
}

void wh_set_double_(const wh_ctx *ctx, const char *key, size_t key_len, double value)
{
    set(ctx, key_len, &(struct wh_attr){.key = key, .type = WH_DOUBLE, .as.real = value});
}

void wh_set_bool_(const wh_ctx *ctx, const char *key, size_t key_len, bool value)
{
    set(ctx, key_len, &(struct wh_attr){.key = key, .type = WH_BOOL, .as.boolean = value});
}
