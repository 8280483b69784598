/* OTLP as JSON: what Whence's file exporter and the Collector's write, and what /api/v3 of a Jaeger answers. */
#include <string.h>

#include "ids.h"
#include "json.h"

/* ---- values ---- */

static cJSON *plain(const cJSON *any);

static cJSON *plain_array(const cJSON *values)
{
    const cJSON *item;
    cJSON *array = cJSON_CreateArray();
    cJSON_ArrayForEach(item, values) cJSON_AddItemToArray(array, plain(item));
    return array;
}

static cJSON *plain_map(const cJSON *values)
{
    const cJSON *item;
    cJSON *map = cJSON_CreateObject();
    cJSON_ArrayForEach(item, values) cJSON_AddItemToObject(map, json_string(json_get(item, "key")), plain(json_get(item, "value")));
    return map;
}

/* {"arrayValue":{"values":[{"intValue":"1"}]}} as [1]. How deep it may go, cJSON has bounded when it read it. */
static cJSON *plain(const cJSON *any)
{
    const cJSON *value = any ? any->child : NULL;
    if (!value) return cJSON_CreateNull();
    if (json_named(value, "arrayValue")) return plain_array(json_get(value, "values"));
    if (json_named(value, "kvlistValue")) return plain_map(json_get(value, "values"));
    if (json_named(value, "intValue")) return cJSON_CreateRaw(cJSON_IsString(value) ? value->valuestring : "0");
    cJSON *copy = cJSON_Duplicate(value, false);
    return copy ? copy : cJSON_CreateNull();
}

