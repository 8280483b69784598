/* One span, many threads: every operation from each of them, while it is read, and while one of them ends it. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

enum { THREADS = 4, ROUNDS = 300 };

static const wh_ctx *shared;
static int64_t numbers[4] = {1, 2, 3, 4};

static void use(const wh_ctx *span, int me, int round)
{
    const struct wh_span_context other = {.trace_id = {1}, .span_id = {(uint8_t)(me + 1)}};
    struct wh_span_context ids;
    char key[24];
    snprintf(key, sizeof key, "thread.%d", me);
    wh_set(span, key, round);
    wh_set(span, "shared", WH_ITEMS(wh_item(me), wh_item(((struct wh_ints){numbers, 4})), wh_item("text")));
    wh_set(span, "growing", ((struct wh_bytes){key, (size_t)round % sizeof key}));
    wh_event(span, "event", .attrs = WH_ATTRS(wh_attr("thread", me), wh_attr("round", round)));
    wh_link_to(span, &other, .attrs = WH_ATTRS(wh_attr("round", round)));
    wh_exception(span, "type", "message");
    wh_status(span, WH_STATUS_ERROR, "text");
    wh_rename(span, me % 2 ? "odd" : "even");
    wh_recording(span);
    wh_span_of(span, &ids);
    wh_end(wh_start(span, "child"));
}

static void *work(void *arg)
{
    const int me = (int)(intptr_t)arg;
    for (int round = 0; round < ROUNDS; round++) use(shared, me, round);
    wh_release(shared);
    return NULL;
}

static void run(struct spans *spans, bool end_early)
{
    pthread_t threads[THREADS];
    wh_ctx *span = wh_start(spans->root, "span");
    shared = span;
    for (int i = 0; i < THREADS; i++) {
        wh_hold(span);
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i), 0);
    }
    if (end_early) wh_end(span);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    if (!end_early) wh_end(span);
}

/* The span among its children: it has another name by now. */
static struct wh_span_view span_of(struct spans *spans)
{
    struct wh_span_view view;
    assert_int_equal(wh_provider_flush(spans->provider, WH_SEC(60)), 0);
    for (size_t i = 0; wh_memory_span(spans->memory, i, &view); i++)
        if (view.name.len != 5 || memcmp(view.name.ptr, "child", 5)) return view;
    fail_msg("no span");
    return view;
}

static void every_operation_from_every_thread_is_recorded(void **state)
{
    (void)state;
    const struct wh_limits any = {.events = UINT32_MAX, .links = UINT32_MAX};
    struct spans spans = spans_begin_with((struct wh_provider_opts){.limits = any, .max_queue = 1 << 14});
    run(&spans, false);
    const struct wh_span_view view = span_of(&spans);
    struct wh_event_view event;
    struct wh_link_view link;
    size_t events = 0, links = 0;
    for (int i = 0; i < THREADS; i++) {
        char key[24];
        snprintf(key, sizeof key, "thread.%d", i);
        assert_int_equal(span_int(&view, key), ROUNDS - 1);
    }
    for (struct wh_cursor cursor = {view.raw}; wh_next_event(&cursor, &event);) events++;
    for (struct wh_cursor cursor = {view.raw}; wh_next_link(&cursor, &link);) links++;
    assert_int_equal(events, 2 * THREADS * ROUNDS);
    assert_int_equal(links, THREADS * ROUNDS);
    assert_int_equal(view.status, WH_STATUS_ERROR);
    assert_int_equal(view.dropped_attributes + view.dropped_events + view.dropped_links, 0);
    spans_end(&spans);
}

/* Whatever comes after the end has no effect, and does no harm: what was recorded is whole. */
static void a_span_may_end_while_others_use_it(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.max_queue = 1 << 14});
    for (int i = 0; i < 5; i++) {
        run(&spans, true);
        const struct wh_span_view view = span_of(&spans);
        struct wh_attr_view attr;
        size_t count = 0;
        for (struct wh_cursor cursor = {view.raw}; wh_next_span_attr(&cursor, &attr); count++) assert_true(attr.key.len > 0);
        assert_true(count <= THREADS + 2);
        wh_memory_clear(spans.memory);
    }
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_from_every_thread_is_recorded),
        cmocka_unit_test(a_span_may_end_while_others_use_it),
    };
    return cmocka_run_group_tests_name("span_threads", tests, NULL, NULL);
}
