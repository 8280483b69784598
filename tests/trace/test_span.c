/* Spans: what is set on them is what is exported. Requirements by their places in the OpenTelemetry specification. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

static bool same_name(const struct wh_span_view *span, const char *name)
{
    return span->name.len == strlen(name) && memcmp(span->name.ptr, name, span->name.len) == 0;
}

static size_t count_attrs(const struct wh_span_view *span)
{
    struct wh_cursor cursor = {span->raw};
    struct wh_attr_view attr;
    size_t count = 0;
    while (wh_next_span_attr(&cursor, &attr)) count++;
    return count;
}

static void a_child_has_its_parents_trace_and_an_id_of_its_own(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct wh_span_context parent_ids, child_ids;
    wh_ctx *parent = wh_start(spans.root, "parent", .kind = WH_SERVER);
    wh_ctx *child = wh_start(parent, "child", .kind = WH_CLIENT);
    assert_true(wh_span_of(parent, &parent_ids));
    assert_true(wh_span_of(child, &child_ids));
    wh_end(child);
    wh_end(parent);
    const struct wh_span_view p = span_named(&spans, "parent"), c = span_named(&spans, "child");
    assert_memory_equal(p.trace_id, c.trace_id, 16);
    assert_memory_equal(c.parent_span_id, p.span_id, 8);
    assert_memory_not_equal(c.span_id, p.span_id, 8);
    assert_memory_equal(p.span_id, parent_ids.span_id, 8);
    assert_memory_equal(c.span_id, child_ids.span_id, 8);
    assert_memory_equal(p.parent_span_id, ((uint8_t[8]){0}), 8);
    assert_int_equal(p.kind, WH_SERVER);
    assert_int_equal(c.kind, WH_CLIENT);
    assert_int_equal(p.flags, 0x100 | WH_SAMPLED | WH_RANDOM);
    assert_true(p.start <= c.start && c.start <= c.end && c.end <= p.end);
    spans_end(&spans);
}

static void root_begins_a_new_trace(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *first = wh_start(spans.root, "first");
    wh_ctx *second = wh_start(first, "second", .root = true);
    wh_end(second);
    wh_end(first);
    const struct wh_span_view a = span_named(&spans, "first"), b = span_named(&spans, "second");
    assert_memory_not_equal(a.trace_id, b.trace_id, 16);
    assert_memory_equal(b.parent_span_id, ((uint8_t[8]){0}), 8);
    spans_end(&spans);
}

static void every_scalar_type_arrives(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "types");
    const bool yes = true;
    wh_set(span, "bool", yes);
    wh_set_bool(span, "bool.false", false);
    wh_set(span, "char", (char)'A');
    wh_set(span, "short", (short)-7);
    wh_set(span, "int", -42);
    wh_set(span, "unsigned", 4000000000u);
    wh_set(span, "long", INT64_MIN);
    wh_set(span, "unsigned long", (unsigned long)INT64_MAX);
    wh_set(span, "too large", UINT64_MAX);
    wh_set(span, "float", 0.5f);
    wh_set(span, "double", -1e300);
    wh_set(span, "nan", (double)NAN);
    wh_set(span, "text", "a text");
    wh_set(span, "null", (const char *)NULL);
    wh_set(span, "empty", "");
    wh_set(span, "piece", ((struct wh_str){"piecework", 5}));
    wh_set(span, "bytes", ((struct wh_bytes){"\0\1\2", 3}));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "types");
    assert_true(span_bool(&view, "bool"));
    assert_false(span_bool(&view, "bool.false"));
    assert_int_equal(span_int(&view, "char"), 'A');
    assert_int_equal(span_int(&view, "short"), -7);
    assert_int_equal(span_int(&view, "int"), -42);
    assert_int_equal(span_int(&view, "unsigned"), 4000000000);
    assert_int_equal(span_int(&view, "long"), INT64_MIN);
    assert_int_equal(span_int(&view, "unsigned long"), INT64_MAX);
    assert_string_equal(span_text(&view, "too large"), "18446744073709551615");
    assert_true(span_double(&view, "float") == 0.5);
    assert_true(span_double(&view, "double") == -1e300);
    assert_true(isnan(span_double(&view, "nan")));
    assert_string_equal(span_text(&view, "text"), "a text");
    assert_string_equal(span_text(&view, "null"), "");
    assert_string_equal(span_text(&view, "empty"), "");
    assert_string_equal(span_text(&view, "piece"), "piece");
    struct wh_attr_view bytes;
    assert_true(wh_span_attr(&view, "bytes", &bytes));
    assert_int_equal(bytes.type, WH_BYTES);
    assert_int_equal(bytes.as.bytes.len, 3);
    assert_memory_equal(bytes.as.bytes.ptr, "\0\1\2", 3);
    assert_int_equal(count_attrs(&view), 17);
    spans_end(&spans);
}

/* trace/api.md, Set Attributes: the same key overwrites. Short and long ways, growing and shrinking. */
static void the_last_value_of_a_key_holds(void **state)
{
    (void)state;
    char long_text[3000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "again");
    wh_set(span, "before", 1);
    wh_set(span, "key", "short");
    wh_status(span, WH_STATUS_ERROR, "kept");
    wh_set(span, "key", (const char *)long_text);
    wh_set(span, "between", 2);
    wh_set(span, "key", 7);
    wh_set(span, "key", "at last");
    wh_set(span, "after", 3);
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "again");
    assert_string_equal(span_text(&view, "key"), "at last");
    assert_int_equal(span_int(&view, "before"), 1);
    assert_int_equal(span_int(&view, "between"), 2);
    assert_int_equal(span_int(&view, "after"), 3);
    assert_int_equal(count_attrs(&view), 4);
    assert_int_equal(view.status, WH_STATUS_ERROR);
    assert_true(view.status_text.len == 4 && memcmp(view.status_text.ptr, "kept", 4) == 0);
    spans_end(&spans);
}

