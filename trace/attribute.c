/* Attributes of a span: wh_set() in all its types. A key is in the record once; setting it again takes the old value out.
 *
 * Nearly every attribute has a short ASCII key and a short ASCII value, is new, and finds room: such a one is written at
 * once, in the form it has on the wire, where every length is one byte. All others go the long way. */
#include "trace/attr.h"
#include "trace/provider.h"
#include "trace/span.h"

/* From the first and the last eight bytes: cheap, and different enough for the keys that one span has. */
static inline uint64_t key_bit(const char *key, size_t len)
{
    uint64_t first = 0, last = 0;
    if (wh__likely(len >= 8)) {
        memcpy(&first, key, 8);
        memcpy(&last, key + len - 8, 8);
    } else {
        memcpy(&first, key, len);
    }
    return UINT64_C(1) << ((first * UINT64_C(0x9e3779b97f4a7c15) + last * UINT64_C(0xc2b2ae3d27d4eb4f) + len) >> 58);
}

/* ---- the long way ---- */

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
static __attribute__((noinline)) bool find(const struct wh__record *record, struct wh_str key, uint32_t *at, uint32_t *size)
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

static inline void count_attribute(struct wh__record *record)
{
    if (wh__unlikely(++record->attributes >= record->most_attributes)) record->short_until = 0;
}

void wh__record_attr(struct wh__record **record, const struct wh__attr *attr)
{
    const uint64_t bit = key_bit(attr->key.ptr, attr->key.len);
    uint32_t at = 0, size = 0;
    if ((*record)->keys & bit) find(*record, attr->key, &at, &size);
    const bool over = size == 0 && (*record)->attributes >= (*record)->most_attributes;
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
        count_attribute(*record);
}

/* ---- the short way ---- */

/* The longest key, and the longest text, that goes it. */
enum { SHORT = 48 };
_Static_assert(2 + 2 + SHORT + 2 + 2 + SHORT == WH__SHORT_ATTR && WH__SHORT_ATTR - 2 < 0x80, "all lengths in it are one byte");

/* Tags, lengths and key; returns where the value goes. */
static inline __attribute__((always_inline)) uint8_t *put_key(uint8_t *p, const char *key, size_t key_len, size_t value_size,
                                                              bool *ascii)
{
    p[0] = WH__TAG(WH__SPAN_ATTRIBUTE, WH__LEN);
    p[1] = (uint8_t)(2 + key_len + 2 + value_size);
    p[2] = WH__TAG(WH__KEY, WH__LEN);
    p[3] = (uint8_t)key_len;
    *ascii = wh__copy_ascii(p + 4, key, key_len);
    p += 4 + key_len;
    p[0] = WH__TAG(WH__VALUE_OF_KEY, WH__LEN);
    p[1] = (uint8_t)value_size;
    return p + 2;
}

static inline void commit(struct wh__record *record, const uint8_t *end, uint64_t bit)
{
    record->len = (uint32_t)(end - record->bytes);
    record->keys |= bit;
    count_attribute(record);
}

/* The key is new. False, and nothing is changed, if this one must go the long way. */
static inline __attribute__((always_inline)) bool put_str(struct wh__record *record, uint64_t bit, const char *key,
                                                          size_t key_len, const char *value, size_t len)
{
    bool ascii;
    if (wh__unlikely(record->len >= record->short_until)) return false;
    uint8_t *p = put_key(record->bytes + record->len, key, key_len, 2 + len, &ascii);
    p[0] = WH__TAG(WH__ANY_STRING, WH__LEN);
    p[1] = (uint8_t)len;
    if (wh__unlikely(!wh__copy_ascii(p + 2, value, len) || !ascii)) return false;
    commit(record, p + 2 + len, bit);
    return true;
}

/* A number: one tag, then at most ten bytes. */
static inline __attribute__((always_inline)) bool put_word(struct wh__record *record, uint64_t bit, const char *key,
                                                           size_t key_len, unsigned field, unsigned wire, uint64_t word)
{
    bool ascii;
    if (wh__unlikely(record->len >= record->short_until)) return false;
    const size_t size = 1 + (wire == WH__FIXED64 ? 8 : wh__varint_size(word));
    uint8_t *p = put_key(record->bytes + record->len, key, key_len, size, &ascii);
    if (wh__unlikely(!ascii)) return false;
    *p++ = WH__TAG(field, wire);
    commit(record, wire == WH__FIXED64 ? wh__put_fixed64(p, word) : wh__put_varint(p, word), bit);
    return true;
}

static bool put_shortly(struct wh__record *record, const struct wh_attr *attr, size_t key_len)
{
    const char *key = attr->key;
    uint32_t at, size;
    uint64_t word;
    if (key_len - 1 >= SHORT) return false;
    const uint64_t bit = key_bit(key, key_len);
    if (record->keys & bit && find(record, (struct wh_str){key, key_len}, &at, &size)) return false;
    switch (attr->type) {
    case WH_STRING: return attr->len <= SHORT && attr->as.ptr && put_str(record, bit, key, key_len, attr->as.ptr, attr->len);
    case WH_INT: return put_word(record, bit, key, key_len, WH__ANY_INT, WH__VARINT, (uint64_t)attr->as.integer);
    case WH_BOOL: return put_word(record, bit, key, key_len, WH__ANY_BOOL, WH__VARINT, attr->as.boolean);
    case WH_DOUBLE:
        memcpy(&word, &attr->as.real, sizeof word);
        return put_word(record, bit, key, key_len, WH__ANY_DOUBLE, WH__FIXED64, word);
    default: return false;
    }
}

