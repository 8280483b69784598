/* One HTTP request after the other, over a connection that is kept between them, never longer than until an instant,
 * and given up when told to. Used by one thread at a time, wh__otlp_http_wake() excepted. */
#ifndef OTLP_HTTP_H
#define OTLP_HTTP_H

#include <curl/curl.h>
#include <whence/exporters.h>

#include "otlp/fields.h"
#include "otlp/target.h"

struct wh__otlp_answer {
    int error;                    /* 0: there is an answer; otherwise why not, an errno value, and: */
    bool transient;               /* whether the next try may have one */
    bool cut_short;               /* the server has ended it, in good order, before it had all of the request */
    bool may_lack_trailers;       /* there is an answer, but libcurl may have lost its end with the connection */
    char reason[CURL_ERROR_SIZE]; /* in words */
    long status;                  /* of HTTP; 0: not even that came */
    struct wh__otlp_fields fields;
    struct wh_bytes body;         /* valid until the next request */
};

struct wh__otlp_http;

/* Before anything else here, and before any other function of libcurl: 0 or ENOMEM. Any thread, any number of times. */
int wh__otlp_http_begin(void);

/* Both must stay as they are; nothing is waited for while *given_up, atomic, is not 0. NULL: no memory. */
struct wh__otlp_http *wh__otlp_http_new(const struct wh__otlp_target *target, const uint32_t *given_up);
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

/* Sets given_up back, once the call that it was meant for is over: a wake that comes later does nothing. */
void wh__otlp_http_go_on(struct wh__otlp_http *http, uint32_t *given_up);

#endif
