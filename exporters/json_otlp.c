/* OTLP as JSON, from its protobuf encoding: the same tree of messages under other names. It differs from the JSON that
 * protobuf defines in that ids are hexadecimal and enumerations are numbers (OTLP specification, JSON Protobuf
 * Encoding).
 *
 * One walk over tables of fields. A message is read once for each field that it may have, because what repeats may
 * come in between anything else and has to be brought together; fields that are not in the table are ignored. */
#include "exporters/json.h"
#include "exporters/reader.h"
#include "trace/wire.h"

enum { DEEPEST_VALUE = 64 };

enum shape { TEXT = 1, HEX, BASE64, BOOL, NUMBER, COUNT, INT64, FIXED64, DOUBLE, MESSAGE, MESSAGES };

struct field {
    uint8_t number;
    uint8_t wire; /* its wire type; under another one it is no such field */
    enum shape shape;
    const char *name;
    const struct message *message;
};

struct message {
    struct field fields[16]; /* up to the first without a number */
    bool one_of;             /* it has one of them at most: the last that is there */
};

struct walk {
    struct wh__json *json;
    unsigned values; /* that we are in, one within the other */
};

/* ---- the messages ---- */

static const struct message any_value;
static const struct message key_value = {{
    {WH__KEY, WH__LEN, TEXT, "key", NULL},
    {WH__VALUE_OF_KEY, WH__LEN, MESSAGE, "value", &any_value},
}, false};
static const struct message array = {{{1, WH__LEN, MESSAGES, "values", &any_value}}, false};
static const struct message map = {{{1, WH__LEN, MESSAGES, "values", &key_value}}, false};
static const struct message any_value = {{
    {WH__ANY_STRING, WH__LEN, TEXT, "stringValue", NULL},
    {WH__ANY_BOOL, WH__VARINT, BOOL, "boolValue", NULL},
    {WH__ANY_INT, WH__VARINT, INT64, "intValue", NULL},
    {WH__ANY_DOUBLE, WH__FIXED64, DOUBLE, "doubleValue", NULL},
    {WH__ANY_ARRAY, WH__LEN, MESSAGE, "arrayValue", &array},
    {WH__ANY_MAP, WH__LEN, MESSAGE, "kvlistValue", &map},
    {WH__ANY_BYTES, WH__LEN, BASE64, "bytesValue", NULL},
}, true};
static const struct message status = {{
    {WH__STATUS_MESSAGE, WH__LEN, TEXT, "message", NULL},
    {WH__STATUS_CODE, WH__VARINT, NUMBER, "code", NULL},
}, false};
static const struct message event = {{
    {WH__EVENT_TIME, WH__FIXED64, FIXED64, "timeUnixNano", NULL},
    {WH__EVENT_NAME, WH__LEN, TEXT, "name", NULL},
    {WH__EVENT_ATTRIBUTE, WH__LEN, MESSAGES, "attributes", &key_value},
    {WH__EVENT_DROPPED, WH__VARINT, COUNT, "droppedAttributesCount", NULL},
}, false};
static const struct message link = {{
    {WH__LINK_TRACE_ID, WH__LEN, HEX, "traceId", NULL},
    {WH__LINK_SPAN_ID, WH__LEN, HEX, "spanId", NULL},
    {WH__LINK_TRACESTATE, WH__LEN, TEXT, "traceState", NULL},
    {WH__LINK_ATTRIBUTE, WH__LEN, MESSAGES, "attributes", &key_value},
    {WH__LINK_DROPPED, WH__VARINT, COUNT, "droppedAttributesCount", NULL},
    {WH__LINK_FLAGS, WH__FIXED32, COUNT, "flags", NULL},
}, false};
static const struct message span = {{
    {WH__SPAN_TRACE_ID, WH__LEN, HEX, "traceId", NULL},
    {WH__SPAN_ID, WH__LEN, HEX, "spanId", NULL},
    {WH__SPAN_TRACESTATE, WH__LEN, TEXT, "traceState", NULL},
    {WH__SPAN_PARENT, WH__LEN, HEX, "parentSpanId", NULL},
    {WH__SPAN_FLAGS, WH__FIXED32, COUNT, "flags", NULL},
    {WH__SPAN_NAME, WH__LEN, TEXT, "name", NULL},
    {WH__SPAN_KIND, WH__VARINT, NUMBER, "kind", NULL},
    {WH__SPAN_START, WH__FIXED64, FIXED64, "startTimeUnixNano", NULL},
    {WH__SPAN_END, WH__FIXED64, FIXED64, "endTimeUnixNano", NULL},
    {WH__SPAN_ATTRIBUTE, WH__LEN, MESSAGES, "attributes", &key_value},
    {WH__SPAN_DROPPED_ATTRIBUTES, WH__VARINT, COUNT, "droppedAttributesCount", NULL},
    {WH__SPAN_EVENT, WH__LEN, MESSAGES, "events", &event},
    {WH__SPAN_DROPPED_EVENTS, WH__VARINT, COUNT, "droppedEventsCount", NULL},
    {WH__SPAN_LINK, WH__LEN, MESSAGES, "links", &link},
    {WH__SPAN_DROPPED_LINKS, WH__VARINT, COUNT, "droppedLinksCount", NULL},
    {WH__SPAN_STATUS, WH__LEN, MESSAGE, "status", &status},
}, false};
static const struct message scope = {{
    {WH__SCOPE_NAME, WH__LEN, TEXT, "name", NULL},
    {WH__SCOPE_VERSION, WH__LEN, TEXT, "version", NULL},
    {WH__SCOPE_ATTRIBUTE, WH__LEN, MESSAGES, "attributes", &key_value},
    {4, WH__VARINT, COUNT, "droppedAttributesCount", NULL},
}, false};
static const struct message resource = {{
    {WH__RESOURCE_ATTRIBUTE, WH__LEN, MESSAGES, "attributes", &key_value},
    {2, WH__VARINT, COUNT, "droppedAttributesCount", NULL},
}, false};

