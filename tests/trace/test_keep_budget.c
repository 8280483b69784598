/* How many traces are kept: one of those that are alike and a number, so many in a second, and as far as memory goes. */
#include <errno.h>

#include "gate.h"
#include "keeps.h"
#include "trace/keep.h"

static int64_t hour = WH_SEC(3600);

static struct wh_keep one_of_a_kind(void)
{
    return (struct wh_keep){.enabled = true, .per_second = 1000000000, .every = hour};
}

/* ---- alike ---- */

static void cancelled_request(const wh_ctx *ctx, const char *name)
{
    WH_AUTO wh_ctx *root = wh_start(ctx, name, .kind = WH_SERVER);
    WH_AUTO wh_ctx *child = wh_start(root, "reserve");
    wh_cancel(root, WH_CLIENT_GONE, "connection reset");
}

static void ten_thousand_equal_cancellations_are_one_trace_and_a_number(void **state)
{
    (void)state;
    struct spans spans = keeping_begin(one_of_a_kind());
    for (int i = 0; i < 10000; i++) cancelled_request(spans.root, "GET /order");
    assert_int_equal(exported(&spans), 2);
    const struct wh_provider_stats s = keep_stats(&spans);
    assert_int_equal(s.kept_traces, 1);
    assert_int_equal(s.keep_alike, 9999);
    assert_int_equal(s.keep_untold, 9999);
    assert_int_equal(s.keep_forgotten, 2 * 9999);
    assert_int_equal(s.keep_limited, 0);
    keeping_end(&spans);
}

static void failed_request(const wh_ctx *ctx, bool here)
{
    WH_AUTO wh_ctx *root = wh_start(ctx, "GET /order", .kind = WH_SERVER);
    if (here)
        wh_fail(root, EIO, "disk full");
    else
        wh_fail(root, EIO, "another line");
}

/* Reason, site, and name of the local root. */
static void another_reason_site_or_operation_is_another_kind(void **state)
{
    (void)state;
    struct spans spans = keeping_begin(one_of_a_kind());
    for (int i = 0; i < 5; i++) {
        cancelled_request(spans.root, "GET /order");
        cancelled_request(spans.root, "GET /cart");
        failed_request(spans.root, true);
        failed_request(spans.root, false);
    }
    assert_int_equal(keep_stats(&spans).kept_traces, 4);
    assert_int_equal(keep_stats(&spans).keep_alike, 16);
    keeping_end(&spans);
}

static struct wh__kind kind_of(const char *operation)
{
    struct wh__kind kind = {.because = WH_KEEP_FAILED, .reason = "EIO"};
    snprintf(kind.operation, sizeof kind.operation, "%s", operation);
    wh__kind_settle(&kind);
    return kind;
}

/* By instants of the test's own. */
static void the_next_one_that_is_kept_says_how_many_were_like_it(void **state)
{
    (void)state;
    const struct wh_keep opts = {.per_second = 1000, .every = WH_SEC(1)};
    struct wh__keeping *keeping = wh__keeping_new(&opts);
    const struct wh__kind kind = kind_of("GET /order");
    uint64_t alike = 77;
    assert_int_equal(wh__keeping_ask(keeping, &kind, 100, &alike), 0);
    assert_int_equal(alike, 0);
    for (int i = 0; i < 41; i++) assert_int_equal(wh__keeping_ask(keeping, &kind, 100 + i, &alike), EEXIST);
    assert_int_equal(wh__keeping_ask(keeping, &kind, 99 + WH_SEC(1), &alike), EEXIST);
    assert_int_equal(wh__keeping_untold(keeping), 42);
    assert_int_equal(wh__keeping_ask(keeping, &kind, 100 + WH_SEC(1), &alike), 0);
    assert_int_equal(alike, 42);
    assert_int_equal(wh__keeping_untold(keeping), 0);
    wh__mem_free(keeping);
}

/* There is room for 1,024 of them, and who is not seen for long makes room. */
static void kinds_that_had_to_make_room_stay_in_the_sum(void **state)
{
    (void)state;
    const struct wh_keep opts = {.per_second = 1000000000, .every = hour};
    struct wh__keeping *keeping = wh__keeping_new(&opts);
    uint64_t alike;
    char name[40];
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "GET /order/%d", i);
        const struct wh__kind kind = kind_of(name);
        assert_int_equal(wh__keeping_ask(keeping, &kind, WH_SEC(i), &alike), 0);
        assert_int_equal(alike, 0);
        assert_int_equal(wh__keeping_ask(keeping, &kind, WH_SEC(i), &alike), EEXIST);
    }
    assert_int_equal(wh__keeping_untold(keeping), 5000);
    wh__mem_free(keeping);
}

