/* A budget for a call, and which of the two ways it ended: patterns 4 and 9. ETIMEDOUT: the time was up. ECANCELED:
 * somebody did not want it any more. A log, a metric and an answer must not mix them up. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

WH_REASON(user_pressed_stop, "user_pressed_stop");

/* Two seconds of work in steps of one millisecond, if it is let. */
static int work(const wh_ctx *ctx)
{
    for (int i = 0; i < 2000; i++)
        if (wh_sleep(ctx, WH_MS(1))) return wh_err(ctx);
    return 0;
}

static void tell(const char *who, const wh_ctx *ctx, int rc)
{
    switch (rc) {
    case 0: printf("%s: done in time\n", who); break;
    case ETIMEDOUT: printf("%s: too slow (%s), answer %d\n", who, wh_cause(ctx)->name, wh_http_status(ctx)); break;
    case ECANCELED: printf("%s: not wanted any more (%s)\n", who, wh_cause(ctx)->name); break;
    default: printf("%s: %s\n", who, strerror(rc)); break;
    }
}

int main(void)
{
    WH_AUTO wh_ctx *patient = wh_with_timeout(NULL, WH_MIN(10));
    tell("ten minutes for it", patient, work(patient));

    WH_AUTO wh_ctx *hasty = wh_with_timeout(NULL, WH_MS(50));
    tell("50 ms for it", hasty, work(hasty));

    WH_AUTO wh_ctx *stopped = wh_with_timeout(NULL, WH_MIN(10));
    wh_cancel(stopped, user_pressed_stop, NULL);
    tell("ten minutes, stopped before it began", stopped, work(stopped));
    return 0;
}
