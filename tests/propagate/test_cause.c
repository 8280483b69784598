/* Why a callee gave up, from context to context (whence/cause.h). */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gate.h"
#include "test.h"

WH_REASON(over_quota, "over_quota", .http_status = 429);

static char field[WH_CAUSE_SIZE];
static struct wh_because list[WH_CAUSES_MAX];

static struct wh_cause_stats stats(void)
{
    struct wh_cause_stats now = {.size = sizeof now};
    wh_cause_stats(&now);
    return now;
}

static int usual(void **state)
{
    (void)state;
    wh_set_cause_policy(true, true);
    return 0;
}

/* ---- there and back ---- */

static void what_a_callee_says_is_on_the_clients_span(void **state)
{
    (void)state;
    struct spans spans = spans_begin_with((struct wh_provider_opts){.service = "price"});
    struct wh_span_context said;
    char id[33];
    wh_ctx *server = wh_start(spans.root, "GET /price", .kind = WH_SERVER), *client = wh_start(spans.root, "client", .kind = WH_CLIENT);
    assert_true(wh_span_of(server, &said));
    wh_cancel(server, over_quota, "too many of \"them\"");
    const size_t len = wh_cause_write(server, field, sizeof field);
    assert_int_equal(len, strlen(field));
    assert_non_null(strstr(field, "over_quota;v=1;m=%\"too many of %22them%22\";s=\"test_cause.c:"));
    assert_non_null(strstr(field, "what_a_callee_says_is_on_the_clients_span\";t=\""));
    assert_non_null(strstr(field, ";n=%\"GET /price\";o=%\"price\""));
    assert_true(wh_cause_read(client, field));
    wh_fail(client, EIO, "no price");
    assert_int_equal(wh_causes(client, list, WH_CAUSES_MAX), 2);
    assert_string_equal(list[0].reason, "EIO");
    assert_string_equal(list[1].reason, "over_quota");
    assert_true(list[1].remote);
    wh_end(client);
    wh_end(server);
    const struct wh_span_view c = span_named(&spans, "client");
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_REASON), "over_quota");
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_MESSAGE), "too many of \"them\"");
    assert_non_null(strstr(span_text(&c, WH_ATTR_CALLEE_SITE), "test_cause.c:"));
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_SPAN_NAME), "GET /price");
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_SERVICE), "price");
    wh__hex(id, said.trace_id, 16);
    id[32] = '\0';
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_TRACE_ID), id);
    wh__hex(id, said.span_id, 8);
    id[16] = '\0';
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_SPAN_ID), id);
    spans_end(&spans);
}

/* One service after the other fails because of the one that it calls: as many as there are, the first cause is known. */
static void over_many_services_the_first_cause_stays(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *first = wh_start(spans.root, "first", .kind = WH_SERVER);
    wh_cancel(first, over_quota, "where it began");
    assert_true(wh_cause_write(first, field, sizeof field) > 0);
    for (int hop = 0; hop < 20; hop++) {
        wh_ctx *server = wh_start(spans.root, "server", .kind = WH_SERVER), *client = wh_start(server, "client", .kind = WH_CLIENT);
        assert_true(wh_cause_read(client, field));
        wh_fail(client, EIO, "of a length that fills the field after some hops: ............................................ and more");
        wh_end(client);
        assert_true(wh_cause_write(server, field, sizeof field) > 0);
        wh_end(server);
    }
    assert_true(wh_cause_read(first, field));
    wh_ctx *last = wh_start(spans.root, "last");
    assert_true(wh_cause_read(last, field));
    const size_t count = wh_causes(last, list, WH_CAUSES_MAX);
    assert_in_range(count, 3, WH_CAUSES_MAX);
    assert_string_equal(list[count - 1].reason, "over_quota");
    assert_string_equal(list[count - 1].text, "where it began");
    assert_string_equal(list[0].reason, "EIO");
    wh_end(last);
    wh_end(first);
    spans_end(&spans);
}

static void without_a_span_there_is_a_reason_and_a_place(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    assert_int_equal(wh_cause_write(ctx, field, sizeof field), 0);
    wh_cancel(ctx, over_quota, NULL);
    assert_true(wh_cause_write(ctx, field, sizeof field) > 0);
    assert_non_null(strstr(field, "over_quota;v=1;s=\"test_cause.c:"));
    assert_null(strstr(field, ";t="));
    assert_null(strstr(field, ";m="));
    assert_true(wh_cause_read(NULL, field)); /* nobody to be told */
}

