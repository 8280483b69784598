/* Contexts as bytes, for messages in queues. */
#include "carrier.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate.h"
#include "propagate/boot.h"
#include "propagate/bytes.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define TRACEPARENT "00-" TRACE "-b7ad6b7169203331-01"

static uint8_t bytes[WH_BYTES_MAX];

static wh_ctx *some_context(void)
{
    struct carrier in = {0};
    carrier_add(&in, "traceparent", TRACEPARENT);
    carrier_add(&in, "tracestate", "a=1,b=2");
    carrier_add(&in, "baggage", "tenant=blue;m,umlaut=%C3%A4");
    carrier_add(&in, "x-request-id", "r-17");
    wh_ctx *ctx = wh_extract(NULL, carrier_get, &in);
    carrier_clear(&in);
    return ctx;
}

/* As if the writer had another clock than we. */
static void from_elsewhere(void)
{
    for (int i = 4; i < 12; i++) bytes[i] ^= 0x5a;
}

static void all_fields_come_back(void **state)
{
    (void)state;
    char id[33];
    struct wh_span_context span;
    WH_AUTO wh_ctx *ctx = some_context();
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    assert_in_range(len, WH__BYTES_HEAD + 1, 300);
    WH_AUTO wh_ctx *back = wh_extract_bytes(NULL, bytes, len);
    memset(bytes, '!', len); /* they are no more needed */
    assert_string_equal(wh_trace_id_hex(back, id), TRACE);
    assert_true(wh_span_of(back, &span));
    assert_true(span.remote);
    assert_int_equal(span.flags, WH_SAMPLED);
    assert_string_equal(span.tracestate, "a=1,b=2");
    assert_string_equal(wh_baggage(back, "tenant"), "blue");
    assert_string_equal(wh_baggage(back, "umlaut"), "\xc3\xa4");
    assert_string_equal(wh_request_id(back), "r-17");
    assert_true(wh_deadline(back) == WH_NEVER);
    assert_int_equal(wh_err(back), 0);
}

static void every_propagators_fields_come_back(void **state)
{
    (void)state;
    assert_int_equal(wh_set_propagators_named("b3,b3multi,jaeger,baggage"), 0);
    struct carrier in = {0}, out = {0}, again = {0};
    carrier_add(&in, "b3", TRACE "-b7ad6b7169203331-d");
    carrier_add(&in, "uberctx-city", "ulm");
    WH_AUTO wh_ctx *ctx = wh_extract_with(NULL, NULL, &in_lines, &in);
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    WH_AUTO wh_ctx *back = wh_extract_bytes(NULL, bytes, len);
    assert_string_equal(wh_baggage(back, "city"), "ulm");
    wh_inject(ctx, carrier_set, &out);
    wh_inject(back, carrier_set, &again);
    assert_int_equal(out.count, again.count);
    for (int i = 0; i < out.count; i++) assert_string_equal(carrier_get(&again, out.lines[i].name), out.lines[i].value);
    carrier_clear(&in);
    carrier_clear(&out);
    carrier_clear(&again);
    assert_int_equal(wh_set_propagators_named(NULL), 0);
}

static void what_nobody_asked_for_does_not_travel(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *late = wh_with_timeout(NULL, WH_SEC(50)), *ctx = wh_with_request_id(late, "r-1");
    assert_int_equal(wh_set_propagators_named("tracecontext"), 0);
    assert_int_equal(wh_inject_bytes(ctx, bytes, sizeof bytes), 0);
    assert_int_equal(wh_set_propagators_named(NULL), 0);
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    assert_int_equal(wh_set_propagators_named("tracecontext"), 0);
    WH_AUTO wh_ctx *back = wh_extract_bytes(NULL, bytes, len);
    assert_null(wh_request_id(back));
    assert_true(wh_deadline(back) == WH_NEVER);
    assert_int_equal(wh_set_propagators_named(NULL), 0);
    assert_int_equal(wh_inject_bytes(NULL, NULL, 0), 0); /* nothing to say */
}

static void nothing_is_written_where_there_is_no_room(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *some = some_context(), *ctx = wh_with_timeout(some, WH_SEC(100));
    const size_t len = wh_inject_bytes(ctx, NULL, 0);
    for (size_t size = 0; size <= len; size++) {
        memset(bytes, 0xee, sizeof bytes);
        assert_int_equal(wh_inject_bytes(ctx, bytes, size), len);
        for (size_t i = size < len ? 0 : len; i < len + 16; i++) assert_int_equal(bytes[i], 0xee);
    }
    assert_memory_equal(bytes, "wh\1", 3);
}

