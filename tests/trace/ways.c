#include "ways.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate.h"
#include "trace/callee.h"

WH_REASON(over_quota, "over_quota", .http_status = 429);

static void wait_for(const wh_ctx *ctx)
{
    assert_int_not_equal(wh_wait(ctx, WH_SEC(30)), 0);
}

/* ---- by a cancel ---- */

static void by_itself(struct spans *spans)
{
    wh_ctx *victim = wh_start(spans->root, "victim");
    wh_cancel(victim, over_quota, "too many orders");
    wh_end(victim);
}

static void by_an_ancestor(struct spans *spans)
{
    wh_ctx *top = wh_start(spans->root, "top"), *middle = wh_start(top, "middle"), *victim = wh_start(middle, "victim");
    wh_cancel(top, WH_HANDLER_RETURNED, NULL);
    wh_end(victim);
    wh_end(middle);
    wh_end(top);
}

static void because_of_another(struct spans *spans)
{
    wh_ctx *late = wh_start(spans->root, "late", .timeout = 1), *victim = wh_start(spans->root, "victim");
    wait_for(late);
    wh_cancel_because(victim, over_quota, "no use", late);
    wh_end(victim);
    wh_end(late);
}

/* Which is no matter of its own. */
static void with_a_failure_beside_it(struct spans *spans)
{
    wh_ctx *broken = wh_start(spans->root, "broken"), *victim = wh_start(spans->root, "victim");
    wh_fail(broken, EIO, "disk on fire");
    wh_end(broken);
    wh_end(victim);
}

static void because_of_a_failed_span(struct spans *spans)
{
    wh_ctx *broken = wh_start(spans->root, "broken"), *victim = wh_start(spans->root, "victim");
    wh_fail(broken, EIO, "disk on fire");
    wh_cancel_because(victim, NULL, NULL, broken);
    wh_end(broken);
    wh_end(victim);
}

static void by_the_other_source(struct spans *spans)
{
    wh_ctx *work = wh_start(spans->root, "work"), *stop = wh_with_cancel(NULL), *both = wh_merge(work, stop);
    wh_ctx *victim = wh_start(both, "victim");
    wh_cancel(stop, over_quota, NULL);
    wh_end(victim);
    wh_end(both);
    wh_end(stop);
    wh_end(work);
}

/* ---- by a deadline ---- */

static void by_its_own_deadline(struct spans *spans)
{
    wh_ctx *victim = wh_start(spans->root, "victim", .timeout = WH_MS(1));
    wait_for(victim);
    wh_end(victim);
}

static void by_the_deadline_of_an_ancestor(struct spans *spans)
{
    wh_ctx *top = wh_start(spans->root, "top", .timeout = WH_MS(1)), *middle = wh_start(top, "middle");
    wh_ctx *victim = wh_start(middle, "victim", .timeout = WH_SEC(60));
    wait_for(victim);
    wh_end(victim);
    wh_end(middle);
    wh_end(top);
}

static void by_a_clock_of_its_own(struct spans *spans)
{
    wh_clock *clock = wh_clock_new(0);
    wh_ctx *under = wh_with_clock(spans->root, clock), *victim = wh_start(under, "victim", .timeout = WH_SEC(2));
    wh_clock_advance(clock, WH_SEC(3));
    wh_end(victim);
    wh_end(under);
    wh_clock_free(clock);
}

struct field {
    const char *name, *value;
};

static const char *get_field(void *carrier, const char *name)
{
    for (const struct field *field = carrier; field->name; field++)
        if (strcmp(field->name, name) == 0) return field->value;
    return NULL;
}

static void by_the_deadline_of_the_caller(struct spans *spans)
{
    struct field fields[] = {{"traceparent", "00-" REMOTE_TRACE "-" REMOTE_SPAN "-01"}, {"whence-timeout", "1m"}, {0}};
    wh_ctx *from = wh_extract(spans->root, get_field, fields);
    wh_ctx *victim = wh_start(from, "victim", .kind = WH_SERVER, .timeout = WH_SEC(60));
    wait_for(victim);
    wh_end(victim);
    wh_end(from);
}

