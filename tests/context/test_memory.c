/* Without memory: whatever allocation fails, contexts are there, say why they are done, and nothing is lost. */
#include <errno.h>
#include <sys/socket.h>

#include "context/tree.h"
#include "memory_tools.h"

WH_REASON(reason_x, "x");
WH_REASON(reason_y, "y");
WH_KEY(number, int)
struct large {
    char bytes[5000];
};
WH_KEY(large, struct large)

/* ---- a request that uses everything ---- */

static int destroyed;
static void destroy(int *value)
{
    destroyed += *value;
}
WH_KEY_OWNED(owned, int, destroy)

static void count(void *arg)
{
    __atomic_fetch_add((int *)arg, 1, __ATOMIC_ACQ_REL);
}

static int add_one(const wh_ctx *ctx, void *arg)
{
    (void)ctx;
    count(arg);
    return 0;
}

static void ask(const wh_ctx *ctx)
{
    struct wh_cause cause = {.size = sizeof cause};
    char text[300];
    assert_non_null(ctx);
    const int err = wh_err(ctx);
    assert_true(err == 0 || err == ECANCELED);
    assert_true(err == 0 || wh_cause(ctx) == WH_NO_MEMORY || wh_cause(ctx) == reason_x);
    assert_int_equal(wh_wait(ctx, 0), err);
    assert_int_equal(wh_cause_info(ctx, &cause), err != 0);
    assert_true(wh_explain(ctx, text, sizeof text) > 0);
    assert_true(wh_cancellable(ctx));
    wh_deadline(ctx);
    wh_number(ctx);
    wh_release(wh_hold(ctx));
}

static void ask_for_fd(const wh_ctx *ctx)
{
    const int fd = wh_done_fd(ctx);
    if (fd < 0)
        assert_int_equal(errno, ENOMEM);
    else
        assert_int_equal(readable(fd), wh_err(ctx) != 0);
}

static void run_a_group(const wh_ctx *ctx)
{
    int ran = 0, started = 0;
    wh_group *group = wh_group_new(ctx);
    assert_non_null(group);
    ask(wh_group_ctx(group));
    for (int i = 0; i < 3; i++) {
        const int rc = wh_go(group, add_one, &ran);
        assert_true(rc == 0 || rc == ENOMEM || rc == ECANCELED);
        started += rc == 0;
    }
    const int rc = wh_group_wait(group);
    assert_true(started == 3 ? rc == 0 : rc == ENOMEM || rc == ECANCELED);
    assert_int_equal(ran, started);
    wh_group_free(group);
}

/* One at a time, and one is enough. */
static void run_a_race(const wh_ctx *ctx)
{
    int ran = 0, started = 0;
    wh_group *group = wh_group_new(ctx, .policy = WH_FIRST_SUCCESS);
    const int limited = wh_group_limit(group, 1);
    assert_true(limited == 0 || limited == ENOMEM);
    for (int i = 0; i < 3; i++) {
        const int rc = i ? wh_go(group, add_one, &ran) : wh_go_optional(group, add_one, &ran);
        assert_true(rc == 0 || rc == ENOMEM || rc == ECANCELED);
        started += rc == 0;
    }
    const int rc = wh_group_wait(group);
    assert_true(started ? rc == 0 : rc == ENOMEM || rc == ECANCELED);
    assert_int_equal(ran, started);
    wh_group_free(group);
}

static void live(int socket)
{
    int ran = 0, ran_inline = 0;
    wh_callback *callback = NULL;
    destroyed = 0;
    wh_ctx *root = wh_with_cancel(NULL);
    ask(root);
    wh_ctx *all[] = {wh_with_timeout(root, WH_SEC(100)), wh_with_number(root, 1), wh_with_large(root, (struct large){"x"}),
        wh_with_owned(root, 1), wh_with_signals(root, (const int[]){SIGUSR1}, 1), wh_with_timeout(root, WH_SEC(100000)),
        wh_detach(root)};
    enum { ALL = sizeof all / sizeof *all };
    for (int i = 0; i < ALL; i++) {
        ask(all[i]);
        ask_for_fd(all[i]);
    }
    wh_ctx *inner = wh_with_cancel(all[0]);
    wh_ctx *outer = wh_take_over(wh_with_number(inner, 2), inner);
    ask(outer);
    const int rc = wh_after(all[0], count, &ran, &callback);
    const int rc_inline = wh_after_inline(all[0], count, &ran_inline, NULL);
    assert_true((rc == 0 || rc == ENOMEM) && (rc_inline == 0 || rc_inline == ENOMEM));
    const int rc_watch = wh_watch_peer(all[0], socket, 0);
    assert_true(rc_watch == 0 || rc_watch == ENOMEM);
    run_a_group(root);
    run_a_race(root);

    const bool won = wh_cancelf(root, reason_x, "text number %d", 1);
    assert_int_equal(won, root != wh__no_memory());
    assert_false(wh_cancel(root, reason_y, "more text"));
    for (int i = 0; i < ALL - 1; i++) assert_int_equal(wh_err(all[i]), ECANCELED);
    assert_int_equal(wh_err(outer), ECANCELED);
    assert_int_equal(ran_inline, rc_inline == 0);
    if (rc == 0) EVENTUALLY(__atomic_load_n(&ran, __ATOMIC_ACQUIRE) == 1);
    if (rc == 0) assert_false(wh_stop_wait(callback));
    wh_end(outer);
    for (int i = 0; i < ALL; i++) wh_end(all[i]);
    if (won) assert_int_equal(__atomic_load_n(&root->refs, __ATOMIC_ACQUIRE), 1);
    wh_end(root);
    assert_int_equal(destroyed, 1);
}

