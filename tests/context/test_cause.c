/* The cause: one record, the same for all below, and its words. */
#include <errno.h>
#include <fnmatch.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/slab.h"
#include "context/tree.h"
#include "tools.h"

WH_REASON(reason_x, "x");
WH_REASON(reason_y, "y", .http_status = 418);
WH_KEY(number, int)

/* ---- what it says ---- */

static void T037_the_reasons_of_the_library(void **state)
{
    (void)state;
    const struct { const struct wh_reason *reason; const char *name; int err, status; } all[] = {
        {WH_CANCELED, "canceled", ECANCELED, 500},       {WH_DEADLINE_EXCEEDED, "deadline_exceeded", ETIMEDOUT, 504},
        {WH_CLIENT_GONE, "client_gone", ECANCELED, 499}, {WH_SIBLING_FAILED, "sibling_failed", ECANCELED, 500},
        {WH_GROUP_DONE, "group_done", ECANCELED, 500},   {WH_SHUTDOWN, "shutdown", ECANCELED, 503},
        {WH_ENDED, "ended", ECANCELED, 500},             {WH_NO_MEMORY, "no_memory", ECANCELED, 503},
        {reason_x, "x", ECANCELED, 500},                 {reason_y, "y", ECANCELED, 418},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *below = wh_with_number(ctx, 1);
        assert_int_equal(wh_http_status(below), 500);
        assert_true(wh_cancel(ctx, all[i].reason, NULL));
        assert_string_equal(wh_cause(below)->name, all[i].name);
        assert_int_equal(wh_err(below), all[i].err);
        assert_int_equal(wh_http_status(below), all[i].status);
    }
}

static void *cancel_elsewhere(void *arg)
{
    wh_cancel(arg, reason_x, "from elsewhere");
    return (void *)(intptr_t)syscall(SYS_gettid);
}

static void T036_T040_all_below_point_to_the_record_of_the_origin(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *origin = wh_with_timeout(root, WH_SEC(100));
    WH_AUTO wh_ctx *value = wh_with_number(origin, 1);
    WH_AUTO wh_ctx *below = wh_with_timeout(value, WH_SEC(50));
    WH_AUTO wh_ctx *lowest = wh_with_number(below, 2);
    const int64_t before = wh_now(), wall = (int64_t)time(NULL) * WH_SEC(1);
    void *thread;
    pthread_join(start(cancel_elsewhere, origin), &thread);
    const int64_t after = wh_now();
    const wh_ctx *all[] = {origin, value, below, lowest};
    for (uint32_t i = 0; i < 4; i++) {
        const struct wh_cause cause = cause_of(all[i]);
        assert_ptr_equal(cause.reason, reason_x);
        assert_string_equal(cause.text, "from elsewhere");
        assert_string_equal(cause.site->func, "cancel_elsewhere");
        assert_string_equal(cause.origin->func, __func__);
        assert_ptr_equal(cause.origin, origin->made);
        assert_int_equal(cause.depth, i);
        assert_int_equal(cause.thread, (intptr_t)thread);
        assert_true(cause.at >= before && cause.at <= after);
        assert_true(cause.at_wall >= wall - WH_SEC(1) && cause.at_wall < wall + WH_SEC(60));
        assert_int_equal(cause.deadline, wh_deadline(all[i]));
        assert_int_equal(cause.deadline_asked, i < 2 ? WH_SEC(100) : WH_SEC(50));
        assert_int_equal(cause.losers, 0);
        assert_null(cause.loser_reason);
        assert_false(cause.has_span);
        assert_null(cause.span_name);
    }
    assert_int_equal(wh_err(root), 0);
}

