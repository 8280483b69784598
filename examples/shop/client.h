/* The shop's client, which knows nothing of Whence. */
#ifndef CLIENT_H
#define CLIENT_H

#include "incidents.h"

/* Asks the gateway, and does to it what the incident says; returns when every service is through with it, or after half a minute.
 * The status that it got, 0 if it has hung up. */
long client_play(const struct incident *incident);

#endif
