/* A handler adds its own limit and what it knows of the request, then asks two others at the same time: pattern 24. */
#include <stdio.h>
#include <string.h>
#include <whence/whence.h>

WH_KEY(tenant, const char *)

struct order {
    char price[64], stock[64];
};

static int fetch_price(const wh_ctx *ctx, void *arg)
{
    struct order *order = arg; /* each member writes a field of its own: no lock */
    WH_AUTO wh_ctx *op = wh_start(ctx, "fetch price", .kind = WH_CLIENT, .timeout = WH_SEC(20));
    if (wh_sleep(op, WH_MS(10))) return wh_err(op);
    snprintf(order->price, sizeof order->price, "12 for %s", wh_tenant(op));
    return 0;
}

static int fetch_stock(const wh_ctx *ctx, void *arg)
{
    struct order *order = arg;
    WH_AUTO wh_ctx *op = wh_start(ctx, "fetch stock", .kind = WH_CLIENT, .timeout = WH_SEC(20));
    if (wh_sleep(op, WH_MS(10))) return wh_err(op);
    snprintf(order->stock, sizeof order->stock, "3 in store");
    return 0;
}

static int handle(const wh_ctx *root, const char *tenant)
{
    struct order order = {0};
    WH_AUTO wh_ctx *request = wh_start(root, "GET /order", .kind = WH_SERVER, .timeout = WH_SEC(60));
    WH_AUTO wh_ctx *theirs = wh_with_tenant(request, tenant);
    WH_AUTO_GROUP wh_group *group = wh_group_new(theirs);
    wh_go(group, fetch_price, &order);
    wh_go(group, fetch_stock, &order);
    const int rc = wh_group_wait(group); /* 0, or the first failure; nobody is left running, so `order` may go */
    if (rc)
        printf("%d %s\n", wh_http_status(request), strerror(rc));
    else
        printf("200 %s, %s\n", order.price, order.stock);
    return rc;
}

int main(void)
{
    WH_AUTO wh_ctx *root = wh_main("handler");
    return handle(root, "acme") ? 1 : 0;
}
