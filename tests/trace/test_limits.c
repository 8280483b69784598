/* Limits, each at one less, at itself, and at one more (common/README.md, Attribute Limits; trace/sdk.md, Span Limits). */
#include <stdio.h>
#include <string.h>

#include "test.h"

typedef bool next_attr(struct wh_cursor *, struct wh_attr_view *);

static uint32_t count_attrs(struct wh_bytes raw, next_attr *next)
{
    struct wh_cursor cursor = {raw};
    struct wh_attr_view attr;
    uint32_t count = 0;
    while (next(&cursor, &attr)) count++;
    return count;
}

static const char *value_text(const struct wh_span_view *span, const char *key)
{
    static char text[65536];
    struct wh_attr_view value;
    if (!wh_span_attr(span, key, &value)) fail_msg("no attribute %s", key);
    assert_true(wh_value_text(&value, text, sizeof text) < sizeof text);
    return text;
}

/* ---- how many ---- */

enum what { ATTRIBUTES, EVENTS, LINKS, EVENT_ATTRIBUTES, LINK_ATTRIBUTES, WHATS };
enum { MOST = 140 };

static struct wh_attr many[MOST]; /* k0=0, k1=1, ... */
static char keys[MOST][16];

static struct wh_attrs first_of(uint32_t count)
{
    for (int i = 0; i < MOST; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        many[i] = wh_attr(keys[i], i);
    }
    return (struct wh_attrs){many, count};
}

static void put(const wh_ctx *span, enum what what, uint32_t count)
{
    const struct wh_span_context other = {.trace_id = {1}, .span_id = {2}};
    const struct wh_attrs attrs = first_of(count);
    if (what == EVENT_ATTRIBUTES) wh_event(span, "event", .attrs = attrs);
    if (what == LINK_ATTRIBUTES) wh_link_to(span, &other, .attrs = attrs);
    for (uint32_t i = 0; i < count; i++) {
        if (what == ATTRIBUTES) wh_set(span, keys[i], i);
        if (what == EVENTS) wh_event(span, "event");
        if (what == LINKS) wh_link_to(span, &other);
    }
}

struct counts { uint32_t kept, dropped; };

static struct counts counts_of(const struct wh_span_view *span, enum what what)
{
    struct counts counts = {0};
    struct wh_cursor cursor = {span->raw};
    struct wh_event_view event;
    struct wh_link_view link;
    switch (what) {
    case ATTRIBUTES:
        return (struct counts){count_attrs(span->raw, wh_next_span_attr), span->dropped_attributes};
    case EVENTS:
        while (wh_next_event(&cursor, &event)) counts.kept++;
        counts.dropped = span->dropped_events;
        return counts;
    case LINKS:
        while (wh_next_link(&cursor, &link)) counts.kept++;
        counts.dropped = span->dropped_links;
        return counts;
    case EVENT_ATTRIBUTES:
        assert_true(wh_next_event(&cursor, &event));
        return (struct counts){count_attrs(event.raw, wh_next_event_attr), event.dropped_attributes};
    default:
        assert_true(wh_next_link(&cursor, &link));
        return (struct counts){count_attrs(link.raw, wh_next_link_attr), link.dropped_attributes};
    }
}

