/* gateway: what the shop's customers see. Each request has 300 ms, unless it says within=MS, and is given up when its client is. */
#include "gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct upstreams upstreams;

enum MHD_Result gateway_answer_at(const wh_ctx *req, struct MHD_Connection *connection, const char *what, int rc, const char *body,
                                  const struct wh_site *site)
{
    char text[512];
    const unsigned status = rc == 0 ? 200 : wh_err(req) ? (unsigned)wh_http_status(req) : 502;
    if (rc == 0)
        snprintf(text, sizeof text, "%s\n", body);
    else
        snprintf(text, sizeof text, "sorry: %s\n", wh_err(req) ? wh_cause(req)->name : "a service failed");
    shop_log(req, what, status);
    return wh_mhd_reply_text_at(req, connection, status, "text/plain", text, site);
}

static enum MHD_Result handle(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    static const struct {
        const char *prefix;
        shop_handler *handler;
    } routes[] = {{"/order/", order}, {"/find/", find}, {"/compare/", compare}, {"/checkout/", checkout}};
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strncmp(url, routes[i].prefix, strlen(routes[i].prefix)) == 0) return routes[i].handler(root, connection, url, method);
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url);
    return wh_mhd_reply_text(req, connection, 404, "text/plain", "no such thing\n");
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: gateway PORT STOCK_URL PRICE_URL [SEARCH_URL SEARCH_URL [MAIL_PORT]]\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    upstreams = (struct upstreams){.stock = argv[2], .price = argv[3], .search = {argc > 4 ? argv[4] : "", argc > 5 ? argv[5] : ""},
        .mail = (unsigned short)(argc > 6 ? atoi(argv[6]) : 0)};
    WH_AUTO wh_ctx *root = wh_main("gateway", .version = "1.0");
    return shop_serve(root, (unsigned short)atoi(argv[1]), handle);
}
