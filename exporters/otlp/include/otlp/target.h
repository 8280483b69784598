/* Where spans go: the URL and the header fields, made once from the options. */
#ifndef OTLP_TARGET_H
#define OTLP_TARGET_H

#include <curl/curl.h>
#include <whence/exporters.h>

struct wh__otlp_url {
    char *url;     /* from libcurl, as the next */
    char *shown;   /* the same without what may be secret: user, password, query */
    bool is_local; /* the host is this very machine: localhost, 127.0.0.0/8, ::1 */
};

/* The URL of opts: traces_endpoint as it stands, or v1/traces below endpoint. 0; EINVAL: not an http or https URL with
 * a host; ENOMEM. */
int wh__otlp_url_make(const struct wh_otlp_opts *opts, struct wh__otlp_url *out);
void wh__otlp_url_free(struct wh__otlp_url *url);

/* The fields that every request has, and those of the list "k=v,k=v", where names and values are percent-encoded. Pairs
 * that make no field are left out, and reported in one line. 0 or ENOMEM; freed with curl_slist_free_all(). */
int wh__otlp_headers_make(const char *list, bool gzip, struct curl_slist **out);

#endif
