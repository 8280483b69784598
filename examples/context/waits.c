/* In place of calls that block: pattern 14. Each of these waits for what its namesake waits for, and no longer than the
 * context lasts; a descriptor can be used afterwards as if nothing had been. Here nothing ever comes. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <whence/whence.h>

static void tell(const char *what, const wh_ctx *ctx, int rc)
{
    printf("%s: %s\n", what, rc && rc == wh_err(ctx) ? wh_cause(ctx)->name : rc ? strerror(rc) : "something came");
}

static void sleep_in_vain(const wh_ctx *root)
{
    WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_MS(20));
    tell("sleep an hour", ctx, wh_sleep(ctx, WH_MIN(60)));
}

static void read_in_vain(const wh_ctx *root, int fd)
{
    char line[100];
    size_t got;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_MS(20));
    tell("read", ctx, wh_read(ctx, fd, line, sizeof line, &got));
}

static void write_in_vain(const wh_ctx *root, int fd)
{
    static const char much[1 << 22]; /* more than the other side has room for */
    size_t put;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_MS(500));
    const int rc = wh_write(ctx, fd, much, sizeof much, &put);
    tell("write", ctx, rc);
    printf("  of which some has gone: %s\n", put > 0 && put < sizeof much ? "yes" : "no");
}

static void accept_in_vain(const wh_ctx *root)
{
    int connection;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_MS(20));
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof any) || listen(fd, 10)) return;
    tell("accept", ctx, wh_accept(ctx, fd, NULL, NULL, &connection));
    close(fd);
}

static void wait_in_vain(const wh_ctx *root)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
    const int items = 0;
    int err = 0;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(root, WH_MS(20));
    pthread_mutex_lock(&lock);
    while (items == 0 && err == 0) err = wh_cond_wait(ctx, &filled, &lock);
    pthread_mutex_unlock(&lock); /* held again in any case */
    tell("wait for a condition", ctx, err);
}

int main(void)
{
    int pair[2];
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) return 1;
    sleep_in_vain(root);
    read_in_vain(root, pair[0]);
    write_in_vain(root, pair[0]);
    accept_in_vain(root);
    wait_in_vain(root);
    printf("the socket still works: %s\n", write(pair[1], "x", 1) == 1 && read(pair[0], &(char){0}, 1) == 1 ? "yes" : "no");
    close(pair[0]);
    close(pair[1]);
    return 0;
}
