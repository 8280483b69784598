/* Real programs under contexts: they end by themselves, or are stopped, and the span says which. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate.h"

static char *own_path;

/* The one by which it counts them among them. */
static int open_descriptors(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) abort();
    while (readdir(dir)) count++;
    closedir(dir);
    return count;
}

/* ---- the programs: this one, by another name ---- */

static void say(const char *words)
{
    if (write(1, words, strlen(words)) < 0) _exit(9);
}

/* Works as long as its context lasts, which nobody but its environment tells of; and says what it knows. */
static int use_whence(void)
{
    char trace[33], parent[17], line[256];
    signal(SIGTERM, SIG_IGN);
    WH_AUTO wh_ctx *from = wh_extract_env(NULL);
    wh_span_id_hex(from, parent);
    snprintf(line, sizeof line, "%s %s %s %d ", wh_trace_id_hex(from, trace), parent, wh_baggage(from, "tenant"),
        wh_deadline(from) != WH_NEVER);
    say(line);
    wh_wait(from, WH_SEC(60));
    say(wh_cause(from) ? wh_cause(from)->name : "nothing");
    return 0;
}

static int be_a_program(const char *what)
{
    alarm(120); /* if the test should fail */
    if (strcmp(what, "whence") == 0) return use_whence();
    if (strcmp(what, "three") == 0) return 3;
    if (strcmp(what, "count") == 0) return open_descriptors();
    if (strcmp(what, "abort") == 0) abort();
    if (strcmp(what, "stubborn") == 0) signal(SIGTERM, SIG_IGN);
    if (strcmp(what, "stopped") == 0) raise(SIGSTOP);
    if (strcmp(what, "parent") == 0 && fork() == 0) signal(SIGTERM, SIG_IGN);
    say("ready\n");
    for (;;) pause();
}

/* ---- tools ---- */

/* A pipe to its standard output, so that a test knows how far it is. */
struct ears {
    posix_spawn_file_actions_t actions;
    int from, to;
};

static struct ears ears_open(void)
{
    struct ears ears;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    ears.from = ends[0];
    ears.to = ends[1];
    posix_spawn_file_actions_init(&ears.actions);
    posix_spawn_file_actions_adddup2(&ears.actions, ears.to, 1);
    return ears;
}

/* The program has it now. */
static void ears_shut(struct ears *ears)
{
    close(ears->to);
    posix_spawn_file_actions_destroy(&ears->actions);
}

/* What it says, up to a newline or its end. */
static const char *heard(const struct ears *ears)
{
    static char words[512];
    size_t len = 0;
    while (len < sizeof words - 1 && read(ears->from, words + len, 1) == 1 && words[len] != '\n') len++;
    words[len] = '\0';
    return words;
}

#define PROGRAM(what) (char *[]){own_path, (char *)"--program", (char *)(what), NULL}

static bool is_gone(pid_t pid)
{
    return kill(pid, 0) == -1 && errno == ESRCH;
}

static void *stop_later(void *ctx)
{
    wh_sleep(NULL, WH_MS(20));
    wh_cancel(ctx, WH_CLIENT_GONE, "nobody wants it");
    return NULL;
}

/* Each test does all its work twice: with pidfds, and without, since no descriptor is left for one. */
static bool blind;
static struct rlimit all_descriptors;

static int start_under(const wh_ctx *ctx, wh_child **child, const struct wh_child_opts *opts)
{
    enum { FEW = 64 };
    struct rlimit few = all_descriptors;
    int taken[FEW], count = 0;
    few.rlim_cur = FEW;
    if (blind) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        while ((taken[count] = fcntl(0, F_DUPFD_CLOEXEC, 0)) >= 0) count++;
    }
    const int rc = wh_child_start_at(ctx, child, opts);
    while (count) close(taken[--count]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all_descriptors), 0);
    return rc;
}
#define START(ctx, child, ...) start_under((ctx), (child), WH_OPTS_(struct wh_child_opts, .site = WH_HERE, .argv = __VA_ARGS__))

/* ---- tests ---- */

