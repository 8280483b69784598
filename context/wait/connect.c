/* Connections: taking one, making one. */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/park.h"
#include "wait.h"

/* ---- accept ---- */

/* Errors of a connection that is gone, or of its network: the next may be better (accept(2)). */
static bool is_its_own(int err)
{
    switch (err) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return true;
    default:
        return err == EINTR || err == EAGAIN;
    }
}

static int take(int fd, struct sockaddr *addr, socklen_t *addrlen, int *accepted)
{
    socklen_t len = addrlen ? *addrlen : 0;
    const int before = wh__stay_whole();
    const int taken = accept4(fd, addr, addrlen ? &len : NULL, SOCK_CLOEXEC);
    wh__stay_whole_over(before);
    if (taken < 0) return errno;
    if (addrlen) *addrlen = len;
    *accepted = taken;
    return 0;
}

WH__MAY_VANISH int wh_accept(const wh_ctx *ctx, int fd, struct sockaddr *addr, socklen_t *addrlen, int *accepted)
{
    if (fd < 0) return EBADF; /* poll() would wait */
    for (;;) {
        int err = wh__await(ctx, fd, POLLIN);
        if (err) return err;
        err = take(fd, addr, addrlen, accepted);
        if (!err || !is_its_own(err)) return err;
    }
}

/* ---- connect ---- */

struct flags {
    int fd;
    int before;
};

static void put_back(void *arg)
{
    const struct flags *flags = arg;
    if (!(flags->before & O_NONBLOCK)) fcntl(flags->fd, F_SETFL, flags->before);
}

static int begin(int fd, const struct sockaddr *addr, socklen_t addrlen)
{
    const int before = wh__stay_whole();
    const int rc = connect(fd, addr, addrlen);
    wh__stay_whole_over(before);
    return rc ? errno : 0;
}

static int outcome(int fd)
{
    int err = 0;
    socklen_t len = sizeof err;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? errno : err;
}

/* A Unix socket whose listener has a full queue is not in progress of anything, and nothing tells when there is room:
 * connect(2) says EAGAIN. Then it knocks again after a while, and waits longer each time. */
WH__MAY_VANISH static int try(const wh_ctx *ctx, int fd, const struct sockaddr *addr, socklen_t addrlen)
{
    for (int64_t pause = WH_US(100);; pause = pause < WH__SLICE ? 2 * pause : pause) {
        int err = wh__ask(ctx);
        if (!err) err = begin(fd, addr, addrlen);
        if (err == EINTR || err == EINPROGRESS || err == EALREADY) {
            err = wh__await(ctx, fd, POLLOUT);
            return err ? err : outcome(fd);
        }
        if (err != EAGAIN || addr->sa_family != AF_UNIX) return err;
        err = wh__nap_until(ctx, wh__now() + pause);
        if (err) return err;
    }
}

WH__MAY_VANISH int wh_connect(const wh_ctx *ctx, int fd, const struct sockaddr *addr, socklen_t addrlen)
{
    int err = wh__ask(ctx);
    if (err) return err;
    struct flags flags = {fd, fcntl(fd, F_GETFL)};
    if (flags.before < 0) return errno;
    if (!(flags.before & O_NONBLOCK) && fcntl(fd, F_SETFL, flags.before | O_NONBLOCK)) return errno;
    pthread_cleanup_push(put_back, &flags);
    err = try(ctx, fd, addr, addrlen);
    pthread_cleanup_pop(1);
    return err;
}
