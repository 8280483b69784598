/* OTLP as JSON, from its protobuf encoding: the same tree of messages under other names. It differs from the JSON that
 * protobuf defines in that ids are hexadecimal and enumerations are numbers (OTLP specification, JSON Protobuf
 * Encoding).
 *
 * A message is read once, to see which of its fields are there, and those are written in the order of a table; fields that
 * are not in it, or are there under another wire type, are ignored. What repeats is read again from its first place on,
 * because it may come in between anything else and has to be brought together. */
#include "exporters/json.h"
#include "exporters/reader.h"
#include "trace/wire.h"

enum shape { TEXT = 1, HEX, NUMBER, COUNT, FIXED64, ATTRIBUTES, TEXTS, MESSAGE, MESSAGES };
enum { MOST_FIELDS = 16, NAME = 32, VALUES = 1 /* the one field of arrays and of maps */ };

struct field {
    uint8_t number, wire;
    uint8_t shape;
    uint8_t len;          /* of the name */
    char name[NAME];      /* with all that stands between the value before and this one */
    const struct message *message;
};
struct message {
    struct field fields[MOST_FIELDS];
    uint8_t count;
    uint8_t places[MOST_FIELDS + 1]; /* by number: in `fields`, plus 1; 0: none */
};

static void put_message(struct wh__json *json, const struct message *message, struct wh_bytes bytes);

/* ---- literals ---- */

/* The length is known when it is compiled: a few moves. */
#define PUT(json, text) wh__json_put_some((json), (text), sizeof(text) - 1)

/* ---- values ---- */

static void put_value(struct wh__json *json, struct wh_bytes any, unsigned depth);

/* Protobuf's JSON has integers of 64 bits as strings. */
static void put_int64(struct wh__json *json, uint64_t word)
{
    PUT(json, "\"intValue\":\"");
    wh__json_signed(json, (int64_t)word);
    PUT(json, "\"");
}

static void put_double(struct wh__json *json, uint64_t word)
{
    double value;
    memcpy(&value, &word, sizeof value);
    PUT(json, "\"doubleValue\":");
    wh__json_double(json, value);
}

static bool next_of(struct wh_bytes *rest, unsigned number, struct wh__field *next)
{
    while (wh__next_field_at_once(rest, next, NULL))
        if (next->number == number && next->type == WH__LEN) return true;
    return false;
}

/* A varint of one or two bytes that fills what it is given; else -1. */
static inline int64_t small_number(const uint8_t *p, size_t size)
{
    if (size == 1 && p[0] < 0x80) return p[0];
    if (size == 2 && p[0] >= 0x80 && p[1] < 0x80) return (p[0] & 0x7f) | p[1] << 7;
    return -1;
}

/* What nearly all attributes are: a short key, then a short text or a number, and nothing of it twice. False, and nothing is
 * written, if this is another one. */
static inline bool put_attribute_at_once(struct wh__json *json, struct wh_bytes attribute)
{
    static const char begin[] = "{\"key\":\"", text[] = "\",\"value\":{\"stringValue\":\"", number[] = "\",\"value\":{\"intValue\":\"";
    const uint8_t *p = attribute.ptr;
    if (attribute.len < 6 || attribute.len >= 0x80 || p[0] != WH__TAG(WH__KEY, WH__LEN) || p[1] > attribute.len - 6) return false;
    const size_t key_len = p[1], size = attribute.len - key_len - 4; /* of the value */
    const uint8_t *key = p + 2, *value = key + key_len + 2;
    if (value[-2] != WH__TAG(WH__VALUE_OF_KEY, WH__LEN) || value[-1] != size) return false;
    char *to = wh__json_room(json, attribute.len + 80);
    if (!to) return true;
    memcpy(to, begin, sizeof begin - 1);
    to += sizeof begin - 1;
    if (!wh__json_copy_plain(to, (const char *)key, key_len)) return false;
    to += key_len;
    if (value[0] == WH__TAG(WH__ANY_STRING, WH__LEN) && value[1] == size - 2) {
        memcpy(to, text, sizeof text - 1);
        to += sizeof text - 1;
        if (!wh__json_copy_plain(to, (const char *)value + 2, size - 2)) return false;
        to += size - 2;
    } else if (value[0] == WH__TAG(WH__ANY_INT, WH__VARINT) && small_number(value + 1, size - 1) >= 0) {
        memcpy(to, number, sizeof number - 1);
        to = wh__json_put_signed(to + sizeof number - 1, small_number(value + 1, size - 1));
    } else {
        return false;
    }
    memcpy(to, "\"}}", 3);
    json->len = (size_t)(to + 3 - json->buf);
    return true;
}

