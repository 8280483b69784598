/* What a span says of its deadline and of its cancellation (DESIGN, section 6).
 *
 * Whoever owns the deadline that fired is an error; everyone who was stopped because of something else is not, unless the
 * provider wants it so. The origin stands in attributes, since Jaeger's UI drops those of links. A link is made only from
 * a span with a local parent: one from a local root to a span of its own trace could leave the UI without any root.
 */
#include <errno.h>
#include <whence/names.h>

#include "base/clock.h"
#include "base/errname.h"
#include "base/text.h"
#include "context/because.h"
#include "context/clock.h"
#include "context/merge.h"
#include "trace/brief.h"
#include "trace/own.h"
#include "trace/provider.h"
#include "trace/resource.h"

/* ---- the deadline ---- */

/* What it had when it was started. Under a clock of its own that is known if it has asked for it: `started` is of the system's. */
static int64_t budget_of(const struct wh__trace_node *trace)
{
    const wh_ctx *node = &trace->node;
    if (!(node->flags & WH__CLOCKED)) return wh__sub(node->deadline, trace->started);
    return node->flags & WH__TIMED ? node->asked : WH_NEVER;
}

/* Whose it is: it was set here, further up in this process, or came with a request. */
static const char *source_of(const wh_ctx *node)
{
    const wh_ctx *owner = node;
    while (!(owner->flags & WH__TIMED)) {
        const wh_ctx *above = owner->flags & WH__MERGED ? wh__deadline_source(owner) : wh__live_above(owner);
        if (!above) break;
        owner = above;
    }
    if (owner->flags & WH__CALLERS) return "caller";
    return owner == node ? "own" : "ancestor";
}

/* What could be searched for today, before it is an incident. */
static bool is_nearly_late(const wh_ctx *node, int64_t budget, int64_t remaining)
{
    return budget != WH_NEVER && remaining >= 0 && remaining < budget / 10 && !wh_err(node);
}

void wh__record_deadline(struct wh__record **record, const struct wh__trace_node *trace, int64_t ended)
{
    const wh_ctx *node = &trace->node;
    if (node->asked != WH_NEVER) wh__own_ms(record, WH_ATTR_DEADLINE_ASKED_MS, node->asked);
    if (node->deadline == WH_NEVER) return;
    const int64_t budget = budget_of(trace);
    if (budget != WH_NEVER) wh__own_ms(record, WH_ATTR_DEADLINE_BUDGET_MS, budget);
    const int64_t remaining = wh__sub(node->deadline, node->flags & WH__CLOCKED ? wh__now_for(node) : ended);
    wh__own_ms(record, WH_ATTR_DEADLINE_REMAINING_MS, remaining);
    wh__own_text(record, WH_ATTR_DEADLINE_SOURCE, source_of(node));
    if (remaining < 0 || (budget != WH_NEVER && remaining < budget / 10)) (*record)->marks |= WH__WAS_LATE;
    if (is_nearly_late(node, budget, remaining)) wh__own_attr(record, wh_attr(WH_ATTR_DEADLINE_NEARLY_LATE, (bool)true));
}

/* ---- the cancellation ---- */

static void put_origin(struct wh__record **record, const struct wh_cause *cause)
{
    if (!cause->has_span) return;
    wh__own_id(record, WH_ATTR_CANCEL_ORIGIN_TRACE_ID, cause->trace_id, sizeof cause->trace_id);
    wh__own_id(record, WH_ATTR_CANCEL_ORIGIN_SPAN_ID, cause->span_id, sizeof cause->span_id);
    wh__own_text(record, WH_ATTR_CANCEL_ORIGIN_SPAN_NAME, cause->span_name);
}

/* "sibling_failed at stock.c:40 reserve +0.3 ms" */
static void put_suppressed(struct wh__record **record, const struct wh_cause *cause)
{
    char buf[256], site[160];
    struct wh__text text = {.buf = buf, .size = sizeof buf};
    if (cause->losers == 0) return;
    wh__own_attr(record, wh_attr(WH_ATTR_CANCEL_SUPPRESSED_COUNT, (int64_t)cause->losers));
    if (!cause->loser_reason) return;
    wh__put(&text, "%s", cause->loser_reason->name);
    if (cause->loser_site) wh__put(&text, " at %s", wh__say_site(site, sizeof site, cause->loser_site));
    wh__put(&text, " +");
    wh__put_duration(&text, wh__sub(cause->loser_at, cause->at));
    wh__own_text(record, WH_ATTR_CANCEL_SUPPRESSED, buf);
}

