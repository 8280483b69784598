/* Values that are too much: too large, too many, endless; and memory that runs out while they are recorded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"
#include "test.h"

static size_t count_attrs(const struct wh_span_view *span)
{
    struct wh_cursor cursor = {span->raw};
    struct wh_attr_view attr;
    size_t count = 0;
    while (wh_next_span_attr(&cursor, &attr)) count++;
    return count;
}

/* A span on which only `value` is set, as "key", after "before" and before "after". */
static struct wh_span_view recorded(struct spans *spans, struct wh_attr value)
{
    value.key = "key";
    wh_ctx *span = wh_start(spans->root, "hostile");
    wh_set(span, "before", 1);
    wh_event(span, "event", .attrs = {&value, 1});
    wh_set_value_(span, &value);
    wh_set(span, "after", 2);
    wh_end(span);
    const struct wh_span_view view = span_named(spans, "hostile");
    assert_int_equal(span_int(&view, "before"), 1);
    assert_int_equal(span_int(&view, "after"), 2);
    return view;
}

static void assert_refused(struct spans *spans, struct wh_attr value)
{
    const struct wh_span_view view = recorded(spans, value);
    assert_false(span_has(&view, "key"));
    assert_int_equal(view.dropped_attributes, 1);
    assert_int_equal(view.dropped_events, 1);
    wh_memory_clear(spans->memory);
}

static void what_would_be_more_than_4_MiB_is_refused_and_counted(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    char *text = calloc(1, 1 << 20);
    static int64_t ints[1 << 20];
    assert_non_null(text);
    memset(text, 'x', (1 << 20) - 1);
    memset(ints, -1, sizeof ints); /* eleven bytes each */
    assert_refused(&spans, wh_item(WH_ITEMS(wh_item(text), wh_item(text), wh_item(text), wh_item(text), wh_item("..........."))));
    assert_refused(&spans, wh_item(((struct wh_ints){ints, 1 << 20})));
    assert_refused(&spans, wh_item(((struct wh_items){(const struct wh_attr *)(uintptr_t)8, SIZE_MAX})));
    assert_refused(&spans, wh_item(((struct wh_attrs){(const struct wh_attr *)(uintptr_t)8, SIZE_MAX / 2})));
    assert_refused(&spans, wh_item(((struct wh_doubles){(const double *)(uintptr_t)8, 3 << 20})));
    free(text);
    spans_end(&spans);
}

/* Ten times ten times ten... of the same: a list in a list, which others share. */
static void lists_that_share_lists_are_refused_before_they_take_memory_or_time(void **state)
{
    (void)state;
    enum { LEVELS = 30, EACH = 10 };
    static struct wh_attr lists[LEVELS + 1][EACH];
    struct spans spans = spans_begin();
    for (int leaf = 0; leaf < 2; leaf++) {
        for (int level = 0; level <= LEVELS; level++)
            for (int i = 0; i < EACH; i++) {
                const struct wh_items below = {level ? lists[level - 1] : NULL, level ? EACH : 0};
                lists[level][i] = level || !leaf ? wh_item(below) : wh_item("lol");
            }
        assert_refused(&spans, wh_item(((struct wh_items){lists[LEVELS], EACH})));
    }
    spans_end(&spans);
}

/* Nothing that a program would do on purpose: it ends at the limit of depth, or with the room. */
static void a_list_in_itself_comes_to_an_end(void **state)
{
    (void)state;
    static struct wh_attr self[2];
    struct spans spans = spans_begin();
    struct wh_attr_view value;
    unsigned depth = 0;
    self[0] = wh_attr("self", ((struct wh_items){self, 1}));
    const struct wh_span_view view = recorded(&spans, self[0]);
    assert_true(wh_span_attr(&view, "key", &value));
    for (; value.type == WH_ARRAY; depth++) {
        struct wh_cursor cursor = {value.as.bytes};
        assert_true(wh_next_item(&cursor, &value));
    }
    assert_int_equal(value.type, WH_EMPTY);
    assert_int_equal(depth, 64);
    wh_memory_clear(spans.memory);
    self[0] = wh_attr("self", ((struct wh_attrs){self, 2}));
    self[1] = wh_attr("other", ((struct wh_attrs){self, 2}));
    assert_refused(&spans, self[0]);
    spans_end(&spans);
}

