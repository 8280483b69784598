/* whence/set.h: how wh_set() and wh_attr() find the type of their value: by _Generic in C, by overloading in C++. Nothing
 * to read here for a user; trace.h includes it. */
#ifndef WHENCE_SET_H
#define WHENCE_SET_H

#include <whence/trace.h>

/* One branch where nothing records: no argument is looked at. */
static inline bool wh_records_(const wh_ctx *ctx)
{
    return ctx && (((const struct wh_ctx_head_ *)(const void *)ctx)->flags & WH_RECORDS_);
}

#define WH_SETTER_(name, type, call) \
    static inline void name(const wh_ctx *ctx, const char *key, type value) { if (wh_records_(ctx)) call; } 
WH_SETTER_(wh_set_bool, bool, wh_set_bool_(ctx, key, strlen(key), value))
WH_SETTER_(wh_set_i_, long long, wh_set_int_(ctx, key, strlen(key), value))
WH_SETTER_(wh_set_u_, unsigned long long, wh_set_uint_(ctx, key, strlen(key), value))
WH_SETTER_(wh_set_d_, double, wh_set_double_(ctx, key, strlen(key), value))
WH_SETTER_(wh_set_s_, const char *, wh_set_str_(ctx, key, strlen(key), value, value ? strlen(value) : 0))
WH_SETTER_(wh_set_v_, struct wh_str, wh_set_str_(ctx, key, strlen(key), value.ptr, value.len))
WH_SETTER_(wh_set_b_, struct wh_bytes, wh_set_bytes_(ctx, key, strlen(key), value.ptr, value.len))
#undef WH_SETTER_

#define WH_ATTR_(name, type_, kind, length, field, what) \
    static inline struct wh_attr name(const char *key, type_ value) \
    { struct wh_attr a; a.key = key; a.type = kind; a.len = length; a.as.field = what; return a; }
WH_ATTR_(wh_attr_bool, bool, WH_BOOL, 0, boolean, value)
WH_ATTR_(wh_attr_i_, long long, WH_INT, 0, integer, value)
WH_ATTR_(wh_attr_d_, double, WH_DOUBLE, 0, real, value)
WH_ATTR_(wh_attr_s_, const char *, WH_STRING, value ? strlen(value) : 0, ptr, value)
WH_ATTR_(wh_attr_v_, struct wh_str, WH_STRING, value.len, ptr, value.ptr)
WH_ATTR_(wh_attr_b_, struct wh_bytes, WH_BYTES, value.len, ptr, value.ptr)
WH_ATTR_(wh_attr_u_, unsigned long long, WH_UINT, 0, natural, value)
#undef WH_ATTR_

/* What has parts goes one way: as an attribute. */
#define WH_COMPOUND_(suffix, type_, kind, what, count) \
    static inline struct wh_attr wh_attr_##suffix(const char *key, type_ value) \
    { struct wh_attr a; (void)value; a.key = key; a.type = kind; a.len = count; a.as.ptr = what; return a; } \
    static inline void wh_set_##suffix(const wh_ctx *ctx, const char *key, type_ value) \
    { if (wh_records_(ctx)) { const struct wh_attr a = wh_attr_##suffix(key, value); wh_set_value_(ctx, &a); } }
WH_COMPOUND_(null_, struct wh_null, WH_EMPTY, WH_NO_KEY_, 0)
WH_COMPOUND_(items_, struct wh_items, WH_ARRAY, value.list, value.count)
WH_COMPOUND_(map_, struct wh_attrs, WH_MAP, value.list, value.count)
WH_COMPOUND_(ints_, struct wh_ints, WH_INTS, value.list, value.count)
WH_COMPOUND_(doubles_, struct wh_doubles, WH_DOUBLES, value.list, value.count)
WH_COMPOUND_(bools_, struct wh_bools, WH_BOOLS, value.list, value.count)
WH_COMPOUND_(strings_, struct wh_strings, WH_STRINGS, value.list, value.count)
#undef WH_COMPOUND_

#ifndef __cplusplus

#define WH_BY_TYPE_(value, stem) \
    _Generic((value), bool: stem##bool, char: stem##i_, signed char: stem##i_, short: stem##i_, int: stem##i_, \
             long: stem##i_, long long: stem##i_, unsigned char: stem##i_, unsigned short: stem##i_, unsigned: stem##i_, \
             unsigned long: stem##u_, unsigned long long: stem##u_, float: stem##d_, double: stem##d_, \
             char *: stem##s_, const char *: stem##s_, struct wh_str: stem##v_, struct wh_bytes: stem##b_, \
             struct wh_null: stem##null_, struct wh_items: stem##items_, struct wh_attrs: stem##map_, \
             struct wh_ints: stem##ints_, struct wh_doubles: stem##doubles_, struct wh_bools: stem##bools_, \
             struct wh_strings: stem##strings_)
#define WH_SET_(ctx, key, value) WH_BY_TYPE_(value, wh_set_)((ctx), (key), (value))
#define wh_attr_of_(key, value) WH_BY_TYPE_(value, wh_attr_)((key), (value))

#else

#include <initializer_list>
#define WH_SET_(ctx, key, value) wh_set_cpp_((ctx), (key), (value))
#define WH_OVERLOAD_(type, suffix, as) \
    static inline void wh_set_cpp_(const wh_ctx *ctx, const char *key, type value) { wh_set_##suffix(ctx, key, as(value)); } \
    static inline wh_attr wh_attr_of_(const char *key, type value) { return wh_attr_##suffix(key, as(value)); }
WH_OVERLOAD_(bool, bool, )
WH_OVERLOAD_(char, i_, )
WH_OVERLOAD_(signed char, i_, )
WH_OVERLOAD_(unsigned char, i_, )
WH_OVERLOAD_(short, i_, )
WH_OVERLOAD_(unsigned short, i_, )
WH_OVERLOAD_(int, i_, )
WH_OVERLOAD_(unsigned, i_, )
WH_OVERLOAD_(long, i_, )
WH_OVERLOAD_(long long, i_, )
WH_OVERLOAD_(unsigned long, u_, )
WH_OVERLOAD_(unsigned long long, u_, )
WH_OVERLOAD_(float, d_, static_cast<double>)
WH_OVERLOAD_(double, d_, )
WH_OVERLOAD_(const char *, s_, )
WH_OVERLOAD_(wh_str, v_, )
WH_OVERLOAD_(wh_bytes, b_, )
WH_OVERLOAD_(wh_null, null_, )
WH_OVERLOAD_(wh_items, items_, )
WH_OVERLOAD_(wh_attrs, map_, )
WH_OVERLOAD_(wh_ints, ints_, )
WH_OVERLOAD_(wh_doubles, doubles_, )
WH_OVERLOAD_(wh_bools, bools_, )
WH_OVERLOAD_(wh_strings, strings_, )
#undef WH_OVERLOAD_
static inline wh_attrs wh_attrs_of_(std::initializer_list<wh_attr> list)
{
    wh_attrs attrs;
    attrs.list = list.begin(), attrs.count = list.size();
    return attrs;
}
static inline wh_items wh_items_of_(std::initializer_list<wh_attr> list)
{
    wh_items items;
    items.list = list.begin(), items.count = list.size();
    return items;
}

#endif
#endif