static void T040_the_site_of_a_deadline_is_where_it_was_set(void **state)
{
    (void)state;
    const struct wh_site *here = WH_HERE;
    WH_AUTO wh_ctx *ctx = wh_with_timeout_at(NULL, WH_MS(1), here);
    WH_AUTO wh_ctx *born = wh_with_timeout_at(NULL, 0, here);
    WH_AUTO wh_ctx *below = wh_with_cancel(ctx);
    wh_wait(below, WH_SEC(20));
    const wh_ctx *all[] = {ctx, born, below};
    for (int i = 0; i < 3; i++) {
        EVENTUALLY(wh_err(all[i]));
        const struct wh_cause cause = cause_of(all[i]);
        assert_ptr_equal(cause.site, here);
        assert_ptr_equal(cause.origin, here);
        assert_null(cause.text);
        assert_int_equal(cause.losers, 0);
        assert_true(cause.thread > 0);
    }
}

static void T040_the_span_of_the_origin(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO wh_ctx *request = wh_start(spans.root, "GET /order");
    WH_AUTO wh_ctx *step = wh_with_cancel(request);
    WH_AUTO wh_ctx *below = wh_start(step, "reserve");
    wh_cancel(step, reason_x, NULL);
    struct wh_span_context span;
    assert_true(wh_span_of(request, &span));
    const struct wh_cause cause = cause_of(below);
    assert_true(cause.has_span);
    assert_false(cause.span_is_remote);
    assert_memory_equal(cause.trace_id, span.trace_id, 16);
    assert_memory_equal(cause.span_id, span.span_id, 8);
    assert_string_equal(cause.span_name, "GET /order");
    assert_int_equal(cause.depth, 1);
    spans_end(&spans);
}

static void T041_who_came_too_late(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *below = wh_with_cancel(ctx);
    wh_cancel(ctx, reason_x, NULL);
    wh_cancel(below, reason_y, "its owner"); /* counts with the origin */
    wh_cancel(ctx, WH_SHUTDOWN, NULL);
    const wh_ctx *both[] = {ctx, below};
    for (int i = 0; i < 2; i++) {
        const struct wh_cause cause = cause_of(both[i]);
        assert_int_equal(cause.losers, 2);
        assert_ptr_equal(cause.loser_reason, reason_y);
        assert_string_equal(cause.loser_site->func, __func__);
        assert_true(cause.loser_at >= cause.at);
    }
}

/* A program of yesterday knows fewer members. */
static void a_smaller_structure_is_filled_as_far_as_it_goes(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_cancel(ctx, reason_x, "because");
    for (size_t size = sizeof(size_t); size <= sizeof(struct wh_cause); size++) {
        struct wh_cause cause;
        memset(&cause, 0x5a, sizeof cause);
        cause.size = size;
        assert_true(wh_cause_info(ctx, &cause));
        assert_int_equal(cause.size, size);
        if (size >= offsetof(struct wh_cause, text)) assert_ptr_equal(cause.reason, reason_x);
        if (size >= offsetof(struct wh_cause, site)) assert_string_equal(cause.text, "because");
        for (size_t i = size; i < sizeof cause; i++) assert_int_equal(((const unsigned char *)&cause)[i], 0x5a);
    }
}

/* ---- its text ---- */

static void T039_a_text_of_any_length_is_cut_between_characters(void **state)
{
    (void)state;
    const char *characters[] = {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    char text[4097];
    for (size_t kind = 0; kind < 4; kind++) {
        const size_t width = strlen(characters[kind]);
        for (size_t before = 0; before < 140; before++) {
            WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL), *formatted = wh_with_cancel(NULL);
            memset(text, '.', before);
            for (size_t at = before; at + width < sizeof text; at += width) memcpy(text + at, characters[kind], width + 1);
            assert_true(strlen(text) > 4000);
            wh_cancel(ctx, reason_x, text);
            wh_cancelf(formatted, reason_x, "%s", text);
            const size_t whole = before >= WH_TEXT_MAX ? WH_TEXT_MAX : before + (WH_TEXT_MAX - before) / width * width;
            assert_int_equal(strlen(cause_of(ctx).text), whole);
            assert_memory_equal(cause_of(ctx).text, text, whole);
            assert_string_equal(cause_of(formatted).text, cause_of(ctx).text);
        }
    }
}