/* {"key":...,"value":...}: of each the last that is there. */
static void put_attribute(struct wh__json *json, struct wh_bytes rest, unsigned depth)
{
    struct wh__field next;
    struct wh_bytes key = {0}, value = {0};
    while (wh__next_field_at_once(&rest, &next, NULL)) {
        if (next.type != WH__LEN) continue;
        if (next.number == WH__KEY) key = next.bytes;
        if (next.number == WH__VALUE_OF_KEY) value = next.bytes;
    }
    PUT(json, "{");
    if (key.ptr) {
        PUT(json, "\"key\":");
        wh__json_text(json, key);
    }
    if (value.ptr) {
        if (key.ptr)
            PUT(json, ",\"value\":");
        else
            PUT(json, "\"value\":");
        put_value(json, value, depth);
    }
    PUT(json, "}");
}

static void put_attributes(struct wh__json *json, struct wh_bytes rest, unsigned number, unsigned depth)
{
    struct wh__field next;
    bool more = false;
    PUT(json, "[");
    while (next_of(&rest, number, &next)) {
        if (more) PUT(json, ",");
        if (!put_attribute_at_once(json, next.bytes)) put_attribute(json, next.bytes, depth);
        more = true;
    }
    PUT(json, "]");
}

static void put_items(struct wh__json *json, struct wh_bytes rest, unsigned depth)
{
    struct wh__field next;
    bool more = false;
    PUT(json, "[");
    while (next_of(&rest, VALUES, &next)) {
        if (more) PUT(json, ",");
        put_value(json, next.bytes, depth);
        more = true;
    }
    PUT(json, "]");
}

static void put_list(struct wh__json *json, const struct wh__field *list, unsigned depth)
{
    struct wh__field next;
    struct wh_bytes rest = list->bytes;
    if (list->number == WH__ANY_ARRAY)
        PUT(json, "\"arrayValue\":{");
    else
        PUT(json, "\"kvlistValue\":{");
    if (next_of(&rest, VALUES, &next)) {
        PUT(json, "\"values\":");
        if (list->number == WH__ANY_ARRAY)
            put_items(json, list->bytes, depth + 1);
        else
            put_attributes(json, list->bytes, VALUES, depth + 1);
    }
    PUT(json, "}");
}

/* Which kind of value it is; 0: none that is known. */
static unsigned kind_of(const struct wh__field *field)
{
    static const uint8_t wires[] = {
        [WH__ANY_STRING] = WH__LEN, [WH__ANY_BOOL] = WH__VARINT, [WH__ANY_INT] = WH__VARINT, [WH__ANY_DOUBLE] = WH__FIXED64,
        [WH__ANY_ARRAY] = WH__LEN, [WH__ANY_MAP] = WH__LEN, [WH__ANY_BYTES] = WH__LEN,
    };
    return field->number <= WH__ANY_BYTES && wires[field->number] == field->type ? field->number : 0;
}

/* Of several kinds the last that is there. An array or a map that lies deeper than anybody needs is the empty value. */
static void put_value(struct wh__json *json, struct wh_bytes any, unsigned depth)
{
    struct wh__field next, value = {.number = 0};
    while (wh__next_field_at_once(&any, &next, NULL))
        if (kind_of(&next)) value = next;
    PUT(json, "{");
    switch (value.number) {
    case WH__ANY_STRING:
        PUT(json, "\"stringValue\":");
        wh__json_text(json, value.bytes);
        break;
    case WH__ANY_BOOL: wh__json_put(json, value.word ? "\"boolValue\":true" : "\"boolValue\":false"); break;
    case WH__ANY_INT: put_int64(json, value.word); break;
    case WH__ANY_DOUBLE: put_double(json, value.word); break;
    case WH__ANY_ARRAY:
    case WH__ANY_MAP:
        if (depth <= WH__DEEPEST) put_list(json, &value, depth);
        break;
    case WH__ANY_BYTES:
        PUT(json, "\"bytesValue\":");
        wh__json_base64(json, value.bytes);
        break;
    default: break;
    }
    PUT(json, "}");
}

