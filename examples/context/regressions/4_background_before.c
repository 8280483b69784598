/* The flaw: a job that goes on after the answer works under the request's context, which ends with the handler. The mail is
 * never sent. */
#include <stdio.h>
#include <whence/whence.h>

static int send_mail(const wh_ctx *ctx, void *arg)
{
    const wh_ctx *request = arg;
    (void)ctx;
    const int err = wh_sleep(request, WH_SEC(60)); /* a slow mail server, that is: until the handler returns */
    printf("mail: %s\n", err ? wh_cause(request)->name : "sent");
    wh_release(request);
    return err;
}

static void handle(wh_group *background)
{
    WH_AUTO wh_ctx *request = wh_with_timeout(NULL, WH_MIN(5));
    wh_go(background, send_mail, (void *)wh_hold(request));
}

int main(void)
{
    WH_AUTO_GROUP wh_group *background = wh_group_new(NULL);
    handle(background);
    wh_group_wait(background);
    return 0;
}
