#include "exporters/output.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hush.h"

enum { AT_ONCE = 4096, POLL_MS = 100 };

/* ---- waiting ---- */

static int wait_ms(const struct wh__output *output, int64_t left)
{
    if (__atomic_load_n(&output->interrupted, __ATOMIC_RELAXED)) return 0;
    return left >= WH_MS(POLL_MS) ? POLL_MS : (int)((left + WH_MS(1) - 1) / WH_MS(1));
}

bool wh__output_wait(const struct wh__output *output, int64_t deadline)
{
    struct pollfd fd = {.fd = output->fd, .events = POLLOUT};
    for (;;) {
        const int ms = wait_ms(output, wh__until(deadline, wh__now()));
        if (poll(&fd, 1, ms) > 0) return true; /* also for an error, which the write will tell */
        if (ms == 0) return false;
    }
}

/* ---- writing ---- */

/* What can be written is at least this much in a pipe (PIPE_BUF, 4096 on Linux), and more elsewhere. Whoever else
 * writes there comes between the lines, not into them. */
static size_t piece(const char *text, size_t len)
{
    if (len <= AT_ONCE) return len;
    const char *last = memrchr(text, '\n', AT_ONCE);
    return last ? (size_t)(last - text) + 1 : AT_ONCE;
}

/* It takes nothing although there seemed to be room: the next look is not at once. */
static int try_again(const struct wh__output *output, int64_t deadline)
{
    if (wait_ms(output, wh__until(deadline, wh__now())) == 0) return ETIMEDOUT;
    poll(NULL, 0, 1);
    return 0;
}

static int write_some(const struct wh__output *output, const char *text, size_t len, int64_t deadline, size_t *written)
{
    if (!output->is_regular) {
        if (!wh__output_wait(output, deadline)) return ETIMEDOUT;
        len = piece(text, len);
    }
    const ssize_t n = write(output->fd, text, len);
    if (n < 0) return errno == EINTR ? 0 : errno == EAGAIN ? try_again(output, deadline) : errno;
    *written += (size_t)n;
    return n > 0 ? 0 : EIO;
}

int wh__output_write(const struct wh__output *output, const char *text, size_t len, int64_t deadline, size_t *written)
{
    struct wh__hush hush;
    int rc = 0;
    wh__hush_begin(&hush);
    while (rc == 0 && *written < len) rc = write_some(output, text + *written, len - *written, deadline, written);
    wh__hush_end(&hush);
    return rc;
}
