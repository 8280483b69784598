/* fork(): the child has a library that works, and whatever it does to its contexts, the parent's are its own. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "context/tree.h"
#include "shards_tools.h"

WH_REASON(reason_x, "x");
WH_KEY(number, int)

static void count(void *arg)
{
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
}

static int read_of(const int *counter)
{
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* ---- the child ---- */

/* Everything that needs a thread of the library, too. */
static bool everything_works(void *unused)
{
    (void)unused;
    int ran = 0, ran_inline = 0, fds[2];
    wh_callback *callback;
    wh_ctx *root = wh_with_number(NULL, 4);
    wh_ctx *ctx = wh_with_cancel(root);
    wh_ctx *timed = wh_with_timeout(ctx, WH_MS(2));
    CHECK(wh_after(timed, count, &ran, NULL) == 0);
    CHECK(wh_after_inline(timed, count, &ran_inline, &callback) == 0);
    struct pollfd p = {.fd = wh_done_fd(timed), .events = POLLIN};
    CHECK(poll(&p, 1, 10000) == 1); /* nobody else looks at the clock */
    CHECK(wh_err(timed) == ETIMEDOUT && wh_err(ctx) == 0);
    while (!read_of(&ran) || !read_of(&ran_inline)) wh_wait(NULL, WH_US(100));
    CHECK(!wh_stop_wait(callback));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 && wh_watch_peer(ctx, fds[0], 0) == 0);
    close(fds[1]);
    CHECK(wh_wait(ctx, WH_SEC(10)) == ECANCELED && wh_cause(ctx) == WH_CLIENT_GONE);
    CHECK(wh_number(timed) == 4);
    wh_end(timed);
    wh_end(ctx);
    wh_end(root);
    close(fds[0]);
    return true;
}

static bool so_it_does_in_a_grandchild(void *unused)
{
    const pid_t pid = fork();
    if (pid == 0) _exit(everything_works(unused) ? 0 : 1);
    int status;
    CHECK(everything_works(unused));
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    return true;
}

static void T156_the_child_can_do_everything(void **state)
{
    (void)state;
    assert_int_equal(in_child(everything_works, NULL), 0); /* before the parent has any thread of the library's */
    assert_true(everything_works(NULL));
    assert_int_equal(in_child(everything_works, NULL), 0);
    assert_int_equal(in_child(so_it_does_in_a_grandchild, NULL), 0);
    assert_true(everything_works(NULL));
}

/* ---- what both have ---- */

struct family {
    wh_ctx *root, *middle, *leaf;
};

static struct family plant(int64_t timeout)
{
    struct family family = {.root = wh_with_cancel(NULL)};
    family.middle = wh_with_timeout(family.root, timeout);
    family.leaf = wh_with_cancel(family.middle);
    return family;
}

static void fell(struct family *family)
{
    wh_end(family->leaf);
    wh_end(family->middle);
    wh_end(family->root);
}

static bool cancel_and_end(void *arg)
{
    struct family *family = arg;
    CHECK(wh_err(family->leaf) == 0 && !readable(wh_done_fd(family->leaf)));
    CHECK(wh_cancel(family->root, reason_x, "by the child"));
    CHECK(wh_cause(family->leaf) == reason_x && readable(wh_done_fd(family->leaf)));
    wh_ctx *late = wh_with_cancel(family->leaf);
    CHECK(wh_cause(late) == reason_x);
    wh_end(late);
    fell(family);
    return true;
}

static void T158_T159_what_the_child_cancels_is_its_own(void **state)
{
    (void)state;
    struct family family = plant(WH_SEC(100));
    const int fd = wh_done_fd(family.leaf);
    assert_int_equal(in_child(cancel_and_end, &family), 0);
    assert_int_equal(wh_err(family.leaf), 0);
    assert_false(readable(fd));
    assert_true(wh_cancel(family.root, NULL, NULL));
    assert_true(readable(fd));
    fell(&family);
}