/* A budget without a span: there is nobody to name, and it is the caller's all the same. */
static void by_a_deadline_that_came_alone(struct spans *spans)
{
    struct field fields[] = {{"whence-timeout", "1m"}, {0}};
    wh_ctx *from = wh_extract(spans->root, get_field, fields);
    wh_ctx *victim = wh_start(from, "victim", .kind = WH_SERVER);
    wait_for(victim);
    wh_end(victim);
    wh_end(from);
}

/* ---- by others in a group ---- */

static int stopped(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *victim = wh_start(ctx, "victim");
    (void)arg;
    return wh_wait(victim, WH_SEC(30));
}

static int run_beside(struct spans *spans, int (*fn)(const wh_ctx *, void *), int policy)
{
    WH_AUTO wh_ctx *request = wh_start(spans->root, "request");
    wh_group *group = wh_group_new(request, .policy = policy);
    wh_go(group, stopped, NULL);
    wh_go(group, fn, NULL);
    const int rc = wh_group_wait(group);
    wh_group_free(group);
    return rc;
}

static int fails(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "the one that fails", .kind = WH_CLIENT);
    (void)arg;
    return wh_fail(span, ECONNREFUSED, "no price today");
}

static void by_a_siblings_failure(struct spans *spans)
{
    assert_int_equal(run_beside(spans, fails, WH_ALL), ECONNREFUSED);
}

static int is_late(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "the late one", .timeout = WH_MS(1));
    (void)arg;
    return wh_wait(span, WH_SEC(30));
}

static void by_a_siblings_deadline(struct spans *spans)
{
    assert_int_equal(run_beside(spans, is_late, WH_ALL), ETIMEDOUT);
}

/* Without a span of its own for the timeout, and polled: nobody has waited for it. */
static int is_late_without_a_span(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "the one with a step");
    (void)arg;
    {
        WH_AUTO wh_ctx *step = wh_with_timeout(span, WH_MS(1));
        while (!wh_err(step)) wh_wait(NULL, WH_MS(1));
    }
    return EAGAIN;
}

static void by_the_deadline_of_a_siblings_step(struct spans *spans)
{
    assert_int_equal(run_beside(spans, is_late_without_a_span, WH_ALL), EAGAIN);
}

static int reports_late(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *outer = wh_start(ctx, "the one that reports");
    if (is_late(outer, arg)) return wh_fail(outer, EPROTO, "no rate");
    return 0;
}

static void by_a_failure_because_of_a_deadline(struct spans *spans)
{
    assert_int_equal(run_beside(spans, reports_late, WH_ALL), EPROTO);
}

static int calls(const wh_ctx *ctx, void *arg)
{
    static const struct wh_because said[] = {
        {.reason = "deadline_exceeded", .site = "rates.c:40 handle", .span_name = "GET /rate", .service = "price", .span_id = {1},
         .trace_id = {2}},
        {.reason = "connect_refused", .text = "nobody listens", .service = "rates"},
    };
    WH_AUTO wh_ctx *span = wh_start(ctx, "the one that calls", .kind = WH_CLIENT);
    (void)arg;
    wh__note_callee(span, said, 2);
    return wh_fail_as(span, EIO, "504", NULL);
}

static void by_what_a_siblings_callee_said(struct spans *spans)
{
    assert_int_equal(run_beside(spans, calls, WH_ALL), EIO);
}

static int just_fails(const wh_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    return EPROTO;
}

static void by_a_failure_without_words(struct spans *spans)
{
    assert_int_equal(run_beside(spans, just_fails, WH_ALL), EPROTO);
}

static int is_first(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "the winner");
    (void)arg;
    return 0;
}

static void as_the_loser_of_a_race(struct spans *spans)
{
    assert_int_equal(run_beside(spans, is_first, WH_FIRST_SUCCESS), 0);
}

/* Both have failed before either is known to: the second is stopped too late to be stopped. */
static int fails_when_both_are_there(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "one of two");
    pthread_barrier_wait(arg);
    return wh_fail(span, EIO, "at once");
}

static void by_the_first_of_two_failures(struct spans *spans)
{
    pthread_barrier_t both;
    pthread_barrier_init(&both, NULL, 2);
    wh_ctx *request = wh_start(spans->root, "request");
    wh_group *group = wh_group_new(request);
    wh_go(group, fails_when_both_are_there, &both);
    wh_go(group, fails_when_both_are_there, &both);
    assert_int_equal(wh_group_wait(group), EIO);
    wh_ctx *victim = wh_start(wh_group_ctx(group), "victim");
    wh_end(victim);
    wh_group_free(group);
    wh_end(request);
    pthread_barrier_destroy(&both);
}

