/* The flaw: the result and the end of the request are looked at together, but the fetch comes first. A request that was
 * over before it began still waits for all of it. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static atomic_bool cancelled;

/* 300 ms, whatever happens meanwhile. */
static int fetch(int *waited)
{
    for (*waited = 0; *waited < 300; ++*waited) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return 17;
}

int main(void)
{
    int waited;
    cancelled = true; /* the client has gone already */
    const int result = fetch(&waited);
    if (cancelled)
        printf("not wanted any more: after %d of 300 steps\n", waited);
    else
        printf("got %d\n", result);
    return 0;
}