/* So many are put under these limits, of which `limit` is the one that holds. */
static void assert_limit(const struct wh_limits *limits, enum what what, uint32_t limit)
{
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = *limits});
    for (uint32_t count = limit ? limit - 1 : 0; count <= limit + 1; count++) {
        wh_ctx *span = wh_start(spans.root, "limits");
        put(span, what, count);
        wh_end(span);
        const struct wh_span_view view = span_named(&spans, "limits");
        const struct counts counts = counts_of(&view, what);
        assert_int_equal(counts.kept, count < limit ? count : limit);
        assert_int_equal(counts.dropped, count > limit ? count - limit : 0);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

static struct wh_limits limits_with(enum what what, uint32_t limit)
{
    struct wh_limits limits = {0};
    uint32_t *const all[] = {&limits.attributes, &limits.events, &limits.links, &limits.event_attributes, &limits.link_attributes};
    *all[what] = limit;
    return limits;
}

static void each_limit_keeps_so_many_and_counts_the_rest(void **state)
{
    (void)state;
    for (enum what what = ATTRIBUTES; what < WHATS; what++)
        for (uint32_t limit = 1; limit <= 33; limit *= limit == 2 ? 8 : 2) {
            const struct wh_limits limits = limits_with(what, limit + (limit == 16));
            assert_limit(&limits, what, limit + (limit == 16));
        }
}

static void every_limit_is_128_by_default(void **state)
{
    (void)state;
    const struct wh_limits none = {0};
    for (enum what what = ATTRIBUTES; what < WHATS; what++) assert_limit(&none, what, 128);
}

static void a_limit_of_zero_keeps_nothing(void **state)
{
    (void)state;
    for (enum what what = ATTRIBUTES; what < WHATS; what++) {
        const struct wh_limits limits = limits_with(what, WH_LIMIT_ZERO);
        assert_limit(&limits, what, 0);
    }
}

/* The specific one, then the general one, then the default; the general one is none of events and links themselves. */
static void the_specific_limit_comes_before_the_general_one_and_that_before_the_default(void **state)
{
    (void)state;
    const enum what collections[] = {ATTRIBUTES, EVENT_ATTRIBUTES, LINK_ATTRIBUTES};
    for (size_t i = 0; i < 3; i++) {
        struct wh_limits limits = {.attribute_count = 5};
        assert_limit(&limits, collections[i], 5);
        limits = limits_with(collections[i], 7);
        limits.attribute_count = 5;
        assert_limit(&limits, collections[i], 7);
    }
    const struct wh_limits general = {.attribute_count = 5};
    assert_limit(&general, EVENTS, 128);
    assert_limit(&general, LINKS, 128);
}

static void overwriting_at_the_limit_is_no_new_attribute(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = {.attribute_count = 2}});
    struct wh_event_view event;
    wh_ctx *span = wh_start(spans.root, "again");
    wh_set(span, "a", 1);
    wh_set(span, "b", 2);
    wh_set(span, "c", 3);
    wh_set(span, "a", WH_ITEMS(wh_item("changed")));
    wh_set(span, "b", "a text that is too long for the short form of an attribute, whatever its key is");
    wh_set(span, "c", 4);
    wh_event(span, "event", .attrs = WH_ATTRS(wh_attr("a", 1), wh_attr("b", 2), wh_attr("c", 3), wh_attr("a", 4)));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "again");
    assert_string_equal(value_text(&view, "a"), "[\"changed\"]");
    assert_memory_equal(span_text(&view, "b"), "a text that", 11);
    assert_false(span_has(&view, "c"));
    assert_int_equal(view.dropped_attributes, 2);
    assert_true(span_event(&view, "event", &event));
    assert_int_equal(event.dropped_attributes, 1);
    struct wh_cursor cursor = {event.raw};
    struct wh_attr_view attr;
    assert_true(wh_next_event_attr(&cursor, &attr) && *attr.key.ptr == 'b' && attr.as.integer == 2);
    assert_true(wh_next_event_attr(&cursor, &attr) && *attr.key.ptr == 'a' && attr.as.integer == 4);
    spans_end(&spans);
}

static void what_is_within_a_map_does_not_count(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = {.attribute_count = 1}});
    wh_ctx *span = wh_start(spans.root, "map");
    wh_set(span, "map", first_of(100));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "map");
    struct wh_attr_view map, entry;
    uint32_t count = 0;
    assert_true(wh_span_attr(&view, "map", &map));
    for (struct wh_cursor cursor = {map.as.bytes}; wh_next_item(&cursor, &entry);) count++;
    assert_int_equal(count, 100);
    assert_int_equal(view.dropped_attributes, 0);
    spans_end(&spans);
}

/* ---- how long ---- */

