/* Very many spans under one cancelled context: what that adds to each is bounded, every loss is counted, and nobody waits. */
#include <pthread.h>
#include <string.h>

#include "cancelled.h"
#include "keeper.h"
#include "scripted.h"

enum { FULL = 1000 };
static struct keeper kept;

static wh_provider *keeping(struct wh_provider_opts opts)
{
    static struct wh_exporter *list[1];
    list[0] = keeper_begin(&kept);
    opts.size = sizeof opts;
    opts.exporters = list;
    opts.exporter_count = 1;
    opts.max_queue = KEEPER_ROOM;
    wh_provider *provider = wh_provider_new_at(&opts);
    assert_non_null(provider);
    return provider;
}

static size_t count_with(const char *key)
{
    size_t count = 0;
    struct wh_span_view span;
    for (size_t i = 0; i < kept.count; i++) count += wh_span_read(kept.spans[i], &span) && span_has(&span, key);
    return count;
}

static void end_under(const wh_ctx *top, int count)
{
    for (int i = 0; i < count; i++) wh_end(wh_start(top, "stopped"));
}

/* ---- what it says ---- */

static void the_first_say_all_and_the_others_lead_to_the_origin(void **state)
{
    (void)state;
    wh_provider *provider = keeping((struct wh_provider_opts){0});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *top = wh_start(root, "top"), *between = wh_with_cancel(top);
    wh_ctx *last = wh_start(between, "last");
    wh_cancel(top, WH_CLIENT_GONE, "hung up");
    end_under(between, FULL);
    nap(2);
    wh_end(last);
    wh_end(between);
    wh_end(top);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
    const struct wh_span_view full = keeper_span(&kept, "stopped"), brief = keeper_span(&kept, "last"), origin = keeper_span(&kept, "top");
    struct wh_event_view event;
    assert_false(span_has(&full, "whence.cancel.brief") || span_has(&origin, "whence.cancel.brief"));
    assert_string_equal(span_text(&full, "whence.cancel.message"), "hung up");
    assert_string_equal(span_text(&origin, "whence.cancel.message"), "hung up");
    assert_true(span_bool(&brief, "whence.cancelled") && span_bool(&brief, "whence.cancel.brief"));
    assert_string_equal(span_text(&brief, "whence.cancel.reason"), "client_gone");
    assert_string_equal(span_text(&brief, "whence.cancel.origin.span_id"), hex(origin.span_id, 8));
    assert_int_equal(span_int(&brief, "whence.cancel.depth"), 2);
    assert_true(span_double(&brief, "whence.cancel.overrun_ms") >= 2);
    assert_false(span_has(&brief, "whence.cancel.message") || span_has(&brief, "whence.cancel.site"));
    assert_false(span_has(&brief, "whence.cancel.origin.trace_id") || span_has(&brief, "whence.cancel.origin.span_name"));
    assert_false(span_event(&brief, "whence.cancel.received", &event));
    assert_link(&brief, NULL);
    assert_int_equal(brief.status, WH_STATUS_UNSET);
    assert_int_equal(stats_of(provider).brief, 1);
    wh_provider_shutdown(provider, WH_SEC(60));
    keeper_end(&kept);
}

static void the_policy_holds_for_them_too(void **state)
{
    (void)state;
    wh_provider *provider = keeping((struct wh_provider_opts){.cancelled_is_error = true});
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *top = wh_start(root, "top");
    wh_ctx *last = wh_start(top, "last");
    wh_cancel(top, WH_CLIENT_GONE, "hung up");
    end_under(top, FULL);
    wh_end(last);
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
    const struct wh_span_view brief = keeper_span(&kept, "last");
    assert_true(span_bool(&brief, "whence.cancel.brief"));
    assert_int_equal(brief.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&brief, "error.type"), "client_gone");
    wh_provider_shutdown(provider, WH_SEC(60));
    keeper_end(&kept);
}

static void each_origin_counts_for_itself(void **state)
{
    (void)state;
    wh_provider *provider = keeping((struct wh_provider_opts){0});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    for (int i = 0; i < 3; i++) {
        WH_AUTO wh_ctx *top = wh_with_cancel(root);
        wh_cancel(top, WH_CANCELED, "stop");
        end_under(top, FULL + i);
        assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
    }
    assert_int_equal(count_with("whence.cancelled"), 3 * FULL + 3);
    assert_int_equal(count_with("whence.cancel.brief"), 3);
    assert_int_equal(stats_of(provider).brief, 3);
    wh_provider_shutdown(provider, WH_SEC(60));
    keeper_end(&kept);
}