/* ---- failing ---- */

static void T007_T168_with_so_many_blocks_and_no_more(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    live(fds[0]);
    for (int blocks = 0; blocks < 24; blocks++) {
        leave_of_each_size(blocks);
        fail_all = true;
        live(fds[0]);
        assert_left_of_each_size(blocks);
        fail_all = false;
    }
    give_all_back();
    live(fds[0]);
    close(fds[0]);
    close(fds[1]);
}

static void T007_each_allocation_fails_once(void **state)
{
    (void)state;
    int fds[2], number = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    const size_t pages = wh__slab_pages();
    for (;; number++) {
        leave_of_each_size(0);
        asked = 0;
        fails_at = number;
        live(fds[0]);
        fails_at = -1;
        give_all_back();
        if (asked <= number) break;
    }
    assert_true(number >= 5);
    assert_true(wh__slab_pages() <= pages + WH__SIZES + 4); /* each size keeps one, and so may the library's threads */
    print_message("           %d allocations\n", number);
    close(fds[0]);
    close(fds[1]);
}

static void T007_a_parent_does_not_notice(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    leave_of_each_size(0);
    fail_all = true;
    for (int i = 0; i < 5; i++) {
        WH_AUTO wh_ctx *child = i == 0 ? wh_with_cancel(parent) : i == 1 ? wh_with_timeout(parent, WH_SEC(1))
                              : i == 2 ? wh_with_number(parent, 1) : i == 3 ? wh_detach(parent) : wh_start(parent, "x");
        assert_int_equal(wh_err(child), ECANCELED);
        assert_ptr_equal(wh_cause(child), WH_NO_MEMORY);
        assert_int_equal(wh_http_status(child), 503);
        WH_AUTO wh_ctx *below = wh_with_cancel(child);
        assert_ptr_equal(wh_cause(below), WH_NO_MEMORY);
        assert_false(wh_cancel(child, reason_x, NULL));
        assert_int_equal(wh_watch_peer(child, 0, 0), ENOMEM);
        assert_int_equal(wh_done_fd(child), -1);
        assert_int_equal(errno, ENOMEM);
    }
    assert_null(parent->children);
    assert_int_equal(parent->refs, 1);
    assert_int_equal(wh_err(parent), 0);
    fail_all = false;
    give_all_back();
}

/* The block is there, the place in the wheel is not: a context of its own, and nothing hangs on the parent. */
static void T007_a_deadline_without_a_place_is_no_memory(void **state)
{
    (void)state;
    enum { MANY = 40 };
    wh_ctx *all[MANY];
    int without = 0;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    const int64_t instant = wh_now() + WH_SEC(7777777);
    leave_of_each_size(MANY);
    fail_all = true;
    for (int i = 0; i < MANY; i++) all[i] = wh_with_deadline(parent, instant);
    fail_all = false;
    give_all_back();
    for (int i = 0; i < MANY; i++) {
        assert_ptr_not_equal(all[i], wh__no_memory());
        assert_int_equal(wh_deadline(all[i]), instant);
        if (!wh_err(all[i])) continue;
        without++;
        assert_ptr_equal(wh_cause(all[i]), WH_NO_MEMORY);
        assert_string_equal(cause_of(all[i]).site->func, __func__);
    }
    assert_true(without > 0);
    for (int i = 0; i < MANY; i++) wh_end(all[i]);
    assert_int_equal(wh_err(parent), 0);
    assert_int_equal(parent->refs, 1);
    assert_null(parent->children);
}

static void a_group_without_memory_says_so(void **state)
{
    (void)state;
    int ran = 0;
    leave_of_each_size(0);
    fail_all = true;
    wh_group *group = wh_group_new(NULL);
    assert_ptr_equal(wh_cause(wh_group_ctx(group)), WH_NO_MEMORY);
    assert_int_equal(wh_go(group, add_one, &ran), ENOMEM);
    assert_int_equal(wh_group_wait(group), ENOMEM);
    wh_group_free(group);
    fail_all = false;
    give_all_back();
    assert_int_equal(ran, 0);
}

