#include "otlp/http_inside.h"

static bool set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS) == CURLE_OK;
#endif
}

/* Otherwise giving up would wait for the name server. */
static bool do_not_wait_for_resolver(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075700
    return curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
#else
    return easy != NULL;
#endif
}

bool wh__otlp_http_needs_care(void)
{
    const unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
    return version >= 0x075800 && version < 0x080000;
}

bool wh__otlp_http_set_version(struct wh__otlp_http *http, bool again)
{
    const bool is_known = !http->target->url.is_secure && !again;
    if (http->target->protocol != WH_OTLP_GRPC) return true;
    http->sockets.is_closed = again;
    return curl_easy_setopt(http->easy, CURLOPT_HTTP_VERSION,
                            (long)(is_known ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_2TLS)) == CURLE_OK;
}

/* A proxy that the environment names (http_proxy and so on) is used, but not to get to this very machine. One that is to
 * pass HTTP/2 on has to be told to keep out of it. */
static bool set_way(CURL *easy, const struct wh__otlp_target *target)
{
    const char *proxy = target->proxy ? target->proxy : target->url.is_local ? "" : NULL;
    if (target->url.unix_socket) {
        proxy = "";
        if (curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, target->url.unix_socket) != CURLE_OK) return false;
    }
    if (proxy && curl_easy_setopt(easy, CURLOPT_PROXY, proxy) != CURLE_OK) return false;
    return target->protocol != WH_OTLP_GRPC || curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) == CURLE_OK;
}

/* The answers to OTLP/HTTP may be compressed; gRPC has its own way. */
static bool accept_gzip(CURL *easy, const struct wh__otlp_target *target)
{
    return target->protocol == WH_OTLP_GRPC || curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip") == CURLE_OK;
}

static bool set_functions(struct wh__otlp_http *http)
{
    CURL *easy = http->easy;
    return curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, wh__otlp_http_take_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, http) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, wh__otlp_http_take_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, http) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, wh__otlp_socket_open) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &http->sockets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, wh__otlp_socket_close) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, &http->sockets) == CURLE_OK;
}

/* Redirections are not followed (libcurl's default): the header fields, with whatever keys are in them, are meant for
 * this URL, and 3xx is an answer that is not tried again. */
bool wh__otlp_http_set_up(struct wh__otlp_http *http)
{
    CURL *easy = http->easy;
    const struct wh__otlp_target *target = http->target;
    http->timeout = (struct curl_slist){.data = http->timeout_line, .next = target->headers};
    return set_protocols(easy) && do_not_wait_for_resolver(easy) && wh__otlp_http_set_version(http, false) &&
           set_way(easy, target) && accept_gzip(easy, target) && wh__otlp_tls_set(easy, target) && set_functions(http) &&
           curl_easy_setopt(easy, CURLOPT_URL, target->url.url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, target->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, target->user_agent) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 1L) == CURLM_OK;
}
