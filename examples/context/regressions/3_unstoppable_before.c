/* The flaw: work was moved to a context that has no end, so that it survives its request. Now nothing can stop it: no
 * deadline, no shutdown. It polls a printer that will never answer. */
#include <stdio.h>
#include <whence/whence.h>

static int poll_printer(const wh_ctx *ctx, int tries)
{
    for (int i = 0; i < tries; i++)
        if (wh_sleep(ctx, WH_MS(1))) return wh_err(ctx);
    return 0;
}

int main(void)
{
    WH_AUTO wh_ctx *service = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *request = wh_with_timeout(service, WH_SEC(60));
    WH_AUTO wh_ctx *job = wh_detach(request);
    wh_cancel(service, WH_SHUTDOWN, NULL);
    poll_printer(job, 200); /* in a real program: for ever */
    printf("after the shutdown: the job %s; it can %s\n", wh_err(job) ? wh_cause(job)->name : "goes on",
           wh_deadline(job) == WH_NEVER ? "never time out" : "time out");
    return 0;
}
