#include <whence/curl.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a multi handle for each thread: it can be waited on together with a context, and keeps connections ---- */

struct engine {
    CURLM *multi;
    pid_t pid;      /* the child of a fork leaves its parent's connections alone */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void free_engine(void *arg)
{
    struct engine *engine = arg;
    if (engine->pid == getpid()) curl_multi_cleanup(engine->multi);
    free(engine);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, free_engine) == 0;
}

static CURLM *own_multi(void)
{
    pthread_once(&once, make_key);
    struct engine *engine = has_key ? pthread_getspecific(key) : NULL;
    if (engine && engine->pid == getpid()) return engine->multi;
    struct engine *fresh = malloc(sizeof *fresh);
    CURLM *multi = fresh && has_key ? curl_multi_init() : NULL;
    if (!multi || pthread_setspecific(key, fresh)) {
        if (multi) curl_multi_cleanup(multi);
        free(fresh);
        return NULL;
    }
    free(engine); /* the parent's, if any: its multi handle is not ours to clean up */
    *fresh = (struct engine){multi, getpid()};
    return multi;
}

/* ---- the transfer ---- */

static bool is_complete(CURLM *multi, CURL *easy, CURLcode *result)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
        if (message->msg != CURLMSG_DONE || message->easy_handle != easy) continue;
        *result = message->data.result;
        return true;
    }
    return false;
}

static CURLcode stopped(const wh_ctx *ctx)
{
    return wh_err(ctx) == ETIMEDOUT ? CURLE_OPERATION_TIMEDOUT : CURLE_ABORTED_BY_CALLBACK;
}

/* The context's descriptor wakes curl; where none could be had, a short sleep has to do. */
static CURLcode drive(const wh_ctx *ctx, CURLM *multi, CURL *easy)
{
    struct curl_waitfd done = {.fd = wh_done_fd(ctx), .events = CURL_WAIT_POLLIN};
    const bool has_fd = done.fd >= 0, may_be_done = wh_cancellable(ctx);
    CURLcode result;
    int running;
    for (;;) {
        const CURLMcode rc = curl_multi_perform(multi, &running);
        if (rc != CURLM_OK) return rc == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
        if (is_complete(multi, easy, &result)) return result;
        if (wh_err(ctx)) return stopped(ctx);
        curl_multi_poll(multi, &done, has_fd, may_be_done && !has_fd ? 5 : 1000, NULL);
    }
}

static CURLcode transfer(const wh_ctx *ctx, CURL *easy)
{
    CURLM *multi = own_multi();
    if (wh_err(ctx)) return stopped(ctx);
    if (!multi || curl_multi_add_handle(multi, easy) != CURLM_OK) return CURLE_FAILED_INIT;
    const CURLcode result = drive(ctx, multi, easy);
    curl_multi_remove_handle(multi, easy); /* closes the connection if the transfer is not complete */
    return result;
}

/* ---- headers ---- */

struct headers {
    struct curl_slist *list;
};

static void set_header(void *carrier, const char *name, const char *value)
{
    struct headers *headers = carrier;
    const size_t size = strlen(name) + strlen(value) + 3;
    char *line = malloc(size);
    if (!line) return;
    snprintf(line, size, "%s: %s", name, value);
    struct curl_slist *list = curl_slist_append(headers->list, line);
    if (list) headers->list = list;
    free(line);
}

static struct curl_slist *with_injected(const wh_ctx *ctx, const struct curl_slist *own)
{
    struct headers headers = {0};
    for (; own; own = own->next) {
        struct curl_slist *list = curl_slist_append(headers.list, own->data);
        if (list) headers.list = list;
    }
    wh_inject(ctx, set_header, &headers);
    return headers.list;
}

/* ---- what the conventions want on a client span (semantic conventions, HTTP spans) ---- */

static void set_part(const wh_ctx *span, CURLU *url, CURLUPart part, const char *key_name, bool number)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return;
    if (number)
        wh_set(span, key_name, atoi(text));
    else
        wh_set(span, key_name, text);
    curl_free(text);
}

/* Credentials never reach a trace: url.full has REDACTED in their place. */
static void set_url(const wh_ctx *span, CURL *easy)
{
    const char *text = NULL;
    CURLU *url = curl_url();
    char *had = NULL;
    if (!url || curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &text) != CURLE_OK || !text ||
        curl_url_set(url, CURLUPART_URL, text, CURLU_GUESS_SCHEME) != CURLUE_OK) {
        curl_url_cleanup(url);
        return;
    }
    if (curl_url_get(url, CURLUPART_USER, &had, 0) == CURLUE_OK) {
        curl_free(had);
        curl_url_set(url, CURLUPART_USER, "REDACTED", 0);
        curl_url_set(url, CURLUPART_PASSWORD, "REDACTED", 0);
    }
    set_part(span, url, CURLUPART_HOST, "server.address", false);
    set_part(span, url, CURLUPART_PORT, "server.port", true);
    if (curl_url_get(url, CURLUPART_URL, &had, 0) == CURLUE_OK) {
        wh_set(span, "url.full", had);
        curl_free(had);
    }
    curl_url_cleanup(url);
}

