/* The OTLP exporter with a collector that is well: what is sent, and what becomes of the answer. */
#include "test_otlp.h"

/* ---- the spans ---- */

/* Everything that a span can have. */
static void make_rich_spans(const wh_ctx *root)
{
    struct wh_span_context to = {.trace_id = {1, 2, 3}, .span_id = {4, 5, 6}, .flags = WH_SAMPLED, .remote = true,
        .tracestate = "vendor=opaque"};
    WH_AUTO wh_ctx *outer = wh_start(root, "outer", .kind = WH_SERVER,
        .attrs = WH_ATTRS(wh_attr("at.start", 1)),
        .links = &(struct wh_link){.to = &to, .attrs = WH_ATTRS(wh_attr("why", "batch"))}, .link_count = 1);
    wh_set(outer, "text", "h\xc3\xa9llo");
    wh_set_bool(outer, "yes", true);
    wh_set(outer, "int", INT64_MIN);
    wh_set(outer, "real", 0.1);
    wh_set(outer, "bytes", ((struct wh_bytes){"\0\xff\x80", 3}));
    wh_event(outer, "retry", .attrs = WH_ATTRS(wh_attr("attempt", 2), wh_attr("of", 3.5)));
    WH_AUTO wh_ctx *inner = wh_start(outer, "inner", .kind = WH_CLIENT);
    wh_status(inner, WH_STATUS_ERROR, "broken");
    for (int i = 0; i < 300; i++) wh_end(wh_start(outer, "one of many"));
}

struct comparison {
    struct wh_exporter *memory;
    size_t seen;
    struct wh_bytes resource;
};

static int compare(const struct wh_batch *batch, void *arg)
{
    struct comparison *comparison = arg;
    struct wh_span_view view;
    for (size_t i = 0; i < batch->count; i++) {
        const struct wh_bytes span = batch->scopes[0].spans[i];
        assert_true(wh_memory_span(comparison->memory, comparison->seen++, &view));
        assert_int_equal(span.len, view.raw.len);
        assert_memory_equal(span.ptr, view.raw.ptr, view.raw.len);
    }
    comparison->resource = batch->resource;
    return 0;
}

static void assert_resource_has_service(struct wh_bytes resource, const char *service)
{
    struct wh_cursor cursor = {resource};
    struct wh_attr_view attr;
    bool found = false;
    while (wh_next_resource_attr(&cursor, &attr)) {
        if (attr.key.len != strlen("service.name") || memcmp(attr.key.ptr, "service.name", attr.key.len)) continue;
        assert_int_equal(attr.as.string.len, strlen(service));
        assert_memory_equal(attr.as.string.ptr, service, strlen(service));
        found = true;
    }
    assert_true(found);
}

/* What a memory exporter beside it has kept is what the collector gets, byte by byte. */
static void send_rich_spans(bool gzip)
{
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *exporters[] = {
        wh_memory_exporter_new(1000), wh_otlp_exporter_new(collector_url(collector), .gzip = gzip)};
    wh_provider *provider = wh_provider_new(.service = "rich", .exporters = exporters, .exporter_count = 2);
    wh_ctx *root = wh_provider_root(provider);
    make_rich_spans(root);
    wh_end(root);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(20)), 0);

    struct comparison comparison = {.memory = exporters[0]};
    size_t sent = 0, meant = 0;
    for (size_t i = 0; i < collector_requests(collector); i++) {
        const struct collector_request request = collector_request(collector, i);
        const char *encoding = collector_header(&request, "Content-Encoding");
        if (gzip)
            assert_string_equal(encoding, "gzip");
        else
            assert_null(encoding);
        sent += request.sent_len;
        meant += request.body_len;
        assert_int_equal(wh_read_request((struct wh_bytes){request.body, request.body_len}, compare, &comparison), 0);
        assert_resource_has_service(comparison.resource, "rich");
    }
    assert_true(gzip ? sent < meant / 2 : sent == meant);
    assert_int_equal(comparison.seen, 302);
    assert_int_equal(comparison.seen, wh_memory_count(exporters[0]));
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(20)), 0);
    collector_stop(collector);
}

static void spans_arrive_as_they_were_recorded(void **state)
{
    (void)state;
    send_rich_spans(false);
}

static void gzip_comes_out_as_it_went_in(void **state)
{
    (void)state;
    send_rich_spans(true);
}

static int keep_attrs(const struct wh_batch *batch, void *arg)
{
    assert_int_equal(batch->count, 1);
    assert_true(wh_span_read(batch->scopes[0].spans[0], arg));
    return 0;
}