static const struct { const char *text, *cut; } texts[] = { /* by a limit of 4 */
    {"abc", "abc"}, {"abcd", "abcd"}, {"abcde", "abcd"}, {"", ""},
    {"\xc3\xa4\xc3\xb6\xc3\xbc", "\xc3\xa4\xc3\xb6\xc3\xbc"}, {"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"},
    {"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f!", "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"},
    {"\xf0\x9f\x92\xb6\xe2\x82\xac$\xc2\xa3\xc2\xa5", "\xf0\x9f\x92\xb6\xe2\x82\xac$\xc2\xa3"},
};

static void assert_lengths(const struct wh_limits *limits)
{
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = *limits});
    char expected[100];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        wh_ctx *span = wh_start(spans.root, "length", .attrs = WH_ATTRS(wh_attr("start", texts[i].text)));
        wh_set(span, "text", texts[i].text);
        wh_set(span, "in map", WH_ATTRS(wh_attr("a long key", WH_ITEMS(wh_item(texts[i].text), wh_item(1234567)))));
        wh_set(span, "strings", ((struct wh_strings){&texts[i].text, 1}));
        wh_event(span, "event", .attrs = WH_ATTRS(wh_attr("text", texts[i].text)));
        wh_end(span);
        const struct wh_span_view view = span_named(&spans, "length");
        struct wh_event_view event;
        struct wh_attr_view attr;
        assert_string_equal(value_text(&view, "start"), texts[i].cut);
        assert_string_equal(value_text(&view, "text"), texts[i].cut);
        snprintf(expected, sizeof expected, "{\"a long key\":[\"%s\",1234567]}", texts[i].cut);
        assert_string_equal(value_text(&view, "in map"), expected);
        snprintf(expected, sizeof expected, "[\"%s\"]", texts[i].cut);
        assert_string_equal(value_text(&view, "strings"), expected);
        assert_true(span_event(&view, "event", &event));
        struct wh_cursor cursor = {event.raw};
        assert_true(wh_next_event_attr(&cursor, &attr));
        assert_int_equal(attr.as.string.len, strlen(texts[i].cut));
        assert_int_equal(view.dropped_attributes, 0);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

static void text_is_cut_by_characters_wherever_it_stands(void **state)
{
    (void)state;
    const struct wh_limits specific = {.value_length = 4, .attribute_value_length = 100}, general = {.attribute_value_length = 4};
    assert_lengths(&specific);
    assert_lengths(&general);
}

static void bytes_are_cut_by_bytes_wherever_they_stand(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = {.value_length = 3}});
    for (size_t len = 2; len <= 4; len++) {
        const struct wh_bytes bytes = {"\xc3\xa4\xc3\xb6", len};
        struct wh_attr_view attr, item;
        wh_ctx *span = wh_start(spans.root, "bytes");
        wh_set(span, "bytes", bytes);
        wh_set(span, "items", WH_ITEMS(wh_item(bytes)));
        wh_end(span);
        const struct wh_span_view view = span_named(&spans, "bytes");
        assert_true(wh_span_attr(&view, "bytes", &attr));
        assert_int_equal(attr.as.bytes.len, len < 3 ? len : 3);
        assert_true(wh_span_attr(&view, "items", &attr));
        struct wh_cursor cursor = {attr.as.bytes};
        assert_true(wh_next_item(&cursor, &item));
        assert_int_equal(item.as.bytes.len, len < 3 ? len : 3);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

static void numbers_and_keys_have_no_length(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = {.value_length = WH_LIMIT_ZERO}});
    const int64_t ints[] = {123456789};
    wh_ctx *span = wh_start(spans.root, "numbers");
    wh_set(span, "an integer", 123456789);
    wh_set(span, "a double", 0.123456789);
    wh_set(span, "ints", ((struct wh_ints){ints, 1}));
    wh_set(span, "text", "text");
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "numbers");
    assert_int_equal(span_int(&view, "an integer"), 123456789);
    assert_true(span_double(&view, "a double") == 0.123456789);
    assert_string_equal(value_text(&view, "ints"), "[123456789]");
    assert_string_equal(value_text(&view, "text"), "");
    spans_end(&spans);
}