void wh__record_set(struct wh__record **record, const struct wh_attr *attr, const struct wh_limits *limits)
{
    const size_t key_len = attr->key ? strlen(attr->key) : 0;
    struct wh__attr ready;
    if (put_shortly(*record, attr, key_len)) return;
    if (wh__attr_ready(&ready, attr, key_len, limits))
        wh__record_attr(record, &ready);
    else
        (*record)->dropped_attributes++;
    wh__attr_done(&ready);
}

/* ---- setting ---- */

/* The trace node, if its span may be recording. */
static inline struct wh__trace_node *recording(const wh_ctx *ctx)
{
    struct wh__trace_node *trace = wh__trace_of(ctx);
    return trace && __atomic_load_n(&trace->record, __ATOMIC_RELAXED) ? trace : NULL;
}

/* Long texts are looked at, and values with parts are put together, while the lock is not held. */
static void set_slowly(const wh_ctx *ctx, size_t key_len, const struct wh_attr *attr)
{
    struct wh__trace_node *trace = recording(ctx);
    struct wh__attr ready;
    if (!trace) return;
    wh__lock(&trace->lock);
    const bool done = !trace->record || put_shortly(trace->record, attr, key_len);
    wh__unlock(&trace->lock);
    if (done) return;
    const bool valid = wh__attr_ready(&ready, attr, key_len, &trace->provider->limits);
    wh__lock(&trace->lock);
    if (trace->record && valid)
        wh__record_attr(&trace->record, &ready);
    else if (trace->record)
        trace->record->dropped_attributes++;
    wh__unlock(&trace->lock);
    wh__attr_done(&ready);
}

static __attribute__((noinline)) void set_str_slowly(const wh_ctx *ctx, const char *key, size_t key_len, const char *value,
                                                     size_t len)
{
    set_slowly(ctx, key_len, &(struct wh_attr){.key = key, .type = WH_STRING, .len = len, .as.ptr = value});
}

/* The span's record, with the lock, if that can be had at once and the key is a short one that it does not have. */
static inline struct wh__record *open_at_once(struct wh__thread *self, struct wh__trace_node *trace, size_t key_len,
                                              uint64_t bit)
{
    if (wh__unlikely(!self || !(trace->node.flags & WH__TRACE) || key_len - 1 >= SHORT)) return NULL;
    if (wh__unlikely(!wh__lock_at_once(self, &trace->lock))) return NULL;
    struct wh__record *record = trace->record;
    if (wh__likely(record && !(record->keys & bit))) return record;
    wh__unlock_at_once(self, &trace->lock, 0);
    return NULL;
}

void wh_set_str_(const wh_ctx *ctx, const char *key, size_t key_len, const char *value, size_t len)
{
    struct wh__trace_node *trace = (void *)ctx;
    struct wh__thread *self = wh__current;
    const uint64_t bit = wh__likely(key_len) ? key_bit(key, key_len) : 0;
    struct wh__record *record = wh__likely(len <= SHORT && value) ? open_at_once(self, trace, key_len, bit) : NULL;
    const bool done = record && put_str(record, bit, key, key_len, value, len);
    if (wh__likely(record)) wh__unlock_at_once(self, &trace->lock, 0);
    if (wh__unlikely(!done)) set_str_slowly(ctx, key, key_len, value, len);
}

static inline __attribute__((always_inline)) void set_word(const wh_ctx *ctx, size_t key_len, const struct wh_attr *attr,
                                                           unsigned field, unsigned wire, uint64_t word)
{
    struct wh__trace_node *trace = (void *)ctx;
    struct wh__thread *self = wh__current;
    const uint64_t bit = wh__likely(key_len) ? key_bit(attr->key, key_len) : 0;
    struct wh__record *record = open_at_once(self, trace, key_len, bit);
    const bool done = record && put_word(record, bit, attr->key, key_len, field, wire, word);
    if (wh__likely(record)) wh__unlock_at_once(self, &trace->lock, 0);
    if (wh__unlikely(!done)) set_slowly(ctx, key_len, attr);
}

void wh_set_int_(const wh_ctx *ctx, const char *key, size_t key_len, int64_t value)
{
    const struct wh_attr attr = {.key = key, .type = WH_INT, .as.integer = value};
    set_word(ctx, key_len, &attr, WH__ANY_INT, WH__VARINT, (uint64_t)value);
}

void wh_set_bool_(const wh_ctx *ctx, const char *key, size_t key_len, bool value)
{
    const struct wh_attr attr = {.key = key, .type = WH_BOOL, .as.boolean = value};
    set_word(ctx, key_len, &attr, WH__ANY_BOOL, WH__VARINT, value);
}

void wh_set_double_(const wh_ctx *ctx, const char *key, size_t key_len, double value)
{
    const struct wh_attr attr = {.key = key, .type = WH_DOUBLE, .as.real = value};
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    set_word(ctx, key_len, &attr, WH__ANY_DOUBLE, WH__FIXED64, word);
}

void wh_set_uint_(const wh_ctx *ctx, const char *key, size_t key_len, uint64_t value)
{
    if (value <= INT64_MAX)
        wh_set_int_(ctx, key, key_len, (int64_t)value);
    else
        set_slowly(ctx, key_len, &(struct wh_attr){.key = key, .type = WH_UINT, .as.natural = value});
}

void wh_set_bytes_(const wh_ctx *ctx, const char *key, size_t key_len, const void *value, size_t len)
{
    set_slowly(ctx, key_len, &(struct wh_attr){.key = key, .type = WH_BYTES, .len = value ? len : 0, .as.ptr = value});
}

void wh_set_value_(const wh_ctx *ctx, const struct wh_attr *attr)
{
    set_slowly(ctx, attr->key ? strlen(attr->key) : 0, attr);
}
