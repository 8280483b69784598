/* Scopes: who started a span, kept apart by value, found by address, and configured. */
#include <pthread.h>

#include "batches.h"
#include "gate.h"
#include "trace/gather.h"
#include "trace/scope.h"

WH_SCOPE(http, "http", .version = "1.2", .schema_url = "https://schema/1")
WH_SCOPE(http_again, "http", .version = "1.2", .schema_url = "https://schema/1")
WH_SCOPE(http_newer, "http", .version = "1.3", .schema_url = "https://schema/1")
WH_SCOPE(http_elsewhere, "http", .version = "1.2", .schema_url = "https://schema/2")
WH_SCOPE(nameless, NULL, .version = "7")

static struct batches batches;

static wh_provider *begin_with(struct wh_provider_opts opts)
{
    static struct wh_exporter *list[1];
    list[0] = batches_begin(&batches);
    opts.size = sizeof opts;
    opts.exporters = list;
    opts.exporter_count = 1;
    if (!opts.schedule_delay) opts.schedule_delay = WH_NEVER;
    wh_provider *provider = wh_provider_new_at(&opts);
    assert_non_null(provider);
    return provider;
}

static const char *end(wh_provider *provider)
{
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(20)), 0);
    return batches.text;
}

/* ---- whose a span is ---- */

static void a_span_is_of_the_scope_that_starts_it(void **state)
{
    (void)state;
    wh_provider *provider = begin_with((struct wh_provider_opts){0});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *a = wh_start(root, "a", .scope = &http);
    wh_ctx *b = wh_start(a, "b", .scope = &http_newer), *c = wh_start(a, "c");
    wh_end(c), wh_end(b), wh_end(a);
    assert_string_equal(end(provider), "whence " WH_VERSION ": c; http 1.3 https://schema/1: b; http 1.2 https://schema/1: a; ");
    assert_int_equal(batches.count, 1);
}

static void the_providers_own_scope_may_be_another(void **state)
{
    (void)state;
    wh_provider *provider = begin_with((struct wh_provider_opts){.scope = &http});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_end(wh_start(root, "a"));
    wh_end(wh_start(root, "b", .scope = &http_again));
    assert_string_equal(end(provider), "http 1.2 https://schema/1: a b; ");
}

static void name_version_schema_and_attributes_make_a_scope(void **state)
{
    (void)state;
    wh_provider *provider = begin_with((struct wh_provider_opts){0});
    const struct wh_attr ab[] = {wh_attr("a", 1), wh_attr("b", "x")}, ba[] = {wh_attr("b", "x"), wh_attr("a", 1)},
        abb[] = {wh_attr("b", "y"), wh_attr("a", 1), wh_attr("b", "x")}, other[] = {wh_attr("a", 2), wh_attr("b", "x")};
    const struct wh_scope with[] = {{.size = sizeof *with, .name = "http", .version = "1.2", .attrs = {ab, 2}},
        {.size = sizeof *with, .name = "http", .version = "1.2", .attrs = {ba, 2}},
        {.size = sizeof *with, .name = "http", .version = "1.2", .attrs = {abb, 3}},
        {.size = sizeof *with, .name = "http", .version = "1.2", .attrs = {other, 2}},
        {.size = sizeof *with, .name = "http", .version = "1.2"}};
    assert_ptr_equal(wh__scope_find(provider, &http), wh__scope_find(provider, &http_again));
    assert_ptr_not_equal(wh__scope_find(provider, &http), wh__scope_find(provider, &http_newer));
    assert_ptr_not_equal(wh__scope_find(provider, &http), wh__scope_find(provider, &http_elsewhere));
    assert_ptr_equal(wh__scope_find(provider, &with[0]), wh__scope_find(provider, &with[1]));
    assert_ptr_equal(wh__scope_find(provider, &with[0]), wh__scope_find(provider, &with[2])); /* the last of equal keys holds */
    assert_ptr_not_equal(wh__scope_find(provider, &with[0]), wh__scope_find(provider, &with[3]));
    assert_ptr_not_equal(wh__scope_find(provider, &with[0]), wh__scope_find(provider, &with[4]));
    assert_ptr_equal(wh__scope_find(provider, &with[0]), wh__scope_find(provider, &with[0]));
    end(provider);
}

static size_t reports;

static void count_report(enum wh_severity severity, const char *line, void *arg)
{
    (void)arg;
    assert_int_equal(severity, WH_WARNING);
    assert_non_null(strstr(line, "without a name"));
    reports++;
}

static void a_scope_without_a_name_works_and_that_is_said(void **state)
{
    (void)state;
    WH_SCOPE(empty, "", .version = "8")
    wh_report_to(count_report, NULL);
    wh_provider *provider = begin_with((struct wh_provider_opts){0});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_end(wh_start(root, "a", .scope = &nameless));
    wh_end(wh_start(root, "b", .scope = &empty));
    wh_end(wh_start(root, "c", .scope = &nameless));
    wh_report_to(NULL, NULL);
    assert_string_equal(end(provider), " 7: a c;  8: b; ");
    assert_int_equal(reports, 1);
}

