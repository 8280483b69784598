/* Waiting for a context, in the library and by its descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "context/tree.h"
#include "tools.h"

WH_REASON(reason_x, "x");

/* ---- wh_wait ---- */

static void T118_returns_at_once_or_when_the_limit_passes(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    const int64_t limits[] = {WH_MS(2), 1, 0, -1, INT64_MIN};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const int64_t before = wh_now();
        assert_int_equal(wh_wait(ctx, limits[i]), 0);
        assert_true(wh_now() - before >= limits[i]);
    }
    wh_cancel(ctx, reason_x, NULL);
    const int64_t before = wh_now();
    assert_int_equal(wh_wait(ctx, WH_SEC(100)), ECANCELED);
    assert_int_equal(wh_wait(ctx, 0), ECANCELED);
    assert_int_equal(wh_wait(ctx, WH_NEVER), ECANCELED);
    assert_true(wh_now() - before < WH_SEC(50));
}

static void T070_sleeping_says_which_of_the_two_it_was(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(300));
    assert_int_equal(wh_wait(ctx, WH_MS(1)), 0);
    assert_int_equal(wh_wait(ctx, WH_SEC(100)), ETIMEDOUT);
    assert_true(wh_now() >= wh_deadline(ctx));
}

static void *wait_for_it(void *arg)
{
    return (void *)(intptr_t)wh_wait(arg, WH_SEC(100));
}

static void T119_a_thousand_are_woken(void **state)
{
    (void)state;
    const int many = rounds(1000);
    pthread_t threads[1000];
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *middle = wh_with_cancel(root);
    WH_AUTO wh_ctx *leaf = wh_with_timeout(middle, WH_SEC(1000));
    wh_ctx *all[] = {root, middle, leaf};
    for (int i = 0; i < many; i++) threads[i] = start(wait_for_it, all[i % 3]);
    wh_wait(NULL, WH_MS(5));
    wh_cancel(root, reason_x, NULL);
    for (int i = 0; i < many; i++) {
        void *err;
        assert_int_equal(pthread_join(threads[i], &err), 0);
        assert_int_equal((intptr_t)err, ECANCELED);
    }
}

struct baton {
    wh_ctx *here, *there;
};

/* Each round a fresh context, and both sides asleep: no wake-up may be lost. */
static void *answer(void *arg)
{
    struct baton *baton = arg;
    wh_wait(baton->here, WH_NEVER);
    wh_cancel(baton->there, reason_x, NULL);
    return NULL;
}

static void no_wake_up_is_lost(void **state)
{
    (void)state;
    for (int i = 0; i < chances(3000); i++) {
        WH_AUTO wh_ctx *here = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *there = wh_with_cancel(parent);
        struct baton baton = {here, parent};
        const pthread_t thread = start(answer, &baton);
        for (int n = 0; n < i % 7; n++) wh_end(wh_with_cancel(there)); /* the word that it sleeps on keeps changing */
        wh_cancel(here, reason_x, NULL);
        assert_int_equal(wh_wait(there, WH_SEC(30)), ECANCELED);
        join(thread);
    }
}

static void nothing(int number)
{
    (void)number;
}

static void *interrupt(void *arg)
{
    for (int i = 0; i < 50; i++) {
        pthread_kill(*(pthread_t *)arg, SIGUSR1);
        wh_wait(NULL, WH_US(200));
    }
    return NULL;
}

static void T126_signals_do_not_shorten_it(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = nothing}, before;
    sigaction(SIGUSR1, &action, &before);
    pthread_t self = pthread_self();
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    const pthread_t thread = start(interrupt, &self);
    const int64_t began = wh_now();
    assert_int_equal(wh_wait(ctx, WH_MS(5)), 0);
    assert_int_equal(wh_wait(NULL, WH_MS(5)), 0);
    assert_true(wh_now() - began >= WH_MS(10));
    join(thread);
    sigaction(SIGUSR1, &before, NULL);
}

/* ---- pthread_cancel ---- */

static void T127_a_waiting_thread_can_be_cancelled(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    wh_ctx *waits_for[] = {ctx, NULL};
    for (int i = 0; i < 2; i++) {
        const pthread_t thread = start(wait_for_it, waits_for[i]);
        wh_wait(NULL, WH_MS(2));
        assert_int_equal(pthread_cancel(thread), 0);
        void *result;
        assert_int_equal(pthread_join(thread, &result), 0);
        assert_ptr_equal(result, PTHREAD_CANCELED);
    }
    assert_int_equal(ctx->refs, 1);
    assert_int_equal(wh_wait(ctx, 0), 0);
    assert_true(wh_cancel(ctx, reason_x, NULL));
}

/* With a request to end already pending: nothing but waiting is a place where the thread may end. */
static void *do_everything_else(void *arg)
{
    wh_ctx *root = arg;
    pthread_cancel(pthread_self());
    wh_ctx *ctx = wh_with_timeout(root, WH_SEC(100));
    wh_ctx *child = wh_with_cancel(ctx);
    wh_done_fd(ctx);
    wh_done_fd(child);
    wh_wait(ctx, 0);
    wh_cancel(ctx, reason_x, NULL);
    const intptr_t err = wh_err(child);
    char text[300];
    wh_explain(child, text, sizeof text);
    wh_end(ctx);
    wh_end(child);
    return (void *)err;
}

static void T127_nothing_else_is_cut_short(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    void *result;
    assert_int_equal(pthread_join(start(do_everything_else, root), &result), 0);
    assert_int_equal((intptr_t)result, ECANCELED);
    assert_int_equal(root->refs, 1);
    assert_null(root->children);
}