static void what_is_too_much_is_left_out_whole(void **state)
{
    (void)state;
    char value[4000];
    memset(value, 'v', sizeof value);
    value[sizeof value - 1] = '\0';
    assert_int_equal(wh_set_propagators_named("jaeger,baggage,whence"), 0);
    wh_report_from(WH_SILENT);
    WH_AUTO wh_ctx *id = wh_with_request_id(NULL, "r-2"), *one = wh_with_baggage(id, "one", value), *two = wh_with_baggage(one, "two", value);
    const size_t len = wh_inject_bytes(two, bytes, sizeof bytes);
    assert_in_range(len, 8000, WH_BYTES_MAX);
    WH_AUTO wh_ctx *back = wh_extract_bytes(NULL, bytes, len);
    assert_string_equal(wh_baggage(back, "one"), value);
    assert_string_equal(wh_baggage(back, "two"), value);
    assert_string_equal(wh_request_id(back), "r-2"); /* small ones have room behind large ones */
    wh_report_from(WH_INFO);
    assert_int_equal(wh_set_propagators_named(NULL), 0);
}

/* ---- the deadline ---- */

static void the_time_in_the_queue_is_deducted_exactly(void **state)
{
    (void)state;
    for (int with_span = 0; with_span < 2; with_span++) {
        WH_AUTO wh_ctx *some = with_span ? some_context() : wh_with_request_id(NULL, "r-3"), *ctx = wh_with_timeout(some, WH_SEC(50));
        const int64_t before = wh_now();
        const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
        const int64_t took = wh_now() - before;
        wh_sleep(NULL, WH_MS(30));
        /* .waited is not asked where it is known */
        WH_AUTO wh_ctx *back = wh_extract_bytes(NULL, bytes, len, .waited = WH_SEC(49));
        assert_true(wh_deadline(back) <= wh_deadline(ctx));
        assert_true(wh_deadline(back) >= wh_deadline(ctx) - took - WH_US(1)); /* however long the machine waited since */
    }
}

static void a_message_can_outlive_its_deadline(void **state)
{
    (void)state;
    for (int with_span = 0; with_span < 2; with_span++) {
        WH_AUTO wh_ctx *some = with_span ? some_context() : wh_with_request_id(NULL, "r-4"), *ctx = wh_with_timeout(some, WH_MS(5));
        const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
        wh_sleep(NULL, WH_MS(10));
        WH_AUTO wh_ctx *back = wh_extract_bytes(NULL, bytes, len);
        assert_int_equal(wh_err(back), ETIMEDOUT); /* at once */
        assert_ptr_equal(wh_cause(back), WH_DEADLINE_EXCEEDED);
    }
}

static void what_had_no_time_left_arrives_so(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, 0);
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    assert_int_equal(len, WH__BYTES_HEAD);
    WH_AUTO wh_ctx *back = wh_extract_bytes(NULL, bytes, len);
    assert_int_equal(wh_err(back), ETIMEDOUT);
    from_elsewhere();
    WH_AUTO wh_ctx *there = wh_extract_bytes(NULL, bytes, len);
    assert_int_equal(wh_err(there), ETIMEDOUT);
}

static void elsewhere_the_consumer_says_how_long_it_was(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *some = some_context(), *ctx = wh_with_timeout(some, WH_SEC(50));
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    from_elsewhere();
    const int64_t before = wh_now();
    WH_AUTO wh_ctx *told = wh_extract_bytes(NULL, bytes, len, .waited = WH_SEC(20));
    WH_AUTO wh_ctx *untold = wh_extract_bytes(NULL, bytes, len);
    WH_AUTO wh_ctx *backwards = wh_extract_bytes(NULL, bytes, len, .waited = -WH_SEC(20));
    WH_AUTO wh_ctx *late = wh_extract_bytes(NULL, bytes, len, .waited = WH_SEC(51));
    const int64_t after = wh_now();
    assert_true(wh_deadline(told) <= after + WH_SEC(30) && wh_deadline(told) > before + WH_SEC(29));
    assert_true(wh_deadline(untold) <= after + WH_SEC(50) && wh_deadline(untold) > before + WH_SEC(49));
    assert_true(wh_deadline(backwards) <= after + WH_SEC(50)); /* the budget does not grow */
    assert_int_equal(wh_err(late), ETIMEDOUT);
}

