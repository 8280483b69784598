#include "value.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define ANY(list) (list)[below(COUNT(list))]

/* ---- chance ---- */

static uint64_t state;

void rand_seed(uint64_t seed)
{
    state = seed;
}

uint64_t rand_word(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t below(uint64_t n)
{
    return rand_word() % n;
}

bool one_in(uint64_t n)
{
    return below(n) == 0;
}

/* ---- memory ---- */

enum { ARENA = 64 << 20 };
static _Alignas(max_align_t) char arena[ARENA];
static size_t used;

void *take(size_t size)
{
    void *start = arena + used;
    used += (size + 15) & ~(size_t)15;
    if (used > ARENA) abort();
    return start;
}

size_t taken(void)
{
    return used;
}

void give_back(size_t to)
{
    used = to;
}

/* ---- text ---- */

/* Around every length at which an encoding takes another way, or another byte. */
static size_t some_length(void)
{
    static const size_t edges[] = {0, 1, 7, 8, 9, 15, 16, 17, 47, 48, 49, 63, 64, 65, 127, 128, 129, 255, 256};
    if (one_in(1000)) return 16370 + below(30);
    if (one_in(40)) return below(2000);
    if (one_in(4)) return ANY(edges);
    return below(24);
}

struct text some_bytes(size_t len)
{
    const struct text text = {take(len + 1), len};
    for (size_t i = 0; i < len; i++) text.ptr[i] = (char)rand_word();
    text.ptr[len] = '\0';
    return text;
}

/* What is odd somewhere: to JSON, to UTF-8 (the first and the last of each length; then those that are malformed: too long a
 * form, a surrogate, beyond the last, cut short, out of place). */
static const char *const odd[] = {"\"", "\\", "/", "\b\f\n\r\t", "\x01", "\x1f", "\x7f", "<&>'", "%00", "\xc2\x80", "\xdf\xbf",
    "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
    "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf", "e\xcc\x81", "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80"};
static const char *const malformed[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
    "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x91"};

static const char *piece(bool may_be_malformed, bool *plain)
{
    *plain = false;
    if (may_be_malformed && one_in(8)) return ANY(malformed);
    if (one_in(4)) return ANY(odd);
    *plain = true;
    return "";
}

struct text some_text(bool terminated)
{
    const size_t len = some_length();
    const bool ascii = one_in(2), may_be_malformed = !ascii && one_in(4);
    const struct text text = {take(len + 1), len};
    for (size_t i = 0; i < len;) {
        bool plain = true;
        const char *chars = ascii ? "" : piece(may_be_malformed, &plain);
        const size_t size = plain ? 1 : strlen(chars);
        if (plain || size > len - i)
            text.ptr[i++] = !terminated && one_in(200) ? '\0' : (char)(' ' + below(95));
        else
            memcpy(text.ptr + i, chars, size), i += size;
    }
    text.ptr[len] = '\0';
    return text;
}

/* Few keys, so that they meet again. */
const char *some_key(void)
{
    static const char *const keys[] = {"http.request.method", "http.route", "url.path", "server.address", "server.port", "k",
        "db.system.name", "net", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", "retries", "sku", "tenant", "error", "event", "name",
        "a key of forty-seven bytes, which is not short", "a key of forty-eight bytes, which is still short",
        "a key of forty-nine bytes, which goes the long way", "schl\xc3\xbcssel", "\xe6\x97\xa5\xe6\x9c\xac", "quote\"d", "back\\slash"};
    if (one_in(60)) return one_in(3) ? "" : some_text(true).ptr;
    if (one_in(3)) {
        char *key = take(16);
        snprintf(key, 16, "key.%u", (unsigned)below(200));
        return key;
    }
    return ANY(keys);
}

const char *some_name(void)
{
    static const char *const names[] = {"GET /order/{id}", "SELECT orders", "send", "x"};
    return one_in(3) ? some_text(true).ptr : ANY(names);
}

/* ---- numbers ---- */

static int64_t some_int(void)
{
    static const int64_t edges[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1, INT32_MAX, INT32_MIN,
        INT64_C(1) << 53, (INT64_C(1) << 53) + 1, -(INT64_C(1) << 53) - 1, 127, 128, 16383, 16384, 200, 404};
    return one_in(2) ? ANY(edges) : (int64_t)(rand_word() >> below(64)) * (one_in(2) ? 1 : -1);
}

static uint64_t some_uint(void)
{
    static const uint64_t edges[] = {0, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX, UINT64_MAX - 1, UINT32_MAX};
    return one_in(2) ? ANY(edges) : rand_word();
}

static double some_double(void)
{
    static const double edges[] = {0.0, -0.0, 1, -1, 0.1, 1.0 / 3, DBL_MAX, -DBL_MAX, DBL_MIN, 4.94e-324, 2.2250738585072011e-308,
        1e15, 1e16, 123456789012345680, 1e21, 1e22, 1e23, 9007199254740992, 5e-7, 1e-7, 0.000001, INFINITY, -INFINITY, NAN};
    double value;
    const uint64_t word = rand_word();
    if (one_in(2)) return ANY(edges);
    memcpy(&value, &word, sizeof value);
    return one_in(2) ? (double)some_int() / 1000 : value;
}

/* ---- what has parts ---- */

int deepest = 24;

static struct wh_attr value_at(const char *key, int depth);

static const char *key_in_map(void)
{
    return one_in(40) ? NULL : some_key();
}

static struct wh_attr *some_list(size_t count, bool with_keys, int depth)
{
    struct wh_attr *list = take(count * sizeof *list);
    for (size_t i = 0; i < count; i++) list[i] = value_at(with_keys ? key_in_map() : NULL, depth + 1);
    return list;
}

static size_t some_count(void)
{
    return one_in(100) ? below(200) : below(5);
}

static struct wh_attr array_of_one_type(const char *key)
{
    const size_t count = some_count();
    int64_t *ints = take(count * sizeof *ints);
    double *doubles = take(count * sizeof *doubles);
    bool *bools = take(count * sizeof *bools);
    const char **strings = take(count * sizeof *strings);
    for (size_t i = 0; i < count; i++) {
        ints[i] = some_int();
        doubles[i] = some_double();
        bools[i] = one_in(2);
        strings[i] = one_in(10) ? NULL : some_text(true).ptr;
    }
    switch (below(4)) {
    case 0: return wh_attr(key, ((struct wh_ints){ints, count}));
    case 1: return wh_attr(key, ((struct wh_doubles){doubles, count}));
    case 2: return wh_attr(key, ((struct wh_bools){bools, count}));
    default: return wh_attr(key, ((struct wh_strings){strings, count}));
    }
}

static struct wh_attr with_parts(const char *key, int depth)
{
    const size_t count = some_count();
    if (one_in(3)) return array_of_one_type(key);
    if (one_in(2)) return wh_attr(key, ((struct wh_items){some_list(count, false, depth), count}));
    return wh_attr(key, ((struct wh_attrs){some_list(count, true, depth), count}));
}

/* From the innermost outwards. */
static struct wh_attr chain(const char *key)
{
    struct wh_attr inner = wh_attr("k", "within");
    for (int depth = (int)below((uint64_t)deepest) + 1; depth > 0; depth--) {
        struct wh_attr *only = take(sizeof *only);
        const char *name = depth == 1 ? key : "k";
        *only = inner;
        inner = one_in(2) ? wh_attr(name, ((struct wh_items){only, 1})) : wh_attr(name, ((struct wh_attrs){only, 1}));
    }
    return inner;
}

/* ---- of any type ---- */

static struct wh_attr plain(const char *key)
{
    struct text text;
    switch (below(9)) {
    case 0: return wh_attr(key, some_int());
    case 1: return wh_attr(key, some_double());
    case 2: return wh_attr(key, (bool)one_in(2));
    case 3: return wh_attr(key, some_uint());
    case 4:
        text = some_bytes(some_length());
        return wh_attr(key, ((struct wh_bytes){text.ptr, text.len}));
    case 5:
        text = some_text(false);
        return wh_attr(key, ((struct wh_str){text.ptr, text.len}));
    case 6: return wh_attr(key, one_in(20) ? (const char *)NULL : (const char *)some_text(true).ptr);
    case 7: return wh_attr(key, WH_NULL);
    default: return wh_attr(key, (int)some_int());
    }
}

static struct wh_attr value_at(const char *key, int depth)
{
    return depth < 5 && one_in(depth == 1 ? 5 : 4) ? with_parts(key, depth) : plain(key);
}

struct wh_attr some_attr(const char *key)
{
    return one_in(200) ? chain(key) : value_at(key, 1);
}

struct wh_attrs some_attrs(size_t most)
{
    const size_t count = one_in(2) ? 0 : below(most + 1);
    struct wh_attr *list = take(count * sizeof *list);
    for (size_t i = 0; i < count; i++) list[i] = some_attr(some_key());
    return (struct wh_attrs){list, count};
}

/* ---- writing it down ---- */

void put_hex(FILE *out, const void *bytes, size_t len)
{
    putc('"', out);
    for (size_t i = 0; i < len; i++) fprintf(out, "%02x", ((const unsigned char *)bytes)[i]);
    putc('"', out);
}

void put_text(FILE *out, const char *text)
{
    if (text)
        put_hex(out, text, strlen(text));
    else
        fputs("null", out);
}

static struct wh_attr item_of(const struct wh_attr *array, size_t i)
{
    switch (array->type) {
    case WH_INTS: return wh_item(((const int64_t *)array->as.ptr)[i]);
    case WH_DOUBLES: return wh_item(((const double *)array->as.ptr)[i]);
    case WH_BOOLS: return wh_item(((const bool *)array->as.ptr)[i]);
    case WH_STRINGS: break;
    default: return ((const struct wh_attr *)array->as.ptr)[i];
    }
    const char *text = ((const char *const *)array->as.ptr)[i];
    return text ? wh_item(text) : wh_item(WH_NULL);
}

static void put_items(FILE *out, const struct wh_attr *array)
{
    fputs("[\"a\",[", out);
    for (size_t i = 0; i < array->len; i++) {
        const struct wh_attr item = item_of(array, i);
        if (i) putc(',', out);
        put_value(out, &item);
    }
    fputs("]", out);
}

void put_value(FILE *out, const struct wh_attr *attr)
{
    switch (attr->type) {
    case WH_STRING:
        fputs("[\"s\",", out);
        put_hex(out, attr->as.ptr, attr->len);
        break;
    case WH_BYTES:
        fputs("[\"y\",", out);
        put_hex(out, attr->as.ptr, attr->len);
        break;
    case WH_BOOL: fprintf(out, "[\"b\",%s", attr->as.boolean ? "true" : "false"); break;
    case WH_INT: fprintf(out, "[\"i\",%" PRId64, attr->as.integer); break;
    case WH_UINT: fprintf(out, "[\"i\",%" PRIu64, attr->as.natural); break;
    case WH_DOUBLE:
        fputs("[\"d\",", out);
        put_hex(out, &attr->as.real, sizeof attr->as.real);
        break;
    case WH_EMPTY: fputs("[\"n\"", out); break;
    case WH_MAP:
        fputs("[\"m\",", out);
        put_attrs(out, (struct wh_attrs){attr->as.ptr, attr->len});
        break;
    default: put_items(out, attr);
    }
    putc(']', out);
}

void put_attrs(FILE *out, struct wh_attrs attrs)
{
    putc('[', out);
    for (size_t i = 0; i < attrs.count; i++) {
        fputs(i ? ",[" : "[", out);
        put_text(out, attrs.list[i].key);
        putc(',', out);
        put_value(out, &attrs.list[i]);
        putc(']', out);
    }
    putc(']', out);
}
