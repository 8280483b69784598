/* Clocks of one's own: waits that end when they are moved, several threads, and what is told of them. */
#include "clock_tools.h"
#include "gate.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)

/* ---- waiting ---- */

struct wait {
    const wh_ctx *ctx;
    int64_t limit;
    int err;
    bool over;
};

static void *wait_for_it(void *arg)
{
    struct wait *wait = arg;
    wait->err = wh_wait(wait->ctx, wait->limit);
    __atomic_store_n(&wait->over, true, __ATOMIC_RELEASE);
    return NULL;
}

static bool is_over(const struct wait *wait)
{
    return __atomic_load_n(&wait->over, __ATOMIC_ACQUIRE);
}

static bool has_waiters(const wh_ctx *ctx)
{
    return __atomic_load_n(&ctx->state, __ATOMIC_ACQUIRE) & WH__WAITERS;
}

static void T068_T118_who_waits_without_a_limit_or_for_longer_finds_the_deadline(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *child = wh_with_timeout(root, WH_SEC(20));
    WH_AUTO wh_ctx *value = wh_with_number(child, 1);
    struct wait waits[] = {{.ctx = child, .limit = WH_NEVER}, {.ctx = value, .limit = WH_SEC(30)}};
    pthread_t threads[2];
    assert_int_equal(wh_wait(value, 0), 0);
    for (int i = 0; i < 2; i++) threads[i] = start(wait_for_it, &waits[i]);
    wh_clock_advance(clock, WH_SEC(19));
    assert_false(is_over(&waits[0]));
    EVENTUALLY(has_waiters(child));
    assert_false(is_over(&waits[1]));
    wh_clock_advance(clock, WH_SEC(1));
    for (int i = 0; i < 2; i++) join(threads[i]);
    for (int i = 0; i < 2; i++) assert_int_equal(waits[i].err, ETIMEDOUT);
    wh_clock_free(clock);
}

static void *wait_for_ten(void *arg)
{
    struct wait *wait = arg;
    const int64_t before = wh_clock_now(fired.clock);
    wait->err = wh_wait(wait->ctx, 10);
    if (wh_clock_now(fired.clock) - before < 10) wait->err = -1;
    __atomic_store_n(&wait->over, true, __ATOMIC_RELEASE);
    return NULL;
}

static void T068_T118_moving_it_ends_the_wait_and_never_too_early(void **state)
{
    (void)state;
    for (int round = chances(30); round; round--) {
        wh_clock *clock = begin(0);
        WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
        struct wait wait = {.ctx = root};
        pthread_t thread = start(wait_for_ten, &wait);
        while (!is_over(&wait)) {
            wh_clock_advance(clock, 1);
            sched_yield();
        }
        join(thread);
        assert_int_equal(wait.err, 0);
        wh_clock_free(clock);
    }
}

static void T068_T031_descriptor_and_cancel_under_a_clock(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *timed = wh_with_timeout(root, 10);
    WH_AUTO wh_ctx *other = wh_with_cancel(root);
    const int fd = wh_done_fd(timed);
    struct wait waits[] = {{.ctx = other, .limit = WH_NEVER}, {.ctx = other, .limit = 100}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) threads[i] = start(wait_for_it, &waits[i]);
    wh_clock_advance(clock, 9);
    assert_false(readable(fd));
    wh_clock_advance(clock, 1);
    assert_true(readable(fd));
    assert_int_equal(wh_wait(timed, WH_NEVER), ETIMEDOUT);
    EVENTUALLY(has_waiters(other));
    wh_cancel(other, reason_x, NULL);
    for (int i = 0; i < 2; i++) join(threads[i]);
    for (int i = 0; i < 2; i++) assert_int_equal(waits[i].err, ECANCELED);
    wh_clock_free(clock);
}

struct acquire {
    const wh_ctx *ctx;
    wh_sem *sem;
    int err;
    bool over;
};

static void *acquire(void *arg)
{
    struct acquire *acquire = arg;
    acquire->err = wh_sem_acquire(acquire->ctx, acquire->sem, 1);
    __atomic_store_n(&acquire->over, true, __ATOMIC_RELEASE);
    return NULL;
}

