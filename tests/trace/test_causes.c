/* Chains of causes: what wh_causes() tells of contexts that are done or have failed. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cancelled.h"
#include "gate.h"
#include "trace/callee.h"

WH_REASON(over_quota, "over_quota", .http_status = 429);

static struct wh_because list[WH_CAUSES_MAX];

static void assert_link_is(size_t i, const char *reason, const char *text, const char *func, const wh_ctx *span)
{
    struct wh_span_context ids;
    assert_string_equal(list[i].reason, reason);
    if (text) assert_string_equal(list[i].text, text);
    if (func) assert_non_null(strstr(list[i].site, func));
    if (!span) return;
    assert_true(wh_span_of(span, &ids));
    assert_memory_equal(list[i].span_id, ids.span_id, 8);
    assert_memory_equal(list[i].trace_id, ids.trace_id, 16);
}

static void neither_done_nor_failed(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "span");
    assert_int_equal(wh_causes(span, list, WH_CAUSES_MAX), 0);
    assert_int_equal(wh_causes(NULL, list, WH_CAUSES_MAX), 0);
    wh_end(span);
    spans_end(&spans);
}

static void a_cancel_alone_is_a_chain_of_one(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "span");
    wh_ctx *below = wh_start(span, "below");
    wh_cancel(span, over_quota, "too many");
    assert_int_equal(wh_causes(below, list, WH_CAUSES_MAX), 1);
    assert_link_is(0, "over_quota", "too many", __func__, span);
    assert_string_equal(list[0].span_name, "span");
    assert_non_null(list[0].service);
    assert_false(list[0].remote);
    assert_int_equal(wh_causes(below, list, 0), 0);
    wh_end(below);
    wh_end(span);
    spans_end(&spans);
}

static void a_failure_is_known_above_it(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *server = wh_start(spans.root, "server", .kind = WH_SERVER);
    wh_ctx *step = wh_with_cancel(server);
    wh_ctx *client = wh_start(step, "client", .kind = WH_CLIENT);
    wh_fail(client, ECONNREFUSED, "nobody listens");
    assert_int_equal(wh_causes(client, list, WH_CAUSES_MAX), 1);
    assert_link_is(0, "ECONNREFUSED", "nobody listens", __func__, client);
    assert_int_equal(wh_causes(server, list, WH_CAUSES_MAX), 1);
    assert_link_is(0, "ECONNREFUSED", "nobody listens", __func__, client);
    wh_fail(server, EIO, "no price");
    assert_int_equal(wh_causes(server, list, WH_CAUSES_MAX), 2);
    assert_link_is(0, "EIO", "no price", __func__, server);
    assert_link_is(1, "ECONNREFUSED", "nobody listens", __func__, client);
    wh_fail(server, EIO, "said again"); /* not because of what it has said before */
    assert_int_equal(wh_causes(server, list, WH_CAUSES_MAX), 2);
    assert_link_is(0, "EIO", "said again", __func__, server);
    assert_link_is(1, "ECONNREFUSED", NULL, NULL, client);
    assert_int_equal(wh_causes(spans.root, list, WH_CAUSES_MAX), 0); /* no span */
    wh_end(client);
    wh_end(step);
    wh_end(server);
    spans_end(&spans);
}

static void a_cancel_because_of_another_goes_on_with_its_chain(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *late = wh_start(spans.root, "late", .timeout = 1);
    wh_ctx *stopped = wh_start(spans.root, "stopped");
    wh_ctx *last = wh_start(spans.root, "last");
    wh_wait(late, WH_SEC(5));
    assert_true(wh_cancel_because(stopped, over_quota, "no use", late));
    assert_true(wh_cancel_because(last, NULL, NULL, stopped));
    assert_false(wh_cancel_because(last, NULL, NULL, late));
    wh_end(late);
    assert_int_equal(wh_causes(last, list, WH_CAUSES_MAX), 3);
    assert_link_is(0, "canceled", NULL, __func__, last);
    assert_null(list[0].text);
    assert_link_is(1, "over_quota", "no use", __func__, stopped);
    assert_link_is(2, "deadline_exceeded", NULL, __func__, NULL);
    assert_string_equal(list[2].span_name, "late");
    wh_end(stopped);
    wh_end(last);
    spans_end(&spans);
}

