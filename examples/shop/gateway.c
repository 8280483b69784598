/* gateway: takes orders. Each request has 300 ms, asks stock and price side by side, and is given up when its client is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"

static const char *stock_url, *price_url;

struct order {
    const char *sku, *query; /* the query goes on to both: it tells them how to behave */
    char stock[128], price[128];
};

static int fetch_stock(const wh_ctx *ctx, void *arg)
{
    struct order *order = arg;
    char url[512];
    snprintf(url, sizeof url, "%s/stock/%s?%s", stock_url, order->sku, order->query);
    return shop_get(ctx, url, "/stock/{sku}", 0, order->stock, sizeof order->stock);
}

static int fetch_price(const wh_ctx *ctx, void *arg)
{
    struct order *order = arg;
    char url[512];
    snprintf(url, sizeof url, "%s/price/%s?%s", price_url, order->sku, order->query);
    return shop_get(ctx, url, "/price/{sku}", 0, order->price, sizeof order->price);
}

static int fill(const wh_ctx *req, struct order *order)
{
    WH_AUTO_GROUP wh_group *group = wh_group_new(req);
    wh_go(group, fetch_stock, order);
    wh_go(group, fetch_price, order);
    return wh_group_wait(group);
}

static enum MHD_Result answer(const wh_ctx *req, struct MHD_Connection *connection, int rc, const struct order *order)
{
    char body[512];
    const unsigned status = rc == 0 ? 200 : wh_err(req) ? (unsigned)wh_http_status(req) : 502;
    if (rc == 0)
        snprintf(body, sizeof body, "%s: %s in stock, %s\n", order->sku, order->stock, order->price);
    else
        snprintf(body, sizeof body, "no order: %s\n", wh_err(req) ? wh_cause(req)->name : "a service failed");
    shop_log(req, "gateway: GET /order", status);
    return wh_mhd_reply_text(req, connection, status, "text/plain", body);
}

static enum MHD_Result handle(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/order/{sku}",
        .timeout = WH_MS(300));
    char query[256];
    struct order order = {.sku = strncmp(url, "/order/", 7) == 0 ? url + 7 : "", .query = query};
    snprintf(query, sizeof query, "stock=%s&rates=%s", shop_parameter(connection, "stock"), shop_parameter(connection, "rates"));
    wh_set(req, "shop.sku", order.sku);
    if (!*order.sku || strpbrk(order.sku, "/?&# ")) return wh_mhd_reply_text(req, connection, 404, "text/plain", "no such thing\n");
    const int rc = fill(req, &order);
    return answer(req, connection, rc, &order);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: gateway PORT STOCK_URL PRICE_URL\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    stock_url = argv[2];
    price_url = argv[3];
    WH_AUTO wh_ctx *root = wh_main("gateway", .version = "1.0");
    return shop_serve(root, (unsigned short)atoi(argv[1]), handle);
}
