/* An instant in place of a duration: pattern 5. "The batch must be done by six" is said once; what each part gets is what
 * the parts before it have left. Deadlines are of the monotonic clock, which nobody sets back: the time of day is turned
 * into one at the beginning. */
#include <stdio.h>
#include <time.h>
#include <whence/whence.h>

static int part(const wh_ctx *batch, int number, int64_t takes)
{
    /* What cannot be finished in time is not begun. */
    if (wh_remaining(batch) < takes) {
        printf("part %d: not begun, it needs more than what is left\n", number);
        return 0;
    }
    if (wh_sleep(batch, takes)) return wh_err(batch);
    printf("part %d: done\n", number);
    return 0;
}

int main(void)
{
    const time_t six = time(NULL) + 60; /* in a minute it will be six */
    WH_AUTO wh_ctx *batch = wh_with_deadline(NULL, wh_from_wall(WH_SEC(six)));
    if (part(batch, 1, WH_MS(20)) || part(batch, 2, WH_MS(20)) || part(batch, 3, WH_MIN(5))) return 1;

    /* An instant that has passed is no special case: the context is born done, and nothing begins. */
    WH_AUTO wh_ctx *late = wh_with_deadline(NULL, wh_from_wall(WH_SEC(time(NULL) - 3600)));
    printf("a batch that was due an hour ago: %s\n", part(late, 1, 0) ? wh_cause(late)->name : "done");
    return 0;
}