static void one_that_ends_well(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO_CHILD wh_child *child = NULL;
    int status = -1;
    assert_int_equal(START(spans.root, &child, (char *[]){(char *)"true", NULL}), 0);
    const pid_t pid = wh_child_pid(child);
    assert_true(pid > 0);
    wh_set(wh_child_ctx(child), "of.mine", 17);
    assert_int_equal(wh_child_wait(child, &status), 0);
    assert_int_equal(status, 0);
    assert_null(wh_child_ctx(child));
    assert_int_equal(wh_child_wait(child, &status), 0); /* again */
    assert_true(is_gone(pid));
    const struct wh_span_view span = span_named(&spans, "true");
    assert_int_equal(span.kind, WH_CLIENT);
    assert_int_equal(span.status, WH_STATUS_UNSET);
    assert_string_equal(span_text(&span, "process.executable.name"), "true");
    assert_int_equal(span_int(&span, "process.pid"), pid);
    assert_int_equal(span_int(&span, "process.exit.code"), 0);
    assert_string_equal(span_text(&span, "whence.child.ended_by"), "exit");
    assert_int_equal(span_int(&span, "of.mine"), 17);
    assert_false(span_has(&span, "whence.cancelled"));
    assert_false(span_has(&span, "whence.child.stopped_for"));
    assert_false(span_has(&span, "process.command_args"));
    spans_end(&spans);
}

static void one_that_exits_with_3(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO_CHILD wh_child *child = NULL;
    int status;
    assert_int_equal(START(spans.root, &child, PROGRAM("three"), .name = "three", .record_args = true), 0);
    assert_int_equal(wh_child_wait(child, &status), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    const struct wh_span_view span = span_named(&spans, "three");
    assert_int_equal(span.status, WH_STATUS_ERROR);
    assert_int_equal(span.status_text.len, strlen("exit code 3"));
    assert_memory_equal(span.status_text.ptr, "exit code 3", span.status_text.len);
    assert_string_equal(span_text(&span, "error.type"), "3");
    assert_int_equal(span_int(&span, "process.exit.code"), 3);
    assert_true(span_has(&span, "process.command_args"));
    assert_string_equal(span_text(&span, "process.executable.path"), own_path);
    spans_end(&spans);
}

static void one_that_crashes(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO_CHILD wh_child *child = NULL;
    int status;
    assert_int_equal(START(spans.root, &child, PROGRAM("abort"), .name = "crash"), 0);
    assert_int_equal(wh_child_wait(child, &status), 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    const struct wh_span_view span = span_named(&spans, "crash");
    assert_int_equal(span.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&span, "error.type"), "SIGABRT");
    assert_string_equal(span_text(&span, "whence.child.ended_by"), "signal");
    assert_string_equal(span_text(&span, "whence.child.signal"), "SIGABRT");
    assert_false(span_has(&span, "process.exit.code"));
    spans_end(&spans);
}

static void one_that_does_not_exist(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_child *child = (void *)own_path;
    assert_int_equal(START(spans.root, &child, (char *[]){(char *)"/nowhere/to-be-found", NULL}), ENOENT);
    assert_ptr_equal(child, own_path);
    const struct wh_span_view span = span_named(&spans, "to-be-found");
    assert_int_equal(span.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&span, "error.type"), "ENOENT");
    assert_false(span_has(&span, "process.pid"));
    assert_int_equal(START(spans.root, &child, (char *[]){(char *)"/etc/passwd", NULL}), EACCES);
    spans_end(&spans);
}

static void nothing_is_started_under_a_context_that_is_done(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *ctx = wh_with_cancel(spans.root);
    wh_cancel(ctx, WH_CLIENT_GONE, NULL);
    wh_child *child = NULL;
    assert_int_equal(START(ctx, &child, (char *[]){(char *)"true", NULL}), ECANCELED);
    assert_null(child);
    assert_int_equal(START(spans.root, &child, (char *[]){(char *)"false", NULL}, .timeout = -1), ETIMEDOUT);
    wh_end(ctx);
    const struct wh_span_view span = span_named(&spans, "true");
    assert_true(span_bool(&span, "whence.cancelled"));
    assert_false(span_has(&span, "whence.child.stopped_for"));
    spans_end(&spans);
}