static void what_a_callee_said_goes_on(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *server = wh_start(spans.root, "server", .kind = WH_SERVER);
    wh_ctx *client = wh_start(server, "client", .kind = WH_CLIENT);
    const struct wh_because said[] = {
        {.reason = "deadline_exceeded", .site = "rates.c:40 handle", .span_name = "GET /rate", .service = "price", .span_id = {1}, .trace_id = {2}},
        {.reason = "ECONNREFUSED", .text = "nobody listens", .service = "rates"},
    };
    wh__note_callee(client, said, 2);
    assert_int_equal(wh_causes(server, list, WH_CAUSES_MAX), 2);
    wh_fail(client, EIO, "no price");
    wh_end(client);
    assert_int_equal(wh_causes(server, list, WH_CAUSES_MAX), 3);
    assert_link_is(0, "EIO", "no price", __func__, NULL);
    assert_link_is(1, "deadline_exceeded", NULL, "rates.c:40 handle", NULL);
    assert_string_equal(list[1].service, "price");
    assert_true(list[1].remote && list[2].remote && !list[0].remote);
    assert_link_is(2, "ECONNREFUSED", "nobody listens", NULL, NULL);
    const struct wh_span_view view = span_named(&spans, "client");
    assert_string_equal(span_text(&view, "whence.callee.reason"), "deadline_exceeded");
    assert_string_equal(span_text(&view, "whence.callee.service"), "price");
    assert_string_equal(span_text(&view, "whence.callee.span_id"), "0100000000000000");
    assert_false(span_has(&view, "whence.callee.message"));
    wh_end(server);
    spans_end(&spans);
}

/* The callee was told to stop, by whom it does not know: it was our own deadline. */
static void T151_the_own_deadline_counts_whatever_the_wire_says(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *client = wh_start(spans.root, "client", .kind = WH_CLIENT, .timeout = 1);
    wh_wait(client, WH_SEC(5));
    wh__note_callee(client, &(struct wh_because){.reason = "canceled", .service = "price"}, 1);
    assert_ptr_equal(wh_cause(client), WH_DEADLINE_EXCEEDED);
    assert_int_equal(wh_http_status(client), 504);
    assert_int_equal(wh_causes(client, list, WH_CAUSES_MAX), 1);
    assert_link_is(0, "deadline_exceeded", NULL, __func__, client);
    wh_end(client);
    const struct wh_span_view view = span_named(&spans, "client");
    assert_string_equal(span_text(&view, WH_ATTR_CANCEL_REASON), "deadline_exceeded");
    assert_string_equal(span_text(&view, WH_ATTR_ERROR_TYPE), "timeout");
    assert_string_equal(span_text(&view, WH_ATTR_CALLEE_REASON), "canceled");
    spans_end(&spans);
}

/* The nearest and the farthest stay: never more than eight, and the first cause is always among them. */
static void a_long_chain_is_cut_in_the_middle(void **state)
{
    (void)state;
    enum { LONG = 40 };
    wh_ctx *chain[LONG];
    for (int i = 0; i < LONG; i++) {
        chain[i] = wh_with_cancel(NULL);
        char text[20];
        snprintf(text, sizeof text, "%d", i);
        wh_cancel_because(chain[i], over_quota, text, i ? chain[i - 1] : NULL);
        const size_t count = wh_causes(chain[i], list, WH_CAUSES_MAX);
        assert_int_equal(count, i < WH_CAUSES_MAX ? i + 1 : WH_CAUSES_MAX);
        assert_string_equal(list[0].text, text);
        assert_string_equal(list[count - 1].text, "0");
        for (size_t j = 1; j < count; j++) assert_true(atoi(list[j].text) < atoi(list[j - 1].text));
        if (i) assert_int_equal(atoi(list[1].text), i - 1);
        assert_int_equal(wh_causes(chain[i], list, 2), i ? 2 : 1);
        assert_string_equal(list[i ? 1 : 0].text, "0");
    }
    for (int i = 0; i < LONG; i++) wh_end(chain[i]);
}

static int is_stopped(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    WH_AUTO wh_ctx *span = wh_start(ctx, "stopped");
    return wh_wait(span, WH_SEC(10));
}

static int fails(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    WH_AUTO wh_ctx *span = wh_start(ctx, "fails");
    return wh_fail(span, ECONNREFUSED, "no price today");
}

