#include <whence/whence.h>

WH_KEY(tenant, const char *)                 /* typed key: wh_with_tenant(), wh_tenant(); identity = address */

static int reserve(const wh_ctx *ctx, const char *sku)       /* const: may look and annotate, not cancel */
{
    WH_AUTO wh_ctx *op = wh_start(ctx, "reserve stock", .kind = WH_CLIENT, .timeout = WH_MS(200));
    wh_set(op, "order.sku", sku);                             /* one setter for every attribute type */

    for (int i = 0; i < shelves; i++) {
        if (wh_err(op)) return wh_err(op);                    /* 0, ECANCELED or ETIMEDOUT: one inlined load */
        scan(op, i);
    }
    return 0;
}                                                             /* WH_AUTO ends the span and releases it */

static int handle(const wh_ctx *root, struct request *r)
{
    WH_AUTO wh_ctx *from = wh_extract(root, get_header, r);   /* traceparent, baggage, request id, deadline */
    WH_AUTO wh_ctx *req  = wh_start(from, "GET /order", .kind = WH_SERVER, .timeout = WH_SEC(2), .peer_fd = r->fd);
                                                              /* the client hangs up: req is cancelled, CLIENT_GONE */
    WH_AUTO_GROUP wh_group *g = wh_group_new(req);
    wh_go(g, fetch_price, r);                                 /* int fetch_price(const wh_ctx *, void *) */
    wh_go(g, fetch_stock, r);                                 /* the first failure cancels its sibling */
    int rc = wh_group_wait(g);                                /* 0, or the first failure; nobody is left running */
    if (rc)
        reply_error(r, wh_http_status(req));                  /* 504, 499, 503: from the cause */
    return rc;
}

int main(void)
{
    WH_AUTO wh_ctx *root = wh_main("orders", .version = "1.4.2");   /* OTEL_* from the environment; SIGTERM cancels */
    return serve(root);                                             /* leaving main: flushed, bounded in time */
}
