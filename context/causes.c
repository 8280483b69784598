/* Chains of causes: what is noted where, what a failure or a cancel is because of, and wh_causes(). */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "context/because.h"
#include "context/tree.h"

enum { SPANS_NOTED = 32, SHOWN = 15 };

/* What wh_causes() has shown of a context that is not done: pointers into it are out. One block of WH__128. */
struct wh__given {
    uint64_t count;
    struct wh__because *links[SHOWN];
};
_Static_assert(sizeof(struct wh__given) <= 128, "one block");

void wh__because_leave(struct wh__extra *extra)
{
    wh__because_put(extra->link);
    wh__because_put(extra->note);
    for (uint64_t i = 0; extra->given && i < extra->given->count; i++) wh__because_put(extra->given->links[i]);
    wh__slab_put_if(extra->given);
}

/* ---- where one is ---- */

static bool is_nobodys(const wh_ctx *node)
{
    return node->flags & (WH__VALUE | WH__IMMORTAL);
}

const wh_ctx *wh__because_trace(const wh_ctx *ctx)
{
    if (!ctx || !(ctx->flags & WH__TRACE_ABOVE) || !wh__span_ops()) return NULL;
    while (!(ctx->flags & WH__TRACE)) ctx = ctx->parent;
    return ctx;
}

/* Whether the node is that of a span which was started in this process. */
static bool is_own_span(const wh_ctx *node)
{
    struct wh__span_look look;
    return node->flags & WH__TRACE && wh__span_ops()->look(node, &look) && !look.is_remote;
}

/* ---- why a context is done ---- */

static wh_ctx *origin_of(const wh_ctx *ctx)
{
    wh_ctx *node = wh_err(ctx) ? wh__live(ctx) : NULL;
    return node ? wh__origin(node) : NULL;
}

static struct wh__because *link_of(wh_ctx *origin, const struct wh_reason *reason, const char *text, const struct wh_site *site,
                                   struct wh__because *next)
{
    char service[64] = "";
    struct wh_cause cause = {.size = sizeof cause, .reason = reason};
    const wh_ctx *trace = wh__because_trace(origin);
    if (trace) wh__span_ops()->describe(origin, &cause);
    struct wh__because_facts facts = {.kind = WH__BY_CANCEL, .place = site, .made = origin->made,
        .said = {.reason = reason->name, .text = text, .span_name = cause.span_name, .remote = cause.span_is_remote}};
    if (trace && !cause.span_is_remote) facts.said.service = wh__span_ops()->service(trace, service, sizeof service);
    memcpy(facts.said.trace_id, cause.trace_id, sizeof cause.trace_id);
    memcpy(facts.said.span_id, cause.span_id, sizeof cause.span_id);
    return wh__because_new(&facts, next);
}

/* Made at the first question. Whoever comes second finds that of the first. */
struct wh__because *wh__because_of_origin(wh_ctx *origin)
{
    if (origin->flags & WH__IMMORTAL) return NULL;
    struct wh__extra *extra = wh__extra_of(origin, true);
    if (!extra) return NULL;
    struct wh__because *link = __atomic_load_n(&extra->link, __ATOMIC_ACQUIRE);
    if (link) return link;
    struct wh__because *fresh = link_of(origin, origin->reason, origin->text, origin->site, NULL);
    if (!fresh) return NULL;
    wh__lock(&origin->state);
    link = extra->link;
    if (!link) __atomic_store_n(&extra->link, fresh, __ATOMIC_RELEASE);
    wh__unlock(&origin->state);
    if (link) wh__because_put(fresh);
    return link ? link : fresh;
}

const struct wh__because *wh__because_known(const wh_ctx *ctx)
{
    const wh_ctx *origin = origin_of(ctx);
    const struct wh__extra *extra = origin ? __atomic_load_n(&origin->extra, __ATOMIC_ACQUIRE) : NULL;
    return extra ? __atomic_load_n(&extra->link, __ATOMIC_ACQUIRE) : NULL;
}

/* ---- what is noted ---- */

static struct wh__because *note_on(wh_ctx *node)
{
    struct wh__extra *extra = is_nobodys(node) ? NULL : __atomic_load_n(&node->extra, __ATOMIC_ACQUIRE);
    if (!extra) return NULL;
    wh__lock(&node->state);
    struct wh__because *link = wh__because_hold(extra->note);
    wh__unlock(&node->state);
    return link;
}

/* The node whose note is that of ctx: its own, else that of the span it belongs to; but a member of a group is not to blame for
 * what others there have done. *link is the caller's. */
static wh_ctx *noted_of(const wh_ctx *ctx, struct wh__because **link)
{
    for (wh_ctx *node = wh__live(ctx); node; node = wh__live_above(node)) {
        if ((*link = note_on(node))) return node;
        if (node->flags & (WH__TRACE | WH__MEMBER | WH__IMMORTAL)) break;
    }
    *link = NULL;
    return NULL;
}

