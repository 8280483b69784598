/* The part of a span that travels (trace/api.md, SpanContext). */
#include "sampling.h"

#define FROM TRACE("1c80319c000000", "ff")

static const char *injected;
static void keep_traceparent(void *carrier, const char *name, const char *value)
{
    if (strcmp(name, "traceparent") == 0) injected = strcpy(carrier, value);
}

static void a_span_context_is_valid_if_both_ids_are_not_zero(void **state)
{
    (void)state;
    const struct wh_span_context rows[] = {{.trace_id = {0}}, {.trace_id = {[15] = 1}}, {.span_id = {[7] = 1}}, {.trace_id = {[15] = 1}, .span_id = {[7] = 1}}};
    for (size_t i = 0; i < COUNT(rows); i++) assert_int_equal(wh_span_valid(&rows[i]), i == 3);
    struct wh_span_context ids;
    assert_false(wh_span_of(wh_background(), &ids));
    assert_false(wh_span_valid(&ids));
    const struct outcome root = decide(NULL, NULL, NULL);
    assert_true(wh_span_valid(&root.ids));
}

static void remote_is_what_was_extracted_and_never_a_child(void **state)
{
    (void)state;
    struct caller caller = {FROM, NULL};
    struct spans spans = spans_begin();
    wh_ctx *from = wh_extract(spans.root, get_field, &caller), *server = wh_start(from, "server"), *inner = wh_start(server, "inner");
    assert_true(outcome_of(from).ids.remote);
    assert_false(outcome_of(server).ids.remote);
    assert_false(outcome_of(inner).ids.remote);
    wh_end(inner);
    wh_end(server);
    wh_end(from);
    spans_end(&spans);
}

static void ids_come_as_bytes_and_as_lowercase_hex(void **state)
{
    (void)state;
    struct caller caller = {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL};
    struct spans spans = spans_begin();
    wh_ctx *from = wh_extract(spans.root, get_field, &caller);
    char hex[33];
    assert_string_equal(wh_trace_id_hex(from, hex), "0af7651916cd43dd8448eb211c80319c");
    assert_string_equal(wh_span_id_hex(from, hex), "b7ad6b7169203331");
    const struct outcome out = outcome_of(from);
    assert_memory_equal(out.ids.trace_id, "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c", 16);
    assert_memory_equal(out.ids.span_id, "\xb7\xad\x6b\x71\x69\x20\x33\x31", 8);
    wh_end(from);
    spans_end(&spans);
}

/* What is handed out is a copy: writing to it changes no span. */
static void a_span_context_is_a_copy_and_the_spans_own_stays(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "span");
    struct wh_span_context first, second;
    wh_span_of(span, &first);
    struct wh_span_context changed = first;
    memset(changed.trace_id, 0xff, sizeof changed.trace_id);
    wh_set(span, "k", 1);
    wh_rename(span, "renamed");
    wh_span_of(span, &second);
    assert_memory_equal(first.trace_id, second.trace_id, 16);
    assert_memory_equal(first.span_id, second.span_id, 8);
    assert_int_equal(first.flags, second.flags);
    wh_end(span);
    spans_end(&spans);
}

static void only_sampled_and_random_go_out(void **state)
{
    (void)state;
    char field[64];
    struct caller caller = {FROM, NULL};
    struct spans spans = spans_begin();
    wh_ctx *from = wh_extract(spans.root, get_field, &caller), *server = wh_start(from, "server");
    const wh_ctx *const contexts[] = {from, server};
    for (size_t i = 0; i < COUNT(contexts); i++) {
        wh_inject(contexts[i], keep_traceparent, field);
        assert_string_equal(injected + 53, "03");
        assert_int_equal(outcome_of(contexts[i]).ids.flags, WH_SAMPLED | WH_RANDOM);
    }
    wh_end(server);
    wh_end(from);
    spans_end(&spans);
}

static void roots_have_a_new_trace_and_children_their_parents_with_its_tracestate(void **state)
{
    (void)state;
    struct caller caller = {FROM, "a=1,b=2"};
    struct spans spans = spans_begin();
    wh_ctx *from = wh_extract(spans.root, get_field, &caller), *child = wh_start(from, "child"), *grandchild = wh_start(child, "grandchild");
    wh_ctx *root = wh_start(child, "root", .root = true);
    const struct outcome remote = outcome_of(from), second = outcome_of(grandchild), fresh = outcome_of(root);
    assert_memory_equal(remote.ids.trace_id, second.ids.trace_id, 16);
    assert_string_equal(second.tracestate, "a=1,b=2");
    assert_memory_not_equal(fresh.ids.trace_id, second.ids.trace_id, 16);
    assert_string_equal(fresh.tracestate, "");
    wh_end(root);
    wh_end(grandchild);
    wh_end(child);
    wh_end(from);
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_context_is_valid_if_both_ids_are_not_zero),
        cmocka_unit_test(remote_is_what_was_extracted_and_never_a_child),
        cmocka_unit_test(ids_come_as_bytes_and_as_lowercase_hex),
        cmocka_unit_test(a_span_context_is_a_copy_and_the_spans_own_stays),
        cmocka_unit_test(only_sampled_and_random_go_out),
        cmocka_unit_test(roots_have_a_new_trace_and_children_their_parents_with_its_tracestate),
    };
    return cmocka_run_group_tests_name("span_context", tests, NULL, NULL);
}
