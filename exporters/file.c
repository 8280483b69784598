/* OTLP as JSON lines, to a file or to standard output.
 *
 * To a regular file a line goes in one write, at the end of the file, so that several processes can share it.
 * Anything else (a pipe, a socket, a terminal) may keep the writer waiting: it gets as much at a time as it can take
 * at once, until the deadline. What began to be written and could not be finished is taken back, or at least ended
 * before the next line. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "exporters/hush.h"
#include "exporters/json.h"

enum { AT_ONCE = 4096, POLL_MS = 100, KEPT_BUFFER = 1 << 20 };

struct file {
    struct wh_exporter exporter;
    int fd;
    bool is_regular;
    bool is_ours;          /* regular, and opened here */
    bool unfinished;       /* what was written last is no whole line */
    uint32_t interrupted;  /* atomic */
    struct wh__json line;  /* "\n", the line, "\n"; the first of them is for one that was not finished */
    char error[300];
    char path[];           /* for the report */
};

/* ---- writing ---- */

/* False: at the deadline, or interrupted. */
static bool wait_for_room(const struct file *file, int64_t deadline)
{
    struct pollfd fd = {.fd = file->fd, .events = POLLOUT};
    for (;;) {
        const int64_t left = wh__until(deadline, wh__now());
        const int ms = left / WH_MS(1) >= POLL_MS ? POLL_MS : (int)((left + WH_MS(1) - 1) / WH_MS(1));
        if (poll(&fd, 1, ms) > 0) return true; /* also for an error, which the write will tell */
        if (left == 0 || __atomic_load_n(&file->interrupted, __ATOMIC_RELAXED)) return false;
    }
}

static int write_some(const struct file *file, const char *text, size_t len, int64_t deadline, size_t *written)
{
    if (!file->is_regular) {
        if (!wait_for_room(file, deadline)) return ETIMEDOUT;
        if (len > AT_ONCE) len = AT_ONCE;
    }
    const ssize_t n = write(file->fd, text, len);
    if (n < 0) return errno == EINTR || errno == EAGAIN ? 0 : errno;
    *written += (size_t)n;
    return n > 0 ? 0 : EIO;
}

static int write_all(const struct file *file, const char *text, size_t len, int64_t deadline, size_t *written)
{
    struct wh__hush hush;
    int rc = 0;
    wh__hush_begin(&hush);
    while (rc == 0 && *written < len) rc = write_some(file, text + *written, len - *written, deadline, written);
    wh__hush_end(&hush);
    return rc;
}

/* Everyone who has opened a file here has a shared lock on it: whoever gets the exclusive one is alone with it.
 * Neither is waited for. */
static bool begin_alone(const struct file *file)
{
    return file->is_ours && flock(file->fd, LOCK_EX | LOCK_NB) == 0;
}

static void end_alone(const struct file *file)
{
    if (file->is_ours && flock(file->fd, LOCK_SH | LOCK_NB)) return; /* somebody is alone with it just now */
}

/* Only if nothing can have been written after it. */
static bool take_back(const struct file *file, size_t written)
{
    struct stat now;
    const off_t end = lseek(file->fd, 0, SEEK_CUR), start = end - (off_t)written;
    const bool can = begin_alone(file) && start >= 0 && fstat(file->fd, &now) == 0 && now.st_size == end;
    const bool done = can && ftruncate(file->fd, start) == 0 && lseek(file->fd, start, SEEK_SET) == start;
    end_alone(file);
    return done;
}

static int write_line(struct file *file, int64_t deadline)
{
    const size_t skipped = file->unfinished ? 0 : 1;
    size_t written = 0;
    const int rc = write_all(file, file->line.buf + skipped, file->line.len - skipped, deadline, &written);
    if (rc == 0)
        file->unfinished = false;
    else if (written && !take_back(file, written))
        file->unfinished = true;
    return rc;
}

/* ---- the exporter ---- */

static int fail(struct file *file, int code)
{
    snprintf(file->error, sizeof file->error, "%s: %s", file->path,
             code == EMSGSIZE ? "the batch is too large for one line" : strerror(code));
    return code;
}

static int export_batch(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct file *file = (struct file *)self;
    file->line.len = 0;
    file->line.error = 0;
    wh__json_put(&file->line, "\n");
    const size_t count = wh__json_batch(&file->line, batch);
    wh__json_put(&file->line, "\n");
    const int rc = file->line.error ? file->line.error : count ? write_line(file, deadline) : 0;
    if (file->line.capacity > KEPT_BUFFER) wh__json_free(&file->line);
    if (rc) return fail(file, rc);
    *rejected = batch->count - count;
    if (*rejected) snprintf(file->error, sizeof file->error, "%s: %zu were no spans", file->path, *rejected);
    return 0;
}

static const char *last_error(struct wh_exporter *self)
{
    const struct file *file = (struct file *)self;
    return *file->error ? file->error : NULL;
}

static void interrupt(struct wh_exporter *self)
{
    __atomic_store_n(&((struct file *)self)->interrupted, 1, __ATOMIC_RELAXED);
}

static void destroy(struct wh_exporter *self)
{
    struct file *file = (struct file *)self;
    close(file->fd);
    wh__json_free(&file->line);
    wh__mem_free(file);
}

/* ---- opening ---- */

/* A process that died in mid line leaves one that is not ended; in one that lives there may be half a line to be
 * seen. */
static bool ends_in_mid_line(const struct file *file)
{
    char last = '\n';
    const int fd = begin_alone(file) ? open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd >= 0 && lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) != 1) last = '\n';
    if (fd >= 0) close(fd);
    end_alone(file);
    return last != '\n';
}

/* Standard output is duplicated, lest the program close it and something else get its number. O_NONBLOCK: to open a
 * FIFO that nobody reads is an error, not a wait. */
static int open_output(struct file *file, bool is_stdout)
{
    struct stat what;
    file->fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                         : open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
    if (file->fd < 0) return errno;
    file->is_regular = fstat(file->fd, &what) == 0 && S_ISREG(what.st_mode);
    file->is_ours = file->is_regular && !is_stdout;
    file->unfinished = ends_in_mid_line(file);
    return 0;
}

struct wh_exporter *wh_file_exporter_new(const char *path)
{
    const bool is_stdout = !path || strcmp(path, "-") == 0;
    if (is_stdout) path = "standard output";
    struct file *file = wh__mem_zero(sizeof *file + strlen(path) + 1);
    int rc = ENOMEM;
    if (file) {
        strcpy(file->path, path);
        rc = open_output(file, is_stdout);
    }
    if (rc) {
        wh__mem_free(file);
        errno = rc;
        return NULL;
    }
    file->exporter = (struct wh_exporter){.size = sizeof file->exporter, .name = "file", .export_batch = export_batch,
        .last_error = last_error, .interrupt = interrupt, .destroy = destroy};
    return &file->exporter;
}
