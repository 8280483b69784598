/* wh_enabled(): whether there is any point in starting a span. */
#include "test.h"

WH_SCOPE(pg, "pg")

static void nothing_is_enabled_without_a_provider(void **state)
{
    (void)state;
    assert_false(wh_enabled(NULL));
    assert_false(wh_enabled(wh_background(), .scope = &pg, .kind = WH_CLIENT, .name = "SELECT"));
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    assert_false(wh_enabled(ctx));
}

static void a_provider_that_nobody_takes_spans_from_is_not_enabled(void **state)
{
    (void)state;
    wh_provider *provider = wh_provider_new(.service = "nobody");
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    assert_false(wh_enabled(root));
    assert_false(wh_enabled(root, .scope = &pg));
    wh_provider_shutdown(provider, WH_SEC(10));
}

static void a_provider_is_enabled_until_its_shutdown(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    assert_true(wh_enabled(spans.root));
    assert_true(wh_enabled(spans.root, .scope = &pg));
    wh_ctx *span = wh_start(spans.root, "span");
    assert_true(wh_enabled(span, .kind = WH_SERVER, .name = "GET /"));
    wh_end(span);
    wh_provider_shutdown(spans.provider, WH_SEC(10));
    assert_false(wh_enabled(spans.root));
    assert_false(wh_enabled(spans.root, .scope = &pg));
    wh_end(spans.root);
}

/* trace/sdk.md: after the shutdown a tracer that is asked for is a no-op. */
static void after_the_shutdown_spans_are_not_recorded_and_hand_on_their_parent(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *outer = wh_start(spans.root, "outer");
    struct wh_span_context above, ids;
    assert_true(wh_span_of(outer, &above));
    assert_int_equal(wh_provider_shutdown(spans.provider, WH_SEC(10)), 0);
    WH_AUTO wh_ctx *inner = wh_start(outer, "inner", .scope = &pg), *other = wh_start(outer, "other");
    WH_AUTO wh_ctx *root = wh_start(spans.root, "root");
    assert_true(wh_span_of(inner, &ids));
    assert_memory_equal(ids.span_id, above.span_id, 8);
    assert_true(wh_span_of(other, &ids));
    assert_memory_equal(ids.span_id, above.span_id, 8);
    assert_false(wh_span_of(root, &ids));
    wh_end(outer);
    wh_end(spans.root);
}

static void an_older_callers_shorter_options_are_honoured(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct wh_enabled_opts old = {.size = offsetof(struct wh_enabled_opts, scope), .ctx = spans.root,
        .scope = (const struct wh_scope *)1};
    assert_true(wh_enabled_at(&old));
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_enabled_without_a_provider),
        cmocka_unit_test(a_provider_that_nobody_takes_spans_from_is_not_enabled),
        cmocka_unit_test(a_provider_is_enabled_until_its_shutdown),
        cmocka_unit_test(after_the_shutdown_spans_are_not_recorded_and_hand_on_their_parent),
        cmocka_unit_test(an_older_callers_shorter_options_are_honoured),
    };
    return cmocka_run_group_tests_name("enabled", tests, NULL, NULL);
}