static void an_earlier_deadline_of_the_consumer_holds(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(50)), *own = wh_with_timeout(NULL, WH_SEC(5));
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    WH_AUTO wh_ctx *back = wh_extract_bytes(own, bytes, len);
    assert_true(wh_deadline(back) == wh_deadline(own));
}

static void under_a_clock_of_ones_own_the_consumer_says_it(void **state)
{
    (void)state;
    wh_clock *clock = wh_clock_new(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock), *ctx = wh_with_timeout(root, WH_SEC(3));
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    wh_clock_advance(clock, WH_SEC(2));
    WH_AUTO wh_ctx *back = wh_extract_bytes(root, bytes, len, .waited = WH_SEC(2));
    assert_true(wh_deadline(back) == WH_SEC(3));
    wh_clock_advance(clock, WH_SEC(1));
    assert_int_equal(wh_err(back), ETIMEDOUT);
    wh_clock_free(clock);
}

static void a_child_has_the_clock_of_its_parent(void **state)
{
    (void)state;
    const uint64_t ours = wh__boot();
    int status;
    assert_true(ours != 0);
    const pid_t pid = fork_at_rest();
    if (pid == 0) _exit(wh__boot() == ours ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void the_consumers_span_says_that_it_came_too_late(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *send = wh_start(spans.root, "send", .kind = WH_PRODUCER, .timeout = WH_MS(5));
    const size_t len = wh_inject_bytes(send, bytes, sizeof bytes);
    wh_end(send);
    wh_sleep(NULL, WH_MS(10));
    wh_ctx *from = wh_extract_bytes(spans.root, bytes, len);
    wh_ctx *work = wh_start(from, "process", .kind = WH_CONSUMER);
    assert_int_equal(wh_err(work), ETIMEDOUT);
    wh_end(work);
    wh_end(from);
    const struct wh_span_view sent = span_named(&spans, "send"), span = span_named(&spans, "process");
    assert_memory_equal(span.parent_span_id, sent.span_id, 8);
    assert_true(span_bool(&span, "whence.cancelled"));
    assert_string_equal(span_text(&span, "whence.cancel.reason"), "deadline_exceeded");
    assert_true(span_double(&span, "whence.deadline.budget_ms") <= -5); /* so late it was */
    assert_int_equal(span.status, WH_STATUS_UNSET); /* it is the producer's deadline */
    spans_end(&spans);
}

/* ---- hostile bytes ---- */

static void is_nothing(const void *from, size_t len)
{
    WH_AUTO wh_ctx *ctx = wh_extract_bytes(NULL, from, len);
    struct wh_span_context span;
    assert_false(wh_span_of(ctx, &span));
    assert_null(wh_request_id(ctx));
    struct wh_baggage_member member;
    assert_false(wh_baggage_at(ctx, 0, &member));
    assert_true(wh_deadline(ctx) == WH_NEVER);
    assert_int_equal(wh_err(ctx), 0);
}

static void what_is_not_sound_says_nothing(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *some = some_context(), *ctx = wh_with_timeout(some, WH_SEC(50));
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes - 1);
    is_nothing(NULL, 0);
    for (size_t cut = 0; cut < len; cut++) is_nothing(bytes, cut);
    bytes[len] = 0;
    is_nothing(bytes, len + 1);
    is_nothing(bytes, sizeof bytes);
    for (int i = 0; i < 4; i++) {
        bytes[i]++;
        is_nothing(bytes, len);
        bytes[i]--;
    }
    for (size_t i = WH__BYTES_HEAD; i < len; i++) {
        const uint8_t was = bytes[i];
        bytes[i] = was ? 0 : 'x'; /* a zero where none may be, or none where one must be */
        is_nothing(bytes, len);
        bytes[i] = was;
    }
    WH_AUTO wh_ctx *back = wh_extract_bytes(NULL, bytes, len);
    assert_string_equal(wh_request_id(back), "r-17");
}

static void a_field_that_is_malformed_breaks_no_other(void **state)
{
    (void)state;
    struct wh_span_context span;
    WH_AUTO wh_ctx *ctx = some_context();
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    uint8_t *at = memmem(bytes, len, "00-0af7", 7);
    assert_non_null(at);
    at[2] = '+';
    WH_AUTO wh_ctx *back = wh_extract_bytes(NULL, bytes, len);
    assert_false(wh_span_of(back, &span));
    assert_string_equal(wh_request_id(back), "r-17");
    assert_string_equal(wh_baggage(back, "tenant"), "blue");
}

static void no_instant_and_no_duration_makes_the_budget_grow(void **state)
{
    (void)state;
    static const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(50));
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
        for (int at = 0; at < 8; at++) bytes[12 + at] = (uint8_t)((uint64_t)odd[i] >> (56 - 8 * at));
        WH_AUTO wh_ctx *back = wh_extract_bytes(NULL, bytes, len, .waited = odd[i]);
        assert_true(wh_deadline(back) <= wh_now() + WH_SEC(50));
        for (int at = 0; at < 8; at++) bytes[20 + at] = (uint8_t)((uint64_t)odd[i] >> (56 - 8 * at));
        WH_AUTO wh_ctx *second = wh_extract_bytes(ctx, bytes, len, .waited = odd[i]);
        assert_true(wh_deadline(second) <= wh_deadline(ctx));
    }
}

