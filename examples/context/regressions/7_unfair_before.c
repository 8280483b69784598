/* Two flaws. A retry loop that asks only after an attempt makes one for a request that is over. And a loop that takes
 * whichever is ready, the message or the end, takes a message half of the time although the end is there. */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int attempts;
static bool cancelled;

static int attempt(void)
{
    attempts++;
    return -1;
}

static int retry(void)
{
    int rc;
    do rc = attempt();
    while (rc && !cancelled && attempts < 5);
    return rc;
}

/* As `select` does it in Go: among those that are ready, by lot. */
static int ready_one(struct pollfd *fds)
{
    if (poll(fds, 2, -1) < 0) return -1;
    if (fds[0].revents && fds[1].revents) return rand() & 1;
    return fds[0].revents ? 0 : 1;
}

int main(void)
{
    int message[2], end[2], wrong = 0;
    cancelled = true;
    retry();
    printf("attempts for a request that is over: %d\n", attempts);

    if (pipe(message) || pipe(end) || write(message[1], "m", 1) != 1 || write(end[1], "e", 1) != 1) return 1;
    struct pollfd fds[] = {{.fd = message[0], .events = POLLIN}, {.fd = end[0], .events = POLLIN}};
    srand(1);
    for (int i = 0; i < 10000; i++) wrong += ready_one(fds) == 0;
    printf("10000 times both are ready: the message wins %s\n",
           wrong > 4000 && wrong < 6000 ? "about half of them" : "sometimes");
    return 0;
}
