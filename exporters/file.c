/* OTLP as JSON lines, to a file or to standard output.
 *
 * To a regular file a line goes in one write, at the end of the file, so that several processes can share it.
 * Anything else (a pipe, a socket, a terminal) may keep the writer waiting: it gets as much at a time as it can take
 * at once, until the deadline. What began to be written and could not be finished is taken back, or at least ended
 * before the next line.
 *
 * A file that is full gets a number, and another one its name (rotate.h). */
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
#include "exporters/json.h"
#include "exporters/output.h"
#include "exporters/rotate.h"

enum { KEPT_BUFFER = 1 << 20, USUAL_FILES = 5, MOST_TRIES = 100, OPENED = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

struct file {
    struct wh_exporter exporter;
    struct wh__output output;
    pid_t process;         /* who opened it */
    bool is_busy;          /* with the line; also in the child of a fork that came into that */
    bool is_ours;          /* a regular file that was opened here, by this process */
    bool unfinished;       /* what was written last is no whole line */
    int64_t max_bytes;     /* 0: no limit */
    uint32_t max_files;
    struct wh__json line;  /* "\n", the line, "\n"; the first of them is for one that was not finished */
    char error[300];
    char path[];           /* for the report */
};

/* ---- alone with the file ---- */

/* Everyone who has opened a file here has a shared lock on it: whoever gets the exclusive one is alone with it.
 * Neither is waited for. */
static bool begin_alone(const struct file *file)
{
    return file->is_ours && flock(file->output.fd, LOCK_EX | LOCK_NB) == 0;
}

static void end_alone(const struct file *file)
{
    if (file->is_ours && flock(file->output.fd, LOCK_SH | LOCK_NB)) return; /* somebody is alone with it just now */
}

/* Only if nothing can have been written after it. */
static bool take_back(const struct file *file, size_t written)
{
    struct stat now;
    const off_t end = lseek(file->output.fd, 0, SEEK_CUR), start = end - (off_t)written;
    const bool can = begin_alone(file) && start >= 0 && fstat(file->output.fd, &now) == 0 && now.st_size == end;
    const bool done = can && ftruncate(file->output.fd, start) == 0 && lseek(file->output.fd, start, SEEK_SET) == start;
    end_alone(file);
    return done;
}

/* ---- writing ---- */

static int write_line(struct file *file, int64_t deadline)
{
    const size_t skipped = file->unfinished ? 0 : 1;
    size_t written = 0;
    const int rc = wh__output_write(&file->output, file->line.buf + skipped, file->line.len - skipped, deadline,
                                    &written);
    if (rc == 0)
        file->unfinished = false;
    else if (written && !take_back(file, written))
        file->unfinished = true;
    return rc;
}

/* What a process shares with its parent are locks and the place in the file as well: it opens the file anew, which may
 * have another name by now. If the parent was in the middle of a line, its memory may be in any state. */
static void begin_in_child(struct file *file)
{
    char name[40];
    file->process = getpid();
    if (file->is_busy) file->line = (struct wh__json){0};
    if (!file->is_ours) return;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file->output.fd);
    const int fd = open(name, OPENED);
    file->is_ours = fd >= 0 && dup3(fd, file->output.fd, O_CLOEXEC) >= 0;
    if (fd >= 0) close(fd);
    end_alone(file);
}

/* ---- when it is full ---- */

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

/* What has the name now takes the place of what was open. */
static int open_anew(struct file *file)
{
    struct stat what;
    const int fd = open(file->path, OPENED | O_CREAT, 0644);
    if (fd < 0) return errno;
    const bool can = fstat(fd, &what) == 0 && S_ISREG(what.st_mode) && dup3(fd, file->output.fd, O_CLOEXEC) >= 0;
    close(fd);
    if (!can) return EBADF;
    file->unfinished = ends_in_mid_line(file);
    return 0;
}

static bool is_full(const struct file *file)
{
    struct stat now;
    return fstat(file->output.fd, &now) == 0 && now.st_size > 0 && now.st_size + (off_t)file->line.len - 1 > file->max_bytes;
}

