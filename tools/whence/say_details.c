/* An incident in words: the lines below its first sentence. */
#include "say_clause.h"

enum { NAMED = 6, MILLISECOND = 1000000 };

static void say_reason(struct text *text, const struct incident *incident)
{
    const char *site = site_of(incident), *message = message_of(incident);
    const char *reason = reason_of(incident);
    text_put(text, is_http_status(reason) ? "Reason: HTTP " : "Reason: ");
    text_stranger(text, reason, 60);
    if (message) text_put(text, " "), text_quoted(text, message);
    say_site(text, " at ", site);
    text_put(text, ".\n");
}

/* From the subject to the first cause, if something lies between them. */
static void say_chain(struct text *text, const struct incident *incident)
{
    const struct span *span = incident->subject;
    const struct because first = because_of(span);
    bool probably = false;
    if (!first.span || first.span == incident->cause) return;
    text_put(text, "Chain: ");
    for (unsigned i = 0; i < 16; i++) {
        const struct because next = because_of(span);
        if (i) text_put(text, probably ? " probably because " : " because ");
        probably = next.probably;
        if (!next.span && !next.missing) say_beginning(text, span);
        else if (next.missing) say_because_missing(text, span);
        else if (next.span == incident->cause && !is_troubled(next.span) && was_cancelled(span))
            text_name(text, span), say_by_other(text, span, &next);
        else say_short(text, span);
        if (!next.span || (next.span == incident->cause && !is_troubled(next.span))) break;
        span = next.span;
    }
    text_put(text, ".\n");
}

/* What the spans themselves say of it, where those that it names are not here to be followed. */
static void say_told_chain(struct text *text, const struct incident *incident)
{
    const struct span *span = incident->cause && is_troubled(incident->cause) ? incident->cause : incident->witness;
    if (!incident->missing || !span || !span->facts || span->facts->chain_count < 2) return;
    for (size_t i = 0; i < span->facts->chain_count && i < 16; i++) {
        text_put(text, i ? "  because " : "As told: ");
        text_stranger(text, span->facts->chain[i], 300);
        text_put(text, "\n");
    }
}

static void put_spans(struct text *text, size_t count)
{
    text_put(text, "%zu span%s", count, count == 1 ? "" : "s");
}

static void say_hit(struct text *text, const struct incident *incident)
{
    if (!incident->hit_count) return;
    text_put(text, "Hit: ");
    if (incident->stopped) {
        put_spans(text, incident->stopped);
        text_put(text, incident->stopped == 1 ? " was stopped" : " were stopped");
    }
    if (incident->failed) {
        if (incident->stopped) text_put(text, " and %zu failed", incident->failed);
        else put_spans(text, incident->failed), text_put(text, " failed");
    }
    text_put(text, " because of it, in %zu service%s: ", incident->services, incident->services == 1 ? "" : "s");
    for (size_t i = 0; i < incident->hit_count && i < NAMED; i++) {
        if (i) text_put(text, ", ");
        text_name(text, incident->hit[i]);
    }
    if (incident->hit_count > NAMED) text_put(text, ", and %zu more", incident->hit_count - NAMED);
    text_put(text, ".\n");
}

/* Only who did not stop within a millisecond is named. */
static void say_ran_on(struct text *text, const struct incident *incident)
{
    const struct span *longest = incident->longest;
    if (!longest || overrun_of(longest) < MILLISECOND) return;
    text_put(text, "Ran on: ");
    text_name(text, longest);
    text_put(text, " ran on for ");
    text_duration(text, overrun_of(longest));
    text_put(text, " after it was told to stop; ");
    text_duration(text, incident->wasted);
    text_put(text, " of work for nobody in all.\n");
}

/* ---- budgets ---- */

static bool is_below(const struct span *span, const struct span *top)
{
    while (span && span != top) span = span->up;
    return span;
}

