/* Fields of a carrier, whatever it can do. */
#include <string.h>

#include "propagate/incoming.h"

struct only {
    char *buf;
    unsigned count;
};

static bool keep_only(void *arg, const char *text)
{
    struct only *only = arg;
    const size_t len = strnlen(text, WH__FIELD_SIZE - 1);
    memcpy(only->buf, text, len);
    only->buf[len] = '\0';
    return ++only->count < 2;
}

const char *wh__get_only(const struct wh_carrier *from, void *carrier, const char *name, char buf[WH__FIELD_SIZE])
{
    if (!from->get_all) return from->get(carrier, name);
    struct only only = {.buf = buf};
    from->get_all(carrier, name, keep_only, &only);
    return only.count == 1 ? buf : NULL;
}

struct joined {
    char *buf;
    size_t size, len;
    bool cut;
    unsigned count;
};

static bool join(void *arg, const char *text)
{
    struct joined *joined = arg;
    if (joined->count++ && joined->len + 1 < joined->size) joined->buf[joined->len++] = ',';
    const size_t room = joined->size - joined->len, len = strnlen(text, room);
    joined->cut = len == room;
    const size_t kept = joined->cut ? room - 1 : len;
    memcpy(joined->buf + joined->len, text, kept);
    joined->len += kept;
    joined->buf[joined->len] = '\0';
    return !joined->cut;
}

const char *wh__get_joined(const struct wh_carrier *from, void *carrier, const char *name, char *buf, size_t size, bool *cut)
{
    *cut = false;
    if (!from->get_all) return from->get(carrier, name);
    struct joined joined = {.buf = buf, .size = size};
    from->get_all(carrier, name, join, &joined);
    *cut = joined.cut;
    return joined.count ? buf : NULL;
}
