/* Moving bytes: the call itself never waits, so that all waiting is done where the context is heard.
 *
 * How a call can be kept from waiting depends on the descriptor. Sockets take a flag with each call, and nearly
 * everything is one: so that is tried first, and what is no socket says so. Pipes take one too, from a kernel that has it
 * for them. Of the rest, those that are O_NONBLOCK do not wait, and for the others poll() must have said that they will
 * not.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/park.h"
#include "wait.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8 /* linux/fs.h; not every libc has it */
#endif

/* ThreadSanitizer sees only the calls that it knows: with this one it would not learn who has written what is read. */
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define HAS_NOWAIT 0
#else
#define HAS_NOWAIT 1
#endif

enum kind {
    SOCKET,
    PIPE,
    PATIENT, /* O_NONBLOCK */
    BLOCKING
};

enum { MOST_INTO_FILE = 1 << 20 }; /* bytes in one call that nothing can interrupt */

struct transfer {
    int fd;
    enum kind kind;
    bool writes;
    char *bytes;
    size_t size;
    size_t most;     /* in one call, so that it does not wait */
};

static ssize_t at_once(const struct transfer *transfer)
{
    const struct iovec part = {transfer->bytes, transfer->size};
    return syscall(transfer->writes ? SYS_pwritev2 : SYS_preadv2, transfer->fd, &part, 1L, -1L, -1L, (long)RWF_NOWAIT);
}

static ssize_t move(const struct transfer *transfer)
{
    const size_t size = transfer->size < transfer->most ? transfer->size : transfer->most;
    switch (transfer->kind) {
    case SOCKET:
        if (!transfer->writes) return recv(transfer->fd, transfer->bytes, size, MSG_DONTWAIT);
        return send(transfer->fd, transfer->bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    case PIPE:
        return at_once(transfer);
    default:
        return transfer->writes ? write(transfer->fd, transfer->bytes, size) : read(transfer->fd, transfer->bytes, size);
    }
}

/* It is no socket. poll() promises room for PIPE_BUF bytes of a pipe, and of a file nothing at all. */
static int find_kind(struct transfer *transfer)
{
    struct stat about;
    const int flags = fcntl(transfer->fd, F_GETFL);
    if (flags < 0 || fstat(transfer->fd, &about)) return errno;
    if ((flags & O_ACCMODE) == (transfer->writes ? O_RDONLY : O_WRONLY)) return EBADF; /* poll() would wait for ever */
    transfer->kind = flags & O_NONBLOCK ? PATIENT : S_ISFIFO(about.st_mode) && HAS_NOWAIT ? PIPE : BLOCKING;
    if (transfer->kind != PATIENT && transfer->writes)
        transfer->most = S_ISREG(about.st_mode) || S_ISBLK(about.st_mode) ? MOST_INTO_FILE : PIPE_BUF;
    return 0;
}

WH__MAY_VANISH static int await_room(const wh_ctx *ctx, const struct transfer *transfer)
{
    return wh__await(ctx, transfer->fd, transfer->writes ? POLLOUT : POLLIN);
}

/* What to do about an error of the call: 0: try again. */
WH__MAY_VANISH static int get_over(const wh_ctx *ctx, struct transfer *transfer, int err)
{
    if (err == EINTR) return 0;
    if (err == ENOTSOCK && transfer->kind == SOCKET) return find_kind(transfer);
    if (err == EAGAIN && transfer->kind != BLOCKING) return await_room(ctx, transfer);
    if ((err == EOPNOTSUPP || err == ENOSYS) && transfer->kind == PIPE) {
        transfer->kind = BLOCKING;
        return 0;
    }
    return err;
}

/* One piece, of some size: 0, and how much in *moved. */
WH__MAY_VANISH static int move_some(const wh_ctx *ctx, struct transfer *transfer, size_t *moved)
{
    for (;;) {
        int err = wh__ask(ctx);
        if (!err && transfer->kind == BLOCKING) err = await_room(ctx, transfer);
        if (err) return err;
        const int before = wh__stay_whole();
        const ssize_t count = move(transfer);
        wh__stay_whole_over(before);
        if (count >= 0) {
            *moved = (size_t)count;
            return 0;
        }
        err = get_over(ctx, transfer, errno);
        if (err) return err;
    }
}

WH__MAY_VANISH int wh_read(const wh_ctx *ctx, int fd, void *buf, size_t size, size_t *got)
{
    struct transfer transfer = {.fd = fd, .bytes = buf, .size = size, .most = SIZE_MAX};
    if (size) return move_some(ctx, &transfer, got);
    const int err = wh__ask(ctx);
    if (!err) *got = 0;
    return err;
}

WH__MAY_VANISH int wh_write(const wh_ctx *ctx, int fd, const void *buf, size_t size, size_t *put)
{
    struct transfer transfer = {.fd = fd, .writes = true, .bytes = (char *)(uintptr_t)buf, .size = size, .most = SIZE_MAX};
    int err = size ? 0 : wh__ask(ctx);
    while (!err && transfer.size) {
        size_t moved = 0;
        err = move_some(ctx, &transfer, &moved);
        if (!err && moved == 0) err = EIO; /* a device that takes nothing, and does not say why */
        transfer.bytes += moved;
        transfer.size -= moved;
    }
    if (put) *put = size - transfer.size;
    return err;
}
