/* search: one of two replicas. It answers at once; or at the last moment; or hangs, until nobody wants the answer any more; or
 * hardly looks whether anybody does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shop.h"

static int look(const wh_ctx *req, const char *way)
{
    WH_AUTO wh_ctx *scan = wh_start(req, "scan the index");
    fprintf(stderr, "search: scanning\n");
    if (strcmp(way, "hang") == 0) return wh_wait(scan, WH_SEC(30));
    if (strcmp(way, "lazy") == 0) return wh_sleep_until(scan, wh_deadline(scan) - WH_MS(200));
    for (int piece = 0; piece < 50 && strcmp(way, "deaf") == 0 && !wh_err(scan); piece++)
        wh_wait(wh_background(), WH_MS(600)); /* what not to do: look only between two pieces of work as long as that */
    return wh_err(scan);
}

static enum MHD_Result handle(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/search/{words}",
        .timeout = WH_SEC(10));
    const int rc = look(req, shop_parameter(connection, "search"));
    const unsigned status = rc == 0 ? 200 : wh_err(req) ? (unsigned)wh_http_status(req) : 500;
    shop_log(req, "search: GET /search", status);
    return wh_mhd_reply_text(req, connection, status, "text/plain", rc ? "not found\n" : "sku42");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: search PORT\n");
        return 2;
    }
    WH_AUTO wh_ctx *root = wh_main("search", .version = "1.0");
    return shop_serve(root, (unsigned short)atoi(argv[1]), handle);
}
