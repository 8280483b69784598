/* The smallest program that uses all of it: a root, two contexts with spans, a deadline, a cancel and its cause. */
#include <errno.h>
#include <stdio.h>
#include <whence/whence.h>

int main(void)
{
    WH_AUTO wh_ctx *root = wh_main("consumer", .version = "1");
    WH_AUTO wh_ctx *order = wh_start(root, "place order", .kind = WH_SERVER, .timeout = WH_SEC(30));
    WH_AUTO wh_ctx *step = wh_start(order, "charge card");
    wh_set(step, "amount", 12.5);
    wh_set(step, "currency", "EUR");
    wh_set(step, "attempt", 1);
    wh_event(step, "declined", .attrs = WH_ATTRS(wh_attr("code", 51)));
    wh_cancel(order, WH_CLIENT_GONE, "closed the window");

    char why[600];
    wh_explain(step, why, sizeof why);
    puts(why);
    puts(WH_VERSION);
    return wh_err(step) == ECANCELED && wh_cause(step) == WH_CLIENT_GONE ? 0 : 1;
}