static void whoever_vanished_is_unknown(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *client = wh_start(spans.root, "client", .kind = WH_CLIENT);
    wh_set_cause_policy(false, false); /* that concerns what others say */
    wh_callee_vanished(client);
    wh_fail(client, ECONNRESET, NULL);
    assert_int_equal(wh_causes(client, list, WH_CAUSES_MAX), 2);
    assert_string_equal(list[1].reason, "unknown");
    wh_end(client);
    const struct wh_span_view c = span_named(&spans, "client");
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_REASON), "unknown");
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_MESSAGE), "peer vanished");
    spans_end(&spans);
}

/* ---- what one wants of it ---- */

static void nothing_to_say_is_not_counted(void **state)
{
    (void)state;
    const struct wh_cause_stats before = stats();
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    strcpy(field, "before");
    assert_int_equal(wh_cause_write(ctx, field, sizeof field), 0);
    assert_string_equal(field, "");
    assert_int_equal(wh_cause_write(ctx, NULL, 0), 0);
    assert_int_equal(stats().sent, before.sent);
    assert_int_equal(stats().hidden, before.hidden);
}

static void who_does_not_send_says_nothing(void **state)
{
    (void)state;
    const struct wh_cause_stats before = stats();
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_cancel(ctx, over_quota, NULL);
    wh_set_cause_policy(false, true);
    assert_int_equal(wh_cause_write(ctx, field, sizeof field), 0);
    assert_string_equal(field, "");
    assert_int_equal(stats().hidden, before.hidden + 1);
    assert_true(wh_cause_read(ctx, "timeout;v=1"));
    wh_set_cause_policy(true, true);
    assert_true(wh_cause_write(ctx, field, sizeof field) > 0);
    assert_int_equal(stats().sent, before.sent + 1);
}

static void who_does_not_accept_reads_nothing(void **state)
{
    (void)state;
    const struct wh_cause_stats before = stats();
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_set_cause_policy(true, false);
    assert_false(wh_cause_read(ctx, "timeout;v=1"));
    assert_int_equal(wh_causes(ctx, list, WH_CAUSES_MAX), 0);
    assert_int_equal(stats().unwanted, before.unwanted + 1);
    assert_int_equal(stats().refused, before.refused);
    wh_set_cause_policy(true, true);
    assert_true(wh_cause_read(ctx, "timeout;v=1"));
    assert_int_equal(stats().accepted, before.accepted + 1);
    assert_int_equal(wh_causes(ctx, list, WH_CAUSES_MAX), 1);
}

static void below_a_hidden_context_nobody_says_anything(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const struct wh_cause_stats before = stats();
    WH_AUTO wh_ctx *hidden = wh_with_hidden_cause(spans.root);
    wh_ctx *server = wh_start(hidden, "server", .kind = WH_SERVER), *below = wh_start(server, "below");
    wh_fail(below, EIO, "inside");
    wh_cancel(server, over_quota, NULL);
    assert_int_equal(wh_cause_write(server, field, sizeof field), 0);
    assert_int_equal(wh_cause_write(below, field, sizeof field), 0);
    assert_string_equal(field, "");
    assert_int_equal(stats().hidden, before.hidden + 2);
    assert_true(wh_causes(server, list, WH_CAUSES_MAX) > 0); /* inside it is known */
    assert_true(wh_cause_read(below, "timeout;v=1"));        /* and what others say is heard */
    wh_end(below);
    wh_end(server);
    wh_end(hidden);
    hidden = NULL;
    spans_end(&spans);
}

static void an_older_caller_gets_what_it_knows_of(void **state)
{
    (void)state;
    struct wh_cause_stats some;
    memset(&some, 0x5a, sizeof some);
    some.size = offsetof(struct wh_cause_stats, refused);
    wh_cause_stats(&some);
    assert_int_equal(some.size, offsetof(struct wh_cause_stats, refused));
    assert_int_equal(some.accepted, stats().accepted);
    assert_int_equal(some.refused, UINT64_C(0x5a5a5a5a5a5a5a5a));
}

/* ---- strangers ---- */

static size_t allocations;

static bool count_allocations(size_t size)
{
    (void)size;
    allocations++;
    return true;
}

static void what_is_refused_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "timeout", "timeout;v=2", "timeout;v=1,", "a;v=1;m=%\"%0a\"", "a;v=1;t=\"00\"", "\xff",
        "a;v=1;m=%\"<script>", "a;v=1\r\nset-cookie: b"};
    struct spans spans = spans_begin();
    wh_ctx *client = wh_start(spans.root, "client", .kind = WH_CLIENT);
    const struct wh_cause_stats before = stats();
    wh__mem_gate = count_allocations;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(wh_cause_read(client, bad[i]));
    char *huge = malloc(1 << 20);
    memset(huge, 'a', 1 << 20);
    assert_false(wh_cause_read(client, huge)); /* without an end */
    free(huge);
    char *exact = malloc(WH_CAUSE_SIZE);
    memset(exact, 'a', WH_CAUSE_SIZE);
    assert_false(wh_cause_read(client, exact)); /* nor is one looked for */
    free(exact);
    wh__mem_gate = NULL;
    assert_int_equal(allocations, 0);
    assert_int_equal(stats().refused, before.refused + sizeof bad / sizeof *bad + 2);
    assert_int_equal(stats().accepted, before.accepted);
    assert_int_equal(wh_causes(client, list, WH_CAUSES_MAX), 0);
    wh_end(client);
    const struct wh_span_view c = span_named(&spans, "client");
    assert_false(span_has(&c, WH_ATTR_CALLEE_REASON));
    spans_end(&spans);
}