static void an_older_callers_shorter_scope_is_honoured(void **state)
{
    (void)state;
    static const struct wh_scope old = {.size = offsetof(struct wh_scope, schema_url), .name = "old", .version = "0",
        .schema_url = "not there yet"};
    wh_provider *provider = begin_with((struct wh_provider_opts){0});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_end(wh_start(root, "a", .scope = &old));
    assert_string_equal(end(provider), "old 0: a; ");
}

/* ---- bounds ---- */

static void more_scopes_than_a_batch_holds_leave_in_several(void **state)
{
    (void)state;
    enum { MANY = 3 * WH__GATHERED_SCOPES };
    static char names[MANY][12];
    static struct wh_scope scopes[MANY];
    wh_provider *provider = begin_with((struct wh_provider_opts){0});
    wh_ctx *root = wh_provider_root(provider);
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "s%d", i % 1000000);
        scopes[i] = (struct wh_scope){.size = sizeof *scopes, .name = names[i]};
        wh_end(wh_start(root, "span", .scope = &scopes[i]));
    }
    wh_end(root);
    const char *text = end(provider);
    assert_int_equal(batches.count, 3);
    for (int i = 0; i < MANY; i++) {
        char expected[4096];
        snprintf(expected, sizeof expected, "%s : span; ", names[i]);
        assert_memory_equal(text, expected, strlen(expected));
        text += strlen(expected);
    }
}

static void scopes_beyond_the_limit_go_by_the_providers_own(void **state)
{
    (void)state;
    static char names[WH__MOST_SCOPES + 10][20];
    static struct wh_scope scopes[WH__MOST_SCOPES + 10];
    wh_report_to(count_report, NULL);
    wh_provider *provider = begin_with((struct wh_provider_opts){0});
    wh_report_to(NULL, NULL);
    size_t own = 0;
    struct wh__scope *none = wh__scope_find(provider, NULL);
    for (int i = 0; i < WH__MOST_SCOPES + 10; i++) {
        snprintf(names[i], sizeof names[i], "scope %d", i);
        scopes[i] = (struct wh_scope){.size = sizeof *scopes, .name = names[i]};
        own += wh__scope_find(provider, &scopes[i]) == none;
    }
    assert_int_equal(own, 11); /* the provider's own is one of the limit */
    assert_ptr_equal(wh__scope_find(provider, &scopes[WH__MOST_SCOPES + 5]), none);
    end(provider);
}

static void without_memory_a_scope_goes_by_the_providers_own(void **state)
{
    (void)state;
    static struct wh_scope scopes[40];
    static char names[40][8];
    wh_provider *provider = begin_with((struct wh_provider_opts){0});
    for (size_t i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "s%zu", i);
        scopes[i] = (struct wh_scope){.size = sizeof *scopes, .name = names[i]};
        memory_ends_after(i % 4);
        struct wh__scope *found = wh__scope_find(provider, &scopes[i]);
        memory_is_back();
        if (i % 4 < 2) assert_ptr_equal(found, provider->own);
        if (i % 4 >= 2) assert_ptr_not_equal(found, provider->own); /* at worst it is looked for by value again */
        assert_ptr_not_equal(wh__scope_find(provider, &scopes[i]), provider->own);
    }
    end(provider);
}

enum { THREADS = 4, ROUNDS = 200 };

struct learner {
    wh_provider *provider;
    struct wh_scope scopes[ROUNDS];
    struct wh__scope *found[ROUNDS];
};

static void *learn(void *arg)
{
    static const char digits[] = "0123456789";
    struct learner *learner = arg;
    for (int i = 0; i < ROUNDS; i++) {
        learner->scopes[i] = (struct wh_scope){.size = sizeof *learner->scopes, .name = &digits[i % 10]};
        learner->found[i] = wh__scope_find(learner->provider, &learner->scopes[i]);
    }
    return NULL;
}

static void threads_that_learn_at_once_find_the_same(void **state)
{
    (void)state;
    static struct learner learners[THREADS];
    wh_provider *provider = begin_with((struct wh_provider_opts){0});
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) learners[i].provider = provider;
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, learn, &learners[i]);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 1; i < THREADS; i++) assert_memory_equal(learners[i].found, learners[0].found, sizeof learners[0].found);
    for (int i = 1; i < 10; i++) assert_ptr_not_equal(learners[0].found[i], learners[0].found[i - 1]);
    assert_int_equal(provider->scopes.count, 11);
    end(provider);
}

/* ---- the configurator ---- */

static const char *disabled;
static size_t asked;

