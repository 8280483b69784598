/* A service that accepts and never answers: patterns 15 and 16. Without a limit every handler that asks it stands there until
 * the system gives up, and they pile up; with one each of them answers, late and with an error, and is free. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <whence/whence.h>

enum { REQUESTS = 20 };

struct black_hole {
    int fd;
    struct sockaddr_in address;
    atomic_int standing, gave_up;
};

/* The kernel accepts for it, up to its backlog; nobody ever reads. */
static int open_black_hole(struct black_hole *hole)
{
    socklen_t size = sizeof hole->address;
    hole->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    hole->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (hole->fd < 0) return errno;
    if (bind(hole->fd, (struct sockaddr *)&hole->address, size) || listen(hole->fd, 2 * REQUESTS)) return errno;
    return getsockname(hole->fd, (struct sockaddr *)&hole->address, &size) ? errno : 0;
}

/* What leaves the process has a limit, because it is done under a context that has one: there is nothing to set here. */
static int ask(const wh_ctx *ctx, struct black_hole *hole)
{
    char answer[100];
    size_t got;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    int rc = wh_connect(ctx, fd, (const struct sockaddr *)&hole->address, sizeof hole->address);
    if (rc == 0) rc = wh_write(ctx, fd, "GET / HTTP/1.0\r\n\r\n", 18, NULL);
    if (rc == 0) rc = wh_read(ctx, fd, answer, sizeof answer, &got);
    close(fd);
    return rc;
}

static int handler(const wh_ctx *ctx, void *arg)
{
    struct black_hole *hole = arg;
    atomic_fetch_add(&hole->standing, 1);
    if (ask(ctx, hole) == ETIMEDOUT) atomic_fetch_add(&hole->gave_up, 1);
    atomic_fetch_sub(&hole->standing, 1);
    return 0;
}

static void serve(const char *what, const wh_ctx *root, struct black_hole *hole)
{
    hole->gave_up = 0;
    WH_AUTO wh_ctx *all = wh_with_cancel(root);
    WH_AUTO_GROUP wh_group *group = wh_group_new(all);
    for (int i = 0; i < REQUESTS; i++) wh_go(group, handler, hole);
    if (wh_deadline(root) == WH_NEVER) {
        while (hole->standing < REQUESTS) wh_sleep(NULL, WH_MS(1));
        wh_sleep(NULL, WH_MS(200)); /* nothing will change in an hour, either */
    } else {
        wh_group_wait(group);
    }
    printf("%s: %d of %d gave up, %d stand there\n", what, hole->gave_up, REQUESTS, hole->standing);
}

int main(void)
{
    struct black_hole hole = {.fd = -1};
    if (open_black_hole(&hole)) return 1;
    serve("without a limit", NULL, &hole);
    WH_AUTO wh_ctx *limited = wh_with_timeout(NULL, WH_SEC(1));
    serve("with a second", limited, &hole);
    close(hole.fd);
    return 0;
}