/* Every key that there can be of a few letters: no two are taken for one, whatever their hashes. */
static void keys_are_never_confused(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits.attributes = 1000});
    wh_ctx *span = wh_start(spans.root, "keys");
    char key[32];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 500; i++) {
            snprintf(key, sizeof key, "%.*s%d", i % 12, "abcdefghijkl", i);
            wh_set(span, key, i + round);
        }
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "keys");
    assert_int_equal(count_attrs(&view), 500);
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "%.*s%d", i % 12, "abcdefghijkl", i);
        assert_int_equal(span_int(&view, key), i + 1);
    }
    spans_end(&spans);
}

/* common/README.md, Attribute Limits: the new one is dropped, overwriting goes on, and what was dropped is counted. */
static void over_the_limits_is_counted(void **state)
{
    (void)state;
    const struct wh_limits limits = {.attributes = 3, .events = 2, .links = 1, .event_attributes = 1, .link_attributes = 1,
        .value_length = 4};
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = limits});
    struct wh_span_context other = {.trace_id = {1}, .span_id = {2}};
    wh_ctx *span = wh_start(spans.root, "limits");
    wh_set(span, "a", 1);
    wh_set(span, "b", "twelve bytes");
    wh_set(span, "c", "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xe2\x82\xac");
    wh_set(span, "d", 4);
    wh_set(span, "e", 5);
    wh_set(span, "a", 6);
    wh_set(span, "", 7);
    wh_set(span, "not \xff utf-8", 8);
    for (int i = 0; i < 5; i++) wh_event(span, "event", .attrs = WH_ATTRS(wh_attr("x", i), wh_attr("y", i), wh_attr("x", 9)));
    for (int i = 0; i < 3; i++) wh_link_to(span, &other, .attrs = WH_ATTRS(wh_attr("x", i), wh_attr("y", i)));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "limits");
    assert_int_equal(count_attrs(&view), 3);
    assert_int_equal(span_int(&view, "a"), 6);
    assert_string_equal(span_text(&view, "b"), "twel");
    assert_string_equal(span_text(&view, "c"), "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f");
    assert_int_equal(view.dropped_attributes, 4);
    assert_int_equal(view.dropped_events, 3);
    assert_int_equal(view.dropped_links, 2);
    struct wh_event_view event;
    assert_true(span_event(&view, "event", &event));
    assert_int_equal(event.dropped_attributes, 1);
    struct wh_cursor cursor = {view.raw};
    struct wh_link_view link;
    assert_true(wh_next_link(&cursor, &link));
    assert_int_equal(link.dropped_attributes, 1);
    assert_memory_equal(link.trace_id, other.trace_id, 16);
    assert_false(wh_next_link(&cursor, &link));
    spans_end(&spans);
}

