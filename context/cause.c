/* Why a context is done: the reasons that the library knows, and what can be asked of the cause. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "context/because.h"
#include "context/merge.h"
#include "context/tree.h"

#define REASON(ident, text, error, status) \
    const struct wh_reason wh_reason_##ident = {.size = sizeof(struct wh_reason), .name = text, .err = error, .http_status = status}
REASON(canceled, "canceled", ECANCELED, 500);
REASON(deadline_exceeded, "deadline_exceeded", ETIMEDOUT, 504);
REASON(client_gone, "client_gone", ECANCELED, 499);
REASON(sibling_failed, "sibling_failed", ECANCELED, 500);
REASON(race_lost, "race_lost", ECANCELED, 500);
REASON(group_done, "group_done", ECANCELED, 500);
REASON(shutdown, "shutdown", ECANCELED, 503);
REASON(ended, "ended", ECANCELED, 500);
REASON(handler_returned, "handler_returned", ECANCELED, 500);
REASON(no_memory, "no_memory", ECANCELED, 503);

/* The node that holds the cause of ctx; NULL while it is not done. */
static wh_ctx *cause_of(const wh_ctx *ctx)
{
    wh_ctx *node = wh_err(ctx) ? wh__live(ctx) : NULL;
    return node ? wh__origin(node) : NULL;
}

const struct wh_reason *wh_cause(const wh_ctx *ctx)
{
    const wh_ctx *origin = cause_of(ctx);
    return origin ? origin->reason : NULL;
}

int wh_http_status(const wh_ctx *ctx)
{
    const struct wh_reason *reason = wh_cause(ctx);
    return reason && reason->http_status ? reason->http_status : 500;
}

/* Whose fault it is comes before where the cancel was called: both are known of a group's first failure. */
static void name_culprit(const struct wh__because *link, struct wh_cause *cause)
{
    static const uint8_t none[8];
    if (link->place) cause->site = link->place;
    if (link->said.text) cause->text = link->said.text;
    if (memcmp(link->said.span_id, none, sizeof none) == 0) return;
    cause->has_span = true;
    cause->span_is_remote = link->said.remote;
    memcpy(cause->trace_id, link->said.trace_id, sizeof cause->trace_id);
    memcpy(cause->span_id, link->said.span_id, sizeof cause->span_id);
    cause->span_name = link->said.span_name;
    if (link->made) cause->origin = link->made;
}

bool wh_cause_info(const wh_ctx *ctx, struct wh_cause *cause)
{
    wh_ctx *origin = cause_of(ctx);
    if (!origin) return false;
    struct wh_cause all = {
        .size = cause->size,
        .reason = origin->reason,
        .text = origin->text,
        .site = origin->site,
        .origin = origin->made,
        .at = origin->at,
        .at_wall = wh__add(origin->at, wh__wall_offset()),
        .deadline = wh__live(ctx)->deadline,
        .deadline_asked = wh__live(ctx)->asked,
        .thread = origin->by.thread,
        .losers = __atomic_load_n(&origin->by.losers, __ATOMIC_RELAXED),
        .depth = wh__depth_below(ctx, origin),
    };
    if (origin->flags & WH__TRACE_ABOVE && wh__span_ops()) wh__span_ops()->describe(origin, &all);
    const struct wh__extra *extra = __atomic_load_n(&origin->extra, __ATOMIC_ACQUIRE);
    if (extra) {
        wh__lock(&origin->state);
        all.loser_reason = extra->loser;
        all.loser_site = extra->loser_site;
        all.loser_at = extra->loser_at;
        const struct wh__because *link = extra->link;
        wh__unlock(&origin->state);
        if (link && link->kind == WH__BY_SIBLING) name_culprit(link, &all);
    }
    memcpy(cause, &all, cause->size < sizeof all ? cause->size : sizeof all);
    return true;
}
