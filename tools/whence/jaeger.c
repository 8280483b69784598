/* Jaeger's own JSON, as /api/traces answers and its pages save it. Events come as logs, the kind and the status as tags, links and
 * the parent as references; arrays are strings that hold JSON. */
#include <stdlib.h>
#include <string.h>

#include "ids.h"
#include "json.h"

enum { MICROSECOND = 1000 };

/* ---- tags ---- */

static enum value_kind kind_of(const char *type, const char *text)
{
    if (strcmp(type, "bool") == 0) return VALUE_BOOL;
    if (strcmp(type, "int64") == 0) return VALUE_INT;
    if (strcmp(type, "float64") == 0) return VALUE_DOUBLE;
    if (strcmp(type, "binary") == 0) return VALUE_BYTES;
    return *text == '[' ? VALUE_ARRAY : VALUE_TEXT;
}

static struct attributes read_tags(struct model *model, const cJSON *tags)
{
    struct attribute_list list = {0};
    const cJSON *tag;
    cJSON_ArrayForEach(tag, tags) {
        const char *text = json_text(model, json_get(tag, "value"));
        attribute_list_add(&list, model_text(model, json_string(json_get(tag, "key"))), text,
            kind_of(json_string(json_get(tag, "type")), text));
    }
    return attribute_list_take(model, &list);
}

/* ---- what Jaeger has made tags of ---- */

static void read_kind(struct span *span)
{
    static const char *const names[] = {"unspecified", "internal", "server", "client", "producer", "consumer"};
    const char *kind = attribute_text(&span->attributes, "span.kind");
    for (size_t i = 0; kind && i < sizeof names / sizeof *names; i++)
        if (strcmp(kind, names[i]) == 0) span->kind = (uint8_t)i;
}

static void read_status(struct span *span)
{
    const char *code = attribute_text(&span->attributes, "otel.status_code");
    const char *text = attribute_text(&span->attributes, "otel.status_description");
    const char *error = attribute_text(&span->attributes, "error");
    if (code && strcmp(code, "OK") == 0) span->status = STATUS_OK;
    if ((code && strcmp(code, "ERROR") == 0) || (error && strcmp(error, "true") == 0)) span->status = STATUS_ERROR;
    if (text) span->status_text = text;
}

/* ---- logs and references ---- */

static void read_logs(struct model *model, struct span *span, const cJSON *logs)
{
    const cJSON *log;
    const size_t count = cJSON_IsArray(logs) ? (size_t)cJSON_GetArraySize(logs) : 0;
    if (count) span->events = model_room(model, count * sizeof *span->events);
    cJSON_ArrayForEach(log, logs) {
        if (!count) break;
        struct event *event = &span->events[span->event_count++];
        event->at = json_uint(json_get(log, "timestamp")) * MICROSECOND;
        event->attributes = read_tags(model, json_get(log, "fields"));
        const char *name = attribute_text(&event->attributes, "event");
        event->name = name ? name : model_text(model, "");
    }
}

static void read_references(struct model *model, struct span *span, const cJSON *references)
{
    const cJSON *reference;
    const size_t count = cJSON_IsArray(references) ? (size_t)cJSON_GetArraySize(references) : 0;
    if (count) span->links = model_room(model, count * sizeof *span->links);
    cJSON_ArrayForEach(reference, references) {
        if (!count) break;
        struct link link = {.to = NULL};
        id_read(link.trace_id, 16, json_string(json_get(reference, "traceID")));
        id_read(link.span_id, 8, json_string(json_get(reference, "spanID")));
        const bool is_child = strcmp(json_string(json_get(reference, "refType")), "CHILD_OF") == 0;
        const bool same = memcmp(link.trace_id, span->trace->id, 16) == 0;
        if (is_child && same && is_zero(span->parent_id, 8)) memcpy(span->parent_id, link.span_id, 8);
        else span->links[span->link_count++] = link;
    }
}

/* ---- all of it ---- */

struct process {
    const char *key;
    const struct resource *resource;
};

static const struct resource *read_process(struct model *model, const cJSON *object)
{
    struct resource *resource = model_room(model, sizeof *resource);
    resource->attributes = read_tags(model, json_get(object, "tags"));
    resource->service = model_text(model, json_string(json_get(object, "serviceName")));
    return resource;
}

static const struct resource *process_of(const struct process *processes, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(processes[i].key, key) == 0) return processes[i].resource;
    return NULL;
}

static long read_span(struct model *model, const struct process *processes, size_t count, const cJSON *object)
{
    uint8_t trace_id[16], id[8];
    if (!id_read(trace_id, 16, json_string(json_get(object, "traceID"))) || is_zero(trace_id, 16)) return 0;
    if (!id_read(id, 8, json_string(json_get(object, "spanID"))) || is_zero(id, 8)) return 0;
    struct span *span = model_add(model, trace_id);
    const struct resource *resource = process_of(processes, count, json_string(json_get(object, "processID")));
    if (resource) span->resource = resource;
    memcpy(span->id, id, 8);
    id_read(span->parent_id, 8, json_string(json_get(object, "parentSpanID")));
    span->name = model_text(model, json_string(json_get(object, "operationName")));
    span->flags = 0; /* Jaeger's mean something else */
    span->start = json_uint(json_get(object, "startTime")) * MICROSECOND;
    span->end = span->start + json_uint(json_get(object, "duration")) * MICROSECOND;
    if (span->end < span->start) span->end = span->start;
    span->attributes = read_tags(model, json_get(object, "tags"));
    read_kind(span);
    read_status(span);
    read_logs(model, span, json_get(object, "logs"));
    read_references(model, span, json_get(object, "references"));
    return 1;
}

long jaeger_read(struct model *model, const cJSON *trace)
{
    long read = 0;
    size_t count = 0;
    const cJSON *object = json_get(trace, "processes"), *item;
    const size_t most = cJSON_IsObject(object) ? (size_t)cJSON_GetArraySize(object) : 0;
    struct process *processes = model_room(model, (most ? most : 1) * sizeof *processes);
    if (most) cJSON_ArrayForEach(item, object)
        processes[count++] = (struct process){item->string, read_process(model, item)};
    cJSON_ArrayForEach(item, json_get(trace, "spans")) read += read_span(model, processes, count, item);
    return read;
}