/* ---- so many in a second ---- */

static void a_second_has_its_budget_and_a_pause_saves_no_more_than_one(void **state)
{
    (void)state;
    const struct wh_keep opts = {.per_second = 5, .every = 1};
    struct wh__keeping *keeping = wh__keeping_new(&opts);
    char name[40];
    uint64_t alike;
    int kept[4] = {0};
    static const int64_t at[4] = {WH_SEC(100), WH_SEC(100), WH_SEC(101), WH_SEC(100000)};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 20; k++) {
            snprintf(name, sizeof name, "GET /%d", 20 * i + k);
            const struct wh__kind kind = kind_of(name);
            const int rc = wh__keeping_ask(keeping, &kind, at[i], &alike);
            kept[i] += rc == 0;
            if (rc) assert_int_equal(rc, EAGAIN);
        }
    assert_int_equal(kept[0], 5);
    assert_int_equal(kept[1], 0);
    assert_int_equal(kept[2], 5);
    assert_int_equal(kept[3], 5);
    wh__mem_free(keeping);
}

static void what_the_budget_does_not_allow_is_counted_and_told_by_the_next(void **state)
{
    (void)state;
    const struct wh_keep opts = {.per_second = 1, .every = 1};
    struct wh__keeping *keeping = wh__keeping_new(&opts);
    const struct wh__kind other = kind_of("other"), kind = kind_of("GET /order");
    uint64_t alike;
    assert_int_equal(wh__keeping_ask(keeping, &other, WH_SEC(10), &alike), 0);
    for (int i = 0; i < 7; i++) assert_int_equal(wh__keeping_ask(keeping, &kind, WH_SEC(10), &alike), EAGAIN);
    assert_int_equal(wh__keeping_ask(keeping, &kind, WH_SEC(11), &alike), 0);
    assert_int_equal(alike, 7);
    wh__mem_free(keeping);
}

static void an_outage_does_not_become_a_flood(void **state)
{
    (void)state;
    struct spans spans = keeping_begin((struct wh_keep){.enabled = true, .every = 1});
    const int64_t began = wh_now();
    for (int i = 0; i < 1000; i++) cancelled_request(spans.root, "GET /order");
    const int64_t seconds = (wh_now() - began) / WH_SEC(1);
    const struct wh_provider_stats s = keep_stats(&spans);
    assert_true(s.kept_traces >= 10 && s.kept_traces <= 10 * (uint64_t)(seconds + 2));
    assert_int_equal(s.kept_traces + s.keep_limited, 1000);
    keeping_end(&spans);
}

/* ---- what is left at the end ---- */

static char said[4096];

static void hear(enum wh_severity severity, const char *line, void *unused)
{
    (void)severity, (void)unused;
    strncat(said, line, sizeof said - strlen(said) - 1);
}

static void the_shutdown_says_what_no_trace_has_told(void **state)
{
    (void)state;
    said[0] = '\0';
    wh_report_to(hear, NULL);
    struct spans spans = keeping_begin(one_of_a_kind());
    for (int i = 0; i < 4; i++) cancelled_request(spans.root, "GET /order\n\x1b[2J");
    for (int i = 0; i < 7; i++) cancelled_request(spans.root, "GET /cart");
    keeping_end(&spans);
    wh_report_to(NULL, NULL);
    assert_non_null(strstr(said, "9 traces that ended badly were not kept, but only counted: 6 client_gone at "));
    assert_non_null(strstr(said, "cancelled_request in \"GET /cart\", 3 client_gone at "));
    assert_non_null(strstr(said, "in \"GET /order??[2J\""));
}

/* ---- memory ---- */

static void beyond_the_memory_new_local_traces_are_not_recorded(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static wh_ctx *open[COUNT];
    struct wh_keep keep = keep_all();
    keep.memory = 128 << 10;
    struct spans spans = keeping_begin(keep);
    for (int i = 0; i < COUNT; i++) open[i] = wh_start(spans.root, "GET /order");
    struct wh_provider_stats s = keep_stats(&spans);
    assert_true(s.started > 100 && s.started < (128 << 10) / 512);
    assert_int_equal(s.started + s.keep_skipped, COUNT);
    assert_true(s.keep_memory <= 128 << 10);
    for (int i = 0; i < COUNT; i++) {
        wh_fail(open[i], EIO, "no");
        wh_end(open[i]);
    }
    assert_int_equal(exported(&spans), s.started);
    s = keep_stats(&spans);
    assert_true(s.keep_memory <= 2 * WH__KEEP_STEP); /* in stock */
    WH_AUTO wh_ctx *again = wh_start(spans.root, "GET /order");
    assert_true(wh_recording(again));
    wh_end(again);
    again = NULL;
    keeping_end(&spans);
}