static void configure(const struct wh_scope *scope, struct wh_tracer_config *config, void *arg)
{
    assert_ptr_equal(arg, &asked);
    assert_true(config->enabled);
    assert_true(config->size == sizeof *config);
    __atomic_fetch_add(&asked, 1, __ATOMIC_RELAXED);
    config->enabled = !disabled || strcmp(scope->name, disabled) != 0;
}

static void a_disabled_scope_starts_nothing_and_hands_on_the_parent(void **state)
{
    (void)state;
    WH_SCOPE(other, "other")
    disabled = "http";
    asked = 0;
    struct wh_span_context ids, above;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.configure = {configure, &asked}});
    wh_ctx *outer = wh_start(spans.root, "outer"), *off = wh_start(outer, "off", .scope = &http, .kind = WH_SERVER);
    assert_true(wh_span_of(off, &ids) && wh_span_of(outer, &above));
    assert_memory_equal(ids.trace_id, above.trace_id, 16);
    assert_memory_equal(ids.span_id, above.span_id, 8);
    assert_int_equal(ids.flags, above.flags);
    assert_int_equal(ids.remote, above.remote);
    assert_false(wh_recording(off));
    wh_set(off, "stray", 1);
    wh_event(off, "stray");
    wh_status(off, WH_STATUS_ERROR, "stray");
    wh_ctx *inner = wh_start(off, "inner", .scope = &other), *by_nobody = wh_start(off, "by nobody");
    wh_end(by_nobody), wh_end(inner), wh_end(off), wh_end(outer);
    assert_int_equal(asked, 3); /* once for each: the provider's own, http, other */
    const struct wh_span_view outer_view = span_named(&spans, "outer"), inner_view = span_named(&spans, "inner");
    struct wh_event_view event;
    assert_int_equal(wh_memory_count(spans.memory), 3);
    assert_false(span_has(&outer_view, "stray") || span_event(&outer_view, "stray", &event));
    assert_int_equal(outer_view.status, WH_STATUS_UNSET);
    assert_memory_equal(inner_view.parent_span_id, above.span_id, 8);
    spans_end(&spans);
}

static void a_disabled_root_has_no_ids(void **state)
{
    (void)state;
    disabled = "http";
    struct wh_span_context ids;
    wh_provider *provider = begin_with((struct wh_provider_opts){.configure = {configure, &asked}});
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *off = wh_start(root, "off", .scope = &http);
    assert_false(wh_span_of(off, &ids));
    WH_AUTO wh_ctx *outer = wh_start(root, "outer"), *off_root = wh_start(outer, "off", .scope = &http, .root = true);
    assert_false(wh_span_of(off_root, &ids));
    assert_false(wh_recording(off_root));
    WH_AUTO wh_ctx *timed = wh_start(outer, "off", .scope = &http, .timeout = WH_SEC(100));
    assert_true(wh_remaining(timed) < WH_SEC(101)); /* what is no matter of tracing stays */
    end(provider);
}

static void reconfiguring_is_seen_by_scopes_that_are_there(void **state)
{
    (void)state;
    disabled = NULL;
    wh_provider *provider = begin_with((struct wh_provider_opts){.configure = {configure, &asked}});
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *parent = wh_start(root, "parent");
    for (int round = 0; round < 3; round++) {
        disabled = round == 1 ? "http" : round == 2 ? "whence" : NULL;
        if (round) wh_provider_reconfigure(provider);
        assert_int_equal(wh_enabled(root, .scope = &http), round != 1);
        assert_int_equal(wh_enabled(root), round != 2);
        WH_AUTO wh_ctx *a = wh_start(parent, "a", .scope = &http), *b = wh_start(parent, "b");
        assert_int_equal(wh_recording(a), round != 1);
        assert_int_equal(wh_recording(b), round != 2);
    }
    disabled = NULL;
    wh_provider_reconfigure(provider);
    WH_AUTO wh_ctx *again = wh_start(parent, "again");
    assert_true(wh_recording(again));
    end(provider);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_of_the_scope_that_starts_it),
        cmocka_unit_test(the_providers_own_scope_may_be_another),
        cmocka_unit_test(name_version_schema_and_attributes_make_a_scope),
        cmocka_unit_test(a_scope_without_a_name_works_and_that_is_said),
        cmocka_unit_test(an_older_callers_shorter_scope_is_honoured),
        cmocka_unit_test(more_scopes_than_a_batch_holds_leave_in_several),
        cmocka_unit_test(scopes_beyond_the_limit_go_by_the_providers_own),
        cmocka_unit_test(without_memory_a_scope_goes_by_the_providers_own),
        cmocka_unit_test(threads_that_learn_at_once_find_the_same),
        cmocka_unit_test(a_disabled_scope_starts_nothing_and_hands_on_the_parent),
        cmocka_unit_test(a_disabled_root_has_no_ids),
        cmocka_unit_test(reconfiguring_is_seen_by_scopes_that_are_there),
    };
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