static int64_t overrun_of(const struct wh_cause *cause, int64_t started, int64_t ended)
{
    return wh__sub(ended, cause->at > started ? cause->at : started);
}

static void put_cause(struct wh__record **record, const struct wh_cause *cause, int64_t started, int64_t ended)
{
    char site[256];
    wh__own_attr(record, wh_attr(WH_ATTR_CANCELLED, (bool)true));
    wh__own_text(record, WH_ATTR_CANCEL_REASON, cause->reason->name);
    wh__own_text(record, WH_ATTR_CANCEL_MESSAGE, cause->text);
    if (cause->site) wh__own_text(record, WH_ATTR_CANCEL_SITE, wh__say_site(site, sizeof site, cause->site));
    put_origin(record, cause);
    wh__own_attr(record, wh_attr(WH_ATTR_CANCEL_DEPTH, (int64_t)cause->depth));
    wh__own_ms(record, WH_ATTR_CANCEL_OVERRUN_MS, overrun_of(cause, started, ended));
    put_suppressed(record, cause);
}

static bool wants_link(const struct wh__trace_node *trace, const struct wh_cause *cause)
{
    const struct wh__trace_node *parent = wh__trace_of(trace->node.parent);
    if (!cause->has_span || memcmp(cause->span_id, trace->span_id, 8) == 0) return false;
    if (!parent || !wh__has_span(parent) || parent->remote || memcmp(parent->trace_id, trace->trace_id, 16)) return false;
    return memcmp(cause->span_id, parent->span_id, 8) != 0;
}

static void put_link(struct wh__record **record, const struct wh__trace_node *trace, const struct wh_cause *cause)
{
    struct wh_span_context to = {.flags = trace->flags, .remote = cause->span_is_remote};
    const struct wh_attr reason = wh_attr(WH_ATTR_CANCEL_REASON, cause->reason->name);
    memcpy(to.trace_id, cause->trace_id, sizeof to.trace_id);
    memcpy(to.span_id, cause->span_id, sizeof to.span_id);
    wh__own_link(record, trace, &to, (struct wh_attrs){&reason, 1});
}

static void put_status(struct wh__record **record, const struct wh__trace_node *trace, const struct wh_cause *cause)
{
    char buf[64];
    struct wh__text text = {.buf = buf, .size = sizeof buf};
    const bool owns_deadline = wh_err(&trace->node) == ETIMEDOUT && wh__origin(&trace->node) == &trace->node;
    if ((*record)->status == WH_STATUS_OK) return;
    if (owns_deadline) {
        wh__put(&text, "deadline of ");
        wh__put_duration(&text, budget_of(trace));
        wh__put(&text, " exceeded");
        if ((*record)->status != WH_STATUS_ERROR) wh__record_status(record, WH_STATUS_ERROR, buf);
        wh__own_text(record, WH_ATTR_ERROR_TYPE, "timeout");
    } else if (trace->provider->cancelled_is_error && (*record)->status != WH_STATUS_ERROR) {
        wh__record_status(record, WH_STATUS_ERROR, cause->text ? cause->text : cause->reason->name);
        wh__own_text(record, WH_ATTR_ERROR_TYPE, cause->reason->name);
    }
}

void wh__record_cancellation(struct wh__record **record, const struct wh__trace_node *trace, int64_t ended)
{
    (*record)->marks |= WH__WAS_DONE;
    struct wh_cause cause = {.size = sizeof cause};
    if (!wh_cause_info(&trace->node, &cause)) return;
    if (wh__unlikely(wh__is_brief(trace, &cause))) {
        wh__record_briefly(record, &cause, overrun_of(&cause, trace->started, ended));
        put_status(record, trace, &cause);
        return;
    }
    const struct wh_attr reason = wh_attr(WH_ATTR_CANCEL_REASON, cause.reason->name);
    put_cause(record, &cause, trace->started, ended);
    wh__record_chain(record, wh__because_known(&trace->node), NULL);
    wh__own_event(record, trace, WH_EVENT_CANCEL_RECEIVED, (uint64_t)(cause.at + trace->wall), (struct wh_attrs){&reason, 1});
    if (wants_link(trace, &cause)) put_link(record, trace, &cause);
    put_status(record, trace, &cause);
}