/* ---- the messages ---- */

#define FIELD(number_, wire_, shape_, name_, message_) \
    {.number = (number_), .wire = (wire_), .shape = (shape_), .len = sizeof(",\"" name_ "\":") - 1, .name = ",\"" name_ "\":", \
     .message = (message_)}

static const struct message status = {.count = 2, .fields = {
    FIELD(WH__STATUS_MESSAGE, WH__LEN, TEXT, "message", NULL),
    FIELD(WH__STATUS_CODE, WH__VARINT, NUMBER, "code", NULL),
}, .places = {[WH__STATUS_MESSAGE] = 1, [WH__STATUS_CODE] = 2}};
static const struct message event = {.count = 4, .fields = {
    FIELD(WH__EVENT_TIME, WH__FIXED64, FIXED64, "timeUnixNano", NULL),
    FIELD(WH__EVENT_NAME, WH__LEN, TEXT, "name", NULL),
    FIELD(WH__EVENT_ATTRIBUTE, WH__LEN, ATTRIBUTES, "attributes", NULL),
    FIELD(WH__EVENT_DROPPED, WH__VARINT, COUNT, "droppedAttributesCount", NULL),
}, .places = {[WH__EVENT_TIME] = 1, [WH__EVENT_NAME] = 2, [WH__EVENT_ATTRIBUTE] = 3, [WH__EVENT_DROPPED] = 4}};
static const struct message link = {.count = 6, .fields = {
    FIELD(WH__LINK_TRACE_ID, WH__LEN, HEX, "traceId", NULL),
    FIELD(WH__LINK_SPAN_ID, WH__LEN, HEX, "spanId", NULL),
    FIELD(WH__LINK_TRACESTATE, WH__LEN, TEXT, "traceState", NULL),
    FIELD(WH__LINK_ATTRIBUTE, WH__LEN, ATTRIBUTES, "attributes", NULL),
    FIELD(WH__LINK_DROPPED, WH__VARINT, COUNT, "droppedAttributesCount", NULL),
    FIELD(WH__LINK_FLAGS, WH__FIXED32, COUNT, "flags", NULL),
}, .places = {[WH__LINK_TRACE_ID] = 1, [WH__LINK_SPAN_ID] = 2, [WH__LINK_TRACESTATE] = 3, [WH__LINK_ATTRIBUTE] = 4,
              [WH__LINK_DROPPED] = 5, [WH__LINK_FLAGS] = 6}};
