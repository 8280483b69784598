/* Causes from several threads at once: who fails, who cancels, who asks and who ends do not disturb each other. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cancelled.h"
#include "trace/callee.h"

WH_REASON(over_quota, "over_quota", .http_status = 429);

enum { THREADS = 4, ROUNDS = 300 };

struct round {
    wh_ctx *request;
    const wh_ctx *other; /* done or failed, or neither */
    pthread_barrier_t start;
};

static void look(const wh_ctx *ctx)
{
    struct wh_because list[WH_CAUSES_MAX];
    char words[2000];
    const size_t count = wh_causes(ctx, list, WH_CAUSES_MAX);
    assert_true(count <= WH_CAUSES_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(list[i].reason);
        assert_true(strlen(list[i].reason) > 0 && (!list[i].text || strlen(list[i].text) <= WH_TEXT_MAX));
        assert_true(!list[i].site || strstr(list[i].site, ".c"));
    }
    assert_true(wh_explain(ctx, words, sizeof words) > 0);
    wh_log_done(ctx, words, sizeof words);
}

static void *work(void *arg)
{
    static const struct wh_because said[] = {{.reason = "busy", .service = "stock", .site = "stock.c:1 f"}, {.reason = "full"}};
    struct round *round = arg;
    static int number;
    const int self = __atomic_fetch_add(&number, 1, __ATOMIC_RELAXED);
    pthread_barrier_wait(&round->start);
    wh_ctx *span = wh_start(round->request, "step", .timeout = self % 3 ? WH_SEC(60) : 1);
    switch (self % 5) {
    case 0: wh_cancel_because(round->request, over_quota, "enough", round->other); break;
    case 1: wh__note_callee(span, said, 2); wh_fail(span, EIO, "no answer"); break;
    case 2: wh_cancel_because(span, NULL, "in vain", round->request); break;
    case 3: wh_cancel(span, over_quota, NULL); break;
    default: wh_fail(round->request, EPROTO, "all wrong"); break;
    }
    look(round->request);
    look(span);
    look(round->other);
    wh_end(span);
    look(round->request);
    return NULL;
}

static void who_fails_cancels_asks_and_ends_at_once(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *before = wh_start(spans.root, "before");
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t threads[THREADS];
        wh_ctx *request = wh_start(spans.root, "request");
        struct round round = {.request = request, .other = before};
        pthread_barrier_init(&round.start, NULL, THREADS + 1);
        for (int t = 0; t < THREADS; t++) assert_int_equal(pthread_create(&threads[t], NULL, work, &round), 0);
        pthread_barrier_wait(&round.start);
        look(request);
        for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
        wh_end(before);
        before = request;
    }
    wh_end(before);
    spans_end(&spans);
}

/* However often what becomes of a span is asked for, and however often it fails anew: what was shown stays what it was. */
static void what_was_shown_stays(void **state)
{
    (void)state;
    enum { FAILURES = 100, SHOWN = 15 };
    struct spans spans = spans_begin();
    struct wh_because shown[FAILURES];
    wh_ctx *job = wh_start(spans.root, "job");
    for (int i = 0; i < FAILURES; i++) {
        char text[20];
        wh_ctx *step = wh_start(job, "step");
        snprintf(text, sizeof text, "%d", i);
        wh_fail(step, EIO, text);
        wh_end(step);
        assert_int_equal(wh_causes(job, &shown[i], 1), 1);
        assert_int_equal(wh_causes(job, &shown[i], 1), 1);
    }
    for (int i = 0; i < FAILURES; i++) assert_int_equal(atoi(shown[i].text), i < SHOWN ? i : SHOWN - 1);
    wh_end(job);
    const struct wh_span_view view = span_named(&spans, "job");
    assert_false(span_has(&view, WH_ATTR_CAUSE_CHAIN)); /* it has coped with all of them */
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_fails_cancels_asks_and_ends_at_once),
        cmocka_unit_test(what_was_shown_stays),
    };
    return cmocka_run_group_tests_name("causes, threads", tests, NULL, NULL);
}
