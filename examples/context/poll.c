/* Several events and the end of the request in one wait: pattern 8. wh_poll() is poll(2) that also waits for the context;
 * where both are there the context wins, and nothing has been read. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <whence/whence.h>

static int wait_for_either(const wh_ctx *ctx, int orders, int news)
{
    struct pollfd fds[] = {{.fd = orders, .events = POLLIN}, {.fd = news, .events = POLLIN}};
    size_t ready;
    const int rc = wh_poll(ctx, fds, 2, WH_MS(20), &ready);
    if (rc)
        printf("%s\n", wh_err(ctx) ? wh_cause(ctx)->name : strerror(rc));
    else if (ready == 0)
        puts("nothing for 20 ms");
    else
        printf("something to read from %s\n", fds[0].revents ? "orders" : "news");
    return rc;
}

int main(void)
{
    int orders[2], news[2];
    char byte;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    if (pipe(orders) || pipe(news)) return 1;
    if (wait_for_either(ctx, orders[0], news[0])) return 1;
    if (write(news[1], "n", 1) != 1 || wait_for_either(ctx, orders[0], news[0])) return 1;
    wh_cancel(ctx, WH_SHUTDOWN, NULL);
    wait_for_either(ctx, orders[0], news[0]);
    printf("and what has come is still there: %s\n", read(news[0], &byte, 1) == 1 ? "yes" : "no");
    for (int i = 0; i < 2; i++) close(orders[i]), close(news[i]);
    return 0;
}
