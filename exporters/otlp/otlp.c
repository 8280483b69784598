/* Sends spans to a collector: OTLP over HTTP, in protobuf or JSON, and over gRPC. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "otlp/mem.h"
#include "otlp/otlp.h"

/* ---- exporting ---- */

static struct wh__otlp_post *own_post(struct wh__otlp *otlp)
{
    struct wh__otlp_post *post = otlp->post;
    if (post && post->pid == getpid()) return post;
    if (post) wh__otlp_post_free(post);
    post = wh__otlp_post_new(&otlp->target, &otlp->interrupted);
    __atomic_store_n(&otlp->post, post, __ATOMIC_SEQ_CST);
    return post;
}

static bool is_shut_down(const struct wh__otlp *otlp)
{
    return __atomic_load_n(&otlp->shut_down, __ATOMIC_RELAXED);
}

static int send_batch(struct wh__otlp *otlp, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    if (is_shut_down(otlp)) return wh__otlp_fail(otlp, ESHUTDOWN, "the exporter was shut down");
    if (wh_now() >= deadline) return wh__otlp_fail(otlp, ETIMEDOUT, "no time was left");
    struct wh__otlp_post *post = own_post(otlp);
    if (!post) return wh__otlp_fail(otlp, ENOMEM, "no memory");
    const int rc = wh__otlp_deliver(otlp, batch, deadline, rejected);
    wh__otlp_request_trim(&post->request);
    wh__otlp_room_trim(&post->answer);
    return rc;
}

/* An interrupt counts until a call has ended: one that comes just before the call is meant for it. */
static int export_batch(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct wh__otlp *otlp = (struct wh__otlp *)self;
    otlp->error[0] = '\0';
    if (batch->count == 0) return 0;
    const int rc = send_batch(otlp, batch, deadline, rejected);
    struct wh__otlp_post *post = otlp->post;
    if (post && post->pid == getpid())
        wh__otlp_http_go_on(post->http, &otlp->interrupted);
    else
        __atomic_store_n(&otlp->interrupted, 0, __ATOMIC_SEQ_CST);
    return rc;
}

/* Nothing is held back: what was given to export_batch() has been answered for. */
static int flush(struct wh_exporter *self, int64_t deadline)
{
    (void)deadline;
    return is_shut_down((struct wh__otlp *)self) ? ESHUTDOWN : 0;
}

static void shut_down(struct wh_exporter *self, int64_t deadline)
{
    (void)deadline;
    __atomic_store_n(&((struct wh__otlp *)self)->shut_down, true, __ATOMIC_RELAXED);
}

static const char *last_error(struct wh_exporter *self)
{
    const struct wh__otlp *otlp = (const struct wh__otlp *)self;
    return otlp->error[0] ? otlp->error : NULL;
}

static void interrupt(struct wh_exporter *self)
{
    struct wh__otlp *otlp = (struct wh__otlp *)self;
    __atomic_store_n(&otlp->interrupted, 1, __ATOMIC_SEQ_CST);
    struct wh__otlp_post *post = __atomic_load_n(&otlp->post, __ATOMIC_SEQ_CST);
    if (post && post->pid == getpid()) wh__otlp_http_wake(post->http);
}

/* ---- making ---- */

static void destroy(struct wh_exporter *self)
{
    struct wh__otlp *otlp = (struct wh__otlp *)self;
    if (otlp->post) wh__otlp_post_free(otlp->post);
    wh__otlp_target_free(&otlp->target);
    wh__otlp_mem_free(otlp);
}

static int set_up(struct wh__otlp *otlp, const struct wh_otlp_opts *opts)
{
    static const char *const names[] = {"otlp_http", "otlp_http_json", "otlp_grpc"}; /* after otel.component.type */
    otlp->exporter = (struct wh_exporter){.size = sizeof otlp->exporter, .export_batch = export_batch,
        .flush = flush, .shutdown = shut_down, .last_error = last_error, .interrupt = interrupt, .destroy = destroy};
    int rc = wh__otlp_http_begin();
    if (rc == 0) rc = wh__otlp_target_make(opts, &otlp->target);
    if (rc == 0) otlp->exporter.name = names[otlp->target.protocol];
    return rc;
}

struct wh_exporter *wh_otlp_exporter_new_at(const struct wh_otlp_opts *given)
{
    struct wh_otlp_opts opts = {0};
    memcpy(&opts, given, given->size < sizeof opts ? given->size : sizeof opts);
    struct wh__otlp *otlp = wh__otlp_mem_zero(sizeof *otlp);
    const int rc = otlp ? set_up(otlp, &opts) : ENOMEM;
    if (rc == 0) return &otlp->exporter;
    if (otlp) destroy(&otlp->exporter);
    errno = rc;
    return NULL;
}
