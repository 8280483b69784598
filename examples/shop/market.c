#include "market.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

struct process market[SERVICES];

static const char *url_of(char url[64], enum service service)
{
    snprintf(url, 64, "http://127.0.0.1:%u", market[service].port);
    return url;
}

static int start(enum service service, const char *name, const char *first, const char *second)
{
    return process_start(&market[service], name, (const char *const[]){"0", first, second, NULL});
}

static int start_gateway(void)
{
    char stock[64], price[64], search[64], replica[64], mail[8];
    snprintf(mail, sizeof mail, "%u", market[MAIL].port);
    return process_start(&market[GATEWAY], "gateway", (const char *const[]){"0", url_of(stock, STOCK), url_of(price, PRICE),
        url_of(search, SEARCH), url_of(replica, REPLICA), mail, NULL});
}

int market_open(const char *database)
{
    char rates[64], nowhere[64];
    int rc = start(RATES, "rates", NULL, NULL);
    if (rc == 0) rc = start(NOWHERE, "nowhere", NULL, NULL);
    if (rc == 0) rc = start(PRICE, "price", url_of(rates, RATES), url_of(nowhere, NOWHERE));
    if (rc == 0) rc = start(STOCK, "stock", database, NULL);
    if (rc == 0) rc = start(SEARCH, "search", NULL, NULL);
    if (rc == 0) rc = start(REPLICA, "search", NULL, NULL);
    if (rc == 0) rc = start(MAIL, "mail", NULL, NULL);
    return rc ? rc : start_gateway();
}

int market_close(int signal)
{
    const int status = process_stop(&market[GATEWAY], signal);
    for (int i = GATEWAY + 1; i < SERVICES; i++)
        process_stop(&market[i], i < RATES ? SIGTERM : SIGKILL); /* the last ones have nothing to say */
    return status;
}
