/* The dump at a signal. */
#include "live_tools.h"

static volatile sig_atomic_t came;

static void note(int number)
{
    came = number;
}

static void (*handler_of(int number))(int)
{
    struct sigaction now;
    assert_int_equal(sigaction(number, NULL, &now), 0);
    return now.sa_handler;
}

/* Standard error is a paper meanwhile. Returns what stood on it once `words` did. */
static char *said_at_signal(int number, const char *words)
{
    const int before = dup(STDERR_FILENO), fd = paper();
    char text[4096] = "";
    assert_true(before >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    kill(getpid(), number);
    const int64_t patience = wh_now() + WH_SEC(30);
    while (!says(text, words) && wh_now() < patience) {
        wh_wait(NULL, WH_US(100));
        const ssize_t n = pread(fd, text, sizeof text - 1, 0);
        text[n > 0 ? n : 0] = '\0';
    }
    dup2(before, STDERR_FILENO);
    close(before);
    return read_paper(fd);
}

static bool a_child_has_the_handler_of_before(void *unused)
{
    struct sigaction now;
    (void)unused;
    return sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == note;
}

static void a_signal_prints_it(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    signal(SIGUSR1, note);
    signal(SIGUSR2, note);
    came = 0;
    assert_int_equal(wh_dump_on(SIGUSR1), 0);
    assert_int_equal(wh_dump_on(SIGUSR1), 0); /* twice is once */
    for (int i = 0; i < 3; i++) {
        char *text = said_at_signal(SIGUSR1, "1 ref");
        assert_says(text, "1 context is alive\n#");
        free(text);
    }
    assert_int_equal(came, 0);
    assert_int_equal(in_child(a_child_has_the_handler_of_before, NULL), 0);
    assert_int_equal(wh_dump_on(SIGUSR2), 0);
    assert_ptr_equal(handler_of(SIGUSR1), note);
    char *text = said_at_signal(SIGUSR2, "1 ref");
    free(text);
    assert_int_equal(wh_dump_on(0), 0);
    assert_ptr_equal(handler_of(SIGUSR2), note);
    assert_int_equal(wh_dump_on(0), 0);
}

static void a_handler_that_came_later_stays(void **state)
{
    (void)state;
    signal(SIGUSR1, SIG_IGN);
    assert_int_equal(wh_dump_on(SIGUSR1), 0);
    signal(SIGUSR1, note);
    assert_int_equal(wh_dump_on(0), 0);
    assert_ptr_equal(handler_of(SIGUSR1), note);
    signal(SIGUSR1, SIG_DFL);
}

static void no_signal_that_cannot_be_handled(void **state)
{
    (void)state;
    static const int wrong[] = {SIGKILL, SIGSTOP, -1, 1000};
    assert_int_equal(wh_dump_on(SIGUSR1), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_int_equal(wh_dump_on(wrong[i]), EINVAL);
    assert_ptr_not_equal(handler_of(SIGUSR1), SIG_DFL); /* what was asked for before holds */
    assert_int_equal(wh_dump_on(0), 0);
    assert_ptr_equal(handler_of(SIGUSR1), SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signal_prints_it, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(a_handler_that_came_later_stays, tracks, leaves_nothing),
        cmocka_unit_test_setup_teardown(no_signal_that_cannot_be_handled, tracks, leaves_nothing),
    };
    return cmocka_run_group_tests_name("dump_signal", tests, NULL, NULL);
}
