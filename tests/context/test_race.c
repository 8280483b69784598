/* Cancel among threads: one winner, nobody forgotten, and everybody sees the same. */
#include <errno.h>
#include <sched.h>

#include "tools.h"

WH_REASON(reason_x, "x");
WH_REASON(reason_y, "y");

/* ---- who wins ---- */

struct contest {
    struct gate *gate;
    wh_ctx *ctx;
    const struct wh_reason *reason;
    bool won;
};

static void *contend(void *arg)
{
    struct contest *contest = arg;
    meet(contest->gate, 8);
    contest->won = wh_cancel(contest->ctx, contest->reason, NULL);
    return NULL;
}

static void T012_one_of_many_threads_wins(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    WH_REASON(reasons, "one of many");
    for (int round = 0; round < chances(400); round++) {
        WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
        struct gate gate = {0};
        struct wh_reason own[THREADS];
        struct contest contests[THREADS];
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            own[i] = reasons[0];
            contests[i] = (struct contest){&gate, ctx, &own[i], false};
            threads[i] = start(contend, &contests[i]);
        }
        int winners = 0;
        for (int i = 0; i < THREADS; i++) {
            join(threads[i]);
            if (!contests[i].won) continue;
            winners++;
            assert_ptr_equal(wh_cause(ctx), &own[i]);
        }
        assert_int_equal(winners, 1);
        assert_int_equal(cause_of(ctx).losers, THREADS - 1);
    }
}

/* ---- deriving meanwhile ---- */

struct race {
    struct gate gate;
    int rounds;
    wh_ctx *parent;
    bool failed;
};

static void *derive_meanwhile(void *arg)
{
    struct race *race = arg;
    for (int i = 0; i < race->rounds; i++) {
        meet(&race->gate, 2);
        WH_AUTO wh_ctx *child = wh_with_cancel(race->parent);
        WH_AUTO wh_ctx *grandchild = wh_with_timeout(child, WH_SEC(100));
        if (wh_wait(grandchild, WH_SEC(20)) != ECANCELED || wh_cause(child) != reason_x) race->failed = true;
        meet(&race->gate, 2);
    }
    return NULL;
}

static void T019_no_cancel_is_lost_while_deriving(void **state)
{
    (void)state;
    struct race race = {.rounds = chances(20000)};
    const pthread_t thread = start(derive_meanwhile, &race);
    for (int i = 0; i < race.rounds; i++) {
        wh_ctx *ctx = race.parent = wh_with_cancel(NULL);
        meet(&race.gate, 2);
        wh_cancel(ctx, reason_x, NULL);
        meet(&race.gate, 2);
        wh_end(ctx);
    }
    join(thread);
    assert_false(race.failed);
}

/* ---- when it returns, all are done ---- */

enum { FAN = 4, LEVELS = 6, NODES = 5461 }; /* (4^7 - 1) / 3 */

struct tree {
    struct gate gate;
    wh_ctx *nodes[NODES]; /* the children of i are 4 i + 1 to 4 i + 4 */
    bool failed;
};

static void plant(struct tree *tree, wh_ctx *root)
{
    tree->nodes[0] = root;
    for (int i = 1; i < NODES; i++) tree->nodes[i] = wh_with_cancel(tree->nodes[(i - 1) / FAN]);
}

static bool all_done_below(struct tree *tree, int i)
{
    if (!wh_err(tree->nodes[i])) return false;
    for (int child = FAN * i + 1; child <= FAN * i + FAN && child < NODES; child++)
        if (!all_done_below(tree, child)) return false;
    return true;
}

struct canceller {
    struct tree *tree;
    int node;
};

static void *cancel_and_look(void *arg)
{
    const struct canceller *canceller = arg;
    meet(&canceller->tree->gate, 4);
    wh_cancel(canceller->tree->nodes[canceller->node], reason_x, NULL);
    if (!all_done_below(canceller->tree, canceller->node)) canceller->tree->failed = true;
    return NULL;
}

/* An ancestor, a node, one below it and one below that, all at once: whoever returns finds its whole sub-tree done, also
 * what another is in the middle of cancelling. */
static void T014_T029_all_below_are_done_on_return(void **state)
{
    (void)state;
    for (int round = 0; round < chances(400); round++) {
        struct tree tree = {.failed = false};
        plant(&tree, wh_with_cancel(NULL));
        struct canceller cancellers[4] = {{&tree, 0}, {&tree, 1 + round % 4}, {&tree, FAN * (1 + round % 4) + 1}, {&tree, 0}};
        cancellers[3].node = FAN * cancellers[2].node + 1;
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) threads[i] = start(cancel_and_look, &cancellers[i]);
        for (int i = 0; i < 4; i++) join(threads[i]);
        for (int i = NODES - 1; i >= 0; i--) wh_end(tree.nodes[i]);
        assert_false(tree.failed);
    }
}

/* ---- seeing the same ---- */

struct watched {
    struct gate gate;
    int rounds;
    const wh_ctx *ctx;
    int fd, payload;
    bool failed;
};

static void give_way_after(int spins)
{
    if (spins > 1000) sched_yield();
}

static void *look_at_err(void *arg)
{
    struct watched *watched = arg;
    for (int i = 0; i < watched->rounds; i++) {
        meet(&watched->gate, 3);
        const wh_ctx *ctx = watched->ctx;
        const int fd = watched->fd;
        for (int spins = 0; !wh_err(ctx); spins++) give_way_after(spins);
        if (!readable(fd) || wh_wait(ctx, 0) != ECANCELED || watched->payload != i) watched->failed = true;
        meet(&watched->gate, 3);
    }
    return NULL;
}

