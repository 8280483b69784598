#include "otlp/http.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "otlp/http_inside.h"
#include "otlp/mem.h"
#include "otlp/sigpipe.h"

int wh__otlp_http_begin(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool begun;
    pthread_mutex_lock(&lock);
    if (!begun) begun = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && wh__otlp_leaving_begin() == 0;
    const int rc = begun ? 0 : ENOMEM;
    pthread_mutex_unlock(&lock);
    return rc;
}

/* ---- visits to libcurl ---- */

static bool uses_tls(const struct wh__otlp_target *target)
{
    return target->url.is_secure || (target->proxy && strncasecmp(target->proxy, "https:", 6) == 0);
}

static bool enter(struct wh__otlp_http *http)
{
    return !http->uses_tls || wh__otlp_visit_begin(&http->visit);
}

static void leave(struct wh__otlp_http *http)
{
    if (http->uses_tls) wh__otlp_visit_end(&http->visit);
}

/* ---- making ---- */

struct wh__otlp_http *wh__otlp_http_new(const struct wh__otlp_target *target, const uint32_t *given_up)
{
    struct wh__otlp_http *http = wh__otlp_mem_zero(sizeof *http);
    if (!http) return NULL;
    wh__otlp_sockets_init(&http->sockets);
    http->target = target;
    http->given_up = given_up;
    http->multi = curl_multi_init();
    http->easy = curl_easy_init();
    http->uses_tls = uses_tls(target);
    http->visit = (struct wh__otlp_visit){.sockets = &http->sockets, .multi = http->multi};
    if (http->multi && http->easy && wh__otlp_http_set_up(http)) return http;
    wh__otlp_http_free(http);
    return NULL;
}

void wh__otlp_http_free(struct wh__otlp_http *http)
{
    struct wh__otlp_sigpipe before;
    http->visit.multi = NULL; /* not to be woken while it goes */
    if (!enter(http)) {
        wh__otlp_visit_keep(&http->visit);
        return;
    }
    wh__otlp_sigpipe_block(&before);
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi);
    wh__otlp_sigpipe_restore(&before);
    leave(http);
    wh__otlp_room_free(&http->body);
    wh__otlp_mem_free(http);
}

void wh__otlp_http_abandon(struct wh__otlp_http *http)
{
    wh__otlp_sockets_close_copies(&http->sockets);
}

/* ---- waiting ---- */

static bool is_given_up(const struct wh__otlp_http *http)
{
    return __atomic_load_n(http->given_up, __ATOMIC_SEQ_CST) != 0 || (http->uses_tls && wh__otlp_is_leaving());
}

/* A connection over which a request was given up is not used again anyway. */
void wh__otlp_http_wake(struct wh__otlp_http *http)
{
    wh__otlp_sockets_shut_while(&http->sockets, http->given_up);
    curl_multi_wakeup(http->multi);
}

void wh__otlp_http_go_on(struct wh__otlp_http *http, uint32_t *given_up)
{
    wh__otlp_sockets_lower(&http->sockets, given_up);
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

static bool is_over(const struct wh__otlp_http *http, int64_t until)
{
    return is_given_up(http) || wh_now() >= until;
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
        if (done && (done->data.result == CURLE_OK || !is_over(http, until))) {
            *code = done->data.result;
            return true;
        }
        if (is_given_up(http)) {
            wh__otlp_http_fail(answer, ECANCELED, false, "interrupted");
            return false;
        }
        if (wh_now() >= until) {
            wh__otlp_http_fail(answer, ETIMEDOUT, true, "no answer in time");
            return false;
        }
        trouble = poll_a_while(http, until);
        if (trouble != CURLM_OK) break;
    }
    wh__otlp_http_fail(answer, trouble == CURLM_OUT_OF_MEMORY ? ENOMEM : EIO, false, curl_multi_strerror(trouble));
    return false;
}

static void shut(void *http)
{
    wh__otlp_sockets_shut(&((struct wh__otlp_http *)http)->sockets);
}

/* libcurl 7.88 reads frames of HTTP/2 for as long as some are there, and a server may send empty ones faster than they are
 * read: then nobody looks at the time but the thread that has the timers. What is merely late has been given up before. */
static wh_callback *watch(struct wh__otlp_http *http, int64_t until, wh_ctx **timer)
{
    wh_callback *callback = NULL;
    *timer = NULL;
    if (http->target->protocol != WH_OTLP_GRPC || until > WH_NEVER - WH_SEC(1)) return NULL;
    *timer = wh_with_deadline(NULL, until + WH_SEC(1));
    if (wh_err(*timer) == 0) wh_after_inline(*timer, shut, http, &callback);
    return callback;
}

