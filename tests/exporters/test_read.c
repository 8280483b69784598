/* The readers of spans, on spans and on bytes that are none; and the memory exporter, which hands them out. Bytes
 * are read from blocks of exactly their size, so that a sanitizer or valgrind sees every step beyond. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "exporters/reader.h"
#include "test.h"
#include "trace/wire.h"

/* ---- a span with everything in it ---- */

static const uint8_t far_trace[16] = {0x4b, 0xf9, 0x2f, 0x35, 1}, far_span[8] = {0, 0xf0, 0x67};

static const char *carried(void *carrier, const char *name)
{
    (void)carrier;
    if (strcmp(name, "traceparent") == 0) return "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
    return strcmp(name, "tracestate") == 0 ? "vendor=1" : NULL;
}

static void record_everything(struct spans *spans)
{
    const struct wh_span_context far = {.flags = WH_SAMPLED, .remote = true, .tracestate = "a=b"};
    struct wh_span_context to = far;
    memcpy(to.trace_id, far_trace, sizeof to.trace_id);
    memcpy(to.span_id, far_span, sizeof to.span_id);
    WH_AUTO wh_ctx *from = wh_extract(spans->root, carried, NULL);
    WH_AUTO wh_ctx *span = wh_start(from, "everything", .kind = WH_CONSUMER);
    wh_set(span, "text", "a text");
    wh_set_bool(span, "flag", true);
    wh_set(span, "integer", -5);
    wh_set(span, "natural", UINT64_MAX);
    wh_set(span, "real", 0.5);
    wh_set(span, "bytes", ((struct wh_bytes){"\0\1\2", 3}));
    wh_event(span, "tried", .attrs = WH_ATTRS(wh_attr("attempt", 2)));
    wh_event(span, "tried again", .attrs = WH_ATTRS(wh_attr("attempt", 3), wh_attr("last", "yes")));
    wh_link_to(span, &to, .attrs = WH_ATTRS(wh_attr("why", "because")));
    wh_status(span, WH_STATUS_ERROR, "it broke");
}

static struct wh_span_view recorded(struct spans *spans)
{
    *spans = spans_begin_with((struct wh_provider_opts){.limits = {.attributes = 6, .events = 2, .links = 1}});
    record_everything(spans);
    return span_named(spans, "everything");
}

static bool is(struct wh_str text, const char *what)
{
    return text.len == strlen(what) && memcmp(text.ptr, what, text.len) == 0;
}

/* A copy in a block of its own size. */
static struct wh_bytes copy_of(const void *bytes, size_t len)
{
    void *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len) memcpy(copy, bytes, len);
    return (struct wh_bytes){copy, len};
}

/* ---- reading what is well formed ---- */

static void a_span_is_read_as_it_was_recorded(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = recorded(&spans);
    assert_int_equal(view.trace_id[0], 0x4b);
    assert_int_equal(view.trace_id[15], 0x36);
    assert_int_equal(view.parent_span_id[1], 0xf0);
    assert_true(is(view.name, "everything"));
    assert_true(is(view.tracestate, "vendor=1"));
    assert_true(is(view.status_text, "it broke"));
    assert_int_equal(view.kind, WH_CONSUMER);
    assert_int_equal(view.status, WH_STATUS_ERROR);
    assert_true(view.start > 0 && view.end >= view.start);
    assert_int_equal(view.flags, WH_SAMPLED | WH_RANDOM | WH__KNOWS_REMOTE | WH__IS_REMOTE);
    assert_int_equal(view.dropped_attributes + view.dropped_events + view.dropped_links, 0);
    spans_end(&spans);
}

