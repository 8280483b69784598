/* Semaphores: who gets permits, who waits, and who is sent away. */
#include <sys/resource.h>

#include "sem_tools.h"

/* ---- one at a time ---- */

static void trying_never_waits(void **state)
{
    (void)state;
    wh_sem *sem = sem_with(3, 0);
    assert_true(wh_sem_try_acquire(sem, 2));
    assert_false(wh_sem_try_acquire(sem, 2));
    assert_false(wh_sem_try_acquire(sem, UINT32_MAX));
    assert_true(wh_sem_try_acquire(sem, 1));
    assert_true(wh_sem_try_acquire(sem, 0));
    assert_false(wh_sem_try_acquire(sem, 1));
    assert_int_equal(wh_sem_release(sem, 1), 0);
    assert_int_equal(wh_sem_release(sem, 2), 0);
    assert_idle(sem);
    wh_sem_free(sem);
    wh_sem_free(NULL);
}

static void of_any_size(void **state)
{
    (void)state;
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *brief = wh_with_timeout(ctx, WH_MS(2));
    wh_sem *none = sem_with(0, 0), *all = sem_with(UINT32_MAX, 0);
    assert_int_equal(wh_sem_acquire(ctx, none, 0), 0);
    assert_int_equal(wh_sem_release(none, 1), EINVAL);
    assert_int_equal(wh_sem_acquire(ctx, all, UINT32_MAX), 0);
    assert_false(wh_sem_try_acquire(all, 1));
    assert_int_equal(wh_sem_release(all, UINT32_MAX), 0);
    assert_int_equal(wh_sem_acquire(brief, none, 1), ETIMEDOUT);
    assert_int_equal(taken(none), 0);
    assert_idle(all);
    wh_sem_free(none);
    wh_sem_free(all);
}

static void T139_a_done_context_fails_though_permits_are_free(void **state)
{
    (void)state;
    wh_sem *sem = sem_with(5, 0);
    WH_AUTO wh_ctx *cancelled = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *late = wh_with_timeout(NULL, 0);
    WH_AUTO wh_ctx *soon = wh_with_timeout(NULL, WH_US(100));
    wh_cancel(cancelled, NULL, NULL);
    while (wh_now() <= wh_deadline(soon)) continue; /* the timer may not have noticed */
    assert_int_equal(wh_sem_acquire(soon, sem, 1), ETIMEDOUT);
    for (uint32_t weight = 0; weight < 7; weight++) {
        assert_int_equal(wh_sem_acquire(cancelled, sem, weight), ECANCELED);
        assert_int_equal(wh_sem_acquire(late, sem, weight), ETIMEDOUT);
    }
    assert_idle(sem);
    wh_sem_free(sem);
}

static void T139_giving_back_too_much_changes_nothing(void **state)
{
    (void)state;
    wh_sem *sem = sem_with(4, 2);
    assert_int_equal(wh_sem_release(sem, 3), EINVAL);
    assert_int_equal(wh_sem_release(sem, UINT32_MAX), EINVAL);
    assert_int_equal(taken(sem), 2);
    struct asker asker;
    line_up(&asker, NULL, sem, 3);
    assert_int_equal(wh_sem_release(sem, 3), EINVAL);
    assert_true(still_asks(&asker) && waiting(sem) == 1);
    assert_int_equal(wh_sem_release(sem, 2), 0);
    assert_int_equal(answer_to(&asker), 0);
    assert_int_equal(wh_sem_release(sem, 3), 0);
    assert_int_equal(wh_sem_release(sem, 1), EINVAL);
    assert_int_equal(wh_sem_release(sem, 0), 0);
    assert_idle(sem);
    wh_sem_free(sem);
}

/* ---- the queue ---- */

struct line {
    struct asker askers[60];
    unsigned arrived[60], arrivals; /* written by who holds the permits */
};

struct place {
    struct line *line;
    wh_sem *sem;
    uint32_t weight;
    unsigned index;
};

