/* An incident in words. */
#include "say.h"

#include <string.h>

enum { SITE_ROOM = 100, NAMED = 6, MILLISECOND = 1000000 };

static bool is(const char *text, const char *what)
{
    return text && strcmp(text, what) == 0;
}

/* ---- what began it ---- */

const char *reason_of(const struct incident *incident)
{
    const struct span *span = incident->cause && is_troubled(incident->cause) ? incident->cause : incident->witness;
    if (incident->missing && incident->missing->reason) return incident->missing->reason;
    if (!span) return "unknown";
    if (was_cancelled(span)) return span->facts->reason ? span->facts->reason : "cancelled";
    if (span->facts && span->facts->gave_up) return span->facts->gave_up;
    const char *type = attribute_text(&span->attributes, "error.type");
    return type && *type ? type : looks_like_timeout(span) ? "timeout" : "failed";
}

const char *site_of(const struct incident *incident)
{
    const struct span *span = incident->cause && is_troubled(incident->cause) ? incident->cause : incident->witness;
    if (incident->missing && incident->missing->site) return incident->missing->site;
    if (!span || !span->facts) return NULL;
    return was_cancelled(span) ? span->facts->site : span->facts->failure_site;
}

const char *message_of(const struct incident *incident)
{
    const struct span *span = incident->cause && is_troubled(incident->cause) ? incident->cause : incident->witness;
    if (incident->missing && incident->missing->message) return incident->missing->message;
    if (!span) return NULL;
    if (was_cancelled(span) && span->facts->message) return span->facts->message;
    return *span->status_text ? span->status_text : NULL;
}

/* ---- clauses, each with a space before it ---- */

static void put_site(struct text *text, const char *before, const char *site)
{
    if (!site || !*site) return;
    text_put(text, "%s", before);
    text_stranger(text, site, SITE_ROOM);
}

static void put_message(struct text *text, const char *message)
{
    if (!message || !*message) return;
    text_put(text, " (");
    text_quoted(text, message);
    text_put(text, ")");
}

static void put_reason(struct text *text, const struct facts *facts)
{
    if (facts->reason) text_stranger(text, facts->reason, 60);
    else text_put(text, "cancelled, nobody says why");
}

static bool owns_deadline(const struct span *span)
{
    const struct facts *facts = span->facts;
    if (facts->source) return is(facts->source, "own");
    return span->status == STATUS_ERROR || facts->asked != UNTOLD;
}

static void say_deadline(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    const bool own = owns_deadline(span), callers = is(facts->source, "caller") || (!own && span->parent_is_remote);
    text_put(text, own ? " by its own deadline" : callers ? " by the deadline of its caller" : " by a deadline from above");
    if (facts->budget != UNTOLD) text_put(text, " of "), text_duration(text, facts->budget);
    put_site(text, ", set at ", facts->site);
}

/* How a span was stopped by what began at itself. */
static void say_own_stop(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    text_put(text, " was stopped after ");
    text_since(text, span->start, facts->cancelled_at);
    if (is(facts->reason, "deadline_exceeded")) {
        say_deadline(text, span);
    } else if (is(facts->reason, "client_gone")) {
        text_put(text, " when its client went away");
        put_message(text, facts->message);
        put_site(text, ", seen at ", facts->site);
    } else if (is(facts->reason, "shutdown")) {
        text_put(text, " by a shutdown");
        put_message(text, facts->message);
        put_site(text, ", watched for at ", facts->site);
    } else {
        text_put(text, ": ");
        put_reason(text, facts);
        put_message(text, facts->message);
        put_site(text, ", at ", facts->site);
    }
}

/* How the span at which it began came to its end. */
static void say_beginning(struct text *text, const struct span *span)
{
    text_name(text, span);
    if (was_cancelled(span)) say_own_stop(text, span);
    else say_failure(text, span);
}

static bool is_above(const struct span *above, const struct span *span)
{
    while (span && span != above) span = span->up;
    return span;
}

/* A span that was stopped because of one with which all is well: it won a race, it ended, it went away. */
static void say_by_other(struct text *text, const struct span *span, const struct span *other)
{
    const struct facts *facts = span->facts;
    text_put(text, " was stopped after ");
    text_since(text, span->start, facts->cancelled_at);
    if (is(facts->reason, "race_lost")) text_put(text, is_above(other, span) ? ": it lost a race in " : ": it lost the race to "), text_name(text, other);
    else if (is(facts->reason, "client_gone")) text_put(text, " when its client "), text_name(text, other), text_put(text, " went away");
    else if (is(facts->reason, "ended")) text_put(text, " when "), text_name(text, other), text_put(text, " ended");
    else if (is(facts->reason, "handler_returned")) text_put(text, " when the handler of "), text_name(text, other), text_put(text, " had returned");
    else if (is(facts->reason, "deadline_exceeded")) {
        text_put(text, " by the deadline");
        if (facts->budget != UNTOLD) text_put(text, " of "), text_duration(text, facts->budget);
        text_put(text, " that "), text_name(text, other), text_put(text, " left it");
    } else {
        text_put(text, " by "), text_name(text, other), text_put(text, ": ");
        put_reason(text, facts);
    }
    put_message(text, is(facts->reason, "deadline_exceeded") ? NULL : facts->message);
    put_site(text, is(facts->reason, "deadline_exceeded") ? ", set at " : ", at ", facts->site);
}

