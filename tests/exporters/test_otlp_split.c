/* Batches in parts: by our own limit, and by a collector's that says "too large". Every span counts once. */
#include "otlp/split.h"
#include "test_otlp.h"

/* ---- halving ---- */

/* A model of a collector that takes parts without the spans in `large`, and no more than `most` at once. */
static size_t split_all(size_t count, size_t most, size_t large, size_t *parts)
{
    struct wh__otlp_split split;
    struct wh__otlp_range range;
    size_t next = 0, dropped = 0;
    *parts = 0;
    wh__otlp_split_begin(&split, count);
    assert_int_equal(wh__otlp_split_left(&split), count);
    while (wh__otlp_split_next(&split, &range)) {
        ++*parts;
        assert_int_equal(range.from, next);
        assert_int_equal(wh__otlp_split_left(&split), count - next - range.count);
        const bool has_large = large >= range.from && large - range.from < range.count;
        if ((range.count > most || has_large) && range.count > 1) {
            wh__otlp_split_halve(&split, range);
            continue;
        }
        dropped += has_large;
        next += range.count;
    }
    assert_int_equal(next, count);
    return dropped;
}

static void every_span_is_in_one_part_and_in_order(void **state)
{
    (void)state;
    size_t parts;
    for (size_t count = 1; count < 130; count++)
        for (size_t most = 1; most <= count; most += 3)
            for (size_t large = 0; large <= count; large += 5)
                assert_int_equal(split_all(count, most, large, &parts), large < count);
    split_all(512, 512, 300, &parts);
    assert_true(parts <= 1 + 2 * 9); /* one large span costs two requests a level */
    split_all((size_t)1 << 20, 1, SIZE_MAX, &parts);
    assert_int_equal(parts, ((size_t)2 << 20) - 1);
}

static void a_part_has_the_scopes_of_its_spans(void **state)
{
    (void)state;
    static const char bytes[] = "0123456789";
    struct wh_bytes spans[10];
    for (size_t i = 0; i < 10; i++) spans[i] = (struct wh_bytes){&bytes[i], 1};
    const struct wh_scope_spans scopes[] = {
        {.scope = {"a", 1}, .schema_url = {"u", 1}, .spans = spans, .count = 3}, {.scope = {"b", 1}, .count = 0},
        {.scope = {"c", 1}, .spans = spans + 3, .count = 1}, {.scope = {"d", 1}, .spans = spans + 4, .count = 6}};
    const struct wh_batch batch = {.size = sizeof batch, .resource = {"r", 1}, .schema_url = {"s", 1}, .scopes = scopes,
        .scope_count = 4, .count = 10};
    struct wh__otlp_room room = {0};
    for (size_t from = 0; from < 10; from++)
        for (size_t count = 1; count <= 10 - from; count++) {
            struct wh_batch part;
            size_t seen = from;
            assert_true(wh__otlp_slice(&batch, (struct wh__otlp_range){from, count}, &room, &part));
            assert_int_equal(part.count, count);
            assert_ptr_equal(part.resource.ptr, batch.resource.ptr);
            for (size_t s = 0; s < part.scope_count; s++) {
                assert_true(part.scopes[s].count > 0);
                for (size_t i = 0; i < part.scopes[s].count; i++, seen++) {
                    const char owner = seen < 3 ? 'a' : seen == 3 ? 'c' : 'd';
                    assert_ptr_equal(part.scopes[s].spans[i].ptr, &bytes[seen]);
                    assert_int_equal(*(const char *)part.scopes[s].scope.ptr, owner);
                }
            }
            assert_int_equal(seen, from + count);
        }
    wh__otlp_room_free(&room);
}

/* ---- with a collector ---- */

static int count_spans(const struct wh_batch *batch, void *count)
{
    *(size_t *)count += batch->count;
    return 0;
}

static size_t spans_in(struct collector *collector, size_t i)
{
    size_t count = 0;
    const struct collector_request request = collector_request(collector, i);
    assert_int_equal(wh_read_request((struct wh_bytes){request.body, request.body_len}, count_spans, &count), 0);
    return count;
}

static void assert_parts(struct collector *collector, const size_t *sizes, size_t count)
{
    assert_int_equal(collector_requests(collector), count);
    for (size_t i = 0; i < count; i++) assert_int_equal(spans_in(collector, i), sizes[i]);
}

#define LARGE {.status = 413}
#define GOOD {.status = 200}