/* It does not cancel, fail or change a status: it is a remark. */
static void what_is_taken_controls_nothing(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *client = wh_start(spans.root, "client", .kind = WH_CLIENT);
    assert_true(wh_cause_read(client, "shutdown;v=1;m=%\"error=true\";n=%\"exception\""));
    assert_int_equal(wh_err(client), 0);
    wh_end(client);
    const struct wh_span_view c = span_named(&spans, "client");
    assert_int_equal(c.status, WH_STATUS_UNSET);
    assert_false(span_has(&c, WH_ATTR_CANCELLED));
    assert_false(span_has(&c, WH_ATTR_ERROR_TYPE));
    assert_string_equal(span_text(&c, WH_ATTR_CALLEE_REASON), "shutdown");
    spans_end(&spans);
}

/* ---- memory ---- */

static void each_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t nth = 1; nth < 40; nth++) {
        struct spans spans = spans_begin();
        wh_ctx *server = wh_start(spans.root, "server", .kind = WH_SERVER), *client = wh_start(server, "client", .kind = WH_CLIENT);
        memory_fails_once_at(nth);
        WH_AUTO wh_ctx *hidden = wh_with_hidden_cause(client);
        wh_cause_read(client, "timeout;v=1;m=%\"late\", shutdown;o=%\"far\"");
        wh_fail(client, EIO, "no price");
        const size_t len = wh_cause_write(server, field, sizeof field);
        wh_cancel(server, over_quota, NULL);
        const size_t of_cancel = wh_cause_write(server, field, sizeof field);
        memory_is_back();
        assert_true(len < sizeof field && of_cancel > 0 && of_cancel == strlen(field));
        if (wh_cause(hidden) != WH_NO_MEMORY) assert_int_equal(wh_cause_write(hidden, field, sizeof field), 0);
        wh_end(client);
        wh_end(server);
        wh_end(hidden);
        hidden = NULL;
        spans_end(&spans);
    }
}

/* ---- threads ---- */

static struct wh_ctx *shared;

static void *write_and_read(void *arg)
{
    char value[WH_CAUSE_SIZE];
    (void)arg;
    for (int i = 0; i < 300; i++) {
        struct wh_cause_stats now = {.size = sizeof now};
        wh_cause_write(shared, value, sizeof value);
        assert_true(*value == '\0' || strstr(value, "over_quota;v=1") == value);
        wh_cause_read(shared, i % 2 ? "timeout;v=1" : "timeout");
        wh_set_cause_policy(i % 3, i % 5);
        wh_cause_stats(&now);
    }
    return NULL;
}

static void any_thread_may_do_it(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    pthread_t threads[4];
    shared = wh_start(spans.root, "shared");
    wh_cancel(shared, over_quota, NULL);
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, write_and_read, NULL), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    wh_end(shared);
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_a_callee_says_is_on_the_clients_span, usual),
        cmocka_unit_test_teardown(over_many_services_the_first_cause_stays, usual),
        cmocka_unit_test_teardown(without_a_span_there_is_a_reason_and_a_place, usual),
        cmocka_unit_test_teardown(whoever_vanished_is_unknown, usual),
        cmocka_unit_test_teardown(nothing_to_say_is_not_counted, usual),
        cmocka_unit_test_teardown(who_does_not_send_says_nothing, usual),
        cmocka_unit_test_teardown(who_does_not_accept_reads_nothing, usual),
        cmocka_unit_test_teardown(below_a_hidden_context_nobody_says_anything, usual),
        cmocka_unit_test_teardown(an_older_caller_gets_what_it_knows_of, usual),
        cmocka_unit_test_teardown(what_is_refused_leaves_nothing_behind, usual),
        cmocka_unit_test_teardown(what_is_taken_controls_nothing, usual),
        cmocka_unit_test_teardown(each_allocation_may_fail, usual),
        cmocka_unit_test_teardown(any_thread_may_do_it, usual),
    };
    return cmocka_run_group_tests_name("cause", tests, NULL, NULL);
}
