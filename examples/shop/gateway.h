/* The gateway's subjects, a file each; and whom they ask. */
#ifndef GATEWAY_H
#define GATEWAY_H

#include "shop.h"

/* Base URLs; and the port of `mail`, 0 without one. */
extern struct upstreams {
    const char *stock, *price, *search[2];
    unsigned short mail;
} upstreams;

shop_handler order;    /* order.c: /order/{sku}, stock and price side by side */
shop_handler find;     /* find.c: /find/{words}, the quicker of two replicas */
shop_handler compare;  /* compare.c: /compare/{sku}, many shops over few lines */
shop_handler checkout; /* checkout.c: /checkout/{sku}, checks at once, and a mail */

/* mailing.c: puts a mail into the queue of `mail`, which sends it as long as ctx has time. 0 or an errno value. */
int post_mail(const wh_ctx *ctx, const char *text);

/* Answers 200, what the cause of req says, or 502; says in the log which. A failure is that of the line that calls. */
#define gateway_answer(req, connection, what, rc, body) gateway_answer_at((req), (connection), (what), (rc), (body), WH_HERE)
enum MHD_Result gateway_answer_at(const wh_ctx *req, struct MHD_Connection *connection, const char *what, int rc, const char *body,
                                  const struct wh_site *site);

#endif