static void one_trace_has_its_bound_and_says_what_is_missing(void **state)
{
    (void)state;
    struct wh_keep keep = keep_all();
    keep.spans = 10;
    struct spans spans = keeping_begin(keep);
    wh_ctx *root = wh_start(spans.root, "root");
    wh_ctx *open[3];
    for (int i = 0; i < 3; i++) open[i] = wh_start(root, "open");
    for (int i = 0; i < 100; i++) wh_end(wh_start(root, "child"));
    for (int i = 0; i < 3; i++) wh_end(open[i]);
    wh_fail(root, EIO, "no");
    wh_end(root);
    assert_int_equal(exported(&spans), 11);
    const struct wh_span_view view = span_named(&spans, "root");
    assert_int_equal(span_int(&view, "whence.kept.missing"), 93);
    assert_int_equal(keep_stats(&spans).keep_forgotten, 3);
    keeping_end(&spans);
}

/* One that has grown is charged for it when it begins to wait; a trace has an eighth of all. */
static void large_spans_count_by_their_size(void **state)
{
    (void)state;
    static char text[30000];
    memset(text, 'x', sizeof text - 1);
    struct wh_keep keep = keep_all();
    keep.memory = 1 << 20;
    struct spans spans = keeping_begin(keep);
    wh_ctx *root = wh_start(spans.root, "root");
    for (int i = 0; i < 10; i++) {
        WH_AUTO wh_ctx *child = wh_start(root, "child");
        wh_set(child, "text", (const char *)text);
    }
    assert_true(keep_stats(&spans).keep_memory <= (1 << 20) / 8 + 3 * WH__KEEP_STEP);
    wh_fail(root, EIO, "no");
    wh_end(root);
    const size_t count = exported(&spans);
    assert_true(count > 2 && count < 6);
    const struct wh_span_view view = span_named(&spans, "root");
    assert_int_equal(span_int(&view, "whence.kept.missing"), 11 - (int64_t)count);
    assert_true(keep_stats(&spans).keep_memory <= 3 * WH__KEEP_STEP);
    keeping_end(&spans);
}

/* Each allocation of it in turn, until none fails any more. */
static void without_memory_less_is_kept_and_nothing_breaks(void **state)
{
    (void)state;
    enum { REQUESTS = 10 };
    bool fails = true;
    for (size_t n = 1; fails; n++) {
        struct spans spans = keeping_begin(keep_all());
        memory_fails_once_at(n);
        for (int i = 0; i < REQUESTS; i++) cancelled_request(spans.root, "GET /order");
        fails = memory_is_back();
        const struct wh_provider_stats s = keep_stats(&spans);
        assert_true(s.kept_traces + s.keep_skipped <= REQUESTS && s.kept_traces + s.keep_skipped >= REQUESTS - 1);
        keeping_end(&spans);
    }
    struct wh_exporter *memory = wh_memory_exporter_new(10);
    fails = true;
    for (size_t n = 1; fails; n++) {
        memory_fails_once_at(n);
        wh_provider *provider = wh_provider_new(.exporters = &memory, .exporter_count = 1, .keep = {.enabled = true});
        fails = memory_is_back();
        assert_true(!provider == fails);
        if (provider) wh_provider_shutdown(provider, WH_SEC(60));
        if (fails) memory = wh_memory_exporter_new(10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_equal_cancellations_are_one_trace_and_a_number),
        cmocka_unit_test(another_reason_site_or_operation_is_another_kind),
        cmocka_unit_test(the_next_one_that_is_kept_says_how_many_were_like_it),
        cmocka_unit_test(kinds_that_had_to_make_room_stay_in_the_sum),
        cmocka_unit_test(a_second_has_its_budget_and_a_pause_saves_no_more_than_one),
        cmocka_unit_test(what_the_budget_does_not_allow_is_counted_and_told_by_the_next),
        cmocka_unit_test(an_outage_does_not_become_a_flood),
        cmocka_unit_test(the_shutdown_says_what_no_trace_has_told),
        cmocka_unit_test(beyond_the_memory_new_local_traces_are_not_recorded),
        cmocka_unit_test(one_trace_has_its_bound_and_says_what_is_missing),
        cmocka_unit_test(large_spans_count_by_their_size),
        cmocka_unit_test(without_memory_less_is_kept_and_nothing_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