/* ---- memory ---- */

static int allocations;

static bool count_allocations(size_t size)
{
    (void)size;
    allocations++;
    return true;
}

static void unsound_bytes_allocate_nothing(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = some_context();
    size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    allocations = 0;
    wh__mem_gate = count_allocations;
    assert_int_equal(wh_inject_bytes(ctx, bytes, sizeof bytes), len);
    assert_int_equal(allocations, 0);
    bytes[3]++;
    wh_end(wh_extract_bytes(NULL, bytes, len)); /* one context, of the thread's own memory */
    assert_int_equal(allocations, 0);
    bytes[3]--;
    wh_end(wh_extract_bytes(NULL, bytes, len));
    wh__mem_gate = NULL;
    assert_int_equal(allocations, 2); /* a tracestate and a baggage */
}

static void without_memory_there_is_a_context(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = some_context();
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    for (size_t n = 0; n < 3; n++) {
        memory_ends_after(n);
        wh_ctx *back = wh_extract_bytes(NULL, bytes, len);
        memory_is_back();
        assert_non_null(back);
        wh_end(back);
    }
}

static void an_older_caller_knows_of_no_waiting(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(50));
    const size_t len = wh_inject_bytes(ctx, bytes, sizeof bytes);
    from_elsewhere();
    const struct wh_bytes_opts opts = {.size = offsetof(struct wh_bytes_opts, waited), .site = WH_HERE, .bytes = bytes, .len = len,
        .waited = WH_SEC(60)};
    WH_AUTO wh_ctx *back = wh_extract_bytes_at(NULL, &opts);
    assert_int_equal(wh_err(back), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fields_come_back),
        cmocka_unit_test(every_propagators_fields_come_back),
        cmocka_unit_test(what_nobody_asked_for_does_not_travel),
        cmocka_unit_test(nothing_is_written_where_there_is_no_room),
        cmocka_unit_test(what_is_too_much_is_left_out_whole),
        cmocka_unit_test(the_time_in_the_queue_is_deducted_exactly),
        cmocka_unit_test(a_message_can_outlive_its_deadline),
        cmocka_unit_test(what_had_no_time_left_arrives_so),
        cmocka_unit_test(elsewhere_the_consumer_says_how_long_it_was),
        cmocka_unit_test(an_earlier_deadline_of_the_consumer_holds),
        cmocka_unit_test(under_a_clock_of_ones_own_the_consumer_says_it),
        cmocka_unit_test(a_child_has_the_clock_of_its_parent),
        cmocka_unit_test(the_consumers_span_says_that_it_came_too_late),
        cmocka_unit_test(what_is_not_sound_says_nothing),
        cmocka_unit_test(a_field_that_is_malformed_breaks_no_other),
        cmocka_unit_test(no_instant_and_no_duration_makes_the_budget_grow),
        cmocka_unit_test(unsound_bytes_allocate_nothing),
        cmocka_unit_test(without_memory_there_is_a_context),
        cmocka_unit_test(an_older_caller_knows_of_no_waiting),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
