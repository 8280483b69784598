/* price: what a thing costs, at today's rate, for which it asks `rates`; that may take 200 ms and no longer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"

static const char *rates_url;

static enum MHD_Result handle(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/price/{sku}",
        .timeout = WH_SEC(1));
    char ask[512], rate[64], body[128];
    snprintf(ask, sizeof ask, "%s/rate?mode=%s", rates_url, shop_parameter(connection, "rates"));
    const int rc = shop_get(req, ask, "/rate", WH_MS(200), rate, sizeof rate);
    const unsigned status = rc == 0 ? 200 : wh_err(req) ? (unsigned)wh_http_status(req) : rc == ETIMEDOUT ? 504 : 502;
    snprintf(body, sizeof body, rc ? "no rate\n" : "%.2f EUR", 17.5 * atof(rate));
    shop_log(req, "price: GET /price", status);
    return wh_mhd_reply_text(req, connection, status, "text/plain", body);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: price PORT RATES_URL\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    rates_url = argv[2];
    WH_AUTO wh_ctx *root = wh_main("price", .version = "1.0");
    return shop_serve(root, (unsigned short)atoi(argv[1]), handle);
}
