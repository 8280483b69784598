/* Processors: who is called, when, in which order, and until when. */
#include <errno.h>
#include <unistd.h>

#include "gate.h"
#include "scripted.h"
#include "watcher.h"

static struct watcher first, second;
static char text[1024];

static wh_provider *begin_two(struct scripted *exporter)
{
    static struct wh_processor *list[2];
    static struct wh_exporter *exporters[1];
    text[0] = '\0';
    list[0] = watcher_begin(&first), list[1] = watcher_begin(&second);
    first.log = second.log = text, first.size = second.size = sizeof text;
    first.mark = "1 ", second.mark = "2 ";
    if (exporter) scripted_init(exporter), exporters[0] = &exporter->exporter;
    wh_provider *provider = wh_provider_new(.processors = list, .processor_count = 2, .exporters = exporters,
        .exporter_count = exporter ? 1 : 0, .schedule_delay = WH_NEVER);
    assert_non_null(provider);
    return provider;
}

/* ---- who is called, and when ---- */

static void processors_are_called_in_their_order_all_endings_before_any_end(void **state)
{
    (void)state;
    wh_provider *provider = begin_two(NULL);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *span = wh_start(root, "a");
    assert_string_equal(text, "1 start ; 2 start ; ");
    wh_end(span);
    assert_string_equal(text, "1 start ; 2 start ; 1 ending ; 2 ending ; 1 end a; 2 end a; ");
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static pthread_t caller;

static void note_caller(const wh_ctx *span, const wh_ctx *parent)
{
    (void)span, (void)parent;
    caller = pthread_self();
}

static void note_caller_at_end(const struct wh_ended *ended)
{
    (void)ended;
    caller = pthread_self();
}

static void *end_it(void *span)
{
    wh_end(span);
    assert_true(pthread_equal(caller, pthread_self()));
    return NULL;
}

static void they_are_called_on_the_thread_that_starts_or_ends_the_span(void **state)
{
    (void)state;
    pthread_t thread;
    wh_provider *provider = begin_two(NULL);
    second.at_start = note_caller;
    second.at_end = note_caller_at_end;
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *span = wh_start(root, "a");
    assert_true(pthread_equal(caller, pthread_self()));
    assert_int_equal(pthread_create(&thread, NULL, end_it, span), 0);
    pthread_join(thread, NULL);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

WH_KEY(tenant, const char *)

static void annotate(const wh_ctx *span, const wh_ctx *parent)
{
    struct wh_span_context ids, above;
    assert_true(wh_recording(span));
    assert_true(wh_span_of(span, &ids) && wh_span_of(parent, &above));
    assert_memory_equal(ids.trace_id, above.trace_id, 16);
    wh_set(span, "tenant", wh_tenant(parent));
    wh_event(span, "seen");
}

static void on_start_gets_the_context_of_the_parent_and_may_annotate(void **state)
{
    (void)state;
    static struct wh_processor *list[1];
    list[0] = watcher_begin(&first);
    struct spans spans = spans_begin_with((struct wh_provider_opts){.processors = list, .processor_count = 1});
    WH_AUTO wh_ctx *outer = wh_start(spans.root, "outer"), *acme = wh_with_tenant(outer, "acme");
    first.at_start = annotate;
    wh_end(wh_start(acme, "inner"));
    wh_ctx *held = wh_start(acme, "given", .attrs = WH_ATTRS(wh_attr("given", 1)));
    wh_end(held);
    first.at_start = NULL;
    const struct wh_span_view inner = span_named(&spans, "inner"), given = span_named(&spans, "given");
    struct wh_event_view event;
    assert_string_equal(span_text(&inner, "tenant"), "acme");
    assert_true(span_event(&inner, "seen", &event));
    assert_int_equal(span_int(&given, "given"), 1);
    assert_string_equal(span_text(&given, "tenant"), "acme");
    spans_end(&spans);
}

static void spans_that_are_not_recorded_come_to_no_processor(void **state)
{
    (void)state;
    struct wh_span_context unsampled = {.trace_id = {1}, .span_id = {2}, .remote = true};
    wh_provider *provider = begin_two(NULL);
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *from = wh_with_span(root, &unsampled);
    wh_end(wh_start(from, "not sampled"));
    assert_string_equal(text, "");
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

static bool was_sampled;

static void note_sampled(const struct wh_ended *ended)
{
    was_sampled = ended->sampled;
}

/* Sampled below a parent that is, recorded otherwise. */
static void what_is_recorded_only_comes_to_processors_and_to_no_exporter(void **state)
{
    (void)state;
    struct scripted exporter;
    struct wh_span_context sampled = {.trace_id = {1}, .span_id = {2}, .flags = WH_SAMPLED, .remote = true};
    struct wh_processor *list[] = {watcher_begin(&first), watcher_begin(&second)};
    first.at_end = note_sampled;
    scripted_init(&exporter);
    wh_provider *provider = provider_of(&exporter, .schedule_delay = WH_NEVER, .processors = list, .processor_count = 2,
        .sampler = wh_sampler_always_record(wh_sampler_parent_based(wh_sampler_always_off())));
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *from = wh_with_span(root, &sampled);
    wh_end(wh_start(from, "sampled"));
    assert_true(was_sampled);
    wh_ctx *span = wh_start(root, "recorded");
    assert_true(wh_recording(span));
    wh_end(span);
    assert_false(was_sampled);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    assert_int_equal(first.starts, 2);
    assert_int_equal(second.ends, 2);
    assert_int_equal(exporter.spans, 1);
    const struct wh_provider_stats stats = stats_of(provider);
    assert_int_equal(stats.started, 2);
    assert_int_equal(stats.recorded_only, 1);
    assert_int_equal(stats.exported, 1);
}

static void one_exporter_alone_gets_no_span_that_is_recorded_only(void **state)
{
    (void)state;
    struct scripted exporter;
    scripted_init(&exporter);
    wh_provider *provider = provider_of(&exporter, .schedule_delay = WH_NEVER,
        .sampler = wh_sampler_always_record(wh_sampler_always_off()));
    make_spans(provider, 1);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    assert_int_equal(exporter.spans, 0);
    assert_int_equal(stats_of(provider).recorded_only, 1);
}

/* ---- what they see ---- */

WH_SCOPE(pg, "pg", .version = "3", .schema_url = "https://pg")

static void look_at_everything(const struct wh_ended *ended)
{
    struct wh_span_view view;
    struct wh_span_context ids;
    struct wh_attr_view attr;
    bool named = false;
    assert_int_equal(ended->size, sizeof *ended);
    assert_true(wh_span_read(ended->span, &view));
    assert_true(wh_span_of(ended->ctx, &ids));
    assert_false(wh_recording(ended->ctx));
    assert_memory_equal(view.span_id, ids.span_id, 8);
    assert_true(view.end >= view.start && view.end > 0);
    assert_int_equal(view.dropped_attributes, 1);
    assert_int_equal(view.dropped_events, 1);
    assert_int_equal(view.dropped_links, 1);
    assert_int_equal(view.parent_span_id[0], 2);
    assert_int_equal(view.flags & 0x300, 0x300);
    for (struct wh_cursor cursor = {ended->resource}; wh_next_resource_attr(&cursor, &attr);)
        named |= attr.key.len == 12 && memcmp(attr.key.ptr, "service.name", 12) == 0 && attr.as.string.len == 6 &&
                 memcmp(attr.as.string.ptr, "orders", 6) == 0;
    assert_true(named);
    assert_memory_equal(ended->scope.ptr, "\x0a\x02pg\x12\x01" "3", 7);
    assert_int_equal(ended->scope.len, 7);
    assert_memory_equal(ended->scope_schema_url.ptr, "https://pg", 10);
}

/* trace/sdk.md, Additional Span Interfaces: readable span. */
static void an_ended_span_is_readable_with_resource_scope_and_what_was_dropped(void **state)
{
    (void)state;
    static struct wh_processor *list[1];
    struct wh_span_context parent = {.trace_id = {1}, .span_id = {2}, .flags = WH_SAMPLED, .remote = true};
    list[0] = watcher_begin(&first);
    first.at_end = look_at_everything;
    wh_provider *provider = wh_provider_new(.service = "orders", .processors = list, .processor_count = 1,
        .limits = {.attributes = 1, .events = 1, .links = 1});
    WH_AUTO wh_ctx *root = wh_provider_root(provider), *from = wh_with_span(root, &parent);
    wh_ctx *span = wh_start(from, "SELECT", .scope = &pg);
    for (int i = 0; i < 2; i++) {
        wh_set(span, i ? "a" : "b", i);
        wh_event(span, "event");
        wh_link_to(span, &parent);
    }
    wh_end(span);
    assert_int_equal(first.ends, 1);
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

/* ---- one that hands on to another ---- */

struct filter {
    struct wh_processor processor;
    struct wh_processor *next;
    struct wh_bytes replacement;
};

static void filter_end(struct wh_processor *self, const struct wh_ended *ended)
{
    struct filter *filter = (struct filter *)self;
    struct wh_ended other = *ended;
    struct wh_span_view view;
    if (!wh_span_read(ended->span, &view) || (view.name.len == 6 && memcmp(view.name.ptr, "health", 6) == 0)) return;
    if (view.name.len == 6 && memcmp(view.name.ptr, "secret", 6) == 0) other.span = filter->replacement;
    filter->next->on_end(filter->next, &other);
}

static int filter_flush(struct wh_processor *self, int64_t deadline)
{
    struct filter *filter = (struct filter *)self;
    return filter->next->flush(filter->next, deadline);
}

static int filter_shutdown(struct wh_processor *self, int64_t deadline)
{
    struct filter *filter = (struct filter *)self;
    return filter->next->shutdown(filter->next, deadline);
}

static void filter_destroy(struct wh_processor *self)
{
    wh_processor_free(((struct filter *)self)->next);
}

static void a_processor_may_drop_and_change_what_it_hands_on(void **state)
{
    (void)state;
    struct wh_exporter *memory = wh_memory_exporter_new(10);
    struct filter filter = {.processor = {.size = sizeof filter.processor, .name = "filter", .on_end = filter_end,
        .flush = filter_flush, .shutdown = filter_shutdown, .destroy = filter_destroy},
        .next = wh_batch_processor_new(memory, .schedule_delay = WH_NEVER), .replacement = {"\x2a\x04gone", 6}};
    struct wh_processor *list[] = {&filter.processor};
    struct wh_span_view view;
    wh_provider *provider = wh_provider_new(.processors = list, .processor_count = 1);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    static const char *const names[] = {"health", "kept", "secret"};
    for (int i = 0; i < 3; i++) wh_end(wh_start(root, names[i]));
    assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), 0);
    assert_int_equal(wh_memory_count(memory), 2);
    assert_true(wh_memory_find(memory, "kept", &view) && wh_memory_find(memory, "gone", &view));
    struct wh_processor_stats stats = {.size = sizeof stats};
    assert_true(wh_processor_stats(filter.next, &stats));
    assert_int_equal(stats.taken, 2);
    assert_int_equal(stats.exported, 2);
    assert_false(wh_processor_stats(&filter.processor, &stats));
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
}

/* ---- the end ---- */

static void flush_and_shutdown_go_to_every_processor_and_tell_how_it_went(void **state)
{
    (void)state;
    static const struct { int first, second, result; } cases[] = {{0, 0, 0}, {EPIPE, 0, EIO}, {0, EIO, EIO},
        {ETIMEDOUT, EIO, ETIMEDOUT}, {EIO, ETIMEDOUT, ETIMEDOUT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wh_provider *provider = begin_two(NULL);
        first.flush_result = cases[i].first, second.flush_result = cases[i].second;
        assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), cases[i].result);
        assert_int_equal(first.flushes, 1);
        assert_int_equal(second.flushes, 1);
        assert_int_equal(first.shutdowns, 0);
        first.flush_result = second.flush_result = 0;
        first.shutdown_result = cases[i].first, second.shutdown_result = cases[i].second;
        assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), cases[i].result);
        assert_int_equal(first.flushes, 2); /* a shutdown includes a flush */
        assert_int_equal(second.shutdowns, 1);
        assert_int_equal(first.destroyed, 1);
        assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), EALREADY);
        assert_int_equal(wh_provider_flush(provider, WH_SEC(60)), EALREADY);
        assert_int_equal(first.shutdowns, 1);
        assert_int_equal(second.destroyed, 1);
    }
}

