/* Parents with shards: how they get them, and that nobody notices. */
#include <errno.h>

#include "context/tree.h"
#include "gate.h"
#include "shards_tools.h"

WH_KEY(number, int)
WH_REASON(reason_x, "x");

static bool has_shards(const wh_ctx *ctx)
{
    return wh__state(ctx) & WH__SHARDED;
}

static wh_ctx *new_sharded(const wh_ctx *parent)
{
    wh_ctx *ctx = wh_with_cancel(parent);
    assert_true(wh__shard(ctx));
    assert_true(has_shards(ctx));
    return ctx;
}

/* ---- getting them ---- */

struct crowd {
    wh_ctx *parent;
    const struct wh__thread *first; /* of the threads; atomic */
    bool stop;
};

static void *derive_and_end(void *arg)
{
    struct crowd *crowd = arg;
    const struct wh__thread *none = NULL;
    __atomic_compare_exchange_n(&crowd->first, &none, wh__self(), false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    for (unsigned i = 0; !__atomic_load_n(&crowd->stop, __ATOMIC_RELAXED); i++) {
        wh_end(wh_with_cancel(crowd->parent));
        if (i % 8 == 0) wh_end(wh_with_timeout(crowd->parent, WH_SEC(100)));
        if (i % 8 == 1) wh_end(wh_with_number(crowd->parent, 1));
    }
    return NULL;
}

/* Takes the parent's lock until the other thread has come to it: on one CPU, or under valgrind, two seldom meet by chance. */
static void stand_in_the_way(wh_ctx *parent, const struct wh__thread *other)
{
    wh__lock(&parent->state);
    for (int i = 0; i < 1000 && !__atomic_load_n(&other->critical, __ATOMIC_ACQUIRE); i++) sched_yield();
    for (int i = 0; i < 20; i++) sched_yield();
    wh__unlock(&parent->state);
    sched_yield();
}

static void a_parent_that_is_fought_for_gets_shards(void **state)
{
    (void)state;
    struct crowd crowd = {.parent = wh_with_cancel(NULL)};
    pthread_t threads[3];
    threads[0] = start(derive_and_end, &crowd);
    EVENTUALLY(__atomic_load_n(&crowd.first, __ATOMIC_ACQUIRE));
    const int64_t patience = wh_now() + WH_SEC(60);
    while (!has_shards(crowd.parent) && wh_now() < patience) stand_in_the_way(crowd.parent, crowd.first);
    const bool came = has_shards(crowd.parent);
    for (int i = 1; i < 3; i++) threads[i] = start(derive_and_end, &crowd);
    wh_wait(NULL, WH_MS(20));
    __atomic_store_n(&crowd.stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++) join(threads[i]);
    assert_true(came);
    assert_true(is_childless(crowd.parent));
    assert_int_equal(refs_of(crowd.parent, true), 1);
    wh_end(crowd.parent);
}

static void one_thread_alone_never_gets_them(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    for (int i = 0; i < 1000; i++) wh_end(wh_with_cancel(parent));
    assert_false(has_shards(parent));
    assert_null(parent->extra);
}

/* A thread that finds it busy asks for memory after every so many times, and has what it wanted without. */
static void T007_without_memory_there_are_none(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    wh_ctx *children[100];
    for (size_t allowed = 0; allowed < 2; allowed++) {
        for (int i = 0; i < 100; i++) children[i] = wh_with_cancel(parent); /* what these need is there afterwards */
        for (int i = 0; i < 100; i++) wh_end(children[i]);
        if (allowed) assert_non_null(wh__extra_of(parent, true));
        memory_ends_after(0);
        const bool failed = !wh__shard(parent);
        for (int i = 0; i < 1000; i++) wh__was_busy(wh__self(), parent);
        for (int i = 0; i < 100; i++) children[i] = wh_with_cancel(parent);
        memory_is_back();
        assert_true(failed);
        assert_false(has_shards(parent));
        for (int i = 0; i < 100; i++) assert_int_equal(wh_err(children[i]), 0);
        for (int i = 0; i < 100; i++) wh_end(children[i]);
        assert_int_equal(parent->refs, 1);
    }
    for (int i = 0; i < 1000; i++) wh__was_busy(wh__self(), parent);
    assert_true(has_shards(parent));
}

static void who_is_done_gets_none(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
    wh_cancel(parent, reason_x, NULL);
    assert_true(wh__shard(parent));
    assert_false(has_shards(parent));
}

/* ---- nobody notices ---- */

static void T008_T013_what_is_derived_leaves_again(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = new_sharded(NULL);
    for (int i = 0; i < rounds(100000); i++) {
        wh_ctx *child = wh_with_cancel(parent);
        assert_ptr_not_equal(child->parent, parent);
        assert_ptr_equal(wh__parent(child), parent);
        assert_int_equal(child->level, parent->level + 1);
        if (i % 2) wh_cancel(child, reason_x, NULL);
        wh_end(child);
    }
    assert_int_equal(wh_err(parent), 0);
    assert_true(is_childless(parent));
    assert_int_equal(refs_of(parent, true), 1);
}

static void T014_T028_all_below_are_done(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = new_sharded(NULL);
    WH_AUTO wh_ctx *before = wh_with_cancel(root);
    WH_AUTO wh_ctx *middle = new_sharded(root);
    wh_ctx *value = wh_with_number(middle, 7);
    wh_ctx *all[] = {wh_with_cancel(middle), wh_with_timeout(middle, WH_SEC(100)), value, wh_with_cancel(value),
        wh_with_timeout(value, WH_SEC(100)), wh_with_number(value, 8), wh_start(middle, "span"), before};
    enum { ALL = sizeof all / sizeof *all };
    WH_AUTO wh_ctx *detached = wh_detach(middle);
    assert_int_equal(wh_wait(value, 0), 0);
    const int fd = wh_done_fd(value);
    assert_true(fd >= 0 && fd == wh_done_fd(middle));
    assert_true(wh_cancel(root, reason_x, NULL));
    assert_true(readable(fd));
    for (int i = 0; i < ALL; i++) {
        assert_int_equal(wh_err(all[i]), ECANCELED);
        assert_ptr_equal(wh_cause(all[i]), reason_x);
        assert_int_equal(cause_of(all[i]).depth, i == ALL - 1 ? 1 : i == 3 || i == 4 || i == 5 ? 3 : 2);
    }
    assert_int_equal(wh_number(all[4]), 7);
    assert_int_equal(wh_err(detached), 0);
    wh_ctx *late = wh_with_cancel(middle);
    assert_ptr_equal(wh_cause(late), reason_x);
    wh_end(late);
    for (int i = ALL - 1; i--;) wh_end(all[i]);
}

/* Whatever goes last: the owner, a holder, a child, a child of a value. */
static void parts_may_end_in_any_order(void **state)
{
    (void)state;
    enum { PARTS = 5 };
    for (int order = 0; order < 3125; order++) {
        wh_ctx *root = wh_with_cancel(NULL);
        wh_ctx *parent = new_sharded(root);
        wh_ctx *child = wh_with_cancel(parent);
        wh_ctx *value = wh_with_number(parent, 1);
        wh_ctx *below = wh_with_cancel(value);
        const wh_ctx *held = wh_hold(parent);
        bool gone[PARTS] = {false};
        for (int i = 0, digits = order; i < 2 * PARTS; i++, digits /= PARTS) {
            const int part = i < PARTS ? digits % PARTS : i - PARTS;
            if (gone[part]) continue;
            gone[part] = true;
            switch (part) {
            case 0: wh_end(parent); break;
            case 1: wh_end(child); break;
            case 2: wh_end(value); break;
            case 3: wh_end(below); break;
            case 4:
                wh_end(wh_with_cancel(held));
                wh_release(held);
                break;
            }
            if (gone[0] && !gone[1]) assert_ptr_equal(wh_cause(child), WH_ENDED);
            if (gone[0] && !gone[3]) assert_ptr_equal(wh_cause(below), WH_ENDED);
        }
        assert_null(root->children);
        assert_int_equal(root->refs, 1);
        wh_end(root);
    }
}

static void who_takes_over_a_parent_with_shards_ends_that(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *root = wh_with_cancel(NULL);
    wh_ctx *inner = new_sharded(root);
    wh_ctx *outer = wh_take_over(wh_with_number(inner, 2), inner);
    wh_ctx *below = wh_with_cancel(outer);
    assert_true(wh_cancel(outer, reason_x, NULL));
    assert_ptr_equal(wh_cause(below), reason_x);
    wh_end(outer);
    wh_end(below);
    wh_ctx *other = new_sharded(root);
    wh_end(wh_take_over(wh_with_cancel(other), other));
    assert_null(root->children);
}

static void the_deadline_of_a_parent_with_shards_passes_for_all(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *parent = wh_with_timeout(NULL, WH_MS(5));
    wh__shard(parent);
    WH_AUTO wh_ctx *child = wh_with_cancel(parent);
    WH_AUTO wh_ctx *value = wh_with_number(parent, 1);
    assert_int_equal(wh_deadline(child), wh_deadline(parent));
    assert_int_equal(wh_wait(child, WH_SEC(20)), ETIMEDOUT);
    assert_int_equal(wh_wait(value, WH_SEC(20)), ETIMEDOUT);
    assert_int_equal(wh_err(parent), ETIMEDOUT);
    assert_ptr_equal(cause_of(child).site, cause_of(parent).site);
}

/* ---- among threads ---- */

struct rush {
    struct gate gate;
    int rounds;
    wh_ctx *parent;
    bool failed;
};

static void *end_below(void *arg)
{
    struct rush *rush = arg;
    uint32_t seed = 77;
    for (int i = 0; i < rush->rounds; i++) {
        meet(&rush->gate, 2);
        const wh_ctx *held = wh_hold(rush->parent);
        meet(&rush->gate, 2);
        wh_ctx *child = wh_with_cancel(held);
        wh_ctx *value = wh_with_number(held, 1);
        wh_ctx *below = wh_with_timeout(value, WH_SEC(100));
        dawdle(&seed);
        wh_end(child);
        wh_end(value);
        if (wh_wait(held, WH_SEC(20)) != ECANCELED || wh_wait(below, WH_SEC(20)) != ECANCELED) rush->failed = true;
        wh_end(below);
        wh_release(held);
    }
    return NULL;
}

/* It goes while another thread derives below it, and gets its shards meanwhile. */
static void T019_T023_the_parent_is_ended_meanwhile(void **state)
{
    (void)state;
    struct rush rush = {.rounds = chances(10000)};
    uint32_t seed = 78;
    const pthread_t thread = start(end_below, &rush);
    for (int i = 0; i < rush.rounds; i++) {
        wh_ctx *parent = rush.parent = wh_with_cancel(NULL);
        if (i % 2) wh__shard(parent);
        meet(&rush.gate, 2);
        meet(&rush.gate, 2);
        dawdle(&seed);
        if (i % 2 == 0) wh__shard(parent);
        wh_end(parent);
    }
    join(thread);
    assert_false(rush.failed);
}

/* ---- fork ---- */

static wh_ctx *shared;

static bool everything_below_works(void *unused)
{
    (void)unused;
    for (int i = 0; i < WH__SHARD_COUNT; i++) {
        const wh_ctx *shard = &shared->extra->shards->nodes[i];
        CHECK(!(wh__state(shard) & (WH__LOCK_BIT | WH__SWEEPING)));
        for (const wh_ctx *child = shard->children; child; child = child->next) CHECK(child->parent == shard && *child->link == child);
    }
    if (UNDER_ASAN) return true; /* fork() does not wait for its allocator */
    wh_ctx *child = wh_with_cancel(shared);
    wh_ctx *value = wh_with_number(shared, 1);
    CHECK(child->parent->flags & WH__SHARD);
    CHECK(wh_cancel(shared, reason_x, NULL));
    CHECK(wh_err(child) == ECANCELED && wh_err(value) == ECANCELED && is_childless(shared));
    wh_end(child);
    wh_end(value);
    wh_end(shared);
    return true;
}

static void T157_fork_while_others_are_in_the_shards(void **state)
{
    (void)state;
    struct crowd crowd = {.parent = shared = new_sharded(NULL)};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = start(derive_and_end, &crowd);
    for (int i = 0; i < chances(50); i++) assert_int_equal(in_child(everything_below_works, NULL), 0);
    __atomic_store_n(&crowd.stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++) join(threads[i]);
    assert_int_equal(refs_of(shared, true), 1);
    wh_end(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parent_that_is_fought_for_gets_shards),
        cmocka_unit_test(one_thread_alone_never_gets_them),
        cmocka_unit_test(T007_without_memory_there_are_none),
        cmocka_unit_test(who_is_done_gets_none),
        cmocka_unit_test(T008_T013_what_is_derived_leaves_again),
        cmocka_unit_test(T014_T028_all_below_are_done),
        cmocka_unit_test(parts_may_end_in_any_order),
        cmocka_unit_test(who_takes_over_a_parent_with_shards_ends_that),
        cmocka_unit_test(the_deadline_of_a_parent_with_shards_passes_for_all),
        cmocka_unit_test(T019_T023_the_parent_is_ended_meanwhile),
        cmocka_unit_test(T157_fork_while_others_are_in_the_shards),
    };
    return cmocka_run_group_tests_name("shards", tests, NULL, NULL);
}
