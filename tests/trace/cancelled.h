/* What the tests of cancelled spans share. */
#ifndef CANCELLED_H
#define CANCELLED_H

#include <stdio.h>
#include <time.h>

#include "test.h"

static inline void nap(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

static inline const char *hex(const uint8_t *id, size_t size)
{
    static char text[33];
    for (size_t i = 0; i < size; i++) snprintf(text + 2 * i, 3, "%02x", id[i]);
    return text;
}

/* A link to `to`, and no other; or none at all. */
static inline void assert_link(const struct wh_span_view *span, const struct wh_span_view *to)
{
    struct wh_cursor cursor = {span->raw};
    struct wh_link_view link;
    if (to) {
        assert_true(wh_next_link(&cursor, &link));
        assert_memory_equal(link.trace_id, to->trace_id, 16);
        assert_memory_equal(link.span_id, to->span_id, 8);
    }
    assert_false(wh_next_link(&cursor, &link));
}

#endif
