/* What the waits ask of the kernel: no more than they must. The linker leads these calls past here. */
#include <sys/eventfd.h>
#include <sys/un.h>

#include "gate.h"
#include "wait_tools.h"

static _Thread_local int calls;

#define COUNTED(type, name, parameters, arguments) \
    type __real_##name parameters; \
    type __wrap_##name parameters; \
    type __wrap_##name parameters \
    { \
        calls++; \
        return __real_##name arguments; \
    }

COUNTED(ssize_t, recv, (int fd, void *buf, size_t size, int flags), (fd, buf, size, flags))
COUNTED(ssize_t, send, (int fd, const void *buf, size_t size, int flags), (fd, buf, size, flags))
COUNTED(ssize_t, read, (int fd, void *buf, size_t size), (fd, buf, size))
COUNTED(ssize_t, write, (int fd, const void *buf, size_t size), (fd, buf, size))
COUNTED(int, connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
COUNTED(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags), (fd, addr, len, flags))
COUNTED(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len), (fd, level, name, value, len))
COUNTED(int, eventfd, (unsigned value, int flags), (value, flags))

static _Thread_local int answers_on = -1; /* a byte comes there as soon as somebody waits */

int __real_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask)
{
    calls++;
    if (answers_on >= 0 && __real_write(answers_on, "x", 1) != 1) abort();
    return __real_ppoll(fds, count, limit, mask);
}

int __real_fcntl(int fd, int command, long arg);
int __wrap_fcntl(int fd, int command, long arg);
int __wrap_fcntl(int fd, int command, long arg)
{
    calls++;
    return __real_fcntl(fd, command, arg);
}

/* No memory either, but for what is said. */
#define CALLS(expected, expression) \
    do { \
        calls = 0; \
        memory_ends_after(0); \
        const int err_ = (expression); \
        const int calls_ = calls; \
        memory_is_back(); \
        assert_int_equal(err_, 0); \
        assert_int_equal(calls_, expected); \
    } while (0)

static void what_is_there_takes_one_call(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    struct pair pair = unix_pair();
    char bytes[8];
    size_t count;
    struct pollfd fd = {pair.ours, POLLIN, 0};
    CALLS(1, wh_write(ctx, pair.theirs, "hello", 5, &count));
    CALLS(1, wh_poll(ctx, &fd, 1, WH_NEVER, &count));
    CALLS(1, wh_read(ctx, pair.ours, bytes, sizeof bytes, &count));
    CALLS(1, wh_poll(ctx, &fd, 1, 0, &count));
    assert_int_equal(wh__state(ctx) & WH__HAS_FD, 0); /* and no descriptor of its own */
    assert_true(wh_done_fd(ctx) >= 0);
    CALLS(1, wh_write(NULL, pair.theirs, "hello", 5, &count));
    CALLS(1, wh_poll(ctx, &fd, 1, WH_NEVER, &count));
    CALLS(1, wh_read(NULL, pair.ours, bytes, sizeof bytes, &count));
    close_pair(&pair);
}

static void a_pipe_takes_two_more_to_know_it(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(1000));
    struct pair pair = pipe_pair();
    char bytes[8];
    size_t count;
    make_patient(pair.ours);
    make_patient(pair.theirs);
    CALLS(3, wh_write(ctx, pair.theirs, "hello", 5, &count)); /* send, fcntl, write */
    CALLS(3, wh_read(ctx, pair.ours, bytes, sizeof bytes, &count));
    close_pair(&pair);
}

/* recv() finds nothing, ppoll() waits, recv() takes it. A context without a descriptor is given one only for a wait that is
 * one: a glance finds the byte that has come meanwhile. */
static void waiting_takes_two_more(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct pair pair = unix_pair();
    char byte;
    size_t got;
    for (int i = 0; i < 2; i++) {
        answers_on = pair.theirs;
        CALLS(3, wh_read(ctx, pair.ours, &byte, 1, &got));
        answers_on = -1;
        assert_int_equal(wh__state(ctx) & WH__HAS_FD, i ? WH__HAS_FD : 0);
        assert_true(wh_done_fd(ctx) >= 0);
    }
    close_pair(&pair);
}

static void a_connection_takes_two_on_each_side(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof address;
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int blocking = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int patient = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int accepted;
    assert_int_equal(bind(listener, (void *)&address, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(listener, (void *)&address, &len), 0);
    assert_int_equal(listen(listener, 8), 0);
    CALLS(2, wh_connect(ctx, patient, (void *)&address, len));  /* fcntl, connect */
    CALLS(4, wh_connect(ctx, blocking, (void *)&address, len)); /* and the flag, there and back */
    for (int i = 0; i < 2; i++) {
        CALLS(2, wh_accept(ctx, listener, NULL, NULL, &accepted)); /* ppoll, accept4 */
        close(accepted);
    }
    close(patient);
    close(blocking);
    close(listener);
}

static void who_is_done_asks_nothing_of_the_kernel(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *below = wh_with_timeout(ctx, WH_SEC(1000));
    struct pair pair = unix_pair();
    struct pollfd fd = {pair.ours, POLLIN, 0};
    struct sockaddr address = {.sa_family = AF_UNIX};
    struct wh_ticker ticker = wh_ticker_begin(1);
    char bytes[8];
    size_t count;
    int accepted;
    wh_cancel(ctx, reason_x, NULL);
    calls = 0;
    assert_int_equal(wh_sleep(below, WH_SEC(1)), ECANCELED);
    assert_int_equal(wh_tick(below, &ticker, NULL), ECANCELED);
    assert_int_equal(wh_poll(below, &fd, 1, WH_NEVER, &count), ECANCELED);
    assert_int_equal(wh_read(below, pair.ours, bytes, 1, &count), ECANCELED);
    assert_int_equal(wh_write(below, pair.ours, bytes, 1, &count), ECANCELED);
    assert_int_equal(wh_accept(below, pair.ours, NULL, NULL, &accepted), ECANCELED);
    assert_int_equal(wh_connect(below, pair.ours, &address, sizeof address), ECANCELED);
    assert_int_equal(calls, 0);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_takes_one_call),
        cmocka_unit_test(a_pipe_takes_two_more_to_know_it),
        cmocka_unit_test(waiting_takes_two_more),
        cmocka_unit_test(a_connection_takes_two_on_each_side),
        cmocka_unit_test(who_is_done_asks_nothing_of_the_kernel),
    };
    return cmocka_run_group_tests_name("syscalls", tests, NULL, NULL);
}