static void T039_a_short_text_is_whole(void **state)
{
    (void)state;
    char text[WH_TEXT_MAX + 1];
    for (size_t len = 0; len <= WH_TEXT_MAX; len++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        memset(text, 'x', len);
        text[len] = '\0';
        wh_cancel(ctx, reason_x, text);
        assert_string_equal(cause_of(ctx).text, text);
        assert_ptr_not_equal(cause_of(ctx).text, text);
    }
}

static void T038_a_literal_is_kept_and_a_copy_goes_with_the_context(void **state)
{
    (void)state;
    static const char literal[] = "a literal";
    const size_t pages = wh__slab_pages();
    for (int i = 0; i < rounds(100000); i++) {
        char text[20];
        snprintf(text, sizeof text, "number %d", i);
        wh_ctx *ctx = wh_with_cancel(NULL);
        wh_ctx *below = wh_with_cancel(ctx);
        if (i % 2)
            wh_cancel(ctx, reason_x, text);
        else
            wh_cancel_at(ctx, reason_x, literal, true, WH_HERE);
        wh_cancel(ctx, reason_y, text);
        wh_end(ctx);
        text[0] = '\0';
        if (i % 2)
            assert_int_equal(atoi(cause_of(below).text + strlen("number ")), i);
        else
            assert_ptr_equal(cause_of(below).text, literal);
        wh_end(below);
    }
    assert_true(wh__slab_pages() <= pages + 1);
}

/* ---- in words ---- */

static void assert_words(const wh_ctx *ctx, const char *pattern)
{
    char text[1000];
    const size_t len = wh_explain(ctx, text, sizeof text);
    assert_int_equal(len, strlen(text));
    if (fnmatch(pattern, text, 0)) fail_msg("\n%s\nis not like\n%s", text, pattern);
}

static void the_words_of_what_is_not_done(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *value = wh_with_number(NULL, 1);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(value);
    WH_AUTO wh_ctx *timed = wh_with_timeout(ctx, WH_SEC(40));
    WH_AUTO wh_ctx *later = wh_with_timeout(timed, WH_SEC(50));
    WH_AUTO wh_ctx *below = wh_with_cancel(later);
    assert_words(NULL, "not done, and never will be");
    assert_words(value, "not done, and never will be");
    assert_words(ctx, "not done");
    assert_words(timed, "not done\n  deadline 40 s asked, * left");
    assert_words(later, "not done\n  deadline 50 s asked, an earlier one held, * left"); /* T049 */
    assert_words(below, "not done\n  deadline of an ancestor, * left");
}

static void the_words_of_a_cancel(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *child = wh_with_timeout(ctx, WH_SEC(2));
    WH_AUTO wh_ctx *grandchild = wh_with_number(child, 1);
    wh_cancel(ctx, reason_x, "because");
    assert_words(ctx, "canceled: x \"because\" at test_cause.c:[0-9]* the_words_of_a_cancel, * ago\n"
                      "  origin   a context started at test_cause.c:[0-9]*, this one");
    assert_words(child, "canceled: x \"because\" at *\n  origin   a context started at test_cause.c:[0-9]*, 1 level above\n"
                        "  deadline 2 s asked, * left");
    wh_cancel(child, reason_y, NULL);
    assert_words(child, "canceled: x *\n  ignored  1 later cancel: y at test_cause.c:[0-9]* +*s");
    wh_cancel(ctx, NULL, NULL);
    assert_words(grandchild, "canceled: x *, 2 levels above\n*\n"
                             "  ignored  2 later cancels, the first y at test_cause.c:[0-9]* +*s");
}

/* What a client has sent gets into logs by way of the cause: it ends no line and commands no terminal. */
static void hostile_words_are_harmless(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_cancelf(ctx, reason_x, "bad\nline \x1b[31m \xff \xc2\x9b \xc3\xa4 \x7f");
    assert_words(ctx, "canceled: x \"bad?line ?\\[31m ? ? \xc3\xa4 ?\" at *");
}