/* Among small ones that come and go the large one is not forgotten. */
static void many_small_origins_do_not_hide_a_large_one(void **state)
{
    (void)state;
    wh_provider *provider = keeping((struct wh_provider_opts){0});
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *large = wh_with_cancel(root);
    wh_cancel(large, WH_CANCELED, "stop");
    end_under(large, FULL / 2);
    for (int i = 0; i < 500; i++) {
        WH_AUTO wh_ctx *small = wh_with_cancel(root);
        wh_cancel(small, WH_CANCELED, "stop");
        end_under(small, 1);
        end_under(large, 2);
    }
    assert_int_equal(stats_of(provider).brief, FULL / 2);
    wh_provider_shutdown(provider, WH_SEC(60));
    keeper_end(&kept);
}

/* ---- a million ---- */

struct counting {
    struct wh_exporter exporter;
    uint64_t spans, others; /* in all, and of other traces */
};

static int count_export(struct wh_exporter *self, const struct wh_batch *batch, int64_t deadline, size_t *rejected)
{
    struct counting *counting = (struct counting *)self;
    (void)deadline, (void)rejected;
    for (size_t s = 0; s < batch->scope_count; s++)
        for (size_t i = 0; i < batch->scopes[s].count; i++) {
            struct wh_span_view span;
            assert_true(wh_span_read(batch->scopes[s].spans[i], &span));
            counting->others += span.name.len == strlen("another") && !memcmp(span.name.ptr, "another", span.name.len);
        }
    counting->spans += batch->count;
    return 0;
}

static wh_provider *counting_provider(struct counting *counting)
{
    static struct wh_exporter *list[1];
    *counting = (struct counting){.exporter = {.size = sizeof counting->exporter, .name = "counting", .export_batch = count_export}};
    list[0] = &counting->exporter;
    wh_provider *provider = wh_provider_new(.exporters = list, .exporter_count = 1, .schedule_delay = WH_MS(1));
    assert_non_null(provider);
    return provider;
}

enum { THREADS = 4 };
#ifdef __SANITIZE_THREAD__
enum { EACH = 5000, OPEN = 1000 };
#else
enum { EACH = 250000, OPEN = 20000 };
#endif

struct crowd {
    const wh_ctx *top;
    wh_ctx *open[OPEN];
    pthread_barrier_t *cancelled;
};

/* Some are open when it is cancelled, the others are started by who has not noticed. */
static void *start_and_end(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < OPEN; i++) crowd->open[i] = wh_start(crowd->top, "one of a million");
    pthread_barrier_wait(crowd->cancelled); /* they are open */
    pthread_barrier_wait(crowd->cancelled);
    for (int i = 0; i < OPEN; i++) wh_end(crowd->open[i]);
    end_under(crowd->top, EACH - OPEN);
    return NULL;
}

static void a_million_under_one_cancelled_root_stall_nothing(void **state)
{
    (void)state;
    static struct counting counting, quiet;
    static struct crowd crowds[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t cancelled;
    wh_provider *provider = counting_provider(&counting), *other = counting_provider(&quiet);
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *next = wh_provider_root(other);
    wh_ctx *top = wh_start(root, "top");
    pthread_barrier_init(&cancelled, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) {
        crowds[i].top = top;
        crowds[i].cancelled = &cancelled;
        assert_int_equal(pthread_create(&threads[i], NULL, start_and_end, &crowds[i]), 0);
    }
    pthread_barrier_wait(&cancelled);
    wh_cancel(top, WH_SHUTDOWN, "everybody out");
    pthread_barrier_wait(&cancelled);
    /* Meanwhile other traces, of the same provider by a thread of their own and of another, get through whole. */
    for (int i = 0; i < 500; i++) {
        wh_end(wh_start(root, "another"));
        wh_end(wh_start(next, "another"));
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    wh_end(top);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    assert_int_equal(wh_provider_shutdown(other, WH_SEC(60)), 0);
    const struct wh_provider_stats stats = stats_of(provider), theirs = stats_of(other);
    assert_adds_up(&stats);
    assert_int_equal(stats.started, THREADS * EACH + 501);
    assert_int_equal(stats.ended, stats.started);
    assert_int_equal(stats.brief, THREADS * (EACH - FULL));
    assert_int_equal(stats.exported, counting.spans);
    assert_int_equal(counting.others, 500);
    assert_int_equal(quiet.others, 500);
    assert_int_equal(theirs.exported, 500);
    pthread_barrier_destroy(&cancelled);
}

int main(void)
{
#define LISTENING(test) cmocka_unit_test_setup_teardown(test, listen_to_reports, stop_listening)
    const struct CMUnitTest tests[] = {
        LISTENING(the_first_say_all_and_the_others_lead_to_the_origin),
        LISTENING(the_policy_holds_for_them_too),
        LISTENING(each_origin_counts_for_itself),
        LISTENING(many_small_origins_do_not_hide_a_large_one),
        LISTENING(a_million_under_one_cancelled_root_stall_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