/* Whether the keys are all different or all the same, the time goes with their count. */
static void maps_may_be_large(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static struct wh_attr entries[COUNT];
    static char keys[COUNT][16];
    struct spans spans = spans_begin();
    for (int distinct = 0; distinct < 2; distinct++) {
        struct wh_attr_view map, entry;
        int count = 0;
        for (int i = 0; i < COUNT; i++) {
            snprintf(keys[i], sizeof keys[i], "%d", distinct ? i : 7);
            entries[i] = wh_attr(keys[i], i);
        }
        const struct wh_span_view view = recorded(&spans, wh_item(((struct wh_attrs){entries, COUNT})));
        assert_true(wh_span_attr(&view, "key", &map));
        for (struct wh_cursor cursor = {map.as.bytes}; wh_next_item(&cursor, &entry); count++)
            assert_int_equal(entry.as.integer, distinct ? count : COUNT - 1);
        assert_int_equal(count, distinct ? COUNT : 1);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

/* ---- no memory ---- */

enum { ENTRIES = 40, TEXT = 600 };
static struct wh_attr entries[ENTRIES];
static char keys[ENTRIES][16], text[TEXT + 1];

static void use_memory(const wh_ctx *span)
{
    const struct wh_span_context other = {.trace_id = {1}, .span_id = {2}, .tracestate = "a=b"};
    const struct wh_attrs map = {entries, ENTRIES};
    wh_set(span, "map", map);
    wh_set(span, "items", WH_ITEMS(wh_item(map), wh_item((const char *)text)));
    wh_event(span, "event", .attrs = map);
    wh_exception(span, "type", "message", .stacktrace = text, .attrs = map);
    wh_link_to(span, &other, .attrs = map);
}

/* Every allocation fails once: what it was for is counted, and all else is there. */
static void without_memory_what_is_lost_is_counted(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    memset(text, 'x', TEXT);
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        entries[i] = wh_attr(keys[i], (const char *)text);
    }
    for (size_t n = 1, failed = 1; failed; n++) {
        wh_ctx *span = wh_start(spans.root, "short of memory", .kind = WH_SERVER);
        memory_fails_once_at(n);
        use_memory(span);
        failed = memory_is_back();
        wh_set(span, "after", 1);
        wh_end(span);
        const struct wh_span_view view = span_named(&spans, "short of memory");
        struct wh_event_view event;
        struct wh_link_view link;
        size_t events = 0, links = 0;
        for (struct wh_cursor cursor = {view.raw}; wh_next_event(&cursor, &event);) events++;
        for (struct wh_cursor cursor = {view.raw}; wh_next_link(&cursor, &link);) links++;
        assert_int_equal(span_int(&view, "after"), 1);
        assert_int_equal(count_attrs(&view) + view.dropped_attributes, 3);
        assert_int_equal(events + view.dropped_events, 2);
        assert_int_equal(links + view.dropped_links, 1);
        assert_int_equal(view.dropped_attributes + view.dropped_events + view.dropped_links, failed ? 1 : 0);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

static void without_memory_the_text_of_a_value_is_empty(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct wh_attr_view value;
    char out[16] = "before";
    wh_ctx *span = wh_start(spans.root, "text");
    wh_set(span, "items", WH_ITEMS(wh_item(1)));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "text");
    assert_true(wh_span_attr(&view, "items", &value));
    memory_fails_once_at(1);
    assert_int_equal(wh_value_text(&value, out, sizeof out), 0);
    assert_true(memory_is_back());
    assert_string_equal(out, "");
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_would_be_more_than_4_MiB_is_refused_and_counted),
        cmocka_unit_test(lists_that_share_lists_are_refused_before_they_take_memory_or_time),
        cmocka_unit_test(a_list_in_itself_comes_to_an_end),
        cmocka_unit_test(maps_may_be_large),
        cmocka_unit_test(without_memory_what_is_lost_is_counted),
        cmocka_unit_test(without_memory_the_text_of_a_value_is_empty),
    };
    return cmocka_run_group_tests_name("value_hostile", tests, NULL, NULL);
}