static void T068_T139_a_semaphore_is_waited_for_by_it(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *timed = wh_with_timeout(root, WH_SEC(1));
    wh_sem *sem = wh_sem_new(1);
    assert_int_equal(wh_sem_acquire(NULL, sem, 1), 0);
    struct acquire one = {.ctx = timed, .sem = sem};
    pthread_t thread = start(acquire, &one);
    wh_clock_advance(clock, WH_SEC(1) - 1);
    wh_wait(NULL, WH_MS(1));
    assert_false(__atomic_load_n(&one.over, __ATOMIC_ACQUIRE));
    wh_clock_advance(clock, 1);
    join(thread);
    assert_int_equal(one.err, ETIMEDOUT);
    assert_int_equal(wh_sem_release(sem, 1), 0);
    wh_sem_free(sem);
    wh_clock_free(clock);
}

static int fail_and_move_on(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    ++*(int *)arg;
    wh_clock_advance(fired.clock, 40);
    return EIO;
}

static void T068_T142_retrying_goes_by_it(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *timed = wh_with_timeout(root, 100);
    struct wh_retry_report report = {.size = sizeof report};
    int called = 0;
    const int rc = wh_retry(timed, fail_and_move_on, &called, .attempts = 5, .delay = WH_SEC(1), .max_delay = WH_SEC(1), .report = &report);
    assert_int_equal(rc, EIO);
    assert_int_equal(called, 1);
    assert_int_equal(report.why, WH_RETRY_NO_TIME);
    assert_int_equal(report.elapsed, 40);
    assert_int_equal(report.remaining, 60);
    wh_clock_free(clock);
}

static int be_there_until_done(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    return wh_wait(ctx, WH_NEVER);
}

static void *move_on_soon(void *arg)
{
    wh_clock_advance(arg, 50);
    return NULL;
}

static void T068_T136_a_group_is_waited_for_until_an_instant_of_it(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *timed = wh_with_timeout(root, 100);
    wh_group *group = wh_group_new(timed);
    assert_int_equal(wh_go(group, be_there_until_done, NULL), 0);
    pthread_t thread = start(move_on_soon, clock);
    assert_int_equal(wh_group_wait_until(group, 50), ETIMEDOUT);
    assert_true(wh_clock_now(clock) >= 50);
    join(thread);
    wh_clock_advance(clock, 50);
    assert_int_equal(wh_group_wait(group), ETIMEDOUT);
    wh_group_free(group);
    wh_clock_free(clock);
}

/* ---- several threads ---- */

enum { THREADS = 4, STEPS = 200 };
static struct gate gate;
static uint32_t ran;

static void count_run(void *arg)
{
    (void)arg;
    __atomic_fetch_add(&ran, 1, __ATOMIC_RELAXED);
}

static void *advance_often(void *arg)
{
    meet(&gate, THREADS);
    for (int i = 0; i < STEPS; i++) wh_clock_advance(arg, 3);
    return NULL;
}

static void T068_several_threads_move_it_each_as_far_as_it_says(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    static struct alarm alarms[MOST];
    pthread_t threads[THREADS];
    for (int i = 0; i < MOST; i++) set(&alarms[i], i, wh_with_timeout(root, 1 + (i * 7919) % 2000));
    for (int i = 0; i < THREADS; i++) threads[i] = start(advance_often, clock);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    assert_int_equal(wh_clock_now(clock), 3 * THREADS * STEPS);
    assert_int_equal(fired.count, MOST); /* one at a time, or this would have been written to by several at once */
    for (int i = 1; i < MOST; i++) assert_true(fired.at[i - 1] <= fired.at[i]);
    for (int i = 0; i < MOST; i++) wh_end(alarms[i].ctx);
    wh_clock_free(clock);
}