static void what_is_too_large_is_halved_down_to_the_single_span(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {LARGE, GOOD, LARGE, GOOD, LARGE, GOOD};
    static const size_t sizes[] = {5, 3, 2, 1, 1};
    for (int gzip = 0; gzip <= 1; gzip++) {
        struct collector *collector = collector_start(script, COUNT(script));
        struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector), .gzip = gzip));
        size_t rejected = 0;
        listen_to_reports();
        assert_int_equal(export_until(otlp, 5, wh_now() + LONG, &rejected), 0);
        assert_int_equal(rejected, 1);
        assert_parts(collector, sizes, COUNT(sizes));
        assert_error_says(otlp, "HTTP 413");
        assert_int_equal(report_count(), 2); /* of the span; of the batch */
        assert_int_equal(export_until(otlp, 5, wh_now() + LONG, &rejected), 0);
        assert_null(otlp->last_error(otlp));
        assert_int_equal(report_count(), 2);
        wh_exporter_free(otlp);
        collector_stop(collector);
    }
}

static void parts_that_all_arrive_are_no_failure(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {LARGE, GOOD};
    static const size_t sizes[] = {64, 32, 32};
    struct collector *collector = collector_start(script, COUNT(script));
    struct wh_exporter *otlp = otlp_to(collector);
    size_t rejected = 0;
    listen_to_reports();
    assert_int_equal(export_until(otlp, 64, wh_now() + LONG, &rejected), 0);
    assert_int_equal(rejected, 0);
    assert_null(otlp->last_error(otlp));
    assert_int_equal(report_count(), 0);
    assert_parts(collector, sizes, COUNT(sizes));
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* A collector that refuses one span after the other means something else: it is not asked 127 times. */
static void one_that_takes_nothing_at_all_is_not_asked_for_every_span(void **state)
{
    (void)state;
    static const struct collector_answer large = LARGE;
    struct collector *collector = collector_start(&large, 1);
    struct wh_exporter *otlp = otlp_to(collector);
    size_t rejected = 0;
    assert_int_equal(export_until(otlp, 64, wh_now() + LONG, &rejected), EIO);
    assert_in_range(collector_requests(collector), 16 + 6, 60);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void a_part_that_is_refused_costs_no_other(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {LARGE, {.status = 400}, GOOD};
    static const size_t sizes[] = {9, 5, 4};
    struct collector *collector = collector_start(script, COUNT(script));
    struct wh_exporter *otlp = otlp_to(collector);
    size_t rejected = 0;
    listen_to_reports();
    assert_int_equal(export_until(otlp, 9, wh_now() + LONG, &rejected), 0);
    assert_int_equal(rejected, 5);
    assert_parts(collector, sizes, COUNT(sizes));
    assert_non_null(strstr(reports.last, "5 of 9 spans were not exported"));
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void partial_success_of_parts_adds_up(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {LARGE, {BODY("\x0a\x02\x08\x01")}, {BODY("\x0a\x02\x08\x63")}};
    struct collector *collector = collector_start(script, COUNT(script));
    struct wh_exporter *otlp = otlp_to(collector);
    size_t rejected = 0;
    listen_to_reports();
    assert_int_equal(export_until(otlp, 9, wh_now() + LONG, &rejected), 0);
    assert_int_equal(rejected, 1 + 4);
    assert_int_equal(report_count(), 1); /* "rejected", once */
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void a_busy_collector_gets_the_same_part_again(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {LARGE, {.status = 503, .headers = "Retry-After: 0\r\n"}, GOOD};
    static const size_t sizes[] = {6, 3, 3, 3};
    struct collector *collector = collector_start(script, COUNT(script));
    struct wh_exporter *otlp = otlp_to(collector);
    size_t rejected = 0;
    assert_int_equal(export_until(otlp, 6, wh_now() + LONG, &rejected), 0);
    assert_int_equal(rejected, 0);
    assert_parts(collector, sizes, COUNT(sizes));
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void parts_share_the_deadline(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {LARGE, GOOD, {.manner = COLLECTOR_HANGS}};
    struct collector *collector = collector_start(script, COUNT(script));
    struct wh_exporter *otlp = otlp_to(collector);
    size_t rejected = 0;
    const int64_t deadline = wh_now() + WH_SEC(2);
    assert_int_equal(export_until(otlp, 8, deadline, &rejected), 0);
    assert_true(wh_now() < deadline + LONG);
    assert_int_equal(rejected, 4);
    assert_error_says(otlp, "no answer in time");
    wh_exporter_free(otlp);
    collector_stop(collector);
}

static void *interrupt_third(void *arg)
{
    struct { struct wh_exporter *otlp; struct collector *collector; } *both = arg;
    collector_wait(both->collector, 3, LONG);
    both->otlp->interrupt(both->otlp);
    return NULL;
}

static void an_interrupt_ends_all_parts(void **state)
{
    (void)state;
    static const struct collector_answer script[] = {LARGE, LARGE, {.manner = COLLECTOR_HANGS}};
    struct collector *collector = collector_start(script, COUNT(script));
    struct wh_exporter *otlp = otlp_to(collector);
    struct { struct wh_exporter *otlp; struct collector *collector; } both = {otlp, collector};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_third, &both), 0);
    assert_int_equal(export_until(otlp, 8, wh_now() + WH_SEC(600), NULL), ECANCELED);
    pthread_join(thread, NULL);
    assert_int_equal(collector_requests(collector), 3);
    wh_exporter_free(otlp);
    collector_stop(collector);
}

/* ---- our own limit ---- */

static void export_large(struct collector *collector, int64_t protocol, size_t most, size_t huge, size_t *rejected)
{
    enum { SPANS = 20, SIZE = 1000 };
    static char text[20 * SIZE];
    struct wh_bytes spans[SPANS];
    char head[] = "\x2a\xe8\x07"; /* a name of 1000 bytes */
    memset(text, 'n', sizeof text);
    memcpy(text, head, 3);
    for (size_t i = 0; i < SPANS; i++) spans[i] = (struct wh_bytes){text, 3 + SIZE};
    static char larger[3 + 3 * SIZE] = "\x2a\xb8\x17";
    memset(larger + 3, 'n', 3 * SIZE);
    if (huge < SPANS) spans[huge] = (struct wh_bytes){larger, sizeof larger};
    const struct wh_batch batch = {.size = sizeof batch, ONE_SCOPE(spans, SPANS)};
    struct wh_exporter *otlp = not_null(wh_otlp_exporter_new(collector_url(collector), .protocol = protocol,
        .max_request = most));
    assert_int_equal(otlp->export_batch(otlp, &batch, wh_now() + LONG, rejected), 0);
    wh_exporter_free(otlp);
}

static void a_batch_over_our_own_limit_is_split_before_it_is_sent(void **state)
{
    (void)state;
    for (int protocol = WH_OTLP_HTTP_PROTOBUF; protocol <= WH_OTLP_HTTP_JSON; protocol++) {
        struct collector *collector = collector_start(NULL, 0);
        size_t rejected = 0;
        export_large(collector, protocol, 2500, SIZE_MAX, &rejected);
        assert_int_equal(rejected, 0);
        for (size_t i = 0; i < collector_requests(collector); i++)
            assert_true(collector_request(collector, i).body_len <= 2500);
        assert_in_range(collector_requests(collector), 10, 20);
        collector_stop(collector);
    }
}

static void a_span_over_our_own_limit_costs_no_other(void **state)
{
    (void)state;
    for (int protocol = WH_OTLP_HTTP_PROTOBUF; protocol <= WH_OTLP_HTTP_JSON; protocol++)
        for (size_t huge = 0; huge < 20; huge += 19) {
            struct collector *collector = collector_start(NULL, 0);
            size_t rejected = 0, arrived = 0;
            listen_to_reports();
            export_large(collector, protocol, 2500, huge, &rejected);
            assert_int_equal(rejected, 1);
            assert_int_equal(report_count(), 2);
            for (size_t i = 0; protocol == WH_OTLP_HTTP_PROTOBUF && i < collector_requests(collector); i++)
                arrived += spans_in(collector, i);
            assert_int_equal(arrived, protocol == WH_OTLP_HTTP_PROTOBUF ? 19 : 0);
            collector_stop(collector);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_span_is_in_one_part_and_in_order),
        cmocka_unit_test(a_part_has_the_scopes_of_its_spans),
        cmocka_unit_test(what_is_too_large_is_halved_down_to_the_single_span),
        cmocka_unit_test(parts_that_all_arrive_are_no_failure),
        cmocka_unit_test(one_that_takes_nothing_at_all_is_not_asked_for_every_span),
        cmocka_unit_test(a_part_that_is_refused_costs_no_other),
        cmocka_unit_test(partial_success_of_parts_adds_up),
        cmocka_unit_test(a_busy_collector_gets_the_same_part_again),
        cmocka_unit_test(parts_share_the_deadline),
        cmocka_unit_test(an_interrupt_ends_all_parts),
        cmocka_unit_test(a_batch_over_our_own_limit_is_split_before_it_is_sent),
        cmocka_unit_test(a_span_over_our_own_limit_costs_no_other),
    };
    return cmocka_run_group_tests_name("exporters/otlp_split", tests, NULL, NULL);
}
