/* The cause of a cancellation arrives whatever else happens to its spans: batches, limits, sampling, a rename, a fork, a shutdown. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cancelled.h"
#include "keeper.h"
#include "scripted.h"
#include "watcher.h"

static struct keeper kept;
static const char why[] = "a reason that is longer than four characters";

static wh_provider *keeping(struct wh_provider_opts opts)
{
    static struct wh_exporter *list[1];
    list[0] = keeper_begin(&kept);
    opts.size = sizeof opts;
    opts.exporters = list;
    opts.exporter_count = 1;
    wh_provider *provider = wh_provider_new_at(&opts);
    assert_non_null(provider);
    return provider;
}

static void flush(wh_provider *provider)
{
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
}

static void shut_down(wh_provider *provider)
{
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    keeper_end(&kept);
}

/* The whole of it, from `origin`. */
static void assert_says_all(const struct wh_span_view *span, const uint8_t origin[8], const char *name, int depth)
{
    struct wh_event_view event;
    assert_true(span_bool(span, "whence.cancelled"));
    assert_string_equal(span_text(span, "whence.cancel.reason"), "client_gone");
    assert_string_equal(span_text(span, "whence.cancel.message"), why);
    assert_true(strstr(span_text(span, "whence.cancel.site"), "test_survival.c:"));
    assert_string_equal(span_text(span, "whence.cancel.origin.span_id"), hex(origin, 8));
    assert_string_equal(span_text(span, "whence.cancel.origin.span_name"), name);
    assert_int_equal(span_int(span, "whence.cancel.depth"), depth);
    assert_true(span_double(span, "whence.cancel.overrun_ms") >= 0);
    assert_true(span_event(span, "whence.cancel.received", &event));
}

/* ---- batches ---- */

static void cancelled_spans_and_their_origin_may_leave_in_different_batches(void **state)
{
    (void)state;
    wh_provider *provider = keeping((struct wh_provider_opts){.max_batch = 1});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *top = wh_start(root, "top"), *below[3];
    for (int i = 0; i < 3; i++) below[i] = wh_start(top, "below");
    wh_cancel(top, WH_CLIENT_GONE, why);
    for (int i = 0; i < 3; i++) {
        wh_end(below[i]);
        flush(provider);
    }
    assert_int_equal(kept.count, 3); /* and the origin is on its way to nobody yet */
    wh_end(top);
    flush(provider);
    const struct wh_span_view origin = keeper_span(&kept, "top"), span = keeper_span(&kept, "below");
    assert_says_all(&span, origin.span_id, "top", 1);
    assert_says_all(&origin, origin.span_id, "top", 0);
    shut_down(provider);
}

/* ---- limits ---- */

static void fill(const wh_ctx *span)
{
    struct wh_span_context elsewhere = {.trace_id = {9}, .span_id = {9}};
    for (int i = 0; i < 200; i++) {
        char key[20];
        snprintf(key, sizeof key, "key %d", i);
        wh_set(span, (const char *)key, "a value that is long");
        wh_event(span, "something");
        wh_link_to(span, &elsewhere);
    }
}

static size_t count_links(const struct wh_span_view *span, const uint8_t to[8])
{
    struct wh_cursor cursor = {span->raw};
    struct wh_link_view link;
    size_t count = 0;
    while (wh_next_link(&cursor, &link)) count += memcmp(link.span_id, to, 8) == 0;
    return count;
}

static void full_spans_have_room_for_it(void **state)
{
    (void)state;
    static const struct wh_limits limits[] = {{0}, {.value_length = 4}, {.attributes = WH_LIMIT_ZERO, .events = WH_LIMIT_ZERO,
        .links = WH_LIMIT_ZERO, .event_attributes = WH_LIMIT_ZERO, .link_attributes = WH_LIMIT_ZERO, .value_length = 1}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        wh_provider *provider = keeping((struct wh_provider_opts){.limits = limits[i]});
        WH_AUTO wh_ctx *root = wh_provider_root(provider);
        wh_ctx *top = wh_start(root, "top"), *middle = wh_start(top, "middle"), *leaf = wh_start(middle, "leaf");
        fill(leaf);
        wh_cancel(top, WH_CLIENT_GONE, why);
        fill(leaf);
        wh_end(leaf);
        wh_end(middle);
        wh_end(top);
        flush(provider);
        const struct wh_span_view origin = keeper_span(&kept, "top"), span = keeper_span(&kept, "leaf");
        assert_says_all(&span, origin.span_id, "top", 2);
        assert_int_equal(count_links(&span, origin.span_id), 1);
        assert_true(span.dropped_attributes > 0);
        shut_down(provider);
    }
}

/* ---- sampling ---- */

static void an_origin_that_is_not_sampled_is_named_all_the_same(void **state)
{
    (void)state;
    wh_provider *provider = keeping((struct wh_provider_opts){
        .sampler = wh_sampler_parent_based(wh_sampler_always_off(), .local_not_sampled = wh_sampler_always_on())});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    struct wh_span_context origin;
    wh_ctx *top = wh_start(root, "top");
    wh_span_of(top, &origin);
    wh_ctx *below = wh_start(top, "below");
    assert_false(wh_recording(top));
    assert_true(wh_recording(below));
    wh_cancel(top, WH_CLIENT_GONE, why);
    wh_end(below);
    wh_end(top);
    flush(provider);
    const struct wh_span_view span = keeper_span(&kept, "below");
    assert_int_equal(kept.count, 1);
    assert_says_all(&span, origin.span_id, "top", 1);
    shut_down(provider);
}

static int told;