static void attributes_are_read_with_their_types(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = recorded(&spans);
    struct wh_attr_view attr;
    assert_string_equal(span_text(&view, "text"), "a text");
    assert_true(span_bool(&view, "flag"));
    assert_int_equal(span_int(&view, "integer"), -5);
    assert_string_equal(span_text(&view, "natural"), "18446744073709551615");
    assert_true(span_double(&view, "real") == 0.5);
    assert_true(wh_span_attr(&view, "bytes", &attr));
    assert_int_equal(attr.type, WH_BYTES);
    assert_int_equal(attr.as.bytes.len, 3);
    assert_memory_equal(attr.as.bytes.ptr, "\0\1\2", 3);
    assert_false(wh_span_attr(&view, "tex", &attr));
    assert_false(wh_span_attr(&view, "", &attr));
    struct wh_cursor cursor = {view.raw};
    size_t count = 0;
    while (wh_next_span_attr(&cursor, &attr)) count++;
    assert_int_equal(count, 6);
    assert_false(wh_next_span_attr(&cursor, &attr));
    spans_end(&spans);
}

static void events_and_links_are_read_in_their_order(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = recorded(&spans);
    struct wh_cursor cursor = {view.raw}, inner;
    struct wh_event_view event;
    struct wh_link_view link;
    struct wh_attr_view attr;
    assert_true(wh_next_event(&cursor, &event));
    assert_true(is(event.name, "tried"));
    assert_true(event.at >= view.start && event.at <= view.end);
    inner = (struct wh_cursor){event.raw};
    assert_true(wh_next_event_attr(&inner, &attr) && is(attr.key, "attempt") && attr.as.integer == 2);
    assert_false(wh_next_event_attr(&inner, &attr));
    assert_true(wh_next_event(&cursor, &event));
    assert_true(is(event.name, "tried again"));
    assert_false(wh_next_event(&cursor, &event));
    cursor = (struct wh_cursor){view.raw};
    assert_true(wh_next_link(&cursor, &link));
    assert_memory_equal(link.trace_id, far_trace, 16);
    assert_memory_equal(link.span_id, far_span, 8);
    assert_true(is(link.tracestate, "a=b"));
    assert_int_equal(link.flags & (WH__KNOWS_REMOTE | WH__IS_REMOTE), WH__KNOWS_REMOTE | WH__IS_REMOTE);
    inner = (struct wh_cursor){link.raw};
    assert_true(wh_next_link_attr(&inner, &attr) && is(attr.key, "why") && is(attr.as.string, "because"));
    assert_false(wh_next_link(&cursor, &link));
    spans_end(&spans);
}

static void what_was_dropped_is_read(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = {.attributes = 1, .events = 1,
        .links = 1}});
    record_everything(&spans);
    const struct wh_span_view view = span_named(&spans, "everything");
    assert_int_equal(view.dropped_attributes, 5);
    assert_int_equal(view.dropped_events, 1);
    assert_int_equal(view.dropped_links, 0);
    spans_end(&spans);
}

/* ---- reading what is not ---- */

static size_t weight; /* of what was read: keeps the reads from being optimized away */

static void weigh(struct wh_str text)
{
    for (size_t i = 0; i < text.len; i++) weight += (unsigned char)text.ptr[i];
}

static void weigh_attr(const struct wh_attr_view *attr)
{
    weigh(attr->key);
    if (attr->type == WH_STRING) weigh(attr->as.string);
    if (attr->type == WH_BYTES) weigh((struct wh_str){attr->as.bytes.ptr, attr->as.bytes.len});
    weigh((struct wh_str){attr->raw.ptr, attr->raw.len});
}

/* Everything that can be asked of a span, whether it is one or not. */
static bool read_all(struct wh_bytes bytes)
{
    struct wh_span_view view;
    struct wh_event_view event;
    struct wh_link_view link;
    struct wh_attr_view attr;
    struct wh_cursor cursor = {bytes}, inner;
    const bool read = wh_span_read(bytes, &view);
    if (read) weigh(view.name), weigh(view.tracestate), weigh(view.status_text);
    if (read && wh_span_attr(&view, "text", &attr)) weigh_attr(&attr);
    while (wh_next_span_attr(&cursor, &attr)) weigh_attr(&attr);
    for (cursor.rest = bytes; wh_next_event(&cursor, &event);) {
        weigh(event.name);
        for (inner.rest = event.raw; wh_next_event_attr(&inner, &attr);) weigh_attr(&attr);
    }
    for (cursor.rest = bytes; wh_next_link(&cursor, &link);) {
        weigh(link.tracestate);
        for (inner.rest = link.raw; wh_next_link_attr(&inner, &attr);) weigh_attr(&attr);
    }
    for (cursor.rest = bytes; wh_next_resource_attr(&cursor, &attr);) weigh_attr(&attr);
    return read;
}