static enum value_kind kind_of_value(const cJSON *value)
{
    static const struct { const char *name; enum value_kind kind; } kinds[] = {
        {"stringValue", VALUE_TEXT}, {"intValue", VALUE_INT}, {"doubleValue", VALUE_DOUBLE}, {"boolValue", VALUE_BOOL},
        {"bytesValue", VALUE_BYTES}, {"arrayValue", VALUE_ARRAY}, {"kvlistValue", VALUE_MAP},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (json_named(value, kinds[i].name)) return kinds[i].kind;
    return VALUE_NONE;
}

static void read_attribute(struct model *model, struct attribute_list *list, const cJSON *pair)
{
    const char *key = model_text(model, json_string(json_get(pair, "key")));
    const cJSON *any = json_get(pair, "value"), *value = any ? any->child : NULL;
    const enum value_kind kind = value ? kind_of_value(value) : VALUE_NONE;
    if (kind == VALUE_ARRAY || kind == VALUE_MAP) {
        cJSON *whole = plain(any);
        attribute_list_add(list, key, json_text(model, whole), kind);
        cJSON_Delete(whole);
    } else {
        attribute_list_add(list, key, kind == VALUE_NONE ? model_text(model, "") : json_text(model, value), kind);
    }
}

static struct attributes read_attributes(struct model *model, const cJSON *pairs)
{
    struct attribute_list list = {0};
    const cJSON *pair;
    cJSON_ArrayForEach(pair, pairs) read_attribute(model, &list, pair);
    return attribute_list_take(model, &list);
}

/* Protobuf's JSON writes enumerations as numbers or by their names. */
static uint8_t read_enum(const cJSON *item, const char *const *names, size_t count)
{
    const char *text = json_string(item);
    for (size_t i = 0; *text && i < count; i++)
        if (strcmp(text, names[i]) == 0) return (uint8_t)i;
    const uint64_t value = json_uint(item);
    return value < count ? (uint8_t)value : 0;
}

static uint8_t read_kind(const cJSON *item)
{
    static const char *const names[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT",
        "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
    return read_enum(item, names, sizeof names / sizeof *names);
}

static void read_status(struct model *model, struct span *span, const cJSON *status)
{
    static const char *const names[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};
    span->status = read_enum(json_get(status, "code"), names, sizeof names / sizeof *names);
    span->status_text = model_text(model, json_string(json_get(status, "message")));
}

/* ---- events and links ---- */

static size_t count_of(const cJSON *array)
{
    return cJSON_IsArray(array) ? (size_t)cJSON_GetArraySize(array) : 0;
}

static void read_events(struct model *model, struct span *span, const cJSON *array)
{
    const cJSON *item;
    const size_t count = count_of(array);
    if (!count) return;
    span->events = model_room(model, count * sizeof *span->events);
    cJSON_ArrayForEach(item, array) {
        struct event *event = &span->events[span->event_count++];
        event->at = json_uint(json_get(item, "timeUnixNano"));
        event->name = model_text(model, json_string(json_get(item, "name")));
        event->attributes = read_attributes(model, json_get(item, "attributes"));
    }
}

static void read_links(struct model *model, struct span *span, const cJSON *array)
{
    const cJSON *item;
    const size_t count = count_of(array);
    if (!count) return;
    span->links = model_room(model, count * sizeof *span->links);
    cJSON_ArrayForEach(item, array) {
        struct link *link = &span->links[span->link_count++];
        id_read(link->trace_id, 16, json_string(json_get(item, "traceId")));
        id_read(link->span_id, 8, json_string(json_get(item, "spanId")));
        link->attributes = read_attributes(model, json_get(item, "attributes"));
    }
}

/* ---- spans ---- */

static uint32_t count32(const cJSON *item)
{
    const uint64_t count = json_uint(item);
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

static void read_field(struct model *model, struct span *span, const cJSON *item)
{
    if (json_named(item, "spanId")) id_read(span->id, 8, json_string(item));
    else if (json_named(item, "parentSpanId")) id_read(span->parent_id, 8, json_string(item));
    else if (json_named(item, "name")) span->name = model_text(model, json_string(item));
    else if (json_named(item, "kind")) span->kind = read_kind(item);
    else if (json_named(item, "flags")) span->flags = count32(item);
    else if (json_named(item, "startTimeUnixNano")) span->start = json_uint(item);
    else if (json_named(item, "endTimeUnixNano")) span->end = json_uint(item);
    else if (json_named(item, "traceState")) span->trace_state = model_text(model, json_string(item));
    else if (json_named(item, "attributes")) span->attributes = read_attributes(model, item);
    else if (json_named(item, "events") && !span->events) read_events(model, span, item);
    else if (json_named(item, "links") && !span->links) read_links(model, span, item);
    else if (json_named(item, "status")) read_status(model, span, item);
    else if (json_named(item, "droppedAttributesCount")) span->dropped_attributes = count32(item);
    else if (json_named(item, "droppedEventsCount")) span->dropped_events = count32(item);
    else if (json_named(item, "droppedLinksCount")) span->dropped_links = count32(item);
}

/* Without ids it belongs nowhere. */
static long read_span(struct model *model, const struct resource *resource, const char *scope, const cJSON *object)
{
    uint8_t trace_id[16], id[8];
    const cJSON *item;
    if (!id_read(trace_id, 16, json_string(json_get(object, "traceId"))) || is_zero(trace_id, 16)) return 0;
    if (!id_read(id, 8, json_string(json_get(object, "spanId"))) || is_zero(id, 8)) return 0;
    struct span *span = model_add(model, trace_id);
    span->resource = resource;
    span->scope = scope;
    cJSON_ArrayForEach(item, object) read_field(model, span, item);
    if (span->end < span->start) span->end = span->start;
    return 1;
}

static long read_scope(struct model *model, const struct resource *resource, const cJSON *of_scope)
{
    long count = 0;
    const cJSON *span, *scope = json_get(of_scope, "scope");
    const char *name = model_text(model, json_string(json_get(scope, "name")));
    cJSON_ArrayForEach(span, json_get(of_scope, "spans")) count += read_span(model, resource, name, span);
    return count;
}

static const struct resource *read_resource(struct model *model, const cJSON *object)
{
    struct resource *resource = model_room(model, sizeof *resource);
    resource->attributes = read_attributes(model, json_get(object, "attributes"));
    const char *service = attribute_text(&resource->attributes, "service.name");
    resource->service = service ? service : model_text(model, "");
    return resource;
}

long otlp_read(struct model *model, const cJSON *traces_data)
{
    long count = 0;
    const cJSON *of_resource, *of_scope;
    cJSON_ArrayForEach(of_resource, json_get(traces_data, "resourceSpans")) {
        const struct resource *resource = read_resource(model, json_get(of_resource, "resource"));
        const cJSON *scopes = json_get(of_resource, "scopeSpans");
        if (!scopes) scopes = json_get(of_resource, "instrumentationLibrarySpans"); /* until 2022 */
        cJSON_ArrayForEach(of_scope, scopes) count += read_scope(model, resource, of_scope);
    }
    return count;
}
