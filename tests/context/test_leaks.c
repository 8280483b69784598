/* Who was not ended: the report, at exit too, and the root of a test. */
#include <whence/test.h>

#include "gate.h"
#include "live_tools.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)

static char heard[2000];

static void hear(enum wh_severity severity, const char *line, void *arg)
{
    (void)severity, (void)arg;
    const size_t len = strlen(heard);
    snprintf(heard + len, sizeof heard - len, "%s\n", line);
}

static int listens(void **state)
{
    (void)state;
    heard[0] = '\0';
    wh_report_to(hear, NULL);
    return 0;
}

static int stops_listening(void **state)
{
    wh_report_to(NULL, NULL);
    return leaves_nothing(state) || wh__is_tracking() ? -1 : 0;
}

static const struct wh_site first = {"src/first.c", "one", 11}, again = {"src/first.c", "one", 11};
static const struct wh_site second = {"second.c", "two", 22};

static char *report(void)
{
    const int fd = paper();
    assert_int_equal(wh_report_leaks(fd), 0);
    return read_paper(fd);
}

/* ---- the report ---- */

static void T165_leaks_are_counted_by_place_the_oldest_first(void **state)
{
    (void)state;
    wh_track(WH_TRACK_LIVE);
    wh_ctx *young[5], *root = wh_with_cancel_at(NULL, &second);
    wh_ctx *value = wh_with_number(root, 1);
    for (int i = 0; i < 5; i++) young[i] = wh_with_cancel_at(i < 3 ? root : NULL, i % 2 ? &first : &again);
    wh_cancel(young[0], reason_x, NULL);
    const wh_ctx *held = wh_hold(young[4]);
    wh_end(young[4]);
    char *text = report();
    const char *line = strchr(text, '\n') + 1;
    assert_int_equal(strncmp(text, "7 contexts are alive, by the place where they were made, the oldest first\n",
                             (size_t)(line - text)), 0);
    assert_int_equal(strncmp(line, "  1 made at second.c:22 two, ", 28), 0);
    assert_says(line, " old: 1 open; 4 children\n  1 with the value number, ");
    assert_says(line, " old: 1 open\n  5 made at first.c:11 one, the oldest ");
    assert_says(line, " old: 3 open, 1 done, 1 ended but held\n");
    free(text);
    wh_release(held);
    for (int i = 0; i < 4; i++) wh_end(young[i]);
    wh_end(value);
    wh_end(root);
    text = report();
    assert_string_equal(text, "0 contexts are alive\n");
    free(text);
}

/* A process that exits with that many contexts of its own below what it inherited; its exit status, and what it said. */
static int exit_with(int leaks, bool by_default, char **said)
{
    const int fd = paper();
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        alarm(20);
        dup2(fd, STDERR_FILENO);
        wh_track(by_default ? WH_TRACK_LIVE : WH_TRACK_LEAKS);
        for (int i = 0; i < leaks; i++)
            if (wh_err(wh_with_cancel_at(NULL, &first))) abort();
        exit(7);
    }
    const int fate = fate_of(pid);
    *said = read_paper(fd);
    return fate;
}

static void T165_at_exit_it_says_so_and_the_status_stays(void **state)
{
    (void)state;
    char *said;
    wh_track(WH_TRACK_LIVE);
    wh_ctx *inherited = wh_with_cancel_at(NULL, &second);
    assert_int_equal(exit_with(3, false, &said), 7);
    assert_says(said, "3 contexts are alive, by the place");
    assert_says(said, "  3 made at first.c:11 one, the oldest ");
    assert_false(says(said, "second.c"));
    free(said);
    assert_int_equal(exit_with(0, false, &said), 7);
    assert_string_equal(said, "");
    free(said);
    assert_int_equal(exit_with(3, true, &said), 7);
    assert_string_equal(said, "");
    free(said);
    wh_end(inherited);
}

/* ---- the root of a test ---- */

static void a_test_that_ends_everything_passes(void **state)
{
    (void)state;
    wh_ctx *root = wh_test_root();
    {
        WH_AUTO wh_ctx *ctx = wh_with_number(root, 1);
        WH_AUTO wh_ctx *child = wh_with_timeout(ctx, WH_SEC(100));
    }
    assert_int_equal(wh_test_end(root), 0);
    assert_string_equal(heard, "");
    assert_int_equal(wh_test_end(NULL), 0);
}

static void what_was_not_ended_is_said_by_its_place(void **state)
{
    (void)state;
    wh_ctx *elsewhere = wh_with_cancel_at(NULL, &second), *root = wh_test_root();
    wh_ctx *middle = wh_with_cancel_at(root, &second);
    wh_ctx *leaks[3] = {wh_with_cancel_at(middle, &first), wh_with_cancel_at(middle, &first), wh_with_number(middle, 3)};
    wh_ctx *audit = wh_detach_at(leaks[2], &second);
    wh_ctx *not_ours = wh_with_cancel_at(elsewhere, &second);
    wh_end(middle); /* others hold it, but it was ended */
    wh_hold(root);
    const wh_ctx *held = root;
    assert_int_equal(wh_test_end(root), 4);
    assert_ptr_equal(wh_cause(held), WH_ENDED);
    assert_ptr_equal(wh_cause(leaks[0]), WH_ENDED);
    assert_int_equal(wh_err(audit), 0);
    assert_string_equal(heard, "2 contexts were not ended, made at src/first.c:11 one\n"
                               "1 context was not ended, with the value number\n"
                               "1 context was not ended, made at second.c:22 two\n");
    wh_release(held);
    for (int i = 0; i < 3; i++) wh_end(leaks[i]);
    wh_end(audit);
    wh_end(not_ours);
    wh_end(elsewhere);
}

static void roots_of_tests_do_not_mix(void **state)
{
    (void)state;
    wh_ctx *one = wh_test_root(), *other = wh_test_root();
    wh_ctx *leak = wh_with_cancel(other);
    assert_int_equal(wh_test_end(one), 0);
    wh_track(WH_TRACK_LIVE);
    wh_track(0); /* is no matter of theirs */
    wh_ctx *second_leak = wh_with_cancel(leak);
    assert_int_equal(wh_test_end(other), 2);
    wh_end(second_leak);
    wh_end(leak);
}

static void without_memory_a_test_does_not_pass(void **state)
{
    (void)state;
    size_t found = SIZE_MAX;
    for (size_t i = 0; found == SIZE_MAX; i++) {
        wh_ctx *root = wh_test_root();
        wh_ctx *leak = wh_with_cancel(root);
        heard[0] = '\0';
        memory_ends_after(i);
        found = wh_test_end(root);
        memory_is_back();
        wh_end(leak);
        assert_true(found == 1 || found == SIZE_MAX);
        if (found == SIZE_MAX) assert_string_equal(heard, "no memory to tell what was not ended\n");
        assert_true(i < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(T165_leaks_are_counted_by_place_the_oldest_first, listens, stops_listening),
        cmocka_unit_test_setup_teardown(T165_at_exit_it_says_so_and_the_status_stays, listens, stops_listening),
        cmocka_unit_test_setup_teardown(a_test_that_ends_everything_passes, listens, stops_listening),
        cmocka_unit_test_setup_teardown(what_was_not_ended_is_said_by_its_place, listens, stops_listening),
        cmocka_unit_test_setup_teardown(roots_of_tests_do_not_mix, listens, stops_listening),
        cmocka_unit_test_setup_teardown(without_memory_a_test_does_not_pass, listens, stops_listening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
