/* The file exporter: its lines, against golden/otlp.jsonl and a reader that knows the encoding by heart. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "exporters/json.h"
#include "lines.h"
#include "test.h"

/* ---- every field and every value ---- */

/* Every type of value there is, and values that are odd. */
static void put_every_value(struct bytes *b, unsigned field)
{
    const struct { const char *key; double value; } reals[] = {
        {"tenth", 0.1}, {"third", 1.0 / 3}, {"large", 1e22}, {"largest", DBL_MAX}, {"least", 5e-324}, {"whole", 5},
        {"minus zero", -0.0}, {"not a number", NAN}, {"infinite", INFINITY}, {"minus infinite", -INFINITY},
    };
    struct bytes v = {.len = 0}, list = {.len = 0}, map = {.len = 0};
    put_text_attr(b, field, "text", "plain, naïve, 価格, \xf0\x9f\x92\xb6");
    put_text_attr(b, field, "escapes", "\"\\/\b\f\n\r\t\x01\x1f\x7f \xc2\x85 \xe2\x80\xa8");
    put_text_attr(b, field, "malformed",
        "a\xff" "b\xc0\x80" "c\xe2\x82" "d\xed\xa0\x80" "e\xf4\x90\x80\x80\xf0\x9f\x92");
    put_text_attr(b, field, "", "");
    put_attr(b, field, "yes", put_varint(&v, WH__ANY_BOOL, 1));
    v.len = 0, put_attr(b, field, "no", put_varint(&v, WH__ANY_BOOL, 0));
    v.len = 0, put_attr(b, field, "smallest", put_varint(&v, WH__ANY_INT, (uint64_t)INT64_MIN));
    v.len = 0, put_attr(b, field, "biggest", put_varint(&v, WH__ANY_INT, INT64_MAX));
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        v.len = 0, put_attr(b, field, reals[i].key, put_double(&v, WH__ANY_DOUBLE, reals[i].value));
    for (size_t len = 0; len <= 4; len++)
        v.len = 0, put_attr(b, field, "bytes", put_len(&v, WH__ANY_BYTES, "\xfb\xff\xfe\0", len));
    v.len = 0, put_attr(b, field, "empty", &v);
    put_attr(b, field, "no value", NULL);
    v.len = 0, put_attr(b, field, "the last one holds", put_varint(put_text(&v, WH__ANY_STRING, "not this"),
        WH__ANY_INT, 42));
    v.len = 0, put_attr(b, field, "not known", put_varint(&v, 15, 1));
    v.len = 0, put_attr(b, field, "wrong wire type", put_text(&v, WH__ANY_INT, "5"));
    v.len = 0, put_in(&list, 1, put_varint(&v, WH__ANY_INT, 1));
    v.len = 0, put_in(&list, 1, put_text(&v, WH__ANY_STRING, "two"));
    v.len = 0, put_in(&list, 1, &v);
    v.len = 0, put_attr(b, field, "list", put_in(&v, WH__ANY_ARRAY, &list));
    put_attr(&map, 1, "the list", &v);
    put_text_attr(&map, 1, "a text", "in a map");
    v.len = 0, put_attr(b, field, "map", put_in(&v, WH__ANY_MAP, &map));
    list.len = 0;
    v.len = 0, put_attr(b, field, "empty list", put_in(&v, WH__ANY_ARRAY, &list));
    v.len = 0, put_attr(b, field, "empty map", put_in(&v, WH__ANY_MAP, &list));
}

