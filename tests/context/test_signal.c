/* Signals: the first cancels, with a cause that names it; from then on they do what they did before. */
#include <errno.h>
#include <sys/time.h>

#include "tools.h"

WH_REASON(reason_x, "x");

static int handled; /* by the program's own handlers */

static void handle(int number)
{
    (void)number;
    __atomic_fetch_add(&handled, 1, __ATOMIC_ACQ_REL);
}

static void (*handler_of(int number))(int)
{
    struct sigaction now;
    assert_int_equal(sigaction(number, NULL, &now), 0);
    return now.sa_handler;
}

static int set_handlers(void **state)
{
    (void)state;
    handled = 0;
    const struct sigaction ours = {.sa_handler = handle};
    return sigaction(SIGUSR1, &ours, NULL) || sigaction(SIGUSR2, &ours, NULL) || signal(SIGALRM, SIG_IGN) == SIG_ERR;
}

/* ---- the first ---- */

static void T155_the_first_cancels_and_is_named(void **state)
{
    (void)state;
    const int signals[] = {SIGUSR1};
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *ctx = wh_with_signals(root, signals, 1);
    WH_AUTO wh_ctx *below = wh_with_timeout(ctx, WH_SEC(100));
    assert_int_equal(wh_err(ctx), 0);
    kill(getpid(), SIGUSR1);
    assert_int_equal(wh_wait(below, WH_SEC(20)), ECANCELED);
    const struct wh_cause cause = cause_of(ctx);
    char expected[60];
    snprintf(expected, sizeof expected, "SIGUSR1 from process %d", (int)getpid());
    assert_ptr_equal(cause.reason, WH_SHUTDOWN);
    assert_string_equal(cause.text, expected);
    assert_string_equal(cause.site->func, __func__);
    assert_int_equal(wh_http_status(ctx), 503);
    assert_int_equal(wh_err(root), 0);
    assert_int_equal(handled, 0);
}

static bool send_to_parent(void *arg)
{
    return kill(getppid(), *(const int *)arg) == 0;
}

static void T155_the_sender_is_in_the_cause(void **state)
{
    (void)state;
    int signals[] = {SIGUSR2, SIGRTMIN};
    const char *names[] = {"SIGUSR2", NULL};
    for (int i = 0; i < 2; i++) {
        char expected[60];
        WH_AUTO wh_ctx *ctx = wh_with_signals(NULL, signals, 2);
        const pid_t sender = fork_to(send_to_parent, &signals[i]);
        assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
        if (names[i])
            snprintf(expected, sizeof expected, "%s from process %d", names[i], (int)sender);
        else
            snprintf(expected, sizeof expected, "signal %d from process %d", signals[i], (int)sender);
        assert_string_equal(cause_of(ctx).text, expected);
        assert_int_equal(fate_of(sender), 0);
    }
}

static void T155_what_the_kernel_sends_has_no_sender(void **state)
{
    (void)state;
    const int signals[] = {SIGALRM};
    WH_AUTO wh_ctx *ctx = wh_with_signals(NULL, signals, 1);
    const struct itimerval soon = {.it_value.tv_usec = 1000};
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
    assert_string_equal(cause_of(ctx).text, "SIGALRM");
}

/* ---- the second ---- */

static void T155_the_second_goes_to_who_had_it_before(void **state)
{
    (void)state;
    const int signals[] = {SIGUSR1, SIGUSR2};
    WH_AUTO wh_ctx *ctx = wh_with_signals(NULL, signals, 2);
    raise(SIGUSR1);
    assert_true(handler_of(SIGUSR1) == handle); /* at once */
    raise(SIGUSR1);
    assert_int_equal(handled, 1);
    assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
    EVENTUALLY(handler_of(SIGUSR2) == handle);
    raise(SIGUSR2);
    assert_int_equal(handled, 2);
    assert_int_equal(cause_of(ctx).losers, 0);
}

static bool drain_for_ever(void *unused)
{
    (void)unused;
    const int signals[] = {SIGTERM, SIGINT};
    wh_ctx *ctx = wh_with_signals(NULL, signals, 2);
    raise(SIGTERM);
    CHECK(wh_wait(ctx, WH_SEC(10)) == ECANCELED);
    raise(SIGTERM);
    return true;
}

static void T155_a_second_sigterm_ends_the_process(void **state)
{
    (void)state;
    assert_int_equal(in_child(drain_for_ever, NULL), -SIGTERM);
}

static void T155_what_was_ignored_is_ignored_again(void **state)
{
    (void)state;
    const int signals[] = {SIGALRM};
    WH_AUTO wh_ctx *ctx = wh_with_signals(NULL, signals, 1);
    raise(SIGALRM);
    assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
    raise(SIGALRM);
    assert_true(handler_of(SIGALRM) == SIG_IGN);
}

/* ---- when it ends ---- */

static void T155_ending_puts_everything_back(void **state)
{
    (void)state;
    const int signals[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGKILL, 0, -5, 1000};
    wh_ctx *ctx = wh_with_signals(NULL, signals, 7);
    assert_false(handler_of(SIGUSR1) == handle);
    assert_false(handler_of(SIGALRM) == SIG_IGN);
    wh_end(ctx);
    assert_true(handler_of(SIGUSR1) == handle);
    assert_true(handler_of(SIGUSR2) == handle);
    assert_true(handler_of(SIGALRM) == SIG_IGN);
    raise(SIGUSR1);
    assert_int_equal(handled, 1);
}

