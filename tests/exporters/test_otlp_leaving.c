/* exit() waits for who is inside libcurl with TLS, and lets nobody in any more (otlp/leaving.h). Each case is a process that
 * leaves by exit(); what OpenSSL would do then, a handler does here that was registered before. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "otlp/http.h"
#include "otlp/leaving.h"
#include "test.h"

static struct wh__otlp_sockets sockets;
static struct wh__otlp_visit visit = {.sockets = &sockets};
static int ends[2];            /* [0]: as if libcurl had it */
static bool is_inside, is_out; /* atomic */

/* As libcurl would open it. */
static void open_sockets(void)
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) abort();
    wh__otlp_sockets_init(&sockets);
    sockets.open[0].fd = ends[0];
}

/* Inside until its connection breaks, and a little longer. */
static void *be_inside(void *unused)
{
    char byte;
    if (!wh__otlp_visit_begin(&visit)) abort();
    __atomic_store_n(&is_inside, true, __ATOMIC_RELEASE);
    while (recv(ends[0], &byte, 1, 0) > 0) continue;
    usleep(50000);
    __atomic_store_n(&is_out, true, __ATOMIC_RELEASE);
    wh__otlp_visit_end(&visit);
    return unused;
}

static void *stay_inside(void *unused)
{
    if (!wh__otlp_visit_begin(&visit)) abort();
    __atomic_store_n(&is_inside, true, __ATOMIC_RELEASE);
    for (;;) pause();
    return unused;
}

static void go_in(void *(*how)(void *))
{
    pthread_t thread;
    open_sockets();
    if (pthread_create(&thread, NULL, how, NULL)) abort();
    pthread_detach(thread);
    while (!__atomic_load_n(&is_inside, __ATOMIC_ACQUIRE)) usleep(100);
}

/* ---- processes ---- */

static int status_of(pid_t child)
{
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* `take_apart` runs in exit() where OpenSSL's own handler would. */
static int process(void *(*inside)(void *), void (*take_apart)(void))
{
    const pid_t child = fork_at_rest();
    if (child) return status_of(child);
    alarm(60);
    if (atexit(take_apart) || wh__otlp_http_begin()) abort();
    go_in(inside);
    exit(1);
}

static void nobody_is_inside(void)
{
    _exit(__atomic_load_n(&is_out, __ATOMIC_ACQUIRE) ? 0 : 2);
}

static void exit_wakes_and_awaits_who_is_inside(void **state)
{
    (void)state;
    assert_int_equal(process(be_inside, nobody_is_inside), 0);
}

static void nobody_gets_in(void)
{
    struct wh__otlp_visit late = {.sockets = &sockets};
    _exit(wh__otlp_is_leaving() && !wh__otlp_visit_begin(&late) ? 0 : 2);
}

static void from_then_on_nobody_gets_in(void **state)
{
    (void)state;
    assert_int_equal(process(be_inside, nobody_gets_in), 0);
}

static void somebody_is_inside(void)
{
    _exit(__atomic_load_n(&is_out, __ATOMIC_ACQUIRE) ? 2 : 0);
}

static void exit_does_not_wait_for_ever(void **state)
{
    (void)state;
    assert_int_equal(process(stay_inside, somebody_is_inside), 0);
}

/* ---- forks ---- */

/* The parent's connection is as it was when the child has gone: it was not the child's to end. */
static bool child_leaves_alone(void)
{
    char byte = 0;
    const pid_t child = fork_at_rest();
    if (child == 0) exit(0);
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || status) return false;
    return send(ends[0], "x", 1, MSG_NOSIGNAL) == 1 && recv(ends[1], &byte, 1, 0) == 1 && byte == 'x';
}

static void the_exit_of_a_child_is_not_about_its_parents_threads(void **state)
{
    (void)state;
    const pid_t parent = fork_at_rest();
    if (parent) {
        assert_int_equal(status_of(parent), 0);
        return;
    }
    alarm(60);
    if (wh__otlp_http_begin()) abort();
    go_in(stay_inside);
    _exit(child_leaves_alone() ? 0 : 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_wakes_and_awaits_who_is_inside),
        cmocka_unit_test(from_then_on_nobody_gets_in),
        cmocka_unit_test(exit_does_not_wait_for_ever),
        cmocka_unit_test(the_exit_of_a_child_is_not_about_its_parents_threads),
    };
    return cmocka_run_group_tests_name("otlp_leaving", tests, NULL, NULL);
}