/* ---- the walk ---- */

static void put_message(struct walk *walk, const struct message *message, struct wh_bytes bytes);

/* Protobuf's JSON has integers of 64 bits as strings. */
static void put_quoted(struct walk *walk, const struct wh__field *found, bool is_signed)
{
    wh__json_put(walk->json, "\"");
    if (is_signed)
        wh__json_signed(walk->json, (int64_t)found->word);
    else
        wh__json_unsigned(walk->json, found->word);
    wh__json_put(walk->json, "\"");
}

static void put_double(struct walk *walk, uint64_t word)
{
    double value;
    memcpy(&value, &word, sizeof value);
    wh__json_double(walk->json, value);
}

static void put_value(struct walk *walk, const struct field *field, const struct wh__field *found)
{
    switch (field->shape) {
    case TEXT: wh__json_text(walk->json, found->bytes); break;
    case HEX: wh__json_hex(walk->json, found->bytes); break;
    case BASE64: wh__json_base64(walk->json, found->bytes); break;
    case BOOL: wh__json_put(walk->json, found->word ? "true" : "false"); break;
    case NUMBER: wh__json_signed(walk->json, (int32_t)found->word); break;
    case COUNT: wh__json_unsigned(walk->json, (uint32_t)found->word); break;
    case INT64: put_quoted(walk, found, true); break;
    case FIXED64: put_quoted(walk, found, false); break;
    case DOUBLE: put_double(walk, found->word); break;
    case MESSAGE:
    case MESSAGES: put_message(walk, field->message, found->bytes); break;
    }
}

/* Where several stand, the last holds. */
static bool find(const struct field *field, struct wh_bytes rest, struct wh__field *found)
{
    struct wh__field next;
    bool any = false;
    while (wh__next_field(&rest, &next, NULL)) {
        if (next.number != field->number || next.type != field->wire) continue;
        *found = next;
        any = true;
    }
    return any;
}