static void T049_the_words_of_a_deadline(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(2));
    WH_AUTO wh_ctx *asked = wh_with_timeout(ctx, WH_SEC(5));
    WH_AUTO wh_ctx *below = wh_with_cancel(asked);
    wh_wait(below, WH_SEC(20));
    EVENTUALLY(wh_err(ctx));
    assert_words(ctx, "timed out: deadline_exceeded at test_cause.c:[0-9]* T049*, * ago\n  origin   *, this one\n"
                      "  deadline 2 ms asked, passed");
    assert_words(asked, "timed out: *\n  deadline 5 s asked, an earlier one held, passed");
    assert_words(below, "timed out: *\n  origin   a context started at test_cause.c:[0-9]*, 2 levels above\n"
                        "  deadline of an ancestor, passed");
}

static void the_words_of_a_span(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO wh_ctx *request = wh_start(spans.root, "GET /order", .timeout = WH_SEC(2));
    WH_AUTO wh_ctx *below = wh_start(request, "reserve");
    wh_cancel(request, WH_CLIENT_GONE, "connection reset");
    char id[17], pattern[300];
    snprintf(pattern, sizeof pattern,
        "canceled: client_gone \"connection reset\" at test_cause.c:[0-9]* the_words_of_a_span, * ago\n"
        "  origin   \"GET /order\" started at test_cause.c:[0-9]*, 1 level above, span %s\n"
        "  deadline of an ancestor, * left", wh_span_id_hex(request, id));
    assert_words(below, pattern);
    spans_end(&spans);
}

/* How long ago it is changes with every call: three calls at one value of that are needed. */
static void explaining_into_any_buffer(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    WH_AUTO wh_ctx *below = wh_with_number(ctx, 1);
    wh_cancel(ctx, reason_x, "because of \xe2\x82\xac");
    wh_cancel(ctx, reason_y, NULL);
    wh_wait(NULL, WH_MS(110));
    char before[500], after[500], cut[500];
    const size_t about = wh_explain(below, before, sizeof before);
    assert_true(about > 100 && wh_explain(below, NULL, 0) >= about - 2);
    for (size_t size = 1; size < about + 20; size++) {
        size_t whole, len;
        do {
            whole = wh_explain(below, before, sizeof before);
            memset(cut, 0x5a, sizeof cut);
            len = wh_explain(below, cut, size);
            wh_explain(below, after, sizeof after);
        } while (strcmp(before, after));
        assert_int_equal(len, whole);
        assert_int_equal(strlen(cut), whole < size ? whole : size - 1);
        assert_memory_equal(cut, before, strlen(cut));
        for (size_t i = size; i < sizeof cut; i++) assert_int_equal(cut[i], 0x5a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T037_the_reasons_of_the_library),
        cmocka_unit_test(T036_T040_all_below_point_to_the_record_of_the_origin),
        cmocka_unit_test(T040_the_site_of_a_deadline_is_where_it_was_set),
        cmocka_unit_test(T040_the_span_of_the_origin),
        cmocka_unit_test(T041_who_came_too_late),
        cmocka_unit_test(a_smaller_structure_is_filled_as_far_as_it_goes),
        cmocka_unit_test(T039_a_text_of_any_length_is_cut_between_characters),
        cmocka_unit_test(T039_a_short_text_is_whole),
        cmocka_unit_test(T038_a_literal_is_kept_and_a_copy_goes_with_the_context),
        cmocka_unit_test(the_words_of_what_is_not_done),
        cmocka_unit_test(the_words_of_a_cancel),
        cmocka_unit_test(hostile_words_are_harmless),
        cmocka_unit_test(T049_the_words_of_a_deadline),
        cmocka_unit_test(the_words_of_a_span),
        cmocka_unit_test(explaining_into_any_buffer),
    };
    return cmocka_run_group_tests_name("cause", tests, NULL, NULL);
}