static void the_length_of_values_is_not_limited_by_default(void **state)
{
    (void)state;
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    struct spans spans = spans_begin();
    struct wh_attr_view attr;
    wh_ctx *span = wh_start(spans.root, "long");
    wh_set(span, "text", (const char *)text);
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "long");
    assert_true(wh_span_attr(&view, "text", &attr));
    assert_int_equal(attr.as.string.len, sizeof text - 1);
    spans_end(&spans);
}

/* ---- how deep ---- */

enum { DEEP = 140 };

/* Arrays and maps in turn, so many, one within the other, with a plain value in the innermost. */
static struct wh_attr nested(unsigned levels)
{
    static struct wh_attr list[DEEP + 1];
    list[0] = wh_attr("bottom", 1);
    for (unsigned i = 1; i <= levels; i++)
        list[i] = (struct wh_attr){.key = "next", .type = i % 2 ? WH_MAP : WH_ARRAY, .len = 1, .as.ptr = &list[i - 1]};
    list[levels].key = "deep";
    return list[levels];
}

/* How many arrays and maps there are, and what stands in the last. */
static unsigned depth_of(struct wh_attr_view value, enum wh_type *innermost)
{
    unsigned depth = 0;
    while (value.type == WH_ARRAY || value.type == WH_MAP) {
        struct wh_cursor cursor = {value.as.bytes};
        assert_true(wh_next_item(&cursor, &value));
        depth++;
    }
    *innermost = value.type;
    return depth;
}

static void assert_depth(const struct wh_limits *limits, unsigned limit)
{
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = *limits});
    for (unsigned levels = limit > 1 ? limit - 1 : 1; levels <= limit + 1; levels++) {
        const struct wh_attr attr = nested(levels);
        struct wh_attr_view value;
        enum wh_type innermost;
        wh_end(wh_start(spans.root, "deep", .attrs = {&attr, 1}));
        const struct wh_span_view view = span_named(&spans, "deep");
        assert_true(wh_span_attr(&view, "deep", &value));
        assert_int_equal(depth_of(value, &innermost), levels <= limit ? levels : limit);
        assert_int_equal(innermost, levels <= limit ? WH_INT : WH_EMPTY);
        assert_int_equal(view.dropped_attributes, 0);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

static void deeper_arrays_and_maps_become_empty_values(void **state)
{
    (void)state;
    const unsigned depths[] = {1, 2, 3, 63, 100};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        const struct wh_limits specific = {.value_depth = depths[i], .attribute_value_depth = 5}, general = {.attribute_value_depth = depths[i]};
        assert_depth(&specific, depths[i]);
        assert_depth(&general, depths[i]);
    }
}

static void values_may_lie_64_deep_by_default_and_never_deeper_than_128(void **state)
{
    (void)state;
    const struct wh_limits none = {0}, any = {.value_depth = UINT32_MAX};
    assert_depth(&none, 64);
    assert_depth(&any, 128);
}

static void arrays_of_one_type_are_as_deep_as_others(void **state)
{
    (void)state;
    const int64_t ints[] = {1, 2};
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = {.value_depth = 1}});
    wh_ctx *span = wh_start(spans.root, "one");
    wh_set(span, "first", ((struct wh_ints){ints, 2}));
    wh_set(span, "second", WH_ITEMS(wh_item(((struct wh_ints){ints, 2})), wh_item("plain"), wh_item(WH_ATTRS())));
    wh_end(span);
    const struct wh_span_view view = span_named(&spans, "one");
    assert_string_equal(value_text(&view, "first"), "[1,2]");
    assert_string_equal(value_text(&view, "second"), "[null,\"plain\",null]");
    spans_end(&spans);
}

/* ---- who hears of it ---- */

static int lines;
static char said[600];

static void hear(enum wh_severity severity, const char *line, void *arg)
{
    (void)arg;
    if (severity != WH_DEBUG) return;
    lines++;
    snprintf(said, sizeof said, "%s", line);
}

