/* What the tests of the live view share: what was written, as text, and contexts of the list by their address. */
#ifndef LIVE_TOOLS_H
#define LIVE_TOOLS_H

#include <errno.h>
#include <sys/mman.h>

#include "context/live.h"
#include "tools.h"

/* A file in memory, to write to. */
static inline int paper(void)
{
    const int fd = memfd_create("paper", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* All that is on it; the paper goes, the text is to be freed. */
static inline char *read_paper(int fd)
{
    const off_t size = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)size, 0), size);
    close(fd);
    return text;
}

static inline char *dumped(enum wh_dump_format format)
{
    const int fd = paper();
    assert_int_equal(wh_dump(fd, format), 0);
    return read_paper(fd);
}

static inline bool says(const char *text, const char *words)
{
    return strstr(text, words) != NULL;
}

/* The line that says this, to be freed; fails the test if there is none. */
static inline char *line_with(const char *text, const char *words)
{
    const char *at = strstr(text, words);
    if (!at) fail_msg("\"%s\" is not in:\n%s", words, text);
    while (at > text && at[-1] != '\n') at--;
    return strndup(at, strcspn(at, "\n"));
}

static inline uint64_t id_of(const wh_ctx *ctx)
{
    const struct wh__live_record *record = wh__live_record_of(ctx);
    return record ? record->id : 0;
}

#define assert_says(text, words) \
    do { \
        if (!says(text, words)) fail_msg("\"%s\" is not in:\n%s", words, text); \
    } while (0)

/* Setup and teardown: whatever a test has made is gone by then, or it has leaked. */
static inline int tracks(void **state)
{
    (void)state;
    wh_track(WH_TRACK_LIVE);
    return 0;
}

static inline int leaves_nothing(void **state)
{
    (void)state;
    wh_track(0);
    return wh_live_count() ? -1 : 0;
}

#endif
