/* Prices of many shops at once, over three lines: whoever finds none free waits for one, and no longer than his request lasts. */
#include "gateway.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 3, MOST = 16 };
static wh_sem *lines;

static void make_lines(void)
{
    lines = wh_sem_new(LINES);
}

static int ask_shop(const wh_ctx *ctx, void *arg)
{
    char url[512], answer[128];
    snprintf(url, sizeof url, "%s/search/price?search=%s", upstreams.search[0], (const char *)arg);
    WH_AUTO wh_ctx *op = wh_start(ctx, "ask a shop");
    const int busy = wh_sem_acquire(op, lines, 1);
    if (busy) return busy;
    const int rc = shop_get(op, url, "/search/{words}", 0, answer, sizeof answer);
    wh_sem_release(lines, 1);
    return rc;
}

static int ask_shops(const wh_ctx *req, int shops, const char *way)
{
    WH_AUTO_GROUP wh_group *group = wh_group_new(req);
    for (int i = 0; i < shops; i++) wh_go(group, ask_shop, (void *)way);
    return wh_group_wait(group);
}

enum MHD_Result compare(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/compare/{sku}",
        .timeout = shop_limit(connection, "within", WH_MS(300)));
    const int shops = atoi(shop_parameter(connection, "shops"));
    pthread_once(&once, make_lines);
    const int rc = !lines ? ENOMEM : ask_shops(req, shops < MOST ? shops : MOST, shop_parameter(connection, "search"));
    return gateway_answer(req, connection, "gateway: GET /compare", rc, "compared");
}