struct told {
    struct family *family;
    int from_parent[2];
};

static bool stay_undone(void *arg)
{
    struct told *told = arg;
    char byte;
    CHECK(read(told->from_parent[0], &byte, 1) == 1); /* it has cancelled its own */
    CHECK(wh_err(told->family->leaf) == 0 && !readable(wh_done_fd(told->family->leaf)));
    CHECK(wh_wait(told->family->leaf, WH_MS(1)) == 0);
    return cancel_and_end(told->family);
}

static void T158_T159_what_the_parent_cancels_is_its_own(void **state)
{
    (void)state;
    struct family family = plant(WH_SEC(100));
    struct told told = {.family = &family};
    assert_true(wh_done_fd(family.leaf) >= 0);
    assert_int_equal(pipe(told.from_parent), 0);
    const pid_t pid = fork_to(stay_undone, &told);
    assert_true(wh_cancel(family.root, reason_x, NULL));
    assert_true(readable(wh_done_fd(family.leaf)));
    assert_int_equal(write(told.from_parent[1], "x", 1), 1);
    assert_int_equal(fate_of(pid), 0);
    close(told.from_parent[0]);
    close(told.from_parent[1]);
    fell(&family);
}

static bool done_ones_are_done(void *arg)
{
    const struct family *family = arg;
    CHECK(wh_err(family->leaf) == ECANCELED && readable(wh_done_fd(family->leaf)));
    CHECK(wh_cause(family->leaf) == reason_x);
    return true;
}

static void T158_who_was_done_before_is_done_in_both(void **state)
{
    (void)state;
    struct family family = plant(WH_SEC(100));
    assert_true(wh_done_fd(family.leaf) >= 0);
    wh_cancel(family.root, reason_x, NULL);
    assert_int_equal(in_child(done_ones_are_done, &family), 0);
    assert_true(readable(wh_done_fd(family.leaf)));
    fell(&family);
}

/* ---- deadlines ---- */

static bool deadlines_hold(void *arg)
{
    struct family *family = arg;
    int ran = 0;
    CHECK(wh_err(family->leaf) == 0);
    CHECK(wh_after_inline(family->middle, count, &ran, NULL) == 0);
    CHECK(wh_wait(family->leaf, WH_SEC(10)) == ETIMEDOUT);
    CHECK(wh_now() >= wh_deadline(family->middle));
    while (!read_of(&ran)) wh_wait(NULL, WH_US(100));
    wh_wait(NULL, WH_MS(5));
    CHECK(read_of(&ran) == 1);
    fell(family);
    return true;
}

static void T159_deadlines_hold_in_both_and_fire_once_in_each(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        int ran = 0;
        struct family family = plant(WH_MS(300));
        assert_int_equal(wh_after_inline(family.leaf, count, &ran, NULL), 0);
        const pid_t pid = fork_to(deadlines_hold, &family);
        assert_int_equal(wh_wait(family.leaf, WH_SEC(20)), ETIMEDOUT);
        assert_int_equal(fate_of(pid), 0);
        EVENTUALLY(read_of(&ran) == 1);
        assert_int_equal(read_of(&ran), 1);
        fell(&family);
    }
}

/* ---- from inside ---- */

/* The child goes on where its thread was: in the middle of a cancel, with callbacks still to run. */
static void fork_here(void *arg)
{
    *(pid_t *)arg = fork();
}

static void a_callback_may_fork(void **state)
{
    (void)state;
    int ran = 0;
    pid_t pid = -1;
    wh_ctx *ctx = wh_with_cancel(NULL);
    wh_ctx *child = wh_with_timeout(ctx, WH_SEC(100));
    assert_int_equal(wh_after_inline(child, count, &ran, NULL), 0);
    assert_int_equal(wh_after_inline(ctx, count, &ran, NULL), 0);
    assert_int_equal(wh_after_inline(ctx, fork_here, &pid, NULL), 0);
    fflush(NULL);
    wh_cancel(ctx, reason_x, NULL);
    const bool whole = ran == 2 && wh_cause(child) == reason_x;
    wh_end(child);
    wh_end(ctx);
    if (pid == 0) _exit(whole && everything_works(NULL) ? 0 : 1);
    assert_true(pid > 0);
    assert_int_equal(fate_of(pid), 0);
    assert_true(whole);
}

