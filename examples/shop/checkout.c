/* A checkout: card and address are checked while the goods are held. */
#include "gateway.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

struct cart {
    const char *sku;
    bool bad; /* nothing about it is right */
};

/* Both checks ask a library that knows no contexts: it takes its time, and then says what it says. */
static bool ask_library(const struct cart *cart)
{
    poll(NULL, 0, 20);
    return !cart->bad;
}

static int check_card(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *op = wh_start(ctx, "check card");
    return ask_library(arg) ? 0 : wh_fail_as(op, EACCES, "card_refused", "card refused");
}

static int check_address(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *op = wh_start(ctx, "check address");
    return ask_library(arg) ? 0 : wh_fail_as(op, EINVAL, "no_such_street", "no such street");
}

static int ask_stock(const wh_ctx *ctx, const struct cart *cart)
{
    char url[512], answer[128];
    snprintf(url, sizeof url, "%s/stock/%s?stock=%s", upstreams.stock, cart->sku, cart->bad ? "slow" : "");
    return shop_get(ctx, url, "/stock/{sku}", 0, answer, sizeof answer);
}

/* Putting back takes its time, whoever has stopped it. */
static int hold_goods(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *op = wh_start(ctx, "hold the goods");
    const int rc = ask_stock(op, arg);
    if (rc) poll(NULL, 0, 100);
    return rc;
}

static int check(const wh_ctx *req, struct cart *cart)
{
    WH_AUTO_GROUP wh_group *group = wh_group_new(req);
    wh_go(group, hold_goods, cart);
    wh_go(group, check_card, cart);
    wh_go(group, check_address, cart);
    return wh_group_wait(group);
}

/* The newsletter is not for this request: it has all the time there is. The confirmation has what is left. */
static int post_mails(const wh_ctx *req, bool newsletter)
{
    WH_AUTO wh_ctx *later = wh_detach(req);
    if (newsletter) post_mail(later, "newsletter");
    return post_mail(req, "confirmation");
}

enum MHD_Result checkout(const wh_ctx *root, struct MHD_Connection *connection, const char *url, const char *method)
{
    WH_MHD_AUTO wh_ctx *req = wh_mhd_start(root, connection, .method = method, .url = url, .route = "/checkout/{sku}",
        .timeout = shop_limit(connection, "within", WH_MS(300)));
    struct cart cart = {.sku = url + strlen("/checkout/"), .bad = strcmp(shop_parameter(connection, "cart"), "bad") == 0};
    int rc = check(req, &cart);
    if (rc == 0) rc = post_mails(req, strcmp(shop_parameter(connection, "mail"), "behind") == 0);
    return gateway_answer(req, connection, "gateway: GET /checkout", rc, "bought");
}