static void one_that_is_cancelled_gets_a_signal(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_ctx *ctx = wh_with_cancel(spans.root);
    struct ears ears = ears_open();
    wh_child *child = NULL;
    pthread_t thread;
    int status;
    assert_int_equal(START(ctx, &child, PROGRAM("wait"), .name = "cancelled", .actions = &ears.actions, .grace = WH_SEC(60)), 0);
    ears_shut(&ears);
    assert_string_equal(heard(&ears), "ready");
    pthread_create(&thread, NULL, stop_later, ctx);
    assert_int_equal(wh_child_wait(child, &status), ECANCELED);
    pthread_join(thread, NULL);
    assert_int_equal(WTERMSIG(status), SIGTERM);
    wh_child_free(child);
    wh_end(ctx);
    close(ears.from);
    struct wh_event_view event;
    const struct wh_span_view span = span_named(&spans, "cancelled");
    assert_int_equal(span.status, WH_STATUS_UNSET);
    assert_false(span_has(&span, "error.type"));
    assert_string_equal(span_text(&span, "whence.cancel.reason"), "client_gone");
    assert_string_equal(span_text(&span, "whence.child.stopped_for"), "client_gone");
    assert_string_equal(span_text(&span, "whence.child.ended_by"), "signal");
    assert_string_equal(span_text(&span, "whence.child.signal"), "SIGTERM");
    assert_true(span_event(&span, "whence.child.signalled", &event));
    spans_end(&spans);
}

static void one_that_ignores_SIGTERM_is_killed(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    struct ears ears = ears_open();
    wh_child *child = NULL;
    int status;
    wh_ctx *ctx = wh_start(spans.root, "above", .timeout = WH_MS(300));
    assert_int_equal(START(ctx, &child, PROGRAM("stubborn"), .name = "stubborn", .actions = &ears.actions, .grace = WH_MS(50)), 0);
    ears_shut(&ears);
    if (wh_err(ctx) == 0) heard(&ears); /* a slow machine may not have come so far */
    assert_int_equal(wh_child_wait(child, &status), ETIMEDOUT);
    assert_true(WIFSIGNALED(status));
    assert_true(is_gone(wh_child_pid(child)));
    wh_child_free(child);
    wh_end(ctx);
    close(ears.from);
    const struct wh_span_view span = span_named(&spans, "stubborn"), above = span_named(&spans, "above");
    assert_string_equal(span_text(&span, "whence.child.stopped_for"), "deadline_exceeded");
    assert_string_equal(span_text(&span, "whence.cancel.reason"), "deadline_exceeded");
    assert_int_equal(span.status, WH_STATUS_UNSET);  /* whose deadline it is, his is the error */
    assert_int_equal(above.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&above, "error.type"), "timeout");
    spans_end(&spans);
}

static void its_own_timeout_is_its_own_error(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO_CHILD wh_child *child = NULL;
    assert_int_equal(START(spans.root, &child, PROGRAM("wait"), .name = "late", .timeout = WH_MS(20), .grace = -1), 0);
    int status;
    assert_int_equal(wh_child_wait(child, &status), ETIMEDOUT);
    assert_int_equal(WTERMSIG(status), SIGKILL); /* no grace */
    const struct wh_span_view span = span_named(&spans, "late");
    assert_int_equal(span.status, WH_STATUS_ERROR);
    assert_string_equal(span_text(&span, "error.type"), "timeout");
    assert_string_equal(span_text(&span, "whence.child.signal"), "SIGKILL");
    assert_true(span_double(&span, "whence.deadline.asked_ms") == 20);
    spans_end(&spans);
}