static void after_the_shutdown_no_processor_is_called(void **state)
{
    (void)state;
    wh_provider *provider = begin_two(NULL);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *open = wh_start(root, "open");
    assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
    static const char all[] = "1 start ; 2 start ; 1 ending ; 2 ending ; 1 end open; 2 end open; ";
    assert_string_equal(text, all); /* it leaked */
    wh_end(wh_start(root, "late"));
    wh_end(open);
    assert_string_equal(text, all);
    assert_int_equal(stats_of(provider).started, 1);
    assert_int_equal(stats_of(provider).ended, 1);
}

static void a_processor_is_destroyed_when_the_last_has_left_it(void **state)
{
    (void)state;
    pthread_t thread;
    wh_provider *provider = begin_two(NULL);
    WH_AUTO wh_ctx *root = wh_provider_root(provider);
    wh_ctx *span = wh_start(root, "slow");
    first.blocked = 1;
    first.log = second.log = NULL;
    caller = pthread_self();
    first.at_end = note_caller_at_end;
    assert_int_equal(pthread_create(&thread, NULL, end_it, span), 0);
    while (!__atomic_load_n(&first.inside, __ATOMIC_SEQ_CST)) usleep(1000);
    wh_provider_shutdown(provider, WH_MS(20));
    assert_int_equal(first.shutdowns, 1);
    assert_int_equal(__atomic_load_n(&first.destroyed, __ATOMIC_ACQUIRE), 0);
    assert_int_equal(__atomic_load_n(&second.destroyed, __ATOMIC_ACQUIRE), 0);
    watcher_unblock(&first);
    pthread_join(thread, NULL);
    assert_int_equal(first.destroyed, 1);
    assert_int_equal(second.destroyed, 1);
}

