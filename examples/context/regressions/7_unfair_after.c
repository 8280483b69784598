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

int main(void)
{
    int message[2], wrong = 0;
    struct wh_retry_report report = {.size = sizeof report};
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_cancel(ctx, WH_CLIENT_GONE, NULL);
    wh_retry(ctx, attempt, NULL, .attempts = 5, .report = &report);
    printf("attempts for a request that is over: %d\n", report.attempts);

    if (pipe(message) || write(message[1], "m", 1) != 1) return 1;
    struct pollfd readable = {.fd = message[0], .events = POLLIN};
    for (int i = 0; i < 10000; i++) wrong += wh_poll(ctx, &readable, 1, WH_NEVER, &(size_t){0}) == 0;
    printf("10000 times both are ready: the message wins %d of them\n", wrong);
    close(message[0]);
    close(message[1]);
    return 0;
}
