/* What whence.* says of a span. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <whence/names.h>

#include "ids.h"
#include "model.h"

enum shape { TEXT, TRUTH, COUNT, MILLISECONDS, TRACE_ID, SPAN_ID, TEXTS };

struct field {
    const char *key;
    size_t at; /* in struct facts */
    enum shape shape;
};
#define AT(member) offsetof(struct facts, member)

static const struct field fields[] = {
    {WH_ATTR_CANCELLED, AT(cancelled), TRUTH},
    {WH_ATTR_CANCEL_REASON, AT(reason), TEXT},
    {WH_ATTR_CANCEL_MESSAGE, AT(message), TEXT},
    {WH_ATTR_CANCEL_SITE, AT(site), TEXT},
    {WH_ATTR_CANCEL_ORIGIN_TRACE_ID, AT(origin.trace_id), TRACE_ID},
    {WH_ATTR_CANCEL_ORIGIN_SPAN_ID, AT(origin.span_id), SPAN_ID},
    {WH_ATTR_CANCEL_ORIGIN_SPAN_NAME, AT(origin.span_name), TEXT},
    {WH_ATTR_CANCEL_DEPTH, AT(depth), COUNT},
    {WH_ATTR_CANCEL_OVERRUN_MS, AT(overrun), MILLISECONDS},
    {WH_ATTR_CANCEL_SUPPRESSED, AT(suppressed), TEXT},
    {WH_ATTR_CANCEL_SUPPRESSED_COUNT, AT(suppressed_count), COUNT},
    {WH_ATTR_CANCEL_BRIEF, AT(brief), TRUTH},
    {WH_ATTR_CAUSE_CHAIN, AT(chain), TEXTS},
    {WH_ATTR_CAUSE_ROOT_REASON, AT(root.reason), TEXT},
    {WH_ATTR_CAUSE_ROOT_MESSAGE, AT(root.message), TEXT},
    {WH_ATTR_CAUSE_ROOT_SITE, AT(root.site), TEXT},
    {WH_ATTR_CAUSE_ROOT_TRACE_ID, AT(root.trace_id), TRACE_ID},
    {WH_ATTR_CAUSE_ROOT_SPAN_ID, AT(root.span_id), SPAN_ID},
    {WH_ATTR_CAUSE_ROOT_SPAN_NAME, AT(root.span_name), TEXT},
    {WH_ATTR_CAUSE_ROOT_SERVICE, AT(root.service), TEXT},
    {WH_ATTR_CALLEE_REASON, AT(callee.reason), TEXT},
    {WH_ATTR_CALLEE_MESSAGE, AT(callee.message), TEXT},
    {WH_ATTR_CALLEE_SITE, AT(callee.site), TEXT},
    {WH_ATTR_CALLEE_TRACE_ID, AT(callee.trace_id), TRACE_ID},
    {WH_ATTR_CALLEE_SPAN_ID, AT(callee.span_id), SPAN_ID},
    {WH_ATTR_CALLEE_SPAN_NAME, AT(callee.span_name), TEXT},
    {WH_ATTR_CALLEE_SERVICE, AT(callee.service), TEXT},
    {WH_ATTR_DEADLINE_ASKED_MS, AT(asked), MILLISECONDS},
    {WH_ATTR_DEADLINE_BUDGET_MS, AT(budget), MILLISECONDS},
    {WH_ATTR_DEADLINE_REMAINING_MS, AT(left), MILLISECONDS},
    {WH_ATTR_DEADLINE_SOURCE, AT(source), TEXT},
    {WH_ATTR_DEADLINE_NEARLY_LATE, AT(nearly_late), TRUTH},
    {WH_ATTR_FAILURE_SITE, AT(failure_site), TEXT},
    {WH_ATTR_GAVE_UP, AT(gave_up), TEXT},
    {WH_ATTR_LEAKED, AT(leaked), TRUTH},
    {WH_ATTR_LEAKED_SITE, AT(leaked_site), TEXT},
    {WH_ATTR_LEAKED_AGE_MS, AT(leaked_age), MILLISECONDS},
    {WH_ATTR_KEPT, AT(kept), TRUTH},
    {WH_ATTR_KEPT_BECAUSE, AT(kept_because), TEXT},
    {WH_ATTR_KEPT_ALIKE, AT(kept_alike), COUNT},
    {WH_ATTR_CHILD_ENDED_BY, AT(child_ended_by), TEXT},
    {WH_ATTR_CHILD_SIGNAL, AT(child_signal), TEXT},
    {WH_ATTR_CHILD_STOPPED_FOR, AT(child_stopped_for), TEXT},
};

