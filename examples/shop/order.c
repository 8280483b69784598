/* An order: stock and price are asked side by side; the first failure stops the other. */
#include "gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    const char *sku, *query; /* the query goes on to both: it tells them how to behave */
    int64_t patience;        /* what the call to stock may take by itself; 0: what the request has */
    char stock[128], price[128];
};

static int fetch_stock(const wh_ctx *ctx, void *arg)
{
    struct job *job = arg;
    char url[512];
    snprintf(url, sizeof url, "%s/stock/%s?%s", upstreams.stock, job->sku, job->query);
    return shop_get(ctx, url, "/stock/{sku}", job->patience, job->stock, sizeof job->stock);
}

static int fetch_price(const wh_ctx *ctx, void *arg)
{
    struct job *job = arg;
    char url[512];
    snprintf(url, sizeof url, "%s/price/%s?%s", upstreams.price, job->sku, job->query);
    return shop_get(ctx, url, "/price/{sku}", 0, job->price, sizeof job->price);
}

static int fill(const wh_ctx *req, struct job *job)
{
    WH_AUTO_GROUP wh_group *group = wh_group_new(req);
    wh_go(group, fetch_stock, job);
    wh_go(group, fetch_price, job);
    return wh_group_wait(group);
}

enum MHD_Result order(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/order/{sku}",
        .timeout = shop_limit(connection, "within", WH_MS(300)));
    char query[256], body[512];
    struct job job = {.sku = url + strlen("/order/"), .query = query, .patience = shop_limit(connection, "patience", 0)};
    snprintf(query, sizeof query, "stock=%s&rates=%s", shop_parameter(connection, "stock"), shop_parameter(connection, "rates"));
    wh_set(req, "shop.sku", job.sku);
    if (!*job.sku || strpbrk(job.sku, "/?&# ")) return wh_mhd_reply_text(req, connection, 404, "text/plain", "no such thing\n");
    const int rc = fill(req, &job);
    snprintf(body, sizeof body, "%s: %s in stock, %s", job.sku, job.stock, job.price);
    return gateway_answer(req, connection, "gateway: GET /order", rc, body);
}