/* Only where a field ends is a prefix a span. */
static void every_prefix_is_refused_or_read_safely(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = recorded(&spans);
    struct wh_bytes rest = view.raw;
    struct wh__field field;
    size_t fields = 0, read = 0;
    while (wh__next_field(&rest, &field, NULL)) fields++;
    for (size_t len = 0; len <= view.raw.len; len++) {
        const struct wh_bytes prefix = copy_of(view.raw.ptr, len);
        read += read_all(prefix);
        free((void *)prefix.ptr);
    }
    assert_true(fields > 10);
    assert_int_equal(read, fields + 1);
    spans_end(&spans);
}

static uint64_t seed = 1;

static uint32_t any(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

static void mutate(uint8_t *bytes, size_t len)
{
    static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x4a, 0x12};
    for (uint32_t times = 1 + any(4); times > 0; times--) {
        const size_t at = any((uint32_t)len);
        switch (any(3)) {
        case 0: bytes[at] ^= (uint8_t)(1u << any(8)); break;
        case 1: bytes[at] = odd[any(sizeof odd)]; break;
        default: memmove(bytes + at, bytes + at / 2, len - at); break;
        }
    }
}

static struct wh_bytes mutant_of(struct wh_bytes bytes)
{
    const size_t len = any(4) ? bytes.len : 1 + any((uint32_t)bytes.len);
    const struct wh_bytes mutant = copy_of(bytes.ptr, len);
    mutate((uint8_t *)mutant.ptr, len);
    return mutant;
}

static void mutations_are_read_safely(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = recorded(&spans);
    size_t refused = 0;
    for (int i = 0; i < 20000; i++) {
        const struct wh_bytes mutant = mutant_of(view.raw);
        refused += !read_all(mutant);
        free((void *)mutant.ptr);
    }
    assert_true(refused > 100 && refused < 20000);
    spans_end(&spans);
}

static void garbage_is_read_safely(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[64];
        const size_t len = any(sizeof bytes);
        for (size_t j = 0; j < len; j++) bytes[j] = (uint8_t)any(256);
        const struct wh_bytes garbage = copy_of(bytes, len);
        read_all(garbage);
        free((void *)garbage.ptr);
    }
}

/* What the other exporters make of them: not in words, but without a step beyond. */
static void mutations_pass_through_the_exporters(void **state)
{
    (void)state;
    struct spans spans;
    const struct wh_span_view view = recorded(&spans);
    FILE *nowhere = fopen("/dev/null", "w");
    struct wh_exporter *exporters[] = {wh_console_exporter_new(nowhere), wh_file_exporter_new("/dev/null")};
    for (int i = 0; i < 300; i++) {
        struct wh_bytes mutants[8], resource = mutant_of(view.raw), scope = mutant_of(view.raw);
        for (size_t j = 0; j < 8; j++) mutants[j] = mutant_of(view.raw);
        const struct wh_batch batch = {.size = sizeof batch, .resource = resource, .scope = scope, .spans = mutants,
            .count = 8};
        for (size_t j = 0; j < 2; j++) {
            size_t rejected = 0;
            assert_int_equal(exporters[j]->export_batch(exporters[j], &batch, WH_NEVER, &rejected), 0);
            assert_true(rejected <= 8);
        }
        for (size_t j = 0; j < 8; j++) free((void *)mutants[j].ptr);
        free((void *)resource.ptr);
        free((void *)scope.ptr);
    }
    assert_int_equal(exporters[0]->flush(exporters[0], WH_NEVER), 0);
    wh_exporter_free(exporters[0]);
    wh_exporter_free(exporters[1]);
    fclose(nowhere);
    spans_end(&spans);
}

