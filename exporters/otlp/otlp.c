/* Sends spans to a collector: OTLP over HTTP, in protobuf.
 *
 * What libcurl holds, and every buffer, belongs to one process: the child of a fork leaves its parent's alone, whatever
 * state the fork has caught it in, and makes its own at its first export.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "otlp/answer.h"
#include "otlp/http.h"
#include "otlp/mem.h"
#include "otlp/request.h"
#include "otlp/retry.h"
#include "otlp/target.h"

/* What one process has. */
struct post {
    pid_t pid;
    struct wh__otlp_http *http;
    struct wh__otlp_request request;
    struct post *next;            /* of those that were left behind */
};

struct otlp {
    struct wh_exporter exporter;
    struct wh__otlp_url url;
    struct curl_slist *headers;
    int64_t timeout;              /* of one request */
    bool gzip;
    struct post *post;            /* atomic, for interrupt(); NULL: made at the next export */
    uint32_t interrupted;         /* atomic */
    bool shut_down;
    bool was_reached;             /* some request was answered, whatever the answer */
    bool told_rejection, told_warning, told_nonsense; /* each is said once */
    char error[480];              /* what last_error() says; empty: nothing */
};

/* ---- one for every process ---- */

/* The parents', in forked processes: reachable for ever, and never used. */
static struct post *left_behind; /* atomic */

