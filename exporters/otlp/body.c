#include <errno.h>

#include "export.pb-c.h"
#include "otlp/grpc.h"
#include "otlp/request.h"

/* The schema has no pointers to const, though packing only reads. */
static ProtobufCBinaryData as_data(struct wh_bytes bytes)
{
    union { const void *in; uint8_t *out; } pointer = {bytes.ptr};
    return (ProtobufCBinaryData){bytes.len, pointer.out};
}

static ProtobufCBinaryData text_as_data(struct wh_str text)
{
    return as_data((struct wh_bytes){text.ptr, text.len});
}

/* A message for each scope, and behind them all the list of pointers to them that the schema wants. */
static Wh__Otlp__ScopeSpans **lay_out(struct wh__otlp_request *request, const struct wh_batch *part)
{
    ProtobufCBinaryData *spans = (void *)request->spans.bytes;
    Wh__Otlp__ScopeSpans *scopes = (void *)request->scopes.bytes;
    Wh__Otlp__ScopeSpans **list = (void *)(scopes + part->scope_count);
    for (size_t s = 0; s < part->scope_count; s++) {
        const struct wh_scope_spans *from = &part->scopes[s];
        wh__otlp__scope_spans__init(list[s] = &scopes[s]);
        scopes[s].scope = as_data(from->scope);
        scopes[s].schema_url = text_as_data(from->schema_url);
        scopes[s].n_spans = from->count;
        scopes[s].spans = spans;
        for (size_t i = 0; i < from->count; i++) *spans++ = as_data(from->spans[i]);
    }
    return list;
}

static bool make_room(struct wh__otlp_request *request, const struct wh_batch *part)
{
    const size_t of_span = sizeof(ProtobufCBinaryData);
    const size_t of_scope = sizeof(Wh__Otlp__ScopeSpans) + sizeof(Wh__Otlp__ScopeSpans *);
    return part->count <= SIZE_MAX / 2 / of_span && part->scope_count <= SIZE_MAX / 2 / of_scope &&
           wh__otlp_room_make(&request->spans, part->count * of_span) &&
           wh__otlp_room_make(&request->scopes, part->scope_count * of_scope);
}

int wh__otlp_body_protobuf(struct wh__otlp_request *request, const struct wh_batch *part, size_t most,
                           struct wh_bytes *body)
{
    Wh__Otlp__ResourceSpans resource = WH__OTLP__RESOURCE_SPANS__INIT, *resources[] = {&resource};
    Wh__Otlp__ExportTraceServiceRequest all = WH__OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;
    if (!make_room(request, part)) return ENOMEM;
    resource.resource = as_data(part->resource);
    resource.schema_url = text_as_data(part->schema_url);
    resource.n_scope_spans = part->scope_count;
    resource.scope_spans = lay_out(request, part);
    all.n_resource_spans = 1;
    all.resource_spans = resources;

    const size_t size = wh__otlp__export_trace_service_request__get_packed_size(&all);
    if (size > most) return EMSGSIZE;
    if (!wh__otlp_room_make(&request->packed, WH__OTLP_FRAME + size)) return ENOMEM;
    uint8_t *const message = request->packed.bytes + WH__OTLP_FRAME;
    *body = (struct wh_bytes){message, wh__otlp__export_trace_service_request__pack(&all, message)};
    return 0;
}

int wh__otlp_body_json(struct wh__otlp_request *request, const struct wh_batch *part, size_t most,
                       struct wh_bytes *body, size_t *written)
{
    const int rc = wh_json_write(&request->json, part, most, written);
    request->json_used = request->json.len;
    *body = (struct wh_bytes){request->json.text, request->json.len};
    return rc;
}