/* ---- the descriptor ---- */

static int count_of(int fd)
{
    char path[64], line[100];
    int count = -1;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "eventfd-count: %x", (unsigned *)&count) == 1) break;
    fclose(file);
    return count;
}

static void T120_one_descriptor_readable_for_ever(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    const int fd = wh_done_fd(ctx);
    assert_true(fd >= 0);
    assert_int_equal(wh_done_fd(ctx), fd);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_false(readable(fd));
    wh_cancel(ctx, reason_x, NULL);
    for (int i = 0; i < 100; i++) assert_true(readable(fd) && wh_err(ctx));
    assert_int_equal(wh_done_fd(ctx), fd);
}

/* Asking costs a load: whoever asks after the news has gone out writes nothing to the descriptor. */
static void T010_T120_asking_does_not_write(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *before = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *after = wh_with_cancel(NULL);
    assert_true(wh_done_fd(before) >= 0);
    wh_cancel(before, reason_x, NULL);
    wh_cancel(after, reason_x, NULL);
    assert_true(readable(wh_done_fd(after)));
    const wh_ctx *both[] = {before, after};
    for (int i = 0; i < 2; i++) {
        const int fd = wh_done_fd(both[i]);
        const int count = count_of(fd);
        assert_true(count >= 1 && count <= 2);
        for (int n = 0; n < 10; n++) assert_int_equal(wh_err(both[i]), ECANCELED);
        wh_wait(both[i], WH_MS(1));
        assert_int_equal(count_of(fd), count);
        assert_int_equal(wh__state(both[i]) & WH__SIGNALLING, 0);
    }
}

static void T120_in_epoll_by_level_and_by_edge(void **state)
{
    (void)state;
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t kind = 0; kind < 4; kind++) { /* by level or edge; added before or after it is done */
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        struct epoll_event event = {.events = EPOLLIN | (kind & 1 ? EPOLLET : 0), .data.u32 = kind}, seen;
        if (kind & 2) wh_cancel(ctx, reason_x, NULL);
        assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, wh_done_fd(ctx), &event), 0);
        if (!(kind & 2)) {
            assert_int_equal(epoll_wait(epoll, &seen, 1, 0), 0);
            wh_cancel(ctx, reason_x, NULL);
        }
        assert_int_equal(epoll_wait(epoll, &seen, 1, 20000), 1);
        assert_int_equal(seen.data.u32, kind);
        assert_int_equal(epoll_wait(epoll, &seen, 1, 0), kind & 1 ? 0 : 1);
        epoll_ctl(epoll, EPOLL_CTL_DEL, wh_done_fd(ctx), NULL);
    }
    close(epoll);
}

static bool without_descriptors(void *unused)
{
    (void)unused;
    wh_ctx *ctx = wh_with_cancel(NULL);
    struct rlimit none;
    CHECK(getrlimit(RLIMIT_NOFILE, &none) == 0);
    none.rlim_cur = 0;
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK(wh_done_fd(ctx) == -1 && errno == EMFILE);
    CHECK(wh_done_fd(ctx) == -1 && errno == EMFILE);
    wh_ctx *timed = wh_with_timeout(ctx, WH_MS(2)); /* the thread for timers cannot be had either */
    CHECK(wh_wait(timed, WH_SEC(10)) == ETIMEDOUT);
    CHECK(wh_wait(ctx, WH_MS(1)) == 0);
    wh_ctx *late = wh_with_timeout(ctx, WH_MS(1)); /* nobody but who waits looks at the clock */
    wh_ctx *below = wh_with_cancel(late);
    while (wh_now() <= wh_deadline(late)) continue;
    CHECK(wh_err(below) == 0);
    CHECK(wh_wait(below, 0) == ETIMEDOUT && wh_err(late) == ETIMEDOUT);
    wh_end(below);
    wh_end(late);
    CHECK(wh_cancel(ctx, reason_x, NULL));
    CHECK(wh_wait(ctx, WH_NEVER) == ECANCELED);
    wh_end(timed);
    wh_end(ctx);
    return true;
}

static void T121_without_descriptors(void **state)
{
    (void)state;
    assert_int_equal(in_child(without_descriptors, NULL), 0);
}

static void T122_no_descriptor_is_left_open(void **state)
{
    (void)state;
    const int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = quick_or_all(100000, 1000000); i; i--) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *child = wh_with_cancel(ctx);
        assert_true(wh_done_fd(child) > first);
        if (i % 2) assert_true(wh_done_fd(ctx) > first);
        if (i % 3) wh_cancel(ctx, reason_x, NULL);
    }
    const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(next, first + 1);
    close(next);
    close(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T118_returns_at_once_or_when_the_limit_passes),
        cmocka_unit_test(T070_sleeping_says_which_of_the_two_it_was),
        cmocka_unit_test(T119_a_thousand_are_woken),
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(T126_signals_do_not_shorten_it),
        cmocka_unit_test(T127_a_waiting_thread_can_be_cancelled),
        cmocka_unit_test(T127_nothing_else_is_cut_short),
        cmocka_unit_test(T120_one_descriptor_readable_for_ever),
        cmocka_unit_test(T010_T120_asking_does_not_write),
        cmocka_unit_test(T120_in_epoll_by_level_and_by_edge),
        cmocka_unit_test(T121_without_descriptors),
        cmocka_unit_test(T122_no_descriptor_is_left_open),
    };
    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