struct wh__because *wh__because_of(const wh_ctx *ctx)
{
    struct wh__because *link;
    wh_ctx *origin = origin_of(ctx);
    if (origin) return wh__because_hold(wh__because_of_origin(origin));
    noted_of(ctx, &link);
    return link;
}

/* What a span has said of itself before is not what it says now because of. */
static bool is_the_same(const struct wh__because *link, const struct wh_because *failure)
{
    return link->kind == WH__BY_FAILURE && memcmp(link->said.span_id, failure->span_id, sizeof failure->span_id) == 0;
}

struct wh__because *wh__because_behind(const wh_ctx *ctx, const struct wh_because *failure)
{
    struct wh__because *link;
    wh_ctx *origin = origin_of(ctx);
    noted_of(ctx, &link);
    if (link && is_the_same(link, failure)) {
        struct wh__because *next = wh__because_hold(link->next);
        wh__because_put(link);
        link = next;
    }
    if (!origin || (link && link->at >= origin->at)) return link;
    wh__because_put(link);
    return wh__because_hold(wh__because_of_origin(origin));
}

static void put_note(wh_ctx *node, struct wh__because *link)
{
    struct wh__extra *extra = is_nobodys(node) ? NULL : wh__extra_of(node, true);
    if (!extra) return;
    wh__because_hold(link);
    wh__lock(&node->state);
    struct wh__because *before = extra->note;
    extra->note = link;
    wh__unlock(&node->state);
    wh__because_put(before);
}

/* Of the failures of a member the first counts, of all else the latest. */
static void put_note_of_member(wh_ctx *node, struct wh__because *link)
{
    struct wh__because *before = NULL;
    wh__lock(&node->state);
    struct wh__notes *notes = node->extra->member;
    if (notes && link->kind != WH__BY_FAILURE) {
        before = notes->others;
        notes->others = wh__because_hold(link);
    } else if (notes && !notes->failure) {
        notes->failure = wh__because_hold(link);
    }
    wh__unlock(&node->state);
    wh__because_put(before);
}

/* Those above a node who are to know of it: spans of this process, the nearest and the topmost, and the member of a group. What
 * was detached is not the business of those above it. */
struct climb {
    wh_ctx *top;      /* the last span beyond those that are near */
    unsigned spans;
    bool has_member;
};

static bool is_a_taker(struct climb *climb, wh_ctx *node, bool *is_member)
{
    *is_member = node->flags & WH__MEMBER && !climb->has_member;
    climb->has_member |= *is_member;
    if (!is_own_span(node)) return *is_member;
    if (climb->spans++ < SPANS_NOTED) return true;
    climb->top = node;
    return *is_member;
}

static bool has_takers(wh_ctx *node)
{
    bool is_member;
    struct climb climb = {0};
    for (; node && !(node->flags & WH__IMMORTAL); node = wh__live_above(node))
        if (is_a_taker(&climb, node, &is_member)) return true;
    return false;
}

/* Below `end`, where it is among those above. */
static void note_from(wh_ctx *node, const wh_ctx *end, struct wh__because *link)
{
    struct climb climb = {0};
    for (; node && node != end && !(node->flags & WH__IMMORTAL); node = wh__live_above(node)) {
        bool is_member;
        const bool takes = is_a_taker(&climb, node, &is_member);
        if (is_member) put_note_of_member(node, link);
        if (takes && node->flags & WH__TRACE && climb.top != node) put_note(node, link);
    }
    if (climb.top) put_note(climb.top, link);
}

/* The group of which a member has failed before, if that has stopped ctx: those above it know the cause, and a failure that comes
 * after it does not change that. */
static const wh_ctx *failed_group_of(const wh_ctx *ctx)
{
    const wh_ctx *origin = origin_of(ctx);
    return origin && origin->reason == WH_SIBLING_FAILED ? origin : NULL;
}

void wh__because_note(const wh_ctx *ctx, struct wh__because *link)
{
    wh_ctx *node = wh__live(ctx);
    if (!link || !node) {
        wh__because_put(link);
        return;
    }
    if (!(node->flags & WH__TRACE)) put_note(node, link);
    note_from(node, failed_group_of(ctx), link);
    wh__because_put(link);
}

void wh__because_settle(wh_ctx *group, struct wh__because *link)
{
    wh_ctx *above = wh__live_above(group);
    if (above && link) note_from(above, NULL, link);
}

static void forget_on(wh_ctx *node, const struct wh__because *link)
{
    struct wh__extra *extra = is_nobodys(node) ? NULL : __atomic_load_n(&node->extra, __ATOMIC_ACQUIRE);
    struct wh__because *gone = NULL;
    if (!extra) return;
    wh__lock(&node->state);
    if (extra->note == link) {
        gone = extra->note;
        extra->note = NULL;
    }
    wh__unlock(&node->state);
    wh__because_put(gone);
}

static void forget_of_member(wh_ctx *node, int64_t since)
{
    struct wh__notes gone = {0};
    wh__lock(&node->state);
    struct wh__notes *notes = node->extra->member;
    if (notes && notes->failure && notes->failure->at >= since) {
        gone.failure = notes->failure;
        notes->failure = NULL;
    }
    if (notes && notes->others && notes->others->at >= since) {
        gone.others = notes->others;
        notes->others = NULL;
    }
    wh__unlock(&node->state);
    wh__notes_clear(&gone);
}