static void *arrive(void *arg)
{
    const struct place *place = arg;
    const int err = wh_sem_acquire(NULL, place->sem, place->weight);
    if (err) return (void *)(intptr_t)err;
    place->line->arrived[place->line->arrivals++] = place->index;
    return (void *)(intptr_t)wh_sem_release(place->sem, place->weight);
}

/* Of three permits each takes two or three: so there is never more than one inside. */
static void T139_first_come_first_served(void **state)
{
    (void)state;
    enum { MANY = 60 };
    static struct line line;
    struct place places[MANY];
    pthread_t threads[MANY];
    line.arrivals = 0;
    wh_sem *sem = sem_with(3, 2);
    for (unsigned i = 0; i < MANY; i++) {
        places[i] = (struct place){.line = &line, .sem = sem, .weight = 2 + i % 2, .index = i};
        threads[i] = start(arrive, &places[i]);
        EVENTUALLY(waiting(sem) == i + 1);
    }
    assert_false(wh_sem_try_acquire(sem, 1)); /* one is free, but not for who comes last */
    assert_int_equal(wh_sem_release(sem, 2), 0);
    for (unsigned i = 0; i < MANY; i++) {
        void *err;
        assert_int_equal(pthread_join(threads[i], &err), 0);
        assert_null(err);
    }
    for (unsigned i = 0; i < MANY; i++) assert_int_equal(line.arrived[i], i);
    assert_idle(sem);
    wh_sem_free(sem);
}

static void T139_a_heavy_one_is_not_passed(void **state)
{
    (void)state;
    wh_sem *sem = sem_with(4, 2);
    struct asker heavy, light;
    line_up(&heavy, NULL, sem, 4);
    line_up(&light, wh_background(), sem, 1);
    assert_false(wh_sem_try_acquire(sem, 1));
    assert_false(wh_sem_try_acquire(sem, 0));
    assert_int_equal(wh_sem_release(sem, 1), 0);
    wh_wait(NULL, WH_MS(2));
    assert_true(still_asks(&heavy) && still_asks(&light));
    assert_int_equal(wh_sem_release(sem, 1), 0);
    assert_int_equal(answer_to(&heavy), 0);
    assert_true(still_asks(&light));
    assert_int_equal(wh_sem_release(sem, 4), 0); /* by another than who took them */
    assert_int_equal(answer_to(&light), 0);
    assert_int_equal(wh_sem_release(sem, 1), 0);
    assert_idle(sem);
    wh_sem_free(sem);
}

struct crowd {
    wh_sem *sem;
    bool over;
};

static void *come_and_go(void *arg)
{
    struct crowd *crowd = arg;
    intptr_t wrong = 0;
    while (!__atomic_load_n(&crowd->over, __ATOMIC_RELAXED))
        wrong += wh_sem_acquire(NULL, crowd->sem, 1) != 0 || wh_sem_release(crowd->sem, 1) != 0;
    return (void *)wrong;
}

static void T139_a_heavy_one_is_not_starved(void **state)
{
    (void)state;
    struct crowd crowd = {.sem = sem_with(4, 0)};
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) threads[i] = start(come_and_go, &crowd);
    for (int i = 0; i < rounds(200); i++) {
        WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_SEC(30));
        assert_int_equal(wh_sem_acquire(ctx, crowd.sem, 4), 0);
        assert_int_equal(wh_sem_release(crowd.sem, 4), 0);
    }
    __atomic_store_n(&crowd.over, true, __ATOMIC_RELAXED);
    for (int i = 0; i < 6; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_idle(crowd.sem);
    wh_sem_free(crowd.sem);
}