/* ---- single fields ---- */

static bool reads(const char *bytes, size_t len, struct wh__field *field)
{
    const struct wh_bytes copy = copy_of(bytes, len);
    struct wh_bytes rest = copy;
    bool broken = false;
    const bool read = wh__next_field(&rest, field, &broken);
    assert_true(read || rest.len == 0);
    assert_int_equal(broken, !read && len > 0);
    free((void *)copy.ptr);
    return read;
}

#define READS(bytes, field) reads(bytes, sizeof(bytes) - 1, field)

static void a_field_is_read_or_refused(void **state)
{
    (void)state;
    struct wh__field field;
    assert_true(READS("\x08\x96\x01", &field) && field.number == 1 && field.type == WH__VARINT && field.word == 150);
    assert_true(READS("\x09\1\2\3\4\5\6\7\x08", &field) && field.word == UINT64_C(0x0807060504030201));
    assert_true(READS("\x0d\1\2\3\x04", &field) && field.word == 0x04030201);
    assert_true(READS("\x0a\x00", &field) && field.bytes.len == 0);
    assert_true(READS("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &field) && field.word == UINT64_MAX);
    assert_false(READS("", &field));
    assert_false(READS("\x08", &field));                                          /* no value */
    assert_false(READS("\x08\x80", &field));                                      /* half a value */
    assert_false(READS("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", &field)); /* of 11 bytes */
    assert_false(READS("\x09\1\2\3\4\5\6\7", &field));
    assert_false(READS("\x0d\1\2\3", &field));
    assert_false(READS("\x0a\x05" "four", &field));                               /* longer than what is there */
    assert_false(READS("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &field));
    assert_false(READS("\x00\x00", &field));                                      /* no field has the number 0 */
    assert_false(READS("\x07\x00", &field));                                      /* the number 0 and wire type 7 */
    for (char type = 3; type < 8; type++) {
        const char bytes[] = {(char)(8 | type), 0, 0, 0, 0, 0, 0, 0, 0, 0};
        assert_int_equal(reads(bytes, sizeof bytes, &field), type == WH__FIXED32); /* groups are not read */
    }
    assert_false(READS("\x80\x80\x80\x80\x80\x01\x00", &field));                  /* a number beyond 32 bits */
}

/* Fields under another wire type than theirs, and ids of another size, say nothing. */
static void odd_fields_of_a_span_say_nothing(void **state)
{
    (void)state;
    static const char odd[] =
        "\x08\x05" "\x10\x05" "\x28\x05" "\x32\x01x" "\x3a\x01x" "\x7a\x04\x10\x05\x18\x09" "\x20\x05"
        "\x4a\x04\x08\x01\x10\x01" "\x4a\x04\x12\x02\x18\x07" "\x0a\x03" "abc" "\x12\x09" "123456789";
    struct wh_span_view view;
    struct wh_attr_view attr;
    const struct wh_bytes copy = copy_of(odd, sizeof odd - 1);
    const uint8_t none[16] = {0};
    assert_true(wh_span_read(copy, &view));
    assert_memory_equal(view.trace_id, none, 16);
    assert_memory_equal(view.span_id, none, 8);
    assert_memory_equal(view.parent_span_id, none, 8);
    assert_int_equal(view.name.len, 0);
    assert_int_equal(view.start, 0);
    assert_int_equal(view.kind, WH_INTERNAL);
    assert_int_equal(view.status, WH_STATUS_UNSET);
    struct wh_cursor cursor = {copy};
    assert_true(wh_next_span_attr(&cursor, &attr));
    assert_int_equal(attr.key.len, 0);
    assert_int_equal(attr.type, 0);
    assert_true(wh_next_span_attr(&cursor, &attr));
    assert_int_equal(attr.type, WH_INT);
    assert_int_equal(attr.as.integer, 7);
    free((void *)copy.ptr);
}

/* ---- whole requests ---- */

struct bytes {
    uint8_t bytes[65536];
    size_t len;
};

static void put(struct bytes *b, unsigned field, const void *bytes, size_t len)
{
    b->len = (size_t)(wh__put_bytes(b->bytes + b->len, field, bytes, len) - b->bytes);
}

/* Two resources; in each, two scopes; in each of those, `count` spans and one in which a name says where it belongs. */
static void build_request(struct bytes *request, size_t count)
{
    request->len = 0;
    for (char r = '1'; r <= '2'; r++) {
        static struct bytes resource_spans, scope_spans;
        resource_spans.len = 0;
        for (char s = '1'; s <= '2'; s++) {
            const char scope[] = {0x0a, 1, s}, span[] = {0x2a, 2, r, s}, empty[] = {0x30, 1};
            scope_spans.len = 0;
            for (size_t i = 0; i < count; i++) put(&scope_spans, 2, empty, sizeof empty);
            put(&scope_spans, 2, span, sizeof span);
            put(&scope_spans, 1, scope, sizeof scope); /* after the spans: order means nothing */
            put(&resource_spans, 2, scope_spans.bytes, scope_spans.len);
        }
        const char resource[] = {0x10, (char)(r - '0')};
        put(&resource_spans, 1, resource, sizeof resource);
        put(request, 1, resource_spans.bytes, resource_spans.len);
    }
}

struct seen {
    size_t spans, batches, named;
    int answer;
};

static int see(const struct wh_batch *batch, void *arg)
{
    struct seen *seen = arg;
    struct wh_span_view view;
    assert_true(batch->count > 0 && batch->size == sizeof *batch);
    seen->batches++;
    seen->spans += batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        if (!wh_span_read(batch->spans[i], &view) || view.name.len != 2) continue;
        const char resource[] = {0x10, (char)(view.name.ptr[0] - '0')}, scope[] = {0x0a, 1, view.name.ptr[1]};
        assert_int_equal(batch->resource.len, sizeof resource);
        assert_memory_equal(batch->resource.ptr, resource, sizeof resource);
        assert_int_equal(batch->scope.len, sizeof scope);
        assert_memory_equal(batch->scope.ptr, scope, sizeof scope);
        seen->named++;
    }
    return seen->answer;
}

static void a_request_comes_apart_scope_by_scope(void **state)
{
    (void)state;
    static struct bytes request;
    struct seen seen = {0};
    build_request(&request, 600); /* more than one batch for each scope */
    assert_int_equal(wh_read_request((struct wh_bytes){request.bytes, request.len}, see, &seen), 0);
    assert_int_equal(seen.spans, 4 * 601);
    assert_int_equal(seen.named, 4);
    assert_true(seen.batches >= 4);
    seen = (struct seen){.answer = ENOSPC};
    assert_int_equal(wh_read_request((struct wh_bytes){request.bytes, request.len}, see, &seen), ENOSPC);
    assert_int_equal(seen.batches, 1);
    assert_int_equal(wh_read_request((struct wh_bytes){NULL, 0}, see, &seen), 0);
    assert_int_equal(seen.batches, 1);
}

static int read_silently(const struct wh_batch *batch, void *arg)
{
    (void)arg;
    read_all(batch->resource);
    read_all(batch->scope);
    for (size_t i = 0; i < batch->count; i++) read_all(batch->spans[i]);
    return 0;
}

static void a_broken_request_is_refused(void **state)
{
    (void)state;
    static struct bytes request;
    build_request(&request, 3);
    size_t good = 0;
    for (size_t len = 0; len <= request.len; len++) {
        const struct wh_bytes prefix = copy_of(request.bytes, len);
        const int rc = wh_read_request(prefix, read_silently, NULL);
        assert_true(rc == 0 || rc == EBADMSG);
        good += rc == 0;
        free((void *)prefix.ptr);
    }
    assert_int_equal(good, 3); /* nothing, one resource, both */
    for (int i = 0; i < 5000; i++) {
        const struct wh_bytes mutant = mutant_of((struct wh_bytes){request.bytes, request.len});
        const int rc = wh_read_request(mutant, read_silently, NULL);
        assert_true(rc == 0 || rc == EBADMSG);
        free((void *)mutant.ptr);
    }
}

/* ---- the memory exporter ---- */

static void memory_keeps_as_many_as_it_was_told(void **state)
{
    (void)state;
    struct wh_exporter *memory = wh_memory_exporter_new(2);
    assert_non_null(memory);
    const struct wh_bytes spans[] = {{"\x2a\x01" "a", 3}, {"\x2a\x01" "b", 3}, {"\x2a\x01" "c", 3}};
    const struct wh_batch batch = {.size = sizeof batch, .spans = spans, .count = 3};
    struct wh_span_view view;
    for (int round = 0; round < 2; round++) {
        size_t rejected = 0;
        assert_int_equal(wh_memory_count(memory), 0);
        assert_false(wh_memory_span(memory, 0, &view));
        assert_int_equal(memory->export_batch(memory, &batch, WH_NEVER, &rejected), 0);
        assert_int_equal(rejected, 1);
        assert_int_equal(wh_memory_count(memory), 2);
        assert_true(wh_memory_span(memory, 1, &view) && is(view.name, "b"));
        assert_false(wh_memory_span(memory, 2, &view));
        assert_true(wh_memory_find(memory, "a", &view) && is(view.name, "a"));
        assert_false(wh_memory_find(memory, "c", &view));
        wh_memory_clear(memory);
    }
    wh_exporter_free(memory);
}

static bool allow_none(size_t size)
{
    (void)size;
    return false;
}

static void memory_without_memory_refuses(void **state)
{
    (void)state;
    struct wh_exporter *memory = wh_memory_exporter_new(10);
    const struct wh_bytes span = {"\x2a\x01" "a", 3};
    const struct wh_batch batch = {.size = sizeof batch, .spans = &span, .count = 1};
    size_t rejected = 0;
    wh__mem_gate = allow_none;
    assert_int_equal(memory->export_batch(memory, &batch, WH_NEVER, &rejected), 0);
    errno = 0;
    struct wh_exporter *none = wh_memory_exporter_new(10);
    wh__mem_gate = NULL;
    assert_int_equal(rejected, 1);
    assert_null(none);
    assert_int_equal(errno, ENOMEM);
    wh_exporter_free(memory);
}

static void nobodys_exporter_is_freed_in_peace(void **state)
{
    (void)state;
    wh_exporter_free(NULL);
    wh_exporter_free(wh_memory_exporter_new(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_read_as_it_was_recorded),
        cmocka_unit_test(attributes_are_read_with_their_types),
        cmocka_unit_test(events_and_links_are_read_in_their_order),
        cmocka_unit_test(what_was_dropped_is_read),
        cmocka_unit_test(every_prefix_is_refused_or_read_safely),
        cmocka_unit_test(mutations_are_read_safely),
        cmocka_unit_test(garbage_is_read_safely),
        cmocka_unit_test(mutations_pass_through_the_exporters),
        cmocka_unit_test(a_field_is_read_or_refused),
        cmocka_unit_test(odd_fields_of_a_span_say_nothing),
        cmocka_unit_test(a_request_comes_apart_scope_by_scope),
        cmocka_unit_test(a_broken_request_is_refused),
        cmocka_unit_test(memory_keeps_as_many_as_it_was_told),
        cmocka_unit_test(memory_without_memory_refuses),
        cmocka_unit_test(nobodys_exporter_is_freed_in_peace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
