/* An incident in words: what began it, and the sentence above all others. */
#include "say_clause.h"

#include <string.h>

#include "ids.h"

enum { SITE_ROOM = 100 };

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

void say_site(struct text *text, const char *before, const char *site)
{
    if (!site || !*site) return;
    text_put(text, "%s", before);
    text_stranger(text, site, SITE_ROOM);
}

void say_message(struct text *text, const char *message)
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

/* As what has waited in a queue for longer than it had. */
static bool is_late_born(const struct facts *facts)
{
    return facts->budget != UNTOLD && facts->budget <= 0;
}

static bool owns_deadline(const struct span *span)
{
    const struct facts *facts = span->facts;
    if (facts->source) return text_is(facts->source, "own");
    return span->status == STATUS_ERROR || facts->asked != UNTOLD;
}

static void say_deadline(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    if (is_late_born(facts)) {
        text_put(text, ": the time that it was left was over before it began");
        say_site(text, ", taken up at ", facts->site);
        return;
    }
    const bool own = owns_deadline(span), callers = text_is(facts->source, "caller") || (!own && span->parent_is_remote);
    text_put(text, own ? " by its own deadline" : callers ? " by the deadline of its caller" : " by a deadline from above");
    if (facts->budget != UNTOLD) text_put(text, " of "), text_duration(text, facts->budget);
    say_site(text, ", set at ", facts->site);
}

/* How a span was stopped by what began at itself. */
static void say_own_stop(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    text_put(text, " was stopped after ");
    text_since(text, span->start, facts->cancelled_at);
    if (text_is(facts->reason, "deadline_exceeded")) {
        say_deadline(text, span);
    } else if (text_is(facts->reason, "client_gone")) {
        text_put(text, " when its client went away");
        say_message(text, facts->message);
        say_site(text, ", seen at ", facts->site);
    } else if (text_is(facts->reason, "shutdown")) {
        text_put(text, " by a shutdown");
        say_message(text, facts->message);
        say_site(text, ", watched for at ", facts->site);
    } else {
        text_put(text, ": ");
        put_reason(text, facts);
        say_message(text, facts->message);
        say_site(text, ", at ", facts->site);
    }
}

/* How the span at which it began came to its end. */
void say_beginning(struct text *text, const struct span *span)
{
    text_name(text, span);
    say_attempts(text, span);
    if (was_cancelled(span)) say_own_stop(text, span);
    else say_failure(text, span);
}

/* ---- by another span ---- */

static void put_missing_name(struct text *text, const struct culprit *missing)
{
    char hex[SPAN_HEX];
    if (missing->span_name) text_stranger(text, missing->span_name, 80);
    else if (!is_zero(missing->span_id, 8)) text_put(text, "span %s", id_hex(hex, missing->span_id, 8));
    else text_put(text, missing->service ? "a span" : "a callee");
    if (missing->service) text_put(text, " ("), text_stranger(text, missing->service, 40), text_put(text, ")");
}

static void put_other(struct text *text, const char *before, const struct because *other, const char *behind)
{
    text_put(text, "%s", before);
    if (other->span) text_name(text, other->span);
    else put_missing_name(text, other->missing);
    text_put(text, "%s", behind);
}

static bool is_above(const struct because *other, const struct span *span)
{
    const uint8_t *id = other->span ? other->span->id : other->missing->span_id;
    while (span && memcmp(span->parent_id, id, 8) != 0) span = span->up;
    return span;
}

static void say_deadline_of_other(struct text *text, const struct facts *facts, const struct because *other)
{
    if (is_late_born(facts)) {
        put_other(text, ": the time that ", other, " left it was over before it began");
        say_site(text, ", taken up at ", facts->site);
        return;
    }
    text_put(text, " by the deadline");
    if (facts->budget != UNTOLD) text_put(text, " of "), text_duration(text, facts->budget);
    put_other(text, " that ", other, " left it");
    say_site(text, ", set at ", facts->site);
}

/* It won a race, it ended, it went away. */
static void say_other_stop(struct text *text, const struct span *span, const struct because *other)
{
    const struct facts *facts = span->facts;
    if (text_is(facts->reason, "race_lost")) put_other(text, is_above(other, span) ? ": it lost a race in " : ": it lost the race to ", other, "");
    else if (text_is(facts->reason, "client_gone")) put_other(text, " when its client ", other, " went away");
    else if (text_is(facts->reason, "ended")) put_other(text, " when ", other, " ended");
    else if (text_is(facts->reason, "handler_returned")) put_other(text, " when the handler of ", other, " had returned");
    else put_other(text, " by ", other, ": "), put_reason(text, facts);
    say_message(text, facts->message);
    say_site(text, ", at ", facts->site);
}

/* A connection that closes does not say whether its other side hung up or is no more: only the span of that side would. */
void say_by_other(struct text *text, const struct span *span, const struct because *other)
{
    const struct facts *facts = span->facts;
    text_put(text, " was stopped after ");
    text_since(text, span->start, facts->cancelled_at);
    if (!other->span && text_is(facts->reason, "client_gone")) {
        put_other(text, " when its client ", other, " ended for a reason that is unknown: peer vanished, or it went away");
        say_site(text, ", seen at ", facts->site);
    } else if (text_is(facts->reason, "deadline_exceeded")) {
        say_deadline_of_other(text, facts, other);
    } else {
        say_other_stop(text, span, other);
    }
    if (!other->span) text_put(text, "; its span is not here");
}

/* The cause is known by what others say of it, or not at all. */
static void say_missing(struct text *text, const struct culprit *missing)
{
    put_missing_name(text, missing);
    if (text_is(missing->reason, "unknown")) {
        text_put(text, " ended for a reason that is unknown: peer vanished; its span never arrived");
        return;
    }
    if (missing->reason) text_put(text, " ended with "), text_stranger(text, missing->reason, 60);
    else text_put(text, " ended, nobody says why");
    say_message(text, missing->message);
    say_site(text, ", at ", missing->site);
    text_put(text, "; its span is not here");
}

void say_because_missing(struct text *text, const struct span *span)
{
    const struct because next = because_of(span);
    if (was_cancelled(span) && next.missing == &span->facts->origin) {
        text_name(text, span);
        say_by_other(text, span, &next);
    } else {
        say_short(text, span);
        text_put(text, " because ");
        say_missing(text, next.missing);
    }
}

/* What happened to a span that was hit, without the cause. */
void say_short(struct text *text, const struct span *span)
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

static void say_because(struct text *text, const struct incident *incident)
{
    const struct span *cause = incident->cause, *witness = incident->witness;
    if (!cause && witness && was_cancelled(witness)) say_because_missing(text, witness);
    else if (!cause) say_missing(text, incident->missing);
    else if (is_troubled(cause)) say_beginning(text, cause);
    else if (witness && was_cancelled(witness)) text_name(text, witness), say_by_other(text, witness, &(struct because){.span = incident->cause});
    else text_put(text, "of "), text_name(text, cause);
}

void say_headline(struct text *text, const struct incident *incident)
{
    const struct span *subject = incident->subject, *cause = incident->cause;
    if (subject == cause) {
        say_beginning(text, subject);
    } else if (cause && !is_troubled(cause) && was_cancelled(subject)) {
        text_name(text, subject);
        say_by_other(text, subject, &(struct because){.span = incident->cause});
    } else if (!cause && because_of(subject).missing) {
        say_because_missing(text, subject);
    } else {
        say_short(text, subject);
        text_put(text, incident->probably ? ", probably because " : " because ");
        say_because(text, incident);
    }
    text_put(text, ".");
}
