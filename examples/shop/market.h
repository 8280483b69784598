/* All services of the shop as processes: who asks whom.
 *
 *   client -> gateway -> stock (SQLite)
 *                    \-> price -> rates, nowhere
 *                    \-> search, search
 *                    \-> mail (a queue)
 */
#ifndef MARKET_H
#define MARKET_H

#include "process.h"

enum service { GATEWAY, STOCK, PRICE, SEARCH, REPLICA, MAIL, RATES, NOWHERE, SERVICES };
extern struct process market[SERVICES];

/* Starts them, on free ports. `database`: stock's file. 0 or an errno value; close it in any case. */
int market_open(const char *database);

/* Stops them, callers before callees, so that each has sent its spans when it is gone. `signal`: for the gateway, 0 if it has got
 * one. Returns its exit status. */
int market_close(int signal);

#endif
