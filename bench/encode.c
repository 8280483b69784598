/* From recorded spans to the body of a request: what the OTLP exporter does with a batch, and what it takes to do the same
 * with messages of protobuf-c that are built and packed, as others do it. */
#include <stdlib.h>
#include <string.h>
#include <whence/whence.h>

#include "attributes.h"
#include "bench.h"
#ifdef BENCH_OTLP
#include "otlp/request.h"
#include "trace.pb-c.h"

enum { BATCH = 512, BUFFER = 1 << 20 };

static uint8_t *spans_at, *out;
static struct wh_bytes spans[BATCH];
static struct wh_scope_spans scope = {.spans = spans, .count = BATCH};
static struct wh_batch batch = {.size = sizeof batch, .scopes = &scope, .scope_count = 1, .count = BATCH};
static struct wh__otlp_request request_memory;
static struct wh_json json;

/* One span as the library records it; so many copies, each at a place of its own, as where they wait. */
static void record(void)
{
    struct wh_exporter *memory = wh_memory_exporter_new(1);
    struct wh_span_view view;
    wh_provider *provider = wh_provider_new(.service = "bench", .exporters = &memory, .exporter_count = 1);
    wh_ctx *root = provider ? wh_provider_root(provider) : NULL, *parent = wh_start(root, "GET /orders/{id}");
    wh_ctx *span = wh_start(parent, "GET", .kind = WH_CLIENT);
    SET_FIVE(span, &request);
    wh_set(span, "order.id", "0123456789");
    wh_set(span, "order.lines", 12);
    wh_end(span);
    wh_provider_flush(provider, WH_SEC(5));
    if (!wh_memory_span(memory, 0, &view)) bench_die("no span to encode");
    spans_at = malloc(BATCH * view.raw.len);
    out = malloc(BUFFER);
    if (!spans_at || !out) bench_die("no memory");
    for (int i = 0; i < BATCH; i++)
        spans[i] = (struct wh_bytes){memcpy(spans_at + (size_t)i * view.raw.len, view.raw.ptr, view.raw.len), view.raw.len};
    wh_end(parent);
    wh_end(root);
    wh_provider_shutdown(provider, WH_SEC(5));
}

static void begin(void)
{
    record();
    bench_remark("spans to be encoded: %zu bytes each, %d in a batch", spans[0].len, BATCH);
}

static void end(void)
{
    wh_json_free(&json);
    free(spans_at);
    free(out);
}

/* ---- each for n spans, batch by batch ---- */

static void copy(size_t n)
{
    for (size_t done = 0; done < n; done += BATCH) {
        uint8_t *p = out;
        for (int i = 0; i < BATCH; i++, p += spans[i - 1].len) memcpy(p, spans[i].ptr, spans[i].len);
        CLOBBER();
    }
}

static void into_protobuf(size_t n)
{
    struct wh_bytes body;
    for (size_t done = 0; done < n; done += BATCH)
        if (wh__otlp_body_protobuf(&request_memory, &batch, BUFFER, &body)) bench_invalid("no body");
}

static void into_json(size_t n)
{
    size_t written;
    for (size_t done = 0; done < n; done += BATCH) {
        json.len = 0;
        if (wh_json_write(&json, &batch, 8 * BUFFER, &written) || written != BATCH) bench_invalid("no JSON");
    }
}

/* ---- by protobuf-c alone: seven attributes ---- */

enum { ATTRIBUTES = 7 };

struct message {
    Opentelemetry__Proto__Span span;
    Opentelemetry__Proto__KeyValue attributes[ATTRIBUTES], *list[ATTRIBUTES];
    Opentelemetry__Proto__AnyValue values[ATTRIBUTES];
};

static void put(struct message *m, int i, const char *key)
{
    opentelemetry__proto__key_value__init(&m->attributes[i]);
    opentelemetry__proto__any_value__init(&m->values[i]);
    m->attributes[i].key = (char *)key;
    m->attributes[i].value = &m->values[i];
    m->list[i] = &m->attributes[i];
}

static void put_text(struct message *m, int i, const char *key, const char *value)
{
    put(m, i, key);
    m->values[i].value_case = OPENTELEMETRY__PROTO__ANY_VALUE__VALUE_STRING_VALUE;
    m->values[i].string_value = (char *)value;
}

static void put_int(struct message *m, int i, const char *key, int64_t value)
{
    put(m, i, key);
    m->values[i].value_case = OPENTELEMETRY__PROTO__ANY_VALUE__VALUE_INT_VALUE;
    m->values[i].int_value = value;
}

static size_t build_and_pack(uint8_t *to)
{
    static uint8_t ids[32] = {1, 2, 3};
    struct message m;
    opentelemetry__proto__span__init(&m.span);
    m.span.trace_id = (ProtobufCBinaryData){16, ids};
    m.span.span_id = m.span.parent_span_id = (ProtobufCBinaryData){8, ids + 16};
    m.span.name = (char *)"GET";
    m.span.kind = 3;
    m.span.start_time_unix_nano = m.span.end_time_unix_nano = UINT64_C(1790000000000000000);
    m.span.flags = 0x103;
    put_text(&m, 0, METHOD_KEY, request.method);
    put_text(&m, 1, PATH_KEY, request.path);
    put_int(&m, 2, STATUS_KEY, request.status);
    put_text(&m, 3, SERVER_KEY, request.server);
    put_text(&m, 4, AGENT_KEY, request.agent);
    put_text(&m, 5, "order.id", "0123456789");
    put_int(&m, 6, "order.lines", 12);
    m.span.n_attributes = ATTRIBUTES;
    m.span.attributes = m.list;
    return opentelemetry__proto__span__pack(&m.span, to);
}

static void by_messages(size_t n)
{
    for (size_t done = 0; done < n; done += BATCH) {
        uint8_t *p = out;
        for (int i = 0; i < BATCH; i++) p += build_and_pack(p);
        CLOBBER();
    }
}

#define MESSAGES "span built and packed by protobuf-c"
static const struct subject subjects[] = {
    {.rows = {{.name = "span copied", .floor = "memcpy of 256 B", .unit = "ns/span"}}, .op = copy, .fixed = BATCH * 16},
    {.rows = {{.name = MESSAGES, .floor = "span copied", .unit = "ns/span"}}, .op = by_messages, .fixed = BATCH * 8},
    {.rows = {{.name = "recorded span into a request", .floor = "span copied", .unit = "ns/span",
               .note = "protobuf; envelope by protobuf-c"}},
     .op = into_protobuf, .fixed = BATCH * 16},
    {.rows = {{.name = "recorded span into JSON", .floor = MESSAGES, .unit = "ns/span"}}, .op = into_json, .fixed = BATCH * 8},
    {.op = NULL},
};
const struct room encode_room = {.name = "encode", .begin = begin, .subjects = subjects, .end = end};
#else
static const struct subject subjects[] = {{.op = NULL}};
const struct room encode_room = {.name = "encode", .subjects = subjects};
#endif