/* How long the collector may take, so that it need not work for nobody. */
static CURLcode set_timeout(struct wh__otlp_http *http, int64_t until)
{
    char text[WH__OTLP_GRPC_TIMEOUT];
    const int64_t left = until == WH_NEVER ? WH_NEVER : until - wh_now();
    if (http->target->protocol != WH_OTLP_GRPC) return CURLE_OK;
    wh__otlp_grpc_timeout(text, left);
    snprintf(http->timeout_line, sizeof http->timeout_line, "grpc-timeout: %s", text);
    return curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, left == WH_NEVER ? http->timeout.next : &http->timeout);
}

/* Over a connection of HTTP/2 other streams could go on; but what has kept us waiting for one keeps the next one too. */
static void break_off(struct wh__otlp_http *http)
{
    curl_easy_setopt(http->easy, CURLOPT_FORBID_REUSE, 1L);
    curl_multi_remove_handle(http->multi, http->easy);
    curl_easy_setopt(http->easy, CURLOPT_FORBID_REUSE, 0L);
}

static void check_grpc(const struct wh__otlp_http *http, struct wh__otlp_answer *answer)
{
    long version = 0;
    if (http->target->protocol != WH_OTLP_GRPC || answer->error || answer->status == 0) return;
    curl_easy_getinfo(http->easy, CURLINFO_HTTP_VERSION, &version);
    if (version < CURL_HTTP_VERSION_2_0)
        wh__otlp_http_fail(answer, EPROTO, false, "the server does not speak HTTP/2, which gRPC needs");
    answer->may_lack_trailers = wh__otlp_http_needs_care() && !wh__otlp_sockets_any(&http->sockets);
}

static void transfer(struct wh__otlp_http *http, struct wh_bytes body, int64_t until, struct wh__otlp_answer *answer)
{
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (set_timeout(http, until) != CURLE_OK ||
        curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, body.ptr) != CURLE_OK ||
        curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) != CURLE_OK ||
        curl_multi_add_handle(http->multi, http->easy) != CURLM_OK) {
        wh__otlp_http_fail(answer, ENOMEM, false, "no memory");
        return;
    }
    const bool ended = run(http, until, answer, &code);
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &answer->status);
    if (ended && code != CURLE_OK)
        wh__otlp_http_fail_as(http, answer, code);
    else if (ended && !http->fields.is_whole) /* which is no error to libcurl */
        wh__otlp_http_fail(answer, EIO, true, "the answer broke off in its header");
    check_grpc(http, answer);
    if (answer->error)
        break_off(http);
    else
        curl_multi_remove_handle(http->multi, http->easy);
}

/* Over the connection that is there, if that needs care: false if it has gone meanwhile. */
static bool reuse(struct wh__otlp_http *http, struct wh_bytes body, int64_t until, struct wh__otlp_answer *answer)
{
    const bool is_known = http->target->protocol == WH_OTLP_GRPC && !http->target->url.is_secure;
    if (!is_known || !wh__otlp_http_needs_care() || !wh__otlp_sockets_any(&http->sockets)) return false;
    http->sockets.was_refused = false;
    if (wh__otlp_http_set_version(http, true)) transfer(http, body, until, answer);
    wh__otlp_http_set_version(http, false);
    return !http->sockets.was_refused;
}

static void send_watched(struct wh__otlp_http *http, struct wh_bytes body, int64_t until, struct wh__otlp_answer *answer)
{
    struct wh__otlp_sigpipe before;
    wh_ctx *timer;
    wh_callback *watching = watch(http, until, &timer);
    wh__otlp_sigpipe_block(&before);
    if (!reuse(http, body, until, answer)) {
        wh__otlp_http_begin_answer(http, answer);
        transfer(http, body, until, answer);
    }
    if (watching) wh_stop_wait(watching);
    if (timer) wh_end(timer);
    wh__otlp_sigpipe_restore(&before);
}

void wh__otlp_http_post(struct wh__otlp_http *http, struct wh_bytes body, int64_t until,
                        struct wh__otlp_answer *answer)
{
    http->sending = body.len;
    wh__otlp_http_begin_answer(http, answer);
    if (enter(http)) {
        send_watched(http, body, until, answer);
        leave(http);
    } else {
        wh__otlp_http_fail(answer, ECANCELED, false, "the process is leaving");
    }
    http->was_answered |= answer->status != 0;
    answer->fields = http->fields;
    answer->body = (struct wh_bytes){http->body.bytes, http->body.used};
}