static void a_sibling_is_cancelled_because_of_the_failure(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *request = wh_start(spans.root, "request");
    wh_group *group = wh_group_new(request);
    wh_go(group, is_stopped, NULL);
    wh_go(group, fails, NULL);
    assert_int_equal(wh_group_wait(group), ECONNREFUSED);
    assert_int_equal(wh_causes(wh_group_ctx(group), list, WH_CAUSES_MAX), 2);
    assert_link_is(0, "sibling_failed", "no price today", "fails", NULL);
    assert_link_is(1, "ECONNREFUSED", "no price today", "fails", NULL);
    assert_string_equal(list[1].span_name, "fails");
    wh_group_free(group);
    wh_end(request);
    spans_end(&spans);
}

/* ---- two failures at once ---- */

static struct {
    pthread_barrier_t failed;
    bool before; /* the second says so before the group knows of the first; otherwise when it was stopped */
} two;

static int refuses_the_card(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "check card");
    (void)arg;
    const int rc = wh_fail_as(span, EACCES, "card_refused", "card refused");
    pthread_barrier_wait(&two.failed);
    if (two.before) pthread_barrier_wait(&two.failed);
    return rc;
}

static int finds_no_street(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *step = wh_start(ctx, "step"), *span = wh_start(step, "check address");
    (void)arg;
    pthread_barrier_wait(&two.failed);
    if (!two.before) wh_wait(span, WH_NEVER);
    const int rc = wh_fail_as(span, EINVAL, "no_such_street", "no such street");
    if (two.before) pthread_barrier_wait(&two.failed);
    wh_wait(span, WH_NEVER);
    return rc;
}

/* The group's cause and that of the request are the same failure, and the other is in neither. */
static void the_second_of_two_failures_is_not_what_the_request_failed_of(void **state)
{
    (void)state;
    for (int before = 0; before < 2; before++) {
        struct spans spans = spans_begin();
        two.before = before;
        pthread_barrier_init(&two.failed, NULL, 2);
        wh_ctx *request = wh_start(spans.root, "request"), *outer = wh_start(request, "checks");
        wh_group *group = wh_group_new(outer);
        wh_go(group, refuses_the_card, NULL);
        wh_go(group, finds_no_street, NULL);
        assert_int_equal(wh_group_wait(group), EACCES);
        assert_int_equal(wh_causes(wh_group_ctx(group), list, WH_CAUSES_MAX), 2);
        assert_link_is(0, "sibling_failed", "card refused", "refuses_the_card", NULL);
        assert_link_is(1, "card_refused", "card refused", "refuses_the_card", NULL);
        assert_int_equal(wh_causes(outer, list, WH_CAUSES_MAX), 1);
        assert_link_is(0, "card_refused", "card refused", "refuses_the_card", NULL);
        wh_group_free(group);
        wh_fail_as(request, 0, "502", NULL);
        assert_int_equal(wh_causes(request, list, WH_CAUSES_MAX), 2);
        assert_link_is(0, "502", NULL, __func__, request);
        assert_link_is(1, "card_refused", NULL, "refuses_the_card", NULL);
        wh_end(outer);
        wh_end(request);
        const struct wh_span_view address = span_named(&spans, "check address"), failed = span_named(&spans, "request");
        assert_string_equal(span_text(&address, WH_ATTR_ERROR_TYPE), "no_such_street");
        assert_string_equal(span_text(&address, WH_ATTR_CANCEL_REASON), "sibling_failed");
        assert_string_equal(span_text(&failed, WH_ATTR_CAUSE_ROOT_REASON), "card_refused");
        spans_end(&spans);
        pthread_barrier_destroy(&two.failed);
    }
}

/* After the group what fails is again what the request has failed of. */
static void a_failure_after_the_group_is_the_latest(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *request = wh_start(spans.root, "request");
    wh_group *group = wh_group_new(request);
    wh_go(group, fails, NULL);
    assert_int_equal(wh_group_wait(group), ECONNREFUSED);
    wh_ctx *instead = wh_start(request, "instead");
    wh_fail(instead, ENOENT, "not in the cache either");
    wh_end(instead);
    assert_int_equal(wh_causes(request, list, WH_CAUSES_MAX), 1);
    assert_link_is(0, "ENOENT", NULL, __func__, NULL);
    wh_group_free(group);
    wh_end(request);
    spans_end(&spans);
}

/* ---- in words ---- */

static const char *words_of(const wh_ctx *ctx)
{
    static char words[2000];
    assert_true(wh_explain(ctx, words, sizeof words) < sizeof words);
    return words;
}