/* ---- while it waits for something ---- */

static void at_a_full_semaphore(struct spans *spans)
{
    wh_sem *sem = wh_sem_new(2);
    assert_true(wh_sem_try_acquire(sem, 2));
    wh_ctx *victim = wh_start(spans->root, "victim", .timeout = WH_MS(5));
    assert_int_equal(wh_sem_acquire(victim, sem, 1), ETIMEDOUT);
    wh_end(victim);
    wh_sem_free(sem);
}

static int is_refused(const wh_ctx *ctx, void *arg)
{
    WH_AUTO wh_ctx *span = wh_start(ctx, "attempt", .kind = WH_CLIENT);
    (void)arg;
    return wh_fail(span, ECONNREFUSED, "nobody listens");
}

static void in_a_retry_out_of_budget(struct spans *spans)
{
    wh_ctx *victim = wh_start(spans->root, "victim", .timeout = WH_SEC(60));
    assert_int_equal(wh_retry(victim, is_refused, NULL, .delay = WH_SEC(90), .max_delay = WH_SEC(90), .jitter = -1), ECONNREFUSED);
    wh_fail(victim, EAGAIN, "no more time to try");
    wh_end(victim);
}

/* ---- from outside ---- */

static void by_a_hang_up(struct spans *spans)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct field fields[] = {{"traceparent", "00-" REMOTE_TRACE "-" REMOTE_SPAN "-01"}, {0}};
    wh_ctx *from = wh_extract(spans->root, get_field, fields);
    wh_ctx *victim = wh_start(from, "victim", .kind = WH_SERVER, .peer_fd = pair[0]);
    close(pair[1]);
    wait_for(victim);
    wh_end(victim);
    wh_end(from);
    close(pair[0]);
}

static void by_sigterm(struct spans *spans)
{
    wh_ctx *lifecycle = wh_with_signals(spans->root, (int[]){SIGTERM}, 1), *victim = wh_start(lifecycle, "victim");
    kill(getpid(), SIGTERM);
    wait_for(victim);
    wh_end(victim);
    wh_end(lifecycle);
}

static wh_trigger *trigger;

static void on_usr1(int signo)
{
    wh_trigger_fire(trigger, over_quota, signo);
}

/* Who fires triggers does it one by one: when this one's is through, so is all of what the one before it has led to, and not only
 * the cancel. */
static void come_after_the_trigger(void)
{
    wh_trigger *last;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    assert_int_equal(wh_trigger_new(ctx, &last), 0);
    wh_trigger_fire(last, NULL, 0);
    wait_for(ctx);
    wh_trigger_free(last);
}

static void by_a_signal_of_its_own(struct spans *spans)
{
    wh_ctx *victim = wh_start(spans->root, "victim");
    assert_int_equal(wh_trigger_new(victim, &trigger), 0);
    signal(SIGUSR1, on_usr1);
    raise(SIGUSR1);
    wait_for(victim);
    come_after_the_trigger(); /* the event stands on the victim's span */
    signal(SIGUSR1, SIG_DFL);
    wh_trigger_free(trigger);
    wh_end(victim);
}

static void at_the_shutdown(struct spans *spans)
{
    wh_ctx *server = wh_with_cancel(spans->root), *victim = wh_start(server, "victim");
    wh_cancel(server, WH_SHUTDOWN, "drained");
    wh_end(victim);
    wh_end(server);
}

/* The one that there is no memory to watch the deadline of. Which allocation that is, is found by trying. */
static bool dies_at(struct spans *spans, size_t n)
{
    wh_clock *clock = wh_clock_new(0);
    wh_ctx *under = wh_with_clock(spans->root, clock);
    memory_fails_once_at(n);
    wh_ctx *span = wh_start(under, "victim", .timeout = WH_SEC(2));
    memory_is_back();
    const bool is_it = wh_recording(span) && wh_cause(span) == WH_NO_MEMORY;
    if (!is_it) wh_rename(span, "not the victim");
    wh_end(span);
    wh_end(under);
    wh_clock_free(clock);
    return is_it;
}

static void out_of_memory(struct spans *spans)
{
    size_t n = 1;
    while (!dies_at(spans, n)) assert_true(n++ < 50);
}