static void *derive_often(void *arg)
{
    wh_ctx *root = arg;
    uint32_t seed = 17;
    meet(&gate, THREADS);
    for (int i = 0; i < 4 * STEPS; i++) {
        wh_ctx *timed = wh_with_timeout(root, next_random(&seed) % 20);
        wh_ctx *below = wh_with_timeout(timed, next_random(&seed) % 20);
        assert_int_equal(wh_after_inline(below, count_run, NULL, NULL), 0);
        if (i % 3 == 0) wh_cancel(timed, reason_x, NULL);
        if (i % 3 == 1) assert_int_equal(wh_wait(below, WH_NEVER), ETIMEDOUT);
        assert_true(wh_err(below) == 0 || wh_cause(below) == reason_x || wh_clock_now(fired.clock) >= wh_deadline(below));
        wh_end(i % 2 ? timed : below);
        wh_end(i % 2 ? below : timed);
    }
    return NULL;
}

static void *advance_until_over(void *arg)
{
    meet(&gate, THREADS);
    while (!__atomic_load_n((bool *)arg, __ATOMIC_ACQUIRE)) wh_clock_advance(fired.clock, 1);
    return NULL;
}

static void T060_T068_set_and_taken_back_while_it_moves(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    wh_ctx *root = wh_with_clock(NULL, clock);
    pthread_t threads[THREADS];
    bool over = false;
    for (int i = 0; i < THREADS; i++) threads[i] = i < 2 ? start(advance_until_over, &over) : start(derive_often, root);
    for (int i = 2; i < THREADS; i++) join(threads[i]);
    __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++) join(threads[i]);
    assert_null(root->children);
    assert_int_equal(root->refs, 1);
    wh_end(root);
    wh_clock_free(clock);
}

/* ---- what is told of it ---- */

static void T049_T068_what_explain_and_the_cause_say(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *timed = wh_with_timeout(root, WH_SEC(2));
    char text[400];
    wh_explain(timed, text, sizeof text);
    assert_string_equal(text, "not done\n  deadline 2 s asked, by a clock of its own");
    const int64_t before = wh_now();
    wh_clock_advance(clock, WH_SEC(2));
    const struct wh_cause cause = cause_of(timed);
    assert_true(cause.at >= before && cause.at <= wh_now());
    assert_int_equal(cause.deadline, WH_SEC(2));
    assert_int_equal(cause.deadline_asked, WH_SEC(2));
    wh_explain(timed, text, sizeof text);
    assert_non_null(strstr(text, "timed out: deadline_exceeded"));
    assert_non_null(strstr(text, "\n  deadline 2 s asked, by a clock of its own"));
    wh_log_line(timed, text, sizeof text);
    assert_null(strstr(text, "left"));
    assert_null(strstr(text, "after it began")); /* nobody has looked at the clock of the system then */
    wh_clock_free(clock);
}

static void T068_what_spans_say_of_their_deadlines(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_clock *clock = begin(WH_SEC(1));
    const int64_t before = wh_now();
    wh_ctx *root = wh_with_clock(spans.root, clock);
    wh_ctx *timed = wh_start(root, "timed", .timeout = WH_SEC(2));
    wh_ctx *child = wh_start(timed, "child");
    wh_ctx *early = wh_start(timed, "early", .timeout = WH_MS(500));
    wh_clock_advance(clock, WH_MS(1500));
    wh_end(early);
    wh_clock_advance(clock, WH_SEC(1));
    wh_end(child);
    wh_end(timed);
    wh_end(root);
    struct wh_span_view span = span_named(&spans, "timed");
    const double budget = span_double(&span, "whence.deadline.budget_ms"), left = span_double(&span, "whence.deadline.remaining_ms");
    assert_true(budget == 2000.0 && left == -500.0);
    assert_int_equal(span.status_text.len, strlen("deadline of 2 s exceeded"));
    assert_memory_equal(span.status_text.ptr, "deadline of 2 s exceeded", span.status_text.len);
    assert_true(span.end - span.start <= (uint64_t)(wh_now() - before)); /* nanoseconds of the system */
    span = span_named(&spans, "child");
    assert_true(span_double(&span, "whence.deadline.remaining_ms") == -500.0);
    assert_false(span_has(&span, "whence.deadline.budget_ms")); /* nobody has looked at the clock when it started */
    span = span_named(&spans, "early");
    assert_true(span_double(&span, "whence.deadline.remaining_ms") == -1000.0);
    assert_true(span_double(&span, "whence.cancel.overrun_ms") >= 0);
    wh_clock_free(clock);
    spans_end(&spans);
}