/* Read back from what was on the wire, not compared with what should have been put there. */
static void every_kind_of_value_arrives(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    wh_provider *provider = wh_provider_new(.exporters = &otlp, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider), *ctx = wh_start(root, "values", .kind = WH_PRODUCER);
    wh_set(ctx, "text", "value");
    wh_set(ctx, "int", -7);
    wh_set(ctx, "real", 2.5);
    wh_set_bool(ctx, "no", false);
    wh_set(ctx, "bytes", ((struct wh_bytes){"\0\1", 2}));
    wh_event(ctx, "something", .attrs = WH_ATTRS(wh_attr("k", "v")));
    wh_status(ctx, WH_STATUS_ERROR, "why");
    wh_end(ctx);
    wh_end(root);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(20)), 0);

    struct wh_span_view span;
    struct wh_attr_view attr;
    struct wh_event_view event;
    const struct collector_request request = collector_request(collector, 0);
    assert_int_equal(wh_read_request((struct wh_bytes){request.body, request.body_len}, keep_attrs, &span), 0);
    assert_string_equal(span_text(&span, "text"), "value");
    assert_int_equal(span_int(&span, "int"), -7);
    assert_true(span_double(&span, "real") == 2.5);
    assert_false(span_bool(&span, "no"));
    assert_true(wh_span_attr(&span, "bytes", &attr) && attr.type == WH_BYTES);
    assert_int_equal(attr.as.bytes.len, 2);
    assert_memory_equal(attr.as.bytes.ptr, "\0\1", 2);
    assert_true(span_event(&span, "something", &event));
    assert_int_equal(span.kind, WH_PRODUCER);
    assert_int_equal(span.status, WH_STATUS_ERROR);
    assert_int_equal(span.status_text.len, 3);
    collector_stop(collector);
}

static int compare_scope(const struct wh_batch *batch, void *arg)
{
    const struct wh_scope_spans *found = batch->scopes, **expected = arg;
    assert_int_equal(batch->schema_url.len, 16);
    assert_memory_equal(batch->schema_url.ptr, "https://resource", 16);
    assert_int_equal(batch->scope_count, 1);
    assert_int_equal(found->count, (*expected)->count);
    assert_int_equal(found->scope.len, (*expected)->scope.len);
    assert_memory_equal(found->scope.ptr, (*expected)->scope.ptr, found->scope.len);
    assert_int_equal(found->schema_url.len, (*expected)->schema_url.len);
    if (found->schema_url.len) assert_memory_equal(found->schema_url.ptr, (*expected)->schema_url.ptr, found->schema_url.len);
    for (size_t i = 0; i < found->count; i++) assert_memory_equal(found->spans[i].ptr, (*expected)->spans[i].ptr, 3);
    ++*expected;
    return 0;
}

