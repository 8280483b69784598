#include "exporters/stream.h"

#include <errno.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hush.h"

/* ---- files, and streams without a descriptor: they do not keep anybody waiting ---- */

/* Through the buffer, so that the stream knows where it is. What is the program's stays there if it cannot be
 * written. */
static int write_at_once(struct wh__stream *stream, const char *text, size_t len)
{
    int rc = 0;
    FILE *file = stream->file;
    flockfile(file);
    errno = 0;
    if (fflush(file)) {
        rc = errno ? errno : EIO;
    } else if (fwrite(text, 1, len, file) != len || fflush(file)) {
        rc = errno ? errno : EIO;
        stream->unfinished = true;
        clearerr(file);
        __fpurge(file);
    }
    funlockfile(file);
    return rc;
}

/* ---- all else ---- */

static int write_in_pieces(struct wh__stream *stream, const char *text, size_t len, int64_t deadline)
{
    size_t written = 0;
    if (!wh__output_wait(&stream->output, deadline)) return ETIMEDOUT;
    fflush(stream->file);
    const int rc = wh__output_write(&stream->output, text, len, deadline, &written);
    if (written && written < len) stream->unfinished = true;
    return rc;
}

static bool leads_to_a_file(int fd)
{
    struct stat what;
    return fstat(fd, &what) == 0 && S_ISREG(what.st_mode);
}

static int write_text(struct wh__stream *stream, const char *text, size_t len, int64_t deadline)
{
    struct wh__hush hush;
    stream->output.fd = fileno(stream->file);
    stream->output.is_regular = stream->output.fd < 0 || leads_to_a_file(stream->output.fd);
    wh__hush_begin(&hush);
    const int rc = stream->output.is_regular ? write_at_once(stream, text, len)
                                             : write_in_pieces(stream, text, len, deadline);
    wh__hush_end(&hush);
    return rc;
}

int wh__stream_write(struct wh__stream *stream, const char *text, size_t len, int64_t deadline)
{
    const int rc = stream->unfinished ? write_text(stream, stream->resume, strlen(stream->resume), deadline) : 0;
    if (rc) return rc;
    stream->unfinished = false;
    return write_text(stream, text, len, deadline);
}

void wh__stream_interrupt(struct wh__stream *stream)
{
    __atomic_store_n(&stream->output.interrupted, 1, __ATOMIC_RELAXED);
}