/* ---- without memory, and in the child of a fork ---- */

static void T007_T068_without_memory(void **state)
{
    (void)state;
    assert_ptr_equal(wh_cause(wh_with_clock(NULL, NULL)), WH_NO_MEMORY);
    memory_ends_after(0);
    assert_null(wh_clock_new(0));
    assert_int_equal(errno, ENOMEM);
    memory_is_back();
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    wh_ctx *made[4096];
    int count = 0;
    bool failed = false;
    for (memory_ends_after(0); !failed && count < 4096; count++) {
        made[count] = wh_with_timeout(root, 10);
        failed = wh_cause(made[count]) == WH_NO_MEMORY;
    }
    memory_is_back();
    assert_true(failed);
    wh_clock_advance(clock, 10);
    for (int i = 0; i < count; i++) assert_true(wh_err(made[i]) != 0);
    for (int i = 0; i < count; i++) wh_end(made[i]);
    assert_null(root->children);
    wh_clock_free(clock);
}

static bool in_the_child(void *arg)
{
    wh_ctx *timed = arg;
    CHECK(wh_err(timed) == 0);
    wh_clock_advance(fired.clock, 10);
    CHECK(wh_err(timed) == ETIMEDOUT);
    return true;
}

static void T159_T068_parent_and_child_each_move_their_own(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *timed = wh_with_timeout(root, 10);
    assert_int_equal(in_child(in_the_child, timed), 0);
    assert_int_equal(wh_err(timed), 0);
    assert_int_equal(wh_clock_now(clock), 0);
    wh_clock_free(clock);
}

static uint32_t stuck, go_on;

static void be_stuck(void *arg)
{
    (void)arg;
    __atomic_store_n(&stuck, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&go_on, __ATOMIC_ACQUIRE)) wh_wait(NULL, WH_US(100));
}

static void *advance_once(void *arg)
{
    wh_clock_advance(arg, 5);
    return NULL;
}

/* Another thread was moving it: in the child that one is not there. */
static void T157_T068_forked_while_another_thread_moves_it(void **state)
{
    (void)state;
    wh_clock *clock = begin(0);
    WH_AUTO wh_ctx *root = wh_with_clock(NULL, clock);
    WH_AUTO wh_ctx *first = wh_with_timeout(root, 5);
    WH_AUTO wh_ctx *timed = wh_with_timeout(root, 10);
    assert_int_equal(wh_after_inline(first, be_stuck, NULL, NULL), 0);
    pthread_t thread = start(advance_once, clock);
    EVENTUALLY(__atomic_load_n(&stuck, __ATOMIC_ACQUIRE));
    assert_int_equal(in_child(in_the_child, timed), 0);
    __atomic_store_n(&go_on, 1, __ATOMIC_RELEASE);
    join(thread);
    assert_int_equal(wh_err(timed), 0);
    wh_clock_free(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T068_T118_who_waits_without_a_limit_or_for_longer_finds_the_deadline),
        cmocka_unit_test(T068_T118_moving_it_ends_the_wait_and_never_too_early),
        cmocka_unit_test(T068_T031_descriptor_and_cancel_under_a_clock),
        cmocka_unit_test(T068_T139_a_semaphore_is_waited_for_by_it),
        cmocka_unit_test(T068_T142_retrying_goes_by_it),
        cmocka_unit_test(T068_T136_a_group_is_waited_for_until_an_instant_of_it),
        cmocka_unit_test(T068_several_threads_move_it_each_as_far_as_it_says),
        cmocka_unit_test(T060_T068_set_and_taken_back_while_it_moves),
        cmocka_unit_test(T049_T068_what_explain_and_the_cause_say),
        cmocka_unit_test(T068_what_spans_say_of_their_deadlines),
        cmocka_unit_test(T007_T068_without_memory),
        cmocka_unit_test(T159_T068_parent_and_child_each_move_their_own),
        cmocka_unit_test(T157_T068_forked_while_another_thread_moves_it),
    };
    return cmocka_run_group_tests_name("clock wait", tests, NULL, NULL);
}