/* ---- in the middle of everything ---- */

enum { THREADS = 3 };
static bool stop;
static wh_ctx *shared;

static void *live(void *arg)
{
    uint32_t seed = *(const uint32_t *)arg;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        wh_ctx *ctx = wh_with_timeout(shared, WH_US(next_random(&seed) % 300));
        wh_ctx *child = wh_with_number(ctx, 1);
        wh_ctx *below = wh_with_cancel(child);
        int ran = 0;
        wh_callback *callback = NULL;
        if (next_random(&seed) % 2 && wh_after(below, count, &ran, &callback)) abort();
        if (next_random(&seed) % 4 == 0) wh_done_fd(below);
        if (next_random(&seed) % 2) wh_cancel(ctx, reason_x, "dynamic");
        if (next_random(&seed) % 8 == 0) wh_wait(below, WH_US(50));
        wh_stop_wait(callback);
        wh_end(ctx);
        wh_end(child);
        wh_end(below);
    }
    return NULL;
}

static bool is_whole(const wh_ctx *parent)
{
    for (const wh_ctx *child = parent->children; child; child = child->next) {
        CHECK(child->parent == parent && *child->link == child);
        CHECK(!(wh__state(child) & (WH__LOCK_BIT | WH__SWEEPING)));
    }
    return true;
}

static bool the_tree_is_whole(void *unused)
{
    CHECK(is_whole(shared));
    for (const wh_ctx *child = shared->children; child; child = child->next)
        if (child->flags & WH__SHARD) CHECK(is_whole(child));
    if (UNDER_ASAN) return true; /* fork() does not wait for its allocator: the child may find that locked for ever */
    CHECK(everything_works(unused));
    CHECK(wh_cancel(shared, reason_x, NULL));
    CHECK(shared->children == NULL);
    return true;
}

static void T157_fork_while_others_derive_cancel_and_end(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    uint32_t seeds[THREADS];
    shared = wh_with_cancel(NULL);
    for (uint32_t i = 0; i < THREADS; i++) {
        seeds[i] = 31 + i;
        threads[i] = start(live, &seeds[i]);
    }
    for (int i = 0; i < chances(50); i++) assert_int_equal(in_child(the_tree_is_whole, NULL), 0);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    assert_int_equal(wh_err(shared), 0);
    EVENTUALLY(refs_of(shared, true) == 1);
    wh_end(shared);
}

/* ---- exec ---- */

static void T161_no_descriptor_is_inherited_by_a_program(void **state)
{
    (void)state;
    assert_true(everything_works(NULL));
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    assert_true(wh_done_fd(ctx) >= 0);
    int seen = 0;
    for (int fd = 3; fd < 64; fd++) {
        char path[40], target[64] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (readlink(path, target, sizeof target - 1) < 0 || strncmp(target, "anon_inode:", 11)) continue;
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        seen++;
    }
    assert_true(seen >= 4); /* epoll, timer, signals, and the context's own */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T156_the_child_can_do_everything),
        cmocka_unit_test(T158_T159_what_the_child_cancels_is_its_own),
        cmocka_unit_test(T158_T159_what_the_parent_cancels_is_its_own),
        cmocka_unit_test(T158_who_was_done_before_is_done_in_both),
        cmocka_unit_test(T159_deadlines_hold_in_both_and_fire_once_in_each),
        cmocka_unit_test(a_callback_may_fork),
        cmocka_unit_test(T157_fork_while_others_derive_cancel_and_end),
        cmocka_unit_test(T161_no_descriptor_is_inherited_by_a_program),
    };
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
