/* Views on encoded spans. */
#include <errno.h>
#include <string.h>

#include "exporters/reader.h"
#include "trace/wire.h"

static struct wh_str as_text(struct wh_bytes bytes)
{
    return (struct wh_str){bytes.ptr, bytes.len};
}

static void copy_id(uint8_t *id, size_t size, struct wh_bytes bytes)
{
    if (bytes.len == size) memcpy(id, bytes.ptr, size);
}

static void read_status(struct wh_bytes rest, struct wh_span_view *view)
{
    struct wh__field field;
    while (wh__next_field(&rest, &field, NULL)) {
        if (field.number == WH__STATUS_MESSAGE) view->status_text = as_text(field.bytes);
        if (field.number == WH__STATUS_CODE)
            view->status = field.word <= WH_STATUS_ERROR ? (enum wh_status)field.word : WH_STATUS_UNSET;
    }
}

static enum wh_kind read_kind(uint64_t word)
{
    return word >= 1 && word <= 5 ? (enum wh_kind)(word - 1) : WH_INTERNAL;
}

static void read_span_field(const struct wh__field *field, struct wh_span_view *view)
{
    switch (field->number) {
    case WH__SPAN_TRACE_ID: copy_id(view->trace_id, sizeof view->trace_id, field->bytes); break;
    case WH__SPAN_ID: copy_id(view->span_id, sizeof view->span_id, field->bytes); break;
    case WH__SPAN_PARENT: copy_id(view->parent_span_id, sizeof view->parent_span_id, field->bytes); break;
    case WH__SPAN_TRACESTATE: view->tracestate = as_text(field->bytes); break;
    case WH__SPAN_NAME: view->name = as_text(field->bytes); break;
    case WH__SPAN_KIND: view->kind = read_kind(field->word); break;
    case WH__SPAN_START: view->start = field->word; break;
    case WH__SPAN_END: view->end = field->word; break;
    case WH__SPAN_DROPPED_ATTRIBUTES: view->dropped_attributes = (uint32_t)field->word; break;
    case WH__SPAN_DROPPED_EVENTS: view->dropped_events = (uint32_t)field->word; break;
    case WH__SPAN_DROPPED_LINKS: view->dropped_links = (uint32_t)field->word; break;
    case WH__SPAN_STATUS: read_status(field->bytes, view); break;
    case WH__SPAN_FLAGS: view->flags = (uint32_t)field->word; break;
    default: break;
    }
}

bool wh_span_read(struct wh_bytes span, struct wh_span_view *view)
{
    struct wh_span_view read = {.raw = span};
    struct wh__field field;
    bool broken = false;
    while (wh__next_field(&span, &field, &broken)) read_span_field(&field, &read);
    if (!broken) *view = read;
    return !broken;
}

/* ---- iterating ---- */

static bool next_message(struct wh_cursor *cursor, uint32_t number, struct wh_bytes *message)
{
    struct wh__field field;
    while (wh__next_field(&cursor->rest, &field, NULL)) {
        if (field.number != number || field.type != WH__LEN) continue;
        *message = field.bytes;
        return true;
    }
    return false;
}

static void read_attr(struct wh_bytes rest, struct wh_attr_view *attr)
{
    struct wh__field field;
    *attr = (struct wh_attr_view){.type = WH_EMPTY};
    while (wh__next_field(&rest, &field, NULL)) {
        if (field.number == WH__KEY && field.type == WH__LEN) attr->key = as_text(field.bytes);
        if (field.number != WH__VALUE_OF_KEY || field.type != WH__LEN) continue;
        attr->type = (enum wh_type)0;
        wh__read_value(field.bytes, attr);
    }
}

static bool next_attr(struct wh_cursor *cursor, uint32_t number, struct wh_attr_view *attr)
{
    struct wh_bytes rest;
    if (!next_message(cursor, number, &rest)) return false;
    read_attr(rest, attr);
    return true;
}

bool wh_next_span_attr(struct wh_cursor *span, struct wh_attr_view *attr) { return next_attr(span, WH__SPAN_ATTRIBUTE, attr); }
bool wh_next_event_attr(struct wh_cursor *event, struct wh_attr_view *attr) { return next_attr(event, WH__EVENT_ATTRIBUTE, attr); }
bool wh_next_link_attr(struct wh_cursor *link, struct wh_attr_view *attr) { return next_attr(link, WH__LINK_ATTRIBUTE, attr); }
bool wh_next_scope_attr(struct wh_cursor *scope, struct wh_attr_view *attr) { return next_attr(scope, WH__SCOPE_ATTRIBUTE, attr); }
bool wh_next_resource_attr(struct wh_cursor *resource, struct wh_attr_view *attr)
{
    return next_attr(resource, WH__RESOURCE_ATTRIBUTE, attr);
}

/* The bytes of an array or a map are its field in AnyValue, whose tag says which of both it is. An iteration leaves their
 * beginning where it is, so that this can be seen at every step: what gets less is their count. */