static void look_for_the_cause(const struct wh_ended *ended)
{
    struct wh_span_view span;
    assert_true(wh_span_read(ended->span, &span));
    assert_false(ended->sampled);
    told += span_has(&span, "whence.cancelled") && span_has(&span, "whence.cancel.origin.span_id");
}

static void one_that_is_only_recorded_tells_processors(void **state)
{
    (void)state;
    static struct watcher watcher;
    static struct wh_processor *list[1];
    list[0] = watcher_begin(&watcher);
    watcher.at_end = look_for_the_cause;
    told = 0;
    wh_provider *provider = keeping((struct wh_provider_opts){.sampler = wh_sampler_always_record(wh_sampler_always_off()),
        .processors = list, .processor_count = 1});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *top = wh_start(root, "top"), *below = wh_start(top, "below");
    wh_cancel(top, WH_CLIENT_GONE, why);
    wh_end(below);
    wh_end(top);
    flush(provider);
    assert_int_equal(told, 2);
    assert_int_equal(kept.count, 0);
    shut_down(provider);
}

/* ---- names ---- */

static void a_rename_after_the_cancel_is_known_to_all(void **state)
{
    (void)state;
    wh_provider *provider = keeping((struct wh_provider_opts){0});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *top = wh_start(root, "GET"), *below = wh_start(top, "below");
    wh_cancel(top, WH_CLIENT_GONE, why);
    wh_rename(top, "GET /order/{sku}");
    wh_rename(below, "lower");
    wh_end(below);
    wh_end(top);
    flush(provider);
    const struct wh_span_view origin = keeper_span(&kept, "GET /order/{sku}"), span = keeper_span(&kept, "lower");
    assert_says_all(&span, origin.span_id, "GET /order/{sku}", 1);
    shut_down(provider);
}

/* ---- forks ---- */

static void assert_left_well(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* In a child: whether what it has ended says that it was cancelled, and by whom. */
static void leave_if_it_says(wh_provider *provider, const char *name, const uint8_t origin[8])
{
    struct wh_span_view span;
    const bool flushed = wh_provider_flush(provider, WH_SEC(60)) == 0;
    bool says = flushed && kept.count == 1 && keeper_find(&kept, name, &span) && span_has(&span, "whence.cancelled");
    says = says && strcmp(span_text(&span, "whence.cancel.origin.span_id"), hex(origin, 8)) == 0;
    says = says && strcmp(span_text(&span, "whence.cancel.message"), why) == 0;
    _exit(says ? 0 : 1);
}

static void what_the_parent_has_cancelled_its_child_says(void **state)
{
    (void)state;
    wh_provider *provider = keeping((struct wh_provider_opts){0});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    struct wh_span_context origin;
    wh_ctx *top = wh_start(root, "top");
    wh_span_of(top, &origin);
    wh_cancel(top, WH_CLIENT_GONE, why);
    const pid_t pid = fork_at_rest();
    assert_true(pid >= 0);
    if (pid == 0) {
        wh_end(wh_start(top, "the child's"));
        leave_if_it_says(provider, "the child's", origin.span_id);
    }
    assert_left_well(pid);
    wh_end(top);
    flush(provider);
    const struct wh_span_view span = keeper_span(&kept, "top");
    assert_says_all(&span, origin.span_id, "top", 0);
    shut_down(provider);
}

static void what_a_child_cancels_is_its_own_matter(void **state)
{
    (void)state;
    wh_provider *provider = keeping((struct wh_provider_opts){0});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    struct wh_span_context origin;
    wh_ctx *top = wh_start(root, "top");
    wh_span_of(top, &origin);
    const pid_t pid = fork_at_rest();
    assert_true(pid >= 0);
    if (pid == 0) {
        wh_ctx *below = wh_start(top, "the child's");
        wh_cancel(top, WH_CLIENT_GONE, why);
        wh_end(below);
        wh_end(top); /* the parent's: it says nothing here */
        leave_if_it_says(provider, "the child's", origin.span_id);
    }
    assert_left_well(pid);
    assert_int_equal(wh_err(top), 0);
    wh_end(top);
    flush(provider);
    const struct wh_span_view span = keeper_span(&kept, "top");
    assert_false(span_has(&span, "whence.cancelled"));
    shut_down(provider);
}

/* ---- a shutdown ---- */

static void a_shutdown_between_cancel_and_end_loses_nothing(void **state)
{
    (void)state;
    wh_provider *provider = keeping((struct wh_provider_opts){0});
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *top = wh_start(root, "top"), *below = wh_start(top, "below");
    wh_cancel(top, WH_CLIENT_GONE, why);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    wh_end(below);
    wh_end(top);
    const struct wh_span_view origin = keeper_span(&kept, "top"), span = keeper_span(&kept, "below");
    assert_int_equal(kept.count, 2);
    assert_says_all(&span, origin.span_id, "top", 1);
    assert_says_all(&origin, origin.span_id, "top", 0);
    keeper_end(&kept);
}

int main(void)
{
#define LISTENING(test) cmocka_unit_test_setup_teardown(test, listen_to_reports, stop_listening)
    const struct CMUnitTest tests[] = {
        LISTENING(cancelled_spans_and_their_origin_may_leave_in_different_batches),
        LISTENING(full_spans_have_room_for_it),
        LISTENING(an_origin_that_is_not_sampled_is_named_all_the_same),
        LISTENING(one_that_is_only_recorded_tells_processors),
        LISTENING(a_rename_after_the_cancel_is_known_to_all),
        LISTENING(what_the_parent_has_cancelled_its_child_says),
        LISTENING(what_a_child_cancels_is_its_own_matter),
        LISTENING(a_shutdown_between_cancel_and_end_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