static int rotate(const struct file *file, int64_t deadline)
{
    int rc;
    for (int tries = 0; (rc = wh__rotate(file->output.fd, file->path, file->max_files)) == EWOULDBLOCK; tries++) {
        if (tries == MOST_TRIES || wh__now() >= deadline || __atomic_load_n(&file->output.interrupted, __ATOMIC_RELAXED)) break;
        poll(NULL, 0, 1);
    }
    return rc;
}

/* A process that does not come to an end with rotating holds nobody up for long: the others write to the full file. */
static int make_room(struct file *file, int64_t deadline)
{
    if (!file->is_ours || !file->max_bytes) return 0;
    int rc = wh__is_file_at(file->output.fd, file->path) ? 0 : open_anew(file);
    if (rc || !is_full(file)) return rc;
    rc = rotate(file, deadline);
    return rc == 0 ? open_anew(file) : rc == EWOULDBLOCK ? 0 : rc;
}

/* ---- the exporter ---- */

static int fail(struct file *file, int code)
{
    snprintf(file->error, sizeof file->error, "%s: %s", file->path,
             code == EMSGSIZE ? "the batch is too large for one line" : strerror(code));
    return code;
}

static int write_batch(struct file *file, const struct wh_batch *batch, int64_t deadline, size_t *count)
{
    file->line.len = 0;
    file->line.error = 0;
    wh__json_put(&file->line, "\n");
    *count = wh__json_batch(&file->line, batch);
    wh__json_put(&file->line, "\n");
    int rc = file->line.error;
    if (rc == 0 && *count) rc = make_room(file, deadline);
    if (rc == 0 && *count) rc = write_line(file, deadline);
    if (file->line.capacity > KEPT_BUFFER) wh__json_free(&file->line);
    return rc;
}

static int export_batch(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct file *file = (struct file *)self;
    size_t count;
    if (file->process != getpid()) begin_in_child(file);
    file->is_busy = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* a fork may come at any moment */
    const int rc = write_batch(file, batch, deadline, &count);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    file->is_busy = false;
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
    __atomic_store_n(&((struct file *)self)->output.interrupted, 1, __ATOMIC_RELAXED);
}

static void destroy(struct wh_exporter *self)
{
    struct file *file = (struct file *)self;
    if (file->process != getpid() && file->is_busy) file->line = (struct wh__json){0};
    close(file->output.fd);
    wh__json_free(&file->line);
    wh__mem_free(file);
}

/* ---- opening ---- */

/* Standard output is duplicated, lest the program close it and something else get its number. O_NONBLOCK: to open a
 * FIFO that nobody reads is an error, not a wait. */
static int open_output(struct file *file, bool is_stdout)
{
    struct stat what;
    file->output.fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : open(file->path, OPENED | O_CREAT, 0644);
    if (file->output.fd < 0) return errno;
    file->output.is_regular = fstat(file->output.fd, &what) == 0 && S_ISREG(what.st_mode);
    file->is_ours = file->output.is_regular && !is_stdout;
    file->process = getpid();
    file->unfinished = ends_in_mid_line(file);
    return 0;
}

static struct file *new_file(const char *path, const struct wh_file_opts *opts)
{
    struct file *file = wh__mem_zero(sizeof *file + strlen(path) + 1);
    if (!file) return NULL;
    strcpy(file->path, path);
    file->max_bytes = opts->max_bytes > 0 ? opts->max_bytes : 0;
    file->max_files = opts->max_files ? opts->max_files : USUAL_FILES;
    return file;
}

struct wh_exporter *wh_file_exporter_new_at(const struct wh_file_opts *given)
{
    struct wh_file_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    const bool is_stdout = !opts.path || strcmp(opts.path, "-") == 0;
    const char *path = is_stdout ? "standard output" : opts.path;
    struct file *file = new_file(path, &opts);
    int rc = !file ? ENOMEM : strlen(path) >= WH__PATH ? ENAMETOOLONG : open_output(file, is_stdout);
    if (rc) {
        wh__mem_free(file);
        errno = rc;
        return NULL;
    }
    file->exporter = (struct wh_exporter){.size = sizeof file->exporter, .name = "file", .export_batch = export_batch,
        .last_error = last_error, .interrupt = interrupt, .destroy = destroy};
    return &file->exporter;
}
