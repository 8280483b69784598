/* exit() takes OpenSSL apart, whoever is still inside it. An export that a shutdown has stopped waiting for may be: so
 * exit() first ends what goes over TLS and waits, 2 s at most, until every thread is out. From then on none comes in.
 *
 * What goes over plain HTTP has nothing to fear, and is left alone. */
#ifndef OTLP_LEAVING_H
#define OTLP_LEAVING_H

#include <curl/curl.h>
#include <stdbool.h>

#include "otlp/sockets.h"

/* One thread's, while it is inside libcurl. Whoever made it sets what is to be woken. */
struct wh__otlp_visit {
    struct wh__otlp_sockets *sockets;
    CURLM *multi;                        /* NULL: the sockets are enough */
    struct wh__otlp_visit *next, **link; /* of those who are inside */
};

/* Once, after curl_global_init(): what is registered last with atexit() runs first. 0 or ENOMEM. */
int wh__otlp_leaving_begin(void);

/* False: the process is leaving, and libcurl must not be called. Otherwise wh__otlp_visit_end() follows. */
bool wh__otlp_visit_begin(struct wh__otlp_visit *visit);
void wh__otlp_visit_end(struct wh__otlp_visit *visit);

/* In place of freeing what can no longer be freed: it stays reachable. */
void wh__otlp_visit_keep(struct wh__otlp_visit *visit);

/* From any thread: who is inside looks at it as at being given up. */
bool wh__otlp_is_leaving(void);

#endif
