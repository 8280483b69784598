/* whence/curl.h: Whence in libcurl. Library whence-curl.
 *
 *   CURL *easy = curl_easy_init();
 *   curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1:8001/price/17");
 *   CURLcode rc = wh_curl_perform(ctx, easy, .route = "/price/{sku}");
 */
#ifndef WHENCE_CURL_H
#define WHENCE_CURL_H

#include <curl/curl.h>
#include <whence/whence.h>

WH_BEGIN_DECLS

struct wh_curl_opts {
    size_t size;
    const struct wh_site *site;
    CURL *easy;
    struct curl_slist *headers WH_ZERO_; /* the request's own, in place of CURLOPT_HTTPHEADER; stay the caller's */
    const char *route WH_ZERO_;          /* of low cardinality, "/price/{sku}": names the span after the method */
    int64_t timeout WH_ZERO_;            /* for this transfer; 0: none but the context's */
};

/* curl_easy_perform() under a context: the transfer ends when ctx is done, within a few milliseconds, wherever it is; a
 * client span with the attributes of the HTTP conventions tells of it, and the headers of wh_inject() go with it.
 *
 * Returns what curl_easy_perform() would; CURLE_OPERATION_TIMEDOUT if a deadline of ctx or the timeout ended it,
 * CURLE_ABORTED_BY_CALLBACK if it was cancelled: then wh_cause(ctx) knows why. Asks ctx before it starts. A transfer that
 * is complete when the cancel comes is complete. A status of 400 or more is an error on the span, and CURLE_OK here, unless
 * the context was done by then.
 *
 * What such an answer says of its cause is taken (cause.h): the span shows it, and the failure goes on with it. Where the
 * connection broke when the request was out, before there was a whole answer, that is "unknown", "peer vanished". Needs libcurl
 * 7.83; with an older one answers are not asked.
 *
 * The handle must be in no multi handle; connections are kept for later transfers of the same thread. Set CURLOPT_NOSIGNAL
 * as every program with threads does. CURLOPT_HTTPHEADER is reset to opts.headers. */
#define wh_curl_perform(ctx, ...) wh_curl_perform_at((ctx), WH_OPTS_(struct wh_curl_opts, .site = WH_HERE, .easy = __VA_ARGS__))
WH_API CURLcode wh_curl_perform_at(const wh_ctx *ctx, const struct wh_curl_opts *opts);

WH_END_DECLS
#endif
