/* What a log should have of a context: how loud, and one line. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "context/because.h"
#include "context/tree.h"
#include "context/words.h"

static bool is_in_the_course_of_things(const struct wh_reason *reason)
{
    return reason == WH_ENDED || reason == WH_GROUP_DONE || reason == WH_RACE_LOST || reason == WH_HANDLER_RETURNED;
}

/* wh_fail() was called for this very one: what failed below it may have been coped with. */
static bool has_failed(const wh_ctx *ctx)
{
    struct wh__span_look span;
    struct wh__because *link = wh__because_of(ctx);
    const wh_ctx *trace = wh__because_trace(ctx);
    bool failed = link && link->kind == WH__BY_FAILURE;
    if (failed && trace && wh__span_ops()->look(trace, &span))
        failed = memcmp(span.span_id, link->said.span_id, sizeof span.span_id) == 0;
    wh__because_put(link);
    return failed;
}

enum wh_log_level wh_log_level(const wh_ctx *ctx)
{
    const struct wh_reason *reason = wh_cause(ctx);
    if (!reason) return has_failed(ctx) ? WH_LOG_ERROR : WH_LOG_INFO;
    if (reason == WH_CANCELED || reason == WH_SHUTDOWN) return WH_LOG_INFO;
    if (is_in_the_course_of_things(reason)) return WH_LOG_DEBUG;
    if (reason->err == ETIMEDOUT) return WH_LOG_WARN;
    return wh_http_status(ctx) >= 500 ? WH_LOG_ERROR : WH_LOG_INFO;
}

/* ---- the line ---- */

/* When the nearest span or timeout at or above ctx began; 0: there is none. */
static int64_t beginning_of(const wh_ctx *ctx)
{
    for (; ctx; ctx = ctx->parent) {
        if (ctx->flags & WH__VALUE) continue;
        const int64_t span = ctx->flags & WH__TRACE ? wh__span_ops()->started(ctx) : 0;
        if (span) return span;
        if (ctx->flags & WH__TIMED && !(ctx->flags & WH__CLOCKED)) return wh__sub(ctx->deadline, ctx->asked);
    }
    return 0;
}

/* How far it had come by then, and what was left; as far as that goes by the clock of the system, as `at` does. */
static void put_times(struct wh__text *text, const wh_ctx *ctx, int64_t at)
{
    const int64_t began = beginning_of(ctx), deadline = wh_deadline(ctx);
    if (began) {
        const int64_t came = wh__sub(at, began);
        wh__put(text, ", ");
        wh__put_duration(text, came < 0 ? wh__sub(0, came) : came);
        wh__put(text, came < 0 ? " before it began" : " after it began"); /* a span can be born done */
    }
    if (deadline == WH_NEVER || ctx->flags & WH__CLOCKED) return;
    wh__put(text, ", ");
    wh__put_duration(text, wh__until(deadline, at));
    wh__put(text, " left");
}

static void put_origin(struct wh__text *text, const struct wh_cause *cause)
{
    wh__put(text, ", origin ");
    if (cause->span_name)
        wh__put_clean(text, cause->span_name);
    else
        wh__put(text, cause->span_is_remote ? "the caller" : "a context");
    if (!cause->span_is_remote) wh__put_site(text, " at ", cause->origin);
    if (!cause->has_span) return;
    char id[17] = "";
    wh__hex(id, cause->span_id, 8);
    wh__put(text, " span %s", id);
}

static void put_root(struct wh__text *text, const struct wh__because *link)
{
    if (!link || !link->next) return;
    while (link->next) link = link->next;
    wh__put(text, ", because ");
    wh__put_harmless(text, link->said.reason);
}

static void put_failure(struct wh__text *text, const wh_ctx *ctx)
{
    struct wh__because *link = wh__because_of(ctx);
    if (!link) return;
    wh__put(text, ", failed: ");
    wh__put_because(text, &link->said);
    put_root(text, link);
    wh__because_put(link);
}

/* What came with a message may have been over long before anybody looked: then it is the deadline that counts, and not when that
 * was found. */
static int64_t done_at(const wh_ctx *ctx, const struct wh_cause *cause)
{
    const int64_t deadline = wh_deadline(ctx);
    const bool was_over = cause->reason == WH_DEADLINE_EXCEEDED && !(ctx->flags & WH__CLOCKED) && deadline < beginning_of(ctx);
    return was_over && deadline < cause->at ? deadline : cause->at;
}

size_t wh_log_line(const wh_ctx *ctx, char *buf, size_t size)
{
    struct wh__text text = {.buf = buf, .size = size};
    struct wh_cause cause = {.size = sizeof cause};
    if (size) buf[0] = '\0';
    if (!wh_cause_info(ctx, &cause)) {
        wh__put(&text, "not done");
        put_times(&text, ctx, wh__now());
        put_failure(&text, ctx);
        return text.len;
    }
    wh__put(&text, "%s: %s", wh_err(ctx) == ETIMEDOUT ? "timed out" : "canceled", cause.reason->name);
    if (cause.text) {
        wh__put(&text, " ");
        wh__put_clean(&text, cause.text);
    }
    wh__put_site(&text, " at ", cause.site);
    put_origin(&text, &cause);
    put_root(&text, wh__because_known(ctx));
    if (cause.at) put_times(&text, ctx, done_at(ctx, &cause));
    return text.len;
}