static wh_provider *to_shut_down;

static void shut_it_down(const struct wh_ended *ended)
{
    (void)ended;
    wh_provider_shutdown(to_shut_down, WH_SEC(60));
    assert_int_equal(first.destroyed, 0);
}

static void a_processor_may_shut_its_own_provider_down(void **state)
{
    (void)state;
    to_shut_down = begin_two(NULL);
    WH_AUTO wh_ctx *root = wh_provider_root(to_shut_down);
    first.at_end = shut_it_down;
    wh_end(wh_start(root, "last"));
    assert_int_equal(first.destroyed, 1);
    assert_int_equal(second.destroyed, 1);
}

enum { THREADS = 4, SPANS = 300 };

static void *produce(void *provider)
{
    make_spans(provider, SPANS);
    return NULL;
}

static void threads_share_processors_until_the_shutdown(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        pthread_t threads[THREADS];
        wh_provider *provider = begin_two(NULL);
        first.log = second.log = NULL;
        for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, produce, provider);
        while (round && __atomic_load_n(&first.ends, __ATOMIC_RELAXED) < 50u * (unsigned)round) usleep(100);
        assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
        assert_int_equal(__atomic_load_n(&first.destroyed, __ATOMIC_ACQUIRE), 1);
        const uint32_t ends = __atomic_load_n(&first.ends, __ATOMIC_RELAXED);
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        assert_int_equal(first.ends, ends); /* nobody comes in after it was destroyed */
        const struct wh_provider_stats stats = stats_of(provider);
        assert_int_equal(stats.started, stats.ended);
        assert_true(stats.ended - stats.dropped_shutdown >= first.ends);
    }
}