/* On the spans above only if nothing has failed there since. */
void wh__because_forget(const wh_ctx *ctx, int64_t since)
{
    struct wh__because *link;
    bool is_member;
    struct climb climb = {0};
    wh_ctx *node = noted_of(ctx, &link);
    if (!link) return;
    if (link->at >= since) {
        forget_on(node, link);
        for (; node && !(node->flags & WH__IMMORTAL); node = wh__live_above(node)) {
            if (is_a_taker(&climb, node, &is_member)) forget_on(node, link);
            if (is_member) forget_of_member(node, since);
        }
    }
    wh__because_put(link);
}

void wh__because_late(wh_ctx *node)
{
    if (!(wh__state(node) & WH__ORIGIN) || node->reason != WH_DEADLINE_EXCEEDED || node->flags & WH__CALLERS) return;
    wh_ctx *above = wh__live_above(node);
    if (!above || !has_takers(above)) return;
    struct wh__because *said = note_on(node);
    const bool has_failed = said && said->at >= node->at;
    wh__because_put(said);
    struct wh__because *link = has_failed ? NULL : wh__because_of_origin(node);
    if (link) note_from(above, NULL, link);
}

/* ---- asking ---- */

static void show(const struct wh_because *said, struct wh_because *list, size_t i, size_t size)
{
    struct wh_because all = *said;
    all.size = size < sizeof all ? size : sizeof all;
    memcpy((char *)list + i * size, &all, all.size);
}

/* The nearest, and in the last place the first cause. */
static size_t show_chain(const struct wh__because *link, struct wh_because *list, size_t max, size_t size)
{
    size_t count = 0;
    for (; link; link = link->next) {
        if (count == max) count--;
        show(&link->said, list, count++, size);
    }
    return count;
}

/* What is known without a block to write it in. */
static size_t show_origin(wh_ctx *origin, struct wh_because *list, size_t size)
{
    struct wh_cause cause = {.size = sizeof cause, .reason = origin->reason};
    if (wh__because_trace(origin)) wh__span_ops()->describe(origin, &cause);
    struct wh_because said = {.reason = origin->reason->name, .text = origin->text, .span_name = cause.span_name,
        .remote = cause.span_is_remote};
    memcpy(said.trace_id, cause.trace_id, sizeof said.trace_id);
    memcpy(said.span_id, cause.span_id, sizeof said.span_id);
    show(&said, list, 0, size);
    return 1;
}

/* Keeps a link for the pointers that go out: the same one, or the last for which there was room. NULL: there is none. */
static struct wh__because *given(wh_ctx *node, struct wh__because *link)
{
    struct wh__given *fresh = wh__slab_get(WH__128);
    struct wh__extra *extra = node->extra;
    if (fresh) fresh->count = 0;
    wh__lock(&node->state);
    struct wh__given *given = extra->given;
    if (!given) given = extra->given = fresh;
    bool is_new = given != NULL;
    for (uint64_t i = 0; given && i < given->count; i++) is_new &= given->links[i] != link;
    if (is_new && given->count < SHOWN) given->links[given->count++] = wh__because_hold(link);
    else if (is_new) link = given->links[SHOWN - 1];
    wh__unlock(&node->state);
    if (fresh != given) wh__slab_put_if(fresh);
    return given ? link : NULL;
}

size_t wh_causes_at(const wh_ctx *ctx, struct wh_because *list, size_t max, size_t size)
{
    if (max == 0) return 0;
    wh_ctx *origin = origin_of(ctx);
    if (origin) {
        const struct wh__because *link = wh__because_of_origin(origin);
        return link ? show_chain(link, list, max, size) : show_origin(origin, list, size);
    }
    struct wh__because *link;
    wh_ctx *node = noted_of(ctx, &link);
    if (!node) return 0;
    const struct wh__because *kept = given(node, link);
    const size_t count = kept ? show_chain(kept, list, max, size) : 0;
    wh__because_put(link);
    return count;
}

/* ---- cancelling because of another ---- */

bool wh_cancel_because_at(wh_ctx *ctx, const struct wh_reason *reason, const char *text, bool text_is_static,
                          const wh_ctx *culprit, const struct wh_site *site)
{
    ctx = wh__own(ctx);
    if (!ctx || is_nobodys(ctx)) return false;
    struct wh__verdict verdict = {.reason = reason ? reason : WH_CANCELED, .site = site, .text = text,
        .text_is_static = text_is_static};
    struct wh__because *chain = wh__because_of(culprit);
    if (chain && wh__extra_of(ctx, true)) verdict.link = link_of(ctx, verdict.reason, text, site, wh__because_hold(chain));
    if (verdict.link == chain) { /* no memory for a link of its own */
        wh__because_put(verdict.link);
        verdict.link = NULL;
    }
    wh__because_put(chain);
    return wh__cancel_asked(ctx, &verdict);
}
