/* Waiting for time to pass: wh_wait() in other words. */
#include <errno.h>

#include "wait.h"

#include "base/park.h"

WH__MAY_VANISH int wh_sleep(const wh_ctx *ctx, int64_t duration)
{
    return wh_wait(ctx, duration);
}

WH__MAY_VANISH int wh_sleep_until(const wh_ctx *ctx, int64_t instant)
{
    return wh_wait(ctx, wh__until(instant, wh__now_for(ctx)));
}

/* Every instant is a sum of the first one and whole periods; the clock only says how many of them are past. */
WH__MAY_VANISH int wh_tick(const wh_ctx *ctx, struct wh_ticker *ticker, uint64_t *missed)
{
    if (ticker->period <= 0) return EINVAL;
    const int64_t next = ticker->begun ? ticker->next : wh__add(wh__now_for(ctx), ticker->period);
    const int err = wh_sleep_until(ctx, next);
    if (err) return err;
    const int64_t late = wh__sub(wh__now_for(ctx), next);
    const int64_t passed = late > 0 ? late / ticker->period : 0;
    ticker->next = wh__add(wh__add(next, passed * ticker->period), ticker->period);
    ticker->begun = true;
    ticker->ticks++;
    ticker->missed += (uint64_t)passed;
    if (missed) *missed = (uint64_t)passed;
    return 0;
}