static void put_list(struct walk *walk, const struct field *field, struct wh_bytes rest)
{
    struct wh__field next;
    const char *before = "[";
    while (wh__next_field(&rest, &next, NULL)) {
        if (next.number != field->number || next.type != field->wire) continue;
        wh__json_put(walk->json, before);
        put_value(walk, field, &next);
        before = ",";
    }
    wh__json_put(walk->json, "]");
}

static bool put_field(struct walk *walk, const struct field *field, struct wh_bytes bytes, const char *before)
{
    struct wh__field found;
    if (!find(field, bytes, &found)) return false;
    wh__json_put(walk->json, before);
    wh__json_put(walk->json, "\"");
    wh__json_put(walk->json, field->name);
    wh__json_put(walk->json, "\":");
    if (field->shape == MESSAGES)
        put_list(walk, field, bytes);
    else
        put_value(walk, field, &found);
    return true;
}

static void put_last_of(struct walk *walk, const struct message *message, struct wh_bytes bytes)
{
    struct wh_bytes rest = bytes;
    struct wh__field next;
    const struct field *last = NULL;
    while (wh__next_field(&rest, &next, NULL))
        for (const struct field *field = message->fields; field->number; field++)
            if (field->number == next.number && field->wire == next.type) last = field;
    if (last) put_field(walk, last, bytes, "");
}

static void put_all_of(struct walk *walk, const struct message *message, struct wh_bytes bytes)
{
    const char *before = "";
    for (size_t i = 0; i < sizeof message->fields / sizeof *message->fields && message->fields[i].number; i++)
        if (put_field(walk, &message->fields[i], bytes, before)) before = ",";
}

/* A value that lies deeper than anybody needs is an empty one. */
static void put_message(struct walk *walk, const struct message *message, struct wh_bytes bytes)
{
    wh__json_put(walk->json, "{");
    if (!message->one_of) {
        put_all_of(walk, message, bytes);
    } else if (walk->values < DEEPEST_VALUE) {
        walk->values++;
        put_last_of(walk, message, bytes);
        walk->values--;
    }
    wh__json_put(walk->json, "}");
}

static void put_schema_url(struct wh__json *json, struct wh_str url)
{
    if (!url.len) return;
    wh__json_put(json, ",\"schemaUrl\":");
    wh__json_text(json, (struct wh_bytes){url.ptr, url.len});
}

/* A scope of which nothing is a span is left out, with all around it if it is the first. */
static size_t put_scope_spans(struct walk *walk, const struct wh_batch *batch, const struct wh_scope_spans *spans, bool first)
{
    struct wh_span_view view;
    size_t count = 0;
    for (size_t i = 0; i < spans->count; i++) {
        if (!wh_span_read(spans->spans[i], &view)) continue;
        if (count++ == 0) {
            wh__json_put(walk->json, first ? "{\"resourceSpans\":[{\"resource\":" : ",{\"scope\":");
            if (first) put_message(walk, &resource, batch->resource);
            if (first) wh__json_put(walk->json, ",\"scopeSpans\":[{\"scope\":");
            put_message(walk, &scope, spans->scope);
            wh__json_put(walk->json, ",\"spans\":[");
        } else {
            wh__json_put(walk->json, ",");
        }
        put_message(walk, &span, spans->spans[i]);
    }
    if (count == 0) return 0;
    wh__json_put(walk->json, "]");
    put_schema_url(walk->json, spans->schema_url);
    wh__json_put(walk->json, "}");
    return count;
}

size_t wh__json_batch(struct wh__json *json, const struct wh_batch *batch)
{
    struct walk walk = {.json = json};
    size_t count = 0;
    for (size_t i = 0; i < batch->scope_count; i++) count += put_scope_spans(&walk, batch, &batch->scopes[i], count == 0);
    if (count == 0) return 0;
    wh__json_put(json, "]");
    put_schema_url(json, batch->schema_url);
    wh__json_put(json, "}]}");
    return count;
}