/* ---- memory ---- */

static void without_memory_for_a_provider_what_it_was_given_is_freed(void **state)
{
    (void)state;
    bool made = false;
    for (size_t i = 0; i < 100 && !made; i++) {
        struct scripted a, b;
        scripted_init(&a), scripted_init(&b);
        struct wh_exporter *exporters[] = {&a.exporter, &b.exporter};
        struct wh_processor *list[] = {watcher_begin(&first)};
        memory_fails_once_at(i + 1);
        wh_provider *provider = wh_provider_new(.processors = list, .processor_count = 1, .exporters = exporters, .exporter_count = 2);
        const bool failed = memory_is_back();
        made = provider != NULL;
        assert_int_equal(made, !failed);
        if (made) assert_int_equal(wh_provider_shutdown(provider, WH_SEC(60)), 0);
        assert_int_equal(first.destroyed, 1);
        assert_int_equal(a.destroyed, 1);
        assert_int_equal(b.destroyed, 1);
    }
    assert_true(made);
}

static void a_processor_that_no_provider_owns_can_be_freed(void **state)
{
    (void)state;
    struct scripted a, b;
    scripted_init(&a), scripted_init(&b);
    wh_processor_free(wh_batch_processor_new(&a.exporter));
    wh_processor_free(wh_simple_processor_new(&b.exporter));
    wh_processor_free(NULL);
    assert_int_equal(a.destroyed, 1);
    assert_int_equal(a.shutdowns, 1);
    assert_int_equal(b.destroyed, 1);
    errno = 0;
    assert_null(wh_batch_processor_new(NULL));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(wh_simple_processor_new(NULL));
    assert_int_equal(errno, EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processors_are_called_in_their_order_all_endings_before_any_end),
        cmocka_unit_test(they_are_called_on_the_thread_that_starts_or_ends_the_span),
        cmocka_unit_test(on_start_gets_the_context_of_the_parent_and_may_annotate),
        cmocka_unit_test(spans_that_are_not_recorded_come_to_no_processor),
        cmocka_unit_test(what_is_recorded_only_comes_to_processors_and_to_no_exporter),
        cmocka_unit_test(one_exporter_alone_gets_no_span_that_is_recorded_only),
        cmocka_unit_test(an_ended_span_is_readable_with_resource_scope_and_what_was_dropped),
        cmocka_unit_test(a_processor_may_drop_and_change_what_it_hands_on),
        cmocka_unit_test(flush_and_shutdown_go_to_every_processor_and_tell_how_it_went),
        cmocka_unit_test(after_the_shutdown_no_processor_is_called),
        cmocka_unit_test(a_processor_is_destroyed_when_the_last_has_left_it),
        cmocka_unit_test(a_processor_may_shut_its_own_provider_down),
        cmocka_unit_test(threads_share_processors_until_the_shutdown),
        cmocka_unit_test(without_memory_for_a_provider_what_it_was_given_is_freed),
        cmocka_unit_test(a_processor_that_no_provider_owns_can_be_freed),
    };
    return cmocka_run_group_tests_name("processor", tests, NULL, NULL);
}