static void every_scope_arrives_with_its_spans_and_schema_url(void **state)
{
    (void)state;
    const struct wh_bytes spans[] = {{"\x2a\x01" "a", 3}, {"\x2a\x01" "b", 3}, {"\x2a\x01" "c", 3}};
    const struct wh_scope_spans scopes[] = {
        {.scope = {"\x0a\x04http", 6}, .schema_url = {"https://scope", 13}, .spans = spans, .count = 2},
        {.scope = {"\x0a\x02pq", 4}, .spans = spans + 2, .count = 1},
    }, *expected = scopes;
    const struct wh_batch batch = {.size = sizeof batch, .schema_url = {"https://resource", 16}, .scopes = scopes,
        .scope_count = 2, .count = 3};
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    size_t rejected = 0;
    assert_int_equal(otlp->export_batch(otlp, &batch, wh_now() + WH_SEC(20), &rejected), 0);
    const struct collector_request request = collector_request(collector, 0);
    assert_int_equal(wh_read_request((struct wh_bytes){request.body, request.body_len}, compare_scope, &expected), 0);
    assert_ptr_equal(expected, scopes + 2);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* ---- the request ---- */

static void a_request_says_what_it_is(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
    assert_null(otlp->last_error(otlp));
    const struct collector_request request = collector_request(collector, 0);
    assert_string_equal(request.line, "POST /v1/traces HTTP/1.1");
    assert_string_equal(collector_header(&request, "Content-Type"), "application/x-protobuf");
    assert_string_equal(collector_header(&request, "User-Agent"), "OTel-OTLP-Exporter-C/" WH_VERSION);
    assert_string_equal(collector_header(&request, "Host"), collector_url(collector) + strlen("http://"));
    assert_null(collector_header(&request, "Content-Encoding"));
    assert_null(collector_header(&request, "Transfer-Encoding"));
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* libcurl would ask leave first for bodies above a megabyte, and wait a second for it. */
static void a_large_request_is_sent_at_once(void **state)
{
    (void)state;
    enum { SIZE = 3 << 20 };
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    char *large = calloc(1, SIZE);
    const struct wh_bytes span = {large, SIZE};
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(&span, 1)};
    size_t rejected = 0;
    assert_int_equal(otlp->export_batch(otlp, &batch, wh_now() + WH_SEC(20), &rejected), 0);
    const struct collector_request request = collector_request(collector, 0);
    assert_null(collector_header(&request, "Expect"));
    assert_true(request.body_len > SIZE && request.body_len < SIZE + 64);
    free(large);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void one_connection_serves_many_exports(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    for (int i = 0; i < 20; i++) assert_int_equal(export_within(otlp, WH_SEC(20)), 0);
    assert_int_equal(collector_requests(collector), 20);
    assert_int_equal(collector_connections(collector), 1);
    wh_exporter_free(otlp);
    assert_true(collector_wait_closed(collector, 1, WH_SEC(20)));
    collector_stop(collector);
}

static void nothing_is_sent_for_no_spans(void **state)
{
    (void)state;
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    assert_int_equal(export_until(otlp, 0, wh_now() + WH_SEC(20), NULL), 0);
    assert_int_equal(collector_connections(collector), 0);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void more_than_64_mib_is_not_sent(void **state)
{
    (void)state;
    enum { SIZE = 64 << 20 };
    listen_to_reports();
    struct collector *collector = collector_start(NULL, 0);
    struct wh_exporter *otlp = otlp_to(collector);
    char *large = calloc(1, SIZE);
    const struct wh_bytes span = {large, SIZE};
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(&span, 1)};
    size_t rejected = 0;
    assert_int_equal(otlp->export_batch(otlp, &batch, wh_now() + WH_SEC(20), &rejected), EMSGSIZE);
    assert_error_says(otlp, "64 MiB");
    assert_int_equal(report_count(), 1);
    assert_int_equal(collector_connections(collector), 0);
    free(large);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* ---- partial success ---- */

/* ExportTraceServiceResponse { partial_success: { rejected_spans: n, error_message: ... } } by hand. */
#define MINUS_ONE "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"

static void rejected_spans_are_believed_within_reason(void **state)
{
    (void)state;
    static const struct { struct collector_answer answer; size_t rejected, reports; } cases[] = {
        {{BODY("")}, 0, 0},
        {{BODY("\x0a\x00")}, 0, 0},
        {{BODY("\x0a\x02\x08\x00")}, 0, 0},
        {{BODY("\x0a\x02\x08\x02")}, 2, 1},
        {{BODY("\x0a\x07\x08\x02\x12\x03why")}, 2, 1},
        {{BODY("\x0a\x08\x08\x80\x94\xeb\xdc\x03\x12\x00")}, 3, 1},              /* a billion of three */
        {{BODY("\x0a\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x12\x00")}, 3, 1},
        {{BODY("\x0a\x7f\x08\x02\x12\x00")}, 0, 1},                            /* cut short: no OTLP */
        {{BODY("\x0a\x0b\x08" MINUS_ONE)}, 0, 0},
        {{BODY("\x0a\x05\x12\x03why")}, 0, 1},                                   /* a warning */
        {{BODY("{\"partialSuccess\":{}}")}, 0, 1},                               /* no OTLP that was asked for */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        listen_to_reports();
        struct collector *collector = collector_start(&cases[i].answer, 1);
        struct wh_exporter *otlp = otlp_to(collector);
        for (size_t times = 1; times <= 3; times++) {
            size_t rejected = 0;
            assert_int_equal(export_until(otlp, 3, wh_now() + WH_SEC(20), &rejected), 0);
            if (rejected != cases[i].rejected) fail_msg("case %zu: %zu", i, rejected);
            assert_int_equal(collector_requests(collector), times);
            assert_int_equal(report_count(), cases[i].reports);
        }
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
}

static void what_the_collector_says_is_harmless_to_a_terminal(void **state)
{
    (void)state;
    static const struct collector_answer answer = {BODY("\x0a\x0f\x08\x01\x12\x0b" "a\x1b[2Jb\nc\xc2\x9bx")};
    listen_to_reports();
    struct collector *collector = collector_start(&answer, 1);
    struct wh_exporter *otlp = otlp_to(collector);
    size_t rejected = 0;
    assert_int_equal(export_until(otlp, 3, wh_now() + WH_SEC(20), &rejected), 0);
    assert_int_equal(rejected, 1);
    assert_non_null(strstr(reports.last, "rejected 1 of 3 spans: a?[2Jb?c??x"));
    wh_exporter_free(otlp);
    collector_stop(collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_arrive_as_they_were_recorded),
        cmocka_unit_test(gzip_comes_out_as_it_went_in),
        cmocka_unit_test(every_kind_of_value_arrives),
        cmocka_unit_test(every_scope_arrives_with_its_spans_and_schema_url),
        cmocka_unit_test(a_request_says_what_it_is),
        cmocka_unit_test(a_large_request_is_sent_at_once),
        cmocka_unit_test(one_connection_serves_many_exports),
        cmocka_unit_test(nothing_is_sent_for_no_spans),
        cmocka_unit_test(more_than_64_mib_is_not_sent),
        cmocka_unit_test(rejected_spans_are_believed_within_reason),
        cmocka_unit_test(what_the_collector_says_is_harmless_to_a_terminal),
    };
    return cmocka_run_group_tests_name("exporters/otlp", tests, NULL, NULL);
}