static const char *line_of(const wh_ctx *ctx, enum wh_log_level level)
{
    static char line[1000];
    assert_int_equal(wh_log_done(ctx, line, sizeof line), level);
    assert_null(strchr(line, '\n'));
    return line;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("no <%s> in <%s>", part, text);
}

static void the_chain_in_words(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *late = wh_start(spans.root, "late", .timeout = 1);
    wh_ctx *stopped = wh_start(spans.root, "stopped");
    wh_wait(late, WH_SEC(5));
    wh_cancel_because(stopped, over_quota, "no use", late);
    assert_has(words_of(stopped), "canceled: over_quota \"no use\" at test_causes.c:");
    assert_has(words_of(stopped), "\n  because  deadline_exceeded at test_causes.c:");
    assert_has(words_of(stopped), " \"late\" of ");
    assert_null(strstr(words_of(late), "because"));
    assert_has(line_of(stopped, WH_LOG_INFO), ", because deadline_exceeded");
    assert_has(line_of(stopped, WH_LOG_INFO), " trace_id=");
    assert_has(line_of(stopped, WH_LOG_INFO), " span_id=");
    assert_has(line_of(late, WH_LOG_WARN), "timed out: deadline_exceeded at ");
    assert_null(strstr(line_of(late, WH_LOG_WARN), "because"));
    wh_end(late);
    wh_end(stopped);
    spans_end(&spans);
}

/* What failed below may have been coped with: loud is only what has failed itself. */
static void a_failure_in_words(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *server = wh_start(spans.root, "server"), *client = wh_start(server, "client");
    assert_has(line_of(server, WH_LOG_INFO), "not done");
    assert_null(strstr(line_of(server, WH_LOG_INFO), "failed"));
    wh_fail(client, ECONNREFUSED, "nobody\nlistens");
    wh_end(client);
    assert_has(words_of(server), "not done\n  failed   ECONNREFUSED \"nobody?listens\" at test_causes.c:");
    assert_has(line_of(server, WH_LOG_INFO), ", failed: ECONNREFUSED \"nobody?listens\"");
    wh_fail(server, EIO, NULL);
    assert_has(words_of(server), "\n  failed   EIO at test_causes.c:");
    assert_has(words_of(server), "\n  because  ECONNREFUSED ");
    assert_has(line_of(server, WH_LOG_ERROR), ", because ECONNREFUSED trace_id=");
    wh_end(server);
    spans_end(&spans);
}

static void the_line_and_the_ids_fit_any_buffer(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *span = wh_start(spans.root, "span");
    char whole[600], part[600], fields[WH_LOG_FIELDS];
    wh_cancel(span, over_quota, "too much \xc3\xa4\xc3\xa4\xc3\xa4");
    wh_log_done(span, whole, sizeof whole);
    const size_t tail = wh_log_fields(span, fields, sizeof fields);
    for (size_t size = 0; size < 400; size++) {
        memset(part, '#', sizeof part);
        wh_log_done(span, part, size);
        assert_int_equal(part[size], '#');
        if (size == 0) continue;
        assert_true(strlen(part) < size);
        if (size > tail + 1) assert_string_equal(part + strlen(part) - tail, fields);
    }
    assert_int_equal(wh_log_done(NULL, part, sizeof part), WH_LOG_INFO);
    assert_string_equal(part, "not done");
    wh_end(span);
    spans_end(&spans);
}