static void T139_more_than_there_are_waits_for_the_context_alone(void **state)
{
    (void)state;
    wh_sem *sem = sem_with(4, 0);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    WH_AUTO wh_ctx *brief = wh_with_timeout(ctx, WH_MS(2));
    struct asker asker;
    begin_to_ask(&asker, ctx, sem, 5);
    EVENTUALLY(wh__state(ctx) & WH__WAITERS);
    assert_int_equal(wh_sem_acquire(brief, sem, UINT32_MAX), ETIMEDOUT);
    assert_int_equal(wh_sem_acquire(ctx, sem, 4), 0);
    assert_int_equal(wh_sem_release(sem, 4), 0);
    assert_true(still_asks(&asker));
    wh_cancel(ctx, NULL, NULL);
    assert_int_equal(answer_to(&asker), ECANCELED);
    assert_idle(sem);
    wh_sem_free(sem);
}

static void T139_cancelling_the_first_lets_the_next_in(void **state)
{
    (void)state;
    wh_sem *sem = sem_with(4, 2);
    WH_AUTO wh_ctx *ctx = wh_with_cancel(NULL);
    struct asker heavy, light[3];
    line_up(&heavy, ctx, sem, 3);
    for (int i = 0; i < 3; i++) line_up(&light[i], NULL, sem, 1);
    wh_cancel(ctx, NULL, NULL);
    assert_int_equal(answer_to(&heavy), ECANCELED);
    assert_int_equal(answer_to(&light[0]), 0);
    assert_int_equal(answer_to(&light[1]), 0);
    assert_true(still_asks(&light[2]) && taken(sem) == 4);
    assert_int_equal(wh_sem_release(sem, 4), 0);
    assert_int_equal(answer_to(&light[2]), 0);
    assert_int_equal(wh_sem_release(sem, 1), 0);
    assert_idle(sem);
    wh_sem_free(sem);
}

static void who_leaves_the_middle_or_the_end_leaves_the_queue_whole(void **state)
{
    (void)state;
    wh_sem *sem = sem_with(1, 1);
    struct asker askers[4];
    wh_ctx *ctx[4];
    for (int i = 0; i < 4; i++) line_up(&askers[i], ctx[i] = wh_with_cancel(NULL), sem, 1);
    wh_cancel(ctx[1], NULL, NULL);
    assert_int_equal(answer_to(&askers[1]), ECANCELED);
    wh_cancel(ctx[3], NULL, NULL);
    assert_int_equal(answer_to(&askers[3]), ECANCELED);
    struct asker last;
    line_up(&last, NULL, sem, 1);
    struct asker *rest[] = {&askers[0], &askers[2], &last};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(waiting(sem), 3 - i);
        assert_int_equal(wh_sem_release(sem, 1), 0);
        assert_int_equal(answer_to(rest[i]), 0);
    }
    assert_int_equal(wh_sem_release(sem, 1), 0);
    assert_idle(sem);
    for (int i = 0; i < 4; i++) wh_end(ctx[i]);
    wh_sem_free(sem);
}

/* ---- the deadline ---- */

static void a_deadline_ends_the_wait_and_not_before(void **state)
{
    (void)state;
    wh_sem *sem = sem_with(2, 1);
    WH_AUTO wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(5));
    WH_AUTO wh_ctx *below = wh_with_cancel(ctx);
    assert_int_equal(wh_sem_acquire(below, sem, 2), ETIMEDOUT);
    assert_true(wh_now() >= wh_deadline(ctx));
    assert_int_equal(taken(sem), 1);
    assert_int_equal(wh_sem_release(sem, 1), 0);
    assert_idle(sem);
    wh_sem_free(sem);
}

static bool without_a_timer(void *unused)
{
    (void)unused;
    struct rlimit none;
    CHECK(getrlimit(RLIMIT_NOFILE, &none) == 0);
    none.rlim_cur = 0;
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0); /* the thread for timers needs a descriptor */
    wh_sem *sem = wh_sem_new(1);
    CHECK(sem && wh_sem_try_acquire(sem, 1));
    wh_ctx *ctx = wh_with_timeout(NULL, WH_MS(3));
    CHECK(wh_sem_acquire(ctx, sem, 1) == ETIMEDOUT);
    CHECK(wh_now() >= wh_deadline(ctx));
    CHECK(wh_sem_release(sem, 1) == 0 && wh_sem_try_acquire(sem, 1));
    wh_end(ctx);
    wh_sem_free(sem);
    return true;
}

