#include "otlp/http.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "otlp/mem.h"
#include "otlp/retry.h"
#include "otlp/sigpipe.h"
#include "otlp/sockets.h"

struct wh__otlp_http {
    CURLM *multi;                 /* holds the connections */
    CURL *easy;                   /* in multi during a request only */
    const uint32_t *given_up;
    struct wh__otlp_sockets sockets;
    char error[CURL_ERROR_SIZE];  /* libcurl's words for the last one */
    int64_t retry_after;
    uint8_t *body;
    size_t body_len, body_size;
    size_t header_len;            /* of all header fields and trailers */
    bool body_too_long, header_too_long, no_memory;
};

int wh__otlp_http_begin(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool begun;
    pthread_mutex_lock(&lock);
    if (!begun) begun = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    const int rc = begun ? 0 : ENOMEM;
    pthread_mutex_unlock(&lock);
    return rc;
}

/* ---- what libcurl calls ---- */

enum { SMALL_BODY = 4096 };

static bool make_body_room(struct wh__otlp_http *http, size_t size)
{
    if (size <= http->body_size) return true;
    const size_t larger = size > 2 * http->body_size ? size + SMALL_BODY : 2 * http->body_size;
    uint8_t *bytes = wh__otlp_mem_get(larger);
    if (!bytes) return false;
    if (http->body_len) memcpy(bytes, http->body, http->body_len);
    wh__otlp_mem_free(http->body);
    http->body = bytes;
    http->body_size = larger;
    return true;
}

/* Whatever is not the number of bytes ends the transfer. */
static size_t take_body(char *bytes, size_t one, size_t len, void *arg)
{
    struct wh__otlp_http *http = arg;
    (void)one;
    if (len == 0) return 0;
    http->body_too_long = len > WH__OTLP_MOST_ANSWER - http->body_len;
    if (http->body_too_long) return 0;
    http->no_memory = !make_body_room(http, http->body_len + len);
    if (http->no_memory) return 0;
    memcpy(http->body + http->body_len, bytes, len);
    http->body_len += len;
    return len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A status line begins a new header: the one before was that of an interim answer. libcurl bounds the headers, but keeps
 * trailers for ever. */
static size_t take_header(char *line, size_t one, size_t len, void *arg)
{
    static const char name[] = "retry-after:";
    struct wh__otlp_http *http = arg;
    char value[64];
    (void)one;
    http->header_len += len;
    http->header_too_long = http->header_len > WH__OTLP_MOST_HEADER;
    if (http->header_too_long) return 0;
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) http->retry_after = -1;
    if (len < sizeof name - 1 || strncasecmp(line, name, sizeof name - 1)) return len;
    const char *text = line + sizeof name - 1, *end = line + len;
    while (text < end && is_blank(*text)) text++;
    while (text < end && is_blank(end[-1])) end--;
    const size_t size = (size_t)(end - text);
    if (size >= sizeof value) return len;
    memcpy(value, text, size);
    value[size] = '\0';
    http->retry_after = wh__otlp_retry_after(value, time(NULL));
    return len;
}

/* ---- making ---- */

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

/* Redirections are not followed (libcurl's default): the header fields, with whatever keys are in them, are meant for
 * this URL. A proxy that the environment names (http_proxy and so on) is used, but not to get to this very machine. */
static bool set_up(struct wh__otlp_http *http, const struct wh__otlp_http_config *config)
{
    CURL *easy = http->easy;
    return set_protocols(easy) && do_not_wait_for_resolver(easy) &&
           curl_easy_setopt(easy, CURLOPT_URL, config->url->url) == CURLE_OK &&
           (!config->url->is_local || curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK) &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, config->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "OTel-OTLP-Exporter-C/" WH_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, http) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, http) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, wh__otlp_socket_open) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &http->sockets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, wh__otlp_socket_close) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, &http->sockets) == CURLE_OK &&
           curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, 1L) == CURLM_OK;
}

struct wh__otlp_http *wh__otlp_http_new(const struct wh__otlp_http_config *config)
{
    struct wh__otlp_http *http = wh__otlp_mem_zero(sizeof *http);
    if (!http) return NULL;
    wh__otlp_sockets_init(&http->sockets);
    http->given_up = config->given_up;
    http->multi = curl_multi_init();
    http->easy = curl_easy_init();
    if (http->multi && http->easy && set_up(http, config)) return http;
    wh__otlp_http_free(http);
    return NULL;
}

void wh__otlp_http_free(struct wh__otlp_http *http)
{
    struct wh__otlp_sigpipe before;
    wh__otlp_sigpipe_block(&before);
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    wh__otlp_sigpipe_restore(&before);
    wh__otlp_mem_free(http->body);
    wh__otlp_mem_free(http);
}

void wh__otlp_http_abandon(struct wh__otlp_http *http)
{
    wh__otlp_sockets_close_copies(&http->sockets);
}

/* ---- waiting ---- */

