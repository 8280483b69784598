/* The job works under what is detached from the request: the values and the trace are there, its end is not. */
#include <stdio.h>
#include <whence/whence.h>

WH_KEY(address, const char *)

static int send_mail(const wh_ctx *ctx, void *arg)
{
    wh_ctx *detached = arg;
    WH_AUTO wh_ctx *job = wh_take_over(wh_with_timeout(detached, WH_MIN(1)), detached);
    (void)ctx;
    const int err = wh_sleep(job, WH_MS(20)); /* a slow mail server */
    printf("mail: %s to %s\n", err ? wh_cause(job)->name : "sent", wh_address(job));
    return err;
}

static void handle(wh_group *background)
{
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_MIN(5));
    WH_AUTO wh_ctx *theirs = wh_with_address(request, "ada@example.org");
    wh_ctx *job = wh_detach(theirs);
    if (wh_go(background, send_mail, job)) wh_end(job); /* not taken: still ours */
}

int main(void)
{
    WH_AUTO_GROUP wh_group *background = wh_group_new(NULL);
    handle(background);
    return wh_group_wait(background) ? 1 : 0;
}
