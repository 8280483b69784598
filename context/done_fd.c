/* The descriptor that is readable once a context is done.
 *
 * An eventfd, made at the first call. A fork() would leave parent and child with one and the same: what one of them cancels
 * would look done to the other. So those that exist stand in a list, and the child puts a new one under each number.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "context/clock.h"
#include "context/tree.h"
#include "loop.h"

static uint32_t lock;    /* of the list; comes before those of nodes */
static wh_ctx *with_fds; /* linked by what is in extra */

static void list(wh_ctx *node)
{
    struct wh__extra *extra = node->extra;
    extra->next_with_fd = with_fds;
    extra->fd_link = &with_fds;
    if (with_fds) with_fds->extra->fd_link = &extra->next_with_fd;
    with_fds = node;
}

void wh__done_fd_close(wh_ctx *node)
{
    struct wh__extra *extra = node->extra;
    wh__lock(&lock);
    *extra->fd_link = extra->next_with_fd;
    if (extra->next_with_fd) extra->next_with_fd->extra->fd_link = extra->fd_link;
    wh__unlock(&lock);
    wh__close(extra->fd);
}

static int open_fd(bool done)
{
    return eventfd(done, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* If there is no room for one more descriptor, there is when the old one is closed. Then even that may fail: it has none. */
static void renew(wh_ctx *node)
{
    struct wh__extra *extra = node->extra;
    const bool done = wh__state(node) >= WH_NOT_OPEN_;
    int fd = open_fd(done);
    if (fd < 0) {
        wh__close(extra->fd);
        fd = open_fd(done);
    }
    if (fd >= 0 && fd != extra->fd) {
        dup3(fd, extra->fd, O_CLOEXEC);
        wh__close(fd);
    } else {
        extra->fd = fd;
    }
    wh__lock(&node->state);
    wh__unlock_to(&node->state, wh__state_held(node) & ~WH__SIGNALLING);
}

static void renew_all(void)
{
    for (wh_ctx *node = with_fds; node; node = node->extra->next_with_fd) renew(node);
}
static struct wh__fork_handler in_child = {.fn = renew_all};

/* The node takes the descriptor, unless it has one meanwhile. */
static bool give(wh_ctx *node, int fd)
{
    wh__lock(&lock);
    wh__lock(&node->state);
    uint32_t state = wh__state_held(node);
    const bool first = !(state & WH__HAS_FD);
    if (first) {
        node->extra->fd = fd;
        list(node);
        state |= WH__HAS_FD | (state >= WH_NOT_OPEN_ ? WH__SIGNALLING : 0);
    }
    wh__unlock_to(&node->state, state);
    wh__unlock(&lock);
    if (state & WH__SIGNALLING) wh__signal_done(node);
    return first;
}

static int make(wh_ctx *node)
{
    static bool fork_seen_to;
    if (!__atomic_exchange_n(&fork_seen_to, true, __ATOMIC_RELAXED)) wh__at_fork(&in_child);
    if (node->flags & WH__IMMORTAL || !wh__extra_of(node, true)) {
        errno = ENOMEM;
        return -1;
    }
    const int fd = open_fd(false);
    if (fd < 0) return -1;
    if (!give(node, fd)) wh__close(fd);
    return node->extra->fd;
}

int wh_done_fd(const wh_ctx *ctx)
{
    wh_ctx *node = wh__live(ctx);
    errno = 0;
    if (!node) return -1;
    if (wh__look_by(node) != WH_NEVER) wh__loop_start(); /* it may be that of the process that forked this one */
    const int fd = wh__state(node) & WH__HAS_FD ? node->extra->fd : make(node);
    if (fd < 0 && errno == 0) errno = EMFILE;
    if (fd >= 0) wh_err_(node); /* another thread may have just given it to a node that is done, and not written yet */
    return fd;
}
