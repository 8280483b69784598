/* What the files of the HTTP client know of each other: http_setup.c makes it, http_answer.c takes what comes, http.c
 * drives. */
#ifndef OTLP_HTTP_INSIDE_H
#define OTLP_HTTP_INSIDE_H

#include "otlp/http.h"
#include "otlp/leaving.h"
#include "otlp/room.h"
#include "otlp/sockets.h"

struct wh__otlp_http {
    CURLM *multi;                 /* holds the connections */
    CURL *easy;                   /* in multi during a request only */
    const struct wh__otlp_target *target;
    const uint32_t *given_up;
    struct wh__otlp_sockets sockets;
    struct wh__otlp_visit visit;  /* if it goes over TLS */
    bool uses_tls;                /* to the collector, or to a proxy */
    struct curl_slist timeout;    /* in front of the target's headers: grpc-timeout, anew for each request */
    char timeout_line[48];
    char error[CURL_ERROR_SIZE];  /* libcurl's words for the last one */
    size_t sending;               /* bytes of the request's body */
    struct wh__otlp_fields fields;
    struct wh__otlp_room body;
    bool body_too_long, header_too_long, no_memory;
    bool was_answered;            /* some request was */
};

/* ---- http_setup.c ---- */

bool wh__otlp_http_set_up(struct wh__otlp_http *http);

/* libcurl 7.88, whose HTTP/2 was new. It breaks when a connection that is HTTP/2 by prior knowledge is used again with
 * that option set (its issue 10634); it loses an answer that comes before it has sent everything; and the trailers, if
 * GOAWAY came before them. All mended in 8.0.0 and later. */
bool wh__otlp_http_needs_care(void);

/* gRPC is HTTP/2 from the first byte on, or, with TLS, where ALPN agrees on it. OTLP/HTTP takes what libcurl takes: 1.1,
 * and 2 where TLS offers it. `again`: over the connection that is there; none is made. */
bool wh__otlp_http_set_version(struct wh__otlp_http *http, bool again);

/* ---- http_answer.c ---- */

void wh__otlp_http_begin_answer(struct wh__otlp_http *http, struct wh__otlp_answer *answer);

/* For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION: whatever they return that is not `len` ends the transfer. */
size_t wh__otlp_http_take_body(char *bytes, size_t one, size_t len, void *http);
size_t wh__otlp_http_take_header(char *line, size_t one, size_t len, void *http);

/* There is none, and why. */
void wh__otlp_http_fail(struct wh__otlp_answer *answer, int error, bool transient, const char *reason);
void wh__otlp_http_fail_as(const struct wh__otlp_http *http, struct wh__otlp_answer *answer, CURLcode code);

#endif