static void a_deadline_needs_no_timer(void **state)
{
    (void)state;
    assert_int_equal(in_child(without_a_timer, NULL), 0);
}

/* ---- without memory ---- */

static bool refuse(size_t size)
{
    (void)size;
    return false;
}

static void a_semaphore_needs_memory(void **state)
{
    (void)state;
    wh__mem_gate = refuse;
    errno = 0;
    wh_sem *sem = wh_sem_new(1);
    const int err = errno;
    wh__mem_gate = NULL;
    assert_null(sem);
    assert_int_equal(err, ENOMEM);
}

static void nothing(void *unused)
{
    (void)unused;
}

/* Asks with nothing left to make a callback of. */
static void *ask_in_need(void *arg)
{
    struct asker *asker = arg;
    void *stash = NULL;
    wh__mem_gate = refuse;
    for (void *block; (block = wh__slab_take(WH__128)); stash = block) *(void **)block = stash;
    const bool in_need = wh_after_inline(asker->ctx, nothing, NULL, NULL) == ENOMEM;
    const int err = wh_sem_acquire(asker->ctx, asker->sem, asker->weight);
    wh__mem_gate = NULL;
    for (void *block; (block = stash);) {
        stash = *(void **)block;
        wh__slab_put(block);
    }
    __atomic_store_n(&asker->err, in_need ? err : ENOMEM, __ATOMIC_RELEASE);
    return NULL;
}

static void waiting_needs_no_memory(void **state)
{
    (void)state;
    wh_sem *sem = sem_with(1, 1);
    for (int kind = 0; kind < 3; kind++) { /* it is let in; cancelled; too late */
        WH_AUTO wh_ctx *ctx = kind == 2 ? wh_with_timeout(NULL, WH_MS(30)) : wh_with_cancel(NULL);
        struct asker asker = {.ctx = ctx, .sem = sem, .weight = 1, .err = -1};
        asker.thread = start(ask_in_need, &asker);
        if (kind < 2) EVENTUALLY(waiting(sem) == 1);
        if (kind == 0) assert_int_equal(wh_sem_release(sem, 1), 0);
        if (kind == 1) wh_cancel(ctx, NULL, NULL);
        assert_int_equal(answer_to(&asker), kind == 0 ? 0 : kind == 1 ? ECANCELED : ETIMEDOUT);
        assert_int_equal(taken(sem), 1);
    }
    assert_int_equal(wh_sem_release(sem, 1), 0);
    assert_idle(sem);
    wh_sem_free(sem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trying_never_waits),
        cmocka_unit_test(of_any_size),
        cmocka_unit_test(T139_a_done_context_fails_though_permits_are_free),
        cmocka_unit_test(T139_giving_back_too_much_changes_nothing),
        cmocka_unit_test(T139_first_come_first_served),
        cmocka_unit_test(T139_a_heavy_one_is_not_passed),
        cmocka_unit_test(T139_a_heavy_one_is_not_starved),
        cmocka_unit_test(T139_more_than_there_are_waits_for_the_context_alone),
        cmocka_unit_test(T139_cancelling_the_first_lets_the_next_in),
        cmocka_unit_test(who_leaves_the_middle_or_the_end_leaves_the_queue_whole),
        cmocka_unit_test(a_deadline_ends_the_wait_and_not_before),
        cmocka_unit_test(a_deadline_needs_no_timer),
        cmocka_unit_test(a_semaphore_needs_memory),
        cmocka_unit_test(waiting_needs_no_memory),
    };
    return cmocka_run_group_tests_name("sem", tests, NULL, NULL);
}