/* Every field there is, those that repeat not all together. */
static void put_everything(struct bytes *b)
{
    struct bytes event = {.len = 0}, link = {.len = 0}, status = {.len = 0};
    put_ids(b);
    put_text(b, WH__SPAN_TRACESTATE, "vendor=1,other=2");
    put_len(b, WH__SPAN_PARENT, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    put_text(b, WH__SPAN_NAME, "GET /order/{id}");
    put_varint(b, WH__SPAN_KIND, 2);
    put_fixed64(b, WH__SPAN_START, UINT64_C(1789992391204000001));
    put_fixed64(b, WH__SPAN_END, UINT64_MAX);
    put_text_attr(b, WH__SPAN_ATTRIBUTE, "first", "1");
    put_fixed64(&event, WH__EVENT_TIME, UINT64_C(1789992391204000002));
    put_text(&event, WH__EVENT_NAME, "whence.cancel.received");
    put_text_attr(&event, WH__EVENT_ATTRIBUTE, "whence.cancel.reason", "client_gone");
    put_varint(&event, WH__EVENT_DROPPED, 1);
    put_in(b, WH__SPAN_EVENT, &event);
    put_every_value(b, WH__SPAN_ATTRIBUTE);
    put_len(&link, WH__LINK_TRACE_ID, "\xff\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36", 16);
    put_len(&link, WH__LINK_SPAN_ID, "\xff\xf0\x67\xaa\x0b\xa9\x02\xb7", 8);
    put_text(&link, WH__LINK_TRACESTATE, "a=b");
    put_text_attr(&link, WH__LINK_ATTRIBUTE, "why", "because");
    put_varint(&link, WH__LINK_DROPPED, 2);
    link.bytes[link.len++] = WH__TAG(WH__LINK_FLAGS, WH__FIXED32);
    link.len = (size_t)(wh__put_fixed32(link.bytes + link.len, 0x301) - link.bytes);
    put_in(b, WH__SPAN_LINK, &link);
    event.len = 0;
    put_in(b, WH__SPAN_EVENT, &event);
    put_varint(b, WH__SPAN_DROPPED_ATTRIBUTES, 3);
    put_varint(b, WH__SPAN_DROPPED_EVENTS, 4);
    put_varint(b, WH__SPAN_DROPPED_LINKS, UINT32_MAX);
    put_in(b, WH__SPAN_STATUS, put_varint(put_text(&status, WH__STATUS_MESSAGE, "deadline of 2 s exceeded"),
        WH__STATUS_CODE, 2));
    put_span_flags(b, 0x303);
    put_varint(b, 15 + 0, 1); /* `status` under a wrong wire type */
}

static void every_field_and_every_value_is_written(void **state)
{
    (void)state;
    static struct bytes everything, bare, nothing;
    everything.len = bare.len = nothing.len = 0;
    put_everything(&everything);
    put_ids(&bare);
    const struct wh_bytes spans[] = {bytes_of(&everything), bytes_of(&bare), bytes_of(&nothing)};
    size_t rejected;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    assert_non_null(file);
    assert_int_equal(export_spans(file, spans, 3, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 0);
    assert_int_equal(export_spans(file, spans + 1, 1, WH_NEVER, &rejected), 0);
    wh_exporter_free(file);
    assert_readable(path, 2, 4);
    read_file(path);
    static char expected[65536];
    const bool write = getenv("WHENCE_GOLDEN_WRITE");
    FILE *golden = fopen(GOLDEN "/otlp.jsonl", write ? "w" : "r");
    assert_non_null(golden);
    if (write) fputs(content, golden);
    expected[write ? 0 : fread(expected, 1, sizeof expected - 1, golden)] = '\0';
    fclose(golden);
    if (write) fail_msg("golden/otlp.jsonl was written; look at it");
    assert_string_equal(content, expected);
}

/* ---- numbers, depth and size ---- */

static void doubles_are_as_short_as_they_can_be_and_read_back(void **state)
{
    (void)state;
    const struct { double value; const char *text; } known[] = {
        {0, "0"}, {1, "1"}, {0.1, "0.1"}, {300, "300"}, {41.2, "41.2"}, {1e22, "1e+22"},
        {1.0 / 3, "0.3333333333333333"}, {5e-324, "4.94065645841247e-324"}, {0.1 + 0.2, "0.30000000000000004"},
    };
    struct wh__json json = {0};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        json.len = 0;
        wh__json_double(&json, known[i].value);
        wh__json_put(&json, "");
        assert_int_equal(json.len, strlen(known[i].text));
        assert_memory_equal(json.buf, known[i].text, json.len);
    }
    uint64_t word = 42;
    for (int i = 0; i < 20000; i++) {
        double value;
        char text[64] = "";
        word = word * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(&value, &word, sizeof value);
        if (!isfinite(value)) continue;
        json.len = 0;
        wh__json_double(&json, value);
        memcpy(text, json.buf, json.len);
        const double back = strtod(text, NULL);
        assert_memory_equal(&back, &value, sizeof value);
    }
    wh__json_free(&json);
}

/* One level more than is read, and a hundred times as many. */
static void deep_values_end_in_an_empty_one(void **state)
{
    (void)state;
    static struct bytes value, outer, b;
    for (int levels = 124; levels <= 6000; levels += levels < 132 ? 1 : 2934) {
        value.len = 0;
        put_text(&value, WH__ANY_STRING, "bottom");
        for (int i = 1; i < levels; i++) {
            static struct bytes list;
            list.len = outer.len = 0;
            put_in(&list, 1, &value);
            put_in(&outer, WH__ANY_ARRAY, &list);
            value = outer;
        }
        b.len = 0;
        put_ids(&b);
        put_attr(&b, WH__SPAN_ATTRIBUTE, "deep", &value);
        const struct wh_bytes span = bytes_of(&b);
        size_t rejected;
        struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
        assert_int_equal(export_spans(file, &span, 1, WH_NEVER, &rejected), 0);
        wh_exporter_free(file);
        const char *text = read_file(path);
        assert_int_equal(strstr(text, "bottom") != NULL, levels <= 129);
        assert_true(strlen(text) < 8192);
    }
    assert_readable(path, 1, 1);
}

static void what_is_no_span_is_left_out_and_counted(void **state)
{
    (void)state;
    static struct bytes b;
    b.len = 0;
    put_ids(&b);
    const struct wh_bytes spans[] = {{b.bytes, b.len - 1}, bytes_of(&b), {"\xff", 1}};
    size_t rejected;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    assert_null(file->last_error(file));
    assert_int_equal(export_spans(file, spans, 3, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 2);
    assert_non_null(strstr(file->last_error(file), "2 were no spans"));
    assert_int_equal(export_spans(file, spans, 1, WH_NEVER, &rejected), 0);
    assert_int_equal(rejected, 1);
    assert_int_equal(export_spans(file, spans, 0, WH_NEVER, &rejected), 0);
    wh_exporter_free(file);
    assert_readable(path, 1, 1);
}

/* Six bytes for one: the most that text can grow, beyond what a line may have. */
static void a_batch_that_is_too_large_for_a_line_is_refused(void **state)
{
    (void)state;
    static struct wh_bytes spans[600];
    static struct bytes b;
    static char controls[60000];
    size_t rejected;
    memset(controls, 1, sizeof controls);
    b.len = 0;
    put_ids(&b);
    put_len(&b, WH__SPAN_NAME, controls, sizeof controls);
    for (size_t i = 0; i < 600; i++) spans[i] = bytes_of(&b);
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    assert_int_equal(export_spans(file, spans, 600, WH_NEVER, &rejected), EMSGSIZE);
    assert_non_null(strstr(file->last_error(file), "too large"));
    assert_int_equal(export_small(file, WH_NEVER), 0);
    wh_exporter_free(file);
    assert_readable(path, 1, 1);
}

/* ---- real spans ---- */

static void real_spans_are_written(void **state)
{
    (void)state;
    struct wh_exporter *file = wh_file_exporter_new(in_folder("lines"));
    wh_provider *provider = wh_provider_new(.service = "orders", .exporters = &file, .exporter_count = 1);
    wh_ctx *root = wh_provider_root(provider);
    {
        WH_AUTO wh_ctx *order = wh_start(root, "GET /order", .kind = WH_SERVER, .timeout = WH_SEC(10));
        WH_AUTO wh_ctx *stock = wh_start(order, "reserve stock");
        wh_set(stock, "order.sku", "A-1");
        wh_set(stock, "ratio", 0.25);
        wh_set(stock, "blob", ((struct wh_bytes){"\0\1", 2}));
        wh_cancel(order, WH_CLIENT_GONE, "connection reset");
    }
    wh_end(root);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
    assert_readable(path, 1, 2);
    const char *text = read_file(path);
    assert_non_null(strstr(text, "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"orders\"}}"));
    assert_non_null(strstr(text, "{\"key\":\"whence.cancelled\",\"value\":{\"boolValue\":true}}"));
    assert_non_null(strstr(text, "{\"key\":\"whence.cancel.depth\",\"value\":{\"intValue\":\"1\"}}"));
    assert_non_null(strstr(text, "{\"key\":\"ratio\",\"value\":{\"doubleValue\":0.25}}"));
    assert_non_null(strstr(text, "{\"key\":\"blob\",\"value\":{\"bytesValue\":\"AAE=\"}}"));
    assert_non_null(strstr(text, "\"name\":\"whence.cancel.received\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_and_every_value_is_written),
        cmocka_unit_test(doubles_are_as_short_as_they_can_be_and_read_back),
        cmocka_unit_test(deep_values_end_in_an_empty_one),
        cmocka_unit_test(what_is_no_span_is_left_out_and_counted),
        cmocka_unit_test(a_batch_that_is_too_large_for_a_line_is_refused),
        cmocka_unit_test(real_spans_are_written),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