/* ---- cancelling ---- */

static void T168_cancelling_asks_for_nothing(void **state)
{
    (void)state;
    int ran = 0;
    wh_ctx *all[300];
    all[0] = wh_with_cancel(NULL);
    for (int i = 1; i < 300; i++) {
        const wh_ctx *above = all[(i - 1) / 3];
        all[i] = i % 3 ? wh_with_cancel(above) : wh_with_timeout(above, WH_SEC(100 + i));
        if (i % 5 == 0) assert_true(wh_done_fd(all[i]) >= 0);
        if (i % 7 == 0) assert_int_equal((i % 2 ? wh_after : wh_after_inline)(all[i], count, &ran, NULL), 0);
    }
    asked = 0;
    assert_true(wh_cancelf(all[0], reason_x, "cancelled %d", 7));
    assert_false(wh_cancel(all[17], reason_y, NULL));
    assert_int_equal(asked, 0);
    EVENTUALLY(__atomic_load_n(&ran, __ATOMIC_ACQUIRE) == 299 / 7);
    for (int i = 299; i >= 0; i--) wh_end(all[i]);
    assert_int_equal(asked, 0);
}

static void T168_without_a_block_only_the_text_is_lost(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *literal = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *copied = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *below = wh_with_cancel(copied);
    leave_of_each_size(0);
    fail_all = true;
    assert_true(wh_cancel(literal, reason_x, "a literal"));
    assert_true(wh_cancelf(copied, reason_x, "number %d", 5));
    assert_false(wh_cancel(copied, reason_y, "later"));
    fail_all = false;
    give_all_back();
    assert_string_equal(cause_of(literal).text, "a literal");
    assert_string_equal(cause_of(below).text, "(its text was lost: no memory at hand)");
    assert_ptr_equal(wh_cause(below), reason_x);
    assert_int_equal(cause_of(below).losers, 1);
    assert_null(cause_of(below).loser_reason);
}

/* ---- a thread that the library cannot keep anything for ---- */

struct crowd {
    struct gate gate;
    unsigned size;
    int without_record;
    wh_ctx *ctx[32], *below[32];
    int number;
};
struct one {
    struct crowd *crowd;
    int number;
};

static void *be_without_record(void *arg)
{
    const struct one *one = arg;
    struct crowd *crowd = one->crowd;
    wh_ctx *ctx = crowd->ctx[one->number];
    intptr_t failed = 0;
    wh__mem_gate = gate;
    fail_all = true;
    wh_release(wh_hold(ctx)); /* takes a free record, if there is still one */
    meet(&crowd->gate, crowd->size);
    if (!wh__current) {
        __atomic_fetch_add(&crowd->without_record, 1, __ATOMIC_RELAXED);
        wh_ctx *none = wh_with_cancel(ctx);
        failed |= wh_cause(none) != WH_NO_MEMORY;
        wh_end(none);
    }
    failed |= wh_wait(ctx, WH_US(10)) != 0;
    failed |= !wh_cancelf(ctx, reason_x, "by %d", one->number);
    failed |= wh_cause(crowd->below[one->number]) != reason_x;
    wh_end(crowd->below[one->number]);
    wh_end(ctx);
    meet(&crowd->gate, crowd->size);
    return (void *)failed;
}

static void a_thread_without_memory_of_its_own(void **state)
{
    (void)state;
    struct crowd crowd = {.size = 32};
    struct one ones[32];
    pthread_t threads[32];
    for (int i = 0; i < 32; i++) {
        crowd.ctx[i] = wh_with_cancel(NULL);
        crowd.below[i] = wh_with_timeout(crowd.ctx[i], WH_SEC(100));
        ones[i] = (struct one){&crowd, i};
    }
    for (int i = 0; i < 32; i++) threads[i] = start(be_without_record, &ones[i]);
    for (int i = 0; i < 32; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_true(crowd.without_record > 0);
}

int main(void)
{
    wh__mem_gate = gate;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T007_T168_with_so_many_blocks_and_no_more),
        cmocka_unit_test(T007_each_allocation_fails_once),
        cmocka_unit_test(T007_a_parent_does_not_notice),
        cmocka_unit_test(T007_a_deadline_without_a_place_is_no_memory),
        cmocka_unit_test(a_group_without_memory_says_so),
        cmocka_unit_test(T168_cancelling_asks_for_nothing),
        cmocka_unit_test(T168_without_a_block_only_the_text_is_lost),
        cmocka_unit_test(a_thread_without_memory_of_its_own),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