static void put_missing_name(struct text *text, const struct culprit *missing)
{
    char hex[17];
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) hex[i] = digits[i % 2 ? missing->span_id[i / 2] & 15 : missing->span_id[i / 2] >> 4];
    hex[16] = '\0';
    if (missing->span_name) text_stranger(text, missing->span_name, 80);
    else if (!is_zero(missing->span_id, 8)) text_put(text, "span %s", hex);
    else text_put(text, "a span");
    if (missing->service) text_put(text, " ("), text_stranger(text, missing->service, 40), text_put(text, ")");
}

/* The cause is known by what others say of it, or not at all. */
static void say_missing(struct text *text, const struct culprit *missing)
{
    if (!missing->reason || is(missing->reason, "unknown")) {
        put_missing_name(text, missing);
        text_put(text, " ended for a reason that is unknown: peer vanished; its span never arrived");
        return;
    }
    put_missing_name(text, missing);
    text_put(text, " ended with ");
    text_stranger(text, missing->reason, 60);
    put_message(text, missing->message);
    put_site(text, ", at ", missing->site);
    text_put(text, "; its span is not here");
}

/* What happened to a span that was hit, without the cause. */
static void say_short(struct text *text, const struct span *span)
{
    text_name(text, span);
    if (was_cancelled(span)) {
        text_put(text, " was stopped after ");
        text_since(text, span->start, span->facts->cancelled_at);
    } else {
        text_put(text, " failed after ");
        text_since(text, span->start, span->end);
    }
}

/* ---- the headline ---- */

void say_headline(struct text *text, const struct incident *incident)
{
    const struct span *subject = incident->subject, *cause = incident->cause;
    if (subject == cause) {
        say_beginning(text, subject);
    } else if (cause && !is_troubled(cause) && was_cancelled(subject)) {
        text_name(text, subject);
        say_by_other(text, subject, cause);
    } else {
        say_short(text, subject);
        text_put(text, incident->probably ? ", probably because " : " because ");
        if (!cause) say_missing(text, incident->missing);
        else if (is_troubled(cause)) say_beginning(text, cause);
        else if (incident->witness && was_cancelled(incident->witness)) text_name(text, incident->witness), say_by_other(text, incident->witness, cause);
        else text_put(text, "of "), text_name(text, cause);
    }
    text_put(text, ".");
}

/* ---- the lines below ---- */

static void say_reason(struct text *text, const struct incident *incident)
{
    const char *site = site_of(incident), *message = message_of(incident);
    const char *reason = reason_of(incident);
    text_put(text, is_http_status(reason) ? "Reason: HTTP " : "Reason: ");
    text_stranger(text, reason, 60);
    if (message) text_put(text, " "), text_quoted(text, message);
    put_site(text, " at ", site);
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
        else if (next.missing) say_short(text, span), text_put(text, " because "), say_missing(text, next.missing);
        else if (next.span == incident->cause && !is_troubled(next.span) && was_cancelled(span))
            text_name(text, span), say_by_other(text, span, next.span);
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

/* The end of what was stopped by this deadline and had begun before it, as long as it was let: so much at least was needed. */
static void say_need(struct text *text, const struct incident *incident)
{
    const struct span *cause = incident->cause, *last = NULL;
    if (!cause || !was_cancelled(cause) || !is(cause->facts->reason, "deadline_exceeded")) return;
    for (size_t i = 0; i < incident->hit_count; i++) {
        const struct span *span = incident->hit[i];
        const bool is_leaf = !span->down || !was_cancelled(span->down);
        if (was_cancelled(span) && span->start <= cause->facts->cancelled_at && is_leaf && (!last || span->end > last->end)) last = span;
    }
    if (!last || last->end <= cause->start) return;
    text_put(text, "Budget: ");
    if (cause->facts->budget != UNTOLD) text_duration(text, cause->facts->budget);
    else text_put(text, "its time");
    text_put(text, " was too small for ");
    text_name(text, cause);
    text_put(text, ": ");
    text_name(text, last);
    text_put(text, " was still running; it needs at least ");
    text_since(text, cause->start, last->end);
    text_put(text, ".\n");
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
    const bool by_caller = facts->source ? is(facts->source, "caller") : span->parent_is_remote;
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
    if (!is(reason_of(incident), "deadline_exceeded")) return;
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
    put_message(text, facts->callee.message);
    put_site(text, " at ", facts->callee.site);
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
        say_suppressed(text, incident->hit[i]);
        say_callee(text, incident->hit[i]);
        say_gave_up(text, incident->hit[i]);
        told += text->len > before;
    }
}