bool wh_next_item(struct wh_cursor *value, struct wh_attr_view *item)
{
    struct wh__field list;
    struct wh_bytes whole = {value->rest.ptr, SIZE_MAX / 2}, bytes;
    if (value->rest.len < 2 || !wh__next_field(&whole, &list, NULL) || list.type != WH__LEN) return false;
    const size_t head = (size_t)((const uint8_t *)list.bytes.ptr - (const uint8_t *)value->rest.ptr);
    const size_t left = value->rest.len > head ? value->rest.len - head : 0;
    struct wh_cursor rest = {list.bytes};
    if (left < list.bytes.len) rest.rest = (struct wh_bytes){(const uint8_t *)list.bytes.ptr + list.bytes.len - left, left};
    if (!next_message(&rest, 1, &bytes)) return false;
    value->rest.len = head + rest.rest.len;
    if (list.number == WH__ANY_MAP) {
        read_attr(bytes, item);
    } else {
        *item = (struct wh_attr_view){.type = (enum wh_type)0};
        wh__read_value(bytes, item);
    }
    return true;
}

bool wh_next_event(struct wh_cursor *span, struct wh_event_view *event)
{
    struct wh_bytes rest;
    struct wh__field field;
    if (!next_message(span, WH__SPAN_EVENT, &rest)) return false;
    *event = (struct wh_event_view){.raw = rest};
    while (wh__next_field(&rest, &field, NULL)) {
        if (field.number == WH__EVENT_TIME) event->at = field.word;
        if (field.number == WH__EVENT_NAME) event->name = as_text(field.bytes);
        if (field.number == WH__EVENT_DROPPED) event->dropped_attributes = (uint32_t)field.word;
    }
    return true;
}

bool wh_next_link(struct wh_cursor *span, struct wh_link_view *link)
{
    struct wh_bytes rest;
    struct wh__field field;
    if (!next_message(span, WH__SPAN_LINK, &rest)) return false;
    *link = (struct wh_link_view){.raw = rest};
    while (wh__next_field(&rest, &field, NULL)) {
        switch (field.number) {
        case WH__LINK_TRACE_ID: copy_id(link->trace_id, sizeof link->trace_id, field.bytes); break;
        case WH__LINK_SPAN_ID: copy_id(link->span_id, sizeof link->span_id, field.bytes); break;
        case WH__LINK_TRACESTATE: link->tracestate = as_text(field.bytes); break;
        case WH__LINK_DROPPED: link->dropped_attributes = (uint32_t)field.word; break;
        case WH__LINK_FLAGS: link->flags = (uint32_t)field.word; break;
        default: break;
        }
    }
    return true;
}

bool wh_span_attr(const struct wh_span_view *span, const char *key, struct wh_attr_view *attr)
{
    struct wh_cursor cursor = {span->raw};
    struct wh_attr_view found;
    const size_t len = strlen(key);
    while (wh_next_span_attr(&cursor, &found)) {
        if (found.key.len != len || memcmp(found.key.ptr, key, len)) continue;
        *attr = found;
        return true;
    }
    return false;
}

/* ---- whole requests: ExportTraceServiceRequest { ResourceSpans { resource, ScopeSpans { scope, spans } } } ---- */

enum { RESOURCE_SPANS = 1, RESOURCE = 1, SCOPE_SPANS = 2, SCOPE = 1, SPANS = 2, SCHEMA_URL = 3, AT_ONCE = 256 };

struct walk {
    struct wh_batch batch;
    struct wh_scope_spans scope;
    struct wh_bytes spans[AT_ONCE];
    int (*each)(const struct wh_batch *batch, void *arg);
    void *arg;
    bool broken;
};

static struct wh_bytes first_message(struct wh_bytes rest, uint32_t number, bool *broken)
{
    struct wh__field field;
    struct wh_bytes found = {0};
    while (wh__next_field(&rest, &field, broken))
        if (field.number == number && field.type == WH__LEN && !found.ptr) found = field.bytes;
    return found;
}

static int give(struct walk *walk)
{
    walk->batch.count = walk->scope.count;
    const int rc = walk->batch.count ? walk->each(&walk->batch, walk->arg) : 0;
    walk->scope.count = 0;
    return rc;
}

static int walk_scope(struct walk *walk, struct wh_bytes rest)
{
    struct wh__field field;
    int rc = 0;
    walk->scope.scope = first_message(rest, SCOPE, &walk->broken);
    walk->scope.schema_url = as_text(first_message(rest, SCHEMA_URL, &walk->broken));
    while (rc == 0 && wh__next_field(&rest, &field, &walk->broken)) {
        if (field.number != SPANS || field.type != WH__LEN) continue;
        walk->spans[walk->scope.count++] = field.bytes;
        if (walk->scope.count == AT_ONCE) rc = give(walk);
    }
    return rc ? rc : give(walk);
}

static int walk_resource(struct walk *walk, struct wh_bytes rest)
{
    struct wh__field field;
    int rc = 0;
    walk->batch.resource = first_message(rest, RESOURCE, &walk->broken);
    walk->batch.schema_url = as_text(first_message(rest, SCHEMA_URL, &walk->broken));
    while (rc == 0 && wh__next_field(&rest, &field, &walk->broken))
        if (field.number == SCOPE_SPANS && field.type == WH__LEN) rc = walk_scope(walk, field.bytes);
    return rc;
}

int wh_read_request(struct wh_bytes request, int (*each)(const struct wh_batch *batch, void *arg), void *arg)
{
    struct walk walk = {.batch = {.size = sizeof walk.batch, .scope_count = 1}, .each = each, .arg = arg};
    struct wh__field field;
    int rc = 0;
    walk.batch.scopes = &walk.scope;
    walk.scope.spans = walk.spans;
    while (rc == 0 && wh__next_field(&request, &field, &walk.broken))
        if (field.number == RESOURCE_SPANS && field.type == WH__LEN) rc = walk_resource(&walk, field.bytes);
    return rc ? rc : walk.broken ? EBADMSG : 0;
}