static const struct message span = {.count = 16, .fields = {
    FIELD(WH__SPAN_TRACE_ID, WH__LEN, HEX, "traceId", NULL),
    FIELD(WH__SPAN_ID, WH__LEN, HEX, "spanId", NULL),
    FIELD(WH__SPAN_TRACESTATE, WH__LEN, TEXT, "traceState", NULL),
    FIELD(WH__SPAN_PARENT, WH__LEN, HEX, "parentSpanId", NULL),
    FIELD(WH__SPAN_FLAGS, WH__FIXED32, COUNT, "flags", NULL),
    FIELD(WH__SPAN_NAME, WH__LEN, TEXT, "name", NULL),
    FIELD(WH__SPAN_KIND, WH__VARINT, NUMBER, "kind", NULL),
    FIELD(WH__SPAN_START, WH__FIXED64, FIXED64, "startTimeUnixNano", NULL),
    FIELD(WH__SPAN_END, WH__FIXED64, FIXED64, "endTimeUnixNano", NULL),
    FIELD(WH__SPAN_ATTRIBUTE, WH__LEN, ATTRIBUTES, "attributes", NULL),
    FIELD(WH__SPAN_DROPPED_ATTRIBUTES, WH__VARINT, COUNT, "droppedAttributesCount", NULL),
    FIELD(WH__SPAN_EVENT, WH__LEN, MESSAGES, "events", &event),
    FIELD(WH__SPAN_DROPPED_EVENTS, WH__VARINT, COUNT, "droppedEventsCount", NULL),
    FIELD(WH__SPAN_LINK, WH__LEN, MESSAGES, "links", &link),
    FIELD(WH__SPAN_DROPPED_LINKS, WH__VARINT, COUNT, "droppedLinksCount", NULL),
    FIELD(WH__SPAN_STATUS, WH__LEN, MESSAGE, "status", &status),
}, .places = {[WH__SPAN_TRACE_ID] = 1, [WH__SPAN_ID] = 2, [WH__SPAN_TRACESTATE] = 3, [WH__SPAN_PARENT] = 4,
              [WH__SPAN_FLAGS] = 5, [WH__SPAN_NAME] = 6, [WH__SPAN_KIND] = 7, [WH__SPAN_START] = 8, [WH__SPAN_END] = 9,
              [WH__SPAN_ATTRIBUTE] = 10, [WH__SPAN_DROPPED_ATTRIBUTES] = 11, [WH__SPAN_EVENT] = 12,
              [WH__SPAN_DROPPED_EVENTS] = 13, [WH__SPAN_LINK] = 14, [WH__SPAN_DROPPED_LINKS] = 15, [WH__SPAN_STATUS] = 16}};
static const struct message scope = {.count = 4, .fields = {
    FIELD(WH__SCOPE_NAME, WH__LEN, TEXT, "name", NULL),
    FIELD(WH__SCOPE_VERSION, WH__LEN, TEXT, "version", NULL),
    FIELD(WH__SCOPE_ATTRIBUTE, WH__LEN, ATTRIBUTES, "attributes", NULL),
    FIELD(4, WH__VARINT, COUNT, "droppedAttributesCount", NULL),
}, .places = {[WH__SCOPE_NAME] = 1, [WH__SCOPE_VERSION] = 2, [WH__SCOPE_ATTRIBUTE] = 3, [4] = 4}};
static const struct message entity = {.count = 4, .fields = {
    FIELD(1, WH__LEN, TEXT, "schemaUrl", NULL),
    FIELD(2, WH__LEN, TEXT, "type", NULL),
    FIELD(3, WH__LEN, TEXTS, "idKeys", NULL),
    FIELD(4, WH__LEN, TEXTS, "descriptionKeys", NULL),
}, .places = {[1] = 1, [2] = 2, [3] = 3, [4] = 4}};
static const struct message resource = {.count = 3, .fields = {
    FIELD(WH__RESOURCE_ATTRIBUTE, WH__LEN, ATTRIBUTES, "attributes", NULL),
    FIELD(2, WH__VARINT, COUNT, "droppedAttributesCount", NULL),
    FIELD(WH__RESOURCE_ENTITY, WH__LEN, MESSAGES, "entityRefs", &entity),
}, .places = {[WH__RESOURCE_ATTRIBUTE] = 1, [2] = 2, [WH__RESOURCE_ENTITY] = 3}};

/* ---- the walk ---- */

/* Of each field of a message the last that is there, and where the first stands. */
struct found {
    struct wh__field last[MOST_FIELDS];
    struct wh_bytes from[MOST_FIELDS];
    uint32_t is_there; /* a bit for each */
};

static void find(struct found *found, const struct message *message, struct wh_bytes rest, bool *broken)
{
    struct wh__field next;
    struct wh_bytes here = rest;
    found->is_there = 0;
    for (; wh__next_field_at_once(&rest, &next, broken); here = rest) {
        const unsigned place = next.number <= MOST_FIELDS ? message->places[next.number] : 0u, i = place - 1;
        if (place == 0 || message->fields[i].wire != next.type) continue;
        found->last[i] = next;
        if (!(found->is_there & 1u << i)) found->from[i] = here;
        found->is_there |= 1u << i;
    }
}

static void put_messages(struct wh__json *json, const struct field *field, struct wh_bytes rest)
{
    struct wh__field next;
    bool more = false;
    PUT(json, "[");
    while (next_of(&rest, field->number, &next)) {
        if (more) PUT(json, ",");
        put_message(json, field->message, next.bytes);
        more = true;
    }
    PUT(json, "]");
}