/* common/attribute-type-mapping.md: text that is none becomes bytes; names, which cannot, are mended. */
static void what_is_not_utf8_does_no_harm(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "good");
    wh_set(span, "short", "\xc3\x28");
    wh_set(span, "surrogate", "abc \xed\xa0\x80 def");
    wh_set(span, "long", "\xfe and then a text that is longer than all that goes the short way, which ends at 48 bytes");
    wh_event(span, "ev\x80nt");
    wh_rename(span, "b\xff" "d");
    wh_status(span, WH_STATUS_ERROR, "st\xc0tus");
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "b?d");
    struct wh_attr_view attr;
    assert_true(wh_span_attr(&view, "short", &attr) && attr.type == WH_BYTES);
    assert_memory_equal(attr.as.bytes.ptr, "\xc3\x28", 2);
    assert_true(wh_span_attr(&view, "surrogate", &attr) && attr.type == WH_BYTES);
    assert_true(wh_span_attr(&view, "long", &attr) && attr.type == WH_BYTES);
    struct wh_event_view event;
    assert_true(span_event(&view, "ev?nt", &event));
    assert_memory_equal(view.status_text.ptr, "st?tus", 6);
    spans_end(&spans);
}

/* trace/api.md, Set Status: every order of every pair. */
static void status_precedence(void **state)
{
    (void)state;
    static const struct { enum wh_status first, second, is; const char *text; } rows[] = {
        {WH_STATUS_UNSET, WH_STATUS_UNSET, WH_STATUS_UNSET, ""}, {WH_STATUS_UNSET, WH_STATUS_OK, WH_STATUS_OK, ""},
        {WH_STATUS_UNSET, WH_STATUS_ERROR, WH_STATUS_ERROR, "2"}, {WH_STATUS_OK, WH_STATUS_UNSET, WH_STATUS_OK, ""},
        {WH_STATUS_OK, WH_STATUS_OK, WH_STATUS_OK, ""}, {WH_STATUS_OK, WH_STATUS_ERROR, WH_STATUS_OK, ""},
        {WH_STATUS_ERROR, WH_STATUS_UNSET, WH_STATUS_ERROR, "1"}, {WH_STATUS_ERROR, WH_STATUS_OK, WH_STATUS_OK, ""},
        {WH_STATUS_ERROR, WH_STATUS_ERROR, WH_STATUS_ERROR, "2"},
    };
    struct spans spans = spans_begin();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wh_ctx *span = wh_start(spans.root, "status");
        wh_status(span, rows[i].first, "1");
        wh_status(span, rows[i].second, "2");
        wh_end(span);
        const struct wh_span_view view = span_named(&spans, "status");
        assert_int_equal(view.status, rows[i].is);
        assert_int_equal(view.status_text.len, strlen(rows[i].text));
        assert_memory_equal(view.status_text.ptr ? view.status_text.ptr : "", rows[i].text, strlen(rows[i].text));
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

static void a_failure_is_an_error_with_a_type(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *a = wh_start(spans.root, "a"), *b = wh_start(spans.root, "b");
    assert_int_equal(wh_fail(a, ECONNREFUSED, "no one there"), ECONNREFUSED);
    assert_int_equal(wh_fail_as(b, EIO, "quota", NULL), EIO);
    wh_end(a);
    wh_end(b);
    struct wh_span_view view = span_named(&spans, "a");
    assert_int_equal(view.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&view, "error.type"), "ECONNREFUSED");
    assert_memory_equal(view.status_text.ptr, "no one there", 12);
    view = span_named(&spans, "b");
    assert_string_equal(span_text(&view, "error.type"), "quota");
    assert_int_equal(view.status_text.len, 0);
    spans_end(&spans);
}

static void what_is_given_at_the_start_is_there(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct wh_span_context other = {.trace_id = {1}, .span_id = {2}, .flags = WH_SAMPLED, .remote = true, .tracestate = "a=b"};
    const struct wh_link links[] = {{.to = &other, .attrs = WH_ATTRS(wh_attr("why", "because"))}};
    wh_ctx *span = wh_start(spans.root, "start", .attrs = WH_ATTRS(wh_attr("n", 1), wh_attr("t", "x"), wh_attr("n", 2)),
        .links = links, .link_count = 1);
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "start");
    assert_int_equal(span_int(&view, "n"), 2);
    assert_string_equal(span_text(&view, "t"), "x");
    struct wh_cursor cursor = {view.raw};
    struct wh_link_view link;
    assert_true(wh_next_link(&cursor, &link));
    assert_int_equal(link.flags, 0x300 | WH_SAMPLED);
    assert_memory_equal(link.tracestate.ptr, "a=b", 3);
    cursor.rest = link.raw;
    struct wh_attr_view attr;
    assert_true(wh_next_link_attr(&cursor, &attr));
    assert_memory_equal(attr.as.string.ptr, "because", 7);
    spans_end(&spans);
}