static void one_that_is_stopped_hears_it_too(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO_CHILD wh_child *child = NULL;
    wh_ctx *ctx = wh_with_cancel(spans.root);
    siginfo_t info;
    int status;
    assert_int_equal(START(ctx, &child, PROGRAM("stopped"), .grace = WH_SEC(60)), 0);
    assert_int_equal(waitid(P_PID, (id_t)wh_child_pid(child), &info, WSTOPPED), 0);
    wh_cancel(ctx, WH_CANCELED, NULL);
    assert_int_equal(wh_child_wait(child, &status), ECANCELED);
    assert_int_equal(WTERMSIG(status), SIGTERM); /* it has not taken a minute */
    wh_end(ctx);
    spans_end(&spans);
}

static void another_signal_can_be_the_first(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO_CHILD wh_child *child = NULL;
    wh_ctx *ctx = wh_with_cancel(spans.root);
    sigset_t block, before;
    int status;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &block, &before); /* neither reaches the child */
    signal(SIGUSR1, SIG_IGN);
    assert_int_equal(START(ctx, &child, PROGRAM("wait"), .grace = WH_SEC(60), .signal = SIGUSR1), 0);
    signal(SIGUSR1, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    wh_cancel(ctx, WH_CANCELED, NULL);
    assert_int_equal(wh_child_wait(child, &status), ECANCELED);
    assert_int_equal(WTERMSIG(status), SIGUSR1);
    wh_end(ctx);
    spans_end(&spans);
}

static void of_a_group_nobody_is_left(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO_CHILD wh_child *child = NULL;
    wh_ctx *ctx = wh_with_cancel(spans.root);
    struct ears ears = ears_open();
    assert_int_equal(START(ctx, &child, PROGRAM("parent"), .actions = &ears.actions, .group = true, .grace = WH_SEC(60)), 0);
    ears_shut(&ears);
    heard(&ears);
    heard(&ears); /* both are there, and one ignores SIGTERM */
    wh_cancel(ctx, WH_CANCELED, NULL);
    assert_int_equal(wh_child_wait(child, NULL), ECANCELED);
    assert_string_equal(heard(&ears), ""); /* the end: nobody has the pipe */
    close(ears.from);
    wh_end(ctx);
    spans_end(&spans);
}

static void one_that_uses_whence_ends_by_the_deadline_it_inherits(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO wh_ctx *bag = wh_with_baggage(spans.root, "tenant", "blue");
    wh_ctx *ctx = wh_start(bag, "above", .timeout = WH_MS(200));
    struct ears ears = ears_open();
    wh_child *child = NULL;
    char trace[33], id[17], expected[256];
    /* never the parent's signal: it is ignored, and the grace is long */
    assert_int_equal(START(ctx, &child, PROGRAM("whence"), .name = "below", .actions = &ears.actions, .grace = WH_SEC(60)), 0);
    ears_shut(&ears);
    snprintf(expected, sizeof expected, "%s %s blue 1 deadline_exceeded", wh_trace_id_hex(ctx, trace), wh_span_id_hex(wh_child_ctx(child), id));
    int status = -1;
    const int rc = wh_child_wait(child, &status);
    assert_true(rc == 0 || rc == ETIMEDOUT); /* whoever is first */
    if (WIFSIGNALED(status)) /* a slow machine: the signal came before it could ignore it */
        assert_int_equal(WTERMSIG(status), SIGTERM);
    else
        assert_string_equal(heard(&ears), expected);
    wh_child_free(child);
    wh_end(ctx);
    close(ears.from);
    const struct wh_span_view span = span_named(&spans, "below");
    assert_true(span_bool(&span, "whence.cancelled"));
    assert_int_equal(span.status, WH_STATUS_UNSET);
    spans_end(&spans);
}

static void who_is_not_waited_for_is_stopped(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    pid_t pid;
    {
        WH_AUTO_CHILD wh_child *child = NULL;
        assert_int_equal(START(spans.root, &child, PROGRAM("wait"), .name = "forgotten"), 0);
        pid = wh_child_pid(child);
    }
    assert_true(is_gone(pid));
    const struct wh_span_view span = span_named(&spans, "forgotten");
    assert_string_equal(span_text(&span, "whence.child.stopped_for"), "ended");
    wh_child_free(NULL);
    spans_end(&spans);
}

