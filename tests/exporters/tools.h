/* What the tests of the exporters share: readers, limits, and children of a fork. */
#ifndef TOOLS_H
#define TOOLS_H

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* What can be read now, with a zero behind it; `size` has room for that. Returns its length. */
static inline size_t read_now(int fd, char *text, size_t size)
{
    size_t len = 0;
    for (ssize_t n; (n = read(fd, text + len, size - 1 - len)) > 0;) len += (size_t)n;
    text[len] = '\0';
    return len;
}

/* A file from its beginning, with a zero behind it. Returns its length. */
static inline size_t read_from_start(FILE *file, char *text, size_t size)
{
    rewind(file);
    const size_t len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    return len;
}

/* A thread that interrupts the exporter while another waits in it. */
static inline void *interrupt_soon(void *arg)
{
    struct wh_exporter *exporter = arg;
    wh_wait(wh_background(), WH_MS(30));
    exporter->interrupt(exporter);
    return NULL;
}

/* No file grows beyond `size` until the limit is lifted; returns the one before. */
static inline struct rlimit limit_file_size(rlim_t size)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit limit = {.rlim_cur = size, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    return before;
}

static inline void lift_limit(struct rlimit before)
{
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

/* A fork after which nothing that was printed comes twice. */
static inline pid_t fork_clean(void)
{
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    return child;
}

static inline void assert_child_went_well(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#endif
