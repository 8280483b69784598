/* One's own first cancelled span:  OTEL_TRACES_EXPORTER=console ./first */
#include <stdio.h>
#include <whence/whence.h>

static void look(const wh_ctx *ctx)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "look through the shelves");
    for (int shelf = 1; !wh_err(span); shelf++) { /* until nobody wants it any more */
        wh_set(span, "shelf", shelf);
        wh_wait(span, WH_MS(10));
    }
}

int main(void)
{
    char why[500];
    WH_AUTO wh_ctx *root = wh_main("first");
    WH_AUTO wh_ctx *request = wh_start(root, "find it", .timeout = WH_MS(100));
    look(request);
    wh_explain(request, why, sizeof why);
    puts(why);
    return 0;
}
