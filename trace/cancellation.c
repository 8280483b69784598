/* What a span says of its deadline and of its cancellation (DESIGN, section 6).
 *
 * Whoever owns the deadline that fired is an error; everyone who was stopped because of something else is not, unless the
 * provider wants it so. The origin stands in attributes, since Jaeger's UI drops those of links. A link is made only from
 * a span with a local parent: one from a local root to a span of its own trace could leave the UI without any root.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/text.h"
#include "context/clock.h"
#include "trace/attr.h"
#include "trace/names.h"
#include "trace/provider.h"
#include "trace/span.h"

/* ---- writing ---- */

static void put(struct wh__record **record, struct wh_attr attr)
{
    struct wh__attr ready;
    if (wh__attr_ready(&ready, &attr, strlen(attr.key), NULL)) wh__record_attr(record, &ready);
}

/* To the microsecond: more digits only disturb. */
static double milliseconds(int64_t ns)
{
    return (double)(ns / 1000) / 1000;
}

static const char *say_site(char *buf, size_t size, const struct wh_site *site)
{
    struct wh__text text = {.buf = buf, .size = size};
    const char *slash = strrchr(site->file, '/');
    wh__put(&text, "%s:%d %s", slash ? slash + 1 : site->file, site->line, site->func);
    return buf;
}

/* ---- the deadline ---- */

/* What it had when it was started. Under a clock of its own that is known if it has asked for it: `started` is of the system's. */
static int64_t budget_of(const struct wh__trace_node *trace)
{
    const wh_ctx *node = &trace->node;
    if (!(node->flags & WH__CLOCKED)) return wh__sub(node->deadline, trace->started);
    return node->flags & WH__TIMED ? node->asked : WH_NEVER;
}

bool wh__is_late(const struct wh__trace_node *trace, int64_t ended)
{
    const wh_ctx *node = &trace->node;
    const int64_t now = node->flags & WH__CLOCKED ? wh__now_for(node) : ended;
    const int64_t left = wh__sub(node->deadline, now), budget = budget_of(trace);
    return left < 0 || (budget != WH_NEVER && left < budget / 10);
}

void wh__record_deadline(struct wh__record **record, const struct wh__trace_node *trace, int64_t ended)
{
    const wh_ctx *node = &trace->node;
    (*record)->most_attributes = UINT32_MAX;
    if (node->asked != WH_NEVER) put(record, wh_attr(WH__DEADLINE_ASKED_MS, milliseconds(node->asked)));
    if (node->deadline == WH_NEVER) return;
    const int64_t budget = budget_of(trace);
    if (budget != WH_NEVER) put(record, wh_attr(WH__DEADLINE_BUDGET_MS, milliseconds(budget)));
    const int64_t now = node->flags & WH__CLOCKED ? wh__now_for(node) : ended;
    put(record, wh_attr(WH__DEADLINE_REMAINING_MS, milliseconds(wh__sub(node->deadline, now))));
}

/* ---- the cancellation ---- */

static void put_origin(struct wh__record **record, const struct wh_cause *cause)
{
    char hex[33] = "";
    if (!cause->has_span) return;
    wh__hex(hex, cause->trace_id, 16);
    put(record, wh_attr(WH__CANCEL_ORIGIN_TRACE_ID, (const char *)hex));
    wh__hex(hex, cause->span_id, 8);
    hex[16] = '\0';
    put(record, wh_attr(WH__CANCEL_ORIGIN_SPAN_ID, (const char *)hex));
    if (cause->span_name) put(record, wh_attr(WH__CANCEL_ORIGIN_SPAN_NAME, cause->span_name));
}

static void put_cause(struct wh__record **record, const struct wh_cause *cause, int64_t started, int64_t ended)
{
    char site[256];
    put(record, wh_attr(WH__CANCELLED, (bool)true));
    put(record, wh_attr(WH__CANCEL_REASON, cause->reason->name));
    if (cause->text) put(record, wh_attr(WH__CANCEL_MESSAGE, cause->text));
    if (cause->site) put(record, wh_attr(WH__CANCEL_SITE, say_site(site, sizeof site, cause->site)));
    put_origin(record, cause);
    put(record, wh_attr(WH__CANCEL_DEPTH, (int64_t)cause->depth));
    put(record, wh_attr(WH__CANCEL_OVERRUN_MS, milliseconds(wh__sub(ended, cause->at > started ? cause->at : started))));
}

static bool wants_link(const struct wh__trace_node *trace, const struct wh_cause *cause)
{
    const struct wh__trace_node *parent = wh__trace_of(trace->node.parent);
    if (!cause->has_span || memcmp(cause->span_id, trace->span_id, 8) == 0) return false;
    if (!parent || !wh__has_span(parent) || parent->remote || memcmp(parent->trace_id, trace->trace_id, 16)) return false;
    return memcmp(cause->span_id, parent->span_id, 8) != 0;
}

static void put_link(struct wh__record **record, const struct wh__trace_node *trace, const struct wh_cause *cause,
                     const struct wh_limits *limits)
{
    struct wh_span_context to = {.flags = trace->flags, .remote = cause->span_is_remote};
    const struct wh_attr reason = wh_attr(WH__CANCEL_REASON, cause->reason->name);
    memcpy(to.trace_id, cause->trace_id, sizeof to.trace_id);
    memcpy(to.span_id, cause->span_id, sizeof to.span_id);
    wh__record_link(record, &to, (struct wh_attrs){&reason, 1}, limits);
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
        put(record, wh_attr(WH__ERROR_TYPE, "timeout"));
    } else if (trace->provider->cancelled_is_error && (*record)->status != WH_STATUS_ERROR) {
        wh__record_status(record, WH_STATUS_ERROR, cause->text ? cause->text : cause->reason->name);
        put(record, wh_attr(WH__ERROR_TYPE, cause->reason->name));
    }
}

void wh__record_cancellation(struct wh__record **record, const struct wh__trace_node *trace, int64_t ended)
{
    struct wh_cause cause = {.size = sizeof cause};
    if (!wh_cause_info(&trace->node, &cause)) return;
    const struct wh_attr reason = wh_attr(WH__CANCEL_REASON, cause.reason->name);
    struct wh_limits limits = trace->provider->limits;
    limits.events = limits.links = (*record)->most_attributes = UINT32_MAX; /* the cause gets its place in any case */
    put_cause(record, &cause, trace->started, ended);
    wh__record_event(record, WH__EVENT_RECEIVED, (uint64_t)(cause.at + trace->wall), (struct wh_attrs){&reason, 1}, &limits);
    if (wants_link(trace, &cause)) put_link(record, trace, &cause, &limits);
    put_status(record, trace, &cause);
}

/* The user has called cancel: the span of the context on which it was called says so, also if it goes on itself. */
void wh__record_request(const wh_ctx *node, const struct wh__verdict *verdict)
{
    char site[256];
    struct wh__trace_node *trace = wh__trace_of(node);
    if (!trace || !__atomic_load_n(&trace->record, __ATOMIC_RELAXED)) return;
    struct wh_attr attrs[3];
    size_t count = 0;
    attrs[count++] = wh_attr(WH__CANCEL_REASON, verdict->reason->name);
    attrs[count++] = wh_attr(WH__CANCEL_SITE, say_site(site, sizeof site, verdict->site));
    if (verdict->text) attrs[count++] = wh_attr(WH__CANCEL_MESSAGE, verdict->text);
    wh_event(&trace->node, WH__EVENT_REQUESTED, .attrs = {attrs, count}, .at = node->at);
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