/* The end of what was stopped below this deadline and had begun before it, as long as it was let: so much at least was needed. */
static void say_need(struct text *text, const struct incident *incident)
{
    const struct span *cause = incident->cause, *last = NULL;
    if (!cause || !was_cancelled(cause) || !text_is(cause->facts->reason, "deadline_exceeded")) return;
    for (size_t i = 0; i < incident->hit_count; i++) {
        const struct span *span = incident->hit[i];
        const bool is_leaf = !span->down || !was_cancelled(span->down);
        if (!was_cancelled(span) || span->start > cause->facts->cancelled_at || !is_leaf || !is_below(span, cause)) continue;
        if (!last || span->end > last->end) last = span;
    }
    if (!last || last->end <= cause->start) return;
    text_put(text, "Budget: ");
    if (cause->facts->budget != UNTOLD) text_duration(text, cause->facts->budget);
    else text_put(text, "its time");
    text_put(text, " was too small for ");
    text_name(text, cause);
    text_put(text, ": ");
    text_name(text, last);
    text_put(text, " was still running, and ended at ");
    text_since(text, cause->start, last->end);
    text_put(text, "; what it needs is not known.\n");
}

static bool got_less(const struct span *span)
{
    const struct facts *facts = span->facts;
    if (!facts || facts->asked == UNTOLD || facts->budget == UNTOLD) return false;
    return facts->budget < facts->asked - facts->asked / 10;
}

static void say_got_less(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    const bool by_caller = facts->source ? text_is(facts->source, "caller") : span->parent_is_remote;
    text_put(text, "Budget: ");
    text_name(text, span);
    text_put(text, " asked for ");
    text_duration(text, facts->asked);
    text_put(text, ", and %s left it ", by_caller ? "its caller" : "a deadline from above");
    text_duration(text, facts->budget);
    text_put(text, ".\n");
}

static void say_budgets(struct text *text, const struct incident *incident)
{
    size_t told = 0;
    if (!text_is(reason_of(incident), "deadline_exceeded")) return;
    say_need(text, incident);
    if (incident->cause && got_less(incident->cause)) say_got_less(text, incident->cause);
    for (size_t i = 0; i < incident->hit_count && told < 3; i++)
        if (was_cancelled(incident->hit[i]) && got_less(incident->hit[i])) say_got_less(text, incident->hit[i]), told++;
}

/* ---- what came too late, and what a callee has said ---- */

static void say_suppressed(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    if (!facts || !facts->suppressed) return;
    const int64_t count = facts->suppressed_count > 0 ? facts->suppressed_count : 1;
    text_put(text, "Too late: %lld more cancel%s of ", (long long)count, count == 1 ? "" : "s");
    text_name(text, span);
    text_put(text, count == 1 ? " came to nothing: " : " came to nothing, the first: ");
    text_stranger(text, facts->suppressed, 160);
    text_put(text, ".\n");
}

static void say_callee(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    if (!facts || !facts->callee.reason || facts->callee.span) return;
    text_put(text, "Callee: ");
    text_name(text, span);
    text_put(text, " was told ");
    if (facts->callee.service) text_put(text, "by "), text_stranger(text, facts->callee.service, 40), text_put(text, ": ");
    else text_put(text, "only: ");
    text_stranger(text, facts->callee.reason, 60);
    say_message(text, facts->callee.message);
    say_site(text, " at ", facts->callee.site);
    text_put(text, "; the callee's span is not here.\n");
}

static void say_gave_up(struct text *text, const struct span *span)
{
    if (!span->facts || !span->facts->gave_up) return;
    text_put(text, "Gave up: ");
    text_name(text, span);
    say_failure(text, span);
    text_put(text, ".\n");
}

void say_details(struct text *text, const struct incident *incident)
{
    say_reason(text, incident);
    say_chain(text, incident);
    say_told_chain(text, incident);
    say_hit(text, incident);
    say_ran_on(text, incident);
    say_budgets(text, incident);
    if (incident->cause) say_suppressed(text, incident->cause);
    if (incident->cause) say_callee(text, incident->cause);
    for (size_t i = 0, told = 0; i < incident->hit_count && told < 3; i++) {
        const size_t before = text->len;
        say_gave_up(text, incident->hit[i]);
        told += text->len > before;
    }
    for (size_t i = 0, told = 0; i < incident->hit_count && told < 3; i++) {
        const size_t before = text->len;
        say_suppressed(text, incident->hit[i]);
        say_callee(text, incident->hit[i]);
        told += text->len > before;
    }
}
