/* The client hangs up, and the work for it stops: pattern 23. The socket is watched by a thread of the library's; the
 * handler does nothing but look at its context. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <whence/whence.h>

/* What a handler with its own thread looks like: serves one connection and closes it. */
static int handle(const wh_ctx *root, int fd)
{
    char request[16];
    if (read(fd, request, sizeof request) <= 0) return -1;
    {
        /* In a block of its own, since the context is to be ended before its descriptor is closed. */
        WH_AUTO wh_ctx *ctx = wh_start(root, "GET /report", .kind = WH_SERVER, .timeout = WH_SEC(60), .peer_fd = fd);
        int pages = 0;
        while (wh_sleep(ctx, WH_MS(1)) == 0 && pages < 50000) pages++;
        if (wh_err(ctx))
            printf("stopped: %s, which would be status %d if anybody were there to read it\n", wh_cause(ctx)->name,
                   wh_http_status(ctx));
        else
            puts("the whole report");
    }
    return close(fd);
}

/* Asks, and does not wait for the answer. */
static int client(const wh_ctx *ctx, void *arg)
{
    const int *fd = arg;
    if (write(*fd, "GET /report", 11) < 0) return -1;
    wh_sleep(ctx, WH_MS(20));
    return close(*fd);
}

int main(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return 1;
    WH_AUTO_GROUP wh_group *clients = wh_group_new(NULL);
    wh_go(clients, client, &pair[1]);
    int rc = handle(NULL, pair[0]);
    if (wh_group_wait(clients)) rc = -1;
    return rc ? 1 : 0;
}
