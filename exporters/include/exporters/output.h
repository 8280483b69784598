/* Writing to what may keep the writer waiting: a pipe, a socket, a terminal. */
#ifndef EXPORTERS_OUTPUT_H
#define EXPORTERS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wh__output {
    int fd;
    bool is_regular;      /* a file on a disk, to which everything goes in one write */
    uint32_t interrupted; /* atomic; from then on there is no waiting */
};

/* All else gets as much at a time as it can take at once, in whole lines where they are short enough, until the
 * deadline, whether the descriptor blocks or not. Returns 0 or an errno value, ETIMEDOUT at the deadline and when
 * interrupted; *written counts in any case. */
int wh__output_write(const struct wh__output *output, const char *text, size_t len, int64_t deadline, size_t *written);

/* Waits until something can be written, or an error be had. False: at the deadline, or interrupted. */
bool wh__output_wait(const struct wh__output *output, int64_t deadline);

#endif