static const char *method_of(CURL *easy)
{
    char *method = NULL;
    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_METHOD, &method);
    return method ? method : "GET";
}

static void name_span(const wh_ctx *span, CURL *easy, const char *route)
{
    char name[256];
    snprintf(name, sizeof name, "%s%s%s", method_of(easy), route ? " " : "", route ? route : "");
    wh_rename(span, name);
    wh_set(span, "http.request.method", method_of(easy));
}

static void set_version(const wh_ctx *span, CURL *easy)
{
    long version = 0;
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    const char *text = version == CURL_HTTP_VERSION_1_0 ? "1.0" : version == CURL_HTTP_VERSION_1_1 ? "1.1"
                     : version == CURL_HTTP_VERSION_2_0 ? "2" : version == CURL_HTTP_VERSION_3 ? "3" : NULL;
    if (text) wh_set(span, "network.protocol.version", text);
}

/* ---- why the callee gave up ---- */

#if LIBCURL_VERSION_NUM >= 0x075300
/* Several lines are one value. More than is allowed is refused by who reads it, so that what does not fit may be cut anywhere. */
static bool join_causes(CURL *easy, char *value, size_t size)
{
    struct curl_header *line;
    size_t len = 0;
    for (size_t i = 0; curl_easy_header(easy, WH_CAUSE_HEADER, i, CURLH_HEADER, -1, &line) == CURLHE_OK; i++) {
        const int wrote = snprintf(value + len, size - len, "%s%s", i ? ", " : "", line->value);
        if (wrote < 0 || (size_t)wrote >= size - len) return true;
        len += (size_t)wrote;
    }
    return len;
}

static bool take_cause(const wh_ctx *span, CURL *easy)
{
    char value[WH_CAUSE_SIZE + 1]; /* one more than is allowed */
    return join_causes(easy, value, sizeof value) && wh_cause_read(span, value);
}
#else
static bool take_cause(const wh_ctx *span, CURL *easy)
{
    (void)span, (void)easy;
    return false;
}
#endif

/* The request was out, and then there was no more of the answer: not refused, not given up by us. */
static bool has_vanished(CURL *easy, CURLcode result)
{
    long sent = 0;
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent > 0 && (result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR ||
                        result == CURLE_PARTIAL_FILE || result == CURLE_HTTP2 || result == CURLE_HTTP2_STREAM);
}

static void note_callee(const wh_ctx *span, CURL *easy, CURLcode result, long status)
{
    if (status >= 400 && take_cause(span, easy)) return;
    if (has_vanished(easy, result)) wh_callee_vanished(span);
}

/* A transfer that its context has ended is no failure of its own: the cause is on the span already. That holds as well for an
 * error that comes when the time is up and only the timer is late: it is most often the callee's, whose time was the same.
 * Returns what the caller is told. */
static CURLcode set_result(const wh_ctx *span, CURL *easy, CURLcode result, const struct wh_site *site)
{
    char type[24];
    long status = 0, os_errno = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status) {
        wh_set(span, "http.response.status_code", status);
        set_version(span, easy);
    }
    note_callee(span, easy, result, status);
    if ((result != CURLE_OK || status >= 400) && wh_wait(span, 0)) return stopped(span);
    if (result != CURLE_OK) {
        curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
        snprintf(type, sizeof type, "curl.%d", (int)result);
        wh_fail_at(span, os_errno ? (int)os_errno : EIO, os_errno ? NULL : type, curl_easy_strerror(result), site);
    } else if (status >= 400) {
        char text[32];
        snprintf(type, sizeof type, "%ld", status);
        snprintf(text, sizeof text, "status %ld", status);
        wh_fail_at(span, 0, type, text, site);
    }
    return result;
}

WH_SCOPE(scope, "whence-curl", .version = WH_VERSION)

CURLcode wh_curl_perform_at(const wh_ctx *ctx, const struct wh_curl_opts *given)
{
    struct wh_curl_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    const struct wh_start_opts start = {.size = sizeof start, .site = opts.site, .name = "HTTP", .literal = 4,
        .kind = WH_CLIENT, .timeout = opts.timeout, .scope = &scope};
    WH_AUTO wh_ctx *span = wh_start_at(ctx, &start);
    struct curl_slist *headers = with_injected(span, opts.headers);
    curl_easy_setopt(opts.easy, CURLOPT_HTTPHEADER, headers);
    const CURLcode result = transfer(span, opts.easy);
    curl_easy_setopt(opts.easy, CURLOPT_HTTPHEADER, opts.headers);
    curl_slist_free_all(headers);
    if (wh_recording(span)) {
        name_span(span, opts.easy, opts.route);
        set_url(span, opts.easy);
    }
    return set_result(span, opts.easy, result, opts.site);
}
