/* How a span failed, in words: by what Whence, or any other SDK, has written on it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <whence/names.h>

#include "say_clause.h"

/* ---- finding the words ---- */

static const char *exception(const struct span *span, const char *key)
{
    for (size_t i = span->event_count; i-- > 0;)
        if (strcmp(span->events[i].name, "exception") == 0) return attribute_text(&span->events[i].attributes, key);
    return NULL;
}

static const char *type_of(const struct span *span)
{
    const char *type = attribute_text(&span->attributes, WH_ATTR_ERROR_TYPE);
    return type ? type : exception(span, "exception.type");
}

static const char *words_of(const struct span *span)
{
    if (*span->status_text) return span->status_text;
    return exception(span, "exception.message");
}

/* A status code of HTTP is an error.type of its own, but nobody would know what a bare number is. */
bool is_http_status(const char *type)
{
    return strlen(type) == 3 && strspn(type, "0123456789") == 3 && type[0] >= '1' && type[0] <= '5';
}

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* ---- timeouts of other SDKs ---- */

static bool has_word(const char *text)
{
    static const char *const words[] = {"timeout", "timed out", "timedout", "deadline", "etimedout"};
    for (size_t i = 0; text && i < sizeof words / sizeof *words; i++)
        if (strcasestr(text, words[i])) return true;
    return false;
}

bool looks_like_timeout(const struct span *span)
{
    return span->status == STATUS_ERROR && (has_word(type_of(span)) || has_word(words_of(span)));
}

/* ---- what it gave up ---- */

static const struct event *last_event(const struct span *span, const char *name)
{
    for (size_t i = span->event_count; i-- > 0;)
        if (strcmp(span->events[i].name, name) == 0) return &span->events[i];
    return NULL;
}

static const struct attributes *event_of(const struct span *span, const char *name)
{
    const struct event *event = last_event(span, name);
    return event ? &event->attributes : NULL;
}

static void put_number(struct text *text, const char *before, const struct attributes *attributes, const char *key, const char *behind)
{
    const char *value = attribute_text(attributes, key);
    if (!value) return;
    text_put(text, "%s", before);
    text_stranger(text, value, 40);
    text_put(text, "%s", behind);
}

static void say_semaphore(struct text *text, const struct span *span)
{
    const struct attributes *event = event_of(span, WH_EVENT_SEMAPHORE_GAVE_UP);
    text_put(text, " for a semaphore");
    if (!event) return;
    put_number(text, ": it wanted ", event, "weight", "");
    put_number(text, " of ", event, "size", "");
    put_number(text, ", ", event, "taken", " were taken");
    put_number(text, ", and waited ", event, "waited_ms", " ms");
}

static void say_retry(struct text *text, const struct span *span)
{
    const struct attributes *event = event_of(span, WH_EVENT_RETRY_GAVE_UP);
    text_put(text, " trying again");
    if (!event) return;
    put_number(text, ", after ", event, "attempts", " attempts");
    put_number(text, ": ", event, "why", "");
    put_number(text, ", the last error ", event, "last_error", "");
}

/* Attempts are the children of one name that had ended when their parent gave up: at least so many must be here, and none of them may
 * have ended later. Whoever writes microseconds may have cut off almost one of the event. */
static bool is_last_attempt(const struct span *span, const struct event *gave_up, long attempts)
{
    long found = 0;
    const uint64_t latest = gave_up->at + 1000;
    for (const struct span *other = span->up->down; other; other = other->next) {
        if (other->name != span->name || other->end > latest) continue;
        if (other->end > span->end) return false;
        found++;
    }
    return span->end <= latest && found >= attempts;
}

void say_attempts(struct text *text, const struct span *span)
{
    const struct event *gave_up = span->up ? last_event(span->up, WH_EVENT_RETRY_GAVE_UP) : NULL;
    const char *told = gave_up ? attribute_text(&gave_up->attributes, "attempts") : NULL;
    const long attempts = told ? strtol(told, NULL, 10) : 0;
    if (attempts >= 2 && is_last_attempt(span, gave_up, attempts)) text_put(text, ", the last of %ld attempts,", attempts);
}

/* ---- all of it ---- */

static void say_type(struct text *text, const char *type)
{
    if (is_http_status(type)) text_put(text, "HTTP ");
    text_stranger(text, type, 60);
}

void say_failure(struct text *text, const struct span *span)
{
    const struct facts *facts = span->facts;
    const char *type = type_of(span), *words = words_of(span);
    if (facts && facts->gave_up) {
        text_put(text, " gave up after ");
        text_since(text, span->start, span->end);
        if (strcmp(facts->gave_up, "semaphore") == 0) say_semaphore(text, span);
        else if (strcmp(facts->gave_up, "retry") == 0) say_retry(text, span);
        else text_put(text, ": "), text_stranger(text, facts->gave_up, 40);
    } else {
        text_put(text, " failed after ");
        text_since(text, span->start, span->end);
        if (type && *type) text_put(text, ": "), say_type(text, type);
    }
    if (words && *words && !(type && is_http_status(type) && ends_with(words, type)) && (!type || strcmp(type, words) != 0)) {
        text_put(text, type && *type ? ", " : ": ");
        text_quoted(text, words);
    }
    if (facts && facts->failure_site) text_put(text, ", at "), text_stranger(text, facts->failure_site, 80);
}