static void what_is_left_out_is_said_once_a_span_to_who_wants_to_know(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = {.attributes = 1, .events = 1}});
    wh_report_to(hear, NULL);
    for (int level = 0; level < 2; level++) {
        wh_report_from(level ? WH_DEBUG : WH_INFO);
        lines = 0;
        for (int i = 0; i < 3; i++) {
            wh_ctx *span = wh_start(spans.root, "too much");
            put(span, ATTRIBUTES, 5);
            put(span, EVENTS, 3);
            assert_int_equal(lines, level ? i : 0);
            wh_end(span);
            wh_end(wh_start(spans.root, "not too much"));
        }
        assert_int_equal(lines, level ? 3 : 0);
    }
    assert_string_equal(said, "left out of the span \"too much\": 4 attributes, 2 events, 0 links");
    wh_report_from(WH_INFO);
    wh_report_to(NULL, NULL);
    spans_end(&spans);
}

/* ---- who is exempt ---- */

static char seen[1 << 16];

static int see_attributes(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    (void)self, (void)deadline, (void)rejected;
    struct wh_cursor cursor = {batch->resource}, scope = {batch->scopes->scope};
    struct wh_attr_view attr;
    size_t len = 0;
    while (wh_next_resource_attr(&cursor, &attr) || wh_next_scope_attr(&scope, &attr)) {
        len += (size_t)snprintf(seen + len, sizeof seen - len, "%.*s=", (int)attr.key.len, attr.key.ptr);
        len += wh_value_text(&attr, seen + len, sizeof seen - len);
        seen[len++] = '\n';
    }
    seen[len] = '\0';
    return 0;
}

static void the_attributes_of_resources_and_scopes_have_no_limits(void **state)
{
    (void)state;
    struct wh_exporter exporter = {.size = sizeof exporter, .export_batch = see_attributes}, *exporters[] = {&exporter};
    wh_provider *provider = wh_provider_new(
        .resource = WH_ATTRS(wh_attr("first", "a long text"), wh_attr("second", WH_ITEMS(wh_item(WH_ITEMS(wh_item("deep")))))),
        .limits = {.attribute_count = 1, .attribute_value_length = 1, .attribute_value_depth = 1},
        .exporters = exporters, .exporter_count = 1);
    assert_non_null(provider);
    wh_ctx *root = wh_provider_root(provider);
    const struct wh_scope scope = {.size = sizeof scope, .name = "scope", .attrs = WH_ATTRS(
        wh_attr("third", "another long text"), wh_attr("fourth", WH_ATTRS(wh_attr("a", WH_ATTRS(wh_attr("b", "deep"))))))};
    wh_end(wh_start(root, "span", .scope = &scope));
    wh_end(root);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(10)), 0);
    assert_non_null(strstr(seen, "first=a long text\n"));
    assert_non_null(strstr(seen, "second=[[\"deep\"]]\n"));
    assert_non_null(strstr(seen, "third=another long text\n"));
    assert_non_null(strstr(seen, "fourth={\"a\":{\"b\":\"deep\"}}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_keeps_so_many_and_counts_the_rest),
        cmocka_unit_test(every_limit_is_128_by_default),
        cmocka_unit_test(a_limit_of_zero_keeps_nothing),
        cmocka_unit_test(the_specific_limit_comes_before_the_general_one_and_that_before_the_default),
        cmocka_unit_test(overwriting_at_the_limit_is_no_new_attribute),
        cmocka_unit_test(what_is_within_a_map_does_not_count),
        cmocka_unit_test(text_is_cut_by_characters_wherever_it_stands),
        cmocka_unit_test(bytes_are_cut_by_bytes_wherever_they_stand),
        cmocka_unit_test(numbers_and_keys_have_no_length),
        cmocka_unit_test(the_length_of_values_is_not_limited_by_default),
        cmocka_unit_test(deeper_arrays_and_maps_become_empty_values),
        cmocka_unit_test(values_may_lie_64_deep_by_default_and_never_deeper_than_128),
        cmocka_unit_test(arrays_of_one_type_are_as_deep_as_others),
        cmocka_unit_test(what_is_left_out_is_said_once_a_span_to_who_wants_to_know),
        cmocka_unit_test(the_attributes_of_resources_and_scopes_have_no_limits),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