static void T155_also_when_it_was_cancelled_otherwise(void **state)
{
    (void)state;
    const int signals[] = {SIGUSR1};
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    wh_ctx *ctx = wh_with_signals(parent, signals, 1);
    wh_cancel(parent, reason_x, NULL);
    assert_ptr_equal(wh_cause(ctx), reason_x);
    raise(SIGUSR1); /* it still has the signal, which comes too late */
    EVENTUALLY(handler_of(SIGUSR1) == handle);
    EVENTUALLY(cause_of(ctx).losers == 1);
    assert_ptr_equal(wh_cause(ctx), reason_x);
    wh_end(ctx);
    WH_AUTO wh_ctx *born_done = wh_with_signals(parent, signals, 1);
    assert_ptr_equal(wh_cause(born_done), reason_x);
    assert_true(handler_of(SIGUSR1) == handle);
}

static void a_handler_set_meanwhile_stays(void **state)
{
    (void)state;
    const int signals[] = {SIGUSR1, SIGUSR2};
    wh_ctx *ctx = wh_with_signals(NULL, signals, 2);
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR2);
    assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
    wh_end(ctx);
    assert_true(handler_of(SIGUSR1) == SIG_IGN);
    assert_true(handler_of(SIGUSR2) == handle);
}

static void a_later_context_takes_it_over(void **state)
{
    (void)state;
    const int both[] = {SIGUSR1, SIGUSR2};
    WH_AUTO wh_ctx *first = wh_with_signals(NULL, both, 2);
    wh_ctx *second = wh_with_signals(NULL, both, 1);
    raise(SIGUSR1);
    assert_int_equal(wh_wait(second, WH_SEC(20)), ECANCELED);
    assert_int_equal(wh_err(first), 0);
    wh_end(second);
    assert_true(handler_of(SIGUSR1) == handle);
    assert_int_equal(handled, 0);
    raise(SIGUSR2); /* this one the first has still */
    assert_int_equal(wh_wait(first, WH_SEC(20)), ECANCELED);
    assert_int_equal(handled, 0);
}

/* ---- among others ---- */

static void blocking_calls_are_not_cut_short(void **state)
{
    (void)state;
    const int signals[] = {SIGUSR1};
    int fds[2];
    char byte;
    assert_int_equal(pipe(fds), 0);
    WH_AUTO wh_ctx *ctx = wh_with_signals(NULL, signals, 1);
    const pid_t writer = fork();
    if (writer == 0) { /* the signal comes first, then what the parent reads */
        kill(getppid(), SIGUSR1);
        wh_wait(NULL, WH_MS(20));
        _exit(write(fds[1], "x", 1) == 1 ? 0 : 1);
    }
    errno = 0;
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(errno, 0);
    assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
    assert_int_equal(fate_of(writer), 0);
    close(fds[0]);
    close(fds[1]);
}

static void *send_many(void *arg)
{
    const bool *stop = arg;
    uint32_t seed = 21;
    while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
        kill(getpid(), next_random(&seed) % 2 ? SIGUSR1 : SIGUSR2);
        wh_wait(NULL, WH_US(next_random(&seed) % 50));
    }
    return NULL;
}

static void signals_come_while_contexts_come_and_go(void **state)
{
    (void)state;
    bool stop = false;
    uint32_t seed = 22;
    int cancelled = 0;
    const int signals[] = {SIGUSR1, SIGUSR2};
    const pthread_t thread = start(send_many, &stop);
    for (int i = 0; i < chances(3000); i++) {
        WH_AUTO wh_ctx *ctx = wh_with_signals(NULL, signals, (size_t)(1 + i % 2));
        if (i % 3 == 0) wh_wait(ctx, WH_US(200));
        dawdle(&seed);
        if (wh_err(ctx)) assert_ptr_equal(wh_cause(ctx), WH_SHUTDOWN);
        cancelled += wh_err(ctx) != 0;
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    join(thread);
    assert_true(handler_of(SIGUSR1) == handle);
    assert_true(handler_of(SIGUSR2) == handle);
    assert_true(cancelled > 0);
    print_message("           %d of %d were cancelled, %d signals went to the program\n", cancelled, chances(3000), handled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(T155_the_first_cancels_and_is_named, set_handlers),
        cmocka_unit_test_setup(T155_the_sender_is_in_the_cause, set_handlers),
        cmocka_unit_test_setup(T155_what_the_kernel_sends_has_no_sender, set_handlers),
        cmocka_unit_test_setup(T155_the_second_goes_to_who_had_it_before, set_handlers),
        cmocka_unit_test_setup(T155_a_second_sigterm_ends_the_process, set_handlers),
        cmocka_unit_test_setup(T155_what_was_ignored_is_ignored_again, set_handlers),
        cmocka_unit_test_setup(T155_ending_puts_everything_back, set_handlers),
        cmocka_unit_test_setup(T155_also_when_it_was_cancelled_otherwise, set_handlers),
        cmocka_unit_test_setup(a_handler_set_meanwhile_stays, set_handlers),
        cmocka_unit_test_setup(a_later_context_takes_it_over, set_handlers),
        cmocka_unit_test_setup(blocking_calls_are_not_cut_short, set_handlers),
        cmocka_unit_test_setup(signals_come_while_contexts_come_and_go, set_handlers),
    };
    return cmocka_run_group_tests_name("signal", tests, NULL, NULL);
}