static void leave_behind(struct post *post)
{
    wh__otlp_http_abandon(post->http);
    post->next = __atomic_load_n(&left_behind, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&left_behind, &post->next, post, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        continue;
}

static struct post *post_new(const struct otlp *otlp)
{
    const struct wh__otlp_http_config config = {.url = &otlp->url, .headers = otlp->headers,
        .given_up = &otlp->interrupted};
    struct post *post = wh__otlp_mem_zero(sizeof *post);
    if (!post) return NULL;
    post->pid = getpid();
    post->http = wh__otlp_http_new(&config);
    if (post->http) return post;
    wh__otlp_mem_free(post);
    return NULL;
}

static void post_free(struct post *post)
{
    if (post->pid != getpid()) {
        leave_behind(post);
        return;
    }
    wh__otlp_http_free(post->http);
    wh__otlp_request_free(&post->request);
    wh__otlp_mem_free(post);
}

static struct post *own_post(struct otlp *otlp)
{
    struct post *post = otlp->post;
    if (post && post->pid == getpid()) return post;
    if (post) post_free(post);
    post = post_new(otlp);
    __atomic_store_n(&otlp->post, post, __ATOMIC_SEQ_CST);
    return post;
}

/* ---- saying why ---- */

static int fail(struct otlp *otlp, int error, const char *why)
{
    snprintf(otlp->error, sizeof otlp->error, "%.200s: %.240s", otlp->url.shown, why);
    return error;
}

static int fail_with(struct otlp *otlp, const struct wh__otlp_answer *answer, unsigned tries)
{
    char why[300], status[32] = "", times[32] = "", words[WH__OTLP_WORDS];
    if (answer->status >= 300) snprintf(status, sizeof status, "HTTP %ld", answer->status);
    if (tries > 1) snprintf(times, sizeof times, " (tried %u times)", tries);
    if (answer->error)
        snprintf(words, sizeof words, "%.199s", answer->reason);
    else
        wh__otlp_read_refusal(answer->body, words);
    snprintf(why, sizeof why, "%s%s%s%s", status, status[0] && words[0] ? ": " : "", words, times);
    return fail(otlp, answer->error ? answer->error : EIO, why);
}

/* Whether this is the first time. */
static bool tell(bool *told)
{
    const bool before = *told;
    *told = true;
    return !before;
}

/* A partial success is never tried again (OTLP/HTTP, partial success). */
static int note_success(struct otlp *otlp, const struct wh__otlp_answer *answer, size_t count, size_t *rejected)
{
    char words[WH__OTLP_WORDS];
    size_t refused;
    const int rc = wh__otlp_read_success(answer->body, count, &refused, words);
    if (rc == ENOMEM) return fail(otlp, rc, "no memory for the answer");
    if (rc && tell(&otlp->told_nonsense))
        wh_report(WH_WARNING, "%.200s says that all is well, but not in OTLP: is it a collector?", otlp->url.shown);
    *rejected = refused;
    if (refused && tell(&otlp->told_rejection))
        wh_report(WH_WARNING, "%.200s rejected %zu of %zu spans: %s", otlp->url.shown, refused, count, words);
    if (!refused && words[0] && tell(&otlp->told_warning))
        wh_report(WH_WARNING, "%.200s took the spans, and says: %s", otlp->url.shown, words);
    return 0;
}

/* ---- sending ---- */

static int64_t after(int64_t duration)
{
    int64_t instant;
    return __builtin_add_overflow(wh_now(), duration, &instant) ? WH_NEVER : instant;
}

/* A status counts even where the rest of the answer broke off. Somebody who has never been there is not waited for:
 * most programs without a collector will never have one. */
static bool may_try_again(const struct otlp *otlp, const struct wh__otlp_answer *answer)
{
    if (answer->error && !answer->transient) return false;
    return answer->status >= 300 ? wh__otlp_may_try_again(answer->status) : otlp->was_reached;
}

static int deliver(struct otlp *otlp, struct wh_bytes body, size_t count, int64_t deadline, size_t *rejected)
{
    struct wh__otlp_http *http = otlp->post->http;
    struct wh__otlp_answer answer;
    for (unsigned tries = 1;; tries++) {
        const int64_t limit = after(otlp->timeout);
        wh__otlp_http_post(http, body, limit < deadline ? limit : deadline, &answer);
        if (answer.status) otlp->was_reached = true;
        if (!answer.error && answer.status / 100 == 2) return note_success(otlp, &answer, count, rejected);
        const int rc = fail_with(otlp, &answer, tries);
        if (!may_try_again(otlp, &answer)) return rc;
        const int64_t next = after(wh__otlp_pause(tries, answer.retry_after));
        if (next >= deadline) return rc;
        if (!wh__otlp_http_wait(http, next)) return fail(otlp, ECANCELED, "interrupted while waiting to try again");
    }
}

static int send_batch(struct otlp *otlp, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct wh_bytes body;
    if (otlp->shut_down) return fail(otlp, ESHUTDOWN, "the exporter was shut down");
    if (wh_now() >= deadline) return fail(otlp, ETIMEDOUT, "no time was left");
    struct post *post = own_post(otlp);
    if (!post) return fail(otlp, ENOMEM, "no memory");
    int rc = wh__otlp_request_make(&post->request, batch, otlp->gzip, &body);
    if (rc == EMSGSIZE)
        fail(otlp, rc, "a request of more than 64 MiB is not sent");
    else if (rc)
        fail(otlp, rc, strerror(rc));
    else
        rc = deliver(otlp, body, batch->count, deadline, rejected);
    wh__otlp_request_trim(&post->request);
    return rc;
}

/* ---- the exporter ---- */

/* An interrupt counts until a call has ended: one that comes just before the call is meant for it. */
static int export_batch(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct otlp *otlp = (struct otlp *)self;
    otlp->error[0] = '\0';
    if (batch->count == 0) return 0;
    const int rc = send_batch(otlp, batch, deadline, rejected);
    __atomic_store_n(&otlp->interrupted, 0, __ATOMIC_SEQ_CST);
    return rc;
}

static void shut_down(struct wh_exporter *self, int64_t deadline)
{
    (void)deadline;
    ((struct otlp *)self)->shut_down = true;
}

static const char *last_error(struct wh_exporter *self)
{
    const struct otlp *otlp = (const struct otlp *)self;
    return otlp->error[0] ? otlp->error : NULL;
}

static void interrupt(struct wh_exporter *self)
{
    struct otlp *otlp = (struct otlp *)self;
    __atomic_store_n(&otlp->interrupted, 1, __ATOMIC_SEQ_CST);
    struct post *post = __atomic_load_n(&otlp->post, __ATOMIC_SEQ_CST);
    if (post && post->pid == getpid()) wh__otlp_http_wake(post->http);
}

static void destroy(struct wh_exporter *self)
{
    struct otlp *otlp = (struct otlp *)self;
    if (otlp->post) post_free(otlp->post);
    curl_slist_free_all(otlp->headers);
    wh__otlp_url_free(&otlp->url);
    wh__otlp_mem_free(otlp);
}

static int set_up(struct otlp *otlp, const struct wh_otlp_opts *opts)
{
    otlp->exporter = (struct wh_exporter){.size = sizeof otlp->exporter, .name = "otlp", .export_batch = export_batch,
        .shutdown = shut_down, .last_error = last_error, .interrupt = interrupt, .destroy = destroy};
    otlp->timeout = opts->timeout > 0 ? opts->timeout : WH_SEC(10);
    otlp->gzip = opts->gzip;
    int rc = wh__otlp_http_begin();
    if (rc == 0) rc = wh__otlp_url_make(opts, &otlp->url);
    if (rc == 0) rc = wh__otlp_headers_make(opts->headers, opts->gzip, &otlp->headers);
    return rc;
}

struct wh_exporter *wh_otlp_exporter_new_at(const struct wh_otlp_opts *given)
{
    struct wh_otlp_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    struct otlp *otlp = wh__otlp_mem_zero(sizeof *otlp);
    const int rc = otlp ? set_up(otlp, &opts) : ENOMEM;
    if (rc == 0) return &otlp->exporter;
    if (otlp) destroy(&otlp->exporter);
    errno = rc;
    return NULL;
}