static void other_children_are_left_alone(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    WH_AUTO_CHILD wh_child *child = NULL;
    int status;
    struct sigaction before, after;
    sigaction(SIGCHLD, NULL, &before);
    const pid_t other = fork();
    if (other == 0) _exit(5);
    assert_int_equal(START(spans.root, &child, (char *[]){(char *)"true", NULL}), 0);
    assert_int_equal(wh_child_wait(child, NULL), 0);
    sigaction(SIGCHLD, NULL, &after);
    assert_ptr_equal(before.sa_handler, after.sa_handler);
    assert_int_equal(waitpid(other, &status, 0), other); /* still there to be waited for */
    assert_int_equal(WEXITSTATUS(status), 5);
    spans_end(&spans);
}

static void somebody_else_may_have_waited_for_it(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    int status = 77;
    for (int ignored = 0; ignored < 2; ignored++) {
        WH_AUTO_CHILD wh_child *child = NULL;
        if (ignored) signal(SIGCHLD, SIG_IGN);
        assert_int_equal(START(spans.root, &child, PROGRAM("three"), .name = ignored ? "ignored" : "taken"), 0);
        if (!ignored) assert_int_equal(waitpid(wh_child_pid(child), NULL, 0), wh_child_pid(child));
        assert_int_equal(wh_child_wait(child, &status), ECHILD);
        assert_int_equal(status, 77);
        signal(SIGCHLD, SIG_DFL);
        const struct wh_span_view span = span_named(&spans, ignored ? "ignored" : "taken");
        assert_string_equal(span_text(&span, "whence.child.ended_by"), "unknown");
        assert_int_equal(span.status, WH_STATUS_UNSET); /* nobody knows */
    }
    spans_end(&spans);
}

static void in_a_fork_it_is_not_ours(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    wh_child *child = NULL;
    wh_ctx *ctx = wh_with_cancel(spans.root);
    struct ears ears = ears_open();
    int status;
    assert_int_equal(START(ctx, &child, PROGRAM("wait"), .actions = &ears.actions), 0);
    ears_shut(&ears);
    heard(&ears);
    const pid_t fork_of_us = fork();
    if (fork_of_us == 0) {
        wh_cancel(ctx, WH_CANCELED, NULL);
        const bool is_alien = wh_child_wait(child, NULL) == ECHILD;
        wh_child_free(child);
        _exit(is_alien ? 0 : 1);
    }
    assert_int_equal(waitpid(fork_of_us, &status, 0), fork_of_us);
    assert_int_equal(status, 0);
    assert_false(is_gone(wh_child_pid(child)));
    assert_int_equal(wh_err(ctx), 0);
    wh_cancel(ctx, WH_CANCELED, NULL);
    assert_int_equal(wh_child_wait(child, &status), ECANCELED);
    assert_int_equal(WTERMSIG(status), SIGTERM);
    wh_child_free(child);
    wh_end(ctx);
    close(ears.from);
    spans_end(&spans);
}

static void signals_of_this_process_are_no_end(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const pid_t us = getpid(), pest = fork();
    if (pest == 0)
        for (;;) {
            if (kill(us, SIGALRM)) _exit(0);
            usleep(1000);
        }
    WH_AUTO_CHILD wh_child *child = NULL;
    int status;
    assert_int_equal(START(spans.root, &child, (char *[]){(char *)"sleep", (char *)"0.1", NULL}), 0);
    assert_int_equal(wh_child_wait(child, &status), 0);
    assert_int_equal(status, 0);
    kill(pest, SIGKILL);
    assert_int_equal(waitpid(pest, &status, 0), pest);
    spans_end(&spans);
}

/* How many descriptors a program has that is started now. */
static int inherited(const struct spans *spans)
{
    WH_AUTO_CHILD wh_child *child = NULL;
    int status;
    assert_int_equal(START(spans->root, &child, PROGRAM("count")), 0);
    assert_int_equal(wh_child_wait(child, &status), 0);
    return WEXITSTATUS(status);
}