/* ---- values ---- */

/* A stranger may have written any number. */
static int64_t bounded(double value)
{
    if (isnan(value)) return UNTOLD;
    if (value >= 9e18) return UNTOLD - 1;
    return value <= -9e18 ? -UNTOLD : (int64_t)llround(value);
}

static int64_t number(const char *text, double unit)
{
    char *end;
    const double value = strtod(text, &end);
    return end == text ? UNTOLD : bounded(value * unit);
}

static void read_texts(struct model *model, struct facts *facts, const char *json)
{
    cJSON *array = cJSON_Parse(json), *item;
    const int count = cJSON_IsArray(array) ? cJSON_GetArraySize(array) : 0;
    if (count) facts->chain = model_room(model, (size_t)count * sizeof *facts->chain);
    cJSON_ArrayForEach(item, array)
        if (count && cJSON_IsString(item)) facts->chain[facts->chain_count++] = model_text(model, item->valuestring);
    cJSON_Delete(array);
}

static void read_field(struct model *model, struct facts *facts, const struct field *field, const struct attribute *attribute)
{
    void *to = (char *)facts + field->at;
    const char *text = attribute->text;
    switch (field->shape) {
    case TEXT: *(const char **)to = text; break;
    case TRUTH: *(bool *)to = strcmp(text, "true") == 0; break;
    case COUNT: *(int64_t *)to = number(text, 1); break;
    case MILLISECONDS: *(int64_t *)to = number(text, 1e6); break;
    case TRACE_ID: id_read(to, 16, text); break;
    case SPAN_ID: id_read(to, 8, text); break;
    case TEXTS: read_texts(model, facts, text); break;
    }
}

/* ---- finding the field ---- */

static int by_key(const void *key, const void *field)
{
    return strcmp(key, ((const struct field *)field)->key);
}

static int in_order(const void *a, const void *b)
{
    return by_key(((const struct field *)a)->key, b);
}

static const struct field *field_of(const char *key)
{
    enum { COUNT_OF_FIELDS = sizeof fields / sizeof *fields };
    static struct field sorted[COUNT_OF_FIELDS];
    if (strncmp(key, "whence.", 7) != 0) return NULL;
    if (!sorted[0].key) {
        memcpy(sorted, fields, sizeof fields);
        qsort(sorted, COUNT_OF_FIELDS, sizeof *sorted, in_order);
    }
    return bsearch(key, sorted, COUNT_OF_FIELDS, sizeof *sorted, by_key);
}

/* ---- all of it ---- */

static uint64_t within(const struct span *span, uint64_t instant)
{
    return instant < span->start ? span->start : instant > span->end ? span->end : instant;
}

/* By the event; without it, by how long the span ran on. */
static uint64_t cancel_instant(const struct span *span, const struct facts *facts)
{
    if (!facts->cancelled) return span->end;
    for (size_t i = 0; i < span->event_count; i++)
        if (strcmp(span->events[i].name, WH_EVENT_CANCEL_RECEIVED) == 0) return within(span, span->events[i].at);
    const uint64_t overrun = facts->overrun > 0 && facts->overrun != UNTOLD ? (uint64_t)facts->overrun : 0;
    return overrun < span->end - span->start ? span->end - overrun : span->start;
}

static struct facts *facts_of(struct model *model, struct span *span)
{
    if (span->facts) return span->facts;
    struct facts *facts = span->facts = model_room(model, sizeof *facts);
    facts->depth = facts->overrun = facts->asked = facts->budget = facts->left = facts->leaked_age = UNTOLD;
    return facts;
}

void facts_read(struct model *model, struct span *span)
{
    if (span->facts) return;
    for (size_t i = 0; i < span->attributes.count; i++) {
        const struct attribute *attribute = &span->attributes.list[i];
        const struct field *field = field_of(attribute->key);
        if (field) read_field(model, facts_of(model, span), field, attribute);
    }
    if (!span->facts) return;
    if (span->facts->suppressed_count == UNTOLD) span->facts->suppressed_count = 0;
    if (span->facts->kept_alike == UNTOLD || span->facts->kept_alike < 0) span->facts->kept_alike = 0;
    span->facts->cancelled_at = cancel_instant(span, span->facts);
}