static void *look_at_fd(void *arg)
{
    struct watched *watched = arg;
    for (int i = 0; i < watched->rounds; i++) {
        meet(&watched->gate, 3);
        const wh_ctx *ctx = watched->ctx;
        const int fd = watched->fd;
        for (int spins = 0; !readable(fd); spins++) give_way_after(spins);
        if (!wh_err(ctx) || wh_wait(ctx, 0) != ECANCELED || watched->payload != i) watched->failed = true;
        meet(&watched->gate, 3);
    }
    return NULL;
}

static void T030_T031_err_fd_and_what_was_written_agree(void **state)
{
    (void)state;
    struct watched watched = {.rounds = chances(10000)};
    const pthread_t one = start(look_at_err, &watched);
    const pthread_t two = start(look_at_fd, &watched);
    for (int i = 0; i < watched.rounds; i++) {
        wh_ctx *root = wh_with_cancel(NULL);
        wh_ctx *ctx = i % 2 ? root : wh_with_cancel(root);
        watched.fd = wh_done_fd(ctx);
        watched.ctx = ctx;
        meet(&watched.gate, 3);
        watched.payload = i;
        wh_cancel(root, reason_x, NULL);
        meet(&watched.gate, 3);
        if (ctx != root) wh_end(ctx);
        wh_end(root);
    }
    join(one);
    join(two);
    assert_false(watched.failed);
}

struct askers {
    struct gate gate;
    int rounds;
    const wh_ctx *ctx;
    bool failed;
};

static void *ask_for_the_fd(void *arg)
{
    struct askers *askers = arg;
    for (int i = 0; i < askers->rounds; i++) {
        meet(&askers->gate, 3);
        if (!readable(wh_done_fd(askers->ctx))) __atomic_store_n(&askers->failed, true, __ATOMIC_RELAXED);
        meet(&askers->gate, 3);
    }
    return NULL;
}

static void T031_whoever_asks_for_the_fd_of_what_is_done(void **state)
{
    (void)state;
    struct askers askers = {.rounds = chances(20000)};
    const pthread_t one = start(ask_for_the_fd, &askers);
    const pthread_t two = start(ask_for_the_fd, &askers);
    for (int i = 0; i < askers.rounds; i++) {
        wh_ctx *ctx = wh_with_cancel(NULL);
        wh_cancel(ctx, reason_x, NULL);
        askers.ctx = ctx;
        meet(&askers.gate, 3);
        meet(&askers.gate, 3);
        wh_end(ctx);
    }
    join(one);
    join(two);
    assert_false(askers.failed);
}

/* ---- crosswise ---- */

struct pair {
    wh_ctx *parent, *child;
};

static void *wake_and_cancel_child(void *arg)
{
    struct pair *pair = arg;
    wh_wait(pair->parent, WH_NEVER);
    wh_cancel(pair->child, reason_y, NULL);
    return NULL;
}

static void T021_interlocked_cancels_do_not_lock(void **state)
{
    (void)state;
    for (int i = 0; i < chances(1000); i++) {
        WH_AUTO wh_ctx *parent = wh_with_cancel(NULL);
        WH_AUTO wh_ctx *child = wh_with_cancel(parent);
        struct pair pair = {parent, child};
        const pthread_t thread = start(wake_and_cancel_child, &pair);
        wh_cancel(parent, reason_x, NULL);
        join(thread);
        assert_ptr_equal(wh_cause(parent), reason_x);
        assert_true(wh_cause(child) == reason_x || wh_cause(child) == reason_y); /* whoever reached it first */
    }
}

static void *poll_them(void *arg)
{
    const wh_ctx *const *contexts = arg;
    bool all = true;
    for (int i = 0; i < 100000; i++) all = all && wh_err(contexts[i % 64]) == ECANCELED;
    return all ? arg : NULL;
}

static void T032_done_contexts_are_asked_by_many(void **state)
{
    (void)state;
    wh_ctx *contexts[64];
    pthread_t threads[64];
    for (int i = 0; i < 64; i++) {
        contexts[i] = i % 4 ? wh_with_cancel(contexts[i - 1]) : wh_with_cancel(NULL);
        if (i % 3 == 0) assert_true(wh_done_fd(contexts[i]) >= 0);
    }
    for (int i = 0; i < 64; i += 4) wh_cancel(contexts[i], reason_x, NULL);
    for (int i = 0; i < 64; i++) threads[i] = start(poll_them, contexts);
    for (int i = 0; i < 64; i++) {
        void *all;
        pthread_join(threads[i], &all);
        assert_non_null(all);
    }
    for (int i = 0; i < 64; i++) wh_end(contexts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(T012_one_of_many_threads_wins),
        cmocka_unit_test(T019_no_cancel_is_lost_while_deriving),
        cmocka_unit_test(T014_T029_all_below_are_done_on_return),
        cmocka_unit_test(T030_T031_err_fd_and_what_was_written_agree),
        cmocka_unit_test(T031_whoever_asks_for_the_fd_of_what_is_done),
        cmocka_unit_test(T021_interlocked_cancels_do_not_lock),
        cmocka_unit_test(T032_done_contexts_are_asked_by_many),
    };
    return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}