static void no_descriptor_is_left_or_inherited(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    const int none = inherited(&spans), before = open_descriptors();
    wh_child *child = NULL;
    wh_ctx *ctx = wh_with_cancel(spans.root);
    assert_int_equal(START(ctx, &child, PROGRAM("wait")), 0);
    assert_true(wh_done_fd(wh_child_ctx(child)) >= 0);
    assert_int_equal(inherited(&spans), none);
    wh_cancel(ctx, WH_CANCELED, NULL);
    assert_int_equal(wh_child_wait(child, NULL), ECANCELED);
    wh_child_free(child);
    wh_end(ctx);
    assert_int_equal(open_descriptors(), before);
    spans_end(&spans);
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    struct spans spans = spans_begin();
    for (size_t n = 1, failed = 1; failed; n++) {
        wh_child *child = NULL;
        memory_fails_once_at(n);
        const int rc = START(spans.root, &child, (char *[]){(char *)"true", NULL});
        failed = memory_is_back();
        assert_true(rc == 0 || rc == ENOMEM || rc == ECANCELED); /* a context without memory is done */
        assert_int_equal(rc == 0, child != NULL);
        if (child) wh_child_wait(child, NULL);
        wh_child_free(child);
    }
    for (size_t n = 1, failed = 1; failed; n++) {
        wh_child *child = NULL;
        int status;
        assert_int_equal(START(spans.root, &child, (char *[]){(char *)"true", NULL}), 0);
        memory_fails_once_at(n);
        assert_int_equal(wh_child_wait(child, &status), 0);
        failed = memory_is_back();
        assert_int_equal(status, 0);
        wh_child_free(child);
    }
    spans_end(&spans);
}

static void without_a_provider_it_does_the_same(void **state)
{
    (void)state;
    WH_AUTO_CHILD wh_child *child = NULL;
    int status;
    assert_int_equal(START(NULL, &child, PROGRAM("three")), 0);
    assert_int_equal(wh_child_wait(child, &status), 0);
    assert_int_equal(WEXITSTATUS(status), 3);
}

static void on_alarm(int number)
{
    (void)number;
}

int main(int argc, char **argv)
{
    own_path = argv[0];
    if (argc > 2 && strcmp(argv[1], "--program") == 0) return be_a_program(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_ends_well),
        cmocka_unit_test(one_that_exits_with_3),
        cmocka_unit_test(one_that_crashes),
        cmocka_unit_test(one_that_does_not_exist),
        cmocka_unit_test(nothing_is_started_under_a_context_that_is_done),
        cmocka_unit_test(one_that_is_cancelled_gets_a_signal),
        cmocka_unit_test(one_that_ignores_SIGTERM_is_killed),
        cmocka_unit_test(its_own_timeout_is_its_own_error),
        cmocka_unit_test(one_that_is_stopped_hears_it_too),
        cmocka_unit_test(another_signal_can_be_the_first),
        cmocka_unit_test(of_a_group_nobody_is_left),
        cmocka_unit_test(one_that_uses_whence_ends_by_the_deadline_it_inherits),
        cmocka_unit_test(who_is_not_waited_for_is_stopped),
        cmocka_unit_test(other_children_are_left_alone),
        cmocka_unit_test(somebody_else_may_have_waited_for_it),
        cmocka_unit_test(in_a_fork_it_is_not_ours),
        cmocka_unit_test(signals_of_this_process_are_no_end),
        cmocka_unit_test(no_descriptor_is_left_or_inherited),
        cmocka_unit_test(without_memory_it_says_so),
        cmocka_unit_test(without_a_provider_it_does_the_same),
    };
    const struct sigaction harmless = {.sa_handler = on_alarm}; /* without SA_RESTART */
    const struct rlimit no_core = {0, 0};
    sigaction(SIGALRM, &harmless, NULL);
    setrlimit(RLIMIT_CORE, &no_core);
    getrlimit(RLIMIT_NOFILE, &all_descriptors);
    const int with = cmocka_run_group_tests_name("child", tests, NULL, NULL);
    blind = true;
    return with + cmocka_run_group_tests_name("child_without_pidfds", tests, NULL, NULL);
}
