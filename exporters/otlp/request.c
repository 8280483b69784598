#include "otlp/request.h"

#include <errno.h>
#include <string.h>

#include "export.pb-c.h"
#include "otlp/mem.h"

/* ---- room ---- */

enum { SMALL = 256 << 10, LARGE = 8 << 20 };

/* Room that is kept: small; or not large, and used well. */
static bool is_worth_keeping(size_t size, size_t used)
{
    return size <= SMALL || (size <= LARGE && size / 4 <= used);
}

static void *get_zero(void *unused, unsigned items, unsigned size)
{
    (void)unused;
    return wh__otlp_mem_zero((size_t)items * size);
}

static void give_back(void *unused, void *ptr)
{
    (void)unused;
    wh__otlp_mem_free(ptr);
}

/* What was in it is lost. A quarter more than asked for, so that the next one, a little larger, has room too. */
static bool make_room(struct wh__otlp_room *room, size_t size)
{
    room->used = size;
    if (room->size >= size) return true;
    wh__otlp_mem_free(room->bytes);
    *room = (struct wh__otlp_room){.bytes = wh__otlp_mem_get(size + size / 4), .used = size};
    if (room->bytes) room->size = size + size / 4;
    return room->bytes != NULL;
}

static bool make_span_room(struct wh__otlp_request *request, size_t count)
{
    request->span_used = count;
    if (request->span_size >= count) return true;
    wh__otlp_mem_free(request->spans);
    request->span_size = 0;
    const size_t each = sizeof *request->spans;
    request->spans = count > SIZE_MAX / each ? NULL : wh__otlp_mem_get(count * each);
    if (request->spans) request->span_size = count;
    return request->spans != NULL;
}

static void drop_room(struct wh__otlp_room *room)
{
    wh__otlp_mem_free(room->bytes);
    *room = (struct wh__otlp_room){.bytes = NULL};
}

static void trim(struct wh__otlp_room *room)
{
    if (!is_worth_keeping(room->size, room->used)) drop_room(room);
}

void wh__otlp_request_trim(struct wh__otlp_request *request)
{
    const size_t each = sizeof *request->spans;
    trim(&request->scopes);
    trim(&request->packed);
    trim(&request->zipped);
    if (is_worth_keeping(request->span_size * each, request->span_used * each)) return;
    wh__otlp_mem_free(request->spans);
    request->spans = NULL;
    request->span_size = 0;
}

void wh__otlp_request_free(struct wh__otlp_request *request)
{
    drop_room(&request->scopes);
    drop_room(&request->packed);
    drop_room(&request->zipped);
    wh__otlp_mem_free(request->spans);
    if (request->can_zip) deflateEnd(&request->zip);
}

/* ---- packing ---- */

/* The schema has no pointers to const, though packing only reads. */
static ProtobufCBinaryData as_data(struct wh_bytes bytes)
{
    union { const void *in; uint8_t *out; } pointer = {bytes.ptr};
    return (ProtobufCBinaryData){bytes.len, pointer.out};
}

/* A message for each scope, and behind them all the list of pointers to them that the schema wants. */
static Wh__Otlp__ScopeSpans **lay_out(struct wh__otlp_request *request, const struct wh_batch *batch)
{
    ProtobufCBinaryData *spans = request->spans;
    Wh__Otlp__ScopeSpans *scopes = (void *)request->scopes.bytes;
    Wh__Otlp__ScopeSpans **list = (void *)(scopes + batch->scope_count);
    for (size_t s = 0; s < batch->scope_count; s++) {
        const struct wh_scope_spans *from = &batch->scopes[s];
        wh__otlp__scope_spans__init(list[s] = &scopes[s]);
        scopes[s].scope = as_data(from->scope);
        scopes[s].schema_url = as_data((struct wh_bytes){from->schema_url.ptr, from->schema_url.len});
        scopes[s].n_spans = from->count;
        scopes[s].spans = spans;
        for (size_t i = 0; i < from->count; i++) *spans++ = as_data(from->spans[i]);
    }
    return list;
}

static int pack(struct wh__otlp_request *request, const struct wh_batch *batch, struct wh_bytes *body)
{
    Wh__Otlp__ResourceSpans resource = WH__OTLP__RESOURCE_SPANS__INIT, *resources[] = {&resource};
    Wh__Otlp__ExportTraceServiceRequest all = WH__OTLP__EXPORT_TRACE_SERVICE_REQUEST__INIT;
    const size_t of_scope = sizeof(Wh__Otlp__ScopeSpans) + sizeof(Wh__Otlp__ScopeSpans *);
    if (!make_span_room(request, batch->count) || batch->scope_count > SIZE_MAX / 2 / of_scope) return ENOMEM;
    if (!make_room(&request->scopes, batch->scope_count * of_scope)) return ENOMEM;
    resource.resource = as_data(batch->resource);
    resource.schema_url = as_data((struct wh_bytes){batch->schema_url.ptr, batch->schema_url.len});
    resource.n_scope_spans = batch->scope_count;
    resource.scope_spans = lay_out(request, batch);
    all.n_resource_spans = 1;
    all.resource_spans = resources;

    const size_t size = wh__otlp__export_trace_service_request__get_packed_size(&all);
    if (size > WH__OTLP_MOST_REQUEST) return EMSGSIZE;
    if (!make_room(&request->packed, size)) return ENOMEM;
    *body = (struct wh_bytes){request->packed.bytes,
        wh__otlp__export_trace_service_request__pack(&all, request->packed.bytes)};
    return 0;
}

/* ---- compressing ---- */

/* The fastest level: names and keys repeat so much that better ones gain little. 15 + 16: the gzip format. */
static bool set_up_zip(struct wh__otlp_request *request)
{
    if (request->can_zip) return deflateReset(&request->zip) == Z_OK;
    request->zip = (z_stream){.zalloc = get_zero, .zfree = give_back};
    request->can_zip = deflateInit2(&request->zip, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    return request->can_zip;
}

static int zip(struct wh__otlp_request *request, struct wh_bytes *body)
{
    z_stream *stream = &request->zip;
    if (!set_up_zip(request)) return ENOMEM;
    const size_t bound = deflateBound(stream, (uLong)body->len);
    if (!make_room(&request->zipped, bound)) return ENOMEM;
    stream->next_in = request->packed.bytes;
    stream->avail_in = (uInt)body->len;
    stream->next_out = request->zipped.bytes;
    stream->avail_out = (uInt)bound;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END) return EIO;
    *body = (struct wh_bytes){request->zipped.bytes, stream->total_out};
    return 0;
}

int wh__otlp_request_make(struct wh__otlp_request *request, const struct wh_batch *batch, bool gzip,
                          struct wh_bytes *body)
{
    struct wh_bytes made;
    int rc = pack(request, batch, &made);
    if (rc == 0 && gzip) rc = zip(request, &made);
    if (rc == 0) *body = made;
    return rc;
}