/* ---- by its owner ---- */

static void ended_while_it_worked_on(struct spans *spans)
{
    wh_ctx *top = wh_start(spans->root, "top"), *victim = wh_start(top, "victim");
    wh_end(top);
    wh_end(victim);
}

static void ended_with_the_request(struct spans *spans)
{
    wh_ctx *top = wh_start(spans->root, "top"), *victim = wh_start(top, "victim");
    wh_end_because(top, WH_HANDLER_RETURNED);
    wh_end(victim);
}

/* ---- by a failure, with nobody to cancel it ---- */

static void by_a_failure_below(struct spans *spans)
{
    wh_ctx *victim = wh_start(spans->root, "victim", .kind = WH_SERVER), *client = wh_start(victim, "client", .kind = WH_CLIENT);
    wh_fail(client, ECONNREFUSED, "nobody listens");
    wh_end(client);
    wh_fail_as(victim, 0, "502", NULL);
    wh_end(victim);
}

/* It says that it is an error, and not which: the one below is told of. */
static void by_a_failure_that_it_only_passes_on(struct spans *spans)
{
    wh_ctx *victim = wh_start(spans->root, "victim", .kind = WH_SERVER), *client = wh_start(victim, "client", .kind = WH_CLIENT);
    wh_fail(client, ECONNREFUSED, "nobody listens");
    wh_end(client);
    wh_status(victim, WH_STATUS_ERROR, "bad gateway");
    wh_end(victim);
}

static int attempts;

static int goes_well_at_last(const wh_ctx *ctx, void *arg)
{
    return attempts++ < 2 ? is_refused(ctx, arg) : 0;
}

/* What was tried again and went well is not what it failed of. */
static void by_a_failure_of_its_own(struct spans *spans)
{
    wh_ctx *victim = wh_start(spans->root, "victim");
    attempts = 0;
    assert_int_equal(wh_retry(victim, goes_well_at_last, NULL, .delay = -1), 0);
    wh_fail(victim, EBADMSG, "no such thing");
    wh_end(victim);
}

