/* fork(), and what the threads of the parent had in hand: callbacks, members of groups, peers and signals. */
#include <errno.h>
#include <semaphore.h>
#include <sys/socket.h>

#include "tools.h"

WH_REASON(reason_x, "x");

static void count(void *arg)
{
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
}

static int read_of(const int *counter)
{
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* ---- callbacks ---- */

struct blocked {
    sem_t runs, may_end;
    int ran;
    wh_callback *running, *queued, *waiting;
};

static void block(void *arg)
{
    struct blocked *blocked = arg;
    sem_post(&blocked->runs);
    sem_wait(&blocked->may_end);
    __atomic_fetch_add(&blocked->ran, 1, __ATOMIC_ACQ_REL);
}

static bool only_own_callbacks_run(void *arg)
{
    struct blocked *blocked = arg;
    int ran = 0;
    wh_ctx *ctx = wh_with_cancel(NULL);
    CHECK(wh_after(ctx, count, &ran, NULL) == 0);
    wh_cancel(ctx, reason_x, NULL);
    while (!read_of(&ran)) wh_wait(NULL, WH_US(100));
    CHECK(!wh_stop_wait(blocked->running)); /* on a thread of the parent's: nothing to wait for */
    CHECK(!wh_stop_wait(blocked->queued));  /* the parent's to run */
    CHECK(wh_stop_wait(blocked->waiting));
    CHECK(read_of(&blocked->ran) == 0);
    wh_end(ctx);
    return true;
}

static void T156_queued_callbacks_are_the_parents(void **state)
{
    (void)state;
    int ran = 0;
    struct blocked blocked = {.ran = 0};
    sem_init(&blocked.runs, 0, 0);
    sem_init(&blocked.may_end, 0, 0);
    WH_AUTO wh_ctx *done = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *open = wh_with_cancel(NULL);
    wh_cancel(done, reason_x, NULL);
    assert_int_equal(wh_after(done, block, &blocked, &blocked.running), 0);
    sem_wait(&blocked.runs);
    assert_int_equal(wh_after(done, count, &ran, &blocked.queued), 0);
    assert_int_equal(wh_after(open, count, &ran, &blocked.waiting), 0);
    assert_int_equal(in_child(only_own_callbacks_run, &blocked), 0);
    assert_int_equal(read_of(&ran), 0);
    sem_post(&blocked.may_end);
    assert_false(wh_stop_wait(blocked.running));
    EVENTUALLY(read_of(&ran) == 1);
    assert_false(wh_stop(blocked.queued));
    assert_true(wh_stop(blocked.waiting));
    assert_int_equal(read_of(&ran), 1);
}

/* What `arg` of another thread's callback points to may be its stack, which the child does not have. */
struct registered {
    wh_ctx *ctx, *timed;
    int own, others;
    sem_t is_there, may_go;
};

static void *register_and_stay(void *arg)
{
    struct registered *registered = arg;
    const int failed = wh_after(registered->ctx, count, &registered->others, NULL) ||
                       wh_after_inline(registered->ctx, count, &registered->others, NULL) ||
                       wh_after_inline(registered->timed, count, &registered->others, NULL);
    sem_post(&registered->is_there);
    sem_wait(&registered->may_go);
    return (void *)(intptr_t)failed;
}

static bool only_those_of_this_thread_run(void *arg)
{
    struct registered *registered = arg;
    const int before = read_of(&registered->others); /* on a slow machine the timer may have fired before the fork */
    CHECK(wh_cancel(registered->ctx, reason_x, NULL));
    while (read_of(&registered->own) < 2) wh_wait(NULL, WH_US(100));
    CHECK(wh_wait(registered->timed, WH_SEC(10)) == ETIMEDOUT);
    while (read_of(&registered->own) < 3) wh_wait(NULL, WH_US(100));
    CHECK(read_of(&registered->others) == before);
    wh_end(registered->timed);
    wh_end(registered->ctx);
    return true;
}

static void T156_callbacks_of_other_threads_are_the_parents(void **state)
{
    (void)state;
    struct registered registered = {.ctx = wh_with_cancel(NULL), .timed = wh_with_timeout(NULL, WH_MS(400))};
    sem_init(&registered.is_there, 0, 0);
    sem_init(&registered.may_go, 0, 0);
    const pthread_t thread = start(register_and_stay, &registered);
    sem_wait(&registered.is_there);
    assert_int_equal(wh_after(registered.ctx, count, &registered.own, NULL), 0);
    assert_int_equal(wh_after_inline(registered.ctx, count, &registered.own, NULL), 0);
    assert_int_equal(wh_after_inline(registered.timed, count, &registered.own, NULL), 0);
    const pid_t pid = fork_to(only_those_of_this_thread_run, &registered);
    wh_cancel(registered.ctx, reason_x, NULL);
    EVENTUALLY(read_of(&registered.own) == 3 && read_of(&registered.others) == 3);
    assert_int_equal(fate_of(pid), 0);
    sem_post(&registered.may_go);
    void *failed;
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    wh_end(registered.timed);
    wh_end(registered.ctx);
}

/* ---- groups, peers and signals ---- */

static int wait_to_be_stopped(const wh_ctx *ctx, void *arg)
{
    (void)arg;
    wh_wait(ctx, WH_SEC(60));
    return 0;
}

static int add_one(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    if (arg) count(arg);
    return 0;
}

static bool a_group_lost_its_members(void *arg)
{
    CHECK(wh_group_wait(arg) == ECANCELED); /* they are in the parent: they have not done their work here */
    wh_group_free(arg);
    return true;
}

static bool a_group_of_its_own(void *unused)
{
    (void)unused;
    int ran = 0;
    wh_group *own = wh_group_new(NULL);
    for (int i = 0; i < 5; i++) CHECK(wh_go(own, add_one, &ran) == 0);
    CHECK(wh_group_wait(own) == 0 && ran == 5);
    wh_group_free(own);
    return true;
}

static void T156_members_stay_in_the_parent(void **state)
{
    (void)state;
    if (MAY_JOIN_IN_CHILD) assert_int_equal(in_child(a_group_of_its_own, NULL), 0);
    wh_group *group = wh_group_new(NULL);
    for (int i = 0; i < 3; i++) assert_int_equal(wh_go(group, wait_to_be_stopped, NULL), 0);
    assert_int_equal(in_child(a_group_lost_its_members, group), 0);
    assert_int_equal(wh_err(wh_group_ctx(group)), 0);
    wh_group_free(group);
}

/* The parent's members, its places, and whoever waits for one are not there. */
static bool a_group_with_a_limit_begins_anew(void *arg)
{
    int ran = 0;
    wh_group *group = arg;
    struct wh_member_failure failures[3] = {{0}};
    CHECK(wh_group_stragglers(group, NULL, 0) == 0);
    CHECK(wh_group_failures(group, failures, 3) == 2);
    CHECK(failures[0].rc == ECANCELED && !failures[0].optional && failures[1].optional);
    CHECK(wh_group_limit(group, 1) == 0);
    for (int i = 0; i < 5 && MAY_JOIN_IN_CHILD; i++) CHECK(wh_go(group, add_one, &ran) == 0);
    CHECK(wh_group_wait(group) == ECANCELED);
    CHECK(ran == (MAY_JOIN_IN_CHILD ? 5 : 0));
    wh_group_free(group);
    return true;
}

static void *wait_for_a_place(void *arg)
{
    return (void *)(intptr_t)wh_go((wh_group *)arg, add_one, NULL);
}

static void T156_places_stay_in_the_parent(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    wh_group *group = wh_group_new(parent, .policy = WH_COLLECT);
    assert_int_equal(wh_group_limit(group, 2), 0);
    assert_int_equal(wh_go(group, wait_to_be_stopped, NULL), 0);
    assert_int_equal(wh_go_optional(group, wait_to_be_stopped, NULL), 0);
    const pthread_t thread = start(wait_for_a_place, group);
    for (int i = 0; i < 10; i++) assert_int_equal(in_child(a_group_with_a_limit_begins_anew, group), 0);
    assert_int_equal(wh_err(wh_group_ctx(group)), 0);
    assert_int_equal(wh_group_stragglers(group, NULL, 0), 2);
    assert_int_equal(wh_group_failures(group, NULL, 0), 0);
    assert_int_equal(wh_group_limit(group, 1), EBUSY);
    wh_cancel(parent, reason_x, NULL);
    void *rc;
    assert_int_equal(pthread_join(thread, &rc), 0);
    assert_int_equal((intptr_t)rc, ECANCELED);
    wh_group_free(group);
}

/* The forking thread is a member: it is the one that goes on in the child. */
static bool a_member_goes_on(void *arg)
{
    CHECK(wh_group_stragglers(arg, NULL, 0) == 1);
    CHECK(wh_group_failures(arg, NULL, 0) == 1);
    CHECK(wh_group_wait(arg) == EDEADLK);
    CHECK(!MAY_JOIN_IN_CHILD || a_group_of_its_own(NULL));
    return true;
}

static int fork_in_a_member(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    return in_child(a_member_goes_on, arg) == 0 ? 0 : EIO;
}

static void T156_a_member_that_forks(void **state)
{
    (void)state;
    WH_AUTO_GROUP wh_group *group = wh_group_new(NULL, .policy = WH_FIRST_SUCCESS);
    assert_int_equal(wh_go(group, wait_to_be_stopped, NULL), 0);
    assert_int_equal(wh_go(group, fork_in_a_member, group), 0);
    assert_int_equal(wh_group_wait(group), 0);
    assert_int_equal(wh_group_failures(group, NULL, 0), 0);
}

struct sockets {
    wh_ctx *ctx;
    int fds[2];
};

static bool watch_again(void *arg)
{
    struct sockets *sockets = arg;
    wh_ctx *fresh = wh_with_cancel(NULL);
    CHECK(wh_watch_peer(sockets->ctx, sockets->fds[0], 0) == 0); /* in place of the parent's, which is not there */
    CHECK(wh_watch_peer(fresh, sockets->fds[0], 0) == 0);
    wh_end(fresh);
    wh_end(sockets->ctx);
    return true;
}

static void T159_watches_of_the_parent_are_not_disturbed(void **state)
{
    (void)state;
    struct sockets sockets = {.ctx = wh_with_cancel(NULL)};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.fds), 0);
    assert_int_equal(wh_watch_peer(sockets.ctx, sockets.fds[0], 0), 0);
    assert_int_equal(in_child(watch_again, &sockets), 0);
    assert_int_equal(wh_err(sockets.ctx), 0);
    close(sockets.fds[1]);
    assert_int_equal(wh_wait(sockets.ctx, WH_SEC(20)), ECANCELED);
    assert_ptr_equal(wh_cause(sockets.ctx), WH_CLIENT_GONE);
    wh_end(sockets.ctx);
    close(sockets.fds[0]);
}

