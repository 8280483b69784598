/* One GET, by whom it does not matter to wait. */
#ifndef OTLP_FETCH_H
#define OTLP_FETCH_H

#include <curl/curl.h>
#include <whence/trace.h>

enum { WH__MOST_FETCHED = 1 << 20 }; /* bytes of a body: a longer one is no answer */

struct wh__fetched {
    char *body;                   /* for wh__otlp_mem_free(), also after a failure */
    size_t len, size;
    bool too_long;
    char reason[CURL_ERROR_SIZE]; /* why it failed, in printable ASCII */
};

/* Asks `url` for JSON, for so long at most; given up soon after *given_up is set. 0: the answer was 200, with that body.
 * Otherwise an errno value, and a reason. `service` is added to the URL, encoded. */
int wh__fetch(const char *url, const char *service, int64_t timeout, const uint32_t *given_up, struct wh__fetched *out);

#endif