static void put_texts(struct wh__json *json, const struct field *field, struct wh_bytes rest)
{
    struct wh__field next;
    bool more = false;
    PUT(json, "[");
    while (next_of(&rest, field->number, &next)) {
        if (more) PUT(json, ",");
        wh__json_text(json, next.bytes);
        more = true;
    }
    PUT(json, "]");
}

static void put_fixed64(struct wh__json *json, uint64_t word)
{
    PUT(json, "\"");
    wh__json_unsigned(json, word);
    PUT(json, "\"");
}

static void put_field(struct wh__json *json, const struct field *field, const struct wh__field *last, struct wh_bytes from)
{
    switch ((enum shape)field->shape) {
    case TEXT: wh__json_text(json, last->bytes); break;
    case HEX: wh__json_hex(json, last->bytes); break;
    case NUMBER: wh__json_signed(json, (int32_t)last->word); break;
    case COUNT: wh__json_unsigned(json, (uint32_t)last->word); break;
    case FIXED64: put_fixed64(json, last->word); break;
    case ATTRIBUTES: put_attributes(json, from, field->number, 1); break;
    case TEXTS: put_texts(json, field, from); break;
    case MESSAGE: put_message(json, field->message, last->bytes); break;
    case MESSAGES: put_messages(json, field, from); break;
    }
}

/* The name of a field, of NAME characters whatever its length, so that it is copied at once. */
static void put_name(struct wh__json *json, const struct field *field, bool first)
{
    char *p = wh__json_room(json, NAME);
    if (!p) return;
    memcpy(p, field->name, NAME);
    if (first) *p = '{';
    json->len += field->len;
}

static void put_found(struct wh__json *json, const struct message *message, const struct found *found)
{
    bool first = true;
    if (found->is_there == 0) PUT(json, "{");
    for (uint32_t left = found->is_there; left; left &= left - 1, first = false) {
        const int i = __builtin_ctz(left);
        put_name(json, &message->fields[i], first);
        put_field(json, &message->fields[i], &found->last[i], found->from[i]);
    }
    PUT(json, "}");
}

static void put_message(struct wh__json *json, const struct message *message, struct wh_bytes bytes)
{
    struct found found;
    find(&found, message, bytes, NULL);
    put_found(json, message, &found);
}

/* ---- batches ---- */

static void put_schema_url(struct wh__json *json, struct wh_str url)
{
    if (!url.len) return;
    wh__json_put(json, ",\"schemaUrl\":");
    wh__json_text(json, (struct wh_bytes){url.ptr, url.len});
}

/* A scope of which nothing is a span is left out, with all around it if it is the first. */
static size_t put_scope_spans(struct wh__json *json, const struct wh_batch *batch, const struct wh_scope_spans *spans, bool first)
{
    struct found found;
    size_t count = 0;
    for (size_t i = 0; i < spans->count; i++) {
        bool broken = false;
        find(&found, &span, spans->spans[i], &broken);
        if (broken) continue;
        if (count++ == 0) {
            wh__json_put(json, first ? "{\"resourceSpans\":[{\"resource\":" : ",{\"scope\":");
            if (first) put_message(json, &resource, batch->resource);
            if (first) PUT(json, ",\"scopeSpans\":[{\"scope\":");
            put_message(json, &scope, spans->scope);
            PUT(json, ",\"spans\":[");
        } else {
            PUT(json, ",");
        }
        put_found(json, &span, &found);
    }
    if (count == 0) return 0;
    PUT(json, "]");
    put_schema_url(json, spans->schema_url);
    PUT(json, "}");
    return count;
}

size_t wh__json_batch(struct wh__json *json, const struct wh_batch *batch)
{
    size_t count = 0;
    for (size_t i = 0; i < batch->scope_count; i++) count += put_scope_spans(json, batch, &batch->scopes[i], count == 0);
    if (count == 0) return 0;
    PUT(json, "]");
    put_schema_url(json, batch->schema_url);
    PUT(json, "}]}");
    return count;
}
