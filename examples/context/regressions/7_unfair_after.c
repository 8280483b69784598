/* The context is asked before the first attempt and between any two; and where both are ready, the end wins every time. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>
#include <whence/whence.h>

static int attempt(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return EIO;
}

/* 0: the message is there; or wh_err(ctx), and then nothing has been read. */
static int wait_for_message(const wh_ctx *ctx, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = wh_done_fd(ctx), .events = POLLIN}};
    if (poll(fds, 2, -1) < 0) return errno;
    return wh_err(ctx); /* asked last: whatever else has come */
}

int main(void)
{
    int message[2], wrong = 0;
    struct wh_retry_report report = {.size = sizeof report};
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_cancel(ctx, WH_CLIENT_GONE, NULL);
    wh_retry(ctx, attempt, NULL, .attempts = 5, .report = &report);
    printf("attempts for a request that is over: %d\n", report.attempts);

    if (pipe(message) || write(message[1], "m", 1) != 1) return 1;
    for (int i = 0; i < 10000; i++) wrong += wait_for_message(ctx, message[0]) == 0;
    printf("10000 times both are ready: the message wins %d of them\n", wrong);
    close(message[0]);
    close(message[1]);
    return 0;
}
