/* One HTTP request after the other, over a connection that is kept between them, never longer than until an instant,
 * and given up when told to. Used by one thread at a time, wh__otlp_http_wake() excepted. */
#ifndef OTLP_HTTP_H
#define OTLP_HTTP_H

#include <curl/curl.h>
#include <whence/exporters.h>

#include "otlp/target.h"

enum {
    WH__OTLP_MOST_ANSWER = 4 << 20,   /* bytes of a body: of a longer one the rest is not read */
    WH__OTLP_MOST_HEADER = 256 << 10, /* of header fields, interim answers and trailers together */
};

struct wh__otlp_http_config {
    const struct wh__otlp_url *url;
    struct curl_slist *headers;
    const uint32_t *given_up;     /* atomic; while it is not 0, nothing is waited for */
};

struct wh__otlp_answer {
    int error;                    /* 0: there is an answer; otherwise why not, an errno value, and: */
    bool transient;               /* whether the next try may have one */
    char reason[CURL_ERROR_SIZE]; /* in words */
    long status;                  /* of HTTP; 0: not even that came */
    int64_t retry_after;          /* as wh__otlp_retry_after() reads it; -1: not said */
    struct wh_bytes body;         /* valid until the next request */
};

struct wh__otlp_http;

/* Before anything else here, and before any other function of libcurl: 0 or ENOMEM. Any thread, any number of times. */
int wh__otlp_http_begin(void);

/* What config points to must stay as it is. NULL: no memory. */
struct wh__otlp_http *wh__otlp_http_new(const struct wh__otlp_http_config *config);
void wh__otlp_http_free(struct wh__otlp_http *http);

/* In the child of a fork, in place of freeing it: closes the child's copies of the sockets, touches nothing else. */
void wh__otlp_http_abandon(struct wh__otlp_http *http);

/* POSTs body, and fills *answer. */
void wh__otlp_http_post(struct wh__otlp_http *http, struct wh_bytes body, int64_t until,
                        struct wh__otlp_answer *answer);

/* Waits until the instant: true; or until given up: false. */
bool wh__otlp_http_wait(struct wh__otlp_http *http, int64_t until);

/* From any thread, after given_up was set: whoever waits looks at it. */
void wh__otlp_http_wake(struct wh__otlp_http *http);

#endif