static bool signals_are_as_before(void *arg)
{
    struct sigaction now;
    CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_IGN);
    raise(SIGUSR1);
    wh_wait(NULL, WH_MS(2));
    CHECK(wh_err(arg) == 0);
    const int signals[] = {SIGUSR1};
    wh_ctx *own = wh_with_signals(NULL, signals, 1);
    raise(SIGUSR1);
    CHECK(wh_wait(own, WH_SEC(10)) == ECANCELED);
    wh_end(own);
    wh_end(arg);
    return true;
}

static void T155_signals_of_the_child_do_what_they_did_before(void **state)
{
    (void)state;
    const int signals[] = {SIGUSR1};
    signal(SIGUSR1, SIG_IGN);
    WH_AUTO wh_ctx *ctx = wh_with_signals(NULL, signals, 1);
    assert_int_equal(in_child(signals_are_as_before, ctx), 0);
    assert_int_equal(wh_err(ctx), 0);
    raise(SIGUSR1);
    assert_int_equal(wh_wait(ctx, WH_SEC(20)), ECANCELED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T156_queued_callbacks_are_the_parents),
        cmocka_unit_test(T156_callbacks_of_other_threads_are_the_parents),
        cmocka_unit_test(T156_members_stay_in_the_parent),
        cmocka_unit_test(T156_places_stay_in_the_parent),
        cmocka_unit_test(T156_a_member_that_forks),
        cmocka_unit_test(T159_watches_of_the_parent_are_not_disturbed),
        cmocka_unit_test(T155_signals_of_the_child_do_what_they_did_before),
    };
    return cmocka_run_group_tests_name("heritage", tests, NULL, NULL);
}