const struct way ways[] = {
    {"cancelled itself", by_itself, .reason = "over_quota", .message = "too many orders", .site = "by_itself",
     .origin = "victim", .requested = "victim"},
    {"by an ancestor", by_an_ancestor, .reason = "handler_returned", .site = "by_an_ancestor", .origin = "top", .depth = 2,
     .link = "top", .requested = "top"},
    {"because of another", because_of_another, .reason = "over_quota", .message = "no use", .site = "because_of_another",
     .origin = "victim", .requested = "victim", .chain = {"over_quota \"no use\"", "deadline_exceeded"}, .root = "late"},
    {"a failure beside it", with_a_failure_beside_it, .depth = 0},
    {"because of a failed span", because_of_a_failed_span, .reason = "canceled", .site = "because_of_a_failed_span",
     .origin = "victim", .requested = "victim", .chain = {"canceled", "EIO \"disk on fire\""}, .root = "broken"},
    {"by the other source", by_the_other_source, .reason = "over_quota", .site = "by_the_other_source", .depth = 2},
    {"its own deadline", by_its_own_deadline, .reason = "deadline_exceeded", .site = "by_its_own_deadline",
     .origin = "victim", .error = "timeout", .source = "own"},
    {"an ancestor's deadline", by_the_deadline_of_an_ancestor, .reason = "deadline_exceeded",
     .site = "by_the_deadline_of_an_ancestor", .origin = "top", .depth = 2, .link = "top", .source = "ancestor"},
    {"a clock of its own", by_a_clock_of_its_own, .reason = "deadline_exceeded", .site = "by_a_clock", .origin = "victim",
     .error = "timeout", .source = "own"},
    {"the caller's deadline", by_the_deadline_of_the_caller, .reason = "deadline_exceeded",
     .site = "by_the_deadline_of_the_caller", .origin = "remote", .depth = 1, .source = "caller"},
    {"a deadline that came alone", by_a_deadline_that_came_alone, .reason = "deadline_exceeded",
     .site = "by_a_deadline_that_came_alone", .depth = 1, .source = "caller"},
    {"a sibling's failure", by_a_siblings_failure, .reason = "sibling_failed", .message = "no price today", .site = " fails",
     .origin = "the one that fails", .depth = 2, .link = "the one that fails",
     .chain = {"sibling_failed \"no price today\"", "ECONNREFUSED \"no price today\""}, .root = "the one that fails"},
    {"a sibling's deadline", by_a_siblings_deadline, .reason = "sibling_failed", .message = "fn returned ETIMEDOUT",
     .site = " is_late", .origin = "the late one", .depth = 2, .link = "the late one",
     .chain = {"sibling_failed", "deadline_exceeded"}, .root = "the late one"},
    {"a sibling's step's deadline", by_the_deadline_of_a_siblings_step, .reason = "sibling_failed",
     .message = "fn returned EAGAIN", .site = " is_late_without_a_span", .origin = "the one with a step", .depth = 2,
     .link = "the one with a step", .chain = {"sibling_failed", "deadline_exceeded"}, .root = "the one with a step"},
    {"a failure because of a deadline", by_a_failure_because_of_a_deadline, .reason = "sibling_failed", .message = "no rate",
     .site = " reports_late", .origin = "the one that reports", .depth = 2, .link = "the one that reports",
     .chain = {"sibling_failed \"no rate\"", "EPROTO \"no rate\"", "deadline_exceeded"}, .root = "the late one"},
    {"what a callee said", by_what_a_siblings_callee_said, .reason = "sibling_failed", .message = "fn returned EIO",
     .site = " calls", .origin = "the one that calls", .depth = 2, .link = "the one that calls",
     .chain = {"sibling_failed", "504", "deadline_exceeded at rates.c:40 handle, remote span 0100000000000000 \"GET /rate\" of price",
               "connect_refused \"nobody listens\" of rates"}},
    {"a failure without words", by_a_failure_without_words, .reason = "sibling_failed", .message = "fn returned EPROTO",
     .site = " run_beside", .origin = "request", .depth = 2},
    {"the loser of a race", as_the_loser_of_a_race, .reason = "race_lost", .message = "fn was first", .site = " run_beside",
     .origin = "request", .depth = 2},
    {"the first of two failures", by_the_first_of_two_failures, .reason = "sibling_failed", .message = "at once",
     .site = " fails_when_both", .origin = "one of two", .depth = 1, .link = "one of two",
     .chain = {"sibling_failed \"at once\"", "EIO \"at once\""}, .root = "one of two", .suppressed = 1},
    {"a full semaphore", at_a_full_semaphore, .reason = "deadline_exceeded", .site = "at_a_full_semaphore",
     .origin = "victim", .error = "timeout", .source = "own", .gave_up = "semaphore"},
    {"a retry out of budget", in_a_retry_out_of_budget, .error = "EAGAIN", .source = "own", .gave_up = "retry",
     .chain = {"EAGAIN \"no more time to try\"", "ECONNREFUSED \"nobody listens\""}, .root = "attempt"},
    {"a client that hung up", by_a_hang_up, .reason = "client_gone", .message = "connection closed", .site = "by_a_hang_up",
     .origin = "remote", .depth = 1},
    {"SIGTERM", by_sigterm, .reason = "shutdown", .message = "SIGTERM", .site = "by_sigterm", .depth = 1},
    {"a signal of its own", by_a_signal_of_its_own, .reason = "over_quota", .message = "signal", .site = "on_usr1",
     .origin = "victim", .requested = "victim"},
    {"shutdown", at_the_shutdown, .reason = "shutdown", .message = "drained", .site = "at_the_shutdown", .depth = 1},
    {"out of memory", out_of_memory, .reason = "no_memory", .site = "dies_at", .origin = "victim", .source = "own"},
    {"ended by its owner", ended_while_it_worked_on, .reason = "ended", .site = "ended_while_it_worked_on", .origin = "top",
     .depth = 1},
    {"ended with the request", ended_with_the_request, .reason = "handler_returned", .site = "ended_with_the_request",
     .origin = "top", .depth = 1},
    {"a failure below", by_a_failure_below, .error = "502", .chain = {"502", "ECONNREFUSED \"nobody listens\""},
     .root = "client"},
    {"a failure passed on", by_a_failure_that_it_only_passes_on, .error = "", .chain = {"ECONNREFUSED \"nobody listens\""},
     .root = "client"},
    {"a failure of its own", by_a_failure_of_its_own, .error = "EBADMSG"},
};
const size_t way_count = sizeof ways / sizeof *ways;
