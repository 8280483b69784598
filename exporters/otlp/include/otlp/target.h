/* Where spans go and how: what the options say, checked once, and kept. */
#ifndef OTLP_TARGET_H
#define OTLP_TARGET_H

#include <curl/curl.h>
#include <whence/exporters.h>

struct wh__otlp_url {
    char *url;         /* from libcurl, as the next */
    char *shown;       /* the same without what may be secret: user, password, query */
    char *unix_socket; /* NULL: over TCP */
    bool is_local;     /* the host is this very machine: localhost, 127.0.0.0/8, ::1, a Unix domain socket */
    bool is_secure;    /* https */
};

struct wh__otlp_target {
    enum wh_otlp_protocol protocol;
    struct wh__otlp_url url;
    struct curl_slist *headers;   /* the same for every request */
    char *certificate, *client_key, *client_certificate, *proxy, *user_agent; /* the first four: NULL, if not given */
    size_t max_request, max_response;
    int64_t timeout;
    bool gzip;
};

/* All of it; what is wrong with the options is reported in one line. 0, EINVAL or ENOMEM; freed in any case. */
int wh__otlp_target_make(const struct wh_otlp_opts *opts, struct wh__otlp_target *out);
void wh__otlp_target_free(struct wh__otlp_target *target);

/* ---- url.c ---- */

/* traces_endpoint as it stands, or v1/traces below endpoint; the method's path with gRPC. EINVAL: it is none, and that
 * was reported. */
int wh__otlp_url_make(const struct wh_otlp_opts *opts, struct wh__otlp_url *out);
void wh__otlp_url_free(struct wh__otlp_url *url);

/* ---- headers.c ---- */

/* The fields that every request has, and those of the list "k=v,k=v", where names and values are percent-encoded. Pairs
 * that make no field are left out, and reported in one line. 0 or ENOMEM; freed with curl_slist_free_all(). */
int wh__otlp_headers_make(const struct wh_otlp_opts *opts, struct curl_slist **out);

/* ---- tls.c ---- */

/* Whether the files that the options name are there and look like what they should be: 0, or EINVAL and a report. */
int wh__otlp_tls_check(const struct wh_otlp_opts *opts, const struct wh__otlp_url *url);

/* Certificates are verified, against the system's authorities or those given (libcurl's default, said here again). */
bool wh__otlp_tls_set(CURL *easy, const struct wh__otlp_target *target);

#endif
