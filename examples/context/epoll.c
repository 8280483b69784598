/* A context in an event loop: pattern 8. wh_done_fd() is a descriptor like any other, readable for ever once the context is
 * done: here beside a socket in an epoll set. */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <whence/whence.h>

/* Answers what comes in until ctx is done. 0, or -1 with errno. */
static int serve(const wh_ctx *ctx, int epoll, int fd)
{
    for (;;) {
        struct epoll_event event;
        char line[100];
        if (wh_err(ctx)) { /* asked first: where both are ready, the end wins, every time */
            printf("stopped: %s\n", wh_cause(ctx)->name);
            return 0;
        }
        if (epoll_wait(epoll, &event, 1, -1) < 0) return -1;
        if (event.data.fd != fd) continue; /* the context: it is done */
        const ssize_t got = read(fd, line, sizeof line);
        if (got <= 0) return -1;
        printf("got %.*s\n", (int)got, line);
        if (write(fd, "ok", 2) < 0) return -1;
    }
}

static int add(int epoll, int fd)
{
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

struct operator {
    wh_ctx *server; /* may stop it, so it has the owner's handle */
    int fd;
};

/* Says hello, waits for the answer, and stops the server. */
static int operate(const wh_ctx *ctx, void *arg)
{
    const struct operator *self = arg;
    char answer[2];
    (void)ctx;
    const bool answered = write(self->fd, "hello", 5) == 5 && read(self->fd, answer, 2) == 2;
    wh_cancel(self->server, WH_SHUTDOWN, "by its operator");
    return answered ? 0 : EIO;
}

int main(void)
{
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    int pair[2], rc = -1;
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return 1;
    if (add(epoll, pair[0]) == 0 && add(epoll, wh_done_fd(ctx)) == 0) { /* made at this call, closed with the context */
        struct operator operator = {ctx, pair[1]};
        WH_AUTO_GROUP wh_group *group = wh_group_new(NULL);
        wh_go(group, operate, &operator);
        rc = serve(ctx, epoll, pair[0]);
        if (wh_group_wait(group)) rc = -1;
    }
    close(pair[0]);
    close(pair[1]);
    close(epoll);
    return rc ? 1 : 0;
}