/* Of a span that has failed and was not cancelled: what that was because of, below it or in another process. */
void wh__record_failure(struct wh__record **record, const struct wh__trace_node *trace)
{
    struct wh__because *chain = wh__because_of(&trace->node);
    wh__record_chain(record, chain, trace->span_id);
    wh__because_put(chain);
}

/* The user has called cancel: the span of the context on which it was called says so, also if it goes on itself. */
void wh__record_request(const wh_ctx *node, const struct wh__verdict *verdict)
{
    char site[256];
    struct wh__trace_node *trace;
    struct wh_attr attrs[3];
    size_t count = 0;
    attrs[count++] = wh_attr(WH_ATTR_CANCEL_REASON, verdict->reason->name);
    attrs[count++] = wh_attr(WH_ATTR_CANCEL_SITE, wh__say_site(site, sizeof site, verdict->site));
    if (verdict->text) attrs[count++] = wh_attr(WH_ATTR_CANCEL_MESSAGE, verdict->text);
    if (!wh__own_open(node, &trace)) return;
    wh__own_event(&trace->record, trace, WH_EVENT_CANCEL_REQUESTED, (uint64_t)(node->at + trace->wall),
                  (struct wh_attrs){attrs, count});
    wh__unlock(&trace->lock);
}

void wh__record_gave_up(const wh_ctx *ctx, const struct wh__gave_up *what)
{
    struct wh__trace_node *trace;
    const struct wh_attr of_semaphore[] = {
        wh_attr("waited_ms", wh__milliseconds(what->waited)), wh_attr("weight", (int64_t)what->weight),
        wh_attr("size", (int64_t)what->size), wh_attr("taken", (int64_t)what->taken)};
    const struct wh_attr of_retry[] = {wh_attr("attempts", (int64_t)what->attempts), wh_attr("why", what->why),
        wh_attr("last_error", wh__errno_name(what->last_error))};
    if (!wh__own_open(ctx, &trace)) return;
    wh__own_text(&trace->record, WH_ATTR_GAVE_UP, what->is_retry ? "retry" : "semaphore");
    const struct wh_attrs attrs = what->is_retry ? (struct wh_attrs){of_retry, what->last_error ? 3 : 2} : (struct wh_attrs){of_semaphore, 4};
    wh__own_event(&trace->record, trace, what->is_retry ? WH_EVENT_RETRY_GAVE_UP : WH_EVENT_SEMAPHORE_GAVE_UP,
                  (uint64_t)(wh__now() + trace->wall), attrs);
    wh__unlock(&trace->lock);
}

/* The caller in another process is the origin of what came from it: its going away, and its deadline. */
void wh__describe_origin(const wh_ctx *origin, struct wh_cause *cause)
{
    const struct wh__trace_node *trace = wh__trace_of(origin), *remote = trace;
    while (remote && !remote->remote) remote = wh__trace_of(remote->node.parent);
    if (remote && (remote == trace || cause->reason == WH_CLIENT_GONE)) {
        trace = remote;
        cause->span_is_remote = true;
        cause->depth += origin->level - remote->node.level;
    }
    if (!trace || !wh__has_span(trace)) return;
    cause->has_span = true;
    memcpy(cause->trace_id, trace->trace_id, sizeof cause->trace_id);
    memcpy(cause->span_id, trace->span_id, sizeof cause->span_id);
    if (!trace->remote && *wh__name_of(trace)) cause->span_name = wh__name_of(trace);
}

const char *wh__service_of(const wh_ctx *node, char *buf, size_t size)
{
    const wh_provider *provider = ((const struct wh__trace_node *)(const void *)node)->provider;
    struct wh__text text = {.buf = buf, .size = size};
    struct wh_bytes name;
    buf[0] = '\0';
    if (provider && wh__resource_text(provider->who, "service.name", &name))
        wh__put(&text, "%.*s", (int)name.len, (const char *)name.ptr);
    return buf;
}
