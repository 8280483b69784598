/* Something to do at every multiple of a period, until it is not wanted any more: pattern 11. Nothing adds up: the n-th tick is
 * due n periods after the beginning, however long the work in between takes; what is missed is counted and not made up for. */
#include <stdio.h>
#include <whence/whence.h>

WH_REASON(enough, "enough");

int main(void)
{
    const int64_t period = WH_MS(10);
    int readings = 0;
    uint64_t missed = 0, in_all = 0;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(60));
    struct wh_ticker ticker = wh_ticker_begin(period);
    int64_t first = 0;
    while (wh_tick(ctx, &ticker, &missed) == 0) {
        if (++readings == 1) first = ticker.next;
        in_all += missed;
        if (readings == 3) wh_sleep(ctx, 4 * period); /* a slow one */
        if (readings == 10) wh_cancel(ctx, enough, NULL); /* as anybody might, from any thread */
    }
    printf("%d readings, then: %s\n", readings, wh_cause(ctx)->name);
    printf("missed some: %s; still on the beat: %s\n", in_all >= 3 ? "yes" : "no", (ticker.next - first) % period ? "no" : "yes");
    return 0;
}