static bool is_given_up(const struct wh__otlp_http *http)
{
    return __atomic_load_n(http->given_up, __ATOMIC_SEQ_CST) != 0;
}

void wh__otlp_http_wake(struct wh__otlp_http *http)
{
    curl_multi_wakeup(http->multi);
}

/* Until something happens. Never long: the way to wake it is a pair of descriptors that libcurl may not have got. */
static CURLMcode poll_a_while(struct wh__otlp_http *http, int64_t until)
{
    const int64_t left = until - wh_now(), most = WH_MS(500);
    const int64_t ns = left < 0 ? 0 : left < most ? left : most;
    return curl_multi_poll(http->multi, NULL, 0, (int)((ns + 999999) / 1000000), NULL);
}

bool wh__otlp_http_wait(struct wh__otlp_http *http, int64_t until)
{
    while (!is_given_up(http) && wh_now() < until)
        if (poll_a_while(http, until) != CURLM_OK) return false;
    return !is_given_up(http);
}

/* ---- a request ---- */

/* libcurl's reasons may repeat what the collector has sent: nothing in them may move the cursor of a terminal. */
static void fail(struct wh__otlp_answer *answer, int error, bool transient, const char *reason)
{
    answer->error = error;
    answer->transient = transient;
    snprintf(answer->reason, sizeof answer->reason, "%s", reason);
    for (char *p = answer->reason; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
}

/* Whether the same request may fare better later (OTLP/HTTP: a disconnect without a response, a failure to connect). */
static bool is_transient(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return true;
    default: return false;
    }
}

static void fail_as(const struct wh__otlp_http *http, struct wh__otlp_answer *answer, CURLcode code)
{
    long os_error = 0;
    if (code == CURLE_OUT_OF_MEMORY || http->no_memory) {
        fail(answer, ENOMEM, false, "no memory");
        return;
    }
    if (http->body_too_long) {
        fail(answer, EIO, false, "the answer is longer than 4 MiB");
        return;
    }
    if (http->header_too_long) {
        fail(answer, EIO, false, "the header of the answer is longer than 256 KiB");
        return;
    }
    curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &os_error);
    if (code == CURLE_COULDNT_CONNECT && os_error > 0)
        fail(answer, (int)os_error, true, strerror((int)os_error));
    else
        fail(answer, EIO, is_transient(code), http->error[0] ? http->error : curl_easy_strerror(code));
}

/* Drives the transfer to its end: true, and how it ended. */
static bool run(struct wh__otlp_http *http, int64_t until, struct wh__otlp_answer *answer, CURLcode *code)
{
    CURLMcode trouble;
    for (;;) {
        int running, left;
        trouble = curl_multi_perform(http->multi, &running);
        if (trouble != CURLM_OK) break;
        const CURLMsg *done = curl_multi_info_read(http->multi, &left);
        if (done) {
            *code = done->data.result;
            return true;
        }
        if (is_given_up(http)) {
            fail(answer, ECANCELED, false, "interrupted");
            return false;
        }
        if (wh_now() >= until) {
            fail(answer, ETIMEDOUT, true, "no answer in time");
            return false;
        }
        trouble = poll_a_while(http, until);
        if (trouble != CURLM_OK) break;
    }
    fail(answer, trouble == CURLM_OUT_OF_MEMORY ? ENOMEM : EIO, false, curl_multi_strerror(trouble));
    return false;
}

static void begin_answer(struct wh__otlp_http *http, struct wh__otlp_answer *answer)
{
    *answer = (struct wh__otlp_answer){.retry_after = -1};
    http->retry_after = -1;
    http->error[0] = '\0';
    http->body_too_long = http->header_too_long = http->no_memory = false;
    http->body_len = http->header_len = 0;
    if (http->body_size <= 16 * SMALL_BODY) return;
    wh__otlp_mem_free(http->body);
    http->body = NULL;
    http->body_size = 0;
}

/* Taking an unfinished transfer out closes its connection. */
static void transfer(struct wh__otlp_http *http, struct wh_bytes body, int64_t until, struct wh__otlp_answer *answer)
{
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, body.ptr) != CURLE_OK ||
        curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) != CURLE_OK ||
        curl_multi_add_handle(http->multi, http->easy) != CURLM_OK) {
        fail(answer, ENOMEM, false, "no memory");
        return;
    }
    const bool ended = run(http, until, answer, &code);
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &answer->status);
    if (ended && code != CURLE_OK) fail_as(http, answer, code);
    curl_multi_remove_handle(http->multi, http->easy);
}

void wh__otlp_http_post(struct wh__otlp_http *http, struct wh_bytes body, int64_t until,
                        struct wh__otlp_answer *answer)
{
    struct wh__otlp_sigpipe before;
    begin_answer(http, answer);
    wh__otlp_sigpipe_block(&before);
    transfer(http, body, until, answer);
    wh__otlp_sigpipe_restore(&before);
    answer->retry_after = http->retry_after;
    answer->body = (struct wh_bytes){http->body, http->body_len};
}
