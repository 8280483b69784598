/* Values that have parts, and lists of attributes: opentelemetry.proto.common.v1.ArrayValue and KeyValueList, and the same
 * list as it stands in events, links, resources and scopes.
 *
 * Written from the end to the front, hence each list is walked backwards: of a key that comes several times the first one
 * that is met is the last one that was given, which holds. */
#include "base/mem.h"
#include "trace/attr.h"
#include "trace/keys.h"

enum { VALUES = 1 }; /* the one field of ArrayValue and of KeyValueList */

/* Lists may be shared by others, and so be far more than they take as bytes: what is looked at is bounded too. */
static bool may_look(struct wh__back *back, size_t count)
{
    if (count > WH__MOST_BYTES / 2 || back->looked + count > WH__MOST_BYTES / 2) back->failed = true;
    back->looked += (uint32_t)count;
    return !back->failed;
}

/* ---- plain values ---- */

static __attribute__((noinline)) void put_plain(struct wh__back *back, const struct wh_attr *value,
                                                const struct wh_limits *limits)
{
    struct wh__attr ready;
    wh__value_ready(&ready, value, limits);
    uint8_t *p = wh__back_room(back, ready.value_size);
    if (p) wh__value_put(p, &ready);
}

/* ---- arrays ---- */

static void put_items(struct wh__back *back, const struct wh_attr *array, const struct wh_limits *limits, unsigned depth)
{
    const struct wh_attr *list = array->as.ptr;
    for (size_t i = array->len; i-- > 0 && !back->failed;) {
        const size_t before = wh__back_size(back);
        wh__back_value(back, &list[i], limits, depth + 1);
        wh__back_head(back, VALUES, before);
    }
}

static struct wh_attr item_of(const struct wh_attr *array, size_t i)
{
    switch (array->type) {
    case WH_INTS: return (struct wh_attr){.type = WH_INT, .as.integer = ((const int64_t *)array->as.ptr)[i]};
    case WH_DOUBLES: return (struct wh_attr){.type = WH_DOUBLE, .as.real = ((const double *)array->as.ptr)[i]};
    case WH_BOOLS: return (struct wh_attr){.type = WH_BOOL, .as.boolean = ((const bool *)array->as.ptr)[i]};
    default: break;
    }
    const char *text = ((const char *const *)array->as.ptr)[i];
    if (!text) return (struct wh_attr){.type = WH_EMPTY};
    return (struct wh_attr){.type = WH_STRING, .len = strlen(text), .as.ptr = text};
}

static void put_uniform(struct wh__back *back, const struct wh_attr *array, const struct wh_limits *limits)
{
    for (size_t i = array->len; i-- > 0 && !back->failed;) {
        const struct wh_attr item = item_of(array, i);
        const size_t before = wh__back_size(back);
        put_plain(back, &item, limits);
        wh__back_head(back, VALUES, before);
    }
}

/* ---- maps, and lists of attributes ---- */

static void put_entry(struct wh__back *back, unsigned field, const struct wh_attr *attr, size_t key_len,
                      const struct wh_limits *limits, unsigned depth)
{
    const size_t before = wh__back_size(back);
    wh__back_value(back, attr, limits, depth);
    wh__back_head(back, WH__VALUE_OF_KEY, before);
    uint8_t *p = wh__back_room(back, wh__len_size(key_len));
    if (p) wh__put_bytes(p, WH__KEY, attr->key, key_len);
    wh__back_head(back, field, before);
}

/* An attribute must have a key that says something; in a map the empty one may stand. */
static bool has_key(const struct wh_attr *attr, size_t least, size_t *len)
{
    *len = attr->key ? strlen(attr->key) : 0;
    return attr->key && *len >= least && wh__is_utf8(attr->key, *len);
}

static void put_map(struct wh__back *back, const struct wh_attr *map, const struct wh_limits *limits, unsigned depth)
{
    const struct wh_attrs attrs = {map->as.ptr, map->len};
    struct wh__keys seen;
    size_t len;
    if (!wh__keys_begin(&seen, attrs)) back->failed = true;
    for (size_t i = attrs.count; i-- > 0 && !back->failed;)
        if (has_key(&attrs.list[i], 0, &len) && wh__keys_add(&seen, i))
            put_entry(back, VALUES, &attrs.list[i], len, limits, depth + 1);
    wh__keys_end(&seen);
}

/* How far the list may bring new keys: those that are met up to there are in *kept, if that is not all of it. */
static size_t reach(struct wh__keys *kept, struct wh_attrs attrs, uint32_t most)
{
    uint32_t count = 0;
    size_t len, i = 0;
    for (; i < attrs.count && count < most; i++)
        if (has_key(&attrs.list[i], 1, &len)) count += wh__keys_add(kept, i);
    return i;
}

void wh__back_attrs(struct wh__back *back, unsigned field, struct wh_attrs attrs, uint32_t most,
                    const struct wh_limits *limits, uint32_t *dropped)
{
    struct wh__keys seen, kept;
    size_t len, end = attrs.count;
    if (!may_look(back, attrs.count)) return;
    const bool limited = attrs.count > most;
    if (limited && !wh__keys_begin(&kept, attrs)) back->failed = true;
    if (!wh__keys_begin(&seen, attrs)) back->failed = true;
    if (limited && !back->failed) end = reach(&kept, attrs, most);
    for (size_t i = attrs.count; i-- > 0 && !back->failed;) {
        const struct wh_attr *attr = &attrs.list[i];
        if (!has_key(attr, 1, &len) || (i >= end && !wh__keys_has(&kept, i)))
            ++*dropped;
        else if (wh__keys_add(&seen, i))
            put_entry(back, field, attr, len, limits, 1);
    }
    if (limited) wh__keys_end(&kept);
    wh__keys_end(&seen);
}

struct wh_bytes wh__attrs_encode(unsigned field, struct wh_attrs attrs)
{
    struct wh__back back;
    uint32_t dropped = 0;
    wh__back_begin(&back, NULL, 0);
    wh__back_attrs(&back, field, attrs, UINT32_MAX, NULL, &dropped);
    const size_t size = wh__back_size(&back);
    uint8_t *bytes = back.failed ? NULL : wh__mem_get(size ? size : 1);
    if (bytes && size) memcpy(bytes, back.at, size);
    wh__back_end(&back);
    return (struct wh_bytes){bytes, bytes ? size : 0};
}

/* ---- any of them ---- */

static bool is_too_deep(const struct wh_limits *limits, unsigned depth)
{
    return depth > WH__DEEPEST || (limits && depth > limits->value_depth);
}

void wh__back_value(struct wh__back *back, const struct wh_attr *value, const struct wh_limits *limits, unsigned depth)
{
    if (!wh__has_parts(value->type)) {
        put_plain(back, value, limits);
        return;
    }
    const size_t before = wh__back_size(back);
    struct wh_attr parts = *value;
    if (!parts.as.ptr) parts.len = 0;
    if (is_too_deep(limits, depth) || !may_look(back, parts.len)) return;
    if (parts.type == WH_ARRAY)
        put_items(back, &parts, limits, depth);
    else if (parts.type == WH_MAP)
        put_map(back, &parts, limits, depth);
    else
        put_uniform(back, &parts, limits);
    wh__back_head(back, parts.type == WH_MAP ? WH__ANY_MAP : WH__ANY_ARRAY, before);
}
