#include "otlp/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "otlp/http.h"
#include "otlp/leaving.h"
#include "otlp/mem.h"
#include "otlp/sigpipe.h"
#include "otlp/sockets.h"

/* ---- what libcurl calls ---- */

static bool make_room(struct wh__fetched *out, size_t size)
{
    if (size <= out->size) return true;
    const size_t larger = 2 * size > WH__MOST_FETCHED ? WH__MOST_FETCHED : 2 * size;
    char *bytes = wh__otlp_mem_get(larger);
    if (!bytes) return false;
    if (out->len) memcpy(bytes, out->body, out->len);
    wh__otlp_mem_free(out->body);
    out->body = bytes;
    out->size = larger;
    return true;
}

static size_t take(char *bytes, size_t one, size_t len, void *arg)
{
    struct wh__fetched *out = arg;
    (void)one;
    out->too_long = len > WH__MOST_FETCHED - out->len;
    if (out->too_long || !make_room(out, out->len + len)) return 0;
    if (len) memcpy(out->body + out->len, bytes, len);
    out->len += len;
    return len;
}

/* Not 0: the transfer is given up. About once a second, if nothing comes. */
static int look(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const uint32_t *given_up = arg;
    (void)a, (void)b, (void)c, (void)d;
    return __atomic_load_n(given_up, __ATOMIC_ACQUIRE) != 0 || wh__otlp_is_leaving();
}

/* ---- the request ---- */

static bool set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS) == CURLE_OK;
#endif
}

static bool set_url(CURL *easy, const char *url, const char *service)
{
    char *encoded = curl_easy_escape(easy, service, 0);
    const size_t size = encoded ? strlen(url) + strlen(encoded) + 1 : 0;
    char *whole = encoded ? wh__otlp_mem_get(size) : NULL;
    if (whole) snprintf(whole, size, "%s%s", url, encoded);
    const bool done = whole && curl_easy_setopt(easy, CURLOPT_URL, whole) == CURLE_OK;
    wh__otlp_mem_free(whole);
    curl_free(encoded);
    return done;
}

static bool set_up(CURL *easy, int64_t timeout, const uint32_t *given_up, struct wh__otlp_sockets *sockets, struct wh__fetched *out)
{
    return set_protocols(easy) && curl_easy_setopt(easy, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "whence/" WH_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(timeout / 1000000)) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, out->reason) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, out) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_XFERINFODATA, given_up) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, wh__otlp_socket_open) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, wh__otlp_socket_close) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets) == CURLE_OK;
}

static int fail(struct wh__fetched *out, int error, const char *reason)
{
    if (reason) snprintf(out->reason, sizeof out->reason, "%s", reason);
    for (char *p = out->reason; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f) *p = '?';
    return error;
}

static int perform(CURL *easy, struct wh__fetched *out)
{
    long status = 0;
    char words[32];
    const CURLcode code = curl_easy_perform(easy);
    if (out->too_long) return fail(out, EMSGSIZE, "the answer is longer than 1 MiB");
    if (code == CURLE_WRITE_ERROR || code == CURLE_OUT_OF_MEMORY) return fail(out, ENOMEM, "no memory");
    if (code != CURLE_OK) return fail(out, EIO, out->reason[0] ? NULL : curl_easy_strerror(code));
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    snprintf(words, sizeof words, "HTTP %ld", status);
    return status == 200 ? 0 : fail(out, EIO, words);
}

static int get(const char *url, const char *service, int64_t timeout, const uint32_t *given_up,
               struct wh__otlp_sockets *sockets, struct wh__fetched *out)
{
    struct wh__otlp_sigpipe before;
    wh__otlp_sigpipe_block(&before);
    CURL *easy = curl_easy_init();
    const bool ready = easy && set_url(easy, url, service) && set_up(easy, timeout, given_up, sockets, out);
    const int rc = ready ? perform(easy, out) : fail(out, ENOMEM, "no memory");
    curl_easy_cleanup(easy);
    wh__otlp_sigpipe_restore(&before);
    return rc;
}

int wh__fetch(const char *url, const char *service, int64_t timeout, const uint32_t *given_up, struct wh__fetched *out)
{
    struct wh__otlp_sockets sockets;
    struct wh__otlp_visit visit = {.sockets = &sockets};
    const bool uses_tls = strncasecmp(url, "https:", 6) == 0;
    *out = (struct wh__fetched){.body = NULL};
    wh__otlp_sockets_init(&sockets);
    if (wh__otlp_http_begin()) return fail(out, ENOMEM, "no memory");
    if (uses_tls && !wh__otlp_visit_begin(&visit)) return fail(out, ECANCELED, "the process is leaving");
    const int rc = get(url, service, timeout, given_up, &sockets, out);
    if (uses_tls) wh__otlp_visit_end(&visit);
    return rc;
}