/* Lucky today, an incident tomorrow. */
static void in_time_with_less_than_a_tenth_left(void **state)
{
    (void)state;
    static const struct { int64_t spent; bool nearly_late, done; } cases[] = {
        {0, false, false}, {WH_MS(900), false, false}, {WH_MS(901), true, false}, {WH_MS(999), true, false}, {WH_MS(1000), false, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct spans spans = spans_begin();
        wh_clock *clock = wh_clock_new(0);
        wh_ctx *under = wh_with_clock(spans.root, clock), *span = wh_start(under, "span", .timeout = WH_SEC(1));
        wh_clock_advance(clock, cases[i].spent);
        assert_int_equal(wh_err(span) != 0, cases[i].done);
        wh_end(span);
        const struct wh_span_view view = span_named(&spans, "span");
        assert_int_equal(span_has(&view, WH_ATTR_DEADLINE_NEARLY_LATE), cases[i].nearly_late);
        assert_true(span_double(&view, WH_ATTR_DEADLINE_REMAINING_MS) == (double)(WH_SEC(1) - cases[i].spent) / 1e6);
        assert_string_equal(span_text(&view, WH_ATTR_DEADLINE_SOURCE), "own");
        wh_end(under);
        wh_clock_free(clock);
        spans_end(&spans);
    }
}

static int64_t event_int(const struct wh_event_view *event, const char *key)
{
    struct wh_cursor cursor = {event->raw};
    struct wh_attr_view attr;
    while (wh_next_event_attr(&cursor, &attr))
        if (attr.key.len == strlen(key) && memcmp(attr.key.ptr, key, attr.key.len) == 0)
            return attr.type == WH_DOUBLE ? (int64_t)attr.as.real : attr.as.integer;
    fail_msg("the event has no %s", key);
    return 0;
}

static void how_long_it_waited_for_the_semaphore(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_sem *sem = wh_sem_new(3);
    assert_true(wh_sem_try_acquire(sem, 2));
    wh_ctx *span = wh_start(spans.root, "span", .timeout = WH_SEC(60));
    assert_int_equal(wh_sem_acquire(span, sem, 1), 0);
    wh_ctx *brief = wh_start(spans.root, "brief", .timeout = WH_MS(20));
    assert_int_equal(wh_sem_acquire(brief, sem, 2), ETIMEDOUT);
    assert_int_equal(wh_sem_acquire(brief, sem, 2), ETIMEDOUT); /* it was done before: it has waited for nothing */
    wh_sem_release(sem, 1);
    wh_ctx *other = wh_start(spans.root, "other", .timeout = WH_MS(5));
    assert_int_equal(wh_sem_acquire(other, sem, 4), ETIMEDOUT);
    wh_end(span);
    wh_end(brief);
    wh_end(other);
    struct wh_event_view event;
    struct wh_span_view view = span_named(&spans, "span");
    assert_false(span_has(&view, WH_ATTR_GAVE_UP));
    view = span_named(&spans, "brief");
    assert_true(span_event(&view, WH_EVENT_SEMAPHORE_GAVE_UP, &event));
    assert_true(event_int(&event, "waited_ms") >= 10);
    assert_int_equal(event_int(&event, "weight"), 2);
    assert_int_equal(event_int(&event, "size"), 3);
    assert_int_equal(event_int(&event, "taken"), 3);
    view = span_named(&spans, "other");
    assert_true(span_event(&view, WH_EVENT_SEMAPHORE_GAVE_UP, &event));
    assert_int_equal(event_int(&event, "weight"), 4);
    assert_int_equal(event_int(&event, "taken"), 2);
    wh_sem_free(sem);
    spans_end(&spans);
}

static int returns(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    return *(const int *)arg;
}

static bool never(int rc, void *arg)
{
    (void)rc, (void)arg;
    return false;
}

static void assert_gave_up(struct spans *spans, const char *name, const char *why, int attempts)
{
    struct wh_event_view event;
    struct wh_attr_view attr;
    const struct wh_span_view view = span_named(spans, name);
    assert_string_equal(span_text(&view, WH_ATTR_GAVE_UP), "retry");
    assert_true(span_event(&view, WH_EVENT_RETRY_GAVE_UP, &event));
    assert_int_equal(event_int(&event, "attempts"), attempts);
    for (struct wh_cursor cursor = {event.raw}; wh_next_event_attr(&cursor, &attr);) {
        if (attr.type != WH_STRING) continue;
        const bool is_why = attr.key.len == 3 && memcmp(attr.key.ptr, "why", 3) == 0;
        const char *expected = is_why ? why : "EIO";
        assert_int_equal(attr.as.string.len, strlen(expected));
        assert_memory_equal(attr.as.string.ptr, expected, strlen(expected));
    }
}

static void why_there_was_no_further_attempt(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *often = wh_start(spans.root, "often"), *once = wh_start(spans.root, "once"), *fine = wh_start(spans.root, "fine"),
           *brief = wh_start(spans.root, "brief", .timeout = WH_SEC(60)), *stopped = wh_start(spans.root, "stopped");
    assert_int_equal(wh_retry(often, returns, &(int){EIO}, .attempts = 3, .delay = -1), EIO);
    assert_int_equal(wh_retry(once, returns, &(int){EIO}, .may_retry = never), EIO);
    assert_int_equal(wh_retry(brief, returns, &(int){EIO}, .delay = WH_SEC(99), .max_delay = WH_SEC(99), .jitter = -1), EIO);
    assert_int_equal(wh_retry(fine, returns, &(int){0}), 0);
    wh_cancel(stopped, NULL, NULL);
    assert_int_equal(wh_retry(stopped, returns, &(int){0}), ECANCELED);
    wh_end(often);
    wh_end(once);
    wh_end(brief);
    wh_end(fine);
    wh_end(stopped);
    assert_gave_up(&spans, "often", "attempts", 3);
    assert_gave_up(&spans, "once", "refused", 1);
    assert_gave_up(&spans, "brief", "no_time", 1);
    struct wh_span_view view = span_named(&spans, "fine");
    assert_false(span_has(&view, WH_ATTR_GAVE_UP));
    view = span_named(&spans, "stopped");
    assert_false(span_has(&view, WH_ATTR_GAVE_UP)); /* it has not even begun */
    spans_end(&spans);
}

/* Every link may find no memory: the chain is shorter then, and what is left of it is true. */
static void without_memory_the_chain_is_shorter(void **state)
{
    (void)state;
    for (size_t n = 0; n < 12; n++) {
        struct spans spans = spans_begin();
        wh_ctx *server = wh_start(spans.root, "server"), *client = wh_start(server, "client"), *other = wh_start(spans.root, "other");
        memory_ends_after(n);
        wh_fail(client, ECONNREFUSED, "nobody listens");
        wh_fail(server, EIO, "no price");
        assert_true(wh_cancel_because(other, over_quota, "no use", server));
        const size_t count = wh_causes(other, list, WH_CAUSES_MAX);
        memory_is_back();
        assert_in_range(count, 1, 3);
        assert_string_equal(list[0].reason, "over_quota");
        for (size_t i = 1; i < count; i++) assert_true(!strcmp(list[i].reason, "EIO") || !strcmp(list[i].reason, "ECONNREFUSED"));
        wh_end(other);
        wh_end(client);
        wh_end(server);
        spans_end(&spans);
    }
}

/* In the child of a fork the chain is there as it was, and goes away on its own. */
static void a_fork_has_the_chain_too(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *late = wh_with_timeout(spans.root, 1), *stopped = wh_with_cancel(spans.root);
    wh_wait(late, WH_SEC(5));
    wh_cancel_because(stopped, over_quota, NULL, late);
    const pid_t child = fork_at_rest();
    if (child == 0) {
        wh_ctx *more = wh_with_cancel(NULL);
        const bool fine = wh_cancel_because(more, NULL, NULL, stopped) && wh_causes(more, list, WH_CAUSES_MAX) == 3 &&
                          strcmp(list[2].reason, "deadline_exceeded") == 0;
        wh_end(more);
        wh_end(stopped);
        wh_end(late);
        _exit(fine ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(wh_causes(stopped, list, WH_CAUSES_MAX), 2);
    wh_end(stopped);
    wh_end(late);
    spans_end(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neither_done_nor_failed),
        cmocka_unit_test(a_cancel_alone_is_a_chain_of_one),
        cmocka_unit_test(a_failure_is_known_above_it),
        cmocka_unit_test(a_cancel_because_of_another_goes_on_with_its_chain),
        cmocka_unit_test(what_a_callee_said_goes_on),
        cmocka_unit_test(T151_the_own_deadline_counts_whatever_the_wire_says),
        cmocka_unit_test(a_long_chain_is_cut_in_the_middle),
        cmocka_unit_test(a_sibling_is_cancelled_because_of_the_failure),
        cmocka_unit_test(the_second_of_two_failures_is_not_what_the_request_failed_of),
        cmocka_unit_test(a_failure_after_the_group_is_the_latest),
        cmocka_unit_test(the_chain_in_words),
        cmocka_unit_test(a_failure_in_words),
        cmocka_unit_test(the_line_and_the_ids_fit_any_buffer),
        cmocka_unit_test(in_time_with_less_than_a_tenth_left),
        cmocka_unit_test(how_long_it_waited_for_the_semaphore),
        cmocka_unit_test(why_there_was_no_further_attempt),
        cmocka_unit_test(without_memory_the_chain_is_shorter),
        cmocka_unit_test(a_fork_has_the_chain_too),
    };
    return cmocka_run_group_tests_name("causes", tests, NULL, NULL);
}
