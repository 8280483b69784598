/* The cause in words. */
#include <errno.h>

#include "base/clock.h"
#include "context/because.h"
#include "context/tree.h"
#include "context/words.h"

static void put_first_line(struct wh__text *text, const wh_ctx *ctx, const struct wh_cause *cause)
{
    wh__put(text, "%s: %s", wh_err(ctx) == ETIMEDOUT ? "timed out" : "canceled", cause->reason->name);
    if (cause->text) {
        wh__put(text, " ");
        wh__put_clean(text, cause->text);
    }
    wh__put_site(text, " at ", cause->site);
    if (cause->site) wh__put(text, " %s", cause->site->func);
    if (!cause->at) return; /* nobody looked at the clock: out of memory */
    wh__put(text, ", ");
    wh__put_duration(text, wh__sub(wh__now(), cause->at));
    wh__put(text, " ago");
}

static void put_origin(struct wh__text *text, const struct wh_cause *cause)
{
    wh__put(text, "\n  origin   ");
    if (cause->span_name)
        wh__put_clean(text, cause->span_name);
    else
        wh__put(text, cause->span_is_remote ? "the caller" : "a context");
    if (!cause->span_is_remote) wh__put_site(text, " started at ", cause->origin);
    if (cause->depth == 0)
        wh__put(text, ", this one");
    else
        wh__put(text, ", %u level%s above", cause->depth, cause->depth == 1 ? "" : "s");
    if (cause->has_span) {
        char id[17] = "";
        wh__hex(id, cause->span_id, 8);
        wh__put(text, ", %sspan %s", cause->span_is_remote ? "remote " : "", id);
    }
}

/* What was asked for here, whether it held, and what was left of what held when the cancel came. */
static void put_deadline(struct wh__text *text, const wh_ctx *node, int64_t at)
{
    if (node->deadline == WH_NEVER) return;
    wh__put(text, "\n  deadline ");
    if (node->asked != WH_NEVER) wh__put_duration(text, node->asked);
    wh__put(text, node->asked == WH_NEVER ? "of an ancestor, " : node->flags & WH__TIMED ? " asked, " : " asked, an earlier one held, ");
    if (node->flags & WH__CLOCKED) { /* `at` is of the system's clock */
        wh__put(text, "by a clock of its own");
        return;
    }
    const int64_t left = wh__sub(node->deadline, at);
    if (left > 0) {
        wh__put_duration(text, left);
        wh__put(text, " left");
    } else {
        wh__put(text, "passed");
    }
}

static void put_losers(struct wh__text *text, const struct wh_cause *cause)
{
    if (cause->losers == 0) return;
    wh__put(text, "\n  ignored  %u later cancel%s", cause->losers, cause->losers == 1 ? "" : "s");
    if (!cause->loser_reason) return;
    wh__put(text, cause->losers == 1 ? ": %s" : ", the first %s", cause->loser_reason->name);
    wh__put_site(text, " at ", cause->loser_site);
    wh__put(text, " +");
    wh__put_duration(text, wh__sub(cause->loser_at, cause->at));
}

/* One line for each link after those that have been said. */
static void put_chain(struct wh__text *text, const struct wh__because *link)
{
    for (; link; link = link->next) {
        wh__put(text, "\n  because  ");
        wh__put_because(text, &link->said);
    }
}

static void put_failure(struct wh__text *text, const wh_ctx *ctx)
{
    struct wh__because *link = wh__because_of(ctx);
    if (!link) return;
    wh__put(text, "\n  failed   ");
    wh__put_because(text, &link->said);
    put_chain(text, link->next);
    wh__because_put(link);
}

size_t wh_explain(const wh_ctx *ctx, char *buf, size_t size)
{
    struct wh__text text = {.buf = buf, .size = size};
    struct wh_cause cause = {.size = sizeof cause};
    const wh_ctx *node = wh__live(ctx);
    if (size) buf[0] = '\0';
    if (!wh_cause_info(ctx, &cause)) {
        wh__put(&text, node ? "not done" : "not done, and never will be");
        if (node) put_deadline(&text, node, wh__now());
        put_failure(&text, ctx);
        return text.len;
    }
    put_first_line(&text, ctx, &cause);
    put_origin(&text, &cause);
    put_deadline(&text, node, cause.at);
    put_losers(&text, &cause);
    const struct wh__because *link = wh__because_known(ctx);
    if (link) put_chain(&text, link->next);
    return text.len;
}
