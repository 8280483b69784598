/* price: what a thing costs, at today's rate, for which it asks `rates`; that may take 200 ms and no longer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"

static const char *rates_url, *nowhere_url;

struct rate {
    const char *way;
    int64_t limit; /* of one attempt */
    char text[64];
};

static int ask_rates(const wh_ctx *ctx, void *arg)
{
    struct rate *rate = arg;
    char url[512];
    snprintf(url, sizeof url, "%s/rate?mode=%s", strcmp(rate->way, "nowhere") == 0 ? nowhere_url : rates_url, rate->way);
    return shop_get(ctx, url, "/rate", rate->limit, rate->text, sizeof rate->text);
}

/* Again and again, after 50 ms, 100, 200 and so on, as long as there is time for one more. */
static int ask_until_it_answers(const wh_ctx *ctx, struct rate *rate)
{
    struct wh_retry_report report = {.size = sizeof report};
    rate->limit = 0;
    const int rc = wh_retry(ctx, ask_rates, rate, .jitter = -1, .report = &report);
    if (rc) fprintf(stderr, "price: no rate after %d attempts\n", report.attempts);
    return rc;
}

static enum MHD_Result handle(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/price/{sku}",
        .timeout = WH_SEC(1));
    struct rate rate = {.way = shop_parameter(connection, "rates"), .limit = WH_MS(200)};
    char body[128];
    const int rc = strcmp(rate.way, "broken") == 0 ? ask_until_it_answers(req, &rate) : ask_rates(req, &rate);
    const unsigned status = rc == 0 ? 200 : wh_err(req) ? (unsigned)wh_http_status(req) : rc == ETIMEDOUT ? 504 : 502;
    snprintf(body, sizeof body, rc ? "no rate\n" : "%.2f EUR", 17.5 * atof(rate.text));
    shop_log(req, "price: GET /price", status);
    return wh_mhd_reply_text(req, connection, status, "text/plain", body);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: price PORT RATES_URL [NOWHERE_URL]\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    rates_url = argv[2];
    nowhere_url = argc > 3 ? argv[3] : rates_url;
    WH_AUTO wh_ctx *root = wh_main("price", .version = "1.0");
    return shop_serve(root, (unsigned short)atoi(argv[1]), handle);
}