/* trace/api.md: after the end nothing happens any more, and the ids stay. */
static void after_the_end_all_is_silent(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "ended");
    const wh_ctx *held = wh_hold(span);
    struct wh_span_context before, after;
    wh_span_of(held, &before);
    assert_true(wh_recording(held));
    wh_end(span);
    assert_false(wh_recording(held));
    wh_set(held, "late", 1);
    wh_event(held, "late");
    wh_status(held, WH_STATUS_ERROR, "late");
    wh_rename(held, "late");
    assert_true(wh_span_of(held, &after));
    assert_memory_equal(&before.span_id, &after.span_id, 8);
    wh_ctx *child = wh_start(held, "child of the ended");
    wh_end(child);
    wh_release(held);
    const struct wh_span_view view = span_named(&spans, "ended"), c = span_named(&spans, "child of the ended");
    assert_int_equal(count_attrs(&view), 0);
    assert_int_equal(view.status, WH_STATUS_UNSET);
    assert_memory_equal(c.parent_span_id, view.span_id, 8);
    spans_end(&spans);
}

static void setters_reach_the_nearest_span_above(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *nobody = wh_with_cancel(NULL);
    wh_set(nobody, "lost", 1);
    wh_set((const wh_ctx *)NULL, "lost", 1);
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "span");
    {
        WH_AUTO wh_ctx *below = wh_with_cancel(span);
        WH_AUTO wh_ctx *further = wh_with_timeout(below, WH_SEC(5));
        WH_AUTO wh_ctx *detached = wh_detach(further);
        wh_set(further, "from below", 1);
        wh_set(detached, "detached", 2);
    }
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "span");
    assert_int_equal(span_int(&view, "from below"), 1);
    assert_int_equal(span_int(&view, "detached"), 2);
    spans_end(&spans);
}

/* A span of any size is whole: it grows out of its first block, and over the largest it drops and counts. */
static void large_spans(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "large");
    static char text[1 << 20];
    memset(text, 'y', sizeof text - 1);
    for (int i = 0; i < 6; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        wh_set(span, key, (const char *)text);
    }
    wh_set(span, "last", (struct wh_str){"there", 5});
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "large");
    assert_int_equal(count_attrs(&view), 4);
    assert_int_equal(view.dropped_attributes, 3);
    assert_string_equal(span_text(&view, "last"), "there");
    assert_true(same_name(&view, "large"));
    spans_end(&spans);
}

static void names_that_are_no_literals_are_copied(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    char name[100];
    snprintf(name, sizeof name, "a name that is made while the program runs, and longer than what the node keeps of it");
    wh_ctx *span = wh_start(spans.root, (const char *)name);
    wh_ctx *child = wh_start(span, "child");
    memset(name, 'z', sizeof name - 1);
    wh_cancel(span, WH_SHUTDOWN, NULL);
    wh_end(child);
    wh_end(span);
    span_named(&spans, "a name that is made while the program runs, and longer than what the node keeps of it");
    const struct wh_span_view view = span_named(&spans, "child");
    assert_memory_equal(span_text(&view, "whence.cancel.origin.span_name"), "a name that is made", 19);
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_its_parents_trace_and_an_id_of_its_own),
        cmocka_unit_test(root_begins_a_new_trace),
        cmocka_unit_test(every_scalar_type_arrives),
        cmocka_unit_test(the_last_value_of_a_key_holds),
        cmocka_unit_test(keys_are_never_confused),
        cmocka_unit_test(over_the_limits_is_counted),
        cmocka_unit_test(what_is_not_utf8_does_no_harm),
        cmocka_unit_test(status_precedence),
        cmocka_unit_test(a_failure_is_an_error_with_a_type),
        cmocka_unit_test(what_is_given_at_the_start_is_there),
        cmocka_unit_test(after_the_end_all_is_silent),
        cmocka_unit_test(setters_reach_the_nearest_span_above),
        cmocka_unit_test(large_spans),
        cmocka_unit_test(names_that_are_no_literals_are_copied),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
